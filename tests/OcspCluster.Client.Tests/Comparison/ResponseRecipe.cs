using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using OcspCluster.Testing;

namespace OcspCluster.Client.Tests.Comparison;

/// <summary>All parts of a response, each of which a case may make wrong. Written octet by octet, by nothing of the code under test, and signed as it stands.</summary>
internal sealed record ResponseRecipe
{
    public required byte[] CertId { get; init; }

    /// <summary>certStatus, with its tag.</summary>
    public byte[] CertStatus { get; init; } = Good;

    public DateTimeOffset ThisUpdate { get; init; } = TestAuthority.Now.AddHours(-2);

    public DateTimeOffset? NextUpdate { get; init; } = TestAuthority.Now.AddDays(2);

    public DateTimeOffset ProducedAt { get; init; } = TestAuthority.Now.AddHours(-1);

    public RawExtension[] SingleExtensions { get; init; } = [];

    public RawExtension[] Extensions { get; init; } = [];

    /// <summary>SingleResponses before the one that counts.</summary>
    public byte[][] Before { get; init; } = [];

    /// <summary>SingleResponses after it.</summary>
    public byte[][] After { get; init; } = [];

    /// <summary>responderID, with its tag.</summary>
    public required byte[] ResponderId { get; init; }

    public required ECDsa Key { get; init; }

    public byte[][] Certificates { get; init; } = [];

    /// <summary>Before the version: what should not be there.</summary>
    public byte[] Version { get; init; } = [];

    public HashAlgorithmName Hash { get; init; } = HashAlgorithmName.SHA256;

    /// <summary>signatureAlgorithm; null: what the key and hash make.</summary>
    public byte[]? Algorithm { get; init; }

    public byte[] ResponseType { get; init; } = Der.Oid(OcspOids.Basic);

    public byte Status { get; init; }

    /// <summary>Changes tbsResponseData before it is signed.</summary>
    public Func<byte[], byte[]>? ChangeBeforeSigning { get; init; }

    /// <summary>Changes the signature.</summary>
    public Func<byte[], byte[]>? ChangeSignature { get; init; }

    public static byte[] Good => [0x80, 0x00];

    public static byte[] Unknown => [0x82, 0x00];

    public static byte[] Revoked(int? reason = null, DateTimeOffset? at = null) =>
        Der.Explicit(1, Time(at ?? TestAuthority.Now.AddDays(-3)), reason is int code ? Der.Explicit(0, Der.Tlv(0x0A, [(byte)code])) : []);

    public static byte[] Time(DateTimeOffset time) => Der.Text(0x18, time.UtcDateTime.ToString("yyyyMMddHHmmss'Z'", System.Globalization.CultureInfo.InvariantCulture));

    public static byte[] ByKey(X509Certificate2 certificate) => Der.Explicit(2, Der.OctetString(RawCertId.Hash(OcspOids.Sha1, certificate.PublicKey.EncodedKeyValue.RawData)));

    public static byte[] ByName(X509Certificate2 certificate) => Der.Explicit(1, certificate.SubjectName.RawData);

    public byte[] Single => SingleOf(CertId, CertStatus, ThisUpdate, NextUpdate, SingleExtensions);

    public static byte[] SingleOf(byte[] certId, byte[] status, DateTimeOffset thisUpdate, DateTimeOffset? nextUpdate, RawExtension[] extensions) => Der.Sequence(
        certId,
        status,
        Time(thisUpdate),
        nextUpdate is DateTimeOffset next ? Der.Explicit(0, Time(next)) : [],
        extensions.Length > 0 ? Der.Explicit(1, Der.Sequence([.. extensions.Select(extension => extension.Encode())])) : []);

    public byte[] Encode()
    {
        byte[] tbs = Der.Sequence(
            Version,
            ResponderId,
            Time(ProducedAt),
            Der.Sequence([.. Before, Single, .. After]),
            Extensions.Length > 0 ? Der.Explicit(1, Der.Sequence([.. Extensions.Select(extension => extension.Encode())])) : []);
        tbs = ChangeBeforeSigning?.Invoke(tbs) ?? tbs;
        byte[] signature = Key.SignData(tbs, Hash, DSASignatureFormat.Rfc3279DerSequence);
        signature = ChangeSignature?.Invoke(signature) ?? signature;
        byte[] basic = Der.Sequence(
            tbs,
            Algorithm ?? X509SignatureGenerator.CreateForECDsa(Key).GetSignatureAlgorithmIdentifier(Hash),
            Der.BitString(signature),
            Certificates.Length > 0 ? Der.Explicit(0, Der.Sequence(Certificates)) : []);
        return Der.Sequence(Der.Tlv(0x0A, [Status]), Der.Explicit(0, Der.Sequence(ResponseType, Der.OctetString(basic))));
    }
}
