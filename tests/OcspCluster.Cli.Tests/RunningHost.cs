using System.Security.Cryptography.X509Certificates;
using OcspCluster.Client.Tests;
using OcspCluster.Hosting.Configuration;
using OcspCluster.Standalone;
using OcspCluster.Testing;

namespace OcspCluster.Cli.Tests;

/// <summary>This project's responder in this process, on free ports, with its demo CA or one of the tests', and its operator's key.</summary>
internal sealed class RunningHost : IAsyncDisposable
{
    private readonly ScratchDirectory _directory = new();
    private readonly Dictionary<string, string?> _more = [];
    private StandaloneHost _host = null!;

    public Uri Ocsp => _host.OcspUris[0];

    public Uri Admin => _host.AdminUris[0];

    public string Data => _directory.File("data");

    public string KeyFile => Path.Combine(Data, StandaloneHost.OperatorKeyFileName);

    public string File(string name) => _directory.File(name);

    public static async Task<RunningHost> StartAsync()
    {
        RunningHost host = new();
        await host.StartAsync("http://127.0.0.1:0", "http://127.0.0.1:0");
        return host;
    }

    /// <summary>Answers for a CA of the tests, by a delegate of it.</summary>
    public static async Task<RunningHost> StartForAsync(string id, TestAuthority authority)
    {
        RunningHost host = new();
        using X509Certificate2 responder = authority.IssueResponder();
        foreach ((string key, string content) in new[]
        {
            ("Certificate", authority.Certificate.ExportCertificatePem()),
            ("Responder:Certificate", responder.ExportCertificatePem()),
            ("Responder:Key", responder.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem()),
        })
        {
            host._more[$"Issuers:{id}:{key}"] = host.Save(key.Replace(':', '.') + ".pem", content);
        }

        await host.StartAsync("http://127.0.0.1:0", "http://127.0.0.1:0");
        return host;
    }

    /// <summary>Has TLS on its admin listener, by a certificate of a CA of the tests for localhost, and takes that CA's client certificates.</summary>
    public static async Task<RunningHost> StartWithTlsAsync(TestAuthority authority)
    {
        RunningHost host = new();
        using X509Certificate2 server = authority.Issue();
        host._more["Admin:Certificate"] = host.Save("admin.pem", server.ExportCertificatePem());
        host._more["Admin:Key"] = host.Save("admin-tls.key", server.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        host._more["Admin:ClientCa"] = host.Save("clients.pem", authority.Certificate.ExportCertificatePem());
        await host.StartAsync("http://127.0.0.1:0", "https://127.0.0.1:0");
        return host;
    }

    /// <summary>Writes a file that nobody else may read.</summary>
    public string Save(string name, string content)
    {
        string file = File(name);
        System.IO.File.WriteAllText(file, content + "\n");
        if (!OperatingSystem.IsWindows())
        {
            System.IO.File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        return file;
    }

    /// <summary>Ends it, and starts it again at the same addresses.</summary>
    public async Task RestartAsync(Func<Task>? between = null)
    {
        (string ocsp, string admin) = (Ocsp.GetLeftPart(UriPartial.Authority), Admin.GetLeftPart(UriPartial.Authority));
        await _host.DisposeAsync();
        await (between?.Invoke() ?? Task.CompletedTask);
        await StartAsync(ocsp, admin);
    }

    public Task StopAsync() => _host.DisposeAsync().AsTask();

    /// <summary>Runs a verb against it.</summary>
    public Task<CommandRun> RunAsync(params IEnumerable<string> args) => RunAsync(width: null, args);

    /// <summary>Runs a verb against it, on a terminal of a width.</summary>
    public Task<CommandRun> RunAsync(int? width, params IEnumerable<string> args) =>
        CommandRun.RunAsync([.. args, "--admin", Admin.ToString(), "--key-file", KeyFile, "--timeout", "60"], width);

    public async ValueTask DisposeAsync()
    {
        await _host.DisposeAsync();
        _directory.Dispose();
    }

    private async Task StartAsync(string ocsp, string admin)
    {
        Settings settings = Settings.FromKeys([KeyValuePair.Create("Data", (string?)Data), KeyValuePair.Create("Ocsp:Url", (string?)ocsp), KeyValuePair.Create("Admin:Url", (string?)admin), .. _more]);
        _host = await StandaloneHost.StartAsync(ResponderOptions.Read(settings, TimeProvider.System.GetUtcNow()), TimeProvider.System);
    }
}
