using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;
using OcspCluster.Testing;

namespace OcspCluster.Standalone.Tests.Host;

/// <summary>The program as an operator meets it.</summary>
public sealed class HostProcessTests : IDisposable
{
    private readonly ScratchDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Demo_LinesThatItPrints_AreAnsweredAsItSays()
    {
        ExternalTool? shell = ExternalTool.Find("sh");
        Assert.SkipWhen(shell is null || ExternalTool.Find("openssl") is null, "This machine has no openssl.");
        await using HostProcess host = await HostProcess.StartAsync(_directory.Path);
        string[] lines = [.. host.Output.Split('\n').Where(line => line.TrimStart().StartsWith("openssl ocsp", StringComparison.Ordinal))];
        Assert.Equal(4, lines.Length);

        Assert.Contains("good.pem: good", await AskAsync(lines[0]), StringComparison.Ordinal);
        string revoked = await AskAsync(lines[1]);
        Assert.Contains("revoked.pem: revoked", revoked, StringComparison.Ordinal);
        Assert.Contains("Reason: keyCompromise", revoked, StringComparison.Ordinal);
        string held = await AskAsync(lines[2]);
        Assert.Contains("held.pem: revoked", held, StringComparison.Ordinal);
        Assert.Contains("Reason: certificateHold", held, StringComparison.Ordinal);
        Assert.Contains("Responder Error: unauthorized (6)", await AskAsync(lines[3], verifies: false), StringComparison.Ordinal);

        async Task<string> AskAsync(string line, bool verifies = true)
        {
            ToolResult result = await shell.RunAsync(["-c", line], _directory.Path);
            Assert.Equal(verifies, result.Error.Contains("Response verify OK", StringComparison.Ordinal));
            return result.Output + result.Error;
        }
    }

    [Fact]
    public async Task Demo_SecondStart_KeepsItsFilesAndStatuses()
    {
        (int exitCode, _, _) = await EndAsync(await HostProcess.StartAsync(_directory.Path));
        Assert.Equal(0, exitCode);
        Dictionary<string, string> before = ReadDemo();
        await using (HostProcess again = await HostProcess.StartAsync(_directory.Path))
        {
            Assert.Equal(before, ReadDemo());
            using HttpClient client = new();
            Assert.Equal(HttpStatusCode.OK, (await client.GetAsync(new Uri(again.AdminUri, "health/ready"))).StatusCode);
        }
    }

