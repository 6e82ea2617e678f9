using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace OcspCluster.Client.Tests;

/// <summary>The samples of the library's README, compiled, run, and compared with it line by line.</summary>
public sealed class ReadmeSamples
{
    [Fact]
    public void Readme_EachLineOfItsSamples_StandsHere()
    {
        string root = Path.GetFullPath("../../../../..", AppContext.BaseDirectory);
        string here = File.ReadAllText(Path.Combine(root, "tests/OcspCluster.Client.Tests/Policy/ReadmeSamples.cs"));
        HashSet<string> lines = [.. here.Split('\n').Select(line => line.Trim())];
        string[] blocks = File.ReadAllText(Path.Combine(root, "src/OcspCluster.Client/README.md")).Split("```csharp\n")[1..];

        string[] samples = [.. blocks.SelectMany(block => block.Split("```")[0].Split('\n')).Select(line => line.Trim()).Where(line => line.Length > 0)];

        Assert.Equal(4, blocks.Length);
        Assert.DoesNotContain(samples, line => !lines.Contains(line));
    }

    [Fact]
    public async Task Check_OfTheReadme_Works()
    {
        await using TestResponder responder = new();
        X509Certificate2 certificate = responder.Leaf;
        X509Certificate2 issuer = responder.Authority.Certificate;

        // the default client refuses loopback, and says so
        using OcspClient client = new();
        RevocationVerdict verdict = await client.CheckAsync(certificate, issuer);
        Console.WriteLine($"{verdict.Status}: {verdict.Message}"); // Good: 'CN=Responder' says good.

        Assert.Equal(RevocationFailure.AddressRefused, verdict.Failure);
    }

    [Fact]
    public async Task HttpClient_OfTheReadme_Works()
    {
        await using TestResponder responder = new();
        using X509Certificate2 leaf = responder.Authority.Issue(new LeafProfile { Responders = [responder.Uri] });
        await using TlsServer server = new(leaf);
        using OcspClient client = new(TestResponder.Options);

        using SocketsHttpHandler handler = new SocketsHttpHandler().CheckRevocation(client, RevocationPolicy.SoftFail);
        using HttpClient http = new(handler);

        // whose root is not the machine's
        await Assert.ThrowsAsync<HttpRequestException>(() => http.GetAsync(server.Uri));
    }

    [Fact]
    public async Task SslStream_OfTheReadme_Works()
    {
        await using TestResponder responder = new();
        using X509Certificate2 leaf = responder.Authority.Issue(new LeafProfile { Responders = [responder.Uri] });
        await using TlsServer server = new(leaf);
        using OcspClient client = new(TestResponder.Options);
        Stream connection = await server.ConnectAsync();
        string host = "localhost";

        HandshakeStream handshake = new(connection);
        await using SslStream tls = new(handshake);
        SslClientAuthenticationOptions options = new() { TargetHost = host };
        options.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        options.CertificateChainPolicy.CustomTrustStore.Add(responder.Authority.Certificate);
        await tls.AuthenticateAsClientAsync(options.CheckRevocation(client, RevocationPolicy.HardFail, handshake));

        Assert.Single(responder.Requests);
    }

    [Fact]
    public void Options_OfTheReadme_AreTaken()
    {
        string directory = Path.GetTempPath();

        OcspClientOptions inside = new()
        {
            Responders = [new Uri("http://ocsp.internal/")],
            PrivateAddresses = PrivateAddressRule.AllowGiven,
            Nonce = NonceUse.Required,
            Store = new FileResponseStore(directory),
        };

        using OcspClient client = new(inside);
        Assert.Same(inside, client.Options);
    }
}
