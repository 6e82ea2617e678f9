using OcspCluster.Gateway;
using OcspCluster.Hosting.Configuration;
using OcspCluster.Standalone;
using OcspCluster.Testing;

namespace OcspCluster.Dashboard.Tests;

/// <summary>The standalone host with the demo CA, in this process, on free ports and a data directory of its own.</summary>
internal sealed class DashboardHost : IAsyncDisposable
{
    private readonly ScratchDirectory _directory;
    private readonly StandaloneHost _host;
    private readonly ShiftedClock _clock;

    private DashboardHost(ScratchDirectory directory, StandaloneHost host, ShiftedClock clock)
    {
        _directory = directory;
        _host = host;
        _clock = clock;
    }

    /// <summary>Where the page is.</summary>
    public Uri AdminUri => _host.AdminUris[0];

    /// <summary>Where OCSP is answered.</summary>
    public Uri OcspUri => _host.OcspUris[0];

    /// <summary>The key that the first start wrote.</summary>
    public string OperatorKey => File.ReadAllText(_directory.File(Path.Combine("data", StandaloneHost.OperatorKeyFileName))).Trim();

    /// <summary>Starts it.</summary>
    public static async Task<DashboardHost> StartAsync(params IEnumerable<(string Key, string Value)> settings)
    {
        ScratchDirectory directory = new();
        try
        {
            Dictionary<string, string?> keys = new()
            {
                ["Data"] = directory.File("data"),
                ["Ocsp:Url"] = "http://127.0.0.1:0",
                ["Admin:Url"] = "http://127.0.0.1:0",
                ["Logging:LogLevel:Default"] = "Error",
            };
            foreach ((string key, string value) in settings)
            {
                keys[key] = value;
            }

            ShiftedClock clock = new();
            return new DashboardHost(directory, await StandaloneHost.StartAsync(ResponderOptions.Read(Settings.FromKeys(keys), clock.GetUtcNow()), clock), clock);
        }
        catch
        {
            directory.Dispose();
            throw;
        }
    }

    /// <summary>Somebody who is logged in here; with the operator's key where no other is given.</summary>
    public Task<Visit> VisitAsync(Chromium chromium, string? key = null, int width = 1200, bool isDark = false) => Visit.LoggedInAsync(chromium.Browser, AdminUri, key ?? OperatorKey, width, isDark);

    /// <summary>A file of the demo CA's.</summary>
    public string DemoFile(string name) => _directory.File(Path.Combine("data", "demo", name));

    /// <summary>Makes a key.</summary>
    public string CreateKey(string name, params IReadOnlyList<string> scopes) =>
        new ApiKeyStore(_directory.File(Path.Combine("data", ApiKeyStore.FileName)), _clock).Create(name, [.. scopes.Select(text => ApiScope.TryParse(text, out ApiScope scope) ? scope : throw new ArgumentException(text))]).Bearer;

    /// <summary>Lets time pass for whatever is measured by timestamps: sessions end. The wall clock stays.</summary>
    public void Age(TimeSpan by) => _clock.Shift(by);

    /// <summary>What <c>openssl ocsp</c> says of one of the demo's certificates; without a nonce, so that it may come from the cache.</summary>
    public async Task<string> AskOpenSslAsync(string certificate)
    {
        ExternalTool openssl = ExternalTool.Find("openssl") ?? throw new InvalidOperationException("These tests need openssl on the PATH.");
        ToolResult result = await openssl.RunAsync(
            ["ocsp", "-no_nonce", "-issuer", DemoFile("ca.pem"), "-cert", DemoFile(certificate), "-url", OcspUri.ToString(), "-CAfile", DemoFile("ca.pem")]);
        return result.Output + result.Error;
    }

    public async ValueTask DisposeAsync()
    {
        await _host.DisposeAsync();
        _directory.Dispose();
    }

    private sealed class ShiftedClock : TimeProvider
    {
        private long _shift;

        public void Shift(TimeSpan by) => Interlocked.Add(ref _shift, (long)(by.TotalSeconds * TimestampFrequency));

        public override long GetTimestamp() => base.GetTimestamp() + Interlocked.Read(ref _shift);
    }
}
