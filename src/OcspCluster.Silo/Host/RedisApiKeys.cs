using OcspCluster.Authority;
using OcspCluster.Gateway;
using OcspCluster.Hosting.Configuration;
using OcspCluster.Silo.Storage;
using StackExchange.Redis;

namespace OcspCluster.Silo.Host;

/// <summary>
/// The API keys of a cluster: one document in Redis that all silos look at, at every request, so that a key made or revoked at one counts on all from the next request on. Thread-safe.
/// </summary>
/// <remarks>
/// While Redis is away, what was read last counts for <see cref="Grace"/>: an operator can look at the cluster meanwhile, and nobody can revoke a key without Redis. Then nobody is let in,
/// for a silo that is cut off alone would not hear of a revocation.
/// </remarks>
internal sealed class RedisApiKeys : IApiKeyDocument
{
    /// <summary>How long keys count that cannot be looked at.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromMinutes(1);

    private const int MaxAttempts = 100;

    // KEYS[1] the document; ARGV[1] the version it must have, ARGV[2] the new content. Returns 1 when it was replaced.
    private const string ReplaceScript = """
        if (redis.call('HGET', KEYS[1], 'version') or '0') ~= ARGV[1] then return 0 end
        redis.call('HSET', KEYS[1], 'version', ARGV[1] + 1, 'content', ARGV[2])
        return 1
        """;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(1);

    private readonly RedisConnection _connection;
    private readonly TimeProvider _clock;
    private readonly RedisKey _key;
    private long _readAt;

    /// <summary>Over a connection.</summary>
    /// <param name="connection">The connection; it stays open.</param>
    /// <param name="clock">The clock of <see cref="Grace"/>; null for the system's.</param>
    public RedisApiKeys(RedisConnection connection, TimeProvider? clock = null)
    {
        _connection = connection;
        _clock = clock ?? TimeProvider.System;
        _readAt = _clock.GetTimestamp();
        _key = $"{{{connection.Keys.Prefix}}}:api-keys";
    }

    /// <inheritdoc/>
    public string Name => $"The list of API keys in Redis ({_connection.Description})";

    /// <summary>The keys that a configuration names, for the command line.</summary>
    public static async Task<ApiKeyStore> OpenAsync(Settings settings)
    {
        RedisOptions options = SiloHostOptions.ReadRedis(settings);
        return new ApiKeyStore(new RedisApiKeys(await RedisConnection.OpenAsync(options).ConfigureAwait(false)), TimeProvider.System);
    }

    /// <inheritdoc/>
    public ApiKeyContent Read() => ReadAsync(CancellationToken.None).AsTask().GetAwaiter().GetResult(); // the command line and the start; no request

    /// <inheritdoc/>
    public async ValueTask<ApiKeyContent> ReadAsync(ApiKeyContent? known, CancellationToken cancellationToken)
    {
        try
        {
            if (known is not null)
            {
                RedisValue version = await _connection.RunAsync(
                    database => database.HashGetAsync(_key, "version", CommandFlags.DemandMaster).WaitAsync(s_patience, cancellationToken), $"{Name} could not be read", cancellationToken).ConfigureAwait(false);
                if ((long?)version == known.Version.Item1 || (version.IsNull && known.Content is null))
                {
                    Volatile.Write(ref _readAt, _clock.GetTimestamp());
                    return known;
                }
            }

            return await ReadAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is RevocationStoreException or ApiKeyStoreException)
        {
            return known is not null && _clock.GetElapsedTime(Volatile.Read(ref _readAt)) < Grace ? known : throw new ApiKeyStoreException(e.Message, e);
        }
    }

    /// <inheritdoc/>
    public void Change(Func<byte[]?, byte[]> change) => ChangeAsync(change).GetAwaiter().GetResult(); // as above

    private async Task ChangeAsync(Func<byte[]?, byte[]> change)
    {
        for (int attempt = 0; attempt < MaxAttempts; attempt++)
        {
            ApiKeyContent now = await ReadAsync(CancellationToken.None).ConfigureAwait(false);
            byte[] content = change(now.Content);
            RedisResult result = await RunAsync(
                database => database.ScriptEvaluateAsync(ReplaceScript, [_key], [now.Version.Item1, content], CommandFlags.DemandMaster), "could not be written", CancellationToken.None).ConfigureAwait(false);
            if ((int)result == 1)
            {
                return;
            }
        }

        throw new ApiKeyStoreException($"{Name} could not be written: others write it all the time. Try again.");
    }

    private async ValueTask<ApiKeyContent> ReadAsync(CancellationToken cancellationToken)
    {
        RedisValue[] values = await RunAsync(database => database.HashGetAsync(_key, ["version", "content"], CommandFlags.DemandMaster), "could not be read", cancellationToken).ConfigureAwait(false);
        Volatile.Write(ref _readAt, _clock.GetTimestamp());
        return new ApiKeyContent(((long?)values[0] ?? 0, 0), values[1]);
    }

    private async Task<T> RunAsync<T>(Func<IDatabase, Task<T>> operation, string what, CancellationToken cancellationToken)
    {
        try
        {
            return await _connection.RunAsync(operation, $"{Name} {what}", cancellationToken).ConfigureAwait(false);
        }
        catch (RevocationStoreException e)
        {
            throw new ApiKeyStoreException(e.Message, e);
        }
    }
}
