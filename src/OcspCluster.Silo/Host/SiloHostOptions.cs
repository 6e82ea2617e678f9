using System.Net;
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
        ("Redis", KnownKeys.SectionOf("Configuration", "Password", "PasswordFile", "KeyPrefix", "AcceptLessDurability", "Replicas")),
        ("Cluster", KnownKeys.SectionOf("ClusterId", "ServiceId", "AdvertisedAddress", "SiloPort", "GatewayPort", "Role", "Lease", "CallDeadline", "WithoutStore", "DrainDelay")),
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

        return new RedisOptions
        {
            Configuration = configuration,
            Password = ReadPassword(reader),
            KeyPrefix = prefix,
            AcceptLessDurability = reader.Boolean("Redis:AcceptLessDurability", false),
            Replicas = reader.Integer("Redis:Replicas", 0, 0, 16),
        };
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
