using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using OcspCluster.Protocol;

namespace OcspCluster.Client.Tests;

/// <summary>What a verdict does to a connection of <see cref="HttpClient"/> and <see cref="SslStream"/>.</summary>
public sealed class PolicyTests
{
    [Theory]
    [InlineData("good", true, true)]
    [InlineData("revoked", false, false)]
    [InlineData("unknown", false, true)]
    [InlineData("no answer", false, true)]
    [InlineData("forged", false, false)]
    public async Task HttpClient_HardAndSoftFail_AcceptWhatTheyShould(string answer, bool hard, bool soft)
    {
        using TestAuthority root = TestAuthority.CreateRoot();
        using TestAuthority impostor = TestAuthority.CreateRoot();
        await using LoopbackServer responder = new(request =>
        {
            OcspRequest asked = OcspRequest.Decode(TestResponder.RequestIn(request));
            return answer switch
            {
                "good" => LoopbackReply.Ok(root.Respond(asked, CertStatus.Good)),
                "revoked" => LoopbackReply.Ok(root.Respond(asked, CertStatus.Revoked(TestAuthority.Now.AddDays(-1)))),
                "unknown" => LoopbackReply.Ok(root.Respond(asked, CertStatus.Unknown)),
                "forged" => LoopbackReply.Ok(impostor.Respond(asked, CertStatus.Good)),
                _ => LoopbackReply.Of(500),
            };
        });
        using X509Certificate2 leaf = root.Issue(new LeafProfile { Responders = [responder.Uri] });
        await using TlsServer server = new(leaf);
        using OcspClient client = new(TestResponder.Options);

        Assert.Equal(hard, await IsAcceptedAsync(RevocationPolicy.HardFail));
        Assert.Equal(soft, await IsAcceptedAsync(RevocationPolicy.SoftFail));

        async Task<bool> IsAcceptedAsync(RevocationPolicy policy)
        {
            List<ChainVerdict> verdicts = [];
            using SocketsHttpHandler sockets = new() { UseProxy = false };
            sockets.SslOptions.CertificateChainPolicy = Trust(root);
            sockets.CheckRevocation(client, policy, verdicts.Add);
            using HttpClientHandler classic = new() { UseProxy = false, ServerCertificateCustomValidationCallback = (_, _, _, errors) => (errors & ~SslPolicyErrors.RemoteCertificateChainErrors) == 0 };
            using OcspClient informed = new(client.Options with { KnownIssuers = [root.Certificate] }); // no root is in the chain that .NET built here
            classic.CheckRevocation(informed, policy, verdicts.Add);
            bool first = await TryGetAsync(sockets, server.Uri);
            Assert.Equal(first, await TryGetAsync(classic, server.Uri));
            Assert.Equal(2, verdicts.Count);
            return first;
        }
    }

    [Fact]
    public async Task Platform_ThatRefuses_IsNotOverruled()
    {
        await using TestResponder responder = new();
        using X509Certificate2 leaf = responder.Authority.Issue(new LeafProfile { Responders = [responder.Uri] });
        await using TlsServer server = new(leaf);
        using OcspClient client = new(TestResponder.Options with { KnownIssuers = [responder.Authority.Certificate] });
        using SocketsHttpHandler handler = new() { UseProxy = false };
        handler.CheckRevocation(client, RevocationPolicy.SoftFail); // the root is not trusted

        Assert.False(await TryGetAsync(handler, server.Uri));
        Assert.Empty(responder.Requests);
    }

