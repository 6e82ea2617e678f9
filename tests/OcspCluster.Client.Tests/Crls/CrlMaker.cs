using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using OcspCluster.Testing;

namespace OcspCluster.Client.Tests;

/// <summary>An entry of a CRL of the tests.</summary>
internal sealed record CrlEntry(byte[] Serial, int? Reason = null, DateTimeOffset? At = null);

/// <summary>A CRL of the tests, written octet by octet and signed as it stands (RFC 5280 §5.1).</summary>
internal sealed record CrlMaker
{
    public required TestAuthority Authority { get; init; }

    /// <summary>Who signs, when it is not the authority.</summary>
    public TestAuthority? SignedBy { get; init; }

    public CrlEntry[] Entries { get; init; } = [];

    public DateTimeOffset ThisUpdate { get; init; } = TestAuthority.Now.AddHours(-1);

    public DateTimeOffset? NextUpdate { get; init; } = TestAuthority.Now.AddDays(1);

    public int? Number { get; init; } = 10;

    /// <summary>The number of the complete CRL that a delta continues.</summary>
    public int? Base { get; init; }

    /// <summary>The content of issuingDistributionPoint.</summary>
    public byte[]? Scope { get; init; }

    public Uri[] Freshest { get; init; } = [];

    public RawExtension[] Extensions { get; init; } = [];

    public static byte[] FullName(Uri uri) => Der.Explicit(0, Der.Explicit(0, Der.Tlv(0x86, System.Text.Encoding.ASCII.GetBytes(uri.OriginalString))));

    public static byte[] Points(params Uri[] uris) => Der.Sequence([.. uris.Select(uri => Der.Sequence(FullName(uri)))]);

    /// <summary>The cRLDistributionPoints of a certificate: points of one address each, unless the content is given.</summary>
    public static X509Extension PointsExtension(params Uri[] uris) => new("2.5.29.31", Points(uris), critical: false);

    public byte[] Encode()
    {
        RawExtension[] extensions =
        [
            .. Number is int number ? [new RawExtension("2.5.29.20", Der.Number((byte)number))] : Array.Empty<RawExtension>(),
            .. Base is int baseNumber ? [new RawExtension("2.5.29.27", Der.Number((byte)baseNumber), Critical: true)] : Array.Empty<RawExtension>(),
            .. Scope is not null ? [new RawExtension("2.5.29.28", Der.Sequence(Scope), Critical: true)] : Array.Empty<RawExtension>(),
            .. Freshest.Length > 0 ? [new RawExtension("2.5.29.46", Points(Freshest))] : Array.Empty<RawExtension>(),
            .. Extensions,
        ];
        byte[] algorithm = Der.Sequence(Der.Oid(OcspOids.EcdsaWithSha256));
        byte[] tbs = Der.Sequence(
            Der.Number(1),
            algorithm,
            Authority.Certificate.SubjectName.RawData,
            Time(ThisUpdate),
            NextUpdate is DateTimeOffset next ? Time(next) : [],
            Entries.Length > 0 ? Der.Sequence([.. Entries.Select(Encode)]) : [],
            extensions.Length > 0 ? Der.Explicit(0, Der.Sequence([.. extensions.Select(extension => extension.Encode())])) : []);
        byte[] signature = (SignedBy ?? Authority).Key.SignData(tbs, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
        return Der.Sequence(tbs, algorithm, Der.BitString(signature));
    }

    private static byte[] Encode(CrlEntry entry) => Der.Sequence(
        Der.Number(entry.Serial),
        Time(entry.At ?? TestAuthority.Now.AddDays(-2)),
        entry.Reason is int reason ? Der.Sequence(new RawExtension(OcspOids.ReasonCode, Der.Tlv(0x0A, [(byte)reason])).Encode()) : []);

    private static byte[] Time(DateTimeOffset time) => Der.Text(0x17, time.UtcDateTime.ToString("yyMMddHHmmss'Z'", System.Globalization.CultureInfo.InvariantCulture));
}
