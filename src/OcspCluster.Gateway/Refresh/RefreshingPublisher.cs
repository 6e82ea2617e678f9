using OcspCluster.Authority;

namespace OcspCluster.Gateway;

/// <summary>Publishes, and then has the answers signed that the entries change: whoever waits for a revocation finds it signed. The acknowledgement does not wait for that.</summary>
/// <param name="inner">Tells the gateways.</param>
/// <param name="schedulers">Sign.</param>
/// <param name="guard">Takes note of when entries were recorded.</param>
public sealed class RefreshingPublisher(IResponsePublisher inner, RefreshSchedulers schedulers, ClockGuard? guard = null) : IResponsePublisher
{
    /// <inheritdoc/>
    public ValueTask PublishThroughAsync(IssuerId issuer, long position) => inner.PublishThroughAsync(issuer, position);

    /// <inheritdoc/>
    public async ValueTask PublishAsync(IssuerId issuer, IReadOnlyList<JournalEntry> entries)
    {
        ArgumentNullException.ThrowIfNull(entries);
        await inner.PublishAsync(issuer, entries).ConfigureAwait(false);
        schedulers.Find(issuer)?.Announce(entries);
        foreach (JournalEntry entry in entries)
        {
            guard?.NoteRecorded(entry.ReceivedAt);
        }
    }
}
