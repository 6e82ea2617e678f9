using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using OcspCluster.Benchmarks.Macro;

namespace OcspCluster.Benchmarks.Feed;

/// <summary>What the feed takes, as tables for people and as JSON for programs.</summary>
internal sealed class FeedReport(MacroOptions options, string machine)
{
    public List<RawSample> Raw { get; } = [];

    public List<FeedSample> Samples { get; } = [];

    public List<ReadSample> Reads { get; } = [];

    public List<string> Notes { get; } = [];

    /// <summary>Writes the tables, and the JSON where it is wanted.</summary>
    /// <param name="start">When the measurement began.</param>
    /// <returns>The exit code.</returns>
    public async Task<int> PublishAsync(long start)
    {
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        long wrong = Reads.Sum(one => one.Wrong);
        FeedRow[] rows = [.. Samples.GroupBy(one => (one.Host, one.Clients, one.Batch)).Select(Row)];
        ReadRow[] reads = [.. Reads.GroupBy(one => (one.Host, one.Server)).Select(Compare)];
        Console.Write(ToText(rows, reads, wrong, seconds));
        if (options.JsonFile is not null)
        {
            await File.WriteAllTextAsync(
                options.JsonFile,
                JsonSerializer.Serialize(new { Mode = "feed", Machine = machine, Seconds = seconds, Notes, Wrong = wrong, IsSound = wrong == 0, Rows = rows, ReadsBesideImport = reads, Raw, Samples, Reads }, Measurement.Json));
        }

        return wrong == 0 && Samples.Count > 0 ? 0 : 1;
    }

    private string ToText(FeedRow[] rows, ReadRow[] reads, long wrong, double seconds)
    {
        StringBuilder text = new();
        text.AppendLine(Invariant($"{machine}"));
        text.AppendLine(Invariant($"{options.Rounds} rounds of {options.Duration.TotalSeconds} s, medians; hosts, stores and clients share the processors; {seconds:N0} s in all"));
        foreach (string note in Notes)
        {
            text.AppendLine(note);
        }

        text.AppendLine();
        text.AppendLine(Invariant($"{"events acknowledged",-38} {"events/s",9} {"× raw (spread)",22} {"p50 ms",8} {"p99 ms",8}"));
        foreach (IGrouping<string, RawSample> raw in Raw.GroupBy(one => one.Store))
        {
            text.AppendLine(Invariant($"  {raw.Key + ", one row, flushed, one client",-36} {Measurement.Median(raw.Select(one => one.PerSecond)),9:N0}"));
        }

        foreach (FeedRow row in rows)
        {
            string name = Invariant($"{row.Host}, {row.Clients} {(row.Clients == 1 ? "client" : "clients")}, {(row.Batch == 1 ? "one each" : Invariant($"{row.Batch:N0} at once"))}");
            text.AppendLine(Invariant($"  {name,-36} {row.PerSecond,9:N0} {Invariant($"{row.Ratio:N2} ({row.RatioLow:N2} to {row.RatioHigh:N2})"),22} {row.P50 / 1000,8:N2} {row.P99 / 1000,8:N2}"));
        }

        text.AppendLine();
        text.AppendLine(Invariant($"{"cached answers, 1,000/s, open loop",-38} {"imported/s",10} {"p50 alone",9} {"beside",7} {"p99 alone",9} {"beside",7} {"× p99 (spread)",22}"));
        foreach (ReadRow row in reads)
        {
            string name = row.Host == row.Server ? row.Host : Invariant($"{row.Server}, beside the same");
            text.AppendLine(Invariant($"  {name,-36} {row.ImportedPerSecond,10:N0} {row.P50Alone / 1000,9:N2} {row.P50 / 1000,7:N2} {row.P99Alone / 1000,9:N2} {row.P99 / 1000,7:N2} {Invariant($"{row.Ratio:N2} ({row.RatioLow:N2} to {row.RatioHigh:N2})"),22}"));
        }

        text.AppendLine(Invariant($"wrong answers: {wrong}"));
        return text.ToString();
    }

    // Beside the store that the host is over, each round by itself.
    private FeedRow Row(IGrouping<(string Host, int Clients, int Batch), FeedSample> group)
    {
        string store = group.Key.Host == Contestant.SiloName ? "Redis" : "SQLite";
        double[] ratios = [.. group.Select(one => one.PerSecond / Raw.First(raw => raw.Store == store && raw.Round == one.Round).PerSecond)];
        return new FeedRow(
            group.Key.Host, group.Key.Clients, group.Key.Batch, Measurement.Median(group.Select(one => one.PerSecond)), Measurement.Median(ratios), ratios.Min(), ratios.Max(), Measurement.Median(group.Select(one => one.P50)), Measurement.Median(group.Select(one => one.P99)));
    }

    private ReadRow Compare(IGrouping<(string Host, string Server), ReadSample> group)
    {
        ReadSample[] alone = [.. group.Where(one => !one.IsImporting).OrderBy(one => one.Round)], beside = [.. group.Where(one => one.IsImporting).OrderBy(one => one.Round)];
        double[] ratios = [.. alone.Zip(beside, (a, b) => b.P99 / a.P99)];
        return new ReadRow(
            group.Key.Host, group.Key.Server, Measurement.Median(beside.Select(one => one.ImportedPerSecond)), Measurement.Median(alone.Select(one => one.P50)), Measurement.Median(beside.Select(one => one.P50)),
            Measurement.Median(alone.Select(one => one.P99)), Measurement.Median(beside.Select(one => one.P99)), Measurement.Median(ratios), ratios.DefaultIfEmpty().Min(), ratios.DefaultIfEmpty().Max());
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private sealed record FeedRow(string Host, int Clients, int Batch, double PerSecond, double Ratio, double RatioLow, double RatioHigh, double P50, double P99);

    private sealed record ReadRow(string Host, string Server, double ImportedPerSecond, double P50Alone, double P50, double P99Alone, double P99, double Ratio, double RatioLow, double RatioHigh);
}
