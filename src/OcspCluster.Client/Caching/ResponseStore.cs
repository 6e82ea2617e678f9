namespace OcspCluster.Client;

/// <summary>An answer as it is kept: the bytes, and for how long. Immutable.</summary>
public sealed record StoredResponse
{
    /// <summary>The DER of an OCSP response or CRL.</summary>
    public required ReadOnlyMemory<byte> Body { get; init; }

    /// <summary>Until when it is used without asking: max-age or Expires, and never past nextUpdate (RFC 9919 §7.1).</summary>
    public required DateTimeOffset FreshUntil { get; init; }

    /// <summary>Until when it may be used when nobody answers: nextUpdate.</summary>
    public required DateTimeOffset UsableUntil { get; init; }

    /// <summary>The server's validator, quoted; null when it gave none.</summary>
    public string? ETag { get; init; }
}

/// <summary>
/// Where a client keeps answers: in memory, on disk, or in what you derive from this. A store needs no protection from others: what comes out of it is
/// verified as if it came from the network, every time. Implementations are thread-safe, and forget what they like; what they throw ends the check.
/// </summary>
public abstract class ResponseStore
{
    /// <summary>Finds what was kept under a key, 64 hexadecimal digits; null when there is nothing.</summary>
    public abstract ValueTask<StoredResponse?> FindAsync(string key, CancellationToken cancellationToken);

    /// <summary>Keeps an answer in place of an older one.</summary>
    public abstract ValueTask SaveAsync(string key, StoredResponse response, CancellationToken cancellationToken);
}
