using System.Collections.Frozen;
using OcspCluster.Authority;
using OcspCluster.Gateway;

namespace OcspCluster.Silo.Coherence;

/// <summary>One issuer as this silo keeps it: what it knows, and its lease. Thread-safe.</summary>
internal sealed class SiloIssuer(IssuerCoherence coherence, LeaseObservations observations, IssuerLease lease, PublishedJournal journal)
{
    public IssuerCoherence Coherence { get; } = coherence;

    public LeaseObservations Observations { get; } = observations;

    public IssuerLease Lease { get; } = lease;

    /// <summary>No gateway contradicts the journal up to here any more: the feed out may show it.</summary>
    public void TakePublished(long position)
    {
        Lease.NotePublished(position);
        journal.Advance(Coherence.Issuer, position);
    }
}

/// <summary>The issuers of this silo. Immutable.</summary>
internal sealed class CoherenceDirectory : IDisposable
{
    private readonly FrozenDictionary<IssuerId, SiloIssuer> _issuers;

    public CoherenceDirectory(
        IssuerDirectory directory,
        IRevocationStore store,
        ResponseCache cache,
        PublishedJournal journal,
        ILeaseTable table,
        ISiloPeers peers,
        OcspSiloOptions options,
        [FromKeyedServices(OcspSiloExtensions.LeaseClock)] TimeProvider clock,
        ILogger<CoherenceDirectory> log) =>
        _issuers = directory.Issuers.ToFrozenDictionary(issuer => issuer.Id, issuer =>
        {
            IssuerCoherence coherence = new(issuer.Id, store, cache, journal, options, clock, log);
            LeaseObservations observations = new(peers.Self, (long)(options.Lease.TotalSeconds * clock.TimestampFrequency));
            return new SiloIssuer(coherence, observations, new IssuerLease(coherence, observations, table, peers, options, clock, log), journal);
        });

    /// <summary>All of them.</summary>
    public IReadOnlyCollection<SiloIssuer> All => _issuers.Values;

    /// <summary>One of them; null when there is none such here.</summary>
    public SiloIssuer? Find(IssuerId issuer) => _issuers.GetValueOrDefault(issuer);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (SiloIssuer issuer in All)
        {
            issuer.Coherence.Dispose();
        }
    }
}
