using System.Net;
using System.Security.Cryptography;
using OcspCluster.Hosting.Configuration;
using OcspCluster.Silo.Storage;

namespace OcspCluster.Silo.Host;

/// <summary>What a silo runs with: read, judged, and with keys and certificates in memory.</summary>
public sealed class SiloHostOptions
{
    private SiloHostOptions()
    {
    }

    /// <summary>What every host has.</summary>
    public required ResponderOptions Responder { get; init; }

    /// <summary>Where Redis is.</summary>
    public required RedisOptions Redis { get; init; }

    /// <summary>How the silo keeps its promises.</summary>
    public required OcspSiloOptions Silo { get; init; }

    /// <summary>The default of <see cref="ProbeTimeout"/>.</summary>
    public static readonly TimeSpan DefaultProbeTimeout = TimeSpan.FromSeconds(0.5);

    /// <summary>
    /// How often the silos look after each other, and how long one may take to answer: one that misses two times by the word of two others (of one where there are but two silos) is out. It has more time while a silo
    /// knows itself to be slow. 0.1 to 30 seconds; default 0.5 seconds.
    /// </summary>
    public TimeSpan ProbeTimeout { get; init; } = DefaultProbeTimeout;

    /// <summary>The cluster's name: silos of one name find each other in one Redis. Default <c>ocsp</c>.</summary>
    public required string ClusterId { get; init; }

    /// <summary>The service's name, which stays when clusters are replaced by others. Default: the cluster's name.</summary>
    public required string ServiceId { get; init; }

    /// <summary>The address that the other silos reach this one by. Default 127.0.0.1.</summary>
    public required IPAddress AdvertisedAddress { get; init; }

    /// <summary>The port that the other silos reach this one by.</summary>
    public required int SiloPort { get; init; }

    /// <summary>The port for Orleans clients. OCSP does not need it.</summary>
    public required int GatewayPort { get; init; }

    /// <summary>How long the host goes on answering after it has told load balancers to stay away. Default 0: they try another silo when one refuses the connection.</summary>
    public required TimeSpan DrainDelay { get; init; }

    /// <summary>Whether the Orleans dashboard is at <c>/orleans</c> of the admin listener.</summary>
    public required bool HasOrleansDashboard { get; init; }

    /// <summary>Whether the silo has keys.</summary>
    public bool IsSigner => Silo.Role != SiloRole.Gateway;

    private static KnownKeys Known { get; } = KnownKeys.All.With(
        ("Redis", KnownKeys.SectionOf("Configuration", "Password", "PasswordFile", "Ca", "Certificate", "Key", "KeyPrefix", "AcceptLessDurability", "Replicas")),
        ("Cluster", KnownKeys.SectionOf("ClusterId", "ServiceId", "AdvertisedAddress", "SiloPort", "GatewayPort", "Role", "Lease", "CallDeadline", "WithoutStore", "DrainDelay", "ProbeTimeout")),
        ("Admin:OrleansDashboard", KnownKeys.Value));

    /// <summary>Reads and judges a configuration, the files that it names included.</summary>
    /// <param name="settings">As it was written.</param>
    /// <param name="now">The time at which certificates must be valid.</param>
    /// <exception cref="ConfigurationException">It cannot work; the exception has everything that is wrong.</exception>
    public static SiloHostOptions Read(Settings settings, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(settings);
        SettingsReader reader = new(settings) { LoadsPrivateKeys = !IsGateway(settings) };
        RedisOptions redis = ReadRedis(reader);
        OcspSiloOptions silo = ReadSilo(reader);
        string clusterId = ReadName(reader, "Cluster:ClusterId", "ocsp");
        string serviceId = ReadName(reader, "Cluster:ServiceId", clusterId);
        IPAddress address = ReadAddress(reader);
        int siloPort = reader.Integer("Cluster:SiloPort", 11111, 1, 65535);
        int gatewayPort = reader.Integer("Cluster:GatewayPort", 30000, 0, 65535);
        TimeSpan drainDelay = reader.Duration("Cluster:DrainDelay", TimeSpan.Zero, TimeSpan.Zero, TimeSpan.FromMinutes(1));
        bool hasDashboard = reader.Boolean("Admin:OrleansDashboard", false);
        if (siloPort == gatewayPort)
        {
            reader.Report("Cluster:GatewayPort", reader.Text("Cluster:GatewayPort"), "is the port of the silo, too (Cluster:SiloPort): give one of them another");
        }

        return new SiloHostOptions
        {
            Responder = ResponderOptions.Read(reader, Known, now), // throws what was reported above as well
            Redis = redis,
            Silo = silo,
            ClusterId = clusterId,
            ServiceId = serviceId,
            AdvertisedAddress = address,
            SiloPort = siloPort,
            GatewayPort = gatewayPort,
            DrainDelay = drainDelay,
            ProbeTimeout = reader.Duration("Cluster:ProbeTimeout", DefaultProbeTimeout, TimeSpan.FromSeconds(0.1), TimeSpan.FromSeconds(30)),
            HasOrleansDashboard = hasDashboard,
        };
    }

    /// <summary>What the verb <c>keys</c> needs: where Redis is. Reads no keys and no issuers.</summary>
    /// <exception cref="ConfigurationException">It cannot work; the exception has everything that is wrong.</exception>
    internal static RedisOptions ReadRedis(Settings settings)
    {
        SettingsReader reader = new(settings);
        reader.Report(Known.FindProblems(settings.TopLevel()));
        RedisOptions redis = ReadRedis(reader);
        return reader.Problems.Count > 0 ? throw new ConfigurationException(reader.Problems) : redis;
    }

