using System.Net;
using System.Net.Sockets;
using OcspCluster.Testing;
using static OcspCluster.Conformance.Questions;

namespace OcspCluster.Conformance;

/// <summary>Extensions of requests other than the nonce's own rules (R20–R22, R30–R34).</summary>
public abstract class ExtensionContract(SharedHosts shared) : ResponderContract(shared)
{
    private static readonly RawExtension s_unknown = new("1.2.3.4.5.6", [0x01, 0x02, 0x03]);

    public static TheoryData<string, string> CriticalOnes => new()
    {
        { OcspOids.Nonce, Convert.ToHexString(Der.OctetString(new byte[16])) },
        { OcspOids.PreferredSignatureAlgorithms, Convert.ToHexString(Preferences(OcspOids.EcdsaWithSha256)) },
        { OcspOids.AcceptableResponses, Convert.ToHexString(Der.Sequence(Der.Oid(OcspOids.Basic))) },
    };

    [Fact]
    public async Task R20_UnknownExtension_NotCritical_IgnoredAndNotEchoed()
    {
        IResponderHost host = await DefaultAsync();
        RawOcspRequest plain = AskAlpha(Known.Good);
        foreach (RawOcspRequest request in new[]
        {
            plain.With(s_unknown),
            plain.With(s_unknown with { WritesFalse = true }),
            plain.With(s_unknown, new RawExtension("1.2.3.4.5.7", [])),
            plain with { Requests = [new RawSingleRequest(AlphaId(Known.Good).Encode(), [s_unknown])] },
        })
        {
            RawOcspResponse answer = (await host.AskAsync(request)).MustAnswer(Issuers.Alpha, AlphaId(Known.Good));
            Assert.Null(answer.Extensions);
            Assert.Null(answer.Singles[0].Extensions);
        }
    }

    [Fact]
    public async Task R21_UnknownExtension_Critical_MalformedRequest()
    {
        IResponderHost host = await DefaultAsync();
        RawExtension critical = s_unknown with { Critical = true };
        await host.MustRefuseAsync([
            ("request", AskAlpha(Known.Good).With(critical).Encode()),
            ("request, after a nonce", AskAlpha(Known.Good).WithNonce(new byte[16]).With(critical).Encode()),
            ("single", new RawOcspRequest { Requests = [new RawSingleRequest(AlphaId(Known.Good).Encode(), [critical])] }.Encode()),
            ("second single", new RawOcspRequest { Requests = [new RawSingleRequest(AlphaId(Known.Good).Encode()), new RawSingleRequest(AlphaId(Known.Held).Encode(), [critical])] }.Encode()),
        ]);
        byte[] get = AskAlpha(Known.Good).With(critical).Encode();
        (await host.GetAsync("/" + GetTarget.Escaped(get))).Ocsp().MustBe(MalformedRequest);
    }

    [Theory]
    [MemberData(nameof(CriticalOnes))]
    public async Task R22_KnownExtension_Critical_ProcessedAsIfNot(string oid, string value)
    {
        IResponderHost host = await DefaultAsync();
        RawOcspRequest request = AskAlpha(Known.Good).With(new RawExtension(oid, Convert.FromHexString(value), Critical: true));
        RawOcspResponse answer = (await host.AskAsync(request)).MustAnswer(Issuers.Alpha, AlphaId(Known.Good));
        Assert.All(answer.Extensions ?? [], extension => Assert.False(extension.Critical));
        Assert.Equal(oid == OcspOids.Nonce, answer.Nonce is not null);
    }

    [Fact]
    public async Task R30_AcceptableResponses_WithBasic_BasicAnswer()
    {
        IResponderHost host = await DefaultAsync();
        foreach (byte[] types in new[] { Der.Sequence(Der.Oid(OcspOids.Basic)), Der.Sequence(Der.Oid("1.2.3.4"), Der.Oid(OcspOids.Basic)) })
        {
            (await host.AskAsync(AskAlpha(Known.Good).With(new RawExtension(OcspOids.AcceptableResponses, types)))).MustAnswer(Issuers.Alpha, AlphaId(Known.Good));
        }
    }

