using System.Text.Json.Serialization;

namespace OcspCluster.Cli;

/// <summary>How bad it is.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<Severity>))]
internal enum Severity
{
    /// <summary>Looked at, and well.</summary>
    [JsonStringEnumMemberName("ok")]
    Ok,

    /// <summary>It will matter, or may.</summary>
    [JsonStringEnumMemberName("warning")]
    Warning,

    /// <summary>Relying parties or CAs are not served as they should be.</summary>
    [JsonStringEnumMemberName("critical")]
    Critical,
}

/// <summary>What the doctor found. Immutable.</summary>
/// <param name="Severity">How bad it is.</param>
/// <param name="Area">What was looked at.</param>
/// <param name="Message">What is so.</param>
/// <param name="Cure">What to do; null where nothing is to be done.</param>
internal sealed record Finding(Severity Severity, string Area, string Message, string? Cure = null)
{
    public static Finding Ok(string area, string message) => new(Severity.Ok, area, message);

    public static Finding Warning(string area, string message, string cure) => new(Severity.Warning, area, message, cure);

    public static Finding Critical(string area, string message, string cure) => new(Severity.Critical, area, message, cure);
}
