namespace OcspCluster.Hosting.Configuration;

/// <summary>How log lines are written.</summary>
internal enum LogFormat
{
    /// <summary>One line of text each.</summary>
    Text,

    /// <summary>One JSON object each, with the event's id and its values.</summary>
    Json,
}

/// <summary>How OTLP is spoken.</summary>
internal enum OtlpProtocol
{
    /// <summary>Protocol buffers over HTTP/1.1, usually at port 4318.</summary>
    HttpProtobuf,

    /// <summary>gRPC, usually at port 4317.</summary>
    Grpc,
}

/// <summary>How the host tells of itself. Immutable.</summary>
public sealed class TelemetrySettings
{
    internal TelemetrySettings()
    {
    }

    internal LogFormat LogFormat { get; init; }

    /// <summary>Where metrics, traces and logs are sent to by OTLP; null where the environment (<c>OTEL_EXPORTER_OTLP_ENDPOINT</c>) says so, or nobody does.</summary>
    internal Uri? Endpoint { get; init; }

    internal OtlpProtocol Protocol { get; init; }

    /// <summary>Headers of each transfer, <c>name=value</c> with commas between; null for none.</summary>
    internal string? Headers { get; init; }

    /// <summary>Between transfers of metrics.</summary>
    internal TimeSpan Interval { get; init; }

    /// <summary>The part of the requests that are traced.</summary>
    internal double TraceRatio { get; init; }
}

/// <summary>Reads the section <c>Telemetry</c>.</summary>
internal static class TelemetryReader
{
    public static TelemetrySettings Read(SettingsReader reader)
    {
        Uri? endpoint = null;
        if (reader.Text("Telemetry:Otlp:Endpoint") is string text && (!Uri.TryCreate(text, UriKind.Absolute, out endpoint) || (endpoint.Scheme != Uri.UriSchemeHttp && endpoint.Scheme != Uri.UriSchemeHttps)))
        {
            reader.Report("Telemetry:Otlp:Endpoint", text, "is not a URL as http://collector:4318");
            endpoint = null;
        }

        return new TelemetrySettings
        {
            LogFormat = reader.Choice("Telemetry:LogFormat", LogFormat.Text),
            Endpoint = endpoint,
            Protocol = reader.Choice("Telemetry:Otlp:Protocol", OtlpProtocol.HttpProtobuf),
            Headers = ReadHeaders(reader),
            Interval = reader.Duration("Telemetry:Otlp:Interval", TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(1), TimeSpan.FromHours(1)),
            TraceRatio = reader.Number("Telemetry:TraceRatio", 0.01, 0, 1),
        };
    }

    // In a file of their own: they are credentials.
    private static string? ReadHeaders(SettingsReader reader)
    {
        if (reader.Text("Telemetry:Otlp:HeadersFile") is not string file)
        {
            return null;
        }

        try
        {
            return string.Join(',', File.ReadLines(reader.Settings.ResolvePath("Telemetry:Otlp:HeadersFile", file)).Where(line => line.Length > 0));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            reader.Report("Telemetry:Otlp:HeadersFile", file, $"cannot be read: {e.Message}");
            return null;
        }
    }
}
