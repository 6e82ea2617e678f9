using Microsoft.Playwright;

namespace OcspCluster.Dashboard.Tests;

/// <summary>Who gets to the page, and what they may do there.</summary>
public sealed class LoginTests(Chromium chromium) : IAsyncLifetime
{
    private const string BrowsersWordOf401 = "401 (Unauthorized)";
    private DashboardHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await DashboardHost.StartAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task Key_Valid_LeadsToTheOverview_AndNoScriptHasIt()
    {
        await using Visit visit = await _host.VisitAsync(chromium);
        await visit.SeeAsync("All well");
        Assert.Equal("", await visit.Page.EvaluateAsync<string>("() => document.cookie"));
        BrowserContextCookiesResult cookie = Assert.Single(await visit.Page.Context.CookiesAsync());
        Assert.True(cookie.HttpOnly);
        Assert.Equal(SameSiteAttribute.Strict, cookie.SameSite);
        Assert.DoesNotContain(_host.OperatorKey, await visit.Page.EvaluateAsync<string>("() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.documentElement.outerHTML])"), StringComparison.Ordinal);
        visit.MustHaveBeenClean();
    }

    [Fact]
    public async Task Key_Wrong_IsToldAndNothingElseIsShown()
    {
        await using Visit visit = await Visit.StartAsync(chromium.Browser, _host.AdminUri);
        await visit.LoginAsync("0000000000000000.wrong");
        ILocator alert = visit.Page.GetByRole(AriaRole.Alert);
        await alert.WaitForAsync();
        Assert.Contains("Not a valid key", await alert.InnerTextAsync(), StringComparison.Ordinal);
        Assert.Equal(0, await visit.Page.GetByRole(AriaRole.Navigation).CountAsync());
        Assert.Equal("", await visit.FindAccessibilityProblemsAsync());
        visit.MustHaveBeenClean(BrowsersWordOf401);
    }

    [Fact]
    public async Task Session_ThatHasEnded_AsksForTheKeyAndGoesOnWhereItWas()
    {
        await using Visit visit = await _host.VisitAsync(chromium);
        await visit.GoAsync("issuers");
        await visit.SeeAsync("Who signs");
        _host.Age(TimeSpan.FromHours(9));
        await visit.Page.GetByText("Your session has ended").WaitForAsync(); // what the place polls is refused
        await visit.LoginAsync(_host.OperatorKey);
        await visit.SeeAsync("Who signs");
        visit.MustHaveBeenClean(BrowsersWordOf401);
    }

    [Fact]
    public async Task Logout_EndsIt()
    {
        await using Visit visit = await _host.VisitAsync(chromium);
        await visit.Page.GetByLabel("Log out").ClickAsync();
        await visit.Page.GetByLabel("API key").WaitForAsync();
        await visit.Page.ReloadAsync();
        await visit.Page.GetByLabel("API key").WaitForAsync();
        visit.MustHaveBeenClean();
    }

    [Fact]
    public async Task ReadOnlyKey_SeesEverythingAndNoAction()
    {
        await using Visit visit = await _host.VisitAsync(chromium, _host.CreateKey("auditor", "read"));
        string[] actions = ["Revoke…", "Hold…", "Release…", "Many at once…", "Sign everything anew…", "Resume", "Try now"];
        string serial = await Certificates.SerialOfAsync(_host, "held.pem");
        foreach ((string place, string shown) in new[] { ("certificates", "All"), ($"certificates/demo/{serial}", "History"), ("issuers", "Who signs"), ("events", "Audit") })
        {
            await visit.GoAsync(place);
            await visit.SeeAsync(shown);
            foreach (string action in actions)
            {
                Assert.Equal(0, await visit.Button(action).CountAsync());
            }
        }

        visit.MustHaveBeenClean();
    }

    [Fact]
    public async Task KeyThatMayOnlyFeed_IsToldWhichOneIsNeeded()
    {
        await using Visit visit = await _host.VisitAsync(chromium, _host.CreateKey("issuing CA", "feed"));
        await visit.SeeAsync("may not read");
        visit.MustHaveBeenClean();
    }
}
