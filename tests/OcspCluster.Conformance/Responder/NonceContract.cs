using System.Security.Cryptography;
using OcspCluster.Testing;
using static OcspCluster.Conformance.Questions;

namespace OcspCluster.Conformance;

/// <summary>Nonces (RFC 9654; rules R23–R29, D12, D14, R62).</summary>
public abstract class NonceContract(SharedHosts shared) : ResponderContract(shared)
{
    [Fact]
    public async Task R23_Nonce_EchoedOctetForOctetAndNotCritical()
    {
        IResponderHost host = await DefaultAsync();
        foreach (IssuerSetup issuer in Issuers.All.Issuers)
        {
            byte[] nonce = RandomNumberGenerator.GetBytes(32);
            RawCertId asked = RawCertId.For(issuer.Certificate, Known.Revoked);
            RawOcspResponse answer = (await host.AskAsync(RawOcspRequest.For(asked).WithNonce(nonce))).MustAnswer(issuer, asked);
            RawExtension echoed = Assert.Single(answer.Extensions!);
            Assert.Equal(OcspOids.Nonce, echoed.Oid);
            Assert.Equal(Der.OctetString(nonce), echoed.Value);
            Assert.False(echoed.Critical);
        }
    }

    [Theory]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(23)]
    [InlineData(31)]
    [InlineData(32)]
    public async Task R24_NonceOf16To32Octets_EchoedUnderAFreshSignature(int length)
    {
        IResponderHost host = await DefaultAsync();
        RawOcspResponse first = await AskWithNonceAsync(host, length);
        RawOcspResponse second = await AskWithNonceAsync(host, length);
        Assert.NotEqual(first.Nonce, second.Nonce);
        Assert.NotEqual(first.Signature, second.Signature);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(15)]
    [InlineData(33)]
    [InlineData(64)]
    [InlineData(127)]
    [InlineData(128)]
    public async Task R25_NonceOf1To128Octets_Echoed(int length) => await AskWithNonceAsync(await DefaultAsync(), length);

    [Theory]
    [InlineData(0)]
    [InlineData(129)]
    [InlineData(255)]
    [InlineData(1000)]
    public async Task R26_NonceOf0OrOver128Octets_MalformedRequest(int length)
    {
        byte[] body = AskAlpha(Known.Good).WithNonce(new byte[length]).Encode();
        await (await DefaultAsync()).MustRefuseAsync([("echoing", body)]);
        await (await IgnoringAsync()).MustRefuseAsync([("ignoring", body)]);
    }

    [Fact]
    public async Task R26_NonceMaxBytes32_LongerOnesAreMalformed()
    {
        IResponderHost host = await OwnAsync(Issuers.AlphaWith(("NonceMaxBytes", "32")));
        await AskWithNonceAsync(host, 32);
        await host.MustRefuseAsync([("33 octets", AskAlpha(Known.Good).WithNonce(new byte[33]).Encode())]);
    }

    [Theory]
    [InlineData("AABBCCDDEEFF00112233445566778899")]
    [InlineData("01")]
    [InlineData("0205060708090A")]
    public async Task R27_RawNonce_MalformedRequestByDefault(string value)
    {
        IResponderHost host = await DefaultAsync();
        await host.MustRefuseAsync([(value, AskAlpha(Known.Good).With(new RawExtension(OcspOids.Nonce, Convert.FromHexString(value))).Encode())]);
    }

    [Fact]
    public async Task R27_RawNonce_Accepted_EchoedVerbatimUpTo128Octets()
    {
        IResponderHost host = await SharedAsync("raw", Issuers.AlphaWith(("AcceptRawNonce", "true")));
        foreach (byte[] value in new byte[][] { [0xAA], [0xAA, .. RandomNumberGenerator.GetBytes(15)], [0xAA, .. RandomNumberGenerator.GetBytes(127)] })
        {
            RawExtension raw = new(OcspOids.Nonce, value);
            RawOcspResponse answer = (await host.AskAsync(AskAlpha(Known.Good).With(raw))).MustAnswer(Issuers.Alpha, AlphaId(Known.Good));
            Assert.Equal(value, Assert.Single(answer.Extensions!).Value);
        }

        await host.MustRefuseAsync([
            ("no octets", AskAlpha(Known.Good).With(new RawExtension(OcspOids.Nonce, [])).Encode()),
            ("129 octets", AskAlpha(Known.Good).With(new RawExtension(OcspOids.Nonce, [0xAA, .. new byte[128]])).Encode()),
        ]);
        await AskWithNonceAsync(host, 32);
    }

    [Fact]
    public async Task R28_NoncesIgnored_AnswerWithoutNonce()
    {
        IResponderHost host = await IgnoringAsync();
        RawOcspResponse answer = await host.AskAsync(AskAlpha(Known.Good).WithNonce(RandomNumberGenerator.GetBytes(32)));
        Assert.Null(answer.MustAnswer(Issuers.Alpha, AlphaId(Known.Good)).Extensions);
    }

    [Fact]
    public async Task R29_NoNonceAsked_NoResponseExtensions()
    {
        IResponderHost host = await DefaultAsync();
        Assert.Null((await host.AskAsync(AskAlpha(Known.Good))).MustAnswer(Issuers.Alpha, AlphaId(Known.Good)).Extensions);
    }

    [Fact]
    public async Task R29_NonceAmongSingleRequestExtensions_Ignored()
    {
        IResponderHost host = await DefaultAsync();
        RawSingleRequest single = new(AlphaId(Known.Good).Encode(), [RawExtension.Nonce(new byte[16])]);
        RawOcspResponse answer = (await host.AskAsync(new RawOcspRequest { Requests = [single] })).MustAnswer(Issuers.Alpha, AlphaId(Known.Good));
        Assert.Null(answer.Extensions);
        Assert.Null(answer.Singles[0].Extensions);
    }

    [Fact]
    public async Task R29_UnnoncedAnswerAfterANoncedOne_HasNoNonce()
    {
        IResponderHost host = await DefaultAsync();
        RawOcspResponse before = await host.AskAsync(AskAlpha(Known.Held));
        await host.AskAsync(AskAlpha(Known.Held).WithNonce(new byte[16]));
        RawOcspResponse after = await host.AskAsync(AskAlpha(Known.Held));
        Assert.Null(after.Extensions);
        Assert.Equal(before.Encoded, after.Encoded);
    }

    [Fact]
    public async Task R61_NonceRequired_MissingIsUnauthorized_PresentIsEchoed()
    {
        IResponderHost host = await OwnAsync(Issuers.AlphaWith(("Nonce", "Require")));
        (await host.AskAsync(AskAlpha(Known.Good))).MustBe(Unauthorized);
        await AskWithNonceAsync(host, 32);
    }

    [Fact]
    public async Task R62_NonceBudgetSpent_TryLater_AndPlainRequestsAreAnswered()
    {
        IResponderHost host = await OwnAsync(ResponderSetup.Of(Issuers.Alpha).With(("Ocsp:NonceSignaturesPerSecond", "2")));
        byte[][] requests = [.. Enumerable.Range(0, 200).Select(i => AskAlpha(Known.Good).WithNonce([.. RandomNumberGenerator.GetBytes(15), (byte)i]).Encode())];
        RawOcspResponse[] answers = [.. (await host.PostAllAsync(requests)).Select(response => response.Ocsp())];

        Assert.NotNull(answers[0].Nonce);
        Assert.All(answers, answer => Assert.True(answer.Status is Successful or TryLater, $"responseStatus {answer.Status}"));
        Assert.All(answers, answer => Assert.Equal(answer.Status == Successful, answer.Nonce is not null)); // never an answer without the nonce that was asked for
        Assert.Contains(answers, answer => answer.Status == TryLater);
        (await host.AskAsync(AskAlpha(Known.Good))).MustAnswer(Issuers.Alpha, AlphaId(Known.Good));
    }

    [Fact]
    public async Task D12_NonceTwice_MalformedRequest()
    {
        IResponderHost host = await DefaultAsync();
        await host.MustRefuseAsync([
            ("the same", AskAlpha(Known.Good).WithNonce(new byte[16]).WithNonce(new byte[16]).Encode()),
            ("another", AskAlpha(Known.Good).WithNonce(new byte[16]).WithNonce([1, .. new byte[16]]).Encode()),
        ]);
    }

    [Fact]
    public async Task D14_NonceValue_NotOneOctetString_MalformedRequest()
    {
        (string Name, byte[] Body)[] cases =
        [
            .. new (string Name, byte[] Value)[]
            {
                ("no octets", []),
                ("04 00", [0x04, 0x00]),
                ("04 alone", [0x04]),
                ("length too long", [0x04, 0x11, .. new byte[16]]),
                ("length too short", [0x04, 0x0F, .. new byte[16]]),
                ("octets after it", [.. Der.OctetString(new byte[16]), 0x00]),
                ("a SEQUENCE", Der.Sequence(Der.OctetString(new byte[16]))),
                ("an INTEGER", Der.Number(new byte[16])),
                ("constructed", [0x24, 0x12, .. Der.OctetString(new byte[16])]),
                ("indefinite", [0x24, 0x80, .. Der.OctetString(new byte[16]), 0x00, 0x00]),
                ("long-form length", [0x04, 0x81, 0x10, .. new byte[16]]),
            }.Select(one => (one.Name, AskAlpha(Known.Good).With(new RawExtension(OcspOids.Nonce, one.Value)).Encode())),
        ];
        await (await DefaultAsync()).MustRefuseAsync(cases);
        await (await IgnoringAsync()).MustRefuseAsync(cases);
    }

    private Task<IResponderHost> IgnoringAsync() => SharedAsync("ignoring", Issuers.AlphaWith(("Nonce", "Ignore")));

    private static async Task<RawOcspResponse> AskWithNonceAsync(IResponderHost host, int length)
    {
        byte[] nonce = RandomNumberGenerator.GetBytes(length);
        RawOcspResponse answer = (await host.AskAsync(AskAlpha(Known.Good).WithNonce(nonce))).MustAnswer(Issuers.Alpha, AlphaId(Known.Good));
        Assert.Equal(nonce, answer.Nonce);
        return answer;
    }
}
