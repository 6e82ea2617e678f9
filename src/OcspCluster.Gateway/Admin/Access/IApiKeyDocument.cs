namespace OcspCluster.Gateway;

/// <summary>The API keys as they are kept: one document, which is replaced as a whole. Immutable.</summary>
/// <param name="Version">Another one for every other content.</param>
/// <param name="Content">JSON; null when there is none yet.</param>
public sealed record ApiKeyContent((long, long) Version, byte[]? Content);

/// <summary>Where the API keys of a host, or of several, are kept. Thread-safe. Every method may throw <see cref="ApiKeyStoreException"/>.</summary>
public interface IApiKeyDocument
{
    /// <summary>What it is called in messages, at the beginning of a sentence: <c>The file 'data/keys.json'</c>.</summary>
    string Name { get; }

    /// <summary>Reads it.</summary>
    ApiKeyContent Read();

    /// <summary>Reads it for a request: as it is now, so that a revoked key is refused from the next request on.</summary>
    /// <param name="known">What was read before; returned when it is still what is kept.</param>
    /// <param name="cancellationToken">Gives up.</param>
    ValueTask<ApiKeyContent> ReadAsync(ApiKeyContent? known, CancellationToken cancellationToken);

    /// <summary>Replaces it on stable storage. Nobody else's change is lost: <paramref name="change"/> may be called again with another's.</summary>
    void Change(Func<byte[]?, byte[]> change);
}
