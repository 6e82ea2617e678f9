using System.Globalization;

namespace OcspCluster.Cli;

/// <summary>Reads times of the command line: RFC 3339 with an offset, so that nobody's time zone is guessed.</summary>
internal static class Instants
{
    private static readonly string[] s_forms = ["yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK", "yyyy-MM-dd'T'HH:mmK", "yyyy-MM-dd"];

    /// <summary>Reads one; a date alone is its beginning in UTC.</summary>
    public static DateTimeOffset? Read(string option, string? text) => text is null ? null
        : DateTimeOffset.TryParseExact(text, s_forms, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out DateTimeOffset time)
            && (text.Length == 10 || text.EndsWith('Z') || text[^6] is '+' or '-')
            ? time
            : throw new CommandFailure($"{option}: '{text}' is not a time such as 2026-11-21T12:00:00Z, or a date.", ExitCode.Usage);

    /// <summary>As the API takes it.</summary>
    public static string Of(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
