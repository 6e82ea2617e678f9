using System.Text.Json;
using Microsoft.Playwright;

namespace OcspCluster.Dashboard.Tests;

/// <summary>Somebody at the page. What no visit may see is recorded all along: errors on the console, requests to anywhere else.</summary>
internal sealed class Visit : IAsyncDisposable
{
    private static readonly Lazy<string> s_axe = new(ReadAxe);

    private readonly IBrowserContext _context;
    private readonly List<string> _errors = [];
    private readonly List<string> _elsewhere = [];

    private Visit(IBrowserContext context, IPage page, Uri home)
    {
        _context = context;
        Page = page;
        Home = home;
    }

    /// <summary>The page.</summary>
    public IPage Page { get; }

    /// <summary>Where it is served.</summary>
    public Uri Home { get; }

    /// <summary>The place that is shown, without the page's frame.</summary>
    public ILocator Main => Page.Locator("main");

    /// <summary>Opens the page at a width, in light or dark.</summary>
    public static async Task<Visit> StartAsync(IBrowser browser, Uri home, int width = 1200, bool isDark = false)
    {
        IBrowserContext context = await browser.NewContextAsync(new BrowserNewContextOptions
        {
            ViewportSize = new ViewportSize { Width = width, Height = width < 500 ? 844 : 860 },
            ColorScheme = isDark ? ColorScheme.Dark : ColorScheme.Light,
            ReducedMotion = ReducedMotion.Reduce,
        });
        context.SetDefaultTimeout(60_000); // a busy machine
        IPage page = await context.NewPageAsync();
        Visit visit = new(context, page, home);
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning")
            {
                visit._errors.Add(message.Text);
            }
        };
        page.PageError += (_, error) => visit._errors.Add(error);
        page.Request += (_, request) =>
        {
            if (new Uri(request.Url) is { Scheme: "http" or "https" } url && url.Authority != home.Authority)
            {
                visit._elsewhere.Add(request.Url);
            }
        };
        await page.GotoAsync(home.ToString());
        return visit;
    }

    /// <summary>The same, logged in and at the overview.</summary>
    public static async Task<Visit> LoggedInAsync(IBrowser browser, Uri home, string key, int width = 1200, bool isDark = false)
    {
        Visit visit = await StartAsync(browser, home, width, isDark);
        await visit.LoginAsync(key);
        await visit.Page.GetByLabel("Log out").WaitForAsync();
        return visit;
    }

    /// <summary>Fills in a key and sends it.</summary>
    public async Task LoginAsync(string key)
    {
        await Page.GetByLabel("API key").FillAsync(key);
        await Page.GetByRole(AriaRole.Button, new() { Name = "Log in" }).ClickAsync();
    }

    /// <summary>Goes to one of the page's places.</summary>
    public async Task GoAsync(string place)
    {
        await Page.EvaluateAsync("place => { location.hash = '#/' + place; }", place);
        await Main.Locator("h1").WaitForAsync(new LocatorWaitForOptions { State = WaitForSelectorState.Attached });
        await Page.WaitForFunctionAsync("() => document.querySelector('main .loading') === null"); // everything that the place loads is there
    }

    /// <summary>Waits for a text in the content.</summary>
    public Task SeeAsync(string text) => Main.GetByText(text).First.WaitForAsync();

    /// <summary>A button of the content or of a dialog.</summary>
    public ILocator Button(string name) => Page.GetByRole(AriaRole.Button, new() { Name = name, Exact = true });

    /// <summary>What axe-core finds wrong with what is shown, for people who do not see or use a mouse; empty when nothing is.</summary>
    public async Task<string> FindAccessibilityProblemsAsync()
    {
        await Page.EvaluateAsync(s_axe.Value + "\n;void 0");
        JsonElement violations = await Page.EvaluateAsync<JsonElement>(
            "async () => (await axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })).violations"
            + ".map(one => one.id + ': ' + one.help + '; ' + one.nodes.slice(0, 3).map(node => node.target.join(' ') + ' ' + node.failureSummary).join(' | '))");
        return string.Join('\n', violations.EnumerateArray().Select(one => one.GetString()));
    }

    /// <summary>What makes the page wider than the window; empty when it is not.</summary>
    public Task<string> FindOverflowAsync() => Page.EvaluateAsync<string>(
        "() => { const width = document.documentElement.clientWidth; return document.documentElement.scrollWidth <= width ? '' : [...document.querySelectorAll('body *')]"
        + ".filter(one => one.getBoundingClientRect().right > width && !one.closest('.scroll')).map(one => one.tagName + '.' + one.className).join(' '); }");

    /// <summary>Takes a picture where somebody wants pictures: <c>OCSPCLUSTER_SCREENSHOTS</c> names the directory.</summary>
    public async Task PictureAsync(string name)
    {
        if (Environment.GetEnvironmentVariable("OCSPCLUSTER_SCREENSHOTS") is { Length: > 0 } directory)
        {
            await Page.EvaluateAsync("() => window.scrollTo(0, 0)");
            await Page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(directory, name + ".png"), FullPage = true });
        }
    }

    /// <summary>Fails when anything was written to the console as an error, or asked of another host.</summary>
    /// <param name="allowed">A part of messages that this visit has to cause, such as the browser's own word of a 401.</param>
    public void MustHaveBeenClean(string? allowed = null)
    {
        Assert.Empty(_elsewhere);
        string[] errors = [.. _errors.Where(error => allowed is null || !error.Contains(allowed, StringComparison.Ordinal))];
        Assert.Empty(errors);
    }

    public async ValueTask DisposeAsync() => await _context.DisposeAsync();

    private static string ReadAxe()
    {
        using StreamReader reader = new(typeof(Visit).Assembly.GetManifestResourceStream("axe.min.js")!);
        return reader.ReadToEnd();
    }
}
