using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using OcspCluster.Testing;

namespace OcspCluster.Benchmarks.Macro;

/// <summary>
/// <c>./bench.sh</c>: the host, a bare Kestrel program and the peers that this machine has, under the same load, in rounds that go from one to the next. On a machine with other work
/// only what was measured in the same round can be compared, so the table has ratios of rounds and their spread.
/// </summary>
internal static class MacroCommand
{
    private const string Usage = "macro [--full] [--json FILE] [--certificates N] [--rounds N] [--seconds N] [--minutes N] [--silo FOLDER] [--only NAME[,NAME…]]";

    // For those that take them all into memory at the start.
    private const int PeerAnswers = 100_000;

    public static async Task<int> RunAsync(string[] arguments)
    {
        MacroOptions? options = MacroOptions.Parse(arguments);
        if (options is null)
        {
            await Console.Error.WriteLineAsync(Usage);
            return 2;
        }

        if (ExternalTool.Find("wrk") is null)
        {
            await Console.Error.WriteLineAsync("wrk is needed to measure anything (Debian: apt install wrk).");
            return 1;
        }

        long start = Stopwatch.GetTimestamp();
        using ScratchDirectory directory = new();
        MacroReport report = new(options.IsFull ? "full" : "quick", options, Measurement.Machine());
        Measurement.Say($"making {options.Certificates:N0} certificates and the requests about them");
        Workload work = new(directory.Path, options.Certificates);
        List<Contestant> contestants = [];
        using AnswerFiles files = new(work);
        try
        {
            await StartAllAsync(options, work, files, contestants, report);
            await Measurement.RunRoundsAsync(WithoutMissing(options, report), work, contestants, report, start);
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

    // h2load is only a second witness.
    private static MacroOptions WithoutMissing(MacroOptions options, MacroReport report)
    {
        if (ExternalTool.Find(H2Load.Program) is not null || !options.Scenarios.Any(scenario => scenario.IsByH2Load))
        {
            return options;
        }

        report.Missing.Add("the load of h2load: this machine has none (Debian: nghttp2-client)");
        return options with { Scenarios = [.. options.Scenarios.Where(scenario => !scenario.IsByH2Load)] };
    }

    private static async Task StartAllAsync(MacroOptions options, Workload work, AnswerFiles files, List<Contestant> contestants, MacroReport report)
    {
        // What is verified before it is served is the same octets; here a million signatures shall not take minutes.
        Measurement.Say($"standalone: importing, and signing every answer");
        Contestant standalone = await Contestant.StandaloneAsync(work, options.Certificates > 20_000 ? ["Issuers:bench:VerifySample=0"] : []);
        contestants.Add(standalone);
        bool wantsFiles = options.Wants("nginx") && ExternalTool.Find("nginx") is not null;
        int written = wantsFiles ? files.Room(work.Count) : 0;
        ConcurrentDictionary<int, byte[]> few = [];
        await Warming.AskAllAsync(
            standalone.Url,
            work,
            work.Count,
            (i, answer) =>
            {
                if (i < PeerAnswers)
                {
                    few[i] = answer.ToArray();
                }

                if (i < written)
                {
                    files.Write(i, answer.Span);
                }
            },
            done => Measurement.Say($"  {done:N0} answers"));
        report.AnswerBytes = few[0].Length;
        report.ResidentBytesPerCertificate = (double)standalone.Server.ResidentBytes / work.Count;
        Measurement.Say($"starting the others");
        contestants.Add(await Contestant.BareAsync(work, few[0]));
        await AddAsync("nginx", "nginx with the answers as files", () => Contestant.NginxAsync(work, files.Root, written));
        await AddAsync("openssl", "openssl ocsp -multi", () => Contestant.OpenSslAsync(work));
        await AddAsync("cfssl", "cfssl ocspserve", () => Contestant.CfsslAsync(work, [.. Enumerable.Range(0, few.Count).Select(i => few[i])]), onlyFull: true);
        await AddSiloAsync();
        foreach (Contestant contestant in contestants.Where(contestant => contestant.Certificates < work.Count))
        {
            report.Notes.Add(string.Create(CultureInfo.InvariantCulture, $"{contestant.Name} knows {contestant.Certificates:N0} of the certificates and is asked for those only."));
        }

        if (contestants.Any(contestant => !contestant.TakesGet))
        {
            report.Notes.Add("cfssl answers escaped GET targets with redirections and errors: it is asked by POST only.");
        }

        async Task AddAsync(string program, string what, Func<Task<Contestant>> start, bool onlyFull = false)
        {
            if (!options.Wants(program) || (onlyFull && !options.IsFull))
            {
                return;
            }

            if (ExternalTool.Find(program) is null)
            {
                report.Missing.Add($"{what}: this machine has no {program}");
                return;
            }

            try
            {
                contestants.Add(await start());
            }
            catch (Exception e) when (e is InvalidOperationException or OperationCanceledException)
            {
                report.Missing.Add($"{what}: {Measurement.Short(e.Message)}");
            }
        }

        async Task AddSiloAsync()
        {
            const string What = "the silo host over Redis";
            if (Contestant.FindSilo(options.SiloFolder) is { } program)
            {
                await AddAsync("redis-server", What, () => Contestant.SiloAsync(work, program), onlyFull: true);
            }
            else if (options.IsFull && options.Wants("redis-server"))
            {
                report.Missing.Add($"{What}: it was not built here (dotnet build -c Cluster src/OcspCluster.Silo; or --silo FOLDER)");
            }
        }
    }
}
