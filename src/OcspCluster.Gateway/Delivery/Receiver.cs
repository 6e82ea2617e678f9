using OcspCluster.Authority;

namespace OcspCluster.Gateway;

/// <summary>Somebody who is told of the journal's entries. Thread-safe.</summary>
internal abstract class Receiver(ReceiverOptions options, string kind) : IDisposable
{
    /// <summary>What all receivers have.</summary>
    public ReceiverOptions Options => options;

    /// <summary>webhook or purge.</summary>
    public string Kind => kind;

    /// <summary>Where it is, without what may be secret in a path or a query.</summary>
    public abstract string Origin { get; }

    /// <summary>Whether it is told of the entries of an issuer at all.</summary>
    public bool Follows(IssuerId issuer) => options.Issuers.Count == 0 || options.Issuers.Contains(issuer);

    /// <summary>Whether it is told of this entry.</summary>
    public abstract bool Wants(IssuerId issuer, JournalEntry entry);

    /// <summary>Tells it of entries that it wants, at least one. The same entries are the same message, whenever they are told.</summary>
    public abstract Task<DeliveryResult> DeliverAsync(IssuerId issuer, IReadOnlyList<JournalEntry> entries, CancellationToken cancellationToken);

    /// <inheritdoc/>
    public abstract void Dispose();
}
