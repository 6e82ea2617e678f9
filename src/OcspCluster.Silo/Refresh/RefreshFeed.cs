using OcspCluster.Authority;
using OcspCluster.Protocol;
using OcspCluster.Silo.Certificates;

namespace OcspCluster.Silo.Refresh;

/// <summary>Tells the owners of the parts what gateways were given and what changed. Nobody waits for it. Thread-safe.</summary>
internal sealed class RefreshFeed(RefreshPeers peers, IssuerDirectory directory)
{
    /// <summary>A gateway was given an answer of the default credential.</summary>
    public void Note(CertificateKey key, byte[] certId, IssuerPolicy policy, SignedResponse response)
    {
        if (policy.Presign != Presign.OnDemand)
        {
            Tell(key.Issuer, SerialPartitions.Of(key.Serial), [NotedAnswer.Of(key.Serial, certId, policy, response)]);
        }
    }

    /// <summary>A gateway has answers of the default credential.</summary>
    public void Note(IssuerId issuer, IEnumerable<NotedAnswer> answers)
    {
        foreach (IGrouping<int, NotedAnswer> part in answers.GroupBy(answer => SerialPartitions.Of(answer.Serial)))
        {
            foreach (NotedAnswer[] some in part.Chunk(1000))
            {
                Tell(issuer, part.Key, some);
            }
        }
    }

    /// <summary>Entries are published.</summary>
    public void Announce(IssuerId issuer, IReadOnlyList<JournalEntry> entries)
    {
        if (directory.Issuers.FirstOrDefault(one => one.Id == issuer) is not { Policy.Presign: not Presign.OnDemand })
        {
            return;
        }

        PartOwners owners = peers.Owners;
        foreach (IGrouping<string?, SerialNumber> changed in entries.Where(entry => entry.Event.Kind != EventKind.Issued).Select(entry => entry.Event.Serial).Distinct()
            .GroupBy(serial => owners.OwnerOf(issuer, SerialPartitions.Of(serial))))
        {
            if (changed.Key is not null)
            {
                peers.ServiceOf(changed.Key).AnnounceAsync(issuer, [.. changed]).Ignore();
            }
        }
    }

    private void Tell(IssuerId issuer, int part, IReadOnlyList<NotedAnswer> answers)
    {
        if (peers.Owners.OwnerOf(issuer, part) is { } owner)
        {
            peers.ServiceOf(owner).NoteAsync(issuer, answers).Ignore();
        }
    }
}

/// <summary>Publishes, and then tells the owners of the parts, and the clock's guard when entries were recorded.</summary>
internal sealed class AnnouncingPublisher(IResponsePublisher inner, RefreshFeed feed, ClockGuard guard) : IResponsePublisher
{
    /// <inheritdoc/>
    public ValueTask PublishThroughAsync(IssuerId issuer, long position) => inner.PublishThroughAsync(issuer, position);

    /// <inheritdoc/>
    public async ValueTask PublishAsync(IssuerId issuer, IReadOnlyList<JournalEntry> entries)
    {
        await inner.PublishAsync(issuer, entries).ConfigureAwait(false);
        feed.Announce(issuer, entries);
        foreach (JournalEntry entry in entries)
        {
            guard.NoteRecorded(entry.ReceivedAt);
        }
    }
}
