using System.Security.Cryptography;
using OcspCluster.Authority;
using OcspCluster.Hosting;
using OcspCluster.Silo.Storage;
using StackExchange.Redis;

namespace OcspCluster.Silo.Host;

/// <summary>One silo's turn to make what all of them share at their first start: others wait for it. Redis forgets the turn of a silo that died within it.</summary>
internal sealed class StartTurn : IAsyncDisposable
{
    // KEYS[1] the turn; ARGV[1] whose it should be. Nobody ends another's.
    private const string ReleaseScript = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0";

    private static readonly TimeSpan s_length = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(50);

    private readonly RedisConnection _connection;
    private readonly RedisKey _key;
    private readonly string _owner;

    private StartTurn(RedisConnection connection, RedisKey key, string owner)
    {
        _connection = connection;
        _key = key;
        _owner = owner;
    }

    /// <summary>Waits for the turn.</summary>
    /// <exception cref="RevocationStoreException">Redis cannot be asked.</exception>
    /// <exception cref="HostStartException">Others have it all the time.</exception>
    public static async Task<StartTurn> TakeAsync(RedisConnection connection)
    {
        RedisKey key = $"{{{connection.Keys.Prefix}}}:start-turn";
        string owner = RandomNumberGenerator.GetHexString(32);
        for (TimeSpan waited = TimeSpan.Zero; waited < s_patience; waited += s_pause)
        {
            if (await connection.RunAsync(
                database => database.StringSetAsync(key, owner, s_length, When.NotExists, CommandFlags.DemandMaster), "The first start could not be agreed on with other silos", CancellationToken.None).ConfigureAwait(false))
            {
                return new StartTurn(connection, key, owner);
            }

            await Task.Delay(s_pause).ConfigureAwait(false);
        }

        throw new HostStartException($"Another silo has been starting for {s_patience.TotalSeconds:F0} seconds: look at its log, then start this one again.");
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        try
        {
            await _connection.RunAsync(
                database => database.ScriptEvaluateAsync(ReleaseScript, [_key], [_owner], CommandFlags.DemandMaster), "The turn could not be ended", CancellationToken.None).ConfigureAwait(false);
        }
        catch (RevocationStoreException)
        {
            // It ends by itself.
        }
    }
}
