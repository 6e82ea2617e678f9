using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using OcspCluster.Benchmarks.Macro;

namespace OcspCluster.Benchmarks.Overload;

/// <summary>One run: the streams that came at once, the first being the one that is watched.</summary>
/// <param name="Round">Which round, from 0.</param>
/// <param name="What">What came.</param>
/// <param name="Streams">What became of each.</param>
/// <param name="Busy">How much of a processor the host used.</param>
/// <param name="Megabytes">The host's memory afterwards.</param>
internal sealed record OverloadSample(int Round, string What, IReadOnlyList<StreamResult> Streams, double Busy, double Megabytes)
{
    /// <summary>The host's processor time for each answer, in microseconds: what a machine with other work to do can tell.</summary>
    public double MicrosecondsEach => Busy * 1e6 / Streams.Sum(stream => stream.Answered);
}

/// <summary>What overload did, as tables for people and as JSON for programs.</summary>
internal sealed class OverloadReport(MacroOptions options, string machine)
{
    public const string CachedFlood = "cached answers";
    public const string NonceFlood = "nonces";
    public const string UnissuedFlood = "never issued";
    public const string OverMany = "capacity over 1,024";
    public const string AtHalf = ", half the capacity";
    public const string AtFull = ", all they can";

    private readonly List<OverloadSample> _samples = [];

    public List<string> Notes { get; } = [];

    public bool IsPinned { get; init; }

    public double MegabytesBefore { get; set; }

    public void Add(OverloadSample sample) => _samples.Add(sample);

    /// <summary>Writes the tables, and the JSON where it is wanted.</summary>
    /// <param name="start">When the measurement began.</param>
    /// <returns>The exit code.</returns>
    public async Task<int> PublishAsync(long start)
    {
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        long wrong = _samples.Sum(sample => sample.Streams.Sum(stream => stream.Wrong));
        Overload[] overloads = [Goodput(""), Goodput(", one connection each")];
        Flooded[] floods = [.. from name in (string[])[AtHalf, AtFull] from flood in (string[])[CachedFlood, NonceFlood, UnissuedFlood] select Compare(flood, name)];
        Console.Write(ToText(overloads, floods, wrong, seconds));
        if (options.JsonFile is not null)
        {
            await File.WriteAllTextAsync(options.JsonFile, JsonSerializer.Serialize(
                new { Mode = "overload", Machine = machine, IsPinned, options.Certificates, options.Rounds, SecondsPerRound = options.Duration.TotalSeconds, Seconds = seconds, Notes, Wrong = wrong, IsSound = wrong == 0, MegabytesBefore, MegabytesAtMost = MegabytesAtMost, Overloads = overloads, Floods = floods, Samples = _samples },
                Measurement.Json));
        }

        return wrong == 0 && _samples.Count > 0 ? 0 : 1;
    }

    private double MegabytesAtMost => _samples.Count == 0 ? 0 : _samples.Max(sample => sample.Megabytes);

    private string ToText(Overload[] overloads, Flooded[] floods, long wrong, double seconds)
    {
        StringBuilder text = new();
        text.AppendLine(Invariant($"{machine}"));
        text.AppendLine(Invariant($"{options.Certificates:N0} certificates, {options.Rounds} rounds of {options.Duration.TotalSeconds} s, medians; {(IsPinned ? "the host on one processor, the generator on another" : "not pinned: the generator takes processor time from the host")}; {seconds:N0} s in all"));
        foreach (string note in Notes)
        {
            text.AppendLine(note);
        }

        text.AppendLine();
        text.AppendLine(Invariant($"{"twice the capacity, open loop",-30} {"capacity/s",10} {"came/s",9} {"answered/s",10} {"of capacity (spread)",22} {"over 1,024",10} {"of that (spread)",22} {"went away/s",11} {"p50 ms",7} {"p99 ms",8} {"broken",6} {"host busy",9} {"µs each (at capacity, over 1,024)",33}"));
        foreach (Overload one in overloads)
        {
            text.AppendLine(Invariant($"  {one.Name,-28} {one.Capacity,10:N0} {one.Offered,9:N0} {one.Answered,10:N0} {Invariant($"{one.Part:N2} ({one.PartLow:N2} to {one.PartHigh:N2})"),22} {one.Many.Capacity,10:N0} {Invariant($"{one.Many.Part:N2} ({one.Many.PartLow:N2} to {one.Many.PartHigh:N2})"),22} {one.GaveUp,11:N0} {one.ServedP50 / 1000,7:N1} {one.ServedP99 / 1000,8:N1} {one.Broken,6} {one.Busy,9:P0} {Invariant($"{one.Microseconds:N1} ({one.CapacityMicroseconds:N1}, {one.Many.Microseconds:N1})"),33}"));
        }

        text.AppendLine("  capacity: 64 connections that ask again at once; over 1,024: as many as are open under overload do the same. p50 and p99 from sending: who has no connection goes away after a second.");
        foreach (OverloadSample mixed in _samples.Where(sample => sample.What.EndsWith("as many nonces", StringComparison.Ordinal)).TakeLast(1))
        {
            StreamResult cached = mixed.Streams[0], nonces = mixed.Streams[1];
            text.AppendLine(Invariant($"  {mixed.What} (last round): cached {cached.Successful:N0}/s of {cached.Offered:N0}; of {nonces.Offered:N0}/s with nonces {nonces.Successful:N0} signed, {nonces.TryLater:N0} tryLater"));
        }

        text.AppendLine();
        text.AppendLine(Invariant($"{"cached answers beside a flood of",-34} {"flood/s",9} {"signed/s",8} {"tryLater",9} {"cached/s",9} {"p50 ms",8} {"p99 ms",8} {"× p50",6} {"× p99",6} {"host busy",9}"));
        foreach (Flooded one in floods)
        {
            text.AppendLine(Invariant($"  {one.Name,-32} {one.Flood,9:N0} {one.Signed,8:N0} {one.TryLater,9:N0} {one.Cached,9:N0} {one.P50 / 1000,8:N2} {one.P99 / 1000,8:N2} {one.RatioP50,6:N2} {one.RatioP99,6:N2} {one.Busy,9:P0}"));
        }

        text.AppendLine(Invariant($"wrong answers: {wrong}; the host's memory: {MegabytesBefore:N0} MB before, {MegabytesAtMost:N0} MB at most"));
        return text.ToString();
    }

