using System.Globalization;
using System.Security.Cryptography.X509Certificates;

namespace OcspCluster.Testing;

/// <summary>An entry of a CRL: the serial's octets, the revocation date as it is written, and the extensions.</summary>
public sealed record RawCrlEntry(byte[] Serial, DateTimeOffset Date, params IReadOnlyList<RawExtension> Extensions)
{
    /// <summary>An entry with a reasonCode.</summary>
    public static RawCrlEntry WithReason(byte[] serial, DateTimeOffset date, byte reason) => new(serial, date, RawCrl.Reason(reason));
}

/// <summary>A CRL octet by octet, sound or broken, signed by a test's key (CertificateList, RFC 5280 §5.1).</summary>
public sealed record RawCrl(TestPki Pki)
{
    /// <summary>The version's INTEGER; null for none (v1).</summary>
    public int? Version { get; init; } = 1;

    /// <summary>The issuer's name; null for the CA's.</summary>
    public X500DistinguishedName? Issuer { get; init; }

    /// <summary>thisUpdate.</summary>
    public DateTimeOffset ThisUpdate { get; init; } = new(2026, 6, 15, 6, 0, 0, TimeSpan.Zero);

    /// <summary>nextUpdate; null for none.</summary>
    public DateTimeOffset? NextUpdate { get; init; } = new(2026, 6, 22, 6, 0, 0, TimeSpan.Zero);

    /// <summary>The CRL number; null for none.</summary>
    public int? Number { get; init; } = 1;

    /// <summary>The number of a delta's base; null for a complete CRL.</summary>
    public int? BaseNumber { get; init; }

    /// <summary>The content of an issuingDistributionPoint; null for none.</summary>
    public byte[]? Scope { get; init; }

    /// <summary>Further extensions.</summary>
    public IReadOnlyList<RawExtension> Extensions { get; init; } = [];

    /// <summary>The entries.</summary>
    public IEnumerable<RawCrlEntry> Entries { get; init; } = [];

    /// <summary>What stands for the entries instead; null for the entries.</summary>
    public byte[]? RawEntries { get; init; }

    /// <summary>Who signs instead of the CA.</summary>
    public TestKey? Signer { get; init; }

    /// <summary>A reasonCode.</summary>
    public static RawExtension Reason(byte reason) => new("2.5.29.21", [0x0A, 0x01, reason]);

    /// <summary>An invalidityDate.</summary>
    public static RawExtension InvalidityDate(DateTimeOffset date) => new("2.5.29.24", Der.Text(0x18, date.UtcDateTime.ToString("yyyyMMddHHmmss'Z'", CultureInfo.InvariantCulture)));

    /// <summary>A time as RFC 5280 §5.1.2.4 has it: UTCTime to 2049.</summary>
    public static byte[] Time(DateTimeOffset time) => time.UtcDateTime.Year < 2050
        ? Der.Text(0x17, time.UtcDateTime.ToString("yyMMddHHmmss'Z'", CultureInfo.InvariantCulture))
        : Der.Text(0x18, time.UtcDateTime.ToString("yyyyMMddHHmmss'Z'", CultureInfo.InvariantCulture));

    /// <summary>The DER.</summary>
    public byte[] Encode()
    {
        TestKey key = Signer ?? Pki.Ca.Key;
        byte[] tbs = Der.Sequence(
            Version is int version ? Der.Number((byte)version) : [],
            key.SignatureAlgorithm,
            (Issuer ?? Pki.Certificate.SubjectName).RawData,
            Time(ThisUpdate),
            NextUpdate is { } next ? Time(next) : [],
            RawEntries ?? EncodeEntries(),
            EncodeExtensions());
        return Der.Sequence(tbs, key.SignatureAlgorithm, Der.BitString(key.Sign(tbs)));
    }

    private byte[] EncodeEntries()
    {
        byte[][] entries = [.. Entries.Select(entry => Der.Sequence(
            Der.Number(entry.Serial), Time(entry.Date), entry.Extensions.Count == 0 ? [] : Der.Sequence([.. entry.Extensions.Select(extension => extension.Encode())])))];
        return entries.Length == 0 ? [] : Der.Sequence(entries);
    }

    private byte[] EncodeExtensions()
    {
        List<byte[]> extensions = [.. Extensions.Select(extension => extension.Encode())];
        if (Number is int number)
        {
            extensions.Add(new RawExtension("2.5.29.20", Integer(number)).Encode());
        }

        if (BaseNumber is int baseNumber)
        {
            extensions.Add(new RawExtension("2.5.29.27", Integer(baseNumber), Critical: true).Encode());
        }

        if (Scope is not null)
        {
            extensions.Add(new RawExtension("2.5.29.28", Der.Sequence(Scope), Critical: true).Encode());
        }

        return extensions.Count == 0 ? [] : Der.Explicit(0, Der.Sequence([.. extensions]));
    }

    private static byte[] Integer(int value) => Der.Number(new System.Numerics.BigInteger(value).ToByteArray(isBigEndian: true));
}
