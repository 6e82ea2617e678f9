using System.Diagnostics;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Playwright;
using OcspCluster.Dashboard.Tests;
using OcspCluster.Silo.Tests.Host;

namespace OcspCluster.Silo.Tests.Dashboard;

/// <summary>The dashboard of a cluster: any silo shows all of them.</summary>
public sealed class ClusterPageTests(Chromium chromium, ITestOutputHelper output)
{
    [Fact]
    public async Task ThreeSilos_OneIsKilled_IsShownAsLostWithinSeconds_AndWhatIsDoneHoldsEverywhere()
    {
        IBrowser browser = chromium.Browser; // skipped before three silos are started
        await using SiloCluster cluster = await SiloCluster.StartAsync(3);
        await using Visit visit = await Visit.LoggedInAsync(browser, cluster.Silos[0].AdminUri, cluster.OperatorKey);
        await visit.GoAsync("cluster");
        ILocator active = visit.Page.Locator(".node[data-state=active]");
        await active.Nth(2).WaitForAsync();
        Assert.Equal(3, await visit.Page.Locator(".node").CountAsync());
        Assert.Equal("", await visit.FindAccessibilityProblemsAsync());
        foreach (int width in new[] { 390, 768, 1200 })
        {
            await visit.Page.SetViewportSizeAsync(width, 860);
            Assert.Equal("", await visit.FindOverflowAsync());
        }

        await visit.SeeAsync("Memory");
        await visit.PictureAsync("three-silos");
        await RevokeAsync(visit, cluster);
        foreach (SiloProcess silo in cluster.Silos)
        {
            Assert.Contains("good.pem: revoked", await HearAsync(cluster, silo), StringComparison.Ordinal);
        }

        await visit.GoAsync("cluster");
        await active.Nth(2).WaitForAsync();
        long killed = Stopwatch.GetTimestamp();
        await cluster.Silos[2].KillAsync();
        await visit.Page.Locator(".node[data-state=lost]").WaitForAsync(new LocatorWaitForOptions { Timeout = 30_000 });
        output.WriteLine($"Shown as lost after {Stopwatch.GetElapsedTime(killed).TotalSeconds:F1} s.");
        Assert.Equal(2, await active.CountAsync());
        await visit.SeeAsync("is lost");
        await visit.PictureAsync("silo-lost");
        await visit.GoAsync("overview");
        await visit.Page.Locator(".banner.warning, .banner.critical").WaitForAsync(new LocatorWaitForOptions { Timeout = 30_000 });
        await visit.PictureAsync("silo-lost-overview");
        visit.MustHaveBeenClean();
    }

    // On a busy machine a question may find no answer in time; what is answered must be right the first time.
    private static async Task<string> HearAsync(SiloCluster cluster, SiloProcess silo)
    {
        long start = Stopwatch.GetTimestamp();
        string answer;
        do
        {
            answer = await cluster.AskAsync(silo, "good", hasNonce: false);
        }
        while (!answer.Contains("good.pem: ", StringComparison.Ordinal) && Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(30));
        return answer;
    }

    private static async Task RevokeAsync(Visit visit, SiloCluster cluster)
    {
        using X509Certificate2 certificate = X509Certificate2.CreateFromPem(await File.ReadAllTextAsync(Path.Combine(cluster.Directory, "data/demo/good.pem")));
        await visit.GoAsync("certificates/demo/" + certificate.SerialNumber);
        await visit.SeeAsync("Other nodes"); // who holds the answer
        await visit.Button("Revoke…").ClickAsync();
        await visit.Page.GetByLabel("Reason").SelectOptionAsync("superseded");
        await visit.Page.GetByLabel("To confirm").FillAsync(certificate.SerialNumber[^6..]);
        await visit.Page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Revoke", Exact = true }).ClickAsync();
        await visit.SeeAsync("no older answer is given any more");
    }
}
