using System.Security.Cryptography.X509Certificates;
using OcspCluster.Protocol;

namespace OcspCluster.Client.Tests;

/// <summary>From a certificate to a verdict, over HTTP on loopback.</summary>
public sealed class OcspClientTests
{
    [Fact]
    public async Task Check_GoodAnswer_IsGoodWithItsEvidence()
    {
        await using TestResponder responder = new();

        RevocationVerdict verdict = await responder.CheckAsync();

        Assert.Equal(RevocationStatus.Good, verdict.Status);
        Assert.Equal(RevocationFailure.None, verdict.Failure);
        Assert.Equal(responder.Uri, verdict.Evidence!.Uri);
        Assert.Equal(RevocationSource.Ocsp, verdict.Evidence.Source);
        Assert.Equal(ResponderAuthorization.Issuer, verdict.Evidence.Authorization);
        Assert.Equal(responder.Authority.Certificate, verdict.Evidence.Signer);
        Assert.True(OcspVerifier.Verify(verdict.Evidence.Answer, CertId.Create(responder.Leaf, responder.Authority.Certificate), responder.Authority.Certificate).IsVerified);
        Assert.Equal("GET", Assert.Single(responder.Requests).Method);
    }

    [Fact]
    public async Task Check_RevokedAnswer_TellsTimeAndReason()
    {
        DateTimeOffset since = new(2026, 5, 4, 3, 2, 1, TimeSpan.Zero);
        await using TestResponder responder = new(CertStatus.Revoked(since, RevocationReason.KeyCompromise));

        RevocationVerdict verdict = await responder.CheckAsync();

        Assert.Equal(RevocationStatus.Revoked, verdict.Status);
        Assert.Equal(since, verdict.RevocationTime);
        Assert.Equal(RevocationReason.KeyCompromise, verdict.RevocationReason);
    }

    [Fact]
    public async Task Check_UnknownAnswer_IsAskedAgainByTheNextHash()
    {
        await using TestResponder responder = new(CertStatus.Unknown);

        RevocationVerdict verdict = await responder.CheckAsync();

        Assert.Equal(RevocationStatus.Unknown, verdict.Status);
        Assert.Equal(
            [CertIdHash.Sha1.Oid, CertIdHash.Sha256.Oid],
            responder.Requests.Select(request => OcspRequest.Decode(TestResponder.RequestIn(request)).Requests[0].CertId.HashAlgorithm.Oid));
    }

    [Fact]
    public async Task Check_CertificateOfAnotherIssuer_AsksNobody()
    {
        await using TestResponder responder = new();
        using TestAuthority other = TestAuthority.CreateRoot(); // the same name, another key
        using OcspClient client = new(TestResponder.Options);

        RevocationVerdict verdict = await client.CheckAsync(responder.Leaf, other.Certificate);

        Assert.Equal(RevocationFailure.NotIssuedByIssuer, verdict.Failure);
        Assert.Empty(responder.Requests);
    }

    [Theory]
    [InlineData(false, RevocationStatus.CouldNotTell, RevocationFailure.CertificateNotValid, 0)]
    [InlineData(true, RevocationStatus.Good, RevocationFailure.None, 1)]
    public async Task Check_ExpiredCertificate_IsAskedAboutOnlyWhenTold(bool asks, RevocationStatus status, RevocationFailure failure, int requests)
    {
        await using TestResponder responder = new();
        using X509Certificate2 expired = responder.Authority.Issue(new LeafProfile { Responders = [responder.Uri], NotAfter = TestAuthority.Now.AddDays(-1) });
        using OcspClient client = new(TestResponder.Options with { AskAboutExpired = asks });

        RevocationVerdict verdict = await client.CheckAsync(expired, responder.Authority.Certificate);

        Assert.Equal((status, failure), (verdict.Status, verdict.Failure));
        Assert.Equal(requests, responder.Requests.Length);
    }

    [Fact]
    public async Task Check_NoSource_SaysSo()
    {
        using TestAuthority authority = TestAuthority.CreateRoot();
        using X509Certificate2 leaf = authority.Issue();
        using OcspClient client = new(TestResponder.Options);

        RevocationVerdict verdict = await client.CheckAsync(leaf, authority.Certificate);

        Assert.Equal((RevocationStatus.CouldNotTell, RevocationFailure.NoSource), (verdict.Status, verdict.Failure));
        Assert.Null(verdict.Evidence);
    }
}
