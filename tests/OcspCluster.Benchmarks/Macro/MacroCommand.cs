using System.Diagnostics;
using OcspCluster.Testing;

namespace OcspCluster.Benchmarks.Macro;

/// <summary>
/// <c>./bench.sh</c>: the host, a bare Kestrel program and the peers that this machine has, under the same load, in rounds that go from one to the next. On a machine with other work
/// only what was measured in the same round can be compared, so the table has ratios of rounds and their spread.
/// </summary>
internal static class MacroCommand
{
    private const string Usage = "macro [--full] [--json FILE] [--certificates N] [--rounds N] [--seconds N] [--only NAME[,NAME…]]";

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
        Workload work = new(directory.Path, options.Certificates);
        List<Contestant> contestants = [];
        MacroReport report = new(options, await MachineAsync());
        try
        {
            await StartAllAsync(options, work, contestants, report);
            await RunRoundsAsync(options, work, contestants, report);
        }
        finally
        {
            foreach (Contestant contestant in contestants)
            {
                await contestant.Server.DisposeAsync();
            }
        }

        report.Seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        Console.Write(report.ToText());
        if (options.JsonFile is not null)
        {
            await File.WriteAllTextAsync(options.JsonFile, report.ToJson());
        }

        return report.IsSound ? 0 : 1;
    }

    private static async Task StartAllAsync(MacroOptions options, Workload work, List<Contestant> contestants, MacroReport report)
    {
        Contestant standalone = await Contestant.StandaloneAsync(work, options.Certificates > 20_000 ? ["Issuers:bench:Presign=All", "Issuers:bench:RefreshSignaturesPerSecond=1000000", "Issuers:bench:VerifySample=0"] : []);
        contestants.Add(standalone);
        IReadOnlyList<byte[]> answers = await AskAllAsync(standalone, work);
        report.AnswerBytes = answers[0].Length;
        report.ResidentBytesPerCertificate = (double)standalone.Server.ResidentBytes / work.Count;
        contestants.Add(await Contestant.BareAsync(work, answers[0]));
        IReadOnlyList<byte[]> files = [.. answers.Take(100_000)];
        await AddAsync("nginx", "nginx with the answers as files", () => Contestant.NginxAsync(work, files));
        await AddAsync("openssl", "openssl ocsp -multi", () => Contestant.OpenSslAsync(work));
        await AddAsync("cfssl", "cfssl ocspserve", () => Contestant.CfsslAsync(work, files), onlyFull: true);

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
                report.Missing.Add($"{what}: {e.Message}");
            }
        }
    }

    private static async Task RunRoundsAsync(MacroOptions options, Workload work, List<Contestant> contestants, MacroReport report)
    {
        for (int round = 0; round < options.Rounds; round++)
        {
            foreach (Scenario scenario in options.Scenarios)
            {
                // From another one on in each round, so that nobody always comes after the same neighbour.
                for (int i = 0; i < contestants.Count; i++)
                {
                    Contestant contestant = contestants[(i + round) % contestants.Count];
                    if ((scenario.IsPost && !contestant.TakesPost) || (scenario.KeepsConnection && !contestant.KeepsConnections))
                    {
                        continue;
                    }

                    report.Samples.Add(await WrkLoad.RunAsync(contestant, scenario, work, round, options.Duration));
                }
            }
        }
    }

    // Every certificate once: what the files of the peers are made of, and afterwards all are in the cache.
    private static async Task<IReadOnlyList<byte[]>> AskAllAsync(Contestant standalone, Workload work)
    {
        using HttpClient client = new(new SocketsHttpHandler { UseProxy = false, MaxConnectionsPerServer = 16 });
        byte[][] answers = new byte[work.Count][];
        await Parallel.ForAsync(0, work.Count, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (i, cancellationToken) =>
        {
            using HttpRequestMessage request = WrkLoad.Ask(standalone, isPost: true, work, i);
            using HttpResponseMessage response = await client.SendAsync(request, cancellationToken);
            answers[i] = await response.Content.ReadAsByteArrayAsync(cancellationToken);
            if (!work.IsAnswer(answers[i], i))
            {
                throw new InvalidOperationException($"The host did not answer for certificate {i}: {(int)response.StatusCode} {Convert.ToHexString(answers[i])}");
            }
        });
        return answers;
    }

    private static async Task<string> MachineAsync()
    {
        string model = File.Exists("/proc/cpuinfo") ? File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':', 2)[1].Trim() ?? "" : "";
        string load = File.Exists("/proc/loadavg") ? (await File.ReadAllTextAsync("/proc/loadavg")).Split(' ')[0] : "unknown";
        return $"{Environment.ProcessorCount} processors {model}, {System.Runtime.InteropServices.RuntimeInformation.FrameworkDescription}, load average {load} at the start";
    }
}
