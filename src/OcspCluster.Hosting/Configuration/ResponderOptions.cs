using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Options;
using OcspCluster.Authority;
using OcspCluster.Gateway;

namespace OcspCluster.Hosting.Configuration;

/// <summary>What the host runs with: read, judged, and with keys and certificates in memory.</summary>
public sealed class ResponderOptions
{
    private ResponderOptions()
    {
    }

    /// <summary>The data directory, absolute.</summary>
    public required string DataDirectory { get; init; }

    /// <summary>The data directory as it was written, for commands that the operator may paste.</summary>
    public required string DataDirectoryAsGiven { get; init; }

    /// <summary>What the OCSP endpoint accepts and spends.</summary>
    public required OcspGatewayOptions Ocsp { get; init; }

    /// <summary>Where OCSP is answered.</summary>
    public required OcspListenerOptions Listener { get; init; }

    /// <summary>The admin listener and its API.</summary>
    public required AdminSettings Admin { get; init; }

    /// <summary>Where the operator's endpoints are.</summary>
    public IReadOnlyList<string> AdminUrls => Admin.Urls;

    /// <summary>For whom is answered; empty: a demo CA is made.</summary>
    public required IReadOnlyList<Issuer> Issuers { get; init; }

    /// <summary>Whether the issuers' private keys are loaded; else others sign.</summary>
    public required bool LoadsPrivateKeys { get; init; }

    /// <summary>How far the clock may be off before nothing is signed by it.</summary>
    public required ClockTolerances Clock { get; init; }

    /// <summary>The webhooks, and the caches to purge.</summary>
    public required DeliveryOptions Deliveries { get; init; }

    /// <summary>What tells issuers' revocations without being asked to, by the issuer's id.</summary>
    public required IReadOnlyDictionary<IssuerId, IssuerSources> Sources { get; init; }

    /// <summary>As it was written: the issuers' files are read again when they change.</summary>
    public required Settings Settings { get; init; }

    /// <summary>What works, but deserves a look.</summary>
    public required IReadOnlyList<ConfigurationProblem> Warnings { get; init; }

    /// <summary>How it tells of itself.</summary>
    public required TelemetrySettings Telemetry { get; init; }

    /// <summary>The <c>Logging</c> section.</summary>
    public required IConfiguration Logging { get; init; }

    /// <summary>Reads and judges a configuration, the files that it names included.</summary>
    /// <param name="settings">As it was written.</param>
    /// <param name="now">The time at which certificates must be valid.</param>
    /// <exception cref="ConfigurationException">It cannot work; the exception has everything that is wrong.</exception>
    public static ResponderOptions Read(Settings settings, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(settings);
        return Read(new SettingsReader(settings), KnownKeys.All, now);
    }

