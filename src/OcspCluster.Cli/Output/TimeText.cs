using System.Globalization;

namespace OcspCluster.Cli;

/// <summary>Writes instants and durations for people: UTC, to the second, and how far away.</summary>
internal static class TimeText
{
    public static string Of(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <summary>The instant, and how far it is from now: <c>2026-11-21 07:00:00Z (38 minutes ago)</c>.</summary>
    public static string Relative(DateTimeOffset time, DateTimeOffset now) =>
        time <= now ? $"{Of(time)} ({Length(now - time)} ago)" : $"{Of(time)} (in {Length(time - now)})";

    /// <summary>The length in its greatest fitting unit, cut to whole ones.</summary>
    public static string Length(TimeSpan length) => length switch
    {
        { TotalSeconds: < 120 } => Count((long)length.TotalSeconds, "second"),
        { TotalMinutes: < 120 } => Count((long)length.TotalMinutes, "minute"),
        { TotalHours: < 48 } => Count((long)length.TotalHours, "hour"),
        _ => Count((long)length.TotalDays, "day"),
    };

    private static string Count(long count, string unit) => string.Create(CultureInfo.InvariantCulture, $"{count} {unit}{(count == 1 ? "" : "s")}");
}
