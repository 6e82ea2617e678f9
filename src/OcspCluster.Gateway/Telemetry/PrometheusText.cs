using System.Globalization;
using System.Text;

namespace OcspCluster.Gateway;

/// <summary>Metrics in the text format of Prometheus 0.0.4. Names are made as OpenTelemetry has it: dots become underscores, the unit and <c>_total</c> come behind.</summary>
internal static class PrometheusText
{
    /// <summary>The content type.</summary>
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    /// <summary>Writes them.</summary>
    public static string Write(IReadOnlyList<MetricFamily> families)
    {
        StringBuilder text = new();
        foreach (MetricFamily family in families)
        {
            string name = NameOf(family.Name, family.Unit, family.Kind);
            text.Append(CultureInfo.InvariantCulture, $"# HELP {name} {(family.Description ?? "").Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal)}\n");
            text.Append(CultureInfo.InvariantCulture, $"# TYPE {name} {family.Kind.ToString().ToLowerInvariant()}\n");
            foreach ((string labels, SeriesValue value) in family.Series.OrderBy(series => series.Key, StringComparer.Ordinal))
            {
                if (value.Buckets is null)
                {
                    text.Append(CultureInfo.InvariantCulture, $"{name}{Braced(labels)} {Number(value.Value)}\n");
                }
                else
                {
                    WriteBuckets(text, name, labels, family.Bounds, value);
                }
            }
        }

        return text.ToString();
    }

    /// <summary>The name of an instrument in Prometheus.</summary>
    public static string NameOf(string name, string? unit, MetricKind kind)
    {
        string written = ToName(name);
        string? suffix = unit switch { "s" => "_seconds", "By" => "_bytes", _ => null };
        if (suffix is not null && !written.EndsWith(suffix, StringComparison.Ordinal))
        {
            written += suffix;
        }

        return kind == MetricKind.Counter && !written.EndsWith("_total", StringComparison.Ordinal) ? written + "_total" : written;
    }

    /// <summary>A name that Prometheus takes.</summary>
    public static string ToName(string name) => string.Create(name.Length, name, static (written, name) =>
    {
        for (int i = 0; i < name.Length; i++)
        {
            written[i] = char.IsAsciiLetterOrDigit(name[i]) ? name[i] : '_';
        }
    });

    /// <summary>A label's value within quotes.</summary>
    public static string Escape(string value) =>
        value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);

    private static void WriteBuckets(StringBuilder text, string name, string labels, IReadOnlyList<double> bounds, SeriesValue value)
    {
        string before = labels.Length == 0 ? "" : labels + ",";
        long count = 0;
        for (int i = 0; i < value.Buckets!.Length; i++)
        {
            count += value.Buckets[i]; // those of Prometheus count all below
            text.Append(CultureInfo.InvariantCulture, $"{name}_bucket{{{before}le=\"{(i < bounds.Count ? Number(bounds[i]) : "+Inf")}\"}} {count}\n");
        }

        text.Append(CultureInfo.InvariantCulture, $"{name}_sum{Braced(labels)} {Number(value.Sum)}\n{name}_count{Braced(labels)} {count}\n");
    }

    private static string Braced(string labels) => labels.Length == 0 ? "" : $"{{{labels}}}";

    private static string Number(double value) =>
        double.IsPositiveInfinity(value) ? "+Inf" : double.IsNegativeInfinity(value) ? "-Inf" : double.IsNaN(value) ? "NaN" : value.ToString("R", CultureInfo.InvariantCulture).Replace("E", "e", StringComparison.Ordinal);
}
