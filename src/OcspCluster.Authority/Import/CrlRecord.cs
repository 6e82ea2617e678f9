using System.Numerics;

namespace OcspCluster.Authority;

/// <summary>What was taken last of the CRLs of one issuer and one scope. Immutable.</summary>
public sealed record CrlRecord
{
    /// <summary>Which scope: empty for all certificates and reasons, else the first 16 hexadecimal digits of the hash of the issuingDistributionPoint.</summary>
    public required string Scope { get; init; }

    /// <summary>The number of the latest CRL, complete or delta, that was taken; null when it had none.</summary>
    public BigInteger? Number { get; init; }

    /// <summary>The number of the latest complete CRL; null when it had none.</summary>
    public BigInteger? CompleteNumber { get; init; }

    /// <summary>thisUpdate of the latest one.</summary>
    public required DateTimeOffset ThisUpdate { get; init; }

    /// <summary>nextUpdate of the latest one.</summary>
    public required DateTimeOffset NextUpdate { get; init; }

    /// <summary>The SHA-256 of the latest complete one.</summary>
    public Digest Complete { get; init; }

    /// <summary>The SHA-256 of the latest delta since that; zeros when there was none.</summary>
    public Digest Delta { get; init; }

    /// <summary>When it was taken, by the authority's clock.</summary>
    public required DateTimeOffset TakenAt { get; init; }
}

/// <summary>Keeps what was taken of an issuer's CRLs, on something that survives a restart. Thread-safe.</summary>
/// <remarks>Every method may throw <see cref="RevocationStoreException"/>.</remarks>
public interface ICrlRecords
{
    /// <summary>What was taken last of a scope; null when nothing was.</summary>
    ValueTask<CrlRecord?> FindAsync(IssuerId issuer, string scope, CancellationToken cancellationToken);

    /// <summary>Replaces it. Returns when it is on stable storage.</summary>
    ValueTask SaveAsync(IssuerId issuer, CrlRecord record);
}
