using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using OcspCluster.Authority;
using OcspCluster.Gateway;
using OcspCluster.Silo.Storage;
using StackExchange.Redis;

namespace OcspCluster.Silo.Host;

/// <summary>
/// Who of the silos looks at a source: a key for each (<c>{x}:source:{digest}</c>) that Redis forgets after <see cref="Length"/> and that its holder renews. A silo that has the source in its configuration
/// and not its turn asks again every few seconds: so it goes on elsewhere soon after its silo was lost. Thread-safe.
/// </summary>
/// <param name="connection">The connection; it stays open.</param>
/// <param name="holder">This silo's endpoint: a silo that is started again has its turns at once.</param>
/// <param name="log">Hears of what could not be renewed.</param>
internal sealed partial class RedisSourceTurns(RedisConnection connection, string holder, ILogger<RedisSourceTurns> log) : BackgroundService, ISourceTurns
{
    /// <summary>How long a turn lasts without being renewed.</summary>
    public static readonly TimeSpan Length = TimeSpan.FromSeconds(10);

    // KEYS[1] the turn; ARGV[1] who asks, ARGV[2] for how many milliseconds. Who has it.
    private const string TakeScript = """
        local has = redis.call('GET', KEYS[1])
        if has and has ~= ARGV[1] then return has end
        redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
        return ARGV[1]
        """;

    private const string ReleaseScript = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0";

    private readonly ConcurrentDictionary<RedisKey, IssuerId> _mine = [];

    /// <inheritdoc/>
    public async ValueTask<string?> TakeAsync(IssuerId issuer, string source, CancellationToken cancellationToken)
    {
        RedisKey key = connection.Keys.Of(issuer, "source:" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(source)).AsSpan(0, 8)));
        return await TakeAsync(issuer, key, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask ReleaseAllAsync()
    {
        foreach ((RedisKey key, IssuerId issuer) in _mine)
        {
            _mine.TryRemove(key, out _);
            try
            {
                await connection.RunAsync(
                    database => database.ScriptEvaluateAsync(ReleaseScript, [key], [holder], CommandFlags.DemandMaster), $"A source of issuer '{issuer}' could not be handed back", CancellationToken.None).ConfigureAwait(false);
            }
            catch (RevocationStoreException e)
            {
                LogNotRenewed(issuer, e.Message); // it runs out
            }
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using PeriodicTimer timer = new(Length / 3); // real time, as Redis's
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
            {
                foreach ((RedisKey key, IssuerId issuer) in _mine)
                {
                    try
                    {
                        await TakeAsync(issuer, key, stoppingToken).ConfigureAwait(false);
                    }
                    catch (RevocationStoreException e)
                    {
                        LogNotRenewed(issuer, e.Message);
                    }
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The silo ends.
        }
    }

    private async ValueTask<string?> TakeAsync(IssuerId issuer, RedisKey key, CancellationToken cancellationToken)
    {
        RedisResult has = await connection.RunAsync(
            database => database.ScriptEvaluateAsync(TakeScript, [key], [holder, (long)Length.TotalMilliseconds], CommandFlags.DemandMaster),
            $"It is not known which silo looks at the sources of issuer '{issuer}'", cancellationToken).ConfigureAwait(false);
        string other = (string)has!;
        if (other == holder)
        {
            _mine.TryAdd(key, issuer);
            return null;
        }

        _mine.TryRemove(key, out _);
        return other;
    }

    [LoggerMessage(220, LogLevel.Debug, "The turn of a source of issuer {Issuer} could not be renewed or handed back: {Reason}")]
    private partial void LogNotRenewed(IssuerId issuer, string reason);
}
