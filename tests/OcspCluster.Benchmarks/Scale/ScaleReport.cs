using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using OcspCluster.Benchmarks.Macro;

namespace OcspCluster.Benchmarks.Scale;

/// <summary>A host that knows so many certificates. What was not measured is NaN.</summary>
/// <param name="Host">Which.</param>
/// <param name="Known">How many.</param>
/// <param name="FilledPerSecond">How quickly it was told, or its store was filled.</param>
/// <param name="StoredBytesEach">Of the file; of a silo, in Redis's memory.</param>
/// <param name="StartSeconds">From the start of the process until it is ready.</param>
/// <param name="Megabytes">Memory of its own, when it has been asked about what was never issued.</param>
/// <param name="MegabytesAfterLoad">And after all that it was asked.</param>
/// <param name="StatusMicroseconds">For the store to find a status.</param>
/// <param name="UnissuedPerSecond">Questions about what was never issued.</param>
/// <param name="FirstPerSecond">Questions about certificates that nobody asked for before: found, signed, verified, kept.</param>
/// <param name="HitsPerSecond">Questions about what is cached.</param>
/// <param name="HitP99">Of those, in microseconds.</param>
/// <param name="Wrong">Wrong answers.</param>
internal sealed record KnownFigures(
    string Host, int Known, double FilledPerSecond, double StoredBytesEach, double StartSeconds, double Megabytes, double MegabytesAfterLoad, double StatusMicroseconds, double UnissuedPerSecond, double FirstPerSecond,
    double HitsPerSecond, double HitP99, long Wrong);

/// <summary>What grows, as tables for people and as JSON for programs.</summary>
internal sealed class ScaleReport(MacroOptions options, string machine)
{
    public List<KnownFigures> Known { get; } = [];

    public List<CachedFigures> Cached { get; } = [];

    public List<string> Notes { get; } = [];

    /// <summary>Writes the tables, and the JSON where it is wanted.</summary>
    /// <param name="start">When the measurement began.</param>
    /// <returns>The exit code.</returns>
    public async Task<int> PublishAsync(long start)
    {
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        long wrong = Known.Sum(one => one.Wrong);
        var slopes = Known.Select(one => new { one.Host, one.Known, BytesPerKnown = SlopeOf(one) }).ToList();
        Console.Write(ToText(wrong, seconds));
        if (options.JsonFile is not null)
        {
            await File.WriteAllTextAsync(options.JsonFile, JsonSerializer.Serialize(new { Mode = "scale", Machine = machine, Seconds = seconds, Notes, Wrong = wrong, IsSound = wrong == 0, Known, Slopes = slopes, Cached }, Measurement.Json));
        }

        return wrong == 0 && Known.Count > 0 ? 0 : 1;
    }

    private string ToText(long wrong, double seconds)
    {
        StringBuilder text = new();
        text.AppendLine(Invariant($"{machine}; {seconds:N0} s in all"));
        foreach (string note in Notes)
        {
            text.AppendLine(note);
        }

        text.AppendLine();
        text.AppendLine(Invariant($"{"known",-24} {"filled/s",9} {"stored B",8} {"start s",8} {"MB",6} {"B/known",8} {"after load",10} {"status µs",9} {"unissued/s",10} {"first/s",8} {"hits/s",8} {"p99 ms",7}"));
        foreach (KnownFigures one in Known)
        {
            text.AppendLine(Invariant($"  {one.Host,-10} {one.Known,11:N0} {one.FilledPerSecond,9:N0} {one.StoredBytesEach,8:N0} {one.StartSeconds,8:N2} {one.Megabytes,6:N0} {SlopeOf(one),8:N1} {one.MegabytesAfterLoad,10:N0} {one.StatusMicroseconds,9:N1} {one.UnissuedPerSecond,10:N0} {one.FirstPerSecond,8:N0} {one.HitsPerSecond,8:N0} {one.HitP99 / 1000,7:N2}"));
        }

        text.AppendLine("  B/known: how much more memory (MB) the process has than with the fewest known, for each certificate more; MB: after questions about what was never issued, after load: with all that was asked then in the cache");
        text.AppendLine();
        text.AppendLine(Invariant($"{"in the cache",-24} {"octets",7} {"B each",7} {"B each, collector",17} {"lookup ns",9} {"full collection ms",18}"));
        foreach (CachedFigures one in Cached)
        {
            text.AppendLine(Invariant($"  {one.Count,22:N0} {one.AnswerBytes,7} {one.BytesEach,7:N0} {one.HeapBytesEach,17:N0} {one.LookupNanoseconds,9:N0} {one.CollectionMilliseconds,18:N1}"));
        }

        text.AppendLine(Invariant($"wrong answers: {wrong}"));
        return text.ToString();
    }

    private double SlopeOf(KnownFigures one)
    {
        KnownFigures least = Known.First(other => other.Host == one.Host);
        return one == least ? double.NaN : (one.Megabytes - least.Megabytes) * 1e6 / (one.Known - least.Known);
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
