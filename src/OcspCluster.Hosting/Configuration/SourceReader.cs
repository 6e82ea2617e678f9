using OcspCluster.Gateway;

namespace OcspCluster.Hosting.Configuration;

/// <summary>An issuer's standing sources, as they are configured.</summary>
/// <param name="Crl">The CRLs; null for none.</param>
/// <param name="IndexFile">The OpenSSL index that is watched; null for none.</param>
/// <param name="IndexInterval">How often.</param>
public sealed record IssuerSources(CrlSourceOptions? Crl, string? IndexFile, TimeSpan IndexInterval);

/// <summary>Reads <c>Issuers:{id}:CrlSource</c> and <c>Issuers:{id}:IndexSource</c>.</summary>
internal static class SourceReader
{
    private static readonly TimeSpan s_day = TimeSpan.FromDays(1);

    /// <summary>The sources of an issuer. What is wrong is reported.</summary>
    public static IssuerSources Read(SettingsReader reader, string issuer)
    {
        string index = $"Issuers:{issuer}:IndexSource";
        string? indexFile = reader.Text($"{index}:File") is string file ? reader.Settings.ResolvePath($"{index}:File", file) : null;
        if (indexFile is null && reader.Settings.Section(index).GetChildren().Any())
        {
            reader.Report($"{index}:File", null, "is missing: name the index.txt of 'openssl ca'");
        }

        return new IssuerSources(
            ReadCrl(reader, $"Issuers:{issuer}:CrlSource"), indexFile, reader.Duration($"{index}:Interval", TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(1), s_day));
    }

    private static CrlSourceOptions? ReadCrl(SettingsReader reader, string section)
    {
        if (!reader.Settings.Section(section).GetChildren().Any())
        {
            return null;
        }

        string? url = reader.Text($"{section}:Url");
        string? file = reader.Text($"{section}:File");
        if ((url is null) == (file is null))
        {
            reader.Report($"{section}:Url", url, url is null ? "is missing: give the CRL's Url, or its File" : "stands beside File: take one of them");
        }

        if (url is not null && !IsUrl(url))
        {
            reader.Report($"{section}:Url", url, "is not an http or https URL");
        }

        string? delta = reader.Text($"{section}:Delta");
        CrlSourceOptions @default = new() { Location = "" };
        return new CrlSourceOptions
        {
            Location = url ?? (file is null ? "" : reader.Settings.ResolvePath($"{section}:File", file)),
            Delta = delta is null || IsUrl(delta) ? delta : reader.Settings.ResolvePath($"{section}:Delta", delta),
            Interval = reader.Duration($"{section}:{nameof(CrlSourceOptions.Interval)}", @default.Interval, TimeSpan.FromSeconds(10), TimeSpan.FromDays(7)),
            Timeout = reader.Duration($"{section}:{nameof(CrlSourceOptions.Timeout)}", @default.Timeout, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1)),
            MaxBytes = reader.Integer($"{section}:{nameof(CrlSourceOptions.MaxBytes)}", @default.MaxBytes, 1024, 256 * 1024 * 1024),
        };
    }

    private static bool IsUrl(string text) => Uri.TryCreate(text, UriKind.Absolute, out Uri? uri) && uri.Scheme is "http" or "https";
}
