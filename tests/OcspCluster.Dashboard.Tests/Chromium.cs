using Microsoft.Playwright;
using OcspCluster.Dashboard.Tests;

[assembly: AssemblyFixture(typeof(Chromium))]

namespace OcspCluster.Dashboard.Tests;

/// <summary>One headless browser for all tests: the machine's own Chromium, driven by Playwright. Where there is none, the tests that need it are skipped and say so.</summary>
public sealed class Chromium : IAsyncLifetime
{
    private static readonly string[] s_names = ["chromium", "chromium-browser", "google-chrome"];

    private IPlaywright? _playwright;
    private IBrowser? _browser;

    /// <summary>The browser.</summary>
    public IBrowser Browser
    {
        get
        {
            Assert.SkipWhen(_browser is null, $"no browser: none of {string.Join(", ", s_names)} is on the PATH (Debian: apt install chromium)");
            return _browser!;
        }
    }

    public async ValueTask InitializeAsync()
    {
        string? path = Environment.GetEnvironmentVariable("PATH")?.Split(Path.PathSeparator).SelectMany(directory => s_names.Select(name => Path.Combine(directory, name))).FirstOrDefault(File.Exists);
        if (path is null)
        {
            return;
        }

        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = path,
            Args = Environment.UserName == "root" ? ["--no-sandbox"] : [], // Chromium's sandbox does not work for root
        });
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
        {
            await _browser.DisposeAsync();
        }

        _playwright?.Dispose();
    }
}
