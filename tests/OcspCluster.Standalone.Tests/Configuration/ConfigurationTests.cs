using OcspCluster.Authority;
using OcspCluster.Gateway;
using OcspCluster.Hosting.Configuration;
using OcspCluster.Protocol;
using OcspCluster.Standalone.Plan;
using OcspCluster.Testing;

namespace OcspCluster.Standalone.Tests.Configuration;

/// <summary>Configuration that cannot work is refused, with key, value and reason; the rest is read as it was written.</summary>
public sealed class ConfigurationTests : IDisposable
{
    private static readonly DateTimeOffset s_now = new(2026, 7, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly TestPki s_ca = TestPki.CreateRoot("Configured CA", TestKey.P256());
    private static readonly TestCertificate s_responder = s_ca.IssueResponder("responder", TestKey.P256());

    private readonly ScratchDirectory _directory = new();
    private readonly Dictionary<string, string?> _keys;

    public ConfigurationTests() => _keys = new()
    {
        ["Issuers:web:Certificate"] = s_ca.Ca.WriteCertificate(_directory.Path, "ca"),
        ["Issuers:web:Responder:Certificate"] = s_responder.WriteCertificate(_directory.Path, "responder"),
        ["Issuers:web:Responder:Key"] = s_responder.WriteKey(_directory.Path, "responder"),
    };

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Nothing_IsTheDemoOnLoopback()
    {
        ResponderOptions options = ResponderOptions.Read(Settings.FromKeys([]), s_now);
        Assert.Empty(options.Issuers);
        Assert.Equal(["http://127.0.0.1:8080"], options.Listener.Urls);
        Assert.Equal(["http://127.0.0.1:8081"], options.AdminUrls);
        Assert.Equal(Path.GetFullPath("data"), options.DataDirectory);
    }

    [Fact]
    public void Issuer_WithDelegatedResponder_IsRead()
    {
        _keys["Issuers:web:Validity"] = "08:00:00";
        _keys["Issuers:web:Nonce"] = "require";
        Issuer issuer = Assert.Single(Read().Issuers);
        Assert.Equal("web", issuer.Id.ToString());
        Assert.Equal(TimeSpan.FromHours(8), issuer.Policy.Validity);
        Assert.Equal(NoncePolicy.Require, issuer.Policy.Nonce);
        Assert.False(issuer.IsOwnKey(Assert.Single(issuer.Credentials)));
    }

    [Fact]
    public void Responder_OfTheKeyAlone_IsTheIssuerItself()
    {
        _keys["Issuers:web:Responder:Key"] = s_ca.Ca.WriteKey(_directory.Path, "ca");
        _keys.Remove("Issuers:web:Responder:Certificate");
        Issuer issuer = Assert.Single(Read().Issuers);
        Assert.True(issuer.IsOwnKey(Assert.Single(issuer.Credentials)));
    }

    [Fact]
    public void Responders_Several_AreReadInTheirOrder()
    {
        TestCertificate next = s_ca.IssueResponder("next", TestKey.Rsa());
        _keys["Issuers:web:Responders:0:Certificate"] = _keys["Issuers:web:Responder:Certificate"];
        _keys["Issuers:web:Responders:0:Key"] = _keys["Issuers:web:Responder:Key"];
        _keys["Issuers:web:Responders:1:Pfx"] = next.WritePfx(_directory.Path, "next", "secret");
        _keys["Issuers:web:Responders:1:Password"] = "secret";
        _keys.Remove("Issuers:web:Responder:Certificate");
        _keys.Remove("Issuers:web:Responder:Key");
        Assert.Equal(["CN=responder", "CN=next"], Read().Issuers[0].Credentials.Select(credential => credential.Certificate.Subject.Split(", ").First(part => part.StartsWith("CN=", StringComparison.Ordinal))));
    }

    [Fact]
    public void Key_Encrypted_IsOpenedByThePasswordOfAFile()
    {
        _keys["Issuers:web:Responder:Key"] = s_responder.WriteKey(_directory.Path, "encrypted", "correct horse");
        File.WriteAllText(_directory.File("password"), "correct horse\n");
        _keys["Issuers:web:Responder:PasswordFile"] = _directory.File("password");
        Assert.Single(Read().Issuers);
    }

    [Fact]
    public void Paths_InAFile_AreRelativeToIt()
    {
        Directory.CreateDirectory(_directory.File("etc"));
        s_ca.Ca.WriteCertificate(_directory.File("etc"), "ca");
        s_ca.Ca.WriteKey(_directory.File("etc"), "ca");
        File.WriteAllText(_directory.File("etc/responder.json"), """
            { /* comments are allowed */ "Data": "../var", "Issuers": { "web": { "Certificate": "ca.pem", "Responder": { "Key": "ca.key" } } } }
            """);
        ResponderOptions options = ResponderOptions.Read(Settings.Load(_directory.File("etc/responder.json"), [new("Admin:Url", "http://127.0.0.1:0")]), s_now);
        Assert.Equal(_directory.File("var"), options.DataDirectory);
        Assert.Equal(["http://127.0.0.1:0"], options.AdminUrls);
        Assert.Single(options.Issuers);
    }

    [Fact]
    public void Errors_AreToldAllAtOnce()
    {
        _keys["Ocsp:Url"] = "ftp://x";
        _keys["Ocsp:MaxCertIds"] = "many";
        _keys["Ocsp:MaxTargetBytes"] = "1";
        _keys["Admin:Url"] = "http://0.0.0.0:1";
        _keys["Issuers:web:Validity"] = "00:00:01";
        _keys["Issuers:web:Nonce"] = "maybe";
        _keys["Issuers:other:Certificate"] = _directory.File("none.pem");
        Assert.Equal(
            ["Admin:Url", "Issuers:other:Certificate", "Issuers:other:Responder", "Issuers:web:MaxAge", "Issuers:web:Nonce", "Issuers:web:Validity", "Ocsp:MaxCertIds", "Ocsp:MaxTargetBytes", "Ocsp:Url"],
            Problems().Select(problem => problem.Key).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("Ocsp:Url", "nonsense", "is not a URL")]
    [InlineData("Ocsp:Url", "https://127.0.0.1:8443", "plain http")]
    [InlineData("Ocsp:Url", "http://127.0.0.1:8080/ocsp", "Ocsp:PathPrefixes")]
    [InlineData("Ocsp:Url", "http://ocsp.example.com", "give the address")]
    [InlineData("Ocsp:Url", "http://localhost:0", "http://127.0.0.1:0")]
    [InlineData("Admin:Url", "http://192.0.2.1:8081", "loopback")]
    [InlineData("Admin:Url", "https://127.0.0.1:8081", "Admin:Certificate")]
    [InlineData("Admin:Url", "http://127.0.0.1:8080", "another port")]
    [InlineData("Ocsp:PathPrefixes", "ocsp", "begins with '/'")]
    [InlineData("Ocsp:MaxConnections", "0", "1 to 1000000")]
    [InlineData("Ocsp:Transport", "Http3", "Automatic, Front, Kestrel")]
    [InlineData("Ocsp:Transport", "Kestrel", null)]
    [InlineData("Ocsp:Threads", "257", "0 to 256")]
    [InlineData("Ocsp:Threads", "4", null)]
    [InlineData("Ocsp:AcceptAnyContentType", "yes", "true or false")]
    [InlineData("Ocsp:CacheBytes", "5", "1048576")]
    [InlineData("Ocsp:KeepAliveTimeout", "60", "hh:mm:ss")]
    [InlineData("Issuers:web:Validity", "30", "hh:mm:ss")]
    [InlineData("Issuers:web:Validity", "400.00:00:00", "366 days")]
    [InlineData("Issuers:web:Validity", "366.00:00:00", "8 hours to 10 days for a public issuer")]
    [InlineData("Issuers:web:Validity", "02:00:00", "takes Profile Private")]
    [InlineData("Issuers:web:Profile", "Secret", "Public, PublicCaCertificates, Private")]
    [InlineData("Issuers:web:Profile", "Private", null)]
    [InlineData("Issuers:web:RefreshSignaturesPerSecond", "0", "1 to 1000000")]
    [InlineData("Issuers:web:RefreshAt", "0,5", "decimal point")]
    [InlineData("Issuers:web:VerifySample", "1.1", "0 to 1")]
    [InlineData("Issuers:web:VerifySample", "0.25", null)]
    [InlineData("Issuers:web:Responder:Limits:Concurrency", "300", "0 to 256")]
    [InlineData("Issuers:web:Responder:Limits:Deadline", "00:02:00", "1 minute")]
    [InlineData("Issuers:web:Responder:Limits:Deadline", "00:00:05", null)]
    [InlineData("Issuers:web:Inventory", "1", "Known, Unknown")]
    [InlineData("Issuers:web:NonceMaxBytes", "129", "1 to 128")]
    [InlineData("Issuers:web:SignedRequests", "Require", "no Requestors")]
    public void Value_OutOfItsBounds_IsRefused(string key, string value, string? expected)
    {
        _keys[key] = value;
        if (expected is null)
        {
            Read();
        }
        else
        {
            ConfigurationProblem problem = Assert.Single(Problems());
            Assert.Equal(key, problem.Key);
            Assert.Contains(expected, problem.ToString(), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("Webhooks:siem:Url", "http://siem.example.com/in", "AllowHttp")]
    [InlineData("Webhooks:siem:Url", "https://user:hush@siem.example.com/in", "a name or a password")]
    [InlineData("Webhooks:siem:Url", "ftp://siem.example.com", "not an http or https URL")]
    [InlineData("Webhooks:siem:Url", null, "is missing")]
    [InlineData("Webhooks:siem:SecretFile", null, "is missing")]
    [InlineData("Webhooks:siem:SecretFile", "/nowhere/secret", "cannot be read")]
    [InlineData("Webhooks:siem:SecretFile", "short", "whsec_")]
    [InlineData("Webhooks:siem:Issuers", "other", "only web")]
    [InlineData("Webhooks:siem:Kinds", "revoke", "issued, revoked, held, released")]
    [InlineData("Webhooks:siem:From", "Yesterday", "Now, Beginning")]
    [InlineData("Webhooks:siem:Timeout", "10", "hh:mm:ss")]
    [InlineData("Webhooks:siem:BatchSize", "0", "1 to 1000")]
    [InlineData("Webhooks:siem:Format", "xml", "Json, CloudEvents")]
    [InlineData("Webhooks:siem:TrustedRoots", "/nowhere/ca.pem", "no file")]
    [InlineData("Webhooks:siem:Proxy", "http://user:hush@proxy:3128", "without a password")]
    [InlineData("Webhooks:siem:SecretFil", "hush", "did you mean 'SecretFile'?")]
    [InlineData("Webhooks:edge:Url", "https://siem.example.com", "is the name of a webhook, too", "Purge:edge")]
    [InlineData("Purge:Edge:PublicUrls", "http://ocsp.example.com", "is no name", "Purge:Edge")]
    [InlineData("Purge:edge:PublicUrls", null, "as they stand in the certificates")]
    [InlineData("Purge:edge:PublicUrls", "http://ocsp.example.com/?a=b", "has a query")]
    [InlineData("Purge:edge:Url", null, "AllowHttp", "Purge:edge:PublicUrls")] // called itself then
    [InlineData("Purge:edge:Body", "[]", "neither $urls nor $paths")]
    [InlineData("Purge:edge:Body", "{\"files\":$urls", "is not JSON")]
    [InlineData("Purge:edge:NotCached", "500", "400 to 499")]
    [InlineData("Purge:edge:Method", "PURGE ALL", "letters, digits and hyphens")]
    [InlineData("Purge:edge:Headers:Host", "x", "cannot be a header")]
    [InlineData("Purge:edge:RequestsPerSecond", "0", "1 to 10000")]
    public void Receiver_ThatCannotWork_IsNamedAndItsSecretsAreNot(string key, string? value, string expected, string? reportedKey = null)
    {
        File.WriteAllText(_directory.File("secret"), "whsec_" + Convert.ToBase64String(new byte[24]));
        File.WriteAllText(_directory.File("short"), "hush");
        _keys["Webhooks:siem:Url"] = "https://siem.example.com/in?token=hush";
        _keys["Webhooks:siem:SecretFile"] = _directory.File("secret");
        _keys["Purge:edge:Url"] = "http://127.0.0.1:6081";
        _keys["Purge:edge:PublicUrls"] = "http://ocsp.example.com";
        Read();
        if (key == "Webhooks:edge:Url")
        {
            _keys["Webhooks:edge:SecretFile"] = _directory.File("secret");
        }
        else if (key == "Purge:Edge:PublicUrls")
        {
            _keys.Remove("Purge:edge:Url");
            _keys.Remove("Purge:edge:PublicUrls");
            _keys["Purge:Edge:Url"] = "http://127.0.0.1:6081";
        }

        _keys[key] = value == "short" ? _directory.File("short") : value;
        ConfigurationProblem problem = Assert.Single(Problems());
        Assert.Equal(reportedKey ?? key, problem.Key);
        Assert.Contains(expected, problem.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("hush", problem.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Receivers_AreReadWithTheirDefaults()
    {
        File.WriteAllText(_directory.File("secret"), "whsec_" + Convert.ToBase64String(new byte[24]));
        _keys["Webhooks:siem:Url"] = "http://siem.example.com/in";
        _keys["Webhooks:siem:AllowHttp"] = "true";
        _keys["Webhooks:siem:SecretFiles"] = _directory.File("secret");
        _keys["Webhooks:siem:Kinds"] = "revoked;Held";
        _keys["Purge:edge:PublicUrls:0"] = "https://a.example.com";
        _keys["Purge:edge:PublicUrls:1"] = "https://b.example.com/ocsp";
        _keys["Purge:edge:NotCached"] = "404;412";
        DeliveryOptions deliveries = Read().Deliveries;
        WebhookOptions webhook = Assert.Single(deliveries.Webhooks);
        Assert.Equal((DeliveryStart.Now, TimeSpan.FromSeconds(10), 100, TimeSpan.FromMinutes(5)), (webhook.From, webhook.Timeout, webhook.BatchSize, webhook.MaxBackoff));
        Assert.Equal([EventKind.Revoked, EventKind.Held], webhook.Kinds);
        PurgeOptions purge = Assert.Single(deliveries.Purges);
        Assert.Equal(["https://a.example.com/", "https://b.example.com/ocsp"], purge.PublicUrls.Select(url => url.ToString()));
        Assert.Equal([404, 412], purge.NotCached);
        Assert.Equal((PurgeStyle.Url, 10, 20), (purge.Style, purge.BatchSize, purge.RequestsPerSecond));
    }

    [Theory]
    [InlineData("{ \"Data\": ")]
    [InlineData("[1]")]
    public void File_ThatIsNoJson_IsNamed(string text)
    {
        File.WriteAllText(_directory.File("bad.json"), text);
        ConfigurationProblem problem = Assert.Single(Assert.Throws<ConfigurationException>(() => Settings.Load(_directory.File("bad.json"), [])).Problems);
        Assert.Equal(_directory.File("bad.json"), problem.Value);
        Assert.StartsWith("not JSON", problem.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void File_Named_MustBeThere()
    {
        ConfigurationProblem problem = Assert.Single(Assert.Throws<ConfigurationException>(() => Settings.Load(_directory.File("none.json"), [])).Problems);
        Assert.Contains("cannot be read", problem.Problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Dta", "Data")]
    [InlineData("Ocsp:MaxCertId", "MaxCertIds")]
    [InlineData("Issuers:web:Validty", "Validity")]
    [InlineData("Issuers:web:Responder:Pasword", "Password")]
    [InlineData("Issuers:web:Requestor", "Requestors")]
    public void Key_Misspelt_IsRefusedWithTheRightOne(string key, string right)
    {
        _keys[key] = "x";
        ConfigurationProblem problem = Assert.Single(Problems());
        Assert.Equal(key, problem.Key);
        Assert.Contains($"did you mean '{right}'?", problem.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Section_GivenAsAValue_IsRefused()
    {
        _keys["Ocsp"] = "http://127.0.0.1:80";
        Assert.Contains("is a section", Assert.Single(Problems()).Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void GatewayOptions_Everyone_IsReadFromItsKey()
    {
        // A new option that the reader does not know would be taken for set and stay at its default.
        Dictionary<string, string> values = new()
        {
            ["PathPrefixes"] = "/a;/b",
            ["MaxRequestBytes"] = "1000",
            ["MaxTargetBytes"] = "1001",
            ["MaxCertIds"] = "7",
            ["AcceptAnyContentType"] = "true",
            ["NonceSignaturesPerSecond"] = "8",
            ["UnissuedSignaturesPerSecond"] = "9",
            ["UnauthorizedMaxAge"] = "00:00:10",
            ["CacheBytes"] = "2000000",
        };
        foreach ((string key, string value) in values)
        {
            _keys["Ocsp:" + key] = value;
        }

        OcspGatewayOptions read = Read().Ocsp;
        foreach (System.Reflection.PropertyInfo property in typeof(OcspGatewayOptions).GetProperties())
        {
            object? value = property.GetValue(read);
            string text = value is IEnumerable<string> list ? string.Join(';', list) : FormattableString.Invariant($"{value}");
            Assert.Equal(values[property.Name], text, ignoreCase: true);
        }
    }

    [Fact]
    public void PolicyKeys_Everyone_IsReadFromItsKey()
    {
        Dictionary<string, string> values = new()
        {
            ["Inventory"] = "Unknown",
            ["Unissued"] = "Revoked",
            ["ExpiredRetention"] = "1.00:00:00",
            ["Nonce"] = "Ignore",
            ["NonceMaxBytes"] = "32",
            ["AcceptRawNonce"] = "true",
            ["SignedRequests"] = "Verify",
            ["Validity"] = "2.00:00:00",
            ["RefreshAt"] = "0.25",
            ["MaxAge"] = "00:10:00",
            ["Backdate"] = "00:05:00",
            ["VerifySample"] = "0.5",
            ["ResponderId"] = "ByName",
            ["Profile"] = "Private",
            ["Presign"] = "All",
            ["AskedWithin"] = "3.00:00:00",
            ["RefreshSignaturesPerSecond"] = "77",
            ["PresignHashes"] = "SHA-256;SHA-1",
            ["WithoutLease"] = "ServeUntilNextUpdate",
        };
        foreach ((string key, string value) in values)
        {
            _keys["Issuers:web:" + key] = value;
        }

        _keys["Issuers:web:Requestors:0"] = _keys["Issuers:web:Certificate"];
        IssuerPolicy read = Read().Issuers[0].Policy;
        foreach (System.Reflection.PropertyInfo property in typeof(IssuerPolicy).GetProperties().Where(property => property.SetMethod is not null && !property.SetMethod.IsStatic))
        {
            string text = property.GetValue(read) is IReadOnlyList<CertIdHash> hashes ? string.Join(';', hashes) : FormattableString.Invariant($"{property.GetValue(read)}");
            Assert.Equal(values[property.Name], text, ignoreCase: true);
        }
    }

    [Fact]
    public void Issuers_OfOneNameAndKeyUnderTwoIds_AreRefused()
    {
        foreach (string key in new[] { "Certificate", "Responder:Certificate", "Responder:Key" })
        {
            _keys["Issuers:again:" + key] = _keys["Issuers:web:" + key];
        }

        Assert.Contains("same name and key", Assert.Single(Problems()).Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void PrivateProfile_ValidityOfAYear_IsTaken()
    {
        _keys["Issuers:web:Validity"] = "366.00:00:00";
        _keys["Issuers:web:Profile"] = "Private";
        Assert.Equal(TimeSpan.FromDays(366), Read().Issuers[0].Policy.Validity);
    }

    [Fact]
    public void CredentialFiles_ReplacedOnDisk_AreReadAgain_AndWhatIsWrongIsTold()
    {
        ResponderOptions options = Read();
        string certificate = _keys["Issuers:web:Responder:Certificate"]!;
        string key = _keys["Issuers:web:Responder:Key"]!;
        Assert.Equal([Path.GetFullPath(certificate), Path.GetFullPath(key), Path.GetFullPath(_keys["Issuers:web:Certificate"]!)], IssuerReader.FindCredentialFiles(options.Settings, "web"));
        CredentialFilesContent content = IssuerReader.ReadCredentials(options.Settings, "web", s_now);
        Assert.Empty(content.Errors);
        Assert.Equal(options.Issuers[0].Credentials[0].Certificate, Assert.Single(content.Credentials).Certificate);

        File.WriteAllText(key, "nothing");
        content = IssuerReader.ReadCredentials(options.Settings, "web", s_now);
        Assert.Empty(content.Credentials);
        Assert.Contains("Responder:Key", Assert.Single(content.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Plan_MeasuresTheKey_AndJudges()
    {
        _keys["Issuers:web:Presign"] = "All";
        _keys["Ocsp:CacheBytes"] = "100000000";
        StringWriter output = new();
        Assert.Equal(0, await PlanRun.RunAsync(Settings.FromKeys(_keys), "web", certificates: 1_000_000, output));
        string table = output.ToString();
        Assert.Contains("Plan for issuer 'web'", table, StringComparison.Ordinal);
        Assert.Contains("The signer keeps up.", table, StringComparison.Ordinal);
        Assert.Contains("The cache does not hold all answers", table, StringComparison.Ordinal);
        Assert.Matches(@"needed on average +6\.43\n", table);

        _keys["Issuers:web:RefreshSignaturesPerSecond"] = "5";
        output = new StringWriter();
        Assert.Equal(0, await PlanRun.RunAsync(Settings.FromKeys(_keys), "web", certificates: 1_000_000, output));
        Assert.Contains("raise RefreshSignaturesPerSecond", output.ToString(), StringComparison.Ordinal);
        await Assert.ThrowsAsync<ConfigurationException>(() => PlanRun.RunAsync(Settings.FromKeys(_keys), "wbe", certificates: 1, output));
        await Assert.ThrowsAsync<ConfigurationException>(() => PlanRun.RunAsync(Settings.FromKeys(_keys), "web", certificates: -1, output));
    }

    [Fact]
    public void IssuerId_WithCapitals_IsRefused()
    {
        _keys["Issuers:WEB2:Certificate"] = _keys["Issuers:web:Certificate"];
        Assert.Contains(Problems(), problem => problem.Key == "Issuers:WEB2" && problem.Problem.Contains("no issuer id", StringComparison.Ordinal));
    }

    private ResponderOptions Read() => ResponderOptions.Read(Settings.FromKeys(_keys), s_now);

    private IReadOnlyList<ConfigurationProblem> Problems() => Assert.Throws<ConfigurationException>(Read).Problems;
}
