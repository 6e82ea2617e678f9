using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace OcspCluster.Benchmarks.Macro;

/// <summary>What all modes of <c>./bench.sh</c> need: who they are on, how far they are, and rounds that go from one contestant to the next.</summary>
internal static class Measurement
{
    /// <summary>How reports are written for programs: what could not be measured is NaN.</summary>
    public static readonly JsonSerializerOptions Json = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase, NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals };

    /// <summary>The machine, as a report names it.</summary>
    public static string Machine()
    {
        string model = File.Exists("/proc/cpuinfo") ? File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':', 2)[1].Trim() ?? "" : "";
        string load = File.Exists("/proc/loadavg") ? File.ReadAllText("/proc/loadavg").Split(' ')[0] : "unknown";
        return $"{Environment.ProcessorCount} processors {model}, {RuntimeInformation.FrameworkDescription}, load average {load} at the start";
    }

    /// <summary>Tells people how far it is; tables go to the standard output.</summary>
    public static void Say(FormattableString text) => Console.Error.WriteLine(TimeProvider.System.GetUtcNow().ToString("HH:mm:ss ", CultureInfo.InvariantCulture) + text.ToString(CultureInfo.InvariantCulture));

    /// <summary>All contestants under all loads, round after round, until the rounds are over or the time is.</summary>
    /// <param name="options">How often and how long.</param>
    /// <param name="work">What is asked for.</param>
    /// <param name="contestants">Who is asked.</param>
    /// <param name="report">Where it goes.</param>
    /// <param name="start">When the whole began; <see cref="MacroOptions.Limit"/> counts from it.</param>
    public static async Task RunRoundsAsync(MacroOptions options, Workload work, IReadOnlyList<Contestant> contestants, MacroReport report, long start)
    {
        for (int round = 0; round < options.Rounds; round++)
        {
            long began = Stopwatch.GetTimestamp();
            foreach (Scenario scenario in options.Scenarios)
            {
                // From another one on in each round, so that nobody always comes after the same neighbour.
                List<string> told = [];
                for (int i = 0; i < contestants.Count; i++)
                {
                    Contestant contestant = contestants[(i + round) % contestants.Count];
                    if ((scenario.IsPost ? !contestant.TakesPost : !contestant.TakesGet) || (scenario.KeepsConnection && !contestant.KeepsConnections))
                    {
                        continue;
                    }

                    Sample sample = await WrkLoad.RunAsync(contestant, scenario, work, round, options.Duration);
                    report.Samples.Add(sample);
                    told.Add(string.Create(CultureInfo.InvariantCulture, $"{contestant.Name} {sample.PerSecond:N0}/s {sample.ProcessorMicroseconds:N1} µs{(sample.Wrong > 0 ? $" {sample.Wrong} WRONG" : "")}"));
                }

                Say($"round {round + 1} of {options.Rounds}, {scenario.Name}: {string.Join(", ", told)}");
            }

            report.Rounds = round + 1;
            TimeSpan next = Stopwatch.GetElapsedTime(start) + Stopwatch.GetElapsedTime(began);
            if (next > options.Limit && round + 1 < options.Rounds)
            {
                report.Notes.Add(string.Create(CultureInfo.InvariantCulture, $"{round + 1} of {options.Rounds} rounds: another one would not have ended within {options.Limit.TotalMinutes:N0} minutes."));
                return;
            }
        }
    }

    /// <summary>The first line of a message, and no more of it than fits.</summary>
    public static string Short(string message) => message.Split('\n')[0] is { Length: > 300 } line ? line[..300] + " …" : message.Split('\n')[0];

    public static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length == 0 ? double.NaN : sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[(sorted.Length / 2) - 1] + sorted[sorted.Length / 2]) / 2;
    }
}
