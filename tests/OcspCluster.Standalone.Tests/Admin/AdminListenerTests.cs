using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using OcspCluster.Conformance;
using OcspCluster.Hosting.Configuration;
using OcspCluster.Testing;

namespace OcspCluster.Standalone.Tests.Admin;

/// <summary>TLS on the admin listener, and client certificates in place of keys.</summary>
public sealed class AdminListenerTests : IDisposable
{
    private static readonly TestPki s_ca = TestPki.CreateRoot("Admin CA", TestKey.P256());

    private readonly ScratchDirectory _directory = new();
    private readonly TestClock _clock = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Https_WithAKey_LetsIn()
    {
        await using StandaloneHost host = await StartAsync();
        Assert.Equal(HttpStatusCode.OK, await AskAsync(host, null, File.ReadAllText(Path.Combine(_directory.Path, "data", StandaloneHost.OperatorKeyFileName)).Trim()));
        Assert.Equal(HttpStatusCode.Unauthorized, await AskAsync(host, null, null));
    }

    [Theory]
    [InlineData("read", HttpStatusCode.OK)]
    [InlineData("read:alpha;feed", HttpStatusCode.OK)]
    [InlineData("feed", HttpStatusCode.Forbidden)]
    public async Task ClientCertificate_OfTheCa_HasTheConfiguredScopes(string scopes, HttpStatusCode status)
    {
        await using StandaloneHost host = await StartAsync(("Admin:ClientCa", WriteCa(s_ca)), ("Admin:ClientScopes", scopes));
        using X509Certificate2 client = IssueClient(s_ca, "1.3.6.1.5.5.7.3.2");
        Assert.Equal(status, await AskAsync(host, client, null));
        Assert.Equal(HttpStatusCode.Unauthorized, await AskAsync(host, null, null)); // without one, a key is needed
        Assert.Equal(HttpStatusCode.Unauthorized, await AskAsync(host, client, "0000000000000000.x")); // a wrong key is not mended by a certificate
    }

    [Fact]
    public async Task ClientCertificate_ThatDoesNotFit_EndsTheHandshake()
    {
        await using StandaloneHost host = await StartAsync(("Admin:ClientCa", WriteCa(s_ca)), ("Admin:ClientScopes", "read"));
        using X509Certificate2 stranger = IssueClient(TestPki.CreateRoot("Admin CA", TestKey.P256()), "1.3.6.1.5.5.7.3.2");
        using X509Certificate2 server = IssueClient(s_ca, "1.3.6.1.5.5.7.3.1");
        await Assert.ThrowsAsync<HttpRequestException>(() => AskAsync(host, stranger, null));
        await Assert.ThrowsAsync<HttpRequestException>(() => AskAsync(host, server, null));
    }

    [Fact]
    public async Task ClientCertificate_ThatHasEnded_IsRefusedOnTheSameConnection()
    {
        await using StandaloneHost host = await StartAsync(("Admin:ClientCa", WriteCa(s_ca)), ("Admin:ClientScopes", "read"));
        using X509Certificate2 client = IssueClient(s_ca, "1.3.6.1.5.5.7.3.2", _clock.GetUtcNow().AddHours(1));
        using HttpClient connection = Connect(client);
        Assert.Equal(HttpStatusCode.OK, (await connection.GetAsync(new Uri(host.AdminUris[0], "v1/issuers"))).StatusCode);
        _clock.Advance(TimeSpan.FromHours(2));
        Assert.Equal(HttpStatusCode.Unauthorized, (await connection.GetAsync(new Uri(host.AdminUris[0], "v1/issuers"))).StatusCode);
    }

