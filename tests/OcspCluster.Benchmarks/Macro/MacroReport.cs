using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace OcspCluster.Benchmarks.Macro;

/// <summary>What was measured, as a table for people and as JSON for programs.</summary>
internal sealed class MacroReport(string mode, MacroOptions options, string machine)
{
    public List<Sample> Samples { get; } = [];

    /// <summary>Whom the first ratio compares with.</summary>
    public string Baseline { get; init; } = Contestant.BareName;

    /// <summary>What could not be measured here, and why.</summary>
    public List<string> Missing { get; } = [];

    /// <summary>What must be known to read the table.</summary>
    public List<string> Notes { get; } = [];

    public double Seconds { get; set; }

    public int Rounds { get; set; }

    public int AnswerBytes { get; set; }

    public double ResidentBytesPerCertificate { get; set; }

    /// <summary>Whether every answer of ours was one: status codes, sockets, sampled bodies. What peers get wrong is in the table.</summary>
    public bool IsSound => Samples.Count > 0 && Samples.TrueForAll(sample => sample.Requests > 0 && (sample.Wrong == 0 || !sample.IsOurs));

    /// <summary>Writes the table, and the JSON where it is wanted.</summary>
    /// <param name="start">When the measurement began.</param>
    /// <returns>The exit code.</returns>
    public async Task<int> PublishAsync(long start)
    {
        Seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        Console.Write(ToText());
        if (options.JsonFile is not null)
        {
            await File.WriteAllTextAsync(options.JsonFile, ToJson());
        }

        return IsSound ? 0 : 1;
    }

    public string ToJson() => JsonSerializer.Serialize(
        new
        {
            Mode = mode,
            Baseline,
            Machine = machine,
            options.Certificates,
            AnswerBytes,
            ResidentBytesPerCertificate,
            Rounds,
            SecondsPerRound = options.Duration.TotalSeconds,
            Seconds,
            IsSound,
            Missing,
            Notes,
            Results = Rows(),
            Samples,
        },
        Measurement.Json);

    public string ToText()
    {
        StringBuilder text = new();
        text.AppendLine(Invariant($"{machine}"));
        text.AppendLine(Invariant($"{options.Certificates:N0} certificates, answers of {AnswerBytes} octets, {WrkLoad.Connections} connections, {Rounds} rounds of {options.Duration.TotalSeconds} s; medians of the rounds; {Seconds:N0} s in all"));
        foreach (string missing in Missing)
        {
            text.AppendLine("not measured: " + missing);
        }

        foreach (string note in Notes)
        {
            text.AppendLine(note);
        }

        foreach (IGrouping<string, MacroRow> scenario in Rows().GroupBy(row => row.Scenario))
        {
            text.AppendLine();
            text.AppendLine(Invariant($"{scenario.Key,-26} {"requests/s",10} {"CPU µs",8} {(Baseline == Contestant.BareName ? "× bare (spread)" : "× direct (spread)"),22} {"× nginx",8} {(Samples.Exists(sample => sample.BehindMicroseconds is not null) ? "behind µs" : ""),10} {"p50 ms",7} {"p99 ms",7} {"p99.9",7} {"wrong",6}"));
            foreach (MacroRow row in scenario)
            {
                string ratio = row.Ratio is null ? "" : Invariant($"{row.Ratio:N2} ({row.RatioLow:N2} to {row.RatioHigh:N2})");
                string nginx = row.RatioToNginx is null ? "" : Invariant($"{row.RatioToNginx:N2}");
                string behind = row.BehindMicroseconds is null ? "" : Invariant($"{row.BehindMicroseconds:N1}");
                text.AppendLine(Invariant($"  {row.Contestant,-24} {row.PerSecond,10:N0} {row.ProcessorMicroseconds,8:N1} {ratio,22} {nginx,8} {behind,10} {row.P50 / 1000,7:N2} {row.P99 / 1000,7:N2} {row.P999 / 1000,7:N2} {row.Wrong,6}"));
            }
        }

        return text.ToString();
    }

    private List<MacroRow> Rows() =>
    [
        .. Samples.GroupBy(sample => (sample.Scenario, sample.Contestant)).OrderBy(group => options.Scenarios.Select(one => one.Name).ToList().IndexOf(group.Key.Scenario))
            .ThenBy(group => Samples.FindIndex(sample => sample.Contestant == group.Key.Contestant)).Select(Row),
    ];

    private MacroRow Row(IGrouping<(string Scenario, string Contestant), Sample> group)
    {
        double[] bare = RatiosTo(Baseline, group);
        double[] nginx = RatiosTo(Contestant.NginxName, group);
        return new MacroRow(
            group.Key.Scenario,
            group.Key.Contestant,
            Measurement.Median(group.Select(sample => sample.PerSecond)),
            Measurement.Median(group.Select(sample => sample.ProcessorMicroseconds)),
            bare.Length == 0 ? null : Measurement.Median(bare),
            bare.Length == 0 ? null : bare.Min(),
            bare.Length == 0 ? null : bare.Max(),
            nginx.Length == 0 ? null : Measurement.Median(nginx),
            group.Any(sample => sample.BehindMicroseconds is null) ? null : Measurement.Median(group.Select(sample => sample.BehindMicroseconds ?? 0)),
            Measurement.Median(group.Select(sample => sample.P50)),
            Measurement.Median(group.Select(sample => sample.P99)),
            Measurement.Median(group.Select(sample => sample.P999)),
            group.Sum(sample => sample.Wrong));
    }

    // Of processor time per request, that of a server behind included, each round's by itself.
    private double[] RatiosTo(string other, IGrouping<(string Scenario, string Contestant), Sample> group) =>
        [.. group.SelectMany(sample => Samples.Where(one => one.Contestant == other && one.Scenario == sample.Scenario && one.Round == sample.Round).Select(one => sample.TotalMicroseconds / one.TotalMicroseconds))];

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

/// <summary>One contestant in one scenario: medians over the rounds. Latencies in microseconds.</summary>
internal sealed record MacroRow(
    string Scenario,
    string Contestant,
    double PerSecond,
    double ProcessorMicroseconds,
    double? Ratio,
    double? RatioLow,
    double? RatioHigh,
    double? RatioToNginx,
    double? BehindMicroseconds,
    double P50,
    double P99,
    double P999,
    long Wrong);
