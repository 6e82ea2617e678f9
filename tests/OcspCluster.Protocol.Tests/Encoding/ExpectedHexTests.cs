using System.Formats.Asn1;
using System.Globalization;
using System.Security.Cryptography;

namespace OcspCluster.Protocol.Tests;

/// <summary>Each encoder against the exact octets that an independent implementation wrote for the same inputs (Fixtures/expected-hex.tsv).</summary>
public class ExpectedHexTests
{
    private static readonly Dictionary<string, string> s_hex = File.ReadAllLines(Fixture.PathOf("expected-hex.tsv"))
        .Select(line => line.Split('\t'))
        .ToDictionary(columns => columns[0], columns => columns[1]);

    private static readonly DateTimeOffset s_producedAt = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset s_thisUpdate = new(2026, 3, 1, 11, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset s_nextUpdate = new(2026, 3, 8, 11, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset s_revokedAt = new(2026, 2, 15, 8, 30, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset s_crlTime = new(2026, 2, 28, 0, 0, 0, TimeSpan.Zero);
    private static readonly byte[] s_nonce = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];

    public static TheoryData<string> Names(string prefix) => [.. s_hex.Keys.Where(name => name.StartsWith(prefix + " ", StringComparison.Ordinal))];

    [Theory]
    [MemberData(nameof(Names), "CertID")]
    public void CertId_OfCertificateAndIssuer_HasExpectedOctets(string name)
    {
        string[] words = name.Split(' ');
        using var certificate = Fixture.Certificate(words[1]);

        CertId certId = CertId.Create(certificate, Fixture.Ca, Hash(words[2]), nullParameters: words[3] == "null");

        AssertHex(name, certId.Encoded);
        Assert.Equal(certId, CertId.Decode(certId.Encoded));
    }

    [Theory]
    [MemberData(nameof(Names), "GeneralName")]
    public void GeneralName_OfEachForm_HasExpectedOctets(string name)
    {
        GeneralName generalName = name.Split(' ')[1] switch
        {
            "rfc822Name" => GeneralName.FromRfc822Name("who@example"),
            "dNSName" => GeneralName.FromDnsName("client.example"),
            "uniformResourceIdentifier" => GeneralName.FromUri("https://client.example/"),
            "directoryName" => GeneralName.FromDirectoryName(Fixture.Ca.SubjectName),
            _ => GeneralName.Decode(Convert.FromHexString(s_hex[name])),
        };

        AssertHex(name, generalName.Encoded);
    }

    [Theory]
    [MemberData(nameof(Names), "Extension")]
    public void Extension_OfEachKind_HasExpectedOctets(string name)
    {
        OcspExtension extension = name["Extension ".Length..] switch
        {
            "nonce" => OcspNonce.Create(s_nonce).ToExtension(),
            "acceptable-responses" => AcceptableResponses.Create(AcceptableResponses.Basic),
            "preferred-signature-algorithms" => PreferredSignatureAlgorithm.CreateExtension(
                new PreferredSignatureAlgorithm(new AlgorithmIdentifier("1.2.840.10045.4.3.2")),
                new PreferredSignatureAlgorithm(AlgorithmIdentifier.WithNull("1.2.840.113549.1.1.11"), AlgorithmIdentifier.WithNull("1.2.840.113549.1.1.1"))),
            "service-locator" => new ServiceLocator(
                Fixture.Ca.SubjectName,
                Convert.FromHexString("3022302006082B060105050730018614" + Convert.ToHexString("http://ocsp.example/"u8))).ToExtension(),
            "extended-revoke" => ResponseExtensions.ExtendedRevoke,
            "unknown critical" => new OcspExtension("1.3.6.1.4.1.99999.1", new byte[] { 5, 0 }, critical: true),
            "crl-id" => new CrlReference("http://crl.example/ca.crl", 0xFF01, s_crlTime).ToExtension(),
            "crl-id-url" => new CrlReference(Url: "http://crl.example/ca.crl").ToExtension(),
            "crl-id-number" => new CrlReference(Number: 0xFF01).ToExtension(),
            "crl-id-time" => new CrlReference(Time: s_crlTime).ToExtension(),
            "crl-id-empty" => new CrlReference().ToExtension(),
            "archive-cutoff" => ArchiveCutoff(),
            "invalidity-date" => ResponseExtensions.InvalidityDate(new DateTimeOffset(2026, 2, 1, 0, 0, 0, TimeSpan.Zero)),
            "crl-reason" => ResponseExtensions.CrlReason(RevocationReason.KeyCompromise),
            "certificate-issuer" => ResponseExtensions.CertificateIssuer(GeneralName.FromDirectoryName(Fixture.Ca.SubjectName)),
            _ => throw new ArgumentOutOfRangeException(nameof(name), name, "No case builds this extension."),
        };

        AssertHex(name, Write(extension.Write));
    }

    [Theory]
    [MemberData(nameof(Names), "SingleResponse")]
    public void SingleResponse_OfEachStatus_HasExpectedOctets(string name)
    {
        SingleResponse single = name.Split(' ')[1..] switch
        {
            ["good"] => Single(CertStatus.Good),
            ["good", "no-next-update"] => new SingleResponse(Asked(), CertStatus.Good, s_thisUpdate),
            ["unknown"] => Single(CertStatus.Unknown),
            ["revoked"] => Single(CertStatus.Revoked(s_revokedAt)),
            ["revoked", var reason] => Single(CertStatus.Revoked(s_revokedAt, (RevocationReason)int.Parse(reason, CultureInfo.InvariantCulture))),
            ["archive-cutoff"] => new SingleResponse(Asked(), CertStatus.Good, s_thisUpdate, s_nextUpdate, new OcspExtensionCollection([ArchiveCutoff()])),
            _ => throw new ArgumentOutOfRangeException(nameof(name), name, "No case builds this SingleResponse."),
        };

        AssertHex(name, Write(single));
    }

    [Fact]
    public void Revoked_Unspecified_IsWrittenWithoutReason() =>
        AssertHex("SingleResponse revoked", Write(Single(CertStatus.Revoked(s_revokedAt, RevocationReason.Unspecified))));

    [Fact]
    public void Times_WithFractions_AreCutNotRounded()
    {
        TimeSpan almostASecond = TimeSpan.FromMilliseconds(999);
        SingleResponse single = new(Asked(), CertStatus.Revoked(s_revokedAt + almostASecond), s_thisUpdate + almostASecond, s_nextUpdate + almostASecond);

        AssertHex("SingleResponse revoked", Write(single));
    }

    [Fact]
    public void Times_WithOffset_AreWrittenInUtc()
    {
        TimeSpan offset = TimeSpan.FromHours(5.5);
        SingleResponse single = new(Asked(), CertStatus.Revoked(s_revokedAt.ToOffset(offset)), s_thisUpdate.ToOffset(offset), s_nextUpdate.ToOffset(offset));

        AssertHex("SingleResponse revoked", Write(single));
    }

    [Theory]
    [MemberData(nameof(Names), "ResponseData")]
    public void ResponseData_OfEachForm_HasExpectedOctets(string name)
    {
        using var responder = Fixture.Certificate("responder-p256");
        ResponderId responderId = name.EndsWith("by-name", StringComparison.Ordinal) ? ResponderId.ByName(responder) : ResponderId.ByKey(responder);
        OcspExtensionCollection? extensions = name.EndsWith("nonce", StringComparison.Ordinal) ? new OcspExtensionCollection([OcspNonce.Create(s_nonce).ToExtension()]) : null;

        AssertHex(name, new ResponseData(responderId, s_producedAt, [Single(CertStatus.Good)], extensions).Encoded);
    }

    [Theory]
    [MemberData(nameof(Names), "AlgorithmIdentifier")]
    public void SignatureAlgorithm_OfEachKey_HasCanonicalParameters(string name)
    {
        string[] words = name.Split(' ');
        using var certificate = Fixture.CertificateWithKey("responder-" + words[1]);
        using OcspSigner signer = OcspSigner.FromCertificate(certificate, new HashAlgorithmName(words[2].ToUpperInvariant()), usePss: words is [.., "pss"]);

        AssertHex(name, Write(signer.Algorithm.Write));
    }

    private static CertId Asked() => CertId.Create(Fixture.Ca, SerialNumber.ParseHex("1001"));

    private static SingleResponse Single(CertStatus status) => new(Asked(), status, s_thisUpdate, s_nextUpdate);

    private static OcspExtension ArchiveCutoff() => ResponseExtensions.ArchiveCutoff(new DateTimeOffset(2019, 3, 1, 12, 0, 0, TimeSpan.Zero));

    private static CertIdHash Hash(string name) => name switch
    {
        "sha1" => CertIdHash.Sha1,
        "sha224" => Sha224OfCa(),
        "sha256" => CertIdHash.Sha256,
        "sha384" => CertIdHash.Sha384,
        "sha512" => CertIdHash.Sha512,
        _ => throw new ArgumentOutOfRangeException(nameof(name), name, "No such hash."),
    };

    // .NET has no SHA-224: this one knows the two hashes that the fixtures' maker computed, and so shows the hook.
    private static CertIdHash Sha224OfCa() => new("2.16.840.1.101.3.4.2.4", "SHA-224", 28, static (data, hash) =>
    {
        string field = data.SequenceEqual(Fixture.Ca.SubjectName.RawData) ? "issuerNameHash" : "issuerKeyHash";
        string hex = Fixture.Get("requests/ok-sha224-null.der").Facts!.Value.GetProperty("requests")[0].GetProperty(field).GetString()!;
        Convert.FromHexString(hex).CopyTo(hash);
    });

    private static byte[] Write(SingleResponse single)
    {
        DerBackWriter writer = new(new byte[single.MaxEncodedBytes]);
        single.Write(ref writer);
        return writer.Written.ToArray();
    }

    private static byte[] Write(Action<AsnWriter> write)
    {
        AsnWriter writer = new(AsnEncodingRules.DER);
        write(writer);
        return writer.Encode();
    }

    private static void AssertHex(string name, ReadOnlyMemory<byte> actual) => Assert.Equal(s_hex[name], Fixture.Hex(actual));
}