    [Fact]
    public async Task R31_AcceptableResponses_WithoutBasic_BasicAnswerAnyway()
    {
        IResponderHost host = await DefaultAsync();
        RawExtension others = new(OcspOids.AcceptableResponses, Der.Sequence(Der.Oid("1.2.3.4")));
        (await host.AskAsync(AskAlpha(Known.Good).With(others))).MustAnswer(Issuers.Alpha, AlphaId(Known.Good));
    }

    [Fact]
    public async Task R31_AcceptableResponses_Undecodable_MalformedRequest()
    {
        IResponderHost host = await DefaultAsync();
        await host.MustRefuseAsync(new (string Name, byte[] Value)[]
        {
            ("no octets", []),
            ("an OID alone", Der.Oid(OcspOids.Basic)),
            ("a list of numbers", Der.Sequence(Der.Number(0x01))),
            ("octets after it", Der.Concat(Der.Sequence(Der.Oid(OcspOids.Basic)), Der.Null)),
            ("cut short", [0x30, 0x05, 0x06]),
        }.Select(one => (one.Name, AskAlpha(Known.Good).With(new RawExtension(OcspOids.AcceptableResponses, one.Value)).Encode())));
    }

    [Fact]
    public async Task R32_PreferredSignatureAlgorithms_OneKey_AnswerVerifiesWhateverIsPreferred()
    {
        IResponderHost host = await DefaultAsync();
        foreach (IssuerSetup issuer in Issuers.All.Issuers)
        {
            RawCertId asked = RawCertId.For(issuer.Certificate, Known.Good);
            foreach (byte[] value in new[] { Preferences(OcspOids.Sha512WithRsa, OcspOids.EcdsaWithSha512), Preferences(OcspOids.EcdsaWithSha256, OcspOids.Sha256WithRsa), Preferences(OcspOids.RsaPss) })
            {
                (await host.AskAsync(RawOcspRequest.For(asked).With(new RawExtension(OcspOids.PreferredSignatureAlgorithms, value)))).MustAnswer(issuer, asked);
            }
        }
    }

    [Fact]
    public async Task R32_PreferredSignatureAlgorithms_SeveralKeys_FirstThatIsMetSigns()
    {
        (IResponderHost host, IssuerSetup byDefault, IssuerSetup byRsa, IssuerSetup byP384) = await SeveralKeysAsync();
        foreach ((IssuerSetup signer, byte[] value) in new[]
        {
            (byRsa, Preferences(OcspOids.Sha256WithRsa)),
            (byRsa, Preferences(OcspOids.Sha256WithRsa, OcspOids.EcdsaWithSha256)),
            (byRsa, Preferences("1.2.3.4.5", OcspOids.Sha1WithRsa, OcspOids.Sha512WithRsa, OcspOids.Sha256WithRsa)),
            (byDefault, Preferences(OcspOids.EcdsaWithSha256, OcspOids.Sha256WithRsa)),
            (byP384, Preferences("1.2.840.10045.4.3.3", OcspOids.Sha256WithRsa)),
            (byP384, Preferences([("1.2.840.10045.4.3.3", Der.Sequence(Der.Oid("1.2.840.10045.2.1"), Der.Oid("1.3.132.0.34")))])), // a key on that curve
            (byRsa, Preferences([("1.2.840.10045.4.3.3", Der.Sequence(Der.Oid("1.2.840.10045.2.1"), Der.Oid("1.3.132.0.35"))), (OcspOids.Sha256WithRsa, null)])), // there is none on that one
        })
        {
            RawOcspRequest request = AskAlpha(Known.Good).With(new RawExtension(OcspOids.PreferredSignatureAlgorithms, value));
            RawOcspResponse first = (await host.AskAsync(request)).MustAnswer(signer, AlphaId(Known.Good));
            Assert.Equal(first.Encoded, (await host.AskAsync(request)).MustAnswer(signer, AlphaId(Known.Good)).Encoded); // from the cache
            (await host.GetAsync(request)).Ocsp().MustAnswer(signer, AlphaId(Known.Good));
            byte[] nonce = [.. Enumerable.Repeat((byte)0x5A, 16)];
            Assert.Equal(nonce, (await host.AskAsync(request.WithNonce(nonce))).MustAnswer(signer, AlphaId(Known.Good)).Nonce);
        }

        (await host.AskAsync(AskAlpha(Known.Good))).MustAnswer(byDefault, AlphaId(Known.Good));
    }

