using System.Diagnostics;
using OcspCluster.Benchmarks.Macro;
using OcspCluster.Testing;

namespace OcspCluster.Benchmarks.Edge;

/// <summary>
/// <c>./bench.sh edge</c>: the standalone host by itself and behind the edges of <c>deploy/edge/</c>, over one connection for each request, as most OCSP clients ask, and over connections that stay.
/// The processor time of the edge and of the responder behind it are told apart; the ratio is that of their sum to the responder's alone.
/// </summary>
internal static class EdgeCommand
{
    public static async Task<int> RunAsync(string[] arguments)
    {
        MacroOptions? options = MacroOptions.Parse(arguments, Scenarios);
        if (options is null)
        {
            await Console.Error.WriteLineAsync("edge [--json FILE] [--certificates N] [--rounds N] [--seconds N] [--minutes N] [--only haproxy,nginx]");
            return 2;
        }

        if (ExternalTool.Find("wrk") is null)
        {
            await Console.Error.WriteLineAsync("wrk is needed to measure anything (Debian: apt install wrk).");
            return 1;
        }

        long start = Stopwatch.GetTimestamp();
        using ScratchDirectory directory = new();
        Workload work = new(directory.Path, options.Certificates);
        MacroReport report = new("edge", options, Measurement.Machine()) { Baseline = Contestant.StandaloneName };
        List<Contestant> contestants = [];
        try
        {
            Contestant standalone = await Contestant.StandaloneAsync(work);
            contestants.Add(standalone);
            await Warming.AskAllAsync(standalone.Url, work, work.Count, (_, answer) => report.AnswerBytes = answer.Length);
            foreach ((string file, string program, string name) in EdgeServer.All.Where(edge => options.Wants(edge.Program)))
            {
                if (ExternalTool.Find(program) is null || EdgeServer.Configurations is null)
                {
                    report.Missing.Add($"{name}: this machine has no {program}");
                    continue;
                }

                (ServerProcess server, Uri url) = await EdgeServer.StartAsync(file, directory.Path, standalone.Url, standalone.Admin!);
                Contestant edge = new(name, server, url, TakesPost: true, KeepsConnections: true, work.Count, IsConstant: false) { IsOurs = true, Behind = standalone };
                contestants.Add(edge);
                await WrkLoad.AskAsync(url, work.Get, isPost: false, isZipf: false, keepsConnection: true, WrkLoad.Connections, seed: 1, options.Duration * 2); // what caches is full afterwards
            }

            await Measurement.RunRoundsAsync(options, work, contestants, report, start);
        }
        finally
        {
            foreach (Contestant contestant in contestants)
            {
                await contestant.DisposeAsync();
            }
        }

        return await report.PublishAsync(start);
    }

    private static List<Scenario> Scenarios(MacroOptions options) =>
    [
        .. from keeps in (bool[])[false, true]
           from isPost in (bool[])[false, true]
           select new Scenario($"{(isPost ? "POST" : "GET")}{(keeps ? "" : ", one connection each")}", isPost, IsZipf: false, keeps, options.Certificates),
    ];
}