    private Overload Goodput(string how)
    {
        List<OverloadSample> capacity = Of("capacity" + how), twice = Of("twice the capacity" + how);
        double[] parts = PartsOf(capacity);
        List<OverloadSample> many = Of(OverMany + how);
        double[] partsOfMany = PartsOf(many);
        return new Overload(
            how.Length == 0 ? "connections that stay" : how[2..],
            Measurement.Median(capacity.Select(one => one.Streams[0].Successful)),
            Measurement.Median(twice.Select(one => one.Streams[0].Offered)),
            Measurement.Median(twice.Select(one => one.Streams[0].Successful)),
            Measurement.Median(parts),
            parts.DefaultIfEmpty().Min(),
            parts.DefaultIfEmpty().Max(),
            Measurement.Median(twice.Select(one => one.Streams[0].GaveUp)),
            Measurement.Median(twice.Select(one => one.Streams[0].ServedP50)),
            Measurement.Median(twice.Select(one => one.Streams[0].ServedP99)),
            twice.Sum(one => one.Streams[0].Broken),
            Measurement.Median(twice.Select(one => one.Busy)),
            Measurement.Median(capacity.Select(one => one.MicrosecondsEach)),
            Measurement.Median(twice.Select(one => one.MicrosecondsEach)),
            new ManyConnections(
                Measurement.Median(many.Select(one => one.Streams[0].Successful)),
                Measurement.Median(partsOfMany),
                partsOfMany.DefaultIfEmpty().Min(),
                partsOfMany.DefaultIfEmpty().Max(),
                Measurement.Median(many.Select(one => one.MicrosecondsEach))));

        double[] PartsOf(List<OverloadSample> peak) => [.. peak.Zip(twice, (a, b) => b.Streams[0].Successful / a.Streams[0].Successful)];
    }

    private Flooded Compare(string flood, string name)
    {
        List<OverloadSample> mine = Of(flood + name), calm = Of(CachedFlood + name);
        return new Flooded(
            flood + name,
            Measurement.Median(mine.Select(one => one.Streams[1].Answered)),
            flood == NonceFlood ? Measurement.Median(mine.Select(one => one.Streams[1].Successful)) : 0,
            Measurement.Median(mine.Select(one => one.Streams[1].TryLater)),
            Measurement.Median(mine.Select(one => one.Streams[0].Successful)),
            Measurement.Median(mine.Select(one => one.Streams[0].P50)),
            Measurement.Median(mine.Select(one => one.Streams[0].P99)),
            Measurement.Median(mine.Zip(calm, (a, b) => a.Streams[0].P50 / b.Streams[0].P50)),
            Measurement.Median(mine.Zip(calm, (a, b) => a.Streams[0].P99 / b.Streams[0].P99)),
            Measurement.Median(mine.Select(one => one.Busy)));
    }

    private List<OverloadSample> Of(string what) => [.. _samples.Where(sample => sample.What == what).OrderBy(sample => sample.Round)];

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private sealed record Overload(
        string Name, double Capacity, double Offered, double Answered, double Part, double PartLow, double PartHigh, double GaveUp, double ServedP50, double ServedP99, long Broken, double Busy,
        double CapacityMicroseconds, double Microseconds, ManyConnections Many);

    /// <summary>What as many connections as are open under overload get that ask again at once, and which part of that was answered under overload.</summary>
    private sealed record ManyConnections(double Capacity, double Part, double PartLow, double PartHigh, double Microseconds);

    private sealed record Flooded(string Name, double Flood, double Signed, double TryLater, double Cached, double P50, double P99, double RatioP50, double RatioP99, double Busy);
}
