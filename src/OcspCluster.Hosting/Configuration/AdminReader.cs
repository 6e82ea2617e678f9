using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Options;
using OcspCluster.Gateway;

namespace OcspCluster.Hosting.Configuration;

/// <summary>The admin listener: where it is, how it is protected, and what its API takes.</summary>
public sealed class AdminSettings
{
    internal AdminSettings(IReadOnlyList<string> urls, AdminApiOptions api, X509Certificate2? certificate, X509Certificate2Collection chain)
    {
        Urls = urls;
        Api = api;
        Certificate = certificate;
        Chain = chain;
    }

    /// <summary>Where it listens.</summary>
    public IReadOnlyList<string> Urls { get; }

    /// <summary>What the API takes, and from whom.</summary>
    public AdminApiOptions Api { get; }

    /// <summary>The server's certificate with its private key; null without TLS.</summary>
    public X509Certificate2? Certificate { get; }

    /// <summary>What the server sends behind its certificate.</summary>
    public X509Certificate2Collection Chain { get; }
}

/// <summary>Reads the section <c>Admin</c>, and the files that it names.</summary>
internal static class AdminReader
{
    private static readonly string[] s_certificateFiles = ["Admin:Certificate", "Admin:Key"];

    public static AdminSettings Read(SettingsReader reader, string dataDirectory)
    {
        X509Certificate2Collection chain = [];
        X509Certificate2? certificate = ReadCertificate(reader, chain);
        bool hasTls = reader.Text("Admin:Certificate") is not null; // a certificate that is wrong has been reported, and is no reason to report every URL
        AdminApiOptions @default = new();
        AdminApiOptions api = new()
        {
            KeyFile = Path.Combine(dataDirectory, ApiKeyStore.FileName),
            RequestsPerSecond = reader.Integer("Admin:RequestsPerSecond", @default.RequestsPerSecond),
            FailuresPerMinute = reader.Integer("Admin:FailuresPerMinute", @default.FailuresPerMinute),
            SessionLifetime = reader.Duration("Admin:SessionLifetime", @default.SessionLifetime),
            MaxBatchEvents = reader.Integer("Admin:MaxBatchEvents", @default.MaxBatchEvents),
            MaxBatchBytes = reader.Integer("Admin:MaxBatchBytes", @default.MaxBatchBytes),
            MaxLineBytes = reader.Integer("Admin:MaxLineBytes", @default.MaxLineBytes),
            MetricsNeedKey = reader.Boolean("Admin:MetricsNeedKey", @default.MetricsNeedKey),
        };
        if (reader.List("Admin:ClientScopes") is { Count: > 0 } scopes)
        {
            api.ClientScopes = [.. scopes];
        }

        foreach (IConfigurationSection client in reader.Settings.Section("Admin:Clients").GetChildren())
        {
            api.Clients.Add(new ClientCertificateGrant
            {
                Name = client.Key,
                Subject = reader.Text(client.Path + ":Subject"),
                Sha256 = reader.Text(client.Path + ":Sha256")?.Replace(":", "", StringComparison.Ordinal),
                Scopes = reader.List(client.Path + ":Scopes"),
            });
        }

        if (reader.Text("Admin:ClientCa") is string clientCa)
        {
            api.ClientCa.AddRange((Try(reader, "Admin:ClientCa", clientCa, CredentialFiles.ReadCertificates) ?? []).ToArray());
            if (!hasTls)
            {
                reader.Report("Admin:ClientCa", clientCa, "needs TLS: set Admin:Certificate and Admin:Key, and an https URL");
            }
        }

        ValidateOptionsResult bounds = new AdminApiOptionsValidator().Validate(null, api);
        reader.Report((bounds.Failures ?? []).Select(failure => ConfigurationProblem.FromSentence("", failure)));
        return new AdminSettings(ListenUrls.Read(reader, "Admin:Url", "http://127.0.0.1:8081", hasTls ? ListenerKind.AdminWithTls : ListenerKind.Admin), api, certificate, chain);
    }

    /// <summary>The files of the listener's certificate.</summary>
    public static IReadOnlyList<string> FindCertificateFiles(Settings settings)
    {
        SettingsReader reader = new(settings);
        return [.. s_certificateFiles.Select(key => (Key: key, File: reader.Text(key))).Where(file => file.File is not null).Select(file => settings.ResolvePath(file.Key, file.File!))];
    }

    /// <summary>The listener's certificate as its files have it now.</summary>
    public static AdminCertificateContent ReadCertificate(Settings settings)
    {
        SettingsReader reader = new(settings);
        X509Certificate2Collection chain = [];
        X509Certificate2? certificate = ReadCertificate(reader, chain);
        return new AdminCertificateContent(certificate, chain, [.. reader.Problems.Select(problem => problem.ToString())]);
    }

    private static X509Certificate2? ReadCertificate(SettingsReader reader, X509Certificate2Collection chain)
    {
        string? file = reader.Text("Admin:Certificate");
        string? key = reader.Text("Admin:Key");
        if (file is null || key is null)
        {
            if ((file ?? key) is not null)
            {
                reader.Report(file is null ? "Admin:Certificate" : "Admin:Key", null, $"is missing beside {(file is null ? "Admin:Key" : "Admin:Certificate")}: TLS needs both");
            }

            return null;
        }

        IReadOnlyList<X509Certificate2>? certificates = Try(reader, "Admin:Certificate", file, CredentialFiles.ReadCertificates);
        string keyPath = reader.Settings.ResolvePath("Admin:Key", key);
        if (certificates is null)
        {
            return null;
        }

        chain.AddRange(certificates.Skip(1).ToArray());
        try
        {
            string pem = File.ReadAllText(keyPath);
            if (CredentialFiles.IsOpenToOthers(keyPath))
            {
                reader.Warn("Admin:Key", key, "everybody on this machine may read the file: chmod 600");
            }

            string certificatePem = certificates[0].ExportCertificatePem();
            return reader.Text("Admin:Password") is string password
                ? X509Certificate2.CreateFromEncryptedPem(certificatePem, pem, password)
                : X509Certificate2.CreateFromPem(certificatePem, pem);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            reader.Report("Admin:Key", key, $"is no private key in PEM for Admin:Certificate: {e.Message}");
            return null;
        }
    }

    private static T? Try<T>(SettingsReader reader, string key, string file, Func<string, T> read)
        where T : class
    {
        try
        {
            return read(reader.Settings.ResolvePath(key, file));
        }
        catch (CredentialFileException e)
        {
            reader.Report(key, file, e.Message);
            return null;
        }
    }
}
