using System.Diagnostics;
using OcspCluster.Benchmarks.Macro;
using OcspCluster.Benchmarks.Overload;
using OcspCluster.Testing;

namespace OcspCluster.Benchmarks.Feed;

/// <summary>
/// <c>./bench.sh feed</c>: events acknowledged a second, one by one and in batches, beside what the store gives to anybody, round after round; and cached answers with and without a bulk import at full speed. Beside the same import
/// the bare program is asked as well: what it loses, whoever shares its processors with an import loses.
/// </summary>
internal static class FeedCommand
{
    private const double ReadsPerSecond = 1000;
    private const int Readers = 64;

    public static async Task<int> RunAsync(string[] arguments)
    {
        MacroOptions? options = MacroOptions.Parse(arguments, _ => []);
        if (options is null)
        {
            await Console.Error.WriteLineAsync("feed [--json FILE] [--certificates N] [--rounds N] [--seconds N] [--minutes N] [--silo FOLDER] [--only redis-server]");
            return 2;
        }

        long start = Stopwatch.GetTimestamp();
        using ScratchDirectory directory = new();
        Workload work = new(directory.Path, options.Certificates);
        FeedReport report = new(options, Measurement.Machine());
        List<Contestant> hosts = [];
        try
        {
            hosts.Add(await Contestant.StandaloneAsync(work, ["Admin:RequestsPerSecond=1000000"]));
            if (Contestant.FindSilo(options.SiloFolder) is { } program && ExternalTool.Find("redis-server") is not null && options.Wants("redis-server"))
            {
                hosts.Add(await Contestant.SiloAsync(work, program));
            }
            else
            {
                report.Notes.Add("The silo was not measured: it was not built here (dotnet build -c Cluster src/OcspCluster.Silo; or --silo FOLDER), or there is no redis-server.");
            }

            byte[] answer = [];
            foreach (Contestant host in hosts)
            {
                await Warming.AskAllAsync(host.Url, work, host.Certificates, (i, body) => answer = i == 0 ? body.ToArray() : answer);
                using FeedClient client = new(host);
                await client.SendAsync(host.Name, -1, clients: 16, batch: 1, options.Duration);
                await client.SendAsync(host.Name, -1, clients: 1, batch: 1000, options.Duration);
            }

            await using Contestant bare = await Contestant.BareAsync(work, answer);
            _ = await ReadAsync(options, work, bare, bare, imports: false, -1);
            for (int round = 0; round < options.Rounds && Stopwatch.GetElapsedTime(start) < options.Limit; round++)
            {
                await RunRoundAsync(options, work, hosts, bare, report, round);
            }
        }
        finally
        {
            foreach (Contestant host in hosts)
            {
                await host.DisposeAsync();
            }
        }

        return await report.PublishAsync(start);
    }

    private static async Task RunRoundAsync(MacroOptions options, Workload work, List<Contestant> hosts, Contestant bare, FeedReport report, int round)
    {
        report.Raw.Add(new RawSample("SQLite", round, await Task.Run(() => RawStores.SqlitePerSecond(Path.Combine(work.Directory, "raw.db"), options.Duration))));
        if (hosts.Exists(host => host.Name == Contestant.SiloName))
        {
            (ServerProcess redis, int port) = await Contestant.RedisAsync(Directory.CreateDirectory(Path.Combine(work.Directory, "raw" + round)).FullName);
            await using ServerProcess server = redis;
            report.Raw.Add(new RawSample("Redis", round, await RawStores.RedisPerSecondAsync(port, options.Duration)));
        }

        foreach (Contestant host in hosts)
        {
            using FeedClient client = new(host);
            foreach ((int clients, int batch) in ((int, int)[])[(1, 1), (16, 1), (64, 1), (1, 1000), (4, 1000)])
            {
                FeedSample sample = await client.SendAsync(host.Name, round, clients, batch, options.Duration);
                report.Samples.Add(sample);
                Measurement.Say($"round {round + 1} of {options.Rounds}, {host.Name}, {clients} clients, batches of {batch}: {sample.PerSecond:N0}/s, p99 {sample.P99 / 1000:N2} ms");
            }

            // Which comes first changes, so that neither always has what the other left behind.
            foreach (bool imports in round % 2 == 0 ? (bool[])[false, true] : [true, false])
            {
                foreach (Contestant server in round % 2 == 0 ? (Contestant[])[host, bare] : [bare, host])
                {
                    ReadSample sample = await ReadAsync(options, work, host, server, imports, round);
                    report.Reads.Add(sample);
                    Measurement.Say($"round {round + 1} of {options.Rounds}, {server.Name}, reads {(imports ? $"beside an import of {sample.ImportedPerSecond:N0}/s" : "alone")}: p50 {sample.P50 / 1000:N2} ms, p99 {sample.P99 / 1000:N2} ms");
                }
            }
        }
    }

    private static async Task<ReadSample> ReadAsync(MacroOptions options, Workload work, Contestant host, Contestant server, bool imports, int round)
    {
        await using BulkImport? import = imports ? await BulkImport.StartAsync(host) : null;
        RequestRows rows = work.Post with { Count = host.Certificates };
        ArrivalStream reads = new(rows, ReadsPerSecond, Readers, keeps: true, seed: round) { IsRight = (body, row) => server.IsConstant || work.IsAnswer(body.Span, row) };
        GC.Collect(); // so that none comes while it measures
        import?.Begin();
        StreamResult result = (await OpenLoop.RunAsync(server.Url, 2 * options.Duration, processor: null, isGentle: true, reads))[0];
        double imported = import is null ? 0 : await import.EndAsync();
        return new ReadSample(host.Name, server.Name, round, imports, imported, result.Successful, result.P50, result.P99, result.P999, result.Wrong + (result.Answered > result.Successful ? 1 : 0));
    }
}
