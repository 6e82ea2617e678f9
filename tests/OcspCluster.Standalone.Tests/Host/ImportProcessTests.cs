using System.Globalization;
using OcspCluster.Standalone.Tests.Import;
using OcspCluster.Testing;

namespace OcspCluster.Standalone.Tests.Host;

/// <summary>Day one of a person with a CA of <c>openssl ca</c>: configure, import, serve, ask.</summary>
public sealed class ImportProcessTests : IDisposable
{
    private readonly ScratchDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Import_OfAnIndexByOpenSslCa_IsWhatOpenSslOcspIsTold()
    {
        ExternalTool? openssl = ExternalTool.Find("openssl");
        Assert.SkipWhen(openssl is null, "This machine has no openssl.");
        using OpenSslCa ca = OpenSslCa.Create();
        string good = ca.Issue("good");
        string revoked = ca.Revoke(ca.Issue("revoked"), "-crl_reason", "superseded");
        string folder = Path.GetDirectoryName(ca.IndexFile)!;
        await File.WriteAllTextAsync(_directory.File("appsettings.json"), $$"""
            { "Issuers": { "web": { "Certificate": "{{folder}}/ca.pem", "Responder": { "Key": "{{folder}}/ca.key" } } } }
            """);

        string[] import = ["import", "--issuer", "web", "--index", ca.IndexFile];
        (int exitCode, string output, string error) = await HostProcess.RunAsync(_directory.Path, [.. import, "--dry-run"]);
        Assert.True(exitCode == 0, error);
        Assert.Contains("3 events would be recorded", output, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_directory.File("data")));

        (exitCode, output, error) = await HostProcess.RunAsync(_directory.Path, import);
        Assert.True(exitCode == 0, error);
        Assert.Contains("3 events recorded, 0 certificates were known already, 0 lines not taken", output, StringComparison.Ordinal);

        await using HostProcess host = await HostProcess.StartAsync(_directory.Path);
        ToolResult answer = await openssl.RunAsync(
            ["ocsp", "-issuer", "ca.pem", "-cert", $"certs/{good}.pem", "-cert", $"certs/{revoked}.pem", "-url", host.OcspUri.ToString(), "-CAfile", "ca.pem"], folder);
        Assert.Contains("Response verify OK", answer.Error, StringComparison.Ordinal);
        Assert.Contains($"{good}.pem: good", answer.Output, StringComparison.Ordinal);
        Assert.Contains($"{revoked}.pem: revoked", answer.Output, StringComparison.Ordinal);
        Assert.Contains("Reason: superseded", answer.Output, StringComparison.Ordinal);

