using System.Diagnostics;
using Microsoft.Playwright;

namespace OcspCluster.Dashboard.Tests;

/// <summary>
/// How long each interaction takes, from the event to the content that it leads to, and what an open page costs the host. Against a host of any size that runs:
/// <c>dotnet run -c Release --project tests/OcspCluster.Dashboard.Tests -- measure http://127.0.0.1:8081/ data/admin.key PID</c>.
/// </summary>
internal static class PageMeasurements
{
    private const int Rounds = 15;
    private static readonly TimeSpan s_watch = TimeSpan.FromSeconds(30);

    // What it does, and what is there when it is done.
    private static readonly (string Name, string Do, string Done)[] s_interactions =
    [
        ("overview", "location.hash = '#/overview'", "main .tiles"),
        ("certificates, first page", "location.hash = '#/certificates'", "main tbody a.serial"),
        ("next page", "[...document.querySelectorAll('.pager button')].at(-1).click()", "main tbody a.serial[href]:not([data-old])"),
        ("filter: revoked", "(one => { one.value = 'revoked'; one.dispatchEvent(new Event('change', { bubbles: true })); })(document.querySelector('main select'))", "main tbody a.serial:not([data-old])"),
        ("a certificate", "document.querySelector('main tbody a.serial').click()", "main .because"),
        ("issuers", "location.hash = '#/issuers'", "main .validity"),
        ("events", "location.hash = '#/events'", "main .fixed-height tbody tr"),
        ("cluster", "location.hash = '#/cluster'", "main .node"),
    ];

    public static async Task RunAsync(Uri home, string key, int processId)
    {
        await using Chromium chromium = new();
        await chromium.InitializeAsync();
        using Process host = Process.GetProcessById(processId);
        Console.WriteLine($"host without a page: {await CostAsync(host):P2} of one core");
        await using Visit visit = await Visit.LoggedInAsync(chromium.Browser, home, key);
        await visit.GoAsync("overview");
        Console.WriteLine($"with the overview open: {await CostAsync(host):P2} of one core");
        await visit.GoAsync("certificates");
        string serial = (await visit.Main.Locator("a.serial").First.InnerTextAsync()).Replace(":", "", StringComparison.Ordinal);
        Dictionary<string, List<double>> times = s_interactions.ToDictionary(one => one.Name, _ => new List<double>());
        times["search"] = [];
        for (int round = 0; round < Rounds; round++)
        {
            foreach ((string name, string act, string done) in s_interactions)
            {
                times[name].Add(await TimeAsync(visit.Page, act, done));
            }

            await visit.GoAsync("certificates");
            times["search"].Add(await TimeAsync(
                visit.Page,
                $"(one => {{ one.value = '{serial}'; one.dispatchEvent(new Event('input', {{ bubbles: true }})); setTimeout(() => one.form.requestSubmit()); }})(document.querySelector('main input[type=search]'))",
                "main .because"));
        }

        Console.WriteLine("interaction                p50      max");
        foreach ((string name, List<double> measured) in times)
        {
            measured.Sort();
            Console.WriteLine($"{name,-24} {measured[measured.Count / 2],5:F0} ms {measured[^1],5:F0} ms");
        }
    }

    // What is there already is marked, so that it is not taken for what comes.
    private static Task<double> TimeAsync(IPage page, string act, string done) => page.EvaluateAsync<double>($$"""
        () => new Promise((resolve, reject) => {
            document.querySelectorAll('a.serial').forEach(one => one.setAttribute('data-old', ''));
            const isNew = {{(done.Contains("data-old", StringComparison.Ordinal) ? "true" : "false")}};
            const look = () => {
                if (isNew) { document.querySelectorAll('[data-old]').forEach(one => { if (one.dataset.href !== undefined && one.dataset.href !== one.getAttribute('href')) one.removeAttribute('data-old'); }); }
                if (document.querySelector("{{done}}")) { observer.disconnect(); requestAnimationFrame(() => resolve(performance.now() - start)); }
            };
            document.querySelectorAll('a.serial').forEach(one => { one.dataset.href = one.getAttribute('href'); });
            const observer = new MutationObserver(look);
            observer.observe(document.body, { childList: true, subtree: true, attributes: true, attributeFilter: ['href'] });
            setTimeout(() => reject(new Error('too late')), 30000);
            const start = performance.now();
            {{act}};
            look();
        })
        """);

    private static async Task<double> CostAsync(Process host)
    {
        host.Refresh();
        TimeSpan before = host.TotalProcessorTime;
        long start = Stopwatch.GetTimestamp();
        using PeriodicTimer timer = new(s_watch);
        await timer.WaitForNextTickAsync();
        host.Refresh();
        return (host.TotalProcessorTime - before) / Stopwatch.GetElapsedTime(start);
    }
}