    [Theory]
    [InlineData("Admin:Key", "", "Admin:Key")]
    [InlineData("Admin:Certificate", "none.pem", "there is no file")]
    [InlineData("Admin:ClientScopes", "root", "Admin:ClientScopes")]
    [InlineData("Admin:RequestsPerSecond", "0", "Admin:RequestsPerSecond")]
    [InlineData("Admin:Url", "http://0.0.0.0:0", "https with Admin:Certificate")]
    [InlineData("Admin:Colour", "red", "no such key")]
    public void Configuration_ThatCannotWork_IsTold(string key, string value, string problem)
    {
        Dictionary<string, string?> keys = Keys();
        keys[key] = value;
        ConfigurationException e = Assert.Throws<ConfigurationException>(() => ResponderOptions.Read(Settings.FromKeys(keys), _clock.GetUtcNow()));
        Assert.Contains(problem, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Configuration_WithAKeyOfAnotherCertificate_IsTold()
    {
        Dictionary<string, string?> keys = Keys();
        keys["Admin:Key"] = s_ca.Ca.WriteKey(_directory.Path, "other");
        Assert.Contains("Admin:Key", Assert.Throws<ConfigurationException>(() => ResponderOptions.Read(Settings.FromKeys(keys), _clock.GetUtcNow())).Message, StringComparison.Ordinal);
    }

    private async Task<StandaloneHost> StartAsync(params IEnumerable<(string Key, string Value)> settings)
    {
        Dictionary<string, string?> keys = Keys();
        foreach ((string key, string value) in settings)
        {
            keys[key] = value;
        }

        return await StandaloneHost.StartAsync(ResponderOptions.Read(Settings.FromKeys(keys), _clock.GetUtcNow()), _clock);
    }

    private Dictionary<string, string?> Keys()
    {
        TestCertificate server = s_ca.IssueLeaf(TestPki.RandomSerial());
        return new(ResponderSetup.Of(Issuers.Alpha).WriteTo(_directory.Path).Select(pair => KeyValuePair.Create(pair.Key, (string?)pair.Value)))
        {
            ["Data"] = _directory.File("data"),
            ["Ocsp:Url"] = "http://127.0.0.1:0",
            ["Admin:Url"] = "https://127.0.0.1:0",
            ["Admin:Certificate"] = server.WriteCertificate(_directory.Path, "server"),
            ["Admin:Key"] = server.WriteKey(_directory.Path, "server"),
            ["Logging:LogLevel:Default"] = "Error",
        };
    }

    private string WriteCa(TestPki ca) => ca.Ca.WriteCertificate(_directory.Path, "client-ca");

    private static X509Certificate2 IssueClient(TestPki ca, string purpose, DateTimeOffset? notAfter = null)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new("CN=the CA's feeder", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(purpose)], critical: false));
        using X509Certificate2 caWithKey = X509Certificate2.CreateFromPem(ca.Certificate.ExportCertificatePem(), ca.Ca.Key.ToPem());
        using X509Certificate2 certificate = request.Create(caWithKey, TestPki.NotBefore, notAfter ?? TestPki.NotAfter, TestPki.RandomSerial());
        using X509Certificate2 joined = certificate.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(joined.Export(X509ContentType.Pkcs12), null);
    }

    private static async Task<HttpStatusCode> AskAsync(StandaloneHost host, X509Certificate2? client, string? key)
    {
        using HttpClient connection = Connect(client);
        if (key is not null)
        {
            connection.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        }

        using HttpResponseMessage response = await connection.GetAsync(new Uri(host.AdminUris[0], "v1/issuers/alpha"));
        return response.StatusCode;
    }

    private static HttpClient Connect(X509Certificate2? client)
    {
        SocketsHttpHandler handler = new() { UseProxy = false };
        handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, _, errors) =>
            certificate?.Issuer == s_ca.Certificate.Subject && !errors.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable);
        if (client is not null)
        {
            handler.SslOptions.ClientCertificates = [client];
            handler.SslOptions.LocalCertificateSelectionCallback = (_, _, _, _, _) => client;
        }

        return new HttpClient(handler) { Timeout = TimeSpan.FromSeconds(60) };
    }
}
