using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using OcspCluster.Client.Tests;
using OcspCluster.Testing;

namespace OcspCluster.Cli.Tests;

/// <summary><c>ocspctl check</c> against TLS servers on loopback, their chains, and OpenSSL's responder.</summary>
public sealed class CheckTests : IAsyncLifetime
{
    private readonly TestAuthority _root = TestAuthority.CreateRoot();
    private readonly TestAuthority _middle;
    private readonly OpenSslResponder _responder;
    private readonly ScratchDirectory _directory = new();
    private readonly List<IAsyncDisposable> _servers = [];

    public CheckTests()
    {
        _middle = _root.IssueCa("Middle CA with a name that is long enough to be wrapped in eighty columns");
        _responder = new OpenSslResponder(_middle, _middle.Certificate);
    }

    public ValueTask InitializeAsync()
    {
        using X509Certificate2 another = _middle.Issue();
        _responder.Record(another, isRevoked: false); // an index without a line is none
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (IAsyncDisposable server in _servers)
        {
            await server.DisposeAsync();
        }

        await _responder.DisposeAsync();
        _directory.Dispose();
    }

    [Theory]
    [InlineData("good", 0)]
    [InlineData("revoked", 1)]
    [InlineData("unknown", 2)]
    public async Task Check_Server_TellsItsStatus(string status, int exitCode)
    {
        string target = Serve(status);

        CommandRun run = await CheckAsync([target]);

        Assert.True(run.ExitCode == exitCode, run.ToString());
        GoldenText.Assert("check-" + status, run);
    }

    [Theory]
    [InlineData(80)]
    [InlineData(120)]
    public async Task Check_OnATerminal_WrapsNothingBadly(int width)
    {
        string target = Serve("revoked", sendsIssuer: false);

        CommandRun run = await CheckAsync([target, "--chain"], width);

        Assert.Equal(ExitCode.Revoked, run.ExitCode);
        Assert.All(run.Output.Split('\n'), line => Assert.InRange(line.Length, 0, width));
        GoldenText.Assert($"check-revoked-{width}", run);
    }