    private static RedisOptions ReadRedis(SettingsReader reader)
    {
        string configuration = reader.Text("Redis:Configuration") ?? "127.0.0.1:6379";
        try
        {
            _ = RedisConnection.Read(configuration);
        }
        catch (ArgumentException e)
        {
            reader.Report("Redis:Configuration", null, FirstSentence(e.Message)); // without the value: it may have a password in it
        }

        string prefix = reader.Text("Redis:KeyPrefix") ?? RedisKeys.DefaultPrefix;
        if (!RedisKeys.IsPrefix(prefix))
        {
            reader.Report("Redis:KeyPrefix", prefix, "is not 1 to 32 of a-z, 0-9, '-', '_', '.'");
        }

        RedisOptions options = new()
        {
            Configuration = configuration,
            Password = ReadPassword(reader),
            Ca = ReadPath(reader, "Redis:Ca"),
            Certificate = ReadPath(reader, "Redis:Certificate"),
            Key = ReadPath(reader, "Redis:Key"),
            KeyPrefix = prefix,
            AcceptLessDurability = reader.Boolean("Redis:AcceptLessDurability", false),
            Replicas = reader.Integer("Redis:Replicas", 0, 0, 16),
        };
        if ((options.Certificate is null) != (options.Key is null))
        {
            reader.Report("Redis:Certificate", reader.Text("Redis:Certificate"), "and Redis:Key belong together: give both");
        }
        else if (reader.Problems.Count == 0)
        {
            FindTlsProblem(reader, options);
        }

        return options;
    }

    private static string? ReadPath(SettingsReader reader, string key) => reader.Text(key) is { } file ? reader.Settings.ResolvePath(key, file) : null;

    // What a file is good for is tried, one at a time, so that the problem has a key.
    private static void FindTlsProblem(SettingsReader reader, RedisOptions options)
    {
        foreach ((string key, RedisOptions one) in new[] { ("Redis:Ca", options with { Certificate = null, Key = null }), ("Redis:Certificate", options with { Ca = null }) })
        {
            try
            {
                StackExchange.Redis.ConfigurationOptions read = RedisConnection.Read(one);
                if (!read.Ssl && reader.Text(key) is { } file)
                {
                    reader.Report(key, file, "is for TLS: write ssl=true into Redis:Configuration");
                }
            }
            catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException)
            {
                reader.Report(key, reader.Text(key), $"cannot be used: {e.Message}");
            }
        }
    }

    private static string? ReadPassword(SettingsReader reader)
    {
        string? password = reader.Text("Redis:Password");
        if (reader.Text("Redis:PasswordFile") is not string file)
        {
            return password;
        }

        if (password is not null)
        {
            reader.Report("Redis:PasswordFile", file, "stands beside Redis:Password: take one of them");
        }

        string path = reader.Settings.ResolvePath("Redis:PasswordFile", file);
        try
        {
            string read = CredentialFiles.ReadPassword(path);
            if (CredentialFiles.IsOpenToOthers(path))
            {
                reader.Warn("Redis:PasswordFile", file, "every user of this machine may read the password: chmod 600");
            }

            return read;
        }
        catch (CredentialFileException e)
        {
            reader.Report("Redis:PasswordFile", file, e.Message);
            return null;
        }
    }

    private static OcspSiloOptions ReadSilo(SettingsReader reader)
    {
        OcspSiloOptions @default = new();
        if (reader.Text("Cluster:Role") is string role && !IsSignerName(role) && !IsGatewayName(role))
        {
            reader.Report("Cluster:Role", role, "is not signer or gateway");
        }

        OcspSiloOptions silo = new()
        {
            Role = IsGateway(reader.Settings) ? SiloRole.Gateway : SiloRole.Sign,
            Lease = reader.Duration("Cluster:Lease", @default.Lease),
            CallDeadline = reader.Duration("Cluster:CallDeadline", @default.CallDeadline),
            WithoutStore = reader.Choice("Cluster:WithoutStore", @default.WithoutStore),
        };
        reader.Report(silo.FindErrors().Select(error => ConfigurationProblem.FromSentence("Cluster:", error)));
        return silo;
    }

    // Orleans writes it into the names of Redis's keys.
    private static string ReadName(SettingsReader reader, string key, string @default)
    {
        string name = reader.Text(key) ?? @default;
        if (name.Length > 64 || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.'))
        {
            reader.Report(key, name, "is not 1 to 64 of a-z, A-Z, 0-9, '-', '_', '.'");
        }

        return name;
    }

    private static IPAddress ReadAddress(SettingsReader reader)
    {
        if (reader.Text("Cluster:AdvertisedAddress") is not string text)
        {
            return IPAddress.Loopback;
        }

        if (IPAddress.TryParse(text, out IPAddress? address) && !address.Equals(IPAddress.Any) && !address.Equals(IPAddress.IPv6Any))
        {
            return address;
        }

        // A name, as in containers: resolved once, at the start, because membership is by address.
        try
        {
            if (address is null && Dns.GetHostAddresses(text) is { Length: > 0 } found)
            {
                return found.FirstOrDefault(one => one.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork) ?? found[0];
            }
        }
        catch (System.Net.Sockets.SocketException)
        {
            // Told below.
        }

        reader.Report("Cluster:AdvertisedAddress", text, "is not an address or name of this machine that the other silos can reach it by");
        return IPAddress.Loopback;
    }

    private static bool IsGateway(Settings settings) => settings.Section("Cluster:Role").Value is string role && IsGatewayName(role);

    private static bool IsGatewayName(string role) => role.Equals("gateway", StringComparison.OrdinalIgnoreCase);

    private static bool IsSignerName(string role) => role.Equals("signer", StringComparison.OrdinalIgnoreCase);

    private static string FirstSentence(string message)
    {
        int end = message.IndexOf(" (Parameter", StringComparison.Ordinal);
        return end < 0 ? message : message[..end];
    }
}
