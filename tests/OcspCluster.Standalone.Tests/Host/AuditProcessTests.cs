using OcspCluster.Hosting.Audit;
using OcspCluster.Standalone.Tests.Audit;

namespace OcspCluster.Standalone.Tests.Host;

/// <summary>The audit's verbs as an operator uses them.</summary>
public sealed class AuditProcessTests : IDisposable
{
    private readonly AuditedStore _store = new();

    public void Dispose() => _store.Dispose();

    [Fact]
    public async Task Audit_OfADamageFromVerifyToRebuild_IsFoundAndMended()
    {
        await _store.FillAsync();
        (int exitCode, string output, _) = await RunAsync("verify");
        Assert.Equal(0, exitCode);
        Assert.Contains("sound: issuer 'issuing-ca-1': 341 entries, 200 certificates, root ", output, StringComparison.Ordinal);
        Assert.Contains("signed for up to 341 at 2026-06-15 12:00:00Z", output, StringComparison.Ordinal);

        _store.Execute("DELETE FROM status WHERE position = 170");
        (exitCode, output, _) = await RunAsync("verify");
        Assert.Equal(4, exitCode);
        Assert.Contains("not sound: issuer 'issuing-ca-1'", output, StringComparison.Ordinal);
        Assert.Contains("first of 1 findings: entry 170: StatusMissing", output, StringComparison.Ordinal);

        (exitCode, output, string error) = await RunAsync("rebuild");
        Assert.True(exitCode == 0, error);
        Assert.Contains("rebuilt; the store of before is", output, StringComparison.Ordinal);
        Assert.Equal(0, (await RunAsync("verify")).ExitCode);

        _store.Execute("UPDATE journal SET at = at + 1 WHERE key & 0xFFFFFFFFFF = 5");
        (exitCode, _, error) = await RunAsync("rebuild");
        Assert.Equal(3, exitCode);
        Assert.Contains("journal entry 5", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Export_TakenElsewhere_IsCheckedWithThePublicKeyAlone()
    {
        await _store.FillAsync();
        string file = Path.Combine(_store.Path, "export.ndjson");
        (int exitCode, string output, string error) = await RunAsync("export", "--issuer", "issuing-ca-1", "--output", file);
        Assert.True(exitCode == 0, error);
        Assert.Contains("341 entries of issuer 'issuing-ca-1'", output, StringComparison.Ordinal);

        string[] check = ["check", "--file", file, "--key", Path.Combine(_store.Path, JournalKeyFile.PublicFileName)];
        (exitCode, output, _) = await RunAsync(check);
        Assert.Equal(0, exitCode);
        Assert.StartsWith("sound: issuer 'issuing-ca-1': 341 entries", output, StringComparison.Ordinal);

        string[] lines = await File.ReadAllLinesAsync(file);
        lines[41] = lines[41].Replace("\"kind\":\"issued\"", "\"kind\":\"held\"", StringComparison.Ordinal);
        await File.WriteAllLinesAsync(file, lines);
        (exitCode, output, _) = await RunAsync(check);
        Assert.Equal(4, exitCode);
        Assert.Contains("entry 41: HashMismatch", output, StringComparison.Ordinal);

        (exitCode, _, error) = await RunAsync("export", "--issuer", "issuing-ca-1", "--output", file);
        Assert.Equal(2, exitCode); // it is there already
        Assert.Contains("--output", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Verify_WhereThereIsNoStore_SaysSo()
    {
        (int exitCode, _, string error) = await RunAsync("verify");

        Assert.Equal(3, exitCode);
        Assert.Contains("cannot be opened", error, StringComparison.Ordinal);
        Assert.False(File.Exists(_store.DatabaseFile));
    }

    private Task<(int ExitCode, string Output, string Error)> RunAsync(params string[] arguments) =>
        HostProcess.RunAsync(_store.Path, ["audit", .. arguments, "--data", _store.Path]);
}
