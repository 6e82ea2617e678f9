using OcspCluster.Authority;
using OcspCluster.Conformance;
using OcspCluster.Protocol;
using OcspCluster.Testing;

namespace OcspCluster.Gateway.Tests;

/// <summary>Which of several credentials signs, and that its answers are cached: P-256 is the default, RSA-2048 and P-384 are at hand.</summary>
public sealed class PreferredSignatureTests
{
    private const string Ecdsa256 = OcspOids.EcdsaWithSha256;
    private const string Ecdsa384 = "1.2.840.10045.4.3.3";
    private const string Rsa256 = OcspOids.Sha256WithRsa;

    private static readonly DateTimeOffset s_revokedAt = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly TestCertificate[] s_others = [Issuers.AlphaByRsa, Issuers.AlphaByP384];

    [Theory]
    [InlineData(Ecdsa256)]
    [InlineData(Ecdsa256, Ecdsa256, Rsa256)]
    [InlineData(Rsa256, Rsa256, Ecdsa256)]
    [InlineData(Ecdsa384, Ecdsa384)]
    [InlineData(Rsa256, "1.2.3.4.5", OcspOids.Sha512WithRsa, Rsa256)]
    [InlineData(Ecdsa256, OcspOids.Sha1WithRsa, OcspOids.Md5WithRsa)]
    [InlineData(Rsa256, OcspOids.Sha1WithRsa, Rsa256)]
    public async Task Answer_IsSignedByTheFirstPreferenceThatIsMet(string expected, params string[] preferred)
    {
        ResponderUnderTest test = Start();
        byte[] request = preferred.Length == 0 ? ResponderUnderTest.Ask(ResponderUnderTest.Serial) : ResponderUnderTest.AskPreferring(preferred);
        Assert.Equal(expected, await AlgorithmAsync(test, request));
        Assert.Equal(expected, await AlgorithmAsync(test, request));
        Assert.Equal(1, test.Signers.Sum(signer => signer.Signatures));
    }

    [Fact]
    public async Task Answers_OfEveryPreference_AreCachedOnceEach()
    {
        ResponderUnderTest test = Start();
        byte[][] requests = [ResponderUnderTest.AskPreferring(Ecdsa256), ResponderUnderTest.Ask(ResponderUnderTest.Serial), ResponderUnderTest.AskPreferring(Rsa256), ResponderUnderTest.AskPreferring(Ecdsa384)];
        for (int round = 0; round < 3; round++)
        {
            foreach (byte[] request in requests)
            {
                Assert.Equal(OcspOutcome.Answered, (await test.AnswerAsync(request)).Outcome);
            }
        }

        Assert.Equal([1, 1, 1], test.Signers.Select(signer => signer.Signatures));
        Assert.Equal(1, test.Cache.Count);
    }

    [Fact]
    public async Task Forget_DropsTheAnswersOfEverySigner()
    {
        ResponderUnderTest test = Start();
        byte[][] requests = [ResponderUnderTest.Ask(ResponderUnderTest.Serial), ResponderUnderTest.AskPreferring(Rsa256), ResponderUnderTest.AskPreferring(Ecdsa384)];
        foreach (byte[] request in requests)
        {
            Assert.Equal(CertStatus.Good, await test.StatusAsync(request));
        }

        test.Source.Find = _ => CertificateStatus.RevokedAt(s_revokedAt) with { HoldsFor = Timeout.InfiniteTimeSpan };
        test.Cache.Forget(ResponderUnderTest.Id, ResponderUnderTest.Serial);
        Assert.Equal(0, test.Cache.Bytes);
        foreach (byte[] request in requests)
        {
            Assert.Equal(CertStatus.Revoked(s_revokedAt), await test.StatusAsync(request));
        }
    }

    [Fact]
    public async Task Answer_Refreshed_ReplacesTheOldOne()
    {
        ResponderUnderTest test = Start();
        byte[] preferring = ResponderUnderTest.AskPreferring(Rsa256);
        await test.AnswerAsync();
        await test.AnswerAsync(preferring);
        long bytes = test.Cache.Bytes;
        test.Clock.Advance(IssuerPolicy.Default.Validity * 0.6);
        await test.AnswerAsync();
        await test.AnswerAsync(preferring);
        Assert.InRange(test.Cache.Bytes, bytes, bytes + 2048); // what was replaced is cleared away when it is more than a kilobyte
        Assert.Equal(2, test.Cache.Find(ResponderUnderTest.Id, ResponderUnderTest.Serial).Count);
        Assert.Equal([2, 2, 0], test.Signers.Select(signer => signer.Signatures));
    }

    [Fact]
    public async Task Answer_WithNonce_IsSignedAsPreferred()
    {
        ResponderUnderTest test = Start();
        byte[] request = new OcspRequestBuilder().Add(CertId.Create(Issuers.Alpha.Certificate, ResponderUnderTest.Serial)).AddNonce().AddExtension(ResponderUnderTest.Preferring(Rsa256)).Build().Encoded.ToArray();
        Assert.Equal(Rsa256, await AlgorithmAsync(test, request));
        test.Signers[1].IsDown = true;
        Assert.Equal(Ecdsa256, await AlgorithmAsync(test, request));
    }

    [Fact]
    public async Task PreferredSigner_Down_DefaultSigns()
    {
        ResponderUnderTest test = Start();
        test.Signers[1].IsDown = true;
        Assert.Equal(Ecdsa256, await AlgorithmAsync(test, ResponderUnderTest.AskPreferring(Rsa256)));
    }

    [Fact]
    public async Task DefaultSigner_Failing_NextOneSigns_UntilItIsBack()
    {
        ResponderUnderTest test = Start(new SignerLimits { FailuresToRest = 2, Rest = TimeSpan.FromSeconds(5) });
        test.Signer.IsDown = true;
        byte[] request = ResponderUnderTest.AskWithNonce(ResponderUnderTest.Serial);
        Assert.Equal(OcspOutcome.SignerFailing, (await test.AnswerAsync(request)).Outcome);
        Assert.Equal(OcspOutcome.SignerFailing, (await test.AnswerAsync(request)).Outcome);
        Assert.Equal(Rsa256, await AlgorithmAsync(test, request));

        test.Signer.IsDown = false;
        Assert.Equal(Rsa256, await AlgorithmAsync(test, request));
        test.Clock.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(Ecdsa256, await AlgorithmAsync(test, request));
    }

    private static ResponderUnderTest Start(SignerLimits? limits = null)
    {
        ResponderUnderTest test = new(others: s_others, limits: limits);
        test.Source.Find = _ => CertificateStatus.Good with { HoldsFor = Timeout.InfiniteTimeSpan };
        return test;
    }

    private static async Task<string> AlgorithmAsync(ResponderUnderTest test, byte[] request) =>
        OcspResponse.Decode((await test.AnswerAsync(request)).Body).Basic!.SignatureAlgorithm.Oid;
}
