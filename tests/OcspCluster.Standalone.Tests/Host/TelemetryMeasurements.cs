using System.Diagnostics;
using System.Net.Http.Headers;
using OcspCluster.Gateway;
using OcspCluster.Testing;

namespace OcspCluster.Standalone.Tests.Host;

/// <summary>
/// What telemetry costs: a request, and the host while operators look. Run with <c>dotnet run -c Release --project tests/OcspCluster.Standalone.Tests -- measure-telemetry</c>.
/// </summary>
internal static class TelemetryMeasurements
{
    private const int Count = 20_000_000;

    public static async Task RunAsync()
    {
        Console.WriteLine($"{Environment.ProcessorCount} processors");
        using RequestTally tally = new(TimeProvider.System);
        OcspReply reply = OcspReply.Error(OcspOutcome.NeverIssued);
        for (int round = 0; round < 3; round++)
        {
            foreach (int threads in new[] { 1, 2 })
            {
                MeasureTally(tally, reply, threads);
            }
        }

        await MeasureHostAsync();
    }

    private static void MeasureTally(RequestTally tally, OcspReply reply, int threads)
    {
        long start = Stopwatch.GetTimestamp();
        long allocated = GC.GetTotalAllocatedBytes(precise: true);
        TimeSpan before = Process.GetCurrentProcess().TotalProcessorTime;
        Parallel.For(0, threads, new ParallelOptions { MaxDegreeOfParallelism = threads }, _ =>
        {
            for (int i = 0; i < Count; i++)
            {
                tally.Count(reply, TimeProvider.System.GetTimestamp());
            }
        });
        double cpu = (Process.GetCurrentProcess().TotalProcessorTime - before).TotalNanoseconds / Count / threads;
        Console.WriteLine($"counting an answer, both timestamps included, {threads} threads: {cpu:F1} ns of processor time each, {(GC.GetTotalAllocatedBytes(precise: true) - allocated) / (double)Count / threads:F3} octets allocated, wall {Stopwatch.GetElapsedTime(start).TotalNanoseconds / Count:F1} ns");
    }

    private static async Task MeasureHostAsync()
    {
        using ScratchDirectory directory = new();
        await using HostProcess host = await HostProcess.StartAsync(directory.Path, "--data", "d");
        using HttpClient client = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromMinutes(1) };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", (await File.ReadAllTextAsync(directory.File("d/admin.key"))).Trim());
        await AskAsync("warming up", "v1/overview", 300);
        await AskAsync("warming up", "metrics", 300);
        await AskAsync("GET /v1/overview", "v1/overview", 1000);
        await AskAsync("GET /v1/overview/history, one hour", "v1/overview/history", 1000);
        await AskAsync("GET /metrics", "metrics", 1000);
        await WatchAsync(0);
        await WatchAsync(20);

        async Task AskAsync(string what, string path, int times)
        {
            TimeSpan before = ProcessorTime(host);
            long octets = 0;
            for (int i = 0; i < times; i++)
            {
                octets += (await client.GetByteArrayAsync(new Uri(host.AdminUri, path))).Length;
            }

            Console.WriteLine($"{what}: {(ProcessorTime(host) - before).TotalMicroseconds / times:F0} µs of the host's processor time, {octets / times} octets");
        }

        async Task WatchAsync(int streams)
        {
            using CancellationTokenSource end = new(TimeSpan.FromSeconds(20));
            TimeSpan before = ProcessorTime(host);
            long start = Stopwatch.GetTimestamp();
            await Task.WhenAll(Enumerable.Range(0, Math.Max(1, streams)).Select(async _ =>
            {
                if (streams == 0)
                {
                    await Task.Delay(Timeout.InfiniteTimeSpan, end.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                    return;
                }

                try
                {
                    using Stream stream = await client.GetStreamAsync(new Uri(host.AdminUri, "v1/overview/stream"), end.Token);
                    await stream.CopyToAsync(Stream.Null, end.Token);
                }
                catch (OperationCanceledException)
                {
                    // The time is up.
                }
            }));
            Console.WriteLine($"{streams} streams of the overview: {(ProcessorTime(host) - before).TotalSeconds / Stopwatch.GetElapsedTime(start).TotalSeconds:P2} of a processor");
        }
    }

    private static TimeSpan ProcessorTime(HostProcess host)
    {
        using Process process = Process.GetProcessById(host.ProcessId);
        return process.TotalProcessorTime;
    }
}