    [Fact]
    public async Task R33_PreferredSignatureAlgorithms_SeveralKeys_OnlyWeakOrUnknown_DefaultKey()
    {
        (IResponderHost host, IssuerSetup byDefault, _, _) = await SeveralKeysAsync();
        byte[] plain = (await host.AskAsync(AskAlpha(Known.Good))).MustAnswer(byDefault, AlphaId(Known.Good)).Encoded;
        foreach (byte[] value in new[] { Preferences(OcspOids.Sha1WithRsa, OcspOids.Md5WithRsa, "1.2.840.10045.4.1"), Preferences("1.2.3.4.5") })
        {
            RawOcspResponse answer = await host.AskAsync(AskAlpha(Known.Good).With(new RawExtension(OcspOids.PreferredSignatureAlgorithms, value)));
            Assert.Equal(plain, answer.MustAnswer(byDefault, AlphaId(Known.Good)).Encoded);
        }
    }

    [Fact]
    public async Task R33_PreferredSignatureAlgorithms_OnlyWeakOrUnknown_DefaultStrongAlgorithm()
    {
        IResponderHost host = await DefaultAsync();
        foreach (IssuerSetup issuer in Issuers.All.Issuers)
        {
            RawCertId asked = RawCertId.For(issuer.Certificate, Known.Good);
            RawOcspResponse plain = (await host.AskAsync(RawOcspRequest.For(asked))).MustAnswer(issuer, asked);
            foreach (byte[] value in new[] { Preferences(OcspOids.Sha1WithRsa, OcspOids.Md5WithRsa), Preferences("1.2.840.10045.4.1"), Preferences("1.2.3.4.5") })
            {
                RawOcspResponse answer = await host.AskAsync(RawOcspRequest.For(asked).With(new RawExtension(OcspOids.PreferredSignatureAlgorithms, value)));
                Assert.Equal(plain.SignatureAlgorithm, answer.MustAnswer(issuer, asked).SignatureAlgorithm);
            }
        }
    }

    [Fact]
    public async Task R34_ServiceLocator_IgnoredAndItsUrlNeverFetched()
    {
        IResponderHost host = await DefaultAsync();
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        int port = ((IPEndPoint)listener.LocalEndpoint).Port;

        // ServiceLocator ::= SEQUENCE { issuer Name, locator AuthorityInfoAccessSyntax OPTIONAL }
        byte[] locator = Der.Sequence(
            Issuers.Alpha.Certificate.SubjectName.RawData,
            Der.Sequence(Der.Sequence(Der.Oid("1.3.6.1.5.5.7.48.1"), Der.Text(0x86, $"http://127.0.0.1:{port}/"))));
        RawSingleRequest single = new(AlphaId(Known.Good).Encode(), [new RawExtension(OcspOids.ServiceLocator, locator)]);
        (await host.AskAsync(new RawOcspRequest { Requests = [single] })).MustAnswer(Issuers.Alpha, AlphaId(Known.Good));
        Assert.False(listener.Pending(), "The responder connected to the service locator's URL.");
    }

    // PreferredSignatureAlgorithms ::= SEQUENCE OF PreferredSignatureAlgorithm { sigIdentifier AlgorithmIdentifier, pubKeyAlgIdentifier OPTIONAL }
    private static byte[] Preferences(params IEnumerable<string> oids) => Preferences(oids.Select(oid => (oid, (byte[]?)null)));

    private static byte[] Preferences(IEnumerable<(string Signature, byte[]? Key)> preferences) =>
        Der.Sequence([.. preferences.Select(preference => Der.Sequence([Der.Sequence(Der.Oid(preference.Signature)), .. preference.Key is null ? [] : new[] { preference.Key }]))]);

    private async Task<(IResponderHost Host, IssuerSetup ByDefault, IssuerSetup ByRsa, IssuerSetup ByP384)> SeveralKeysAsync()
    {
        IssuerSetup alpha = Issuers.Alpha with { OtherResponders = [Issuers.AlphaByRsa, Issuers.AlphaByP384] };
        IResponderHost host = await SharedAsync("several keys", ResponderSetup.Of(alpha).With(("Ocsp:NonceSignaturesPerSecond", "1000000")));
        return (host, alpha, alpha with { Responder = Issuers.AlphaByRsa }, alpha with { Responder = Issuers.AlphaByP384 });
    }
}
