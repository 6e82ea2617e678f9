using OcspCluster.Authority;

namespace OcspCluster.Standalone.Storage;

/// <summary>Whether the store can be read now.</summary>
internal static class StoreHealth
{
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(2);

    /// <summary>What keeps it from being read, in words; empty when it is read.</summary>
    public static async Task<IReadOnlyList<string>> FindNotReadyAsync(IRevocationStore store, IssuerId issuer, CancellationToken cancellationToken)
    {
        using CancellationTokenSource late = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        late.CancelAfter(s_timeout);
        try
        {
            _ = await store.GetPositionAsync(issuer, late.Token).ConfigureAwait(false);
            return [];
        }
        catch (Exception e) when (e is RevocationStoreException or ObjectDisposedException)
        {
            return [$"store: {e.Message}"];
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return [$"store: a read took more than {s_timeout.TotalSeconds} seconds"];
        }
    }
}
