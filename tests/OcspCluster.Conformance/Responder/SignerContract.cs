using OcspCluster.Testing;
using static OcspCluster.Conformance.Questions;

namespace OcspCluster.Conformance;

/// <summary>Who may sign, and what happens when nobody may (rules R51, R55–R58, R61).</summary>
public abstract class SignerContract(SharedHosts shared) : ResponderContract(shared)
{
    [Fact]
    public async Task R51_ResponderId_AfterAChangeOfSigner_DenotesTheNewOne()
    {
        TestCertificate second = Issuers.AlphaCa.IssueResponder("Alpha's second responder", TestKey.Rsa());
        foreach (IssuerSetup issuer in new[] { Issuers.Alpha, Issuers.Alpha with { Responder = second } })
        {
            IResponderHost host = await OwnAsync(ResponderSetup.Of(issuer));
            (await host.AskAsync(AskAlpha(Known.Good))).MustAnswer(issuer, AlphaId(Known.Good));
            (await host.AskAsync(AskAlpha(Known.Good))).MustAnswer(issuer, AlphaId(Known.Good));
        }
    }

    [Fact]
    public Task R55_Delegate_WithoutOcspSigning_RefusedAtStart() =>
        MustNotStartAsync(Issuers.AlphaCa.IssueResponder("No EKU", TestKey.P256(), new ResponderProfile { HasOcspSigning = false }));

    [Fact]
    public Task R55_Delegate_OfAnotherCa_RefusedAtStart() => MustNotStartAsync(Issuers.Stranger.IssueResponder("Of a stranger", TestKey.P256()));

    [Fact]
    public Task R55_Delegate_OfTheSameNameUnderAnotherKey_RefusedAtStart() =>
        MustNotStartAsync(Issuers.AlphaRekeyedCa.IssueResponder("Of the other key", TestKey.P256()));

    [Fact]
    public Task R55_Delegate_OfASubordinateCa_RefusedAtStart() =>
        MustNotStartAsync(Issuers.AlphaCa.IssueCa("Sub CA", TestKey.P256()).IssueResponder("Grandchild", TestKey.P256()));

    [Fact]
    public Task R55_Delegate_WithAnotherKey_RefusedAtStart() =>
        MustNotStartAsync(Issuers.Alpha.Responder with { Key = TestKey.P256() }, namesIssuer: false);

    [Fact]
    public Task R55_Delegate_WithAKeyOfAnotherKind_RefusedAtStart() =>
        MustNotStartAsync(Issuers.Alpha.Responder with { Key = TestKey.Rsa() }, namesIssuer: false);

    [Fact]
    public async Task R56_Delegate_WithoutNoCheck_StartsInTheFullProfile()
    {
        IssuerSetup alpha = Issuers.Alpha with { Responder = Issuers.AlphaCa.IssueResponder("No nocheck", TestKey.P256(), new ResponderProfile { HasNoCheck = false }) };
        IResponderHost host = await OwnAsync(ResponderSetup.Of(alpha));
        (await host.AskAsync(AskAlpha(Known.Good))).MustAnswer(alpha, AlphaId(Known.Good));
    }

    [Fact]
    public Task R57_Delegate_Expired_RefusedAtStart() => MustNotStartAsync(Issuers.AlphaCa.IssueResponder(
        "Expired", TestKey.P256(), new ResponderProfile { NotAfter = new TestClock().GetUtcNow().AddDays(-1) }));

    [Fact]
    public Task R57_Delegate_NotYetValid_RefusedAtStart() => MustNotStartAsync(Issuers.AlphaCa.IssueResponder(
        "Not yet", TestKey.P256(), new ResponderProfile { NotBefore = new TestClock().GetUtcNow().AddDays(1) }));

    [Fact]
    public Task R57_Delegate_EndingBeforeTheFirstNextUpdate_RefusedAtStart() => MustNotStartAsync(Issuers.AlphaCa.IssueResponder(
        "Two days left", TestKey.P256(), new ResponderProfile { NotAfter = new TestClock().GetUtcNow().AddDays(2) }));

    [Fact]
    public async Task R57_Delegate_ExpiresWhileRunning_InternalErrorNeverAnAnswer()
    {
        TestClock clock = new();
        TestCertificate responder = Issuers.AlphaCa.IssueResponder("Five days", TestKey.P256(), new ResponderProfile { NotAfter = clock.GetUtcNow().AddDays(5) });
        IResponderHost host = await OwnAsync(ResponderSetup.Of(Issuers.Alpha with { Responder = responder }, Issuers.Beta), clock);
        (await host.AskAsync(AskAlpha(Known.Good))).MustBe(Successful);
        clock.Advance(TimeSpan.FromDays(6));

        foreach (RawOcspRequest request in new[] { AskAlpha(Known.Good), AskAlpha(Known.Revoked), AskAlpha(Known.Good).WithNonce(new byte[16]) })
        {
            (await host.AskAsync(request)).MustBe(InternalError);
        }

        (await host.GetAsync(AskAlpha(Known.Good))).Ocsp().MustBe(InternalError);

        // One issuer without a signer does not take the other with it.
        RawCertId beta = RawCertId.For(Issuers.Beta.Certificate, Known.Good);
        (await host.AskAsync(RawOcspRequest.For(beta))).MustAnswer(Issuers.Beta, beta);
    }

    [Fact]
    public async Task R58_RekeyedCa_KeyHashChoosesTheSigner()
    {
        IResponderHost host = await DefaultAsync();
        Assert.Equal(Issuers.Alpha.Certificate.SubjectName.RawData, Issuers.AlphaRekeyed.Certificate.SubjectName.RawData);
        foreach (IssuerSetup issuer in new[] { Issuers.Alpha, Issuers.AlphaRekeyed })
        {
            foreach (string hash in new[] { OcspOids.Sha1, OcspOids.Sha256 })
            {
                RawCertId asked = RawCertId.For(issuer.Certificate, Known.Good, hash);
                (await host.AskAsync(RawOcspRequest.For(asked))).MustAnswer(issuer, asked);
                (await host.GetAsync(RawOcspRequest.For(asked))).Ocsp().MustAnswer(issuer, asked);
            }
        }
    }

    [Theory]
    [InlineData(KeyFileKind.EncryptedPem)]
    [InlineData(KeyFileKind.Pfx)]
    public async Task R55_SignerFiles_EncryptedPemAndPfx_AreRead(KeyFileKind kind)
    {
        ResponderSetup setup = ResponderSetup.Of(Issuers.Alpha with { KeyFile = kind }, Issuers.Beta with { KeyFile = kind }, Issuers.Gamma with { KeyFile = kind }, Issuers.Delta with { KeyFile = kind });
        IResponderHost host = await OwnAsync(setup);
        foreach (IssuerSetup issuer in setup.Issuers)
        {
            RawCertId asked = RawCertId.For(issuer.Certificate, Known.Good);
            (await host.AskAsync(RawOcspRequest.For(asked))).MustAnswer(issuer, asked);
        }
    }

    // A key that is not the certificate's fails as early as .NET joins the two, in a program of somebody else's before our code knows the issuer.
    private async Task MustNotStartAsync(TestCertificate responder, bool namesIssuer = true)
    {
        ResponderSetup setup = ResponderSetup.Of(Issuers.Alpha with { Responder = responder });
        Exception refusal = await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            await using IResponderHost host = await StartAsync(setup, new TestClock());
        });
        if (namesIssuer)
        {
            Assert.Contains(Issuers.Alpha.Id, refusal.Message, StringComparison.Ordinal);
        }
    }
}