    /// <summary>Reads and judges the configuration of a host that has keys of its own.</summary>
    /// <param name="reader">With what is wrong so far.</param>
    /// <param name="known">All keys that there are.</param>
    /// <param name="now">The time at which certificates must be valid.</param>
    /// <exception cref="ConfigurationException">It cannot work; the exception has everything that is wrong.</exception>
    internal static ResponderOptions Read(SettingsReader reader, KnownKeys known, DateTimeOffset now)
    {
        Settings settings = reader.Settings;
        reader.Report(known.FindProblems(settings.TopLevel()));
        string data = ReadDataDirectory(reader);
        OcspGatewayOptions gateway = ReadGateway(reader);
        OcspListenerOptions listener = ReadListener(reader);
        string dataDirectory = settings.ResolvePath("Data", data);
        AdminSettings admin = AdminReader.Read(reader, dataDirectory);
        foreach (string url in admin.Urls.Where(url => new Uri(url).Port != 0 && listener.Urls.Any(other => new Uri(other) == new Uri(url))))
        {
            reader.Report("Admin:Url", url, "is the URL of the OCSP listener, too: give one of them another port");
        }

        ClockTolerances clock = new()
        {
            Back = reader.Duration("Clock:Back", ClockTolerances.Default.Back),
            Silence = reader.Duration("Clock:Silence", ClockTolerances.Default.Silence),
        };
        reader.Report(clock.FindErrors().Select(error => ConfigurationProblem.FromSentence("Clock:", error)));
        List<Issuer> issuers = [.. settings.Section("Issuers").GetChildren().Select(section => IssuerReader.Read(reader, section, now)).OfType<Issuer>()];
        Dictionary<IssuerId, IssuerSources> sources = issuers.DistinctBy(issuer => issuer.Id).ToDictionary(issuer => issuer.Id, issuer => SourceReader.Read(reader, issuer.Id.ToString()));
        ReportTwins(reader, issuers);
        DeliveryOptions deliveries = DeliveryReader.Read(reader, [.. settings.Section("Issuers").GetChildren().Select(section => section.Key).DefaultIfEmpty(Demo.DemoPki.Id)]);
        TelemetrySettings telemetry = TelemetryReader.Read(reader);
        if (reader.Problems.Count > 0)
        {
            throw new ConfigurationException(reader.Problems);
        }

        return new ResponderOptions
        {
            DataDirectory = dataDirectory,
            DataDirectoryAsGiven = data,
            Ocsp = gateway,
            Listener = listener,
            Admin = admin,
            Issuers = issuers,
            LoadsPrivateKeys = reader.LoadsPrivateKeys,
            Clock = clock,
            Deliveries = deliveries,
            Sources = sources,
            Settings = settings,
            Warnings = reader.Warnings,
            Telemetry = telemetry,
            Logging = settings.Section("Logging"),
        };
    }

    /// <summary>What an import needs: the data directory, and whether an issuer is one of ours. Reads no keys.</summary>
    /// <exception cref="ConfigurationException">There is no such issuer, or a key that does not exist.</exception>
    internal static (string DataDirectory, IssuerId Issuer) ReadForImport(Settings settings, string issuer)
    {
        SettingsReader reader = new(settings);
        reader.Report(KnownKeys.All.FindProblems(settings.TopLevel()));
        string data = ReadDataDirectory(reader);
        string[] known = [.. settings.Section("Issuers").GetChildren().Select(section => section.Key).DefaultIfEmpty(Demo.DemoPki.Id)];
        if (!known.Contains(issuer, StringComparer.Ordinal) || !IssuerId.IsValid(issuer))
        {
            // Events are recorded under this name for good: a slip of the pen must not found a new issuer.
            reader.Report("--issuer", issuer, $"there is no such issuer in the section Issuers, only {string.Join(", ", known)}");
        }

        return reader.Problems.Count > 0 ? throw new ConfigurationException(reader.Problems) : (settings.ResolvePath("Data", data), new IssuerId(issuer));
    }

    /// <summary>An issuer's certificates, for an import that verifies what the issuer signed; empty for a demo that was never started. Reads no keys.</summary>
    /// <exception cref="ConfigurationException">A file cannot be read.</exception>
    internal static IReadOnlyList<X509Certificate2> ReadIssuerCertificates(Settings settings, IssuerId issuer, string dataDirectory)
    {
        SettingsReader reader = new(settings);
        IReadOnlyList<X509Certificate2> certificates = IssuerReader.ReadCertificates(reader, issuer.ToString());
        string demo = Path.Combine(dataDirectory, Demo.DemoPki.DirectoryName, "ca.pem");
        return reader.Problems.Count > 0 ? throw new ConfigurationException(reader.Problems)
            : certificates.Count == 0 && issuer.ToString() == Demo.DemoPki.Id && File.Exists(demo) ? CredentialFiles.ReadCertificates(demo)
            : certificates;
    }

    /// <summary>What needs the data directory and nothing else: its absolute path. Reads no keys and no issuers.</summary>
    /// <exception cref="ConfigurationException">There is a key that does not exist.</exception>
    internal static string ReadDataDirectory(Settings settings, KnownKeys? known = null)
    {
        SettingsReader reader = new(settings);
        reader.Report((known ?? KnownKeys.All).FindProblems(settings.TopLevel()));
        return reader.Problems.Count > 0 ? throw new ConfigurationException(reader.Problems) : settings.ResolvePath("Data", ReadDataDirectory(reader));
    }

    private static string ReadDataDirectory(SettingsReader reader) => reader.Text("Data") ?? "data";