        (exitCode, _, error) = await HostProcess.RunAsync(_directory.Path, import);
        Assert.Equal(3, exitCode);
        Assert.Contains("is in use by process", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Import_WithLinesThatAreWrong_NamesThemAndTakesTheRest()
    {
        await File.WriteAllTextAsync(_directory.File("index.txt"), "V\t491231235959Z\t\t1001\tunknown\t/CN=a\nX\t491231235959Z\t\t1002\tunknown\t/CN=b\n");
        (int exitCode, string output, string error) = await HostProcess.RunAsync(_directory.Path, ["import", "--issuer", "demo", "--index", "index.txt"]);
        Assert.Equal(1, exitCode);
        Assert.Contains("Line 2", error, StringComparison.Ordinal);
        Assert.Contains("1 events recorded", output, StringComparison.Ordinal);
        Assert.Contains("1 lines not taken", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Import_DryRun_MeetsTheSameRefusals()
    {
        await File.WriteAllTextAsync(_directory.File("revoked.txt"), "R\t491231235959Z\t260101000000Z,keyCompromise\t1001\tunknown\t/CN=a\n");
        await File.WriteAllTextAsync(_directory.File("good.txt"), "V\t491231235959Z\t\t1001\tunknown\t/CN=a\n");
        Assert.Equal(0, (await HostProcess.RunAsync(_directory.Path, ["import", "--issuer", "demo", "--index", "revoked.txt"])).ExitCode);

        (int exitCode, string output, string error) = await HostProcess.RunAsync(_directory.Path, ["import", "--issuer", "demo", "--index", "good.txt", "--dry-run"]);
        Assert.Equal(1, exitCode);
        Assert.Contains("revoked, and that is for good", error, StringComparison.Ordinal);
        Assert.Contains("Nothing was changed.", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Import_ForAnIssuerThatIsNotConfigured_IsRefused()
    {
        await File.WriteAllTextAsync(_directory.File("index.txt"), "");
        (int exitCode, _, string error) = await HostProcess.RunAsync(_directory.Path, ["import", "--issuer", "dmo", "--index", "index.txt"]);
        Assert.Equal(2, exitCode);
        Assert.Contains("--issuer = dmo", error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_directory.File("data")));
    }

    /// <summary>The bound is generous, for the sake of slow machines; the time taken is in the test's output.</summary>
    [Fact]
    public async Task Start_WithAMillionCertificates_IsReadyWithinSeconds()
    {
        const int Count = 1_000_000;
        await using (StreamWriter index = new(_directory.File("index.txt")))
        {
            for (int i = 0; i < Count; i++)
            {
                await index.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"V\t491231235959Z\t\t{0x1000_0000_0000L + i:X}\tunknown\t/CN=a"));
            }
        }

        long start = TimeProvider.System.GetTimestamp();
        (int exitCode, string output, string error) = await HostProcess.RunAsync(_directory.Path, ["import", "--issuer", "demo", "--index", "index.txt"]);
        TimeSpan import = TimeProvider.System.GetElapsedTime(start);
        Assert.True(exitCode == 0, error);
        Assert.Contains("1,000,000 events recorded", output, StringComparison.Ordinal);

        start = TimeProvider.System.GetTimestamp();
        await using HostProcess host = await HostProcess.StartAsync(_directory.Path);
        TimeSpan ready = TimeProvider.System.GetElapsedTime(start);
        TestContext.Current.TestOutputHelper?.WriteLine($"import {import.TotalSeconds:F1} s, process start to ready {ready.TotalSeconds:F2} s");
        Assert.InRange(ready, TimeSpan.Zero, TimeSpan.FromSeconds(20));
    }

    [Fact]
    public async Task Import_IntoARunningResponder_GoesThroughItsApi()
    {
        string[] index = ["import", "index", "--issuer", "demo", "--index", "index.txt"];
        await File.WriteAllTextAsync(_directory.File("index.txt"), "R\t491231235959Z\t260101000000Z,keyCompromise\t1001\tunknown\t/CN=a\nX\t491231235959Z\t\t1002\tunknown\t/CN=b\n");
        await File.WriteAllTextAsync(_directory.File("table.csv"), "serial,kind,at\n1003,issued,2026-01-01T00:00:00Z\n");
        await using HostProcess host = await HostProcess.StartAsync(_directory.Path);

        (int exitCode, string output, string error) = await HostProcess.RunAsync(_directory.Path, index);
        Assert.Equal(3, exitCode);
        Assert.Contains("--admin URL", error, StringComparison.Ordinal);

        string[] through = ["--admin", host.AdminUri.ToString(), "--key-file", "data/admin.key"];
        (exitCode, output, error) = await HostProcess.RunAsync(_directory.Path, [.. index, .. through]);
        Assert.True(exitCode == 1, error);
        Assert.Contains("2 lines for issuer 'demo': 2 events recorded, 0 certificates were known already, 1 lines not taken.", output, StringComparison.Ordinal);
        Assert.Contains("Line 2", error, StringComparison.Ordinal);

        (exitCode, output, error) = await HostProcess.RunAsync(_directory.Path, ["import", "csv", "--issuer", "demo", "--file", "table.csv", .. through]);
        Assert.True(exitCode == 0, error);
        Assert.Contains("1 lines for issuer 'demo': 1 events recorded, 0 were recorded before, 0 lines not taken.", output, StringComparison.Ordinal);

        (exitCode, _, error) = await HostProcess.RunAsync(_directory.Path, ["import", "csv", "--issuer", "nobody", "--file", "table.csv", .. through]);
        Assert.Equal(3, exitCode);
        Assert.Contains("no issuer 'nobody'", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Import_OfACrlByOpenSslCa_IsTakenOnceAndVerified()
    {
        using OpenSslCa ca = OpenSslCa.Create();
        ca.Revoke(ca.Issue("revoked"), "-crl_reason", "superseded");
        string folder = Path.GetDirectoryName(ca.IndexFile)!;
        string crl = ca.MakeCrl();
        await File.WriteAllTextAsync(_directory.File("appsettings.json"), $$"""
            { "Issuers": { "web": { "Certificate": "{{folder}}/ca.pem", "Responder": { "Key": "{{folder}}/ca.key" } } } }
            """);
        string[] import = ["import", "crl", "--issuer", "web", "--crl", crl];

        (int exitCode, string output, string error) = await HostProcess.RunAsync(_directory.Path, import);
        Assert.True(exitCode == 0, error);
        Assert.Contains("1 entries for issuer 'web': 1 events recorded", output, StringComparison.Ordinal);

        (exitCode, output, error) = await HostProcess.RunAsync(_directory.Path, import);
        Assert.True(exitCode == 0, error);
        Assert.Contains("taken before", error, StringComparison.Ordinal);

        using OpenSslCa other = OpenSslCa.Create(); // the same name, another key
        (exitCode, _, error) = await HostProcess.RunAsync(_directory.Path, [.. import[..^1], other.MakeCrl()]);
        Assert.Equal(1, exitCode);
        Assert.Contains("did not sign", error, StringComparison.Ordinal);
    }
}
