using System.Security.Cryptography.X509Certificates;
using OcspCluster.Client.Tests;
using OcspCluster.Protocol;

namespace OcspCluster.Cli.Tests;

/// <summary>The whole way with the tool: this project's host, fed by <c>ocspctl issue</c> and <c>revoke</c>, behind <c>ocspctl check</c> and <c>query</c> of a TLS server whose certificates its CA issued.</summary>
public sealed class WholeFlowTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Server_OfTheHostsCa_IsGoodUntilItIsRevoked(bool sendsIssuer)
    {
        using TestAuthority root = TestAuthority.CreateRoot();
        using TestAuthority middle = root.IssueCa("Middle");
        await using RunningHost host = await RunningHost.StartForAsync("middle", middle);
        await using LoopbackServer issuers = new(_ => LoopbackReply.Ok(middle.Certificate.RawData, "application/pkix-cert"));
        using X509Certificate2 leaf = middle.Issue(new LeafProfile { Responders = [host.Ocsp], Issuers = [new Uri(issuers.Uri, "ca.cer")] });
        await using TlsServer server = sendsIssuer ? new(leaf, middle.Certificate) : new(leaf);
        await File.WriteAllTextAsync(host.File("middle.pem"), middle.Certificate.ExportCertificatePem(), TestContext.Current.CancellationToken);
        string file = host.File("leaf.pem");
        await File.WriteAllTextAsync(file, leaf.ExportCertificatePem(), TestContext.Current.CancellationToken);
        string[] check = ["check", $"localhost:{server.Port}", "--allow-private", "--no-proxy", "--timeout", "60"];
        string[] query = ["query", "--issuer", host.File("middle.pem"), "--cert", file, "--allow-private", "--no-proxy", "--timeout", "60", "--hash", "sha256", "--nonce", "required"];

        CommandRun unknown = await CommandRun.RunAsync(check);
        CommandRun issued = await host.RunAsync("issue", "--cert", file);
        CommandRun good = await CommandRun.RunAsync(check);
        CommandRun goodByQuery = await CommandRun.RunAsync(query);
        CommandRun revoke = await host.RunAsync("revoke", "--cert", file, "--reason", "superseded");
        CommandRun revoked = await CommandRun.RunAsync(check);
        CommandRun revokedByQuery = await CommandRun.RunAsync([.. query, "--method", "post"]);

        Assert.Equal((ExitCode.CouldNotTell, ExitCode.Good, ExitCode.Good, ExitCode.Good), (unknown.ExitCode, issued.ExitCode, good.ExitCode, revoke.ExitCode));
        Assert.Contains("unauthorized", unknown.Output, StringComparison.Ordinal);
        Assert.True(goodByQuery.ExitCode == ExitCode.Good, goodByQuery.ToString());
        Assert.True(revoked.ExitCode == ExitCode.Revoked && revoked.Output.Contains("superseded", StringComparison.Ordinal), revoked.ToString());
        Assert.True(revokedByQuery.ExitCode == ExitCode.Revoked, revokedByQuery.ToString());
        Assert.Contains("delegated by the issuer", revoked.Output, StringComparison.Ordinal);
        Assert.Equal(sendsIssuer, issuers.Requests.IsEmpty);
    }

    [Theory]
    [InlineData("check")]
    [InlineData("query")]
    public async Task Proxy_ThatIsNamed_IsAskedForTheRespondersName(string verb)
    {
        using TestAuthority authority = TestAuthority.CreateRoot();
        using X509Certificate2 leaf = authority.Issue(new LeafProfile { Responders = [new Uri("http://ocsp.example.test/path")] });
        await using LoopbackServer proxy = new(request => LoopbackReply.Ok(authority.Respond(OcspRequest.Decode(TestResponder.RequestIn(request)), CertStatus.Good)));
        string[] files = [Path.GetTempFileName(), Path.GetTempFileName()];
        await File.WriteAllTextAsync(files[0], leaf.ExportCertificatePem(), TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(files[1], authority.Certificate.ExportCertificatePem(), TestContext.Current.CancellationToken);
        try
        {
            CommandRun run = await CommandRun.RunAsync(verb, "--cert", files[0], "--issuer", files[1], "--proxy", proxy.Uri.ToString(), "--timeout", "60");

            Assert.True(run.ExitCode == ExitCode.Good, run.ToString());
            Assert.StartsWith("http://ocsp.example.test/path/", Assert.Single(proxy.Requests).Target, StringComparison.Ordinal);
        }
        finally
        {
            Array.ForEach(files, File.Delete);
        }
    }

    [Fact]
    public async Task Trust_InAResponderOfOnesOwn_IsSaidOnTheCommandLine()
    {
        using TestAuthority authority = TestAuthority.CreateRoot();
        using TestAuthority other = TestAuthority.CreateRoot("Another root");
        using X509Certificate2 responder = other.IssueResponder();
        using X509Certificate2 leaf = authority.Issue();
        await using LoopbackServer server = new(request =>
            LoopbackReply.Ok(other.Respond(TestAuthority.Answer(OcspRequest.Decode(TestResponder.RequestIn(request)).Requests[0].CertId, CertStatus.Good), responder: responder)));
        string[] files = [Path.GetTempFileName(), Path.GetTempFileName(), Path.GetTempFileName()];
        foreach ((string file, X509Certificate2 certificate) in files.Zip([leaf, authority.Certificate, responder]))
        {
            await File.WriteAllTextAsync(file, certificate.ExportCertificatePem(), TestContext.Current.CancellationToken);
        }

        try
        {
            string[] query = ["query", "--cert", files[0], "--issuer", files[1], "--url", server.Uri.ToString(), "--no-proxy", "--timeout", "60"];
            CommandRun untrusted = await CommandRun.RunAsync(query);
            CommandRun trusted = await CommandRun.RunAsync([.. query, "--trusted-responder", files[2]]);

            Assert.True(untrusted.ExitCode == ExitCode.CouldNotTell, untrusted.ToString());
            Assert.True(trusted.ExitCode == ExitCode.Good, trusted.ToString());
        }
        finally
        {
            Array.ForEach(files, File.Delete);
        }
    }
}
