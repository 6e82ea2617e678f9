using System.Text.Json;

namespace OcspCluster.Cli.Tests;

/// <summary>The operators' verbs against a responder that runs.</summary>
public sealed class OperatorTests : IAsyncLifetime
{
    private RunningHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await RunningHost.StartAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task Certificate_ThroughItsLife_IsToldByStatusExplainAndEvents()
    {
        await MustAsync(ExitCode.Good, "issue", "5e:ed:01", "--not-after", "2040-01-01");
        Assert.Contains("5EED01: good", (await MustAsync(ExitCode.Good, "status", "decimal:6221057")).Output, StringComparison.Ordinal);
        await MustAsync(ExitCode.Good, "hold", "0x5EED01");
        await MustAsync(ExitCode.Revoked, "status", "5EED01");
        await MustAsync(ExitCode.Good, "release", "5EED01");
        await MustAsync(ExitCode.Good, "explain", "5EED01");
        CommandRun dry = await MustAsync(ExitCode.Good, "revoke", "5EED01", "--reason", "keyCompromise", "--dry-run");
        Assert.Equal("5EED01: would be revoked\n", dry.Output);
        await MustAsync(ExitCode.Good, "status", "5EED01");
        await MustAsync(ExitCode.Good, "revoke", "5EED01", "--reason", "keyCompromise", "--invalidity-date", "2026-01-01T00:00:00Z");

        CommandRun status = await MustAsync(ExitCode.Revoked, "status", "5EED01");
        CommandRun explained = await MustAsync(ExitCode.Revoked, "explain", "5EED01", "--hash", "sha256", "--nonce");
        CommandRun events = await MustAsync(ExitCode.Good, "events", "--issuer", "demo", "--after", "5");

        Assert.Equal(["revoked, keyCompromise", "released", "held", "issued"], status.Output.Split('\n').Where(line => line.Contains('\t')).Select(line => line.Split('\t')[2]));
        Assert.Contains("5EED01 would be answered revoked by issuer 'demo'", explained.Output, StringComparison.Ordinal);
        Assert.Contains("The request has a nonce", explained.Output, StringComparison.Ordinal);
        Assert.Equal(["issued", "held", "released", "revoked"], events.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('\t')[2]));
    }

    [Theory]
    [InlineData("status", "99")]
    [InlineData("explain", "99")]
    public async Task Certificate_OfWhichNothingIsKnown_IsUnknown(params string[] args) => await MustAsync(ExitCode.Unknown, args);

    [Fact]
    public async Task Change_ThatIsRefused_SaysWhyAndIsNotDone()
    {
        CommandRun run = await MustAsync(ExitCode.NotDone, "release", "5EED09");
        Assert.Contains("5EED09: refused (notHeld)", run.Error, StringComparison.Ordinal);
        Assert.Equal("", run.Output);
    }

    [Fact]
    public async Task Change_ByList_GoesOnWithTheSameId()
    {
        string list = _host.File("list");
        await File.WriteAllLinesAsync(list, ["# stolen", "5EED11", "decimal:6221074 # the same as 5EED12", "5e:ed:13"], TestContext.Current.CancellationToken);

        CommandRun first = await MustAsync(ExitCode.Good, "revoke", "--list", list, "--id", "lost", "--json");
        CommandRun second = await MustAsync(ExitCode.Good, "revoke", "--list", list, "--id", "lost", "--json");

        Assert.Equal((3, 0), Summary(first));
        Assert.Equal((0, 3), Summary(second));
        await MustAsync(ExitCode.Revoked, "status", "5EED12");

        static (int Applied, int Duplicate) Summary(CommandRun run)
        {
            JsonElement summary = JsonDocument.Parse(run.Output.Split('\n')[0]).RootElement.GetProperty("summary");
            return (summary.GetProperty("applied").GetInt32(), summary.GetProperty("duplicate").GetInt32());
        }
    }

    [Fact]
    public async Task Issue_ByCertificateFile_ReadsItsEnd()
    {
        CommandRun unissued = await MustAsync(ExitCode.Unknown, "status", "--cert", Path.Combine(_host.Data, "demo", "unissued.pem"));
        await MustAsync(ExitCode.Good, "issue", "--cert", Path.Combine(_host.Data, "demo", "unissued.pem"));
        CommandRun issued = await MustAsync(ExitCode.Good, "status", "--cert", Path.Combine(_host.Data, "demo", "unissued.pem"));

        Assert.Contains("has told nothing of it", unissued.Output, StringComparison.Ordinal);
        Assert.Contains("  ends ", issued.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Import_OfEachForm_IsRecognizedAndMayBeRunAgain()
    {
        Dictionary<string, string> files = new()
        {
            ["index"] = "V\t401231235959Z\t\tAB01\tunknown\t/CN=a\nR\t401231235959Z\t260101000000Z,superseded\tAB02\tunknown\t/CN=b\n",
            ["csv"] = "serial,kind,at,reason\nAB03,revoked,2026-02-01T00:00:00Z,superseded\n",
            ["ndjson"] = """{"id":"n1","serial":"AB04","kind":"held","at":"2026-02-01T00:00:00Z"}""" + "\n",
        };
        foreach ((string form, string content) in files)
        {
            string file = _host.File("import." + form);
            await File.WriteAllTextAsync(file, content, TestContext.Current.CancellationToken);
            Assert.Contains("would be recorded, 0 known already, 0 not taken", (await MustAsync(ExitCode.Good, "import", file, "--dry-run")).Output, StringComparison.Ordinal);
            Assert.Contains(" recorded, 0 known already, 0 not taken", (await MustAsync(ExitCode.Good, "import", file)).Output, StringComparison.Ordinal);
            Assert.Contains(": 0 events recorded", (await MustAsync(ExitCode.Good, "import", file)).Output, StringComparison.Ordinal);
        }

        await MustAsync(ExitCode.Revoked, "status", "AB02", "AB03", "AB04");
        await File.WriteAllTextAsync(_host.File("bad"), "serial,kind,at\nxyz,revoked,2026-02-01T00:00:00Z\n", TestContext.Current.CancellationToken);
        Assert.NotEqual("", (await MustAsync(ExitCode.NotDone, "import", _host.File("bad"))).Error);
        await File.WriteAllTextAsync(_host.File("what"), "no idea", TestContext.Current.CancellationToken);
        await MustAsync(ExitCode.Usage, "import", _host.File("what"));
    }

    [Fact]
    public async Task Import_WithData_GoesIntoAStoppedRespondersStoreOnly()
    {
        string file = _host.File("more.csv");
        await File.WriteAllTextAsync(file, "serial,kind,at\nAB05,issued,2026-02-01T00:00:00Z\n", TestContext.Current.CancellationToken);
        string[] local = ["import", file, "--data", _host.Data, "--issuer", "demo"];

        CommandRun whileItRuns = await CommandRun.RunAsync(local);
        CommandRun? stopped = null;
        await _host.RestartAsync(async () => stopped = await CommandRun.RunAsync(local));

        Assert.Equal(ExitCode.CouldNotTell, whileItRuns.ExitCode);
        Assert.Contains("--admin", whileItRuns.Error, StringComparison.Ordinal);
        Assert.True(stopped!.ExitCode == ExitCode.Good, stopped.ToString());
        await MustAsync(ExitCode.Good, "status", "AB05");
    }

    [Fact]
    public async Task Keys_ThroughTheApiOrInTheDirectory_AreMadeListedAndRevoked()
    {
        CommandRun made = await MustAsync(ExitCode.Good, "keys", "create", "--name", "issuing CA", "--scope", "read:demo", "--days", "3");
        string key = made.Output.Trim();
        string[] asked = ["status", "5EED01", "--admin", _host.Admin.ToString(), "--timeout", "60", "--key", key];
        Assert.Equal(ExitCode.Unknown, (await CommandRun.RunAsync(asked)).ExitCode);
        Assert.Contains("'ocspctl keys create' makes another", (await CommandRun.RunAsync(["hold", .. asked[1..]])).Error, StringComparison.Ordinal);

        Assert.Contains($"{key[..16]}\tvalid\tread:demo\t", (await MustAsync(ExitCode.Good, "keys", "list")).Output, StringComparison.Ordinal);
        CommandRun local = await CommandRun.RunAsync("keys", "revoke", key[..16], "--data", _host.Data);
        Assert.True(local.ExitCode == ExitCode.Good, local.ToString());
        CommandRun refused = await CommandRun.RunAsync(asked);

        Assert.Equal(ExitCode.CouldNotTell, refused.ExitCode);
        Assert.Contains("The key is wrong, revoked or expired", refused.Error, StringComparison.Ordinal);
        await MustAsync(ExitCode.Usage, "keys", "revoke", "0123456789abcdef");
        await MustAsync(ExitCode.Usage, "keys", "create", "--name", "x", "--scope", "everything");
    }

    [Fact]
    public async Task Plan_OfARunningResponder_IsMeasuredThere()
    {
        CommandRun enough = await MustAsync(ExitCode.Good, "plan", "--certificates", "1000", "--json");
        CommandRun tooMany = await MustAsync(ExitCode.NotDone, "plan", "--certificates", "9000000000", "--json");

        Assert.True(JsonDocument.Parse(enough.Output).RootElement.GetProperty("measuredPerSecond").GetDouble() > 1);
        Assert.False(JsonDocument.Parse(tooMany.Output).RootElement.GetProperty("isSufficient").GetBoolean());
    }

    [Fact]
    public async Task Audit_OfARunningResponder_ProvesEntriesAndGrowth()
    {
        string[] verify = ["audit", "verify", "--journal-key", Path.Combine(_host.Data, "journal.pub"), "--state", _host.File("checkpoint")];
        CommandRun first = await MustAsync(ExitCode.Good, [.. verify, "--position", "3"]);
        CommandRun second = await MustAsync(ExitCode.Good, verify);
        CommandRun here = await CommandRun.RunAsync("audit", "verify", "--data", _host.Data);

        Assert.Contains("position 3: ", first.Output, StringComparison.Ordinal);
        Assert.Contains("by appending alone", second.Output, StringComparison.Ordinal);
        Assert.True(here.ExitCode == ExitCode.Good && here.Output.Contains("all verified", StringComparison.Ordinal), here.ToString());
    }

    [Fact]
    public async Task Audit_OfAnotherJournal_IsNotSound()
    {
        await using RunningHost other = await RunningHost.StartAsync();
        string state = _host.File("checkpoint");
        await MustAsync(ExitCode.Good, "audit", "verify", "--journal-key", Path.Combine(_host.Data, "journal.pub"), "--state", state);

        CommandRun wrongKey = await MustAsync(ExitCode.NotDone, "audit", "verify", "--journal-key", Path.Combine(other.Data, "journal.pub"));
        Assert.Contains("not signed by this key", wrongKey.Output, StringComparison.Ordinal);

        // The same key signs for another history: what a rewritten journal looks like.
        await _host.StopAsync();
        foreach (string name in new[] { "journal.key", "journal.pub" })
        {
            File.Copy(Path.Combine(_host.Data, name), Path.Combine(other.Data, name), overwrite: true);
        }

        await other.RestartAsync();
        CommandRun rewritten = await other.RunAsync("audit", "verify", "--journal-key", Path.Combine(other.Data, "journal.pub"), "--state", state);
        Assert.True(rewritten.ExitCode == ExitCode.NotDone, rewritten.ToString());
        Assert.Contains("history was rewritten", rewritten.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("status")]
    [InlineData("status", "xyz")]
    [InlineData("revoke", "01", "--reason", "nonsense")]
    [InlineData("revoke", "01", "--at", "yesterday")]
    [InlineData("revoke", "01", "--at", "2026-01-01T00:00:00")]
    [InlineData("release", "01", "--reason", "keyCompromise")]
    [InlineData("hold", "01", "--issued-from", "2026-01-01")]
    [InlineData("status", "01", "--issuer", "nobody")]
    [InlineData("explain", "01", "--hash", "md5")]
    [InlineData("plan", "--certificates", "-1")]
    public async Task CommandLine_Misuse_IsToldApart(params string[] args)
    {
        CommandRun run = await MustAsync(ExitCode.Usage, args);
        Assert.StartsWith("ocspctl: ", run.Error, StringComparison.Ordinal);
        Assert.Equal("", run.Output);
    }

    [Theory]
    [InlineData("http://127.0.0.1:1/", "cannot be reached")]
    [InlineData("http://192.0.2.1/", "is not https")]
    [InlineData("ftp://127.0.0.1/", "is not an http or https URL")]
    public async Task Admin_ThatCannotBeAsked_SaysWhatToDo(string admin, string expected)
    {
        CommandRun run = await CommandRun.RunAsync("status", "01", "--admin", admin, "--key", "a.b");
        Assert.Contains(expected, run.Error, StringComparison.Ordinal);
    }

    private async Task<CommandRun> MustAsync(int exitCode, params IEnumerable<string> args)
    {
        CommandRun run = await _host.RunAsync(args);
        Assert.True(run.ExitCode == exitCode, $"{string.Join(' ', args)}\n{run}");
        return run;
    }
}
