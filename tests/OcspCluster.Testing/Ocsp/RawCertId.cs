using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace OcspCluster.Testing;

/// <summary>A CertID of any content, right or wrong (RFC 6960 §4.1.1).</summary>
public sealed record RawCertId
{
    /// <summary>The hash algorithm, dotted.</summary>
    public required string HashOid { get; init; }

    /// <summary>The algorithm's parameters as a whole TLV; null: absent. By default NULL, as most clients send.</summary>
    public byte[]? Parameters { get; init; } = Der.Null;

    /// <summary>issuerNameHash.</summary>
    public required byte[] NameHash { get; init; }

    /// <summary>issuerKeyHash.</summary>
    public required byte[] KeyHash { get; init; }

    /// <summary>The content octets of serialNumber, minimal or not.</summary>
    public required byte[] Serial { get; init; }

    /// <summary>The right CertID of a serial of this issuer; SHA-1 unless told, as nearly all clients send.</summary>
    public static RawCertId For(X509Certificate2 issuer, byte[] serial, string hashOid = OcspOids.Sha1) => new()
    {
        HashOid = hashOid,
        NameHash = Hash(hashOid, issuer.SubjectName.RawData),
        KeyHash = Hash(hashOid, issuer.PublicKey.EncodedKeyValue.RawData),
        Serial = serial,
    };

    /// <summary>A digest by the OID of its algorithm.</summary>
    public static byte[] Hash(string oid, byte[] data) => oid switch
    {
#pragma warning disable CA5350 // CertIDs and key hashes are SHA-1 by RFC 6960: a name for a key, not a proof.
        OcspOids.Sha1 => SHA1.HashData(data),
#pragma warning restore CA5350
        OcspOids.Sha256 => SHA256.HashData(data),
        OcspOids.Sha384 => SHA384.HashData(data),
        OcspOids.Sha512 => SHA512.HashData(data),
        _ => throw new ArgumentException($"No such digest here: {oid}.", nameof(oid)),
    };

    /// <summary>The octets.</summary>
    public byte[] Encode() => Der.Sequence(
        Der.Sequence(Der.Oid(HashOid), Parameters ?? []),
        Der.OctetString(NameHash),
        Der.OctetString(KeyHash),
        Der.Number(Serial));
}
