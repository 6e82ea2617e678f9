using StackExchange.Redis;

namespace OcspCluster.Silo.Storage;

/// <summary>What Redis promises to keep, as it was last seen.</summary>
/// <param name="IsDurable">Whether it keeps what it acknowledged when its process or its power is lost: appendonly yes and appendfsync always.</param>
/// <param name="IsAccepted">Whether events are acknowledged on it: durable, or the operator accepts less; and nothing is evicted.</param>
/// <param name="Description">What was seen and, where events are refused, what to do. One sentence or several.</param>
public sealed record RedisDurability(bool IsDurable, bool IsAccepted, string Description)
{
    /// <summary>Before Redis was ever reached.</summary>
    public static RedisDurability Unknown { get; } = new(false, false, "Redis was not reached yet, so nothing is known of what it keeps.");

    /// <summary>Reads the settings of one server.</summary>
    /// <param name="server">A primary that is connected.</param>
    /// <param name="acceptLess">Whether the operator accepts less (<see cref="RedisOptions.AcceptLessDurability"/>).</param>
    public static async Task<RedisDurability> ReadAsync(IServer server, bool acceptLess)
    {
        ArgumentNullException.ThrowIfNull(server);
        string name = $"Redis at {server.EndPoint}";
        Dictionary<string, string> settings = await ReadSettingsAsync(server).ConfigureAwait(false);
        Dictionary<string, string> information = await ReadInformationAsync(server).ConfigureAwait(false);
        return Judge(
            name,
            settings.GetValueOrDefault("appendonly") ?? (information.GetValueOrDefault("aof_enabled") == "0" ? "no" : null),
            settings.GetValueOrDefault("appendfsync"),
            settings.GetValueOrDefault("maxmemory-policy") ?? information.GetValueOrDefault("maxmemory_policy"),
            acceptLess);
    }

    /// <summary>Judges settings; null is one that cannot be read.</summary>
    internal static RedisDurability Judge(string name, string? appendOnly, string? appendFsync, string? evictionPolicy, bool acceptLess)
    {
        if (evictionPolicy is not null and not "noeviction")
        {
            return new RedisDurability(false, false, $"{name} has maxmemory-policy {evictionPolicy}, under which it deletes statuses when its memory is full. Set maxmemory-policy noeviction; events are refused until then.");
        }

        (bool isDurable, string seen) = (appendOnly, appendFsync) switch
        {
            ("yes", "always") => (true, $"{name} has appendonly yes and appendfsync always."),
            ("no", _) => (false, $"{name} has appendonly no: it loses what it acknowledged when its process ends."),
            ("yes", { } policy) => (false, $"{name} has appendfsync {policy}: it loses what it acknowledged last when its power is lost."),
            _ => (false, $"{name} does not tell its persistence settings (CONFIG GET is not allowed, as with managed services), so nobody knows whether it keeps what it acknowledged."),
        };
        if (isDurable)
        {
            return new RedisDurability(true, true, seen);
        }

        string advice = acceptLess
            ? "Events are acknowledged all the same, because Redis:AcceptLessDurability is true."
            : "Set appendonly yes and appendfsync always, or accept the loss with Redis:AcceptLessDurability=true; events are refused until then.";
        return new RedisDurability(false, acceptLess, $"{seen} {advice}");
    }

    private static async Task<Dictionary<string, string>> ReadSettingsAsync(IServer server)
    {
        Dictionary<string, string> settings = new(StringComparer.OrdinalIgnoreCase);
        foreach (string name in new[] { "appendonly", "appendfsync", "maxmemory-policy" })
        {
            try
            {
                foreach ((string key, string value) in await server.ConfigGetAsync(name).ConfigureAwait(false))
                {
                    settings[key] = value;
                }
            }
            catch (Exception e) when (e is RedisServerException or RedisCommandException)
            {
                // Not allowed: what INFO tells has to do.
            }
        }

        return settings;
    }

    private static async Task<Dictionary<string, string>> ReadInformationAsync(IServer server)
    {
        Dictionary<string, string> information = new(StringComparer.OrdinalIgnoreCase);
        foreach (string section in new[] { "persistence", "memory" })
        {
            try
            {
                foreach ((string key, string value) in (await server.InfoAsync(section).ConfigureAwait(false)).SelectMany(group => group))
                {
                    information[key] = value;
                }
            }
            catch (RedisServerException)
            {
                // Not allowed either.
            }
        }

        return information;
    }
}
