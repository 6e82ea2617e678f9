using OcspCluster.Authority;
using OcspCluster.Hosting;
using OcspCluster.Hosting.Demo;
using OcspCluster.Silo.Storage;
using StackExchange.Redis;

namespace OcspCluster.Silo.Host;

/// <summary>
/// The demo CA of a cluster: the first silo makes it, and all of it, keys included, lies in Redis, so that every further silo signs by the same. Each silo has a copy in its data directory,
/// to paste commands with. Nobody should trust a demo; configured issuers' keys never go to Redis.
/// </summary>
internal static class SharedDemo
{
    /// <summary>Opens it; makes it where there is none. For one silo at a time (<see cref="StartTurn"/>).</summary>
    /// <exception cref="RevocationStoreException">Redis cannot be asked.</exception>
    /// <exception cref="HostStartException">Its files are damaged or cannot be written.</exception>
    public static async Task<DemoPki> OpenAsync(RedisConnection connection, string directory, Uri ocsp, DateTimeOffset now)
    {
        RedisKey key = KeyOf(connection);
        Dictionary<string, string> shared = await ReadAsync(connection, key).ConfigureAwait(false);
        if (shared.Count == 0 && Directory.Exists(directory))
        {
            SetAside(directory); // another Redis's, or the standalone host's: its certificates would be unknown here
        }

        Write(directory, shared, DemoPki.FileNames);
        DemoPki demo = DemoPki.Open(directory, now);
        demo.EnsureCertificates(ocsp);
        HashEntry[] changed =
        [
            .. DemoPki.FileNames
                .Select(name => new HashEntry(name, File.ReadAllText(Path.Combine(directory, name))))
                .Where(file => shared.GetValueOrDefault(file.Name!) != file.Value),
        ];
        if (changed.Length > 0)
        {
            await connection.RunAsync(
                async database =>
                {
                    await database.HashSetAsync(key, changed, CommandFlags.DemandMaster).ConfigureAwait(false);
                    return true;
                },
                "The demo CA could not be written",
                CancellationToken.None).ConfigureAwait(false);
        }

        return demo;
    }

    /// <summary>Opens it for a silo without keys: certificates only are copied.</summary>
    /// <exception cref="RevocationStoreException">Redis cannot be asked.</exception>
    /// <exception cref="HostStartException">There is none yet, or its files cannot be written.</exception>
    public static async Task<Issuer> OpenWithoutKeysAsync(RedisConnection connection, string directory)
    {
        Dictionary<string, string> shared = await ReadAsync(connection, KeyOf(connection)).ConfigureAwait(false);
        if (shared.Count == 0)
        {
            throw new HostStartException("There is no demo CA yet, and a silo of role gateway has no keys to make one: start a silo of role signer first, or configure your own issuers (section Issuers).");
        }

        Write(directory, shared, DemoPki.CertificateFileNames);
        return DemoPki.OpenWithoutKeys(directory);
    }

    private static async Task<Dictionary<string, string>> ReadAsync(RedisConnection connection, RedisKey key)
    {
        HashEntry[] entries = await connection.RunAsync(database => database.HashGetAllAsync(key, CommandFlags.DemandMaster), "The demo CA could not be read", CancellationToken.None).ConfigureAwait(false);
        return entries.ToDictionary(entry => entry.Name.ToString(), entry => entry.Value.ToString(), StringComparer.Ordinal);
    }

    private static void Write(string directory, Dictionary<string, string> shared, IReadOnlyList<string> names)
    {
        try
        {
            foreach (string name in names.Where(shared.ContainsKey))
            {
                string file = Path.Combine(directory, name);
                if (!File.Exists(file) || File.ReadAllText(file) != shared[name])
                {
                    DemoPki.WriteFile(directory, name, shared[name]);
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new HostStartException($"The demo CA cannot be written to '{directory}': {e.Message}", e);
        }
    }

    private static void SetAside(string directory)
    {
        try
        {
            for (int i = 1; ; i++)
            {
                string aside = $"{directory}.old{i}";
                if (!Directory.Exists(aside))
                {
                    Directory.Move(directory, aside);
                    return;
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new HostStartException($"The demo CA in '{directory}' is not the one of this cluster and cannot be set aside: {e.Message}", e);
        }
    }

    private static RedisKey KeyOf(RedisConnection connection) => $"{{{connection.Keys.Prefix}}}:demo";
}