    private static OcspGatewayOptions ReadGateway(SettingsReader reader)
    {
        OcspGatewayOptions @default = new();
        OcspGatewayOptions gateway = new()
        {
            PathPrefixes = [.. reader.List("Ocsp:PathPrefixes")],
            MaxRequestBytes = reader.Integer("Ocsp:MaxRequestBytes", @default.MaxRequestBytes),
            MaxTargetBytes = reader.Integer("Ocsp:MaxTargetBytes", @default.MaxTargetBytes),
            MaxCertIds = reader.Integer("Ocsp:MaxCertIds", @default.MaxCertIds),
            AcceptAnyContentType = reader.Boolean("Ocsp:AcceptAnyContentType", @default.AcceptAnyContentType),
            NonceSignaturesPerSecond = reader.Integer("Ocsp:NonceSignaturesPerSecond", @default.NonceSignaturesPerSecond),
            UnissuedSignaturesPerSecond = reader.Integer("Ocsp:UnissuedSignaturesPerSecond", @default.UnissuedSignaturesPerSecond),
            UnauthorizedMaxAge = reader.Duration("Ocsp:UnauthorizedMaxAge", @default.UnauthorizedMaxAge),
            CacheBytes = reader.Integer("Ocsp:CacheBytes", @default.CacheBytes),
        };

        ValidateOptionsResult bounds = new OcspGatewayOptionsValidator().Validate(null, gateway);
        reader.Report((bounds.Failures ?? []).Select(failure => ConfigurationProblem.FromSentence("", failure)));

        return gateway;
    }

    private static OcspListenerOptions ReadListener(SettingsReader reader)
    {
        OcspListenerOptions @default = new();
        TimeSpan least = TimeSpan.FromSeconds(1);
        TimeSpan most = TimeSpan.FromMinutes(10);
        return new OcspListenerOptions
        {
            Urls = [.. ListenUrls.Read(reader, "Ocsp:Url", "http://127.0.0.1:8080", ListenerKind.Ocsp)],
            MaxConnections = reader.Integer("Ocsp:MaxConnections", @default.MaxConnections, 1, 1_000_000),
            HeadersTimeout = reader.Duration("Ocsp:HeadersTimeout", @default.HeadersTimeout, least, most),
            KeepAliveTimeout = reader.Duration("Ocsp:KeepAliveTimeout", @default.KeepAliveTimeout, least, most),
            MinBodyBytesPerSecond = reader.Number("Ocsp:MinBodyBytesPerSecond", @default.MinBodyBytesPerSecond, 1, 1_000_000),
            Transport = ReadTransport(reader),
            Threads = reader.Integer("Ocsp:Threads", @default.Threads, 0, 256),
        };
    }

    private static OcspTransport ReadTransport(SettingsReader reader)
    {
        OcspTransport transport = reader.Choice("Ocsp:Transport", OcspTransport.Automatic);
        if (transport == OcspTransport.Front && !OcspListener.SupportsFront)
        {
            reader.Report("Ocsp:Transport", nameof(OcspTransport.Front), "is for Linux on x64 and arm64: take Automatic or Kestrel");
        }

        return transport;
    }

    // A CertID of that name and key would have two answers.
    private static void ReportTwins(SettingsReader reader, List<Issuer> issuers)
    {
        foreach ((Issuer first, Issuer second) in issuers.SelectMany((issuer, index) => issuers.Skip(index + 1).Select(other => (issuer, other))))
        {
            if (second.Certificates.FirstOrDefault(certificate => first.Certificates.Any(other => IsTwin(certificate, other))) is { } twin)
            {
                reader.Report($"Issuers:{second.Id}", null, $"has the same name and key as Issuers:{first.Id} ('{twin.Subject}'): make them one issuer");
            }
        }
    }

    private static bool IsTwin(X509Certificate2 one, X509Certificate2 other) =>
        one.SubjectName.RawData.AsSpan().SequenceEqual(other.SubjectName.RawData)
        && one.PublicKey.EncodedKeyValue.RawData.AsSpan().SequenceEqual(other.PublicKey.EncodedKeyValue.RawData);
}