    [Fact]
    public async Task Check_Chain_ChecksTheCaToo()
    {
        CommandRun run = await CheckAsync([Serve("good"), "--chain"]);

        Assert.Equal(ExitCode.CouldNotTell, run.ExitCode); // the intermediate names neither responder nor CRL
        Assert.Contains("1 of 2: good", run.Output, StringComparison.Ordinal);
        Assert.Contains("2 of 2: could not tell", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_SilentResponder_CannotTellAndSaysWhy()
    {
        CommandRun run = await CheckAsync([Serve(new LeafProfile { Responders = [new Uri($"http://127.0.0.1:{ClosedPort()}/")] })]);

        Assert.Equal(ExitCode.CouldNotTell, run.ExitCode);
        Assert.Contains("Connection refused", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_AddressOfThisMachineInACertificate_IsNotFollowedUnlessAllowed()
    {
        CommandRun run = await CommandRun.RunAsync("check", Serve("good"), "--no-proxy", "--timeout", "60");

        Assert.Equal(ExitCode.CouldNotTell, run.ExitCode);
        Assert.Contains("say --allow-private", run.Output, StringComparison.Ordinal);
        Assert.Empty(_responder.Requests);
    }

    [Theory]
    [InlineData(null, "list-plain")]
    [InlineData(80, "list-80")]
    [InlineData(120, "list-120")]
    public async Task Check_List_IsATable(int? width, string golden)
    {
        string[] targets = [Serve("good"), Serve("revoked"), Serve("unknown"), $"localhost:{ClosedPort()}"];
        await File.WriteAllLinesAsync(_directory.File("list"), ["# servers", "", .. targets.Select(target => target + "  # one")], TestContext.Current.CancellationToken);

        CommandRun run = await CheckAsync(["--file", _directory.File("list")], width);

        Assert.Equal(ExitCode.Revoked, run.ExitCode);
        GoldenText.Assert(golden, run);
    }

    [Fact]
    public async Task Check_Json_IsAnObjectALine()
    {
        CommandRun run = await CheckAsync([Serve("revoked"), Serve("good"), "--json"]);

        JsonElement[] lines = [.. run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)];
        Assert.Equal(["revoked", "good"], lines.Select(line => line.GetProperty("status").GetString()));
        JsonElement certificate = lines[0].GetProperty("certificates")[0];
        Assert.Equal("keyCompromise", certificate.GetProperty("revocationReason").GetString());
        Assert.Equal("Delegated", certificate.GetProperty("evidence").GetProperty("authorization").GetString());
        Assert.Equal(1, lines[0].GetProperty("exitCode").GetInt32());
    }

    [Fact]
    public async Task Check_File_FindsTheIssuerInItOrBesideItOrFetchesIt()
    {
        using X509Certificate2 leaf = Issue("revoked");
        string alone = _directory.File("leaf.pem");
        string chain = _directory.File("chain.pem");
        string issuer = _directory.File("ca.der");
        await File.WriteAllTextAsync(alone, leaf.ExportCertificatePem(), TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(chain, leaf.ExportCertificatePem() + "\n" + _middle.Certificate.ExportCertificatePem(), TestContext.Current.CancellationToken);
        await File.WriteAllBytesAsync(issuer, _middle.Certificate.RawData, TestContext.Current.CancellationToken);

        Assert.Equal(ExitCode.Revoked, (await CheckAsync(["--cert", alone, "--issuer", issuer])).ExitCode);
        Assert.Equal(ExitCode.Revoked, (await CheckAsync(["--cert", chain])).ExitCode);
        Assert.DoesNotContain(_responder.Requests, request => request.Target == "/ca.cer");
        Assert.Equal(ExitCode.Revoked, (await CheckAsync(["--cert", alone])).ExitCode);
        Assert.Contains(_responder.Requests, request => request.Target == "/ca.cer");
    }

    [Fact]
    public async Task Check_NameThatDrivesTerminals_IsShownHarmless()
    {
        CommandRun run = await CheckAsync([Serve(new LeafProfile { Name = "\u001b[2Jgood", IsCa = true, Responders = [_responder.Uri] })]);

        Assert.DoesNotContain('\u001b', run.Output);
        Assert.Contains("\\u001B[2Jgood", run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("check")]
    [InlineData("check", "a b")]
    [InlineData("check", "host:0")]
    [InlineData("check", "host", "--parallel", "0")]
    [InlineData("check", "host", "--timeout", "-1")]
    [InlineData("check", "host", "--header", "nothing")]
    [InlineData("check", "host", "--nonsense")]
    [InlineData("chekc")]
    public async Task CommandLine_Misuse_IsToldApartFromAStatus(params string[] args)
    {
        CommandRun run = await CommandRun.RunAsync(args);

        Assert.Equal(ExitCode.Usage, run.ExitCode);
        Assert.StartsWith("ocspctl: ", run.Error, StringComparison.Ordinal);
        Assert.Equal("", run.Output);
    }

    [Theory]
    [InlineData("example.com", "example.com", 443)]
    [InlineData("example.com:8443", "example.com", 8443)]
    [InlineData("https://example.com/path", "example.com", 443)]
    [InlineData("https://example.com:444", "example.com", 444)]
    [InlineData("192.0.2.1:25", "192.0.2.1", 25)]
    [InlineData("[2001:db8::1]:636", "2001:db8::1", 636)]
    [InlineData("[2001:db8::1]", "2001:db8::1", 443)]
    [InlineData("2001:db8::1", "2001:db8::1", 443)]
    public void Target_Text_IsHostAndPort(string text, string host, int port) => Assert.Equal(new CheckTarget(host, port), CheckTarget.TryParse(text));

    [Theory]
    [InlineData("")]
    [InlineData(":443")]
    [InlineData("host:65536")]
    [InlineData("host:x")]
    [InlineData("https://user@host")]
    public void Target_Nonsense_IsNone(string text) => Assert.Null(CheckTarget.TryParse(text));

    [Theory]
    [InlineData(new[] { 0, 0 }, 0)]
    [InlineData(new[] { 0, 2 }, 2)]
    [InlineData(new[] { 2, 3 }, 3)]
    [InlineData(new[] { 3, 1, 0 }, 1)]
    [InlineData(new int[0], 3)]
    public void ExitCode_OfSeveral_IsTheWorst(int[] codes, int expected) => Assert.Equal(expected, ExitCode.OfAll(codes));

    private static Task<CommandRun> CheckAsync(IEnumerable<string> args, int? width = null) =>
        CommandRun.RunAsync(["check", .. args, "--allow-private", "--no-proxy", "--timeout", "60"], width);

    private X509Certificate2 Issue(string status)
    {
        X509Certificate2 leaf = _middle.Issue(new LeafProfile { Responders = [_responder.Uri], Issuers = [_responder.IssuerUri] });
        if (status != "unknown")
        {
            _responder.Record(leaf, status == "revoked");
        }

        return leaf;
    }

    private string Serve(string status, bool sendsIssuer = true) => Serve(Issue(status), sendsIssuer);

    private string Serve(LeafProfile profile) => Serve(_middle.Issue(profile), sendsIssuer: true);

    private string Serve(X509Certificate2 leaf, bool sendsIssuer)
    {
        TlsServer server = sendsIssuer ? new(leaf, _middle.Certificate) : new(leaf);
        _servers.Add(server);
        return $"localhost:{server.Port}";
    }

    private static int ClosedPort()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
