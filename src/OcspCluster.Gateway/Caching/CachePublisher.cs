using OcspCluster.Authority;

namespace OcspCluster.Gateway;

/// <summary>Publishes to this process's own cache, where it is the only gateway: when it returns, no old answer is left.</summary>
public sealed class CachePublisher(ResponseCache cache) : IResponsePublisher
{
    /// <inheritdoc/>
    public ValueTask PublishAsync(IssuerId issuer, IReadOnlyList<JournalEntry> entries)
    {
        ArgumentNullException.ThrowIfNull(entries);
        foreach (JournalEntry entry in entries)
        {
            cache.Forget(issuer, entry.Event.Serial);
        }

        return ValueTask.CompletedTask;
    }
}
