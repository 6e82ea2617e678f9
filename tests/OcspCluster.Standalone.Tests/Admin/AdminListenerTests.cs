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
    private Dictionary<string, string?>? _keys;

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

    [Fact]
    public async Task ClientCertificates_ByNameAndByFingerprint_HaveTheirOwnScopes()
    {
        using X509Certificate2 feeder = IssueClient(s_ca, "1.3.6.1.5.5.7.3.2");
        using X509Certificate2 reader = IssueClient(s_ca, "1.3.6.1.5.5.7.3.2", subject: "O=Example, CN=reader");
        using X509Certificate2 other = IssueClient(s_ca, "1.3.6.1.5.5.7.3.2", subject: "CN=somebody else");
        await using StandaloneHost host = await StartAsync(
            ("Admin:ClientCa", WriteCa(s_ca)),
            ("Admin:Clients:feeder:Sha256", feeder.GetCertHashString(HashAlgorithmName.SHA256)), ("Admin:Clients:feeder:Scopes", "feed:alpha"),
            ("Admin:Clients:reader:Subject", "O=Example,CN=reader"), ("Admin:Clients:reader:Scopes", "read"));
        Assert.Equal(HttpStatusCode.OK, await AskAsync(host, reader, null));
        Assert.Equal(HttpStatusCode.Forbidden, await AskAsync(host, feeder, null));
        Assert.Equal(HttpStatusCode.Forbidden, await AskAsync(host, other, null)); // of the CA, but named nowhere
    }

    [Fact]
    public async Task ServerCertificate_RenewedOnDisk_IsServedToNewConnections_AndAHalfWrittenOneIsNot()
    {
        await using StandaloneHost host = await StartAsync();
        Dictionary<string, string?> keys = _keys!;
        string old = await ServedAsync(host);
        TestCertificate next = s_ca.IssueLeaf(TestPki.RandomSerial());
        File.WriteAllText(keys["Admin:Certificate"]!, next.Certificate.ExportCertificatePem()); // the key is still the old one's
        await AdvanceAsync();
        Assert.Equal(old, await ServedAsync(host));
        File.WriteAllText(keys["Admin:Key"]!, next.Key.ToPem()[..40]); // half of it
        await AdvanceAsync();
        Assert.Equal(old, await ServedAsync(host));
        File.WriteAllText(keys["Admin:Key"]!, next.Key.ToPem());
        await AdvanceAsync(async () => await ServedAsync(host) == next.Certificate.Thumbprint);
        Assert.Equal(next.Certificate.Thumbprint, await ServedAsync(host));
    }

    [Theory]
    [InlineData("Admin:Clients:x:Scopes", "read", "names nobody")]
    [InlineData("Admin:Clients:x:Subject", "reader", "distinguished name")]
    [InlineData("Admin:Clients:x:Sha256", "00", "64 hexadecimal")]
    [InlineData("Admin:FailuresPerMinute", "0", "Admin:FailuresPerMinute")]
    [InlineData("Clock:Back", "00:00:00", "Clock:Back")]
    [InlineData("Clock:Silence", "00:00:01", "Clock:Silence")]
    [InlineData("Issuers:alpha:PresignHashes", "MD5", "SHA256")]
    [InlineData("Issuers:alpha:PresignHashes", "SHA1;SHA-1", "each once")]
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

    // Two looks, with time for the watcher to wait for the next between them.
    private async Task AdvanceAsync(Func<Task<bool>>? until = null)
    {
        using CancellationTokenSource late = new(TimeSpan.FromMinutes(1));
        for (int look = 0; until is null ? look < 30 : !await until(); look++)
        {
            late.Token.ThrowIfCancellationRequested();
            _clock.Advance(Gateway.CredentialReload.Interval);
            await Task.Yield();
        }
    }

    private static async Task<string> ServedAsync(StandaloneHost host)
    {
        using System.Net.Sockets.TcpClient connection = new();
        await connection.ConnectAsync(IPAddress.Loopback, host.AdminUris[0].Port);
        using SslStream tls = new(connection.GetStream(), false, (_, certificate, _, _) => certificate?.Issuer == s_ca.Certificate.Subject);
        await tls.AuthenticateAsClientAsync("127.0.0.1");
        return ((X509Certificate2)tls.RemoteCertificate!).Thumbprint;
    }

    private async Task<StandaloneHost> StartAsync(params IEnumerable<(string Key, string Value)> settings)
    {
        Dictionary<string, string?> keys = Keys();
        foreach ((string key, string value) in settings)
        {
            keys[key] = value;
        }

        _keys = keys;
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

    private static X509Certificate2 IssueClient(TestPki ca, string purpose, DateTimeOffset? notAfter = null, string subject = "CN=the CA's feeder")
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new(subject, key, HashAlgorithmName.SHA256);
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
