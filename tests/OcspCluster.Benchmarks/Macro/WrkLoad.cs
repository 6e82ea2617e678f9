using System.Globalization;
using System.Text.Json;
using OcspCluster.Testing;

namespace OcspCluster.Benchmarks.Macro;

/// <summary>One round of load by wrk, closed loop, and a sample of the answers looked at around it.</summary>
internal static class WrkLoad
{
    public const int Connections = 64;

    public static async Task<Sample> RunAsync(Contestant contestant, Scenario scenario, Workload work, int round, TimeSpan duration)
    {
        int certificates = Math.Min(scenario.Certificates, contestant.Certificates);
        if (!contestant.KeepsConnections)
        {
            return await ConnectingLoad.RunAsync(contestant, scenario, work, round, duration);
        }

        int badBodies = await CountBadAsync(contestant, scenario, work, certificates, round);
        double before = contestant.Server.ProcessorSeconds;
        double? behind = contestant.Behind?.Server.ProcessorSeconds;
        WrkReport report = scenario.IsByH2Load
            ? await H2Load.AskAsync(contestant, work, certificates, Connections, duration)
            : await AskAsync(contestant.Url, (scenario.IsPost ? work.Post : work.Get) with { Count = certificates }, scenario.IsPost, scenario.IsZipf, scenario.KeepsConnection, Connections, round + 1, duration);
        double used = contestant.Server.ProcessorSeconds - before;
        double? usedBehind = contestant.Behind?.Server.ProcessorSeconds - behind;
        badBodies += await CountBadAsync(contestant, scenario, work, certificates, round + 1000);
        return new Sample(
            contestant.Name, scenario.Name, round, report.Requests, report.Microseconds / 1e6, used, report.P50, report.P99, report.P999, report.BadStatus, report.SocketErrors, badBodies)
        {
            IsOurs = contestant.IsOurs,
            BehindProcessorSeconds = usedBehind,
        };
    }

    /// <summary>Has wrk ask for so long.</summary>
    public static async Task<WrkReport> AskAsync(Uri url, RequestRows rows, bool isPost, bool isZipf, bool keepsConnection, int connections, int seed, TimeSpan duration)
    {
        ExternalTool wrk = ExternalTool.Find("wrk") ?? throw new InvalidOperationException("This machine has no wrk (Debian: wrk).");
        ToolResult result = await wrk.RunAsync(
            [
                "-t", "2", "-c", Text(connections), "-d", Text((int)Math.Ceiling(duration.TotalSeconds)) + "s", "--timeout", "10s",
                "-s", Path.Combine(AppContext.BaseDirectory, "Macro", "load.lua"), url.AbsoluteUri, "--",
                rows.File, Text(rows.Width), Text(rows.Count), isZipf ? "zipf" : "uniform", isPost ? "POST" : "GET", keepsConnection ? "keep" : "close", Text(seed),
            ],
            timeout: duration + TimeSpan.FromMinutes(1));
        string line = result.Output.Split('\n').FirstOrDefault(line => line.StartsWith('{')) ?? throw new InvalidOperationException("wrk did not report: " + result);
        return JsonSerializer.Deserialize<WrkReport>(line, JsonSerializerOptions.Web)!;
    }

    // Twenty that are picked by chance, the same way as the load asks.
    private static async Task<int> CountBadAsync(Contestant contestant, Scenario scenario, Workload work, int certificates, int seed)
    {
        using HttpClient client = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromSeconds(2) };
        Random random = new(seed);
        int bad = 0;
        for (int n = 0; n < 20; n++)
        {
            int i = random.Next(certificates);
            using HttpRequestMessage request = Ask(contestant, scenario.IsPost, work, i);
            request.Headers.ConnectionClose = !contestant.KeepsConnections;
            try
            {
                using HttpResponseMessage response = await client.SendAsync(request);
                byte[] body = await response.Content.ReadAsByteArrayAsync();
                bad += response.IsSuccessStatusCode && (contestant.IsConstant || work.IsAnswer(body, i)) ? 0 : 1;
            }
            catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
            {
                bad++; // openssl ocsp resets connections under load, and waits for silent ones
                if (bad > 2)
                {
                    break;
                }
            }
        }

        return bad;
    }

    public static HttpRequestMessage Ask(Contestant contestant, bool isPost, Workload work, int i)
    {
        if (!isPost)
        {
            UriCreationOptions raw = new() { DangerousDisablePathAndQueryCanonicalization = true };
            return new HttpRequestMessage(HttpMethod.Get, new Uri(contestant.Url.GetLeftPart(UriPartial.Authority) + work.Target(i), in raw));
        }

        ByteArrayContent content = new(work.Request(i));
        content.Headers.ContentType = new("application/ocsp-request");
        return new HttpRequestMessage(HttpMethod.Post, contestant.Url) { Content = content };
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}

/// <summary>What wrk tells of a run, as load.lua prints it. Latencies in microseconds.</summary>
internal sealed record WrkReport(long Requests, long Microseconds, double P50, double P99, double P999, double Max, long BadStatus, long SocketErrors)
{
    public double PerSecond => Requests / (Microseconds / 1e6);
}