    [Fact]
    public async Task Refusal_CarriesItsVerdict()
    {
        await using TestResponder responder = new(CertStatus.Revoked(TestAuthority.Now.AddDays(-1), RevocationReason.KeyCompromise));
        using X509Certificate2 leaf = responder.Authority.Issue(new LeafProfile { Responders = [responder.Uri] });
        await using TlsServer server = new(leaf);
        using OcspClient client = new(TestResponder.Options);
        using SocketsHttpHandler handler = new() { UseProxy = false };
        handler.SslOptions.CertificateChainPolicy = Trust(responder.Authority);
        handler.CheckRevocation(client);
        using HttpClient http = new(handler);

        HttpRequestException refused = await Assert.ThrowsAsync<HttpRequestException>(() => http.GetAsync(server.Uri));

        RevocationException reason = Assert.IsType<RevocationException>(refused.InnerException);
        Assert.Equal(RevocationReason.KeyCompromise, reason.Verdict!.RevocationReason);
        Assert.Contains("revoked since", reason.Message, StringComparison.Ordinal);
    }

    public static TheoryData<RevocationFailure, bool> Failures => new()
    {
        { RevocationFailure.NoSource, true },
        { RevocationFailure.TimedOut, true },
        { RevocationFailure.Unreachable, true },
        { RevocationFailure.AddressRefused, true },
        { RevocationFailure.ResponderError, true },
        { RevocationFailure.AnswerRefused, true },
        { RevocationFailure.AnswerForged, false },
        { RevocationFailure.StapleRefused, false },
        { RevocationFailure.StapleMissing, false },
        { RevocationFailure.NotIssuedByIssuer, false },
        { RevocationFailure.CertificateNotValid, false },
    };

    [Theory]
    [MemberData(nameof(Failures))]
    public void SoftFail_ByFailure_AndNeverForMustStaple(RevocationFailure failure, bool isAccepted)
    {
        using TestAuthority root = TestAuthority.CreateRoot();
        using X509Certificate2 leaf = root.Issue();
        using X509Certificate2 mustStaple = root.Issue(new LeafProfile { Extensions = [new X509Extension(TlsFeature.ExtensionOid, [0x30, 0x03, 0x02, 0x01, 0x05], critical: false)] });
        RevocationVerdict Verdict(X509Certificate2 certificate) => new() { Certificate = certificate, Status = RevocationStatus.CouldNotTell, Failure = failure, Message = "" };

        Assert.Equal(isAccepted, RevocationPolicy.SoftFail.Accepts(Verdict(leaf)));
        Assert.False(RevocationPolicy.SoftFail.Accepts(Verdict(mustStaple)));
        Assert.False(RevocationPolicy.HardFail.Accepts(Verdict(leaf)));
    }

    [Theory]
    [InlineData(new byte[] { 0x30, 0x03, 0x02, 0x01, 0x05 }, true)]
    [InlineData(new byte[] { 0x30, 0x06, 0x02, 0x01, 0x11, 0x02, 0x01, 0x05 }, true)]
    [InlineData(new byte[] { 0x30, 0x03, 0x02, 0x01, 0x11 }, false)]
    [InlineData(new byte[] { 0x30, 0x00 }, false)]
    [InlineData(new byte[] { 0x04, 0x00 }, true)]
    public void TlsFeature_IsRead(byte[] value, bool requiresStaple)
    {
        using TestAuthority root = TestAuthority.CreateRoot();
        using X509Certificate2 leaf = root.Issue(new LeafProfile { Extensions = [new X509Extension(TlsFeature.ExtensionOid, value, critical: false)] });
        using X509Certificate2 plain = root.Issue();

        Assert.Equal(requiresStaple, TlsFeature.RequiresStaple(leaf));
        Assert.False(TlsFeature.RequiresStaple(plain));
    }

    private static X509ChainPolicy Trust(TestAuthority root)
    {
        X509ChainPolicy policy = new() { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
        policy.CustomTrustStore.Add(root.Certificate);
        return policy;
    }

    private static async Task<bool> TryGetAsync(HttpMessageHandler handler, Uri uri)
    {
        using HttpClient http = new(handler, disposeHandler: false);
        try
        {
            return await http.GetStringAsync(uri) == "hello";
        }
        catch (HttpRequestException e) when (e.HttpRequestError == HttpRequestError.SecureConnectionError)
        {
            return false;
        }
    }
}
