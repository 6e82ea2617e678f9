using System.Diagnostics;
using OcspCluster.Benchmarks.Macro;
using OcspCluster.Testing;

namespace OcspCluster.Benchmarks.Overload;

/// <summary>
/// <c>./bench.sh overload</c>: what becomes of cached answers when more is asked for than can be answered. The host has one processor and the generator another, so that neither takes from the other what is
/// measured. Capacity is what few connections get that ask again at once, and beside it what as many get as are open under overload; then twice the capacity comes, whether or not it is answered. Floods are held against floods of cached answers in the same round.
/// </summary>
internal static class OverloadCommand
{
    private const int Connections = 64;
    private const int ManyConnections = 1024;
    private const double SteadyPart = 0.05;
    private const int FloodRows = 200_000;

    public static async Task<int> RunAsync(string[] arguments)
    {
        MacroOptions? options = MacroOptions.Parse(arguments, _ => []);
        if (options is null)
        {
            await Console.Error.WriteLineAsync("overload [--json FILE] [--certificates N] [--rounds N] [--seconds N] [--minutes N]");
            return 2;
        }

        long start = Stopwatch.GetTimestamp();
        using ScratchDirectory directory = new();
        Workload work = new(directory.Path, options.Certificates);
        bool isPinned = Environment.ProcessorCount > 1 && ExternalTool.Find("taskset") is not null;
        OverloadReport report = new(options, Measurement.Machine()) { IsPinned = isPinned };
        Contestant host = await Contestant.StandaloneAsync(work, processor: isPinned ? 0 : null);
        await using ServerProcess server = host.Server;
        await Warming.AskAllAsync(host.Url, work, work.Count, (_, _) => { });
        int rows = Math.Min(FloodRows, 100 * options.Certificates);
        RequestRows nonces = work.WriteNonces(rows), unissued = work.WriteUnissued(rows);
        report.MegabytesBefore = server.ResidentBytes / 1e6;
        for (int round = -1; round < options.Rounds; round++)
        {
            // The first one warms up: what is compiled late, and the memory that the connections take.
            await RunRoundAsync(round);
            if (Stopwatch.GetElapsedTime(start) > options.Limit)
            {
                report.Notes.Add($"{round + 1} of {options.Rounds} rounds: the time was over.");
                break;
            }
        }

        return await report.PublishAsync(start);

        async Task RunRoundAsync(int round)
        {
            foreach (bool keeps in (bool[])[true, false])
            {
                string how = keeps ? "" : ", one connection each";
                StreamResult peak = (await AskAsync(round, "capacity" + how, Cached(double.PositiveInfinity, Connections, keeps)))[0];
                await AskAsync(round, OverloadReport.OverMany + how, Cached(double.PositiveInfinity, ManyConnections, keeps));
                await AskAsync(round, "twice the capacity" + how, Cached(2 * peak.Successful, ManyConnections, keeps));
                if (!keeps)
                {
                    continue;
                }

                await AskAsync(round, "the capacity of cached, and as many nonces", Cached(peak.Successful, ManyConnections / 2, keeps), Flood(nonces, peak.Successful, ManyConnections / 2));
                double steady = SteadyPart * peak.Successful, half = peak.Successful / 2;
                foreach ((string name, double rate) in ((string, double)[])[(OverloadReport.AtHalf, half), (OverloadReport.AtFull, double.PositiveInfinity)])
                {
                    await AskAsync(round, OverloadReport.CachedFlood + name, Cached(steady, Connections, keeps), Cached(rate, Connections, keeps));
                    await AskAsync(round, OverloadReport.NonceFlood + name, Cached(steady, Connections, keeps), Flood(nonces, rate, Connections));
                    await AskAsync(round, OverloadReport.UnissuedFlood + name, Cached(steady, Connections, keeps), Flood(unissued, rate, Connections));
                }
            }
        }

        async Task<IReadOnlyList<StreamResult>> AskAsync(int round, string what, params ArrivalStream[] streams)
        {
            double before = server.ProcessorSeconds;
            long began = Stopwatch.GetTimestamp();
            IReadOnlyList<StreamResult> results = await OpenLoop.RunAsync(host.Url, options.Duration, isPinned ? 1 : null, streams);
            double busy = (server.ProcessorSeconds - before) / Stopwatch.GetElapsedTime(began).TotalSeconds;
            if (round >= 0)
            {
                report.Add(new OverloadSample(round, what, results, busy, server.ResidentBytes / 1e6));
            }

            StreamResult first = results[0];
            Measurement.Say($"{(round < 0 ? "warming up" : $"round {round + 1} of {options.Rounds}")}, {what}: {first.Offered:N0}/s came, {first.Successful:N0}/s answered, p99 {first.P99 / 1000:N2} ms{(results.Count > 1 ? $"; beside it {results[1].Answered:N0}/s" : "")}; host busy {busy:P0}, {busy * 1e6 / results.Sum(stream => stream.Answered):N1} µs each");
            return results;
        }

        ArrivalStream Cached(double perSecond, int connections, bool keeps) =>
            new(work.Post, perSecond, connections, keeps, seed: connections) { IsRight = (body, row) => work.IsAnswer(body.Span, row) };

        ArrivalStream Flood(RequestRows rows, double perSecond, int connections) => new(rows, perSecond, connections, keeps: true, seed: connections);
    }
}
