using System.Globalization;
using Microsoft.Playwright;

namespace OcspCluster.Dashboard.Tests;

/// <summary>What each place looks like: to who does not see, at which width, and while something goes on.</summary>
public sealed class PageTests(Chromium chromium) : IAsyncLifetime
{
    private DashboardHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await DashboardHost.StartAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Places_HaveNoAccessibilityProblem_AndNoOverflowAtAnyWidth(bool isDark)
    {
        await _host.AskOpenSslAsync("revoked.pem"); // an answer in the cache
        string serial = await Certificates.SerialOfAsync(_host, "revoked.pem");
        string good = await Certificates.SerialOfAsync(_host, "good.pem");
        await using Visit visit = await _host.VisitAsync(chromium, isDark: isDark);
        foreach ((string name, string place) in new[]
        {
            ("overview", "overview"), ("cluster", "cluster"), ("certificates", "certificates"), ("certificate", "certificates/demo/" + serial), ("unknown", "certificates/demo/C0FFEE"),
            ("events", "events"), ("issuers", "issuers"), ("revoke", "certificates/demo/" + good),
        })
        {
            await visit.Page.SetViewportSizeAsync(1200, 860);
            await visit.GoAsync(place);
            if (name == "certificate")
            {
                await visit.Page.Locator("details.response summary").First.ClickAsync();
            }

            if (name == "revoke")
            {
                await visit.Button("Revoke…").ClickAsync();
                await visit.Page.GetByLabel("Reason").SelectOptionAsync("keyCompromise");
            }

            foreach (int width in new[] { 390, 768, 1200 })
            {
                await visit.Page.SetViewportSizeAsync(width, 860);
                Assert.Equal(($"{name} {width}", ""), ($"{name} {width}", await visit.FindOverflowAsync()));
                string problems = await visit.FindAccessibilityProblemsAsync();
                Assert.True(problems.Length == 0, $"{name} at {width}: {problems}");
                await visit.PictureAsync($"{name}-{(isDark ? "dark" : "light")}-{width}");
            }
        }

        visit.MustHaveBeenClean();
    }

    [Fact]
    public async Task Place_WhoseCodeComesWhileItIsFirstDrawn_IsShown()
    {
        await using Visit visit = await Visit.StartAsync(chromium.Browser, _host.AdminUri);

        // A slow machine: what runs behind a drawing runs long after it, and the code comes between the two.
        await visit.Page.EvaluateAsync("() => { const wait = window.setTimeout.bind(window); window.setTimeout = (f, time, ...rest) => wait(f, time < 500 ? 1500 : time, ...rest); window.requestAnimationFrame = f => wait(f, 1500); }");
        TaskCompletionSource asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource drawn = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await visit.Page.RouteAsync("**/issuers-*.js", async route =>
        {
            asked.TrySetResult();
            await drawn.Task;
            await route.ContinueAsync();
        });
        await visit.LoginAsync(_host.OperatorKey);
        await asked.Task.WaitAsync(TimeSpan.FromSeconds(60));
        await visit.Page.EvaluateAsync("() => { location.hash = '#/issuers'; }");
        await visit.Page.WaitForFunctionAsync("() => document.querySelector('nav.pages a[href=\"#/issuers\"][aria-current=page]') !== null");
        drawn.SetResult();
        await visit.SeeAsync("Who signs");
        visit.MustHaveBeenClean();
    }

    [Fact]
    public async Task Chart_UnderLoad_Moves()
    {
        await using Visit visit = await _host.VisitAsync(chromium);
        ILocator chart = visit.Page.Locator("figure.chart").First;
        await chart.WaitForAsync();
        int before = int.Parse((await chart.GetAttributeAsync("data-points"))!, CultureInfo.InvariantCulture);
        using CancellationTokenSource done = new();
        Task load = AskUntilAsync(done.Token);
        try
        {
            await visit.Page.WaitForFunctionAsync("() => parseFloat(document.querySelector('.tile .figure')?.textContent ?? '0') > 0");
            await visit.Page.WaitForFunctionAsync("() => [...document.querySelectorAll('figure.chart')][0].querySelector('.chart-legend b').textContent !== '0'");
            await visit.Page.WaitForFunctionAsync("least => Number(document.querySelector('figure.chart').dataset.points) > least", before + 2);
        }
        finally
        {
            await done.CancelAsync();
            await load;
        }

        await visit.SeeAsync("good");
        visit.MustHaveBeenClean();
    }

    [Fact]
    public async Task Feed_ShowsAnEventAsItIsAcknowledged_AndTheFilterTakesItAway()
    {
        string serial = await Certificates.SerialOfAsync(_host, "good.pem");
        await using Visit watcher = await _host.VisitAsync(chromium);
        await watcher.GoAsync("events");
        await watcher.SeeAsync("live");
        ILocator rows = watcher.Main.GetByRole(AriaRole.Group, new() { Name = "Events", Exact = true }).Locator("tbody tr");
        int before = await rows.CountAsync();
        await using Visit actor = await _host.VisitAsync(chromium);
        await actor.GoAsync("certificates/demo/" + serial);
        await actor.Button("Hold…").ClickAsync();
        await actor.Page.GetByLabel("To confirm").FillAsync(serial[^6..]);
        await actor.Page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Hold", Exact = true }).ClickAsync();
        await rows.Nth(before).WaitForAsync();
        Assert.Contains("held", await rows.First.InnerTextAsync(), StringComparison.Ordinal);
        await watcher.Page.GetByLabel("Kind").SelectOptionAsync("revoked");
        Assert.DoesNotContain("held", await rows.First.InnerTextAsync(), StringComparison.Ordinal);
        watcher.MustHaveBeenClean();
        actor.MustHaveBeenClean();
    }

    [Fact]
    public async Task Audit_IsVerifiedInTheBrowser_AndRemembered()
    {
        await using Visit visit = await _host.VisitAsync(chromium);
        await visit.GoAsync("events");
        await visit.SeeAsync("is in the tree that was signed");
        await visit.SeeAsync("remembers it from now on");
        await visit.Button("Verify again").ClickAsync();
        await visit.SeeAsync("it only grew");
        Assert.Equal(0, await visit.Main.GetByText("broken", new() { Exact = true }).CountAsync());

        // A root that is not the journal's is noticed: the browser believes its own memory, not the server.
        await visit.Page.EvaluateAsync("() => { const key = Object.keys(localStorage).find(one => one.startsWith('ocspcluster.checkpoint')); localStorage.setItem(key, JSON.stringify({ ...JSON.parse(localStorage.getItem(key)), root: btoa('x'.repeat(32)) })); }");
        await visit.Button("Verify again").ClickAsync();
        await visit.Main.GetByText("broken", new() { Exact = true }).First.WaitForAsync();
        visit.MustHaveBeenClean();
    }

    [Fact]
    public async Task Responder_ThatIsGone_IsSaidInTheLineOfTruth()
    {
        DashboardHost host = await DashboardHost.StartAsync();
        await using Visit visit = await host.VisitAsync(chromium);
        await visit.SeeAsync("All well");
        await host.DisposeAsync();
        await visit.Main.GetByText("No word from the responder").First.WaitForAsync();
    }

    private async Task AskUntilAsync(CancellationToken done)
    {
        while (!done.IsCancellationRequested)
        {
            await _host.AskOpenSslAsync("good.pem");
        }
    }
}
