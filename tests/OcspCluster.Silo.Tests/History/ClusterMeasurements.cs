using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using OcspCluster.Conformance;
using OcspCluster.Silo.Storage;

namespace OcspCluster.Silo.Tests.History;

/// <summary>
/// What a cluster of silo processes takes to acknowledge events, beside raw flushed writes to the same Redis. Not part of the tests: it asserts nothing of time. Run with
/// <c>dotnet run -c Cluster --project tests/OcspCluster.Silo.Tests -- measure-cluster 100000</c>.
/// </summary>
internal static class ClusterMeasurements
{
    public const string Verb = "measure-cluster";

    private const int Singles = 300;
    private const int Batch = 5000;

    public static async Task RunAsync(int certificates)
    {
        // Presigned, and at a pace that leaves the signers to say how quick they are.
        ResponderSetup setup = ResponderSetup.Of(Issuers.Alpha.With(("Presign", "All"), ("RefreshSignaturesPerSecond", "100000"))).With(("Admin:RequestsPerSecond", "1000000"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessorCount} processors, load average {LoadAverage()}"));
        await using SiloHistoryHost host = await SiloHistoryHost.StartSilosAsync(setup, silos: 1, hasNetwork: false);
        using HttpClient client = new() { Timeout = TimeSpan.FromMinutes(5) };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", host.AdminKey);

        await SubmitAsync(client, host, 0, Singles * SiloHistoryHost.Silos, "issued", 0); // the first waits for the first lease of the writer's life
        for (int silos = 1; silos <= SiloHistoryHost.Silos; silos++)
        {
            if (silos > 1)
            {
                long joins = Stopwatch.GetTimestamp();
                await host.AddAsync();
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"silo {silos} answers after {Stopwatch.GetElapsedTime(joins).TotalSeconds:F2} s, the start of its process included"));
                long sent = Stopwatch.GetTimestamp();
                await SubmitAsync(client, host, silos - 1, 1, "held", ((silos - 1) * Singles) + 1); // acknowledged is answered by all
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"an event that the new silo takes is answered by every gateway after {Stopwatch.GetElapsedTime(sent).TotalMilliseconds:F1} ms"));
            }

            await UntilAllAreSignedAsync(client, host); // what presigning takes of the processors is not what an acknowledgement takes
            await MeasureRawAsync(host);
            List<double> latencies = [];
            for (int i = 0; i < Singles; i++)
            {
                long sent = Stopwatch.GetTimestamp();
                await SubmitAsync(client, host, i % silos, 1, "revoked", ((silos - 1) * Singles) + i);
                latencies.Add(Stopwatch.GetElapsedTime(sent).TotalMilliseconds);
            }

            Report($"{silos} silos: acknowledgement of one revocation", latencies);
        }

        const int First = 1_000_000;
        foreach (string kind in new[] { "issued", "revoked" })
        {
            await UntilAllAreSignedAsync(client, host);
            long signatures = (await RefreshAsync(client, host)).GetProperty("signatures").GetInt64();
            long began = Stopwatch.GetTimestamp();
            for (int at = 0; at < certificates; at += Batch)
            {
                await SubmitAsync(client, host, at / Batch % SiloHistoryHost.Silos, Math.Min(Batch, certificates - at), kind, First + at);
            }

            TimeSpan took = Stopwatch.GetElapsedTime(began);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{certificates:N0} {kind} in batches of {Batch:N0}: {took.TotalSeconds:F2} s, {certificates / took.TotalSeconds:N0} events/s, the last acknowledged after that time"));
            while ((await RefreshAsync(client, host)).GetProperty("signatures").GetInt64() < signatures + certificates)
            {
                await HistoryPause.UntilAsync(TimeSpan.FromMilliseconds(200), CancellationToken.None);
            }

            TimeSpan signed = Stopwatch.GetElapsedTime(began);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{certificates:N0} {kind}: all signed {signed.TotalSeconds:F2} s after the first was sent; load average {LoadAverage()}"));
        }
    }

    private static string LoadAverage() => File.Exists("/proc/loadavg") ? File.ReadAllText("/proc/loadavg").Split(' ')[0] : "unknown";

    private static async Task UntilAllAreSignedAsync(HttpClient client, SiloHistoryHost host)
    {
        while (await RefreshAsync(client, host) is var refresh && !(refresh.GetProperty("isComplete").GetBoolean() && refresh.GetProperty("backlog").GetInt32() == 0))
        {
            await HistoryPause.UntilAsync(TimeSpan.FromMilliseconds(200), CancellationToken.None);
        }
    }

    private static async Task<JsonElement> RefreshAsync(HttpClient client, SiloHistoryHost host) =>
        JsonDocument.Parse(await client.GetStringAsync(new Uri(host.Gateways[0].AdminUri, $"/v1/issuers/{host.Issuer}/refresh"))).RootElement;

    private static async Task MeasureRawAsync(SiloHistoryHost host)
    {
        await using RedisConnection connection = await RedisConnection.OpenAsync(host.Redis.Configuration);
        byte[] value = new byte[160];
        List<double> latencies = [];
        for (int i = 0; i < Singles; i++)
        {
            long sent = Stopwatch.GetTimestamp();
            await connection.Database.StreamAddAsync("raw", "e", value);
            latencies.Add(Stopwatch.GetElapsedTime(sent).TotalMilliseconds);
        }

        await connection.Database.KeyDeleteAsync("raw");
        Report("raw XADD, one to a flush", latencies);
    }

    private static async Task SubmitAsync(HttpClient client, SiloHistoryHost host, int silo, int events, string kind, int from)
    {
        string at = TimeProvider.System.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        StringBuilder body = new("[");
        for (int i = from; i < from + events; i++)
        {
            body.Append(i == from ? "" : ",").Append(CultureInfo.InvariantCulture, $$"""{"id":"{{kind}}-{{i}}","serial":"4{{i:D19}}","kind":"{{kind}}","at":"{{at}}"}""");
        }

        using StringContent content = new(body.Append(']').ToString(), Encoding.UTF8, "application/json");
        using HttpResponseMessage response = await client.PostAsync(new Uri(host.Gateways[silo].AdminUri, $"/v1/issuers/{host.Issuer}/events"), content);
        string text = await response.Content.ReadAsStringAsync();
        if (!response.IsSuccessStatusCode || text.Contains("\"refused\"", StringComparison.Ordinal))
        {
            throw new InvalidDataException($"{(int)response.StatusCode}: {text[..Math.Min(text.Length, 500)]}");
        }
    }

    private static void Report(string what, List<double> latencies)
    {
        latencies.Sort();
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{what}: p50 {latencies[latencies.Count / 2]:F2} ms, p99 {latencies[latencies.Count * 99 / 100]:F2} ms, max {latencies[^1]:F2} ms of {latencies.Count}"));
    }
}