    [Fact]
    public async Task Demo_PrivateKeys_AreTheOwnersAlone()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Windows has no such permissions.");
            return;
        }

        await using HostProcess host = await HostProcess.StartAsync(_directory.Path);
        string[] keys = Directory.GetFiles(_directory.File("data/demo"), "*.key");
        Assert.Equal(2, keys.Length);
        foreach (string key in keys)
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(key));
        }
    }

    [Fact]
    public async Task Health_OfARunningHost_IsLiveAndReady()
    {
        await using HostProcess host = await HostProcess.StartAsync(_directory.Path);
        using HttpClient client = new();
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync(new Uri(host.AdminUri, "health/live"))).StatusCode);
        JsonElement ready = await client.GetFromJsonAsync<JsonElement>(new Uri(host.AdminUri, "health/ready"));
        Assert.Equal("ready", ready.GetProperty("status").GetString());
        Assert.Empty(ready.GetProperty("notReady").EnumerateArray());
    }

    [Fact]
    public async Task Sigterm_WithAnIdleConnection_EndsWithinSecondsWithExitCode0()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no SIGTERM.");
        await using HostProcess host = await HostProcess.StartAsync(_directory.Path);
        using TcpClient idle = new(host.OcspUri.Host, host.OcspUri.Port);
        long start = Stopwatch.GetTimestamp();
        host.Terminate();
        (int exitCode, _, string error) = await host.WaitForExitAsync();
        Assert.Equal(0, exitCode);
        Assert.DoesNotContain("Exception", error, StringComparison.Ordinal);
        Assert.InRange(Stopwatch.GetElapsedTime(start), TimeSpan.Zero, TimeSpan.FromSeconds(15));
    }

    [Fact]
    public async Task SecondProcess_OnTheSameDataDirectory_IsRefusedInWords()
    {
        await using HostProcess host = await HostProcess.StartAsync(_directory.Path);
        (int exitCode, string output, string error) = await HostProcess.RunAsync(_directory.Path, ["--ocsp", "http://127.0.0.1:0", "--admin", "http://127.0.0.1:0"]);
        Assert.Equal(3, exitCode);
        Assert.Contains("is in use by process", error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
        Assert.Empty(output);
    }

    [Theory]
    [InlineData("--ocsp", "--admin", "Ocsp:Url")]
    [InlineData("--admin", "--ocsp", "Admin:Url")]
    public async Task PortInUse_IsToldInWords(string busyOption, string freeOption, string key)
    {
        using TcpListener other = new(IPAddress.Loopback, 0);
        other.Start();
        string url = $"http://{other.LocalEndpoint}";
        (int exitCode, _, string error) = await HostProcess.RunAsync(_directory.Path, [busyOption, url, freeOption, "http://127.0.0.1:0"]);
        Assert.Equal(3, exitCode);
        Assert.Contains($"{key} = {url}: the address is in use", error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task KillMinusNine_AfterTheDemoWasSeeded_LosesNothing()
    {
        ExternalTool? openssl = ExternalTool.Find("openssl");
        Assert.SkipWhen(openssl is null, "This machine has no openssl.");
        HostProcess host = await HostProcess.StartAsync(_directory.Path);
        await using (host)
        {
            await host.KillAsync();
        }

        Dictionary<string, string> before = ReadDemo();
        await using HostProcess again = await HostProcess.StartAsync(_directory.Path);
        Assert.Equal(before, ReadDemo());
        ToolResult result = await openssl.RunAsync(
            ["ocsp", "-issuer", "data/demo/ca.pem", "-cert", "data/demo/revoked.pem", "-url", again.OcspUri.ToString(), "-CAfile", "data/demo/ca.pem"], _directory.Path);
        Assert.Contains("revoked.pem: revoked", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Configuration_ThatCannotWork_IsToldAtOnceWithExitCode2()
    {
        (int exitCode, string output, string error) = await HostProcess.RunAsync(
            _directory.Path,
            ["--admin", "http://0.0.0.0:1", "--set", "Issuers:web:Certificate=missing.pem", "--set", "Issuers:web:Responder:Key=missing.key"],
            new Dictionary<string, string> { ["OCSPCLUSTER_Ocsp__MaxCertIdz"] = "3" });
        Assert.Equal(2, exitCode);
        Assert.Empty(output);
        Assert.Contains("4 things are wrong", error, StringComparison.Ordinal);
        Assert.Contains("Ocsp:MaxCertIdz: there is no such key; did you mean 'MaxCertIds'?", error, StringComparison.Ordinal);
        Assert.Contains("Admin:Url = http://0.0.0.0:1", error, StringComparison.Ordinal);
        Assert.Contains("Issuers:web:Certificate = missing.pem", error, StringComparison.Ordinal);
        Assert.Contains("Issuers:web:Responder:Key = missing.key", error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_directory.File("data")));
    }

    [Fact]
    public async Task DotnetRun_WorksWhereTheOperatorStands()
    {
        // The web SDK would run it in the project's folder, and the demo's commands could not be pasted.
        string root = Path.GetFullPath("../../../../..", AppContext.BaseDirectory);
        ToolResult result = await ExternalTool.Find("dotnet")!.RunAsync(
            ["msbuild", Path.Combine(root, "src/OcspCluster.Standalone/OcspCluster.Standalone.csproj"), "-getProperty:RunWorkingDirectory"], _directory.Path);
        Assert.Equal(0, result.ExitCode);
        Assert.Equal("", result.Output.Trim());
    }

    [Fact]
    public async Task CommandLine_WithAnUnknownOption_IsExitCode2()
    {
        (int exitCode, _, string error) = await HostProcess.RunAsync(_directory.Path, ["--dat", "x"]);
        Assert.Equal(2, exitCode);
        Assert.Contains("--dat", error, StringComparison.Ordinal);
    }

    private static async Task<(int ExitCode, string Output, string Error)> EndAsync(HostProcess host)
    {
        await using (host)
        {
            host.Terminate();
            return await host.WaitForExitAsync();
        }
    }

    private Dictionary<string, string> ReadDemo() =>
        Directory.GetFiles(_directory.File("data/demo")).ToDictionary(file => Path.GetFileName(file), File.ReadAllText);
}
