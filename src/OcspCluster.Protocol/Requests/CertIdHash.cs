using System.Security.Cryptography;

namespace OcspCluster.Protocol;

/// <summary>Computes a hash over <paramref name="data"/> into <paramref name="destination"/>, which has the hash's length.</summary>
public delegate void HashFunction(ReadOnlySpan<byte> data, Span<byte> destination);

/// <summary>
/// A hash algorithm that names issuers in CertIDs (RFC 6960 §4.1.1, RFC 9919 §3.1.1). Immutable; two are equal when their OIDs are.
/// </summary>
/// <remarks>
/// .NET has no SHA-224. A program that needs it defines it with the function of a library that has:
/// <c>new CertIdHash("2.16.840.1.101.3.4.2.4", "SHA-224", 28, …)</c>; OcspCluster.BouncyCastle does.
/// </remarks>
public sealed class CertIdHash : IEquatable<CertIdHash>
{
    private readonly HashFunction _compute;

    /// <summary>Defines a hash algorithm.</summary>
    /// <param name="oid">Its OID in dotted form.</param>
    /// <param name="name">Its name, for people.</param>
    /// <param name="sizeInBytes">How long a hash is, in octets.</param>
    /// <param name="compute">Computes it; called concurrently.</param>
    public CertIdHash(string oid, string name, int sizeInBytes, HashFunction compute)
    {
        ArgumentException.ThrowIfNullOrEmpty(oid);
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(sizeInBytes);
        ArgumentNullException.ThrowIfNull(compute);
        (Oid, Name, SizeInBytes, _compute) = (oid, name, sizeInBytes, compute);
    }

    /// <summary>SHA-1: what most clients send, and safe here, where a collision gains nothing.</summary>
    public static CertIdHash Sha1 { get; } = new(Oids.Sha1, "SHA-1", SHA1.HashSizeInBytes, static (data, hash) => HashSha1(data, hash));

    /// <summary>SHA-256: what RFC 9919 §3.1.1 asks of clients.</summary>
    public static CertIdHash Sha256 { get; } = new(Oids.Sha256, "SHA-256", SHA256.HashSizeInBytes, static (data, hash) => SHA256.HashData(data, hash));

    /// <summary>SHA-384.</summary>
    public static CertIdHash Sha384 { get; } = new(Oids.Sha384, "SHA-384", SHA384.HashSizeInBytes, static (data, hash) => SHA384.HashData(data, hash));

    /// <summary>SHA-512.</summary>
    public static CertIdHash Sha512 { get; } = new(Oids.Sha512, "SHA-512", SHA512.HashSizeInBytes, static (data, hash) => SHA512.HashData(data, hash));

    /// <summary>The four that .NET computes.</summary>
    public static IReadOnlyList<CertIdHash> All { get; } = [Sha1, Sha256, Sha384, Sha512];

    /// <summary>The OID in dotted form.</summary>
    public string Oid { get; }

    /// <summary>The name, for people.</summary>
    public string Name { get; }

    /// <summary>How long a hash is, in octets.</summary>
    public int SizeInBytes { get; }

    /// <summary>Hashes.</summary>
    public byte[] Compute(ReadOnlySpan<byte> data)
    {
        byte[] hash = new byte[SizeInBytes];
        _compute(data, hash);
        return hash;
    }

    /// <summary>How long a hash of this algorithm is; null for an algorithm that CertIDs are not known to use.</summary>
    internal static int? SizeOf(string oid) => oid switch
    {
        Oids.Sha1 => 20,
        Oids.Sha224 => 28,
        Oids.Sha256 => 32,
        Oids.Sha384 => 48,
        Oids.Sha512 => 64,
        _ => null,
    };

    /// <inheritdoc/>
    public bool Equals(CertIdHash? other) => other is not null && Oid == other.Oid;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as CertIdHash);

    /// <inheritdoc/>
    public override int GetHashCode() => Oid.GetHashCode(StringComparison.Ordinal);

    /// <summary>The name.</summary>
    public override string ToString() => Name;

#pragma warning disable CA5350 // RFC 6960 §4.1.1 and §4.2.1 name issuers and responders by SHA-1; nothing here rests on its collision resistance.
    internal static void HashSha1(ReadOnlySpan<byte> data, Span<byte> destination) => SHA1.HashData(data, destination);
#pragma warning restore CA5350
}
