using System.Net;
using System.Net.Http.Headers;
using OcspCluster.Standalone.Tests.Host;
using OcspCluster.Testing;

namespace OcspCluster.Standalone.Tests.Admin;

/// <summary>The keys as an operator has them: made by the first start and by the verb <c>keys</c>, while the responder runs.</summary>
public sealed class KeysProcessTests : IDisposable
{
    private readonly ScratchDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task FirstStart_WritesOneOperatorKey_AndKeysAreMadeAndRevokedWhileItRuns()
    {
        await using HostProcess host = await HostProcess.StartAsync(_directory.Path, "--data", "d");
        Assert.Contains("operator key: d/admin.key", host.Output, StringComparison.Ordinal);
        string file = _directory.File("d/admin.key");
        Assert.True(OperatingSystem.IsWindows() || File.GetUnixFileMode(file) == (UnixFileMode.UserRead | UnixFileMode.UserWrite));
        Assert.Equal(HttpStatusCode.OK, await AskAsync(host, "v1/issuers/demo", File.ReadAllText(file).Trim()));
        Assert.Equal(HttpStatusCode.OK, await AskAsync(host, "health/live", null));
        Assert.Equal(HttpStatusCode.Unauthorized, await AskAsync(host, "v1/issuers/demo", null));

        (int exitCode, string made, _) = await KeysAsync("create", "--name", "reader", "--scope", "read:demo", "--days", "1");
        Assert.Equal(0, exitCode);
        string key = made.Split('\n')[0].Trim();
        Assert.Equal(HttpStatusCode.OK, await AskAsync(host, "v1/issuers/demo", key));

        (_, string list, _) = await KeysAsync("list");
        Assert.Contains($"{key[..16]}\tvalid\tread:demo\t", list, StringComparison.Ordinal);
        Assert.Equal(2, list.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.DoesNotContain(key[17..], list, StringComparison.Ordinal);

        Assert.Equal(0, (await KeysAsync("revoke", key[..16])).ExitCode);
        Assert.Equal(HttpStatusCode.Unauthorized, await AskAsync(host, "v1/issuers/demo", key));
    }

    [Fact]
    public async Task SecondStart_MakesNoKey()
    {
        await using (HostProcess first = await HostProcess.StartAsync(_directory.Path, "--data", "d"))
        {
            await first.KillAsync();
        }

        string key = File.ReadAllText(_directory.File("d/admin.key"));
        await using HostProcess again = await HostProcess.StartAsync(_directory.Path, "--data", "d");
        Assert.DoesNotContain("operator key", again.Output, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, await AskAsync(again, "v1/issuers", key.Trim()));
    }

    [Fact]
    public async Task Keys_ThatCannotBeMade_AreExitCode2()
    {
        Directory.CreateDirectory(_directory.File("d"));
        Assert.Equal(2, (await KeysAsync("create", "--name", "x", "--scope", "root")).ExitCode);
        Assert.Equal(2, (await KeysAsync("create", "--name", "x", "--scope", "read", "--days", "0")).ExitCode);
        Assert.Equal(2, (await KeysAsync("revoke", "0123456789abcdef")).ExitCode);
        Assert.Equal(3, (await KeysAsync(() => File.WriteAllText(_directory.File("d/keys.json"), "{"), "list")).ExitCode);
    }

    private Task<(int ExitCode, string Output, string Error)> KeysAsync(params string[] arguments) => HostProcess.RunAsync(_directory.Path, ["keys", .. arguments, "--data", "d"]);

    private Task<(int ExitCode, string Output, string Error)> KeysAsync(Action before, params string[] arguments)
    {
        before();
        return KeysAsync(arguments);
    }

    private static async Task<HttpStatusCode> AskAsync(HostProcess host, string path, string? key)
    {
        using HttpClient client = new() { Timeout = TimeSpan.FromSeconds(60) };
        client.DefaultRequestHeaders.Authorization = key is null ? null : new AuthenticationHeaderValue("Bearer", key);
        using HttpResponseMessage response = await client.GetAsync(new Uri(host.AdminUri, path));
        return response.StatusCode;
    }
}
