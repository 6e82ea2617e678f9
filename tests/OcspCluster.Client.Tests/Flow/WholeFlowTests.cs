using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using OcspCluster.Protocol;

namespace OcspCluster.Client.Tests;

/// <summary>The whole way on loopback: a TLS server, its chain, AIA over HTTP, and real responders.</summary>
public sealed class WholeFlowTests
{
    [Theory]
    [InlineData(true, false, RevocationStatus.Good)]
    [InlineData(true, true, RevocationStatus.Revoked)]
    [InlineData(false, false, RevocationStatus.Good)]
    [InlineData(false, true, RevocationStatus.Revoked)]
    public async Task TlsServer_WithOrWithoutItsIntermediate_IsJudgedByOpenSslsResponder(bool sendsIntermediate, bool isRevoked, RevocationStatus status)
    {
        using TestAuthority root = TestAuthority.CreateRoot();
        using TestAuthority middle = root.IssueCa("Middle");
        await using OpenSslResponder responder = new(middle, middle.Certificate);
        using X509Certificate2 leaf = middle.Issue(new LeafProfile { Responders = [responder.Uri], Issuers = [responder.IssuerUri] });
        responder.Record(leaf, isRevoked);
        await using TlsServer server = sendsIntermediate ? new(leaf, middle.Certificate) : new(leaf);
        using OcspClient client = new(TestResponder.Options);

        ServerCertificates shown = await ServerCertificates.ReadAsync(await server.ConnectAsync(), "localhost");
        RevocationVerdict verdict = await client.CheckAsync(shown);

        Assert.Equal(leaf.RawData, shown.Certificate.RawData);
        Assert.Equal(status, verdict.Status);
        Assert.Equal(isRevoked ? RevocationReason.KeyCompromise : null, verdict.RevocationReason);
        Assert.Equal(ResponderAuthorization.Delegated, verdict.Evidence!.Authorization);
        Assert.Equal(sendsIntermediate ? 0 : 1, responder.Requests.Count(request => request.Target == "/ca.cer"));
        Assert.True(shown.AskedForStaple && shown.CanSeeStaple && shown.StapledResponse.IsEmpty);
    }

    [Theory]
    [InlineData("data/demo/good.pem", RevocationStatus.Good, null)]
    [InlineData("data/demo/revoked.pem", RevocationStatus.Revoked, RevocationReason.KeyCompromise)]
    [InlineData("data/demo/held.pem", RevocationStatus.Revoked, RevocationReason.CertificateHold)]
    [InlineData("data/demo/unissued.pem", RevocationStatus.CouldNotTell, null)]
    public async Task StandaloneHost_IsAskedByGetAndPostWithAndWithoutNonce(string file, RevocationStatus status, RevocationReason? reason)
    {
        StandaloneProcess host = await StandaloneProcess.SharedAsync();
        using X509Certificate2 ca = X509CertificateLoader.LoadCertificateFromFile(host.File("data/demo/ca.pem"));
        using X509Certificate2 leaf = X509CertificateLoader.LoadCertificateFromFile(host.File(file));
        foreach (OcspMethod method in new[] { OcspMethod.Automatic, OcspMethod.Post })
        {
            foreach (NonceUse nonce in new[] { NonceUse.None, NonceUse.Required })
            {
                using OcspClient client = new(TestResponder.Options with { PrivateAddresses = PrivateAddressRule.AllowGiven, Responders = [host.OcspUri], Method = method, Nonce = nonce });

                RevocationVerdict verdict = await client.CheckAsync(leaf, ca);

                Assert.Equal((status, reason), (verdict.Status, verdict.RevocationReason));
                Assert.Equal(nonce == NonceUse.Required, verdict.Evidence?.IsFresh ?? nonce == NonceUse.Required);
                if (status == RevocationStatus.CouldNotTell)
                {
                    Assert.Contains(verdict.Attempts, attempt => attempt.ResponderError == OcspResponseStatus.Unauthorized);
                }
            }
        }
    }

    [Theory]
    [InlineData(SslProtocols.Tls12, "good", RevocationStatus.Good, RevocationFailure.None)]
    [InlineData(SslProtocols.Tls12, "revoked", RevocationStatus.Revoked, RevocationFailure.None)]
    [InlineData(SslProtocols.Tls12, "forged", RevocationStatus.CouldNotTell, RevocationFailure.StapleRefused)]
    [InlineData(SslProtocols.Tls12, "none", RevocationStatus.CouldNotTell, RevocationFailure.StapleMissing)]
    [InlineData(SslProtocols.Tls13, "good", RevocationStatus.CouldNotTell, RevocationFailure.NoSource)]
    public async Task StapledResponse_OfOpenSslsServer_IsReadFromTheHandshake(SslProtocols protocol, string staple, RevocationStatus status, RevocationFailure failure)
    {
        using TestAuthority root = TestAuthority.CreateRoot();
        using TestAuthority impostor = TestAuthority.CreateRoot();
        using X509Certificate2 leaf = root.Issue(new LeafProfile { Extensions = [new X509Extension(TlsFeature.ExtensionOid, [0x30, 0x03, 0x02, 0x01, 0x05], critical: false)] });
        CertId asked = CertId.Create(leaf, root.Certificate);
        byte[]? response = staple switch
        {
            "good" => root.Respond(TestAuthority.Answer(asked, CertStatus.Good)),
            "revoked" => root.Respond(TestAuthority.Answer(asked, CertStatus.Revoked(TestAuthority.Now.AddDays(-1)))),
            "forged" => impostor.Respond(TestAuthority.Answer(asked, CertStatus.Good)),
            _ => null,
        };
        await using OpenSslServer server = await OpenSslServer.StartAsync(leaf, response);
        using OcspClient client = new(TestResponder.Options with { KnownIssuers = [root.Certificate] });

        ServerCertificates shown = await ServerCertificates.ReadAsync(await TlsServer.ConnectAsync(server.Port), "localhost", protocol);
        RevocationVerdict verdict = await client.CheckAsync(shown);

        Assert.Equal((status, failure), (verdict.Status, verdict.Failure));
        Assert.Equal(protocol == SslProtocols.Tls12, shown.CanSeeStaple);
        Assert.True(shown.AskedForStaple);
        if (status is RevocationStatus.Good or RevocationStatus.Revoked)
        {
            Assert.Equal(RevocationSource.Stapled, verdict.Evidence!.Source);
            Assert.Equal(response, verdict.Evidence.Answer.ToArray());
        }
    }

    [Fact]
    public async Task HandshakeStream_UnderAnSslStream_FeedsThePolicy()
    {
        using TestAuthority root = TestAuthority.CreateRoot();
        using X509Certificate2 leaf = root.Issue();
        await using OpenSslServer server = await OpenSslServer.StartAsync(leaf, root.Respond(TestAuthority.Answer(CertId.Create(leaf, root.Certificate), CertStatus.Good)));
        using OcspClient client = new(TestResponder.Options with { KnownIssuers = [root.Certificate] });
        HandshakeStream handshake = new(await TlsServer.ConnectAsync(server.Port));
        await using SslStream tls = new(handshake);
        ChainVerdict? verdict = null;
        X509ChainPolicy trust = new() { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        trust.CustomTrustStore.Add(root.Certificate);

        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "localhost", EnabledSslProtocols = SslProtocols.Tls12, CertificateChainPolicy = trust }
            .CheckRevocation(client, RevocationPolicy.HardFail, handshake, told => verdict = told));

        Assert.Equal(RevocationSource.Stapled, verdict!.Decisive.Evidence!.Source);
        Assert.True(tls.IsAuthenticated);
    }
}
