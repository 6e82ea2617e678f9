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
        ExternalTool wrk = ExternalTool.Find("wrk") ?? throw new InvalidOperationException("This machine has no wrk (Debian: wrk).");
        int certificates = Math.Min(scenario.Certificates, contestant.Certificates);
        (string file, int width) = scenario.IsPost ? work.Post : work.Get;
        if (!contestant.KeepsConnections)
        {
            return await ConnectingLoad.RunAsync(contestant, scenario, work, round, duration);
        }

        int badBodies = await CountBadAsync(contestant, scenario, work, certificates, round);
        double before = contestant.Server.ProcessorSeconds;
        ToolResult result = await wrk.RunAsync(
            [
                "-t", "2", "-c", Text(Connections), "-d", Text((int)Math.Ceiling(duration.TotalSeconds)) + "s", "--timeout", "10s",
                "-s", Path.Combine(AppContext.BaseDirectory, "Macro", "load.lua"), contestant.Url.AbsoluteUri, "--",
                file, Text(width), Text(certificates), scenario.IsZipf ? "zipf" : "uniform", scenario.IsPost ? "POST" : "GET", scenario.KeepsConnection ? "keep" : "close", Text(round + 1),
            ],
            timeout: duration + TimeSpan.FromMinutes(1));
        double used = contestant.Server.ProcessorSeconds - before;
        string? line = result.Output.Split('\n').FirstOrDefault(line => line.StartsWith('{'));
        if (line is null)
        {
            throw new InvalidOperationException("wrk did not report: " + result);
        }

        badBodies += await CountBadAsync(contestant, scenario, work, certificates, round + 1000);
        JsonElement report = JsonDocument.Parse(line).RootElement;
        return new Sample(
            contestant.Name, scenario.Name, round, Number("requests"), Number("microseconds") / 1e6, used, Number("p50"), Number("p99"), Number("p999"), Number("badStatus"), Number("socketErrors"), badBodies);

        long Number(string name) => report.GetProperty(name).GetInt64();
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
