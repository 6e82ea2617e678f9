using System.Globalization;
using OcspCluster.Authority;
using OcspCluster.Silo.Storage;
using StackExchange.Redis;

namespace OcspCluster.Silo.Coherence;

/// <summary>The leases in Redis: a hash for each issuer beside its journal, silo → number, and the published position in a key of its own.</summary>
internal sealed class RedisLeaseTable(RedisConnection connection) : ILeaseTable
{
    // KEYS: leases, head, published. ARGV: position's field, silo, number, published, then silo and number of each row that has ended.
    private const string Renew = """
        local current = redis.call('HGET', KEYS[1], ARGV[2])
        if current and tonumber(current) >= tonumber(ARGV[3]) then
            return redis.error_reply('LEASE a later renewal was here before this one')
        end
        redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
        for i = 5, #ARGV, 2 do
            if redis.call('HGET', KEYS[1], ARGV[i]) == ARGV[i + 1] then
                redis.call('HDEL', KEYS[1], ARGV[i])
            end
        end
        local published = redis.call('GET', KEYS[3]) or '0'
        if tonumber(ARGV[4]) > tonumber(published) then
            redis.call('SET', KEYS[3], ARGV[4])
            published = ARGV[4]
        end
        return { redis.call('HGET', KEYS[2], ARGV[1]) or '0', published, redis.call('HGETALL', KEYS[1]) }
        """;

    // KEYS: leases, published. ARGV: silo, published.
    private const string Remove = """
        if tonumber(ARGV[2]) > tonumber(redis.call('GET', KEYS[2]) or '0') then
            redis.call('SET', KEYS[2], ARGV[2])
        end
        return redis.call('HDEL', KEYS[1], ARGV[1])
        """;

    /// <inheritdoc/>
    public async Task<LeaseRenewal> RenewAsync(IssuerId issuer, LeaseRow mine, IReadOnlyList<LeaseRow> ended, long published, CancellationToken cancellationToken)
    {
        RedisKey[] keys = [connection.Keys.Leases(issuer), connection.Keys.Head(issuer), PublishedKey(issuer)];
        RedisValue[] values = [RedisKeys.PositionField, mine.Silo, mine.Number, published, .. ended.SelectMany(row => new RedisValue[] { row.Silo, row.Number })];
        RedisResult result = await connection.RunAsync(
            database => database.ScriptEvaluateAsync(Renew, keys, values, CommandFlags.DemandMaster), $"The lease of issuer '{issuer}' could not be renewed", cancellationToken).ConfigureAwait(false);
        RedisResult[] parts = (RedisResult[])result!;
        RedisValue[] rows = (RedisValue[])parts[2]!;
        return new LeaseRenewal((long)parts[0], (long)parts[1], [.. rows.Chunk(2).Select(ToRow)]);
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<LeaseRow>> ReadAsync(IssuerId issuer, CancellationToken cancellationToken)
    {
        HashEntry[] rows = await connection.RunAsync(
            database => database.HashGetAllAsync(connection.Keys.Leases(issuer), CommandFlags.DemandMaster), $"The leases of issuer '{issuer}' could not be read", cancellationToken).ConfigureAwait(false);
        return [.. rows.Select(row => ToRow([row.Name, row.Value]))];
    }

    /// <inheritdoc/>
    public Task RemoveAsync(IssuerId issuer, string silo, long published, CancellationToken cancellationToken) => connection.RunAsync(
        database => database.ScriptEvaluateAsync(Remove, [connection.Keys.Leases(issuer), PublishedKey(issuer)], [silo, published], CommandFlags.DemandMaster),
        $"The lease of issuer '{issuer}' could not be handed back", cancellationToken);

    private RedisKey PublishedKey(IssuerId issuer) => connection.Keys.Of(issuer, "published");

    private static LeaseRow ToRow(RedisValue[] row) => new((string)row[0]!, long.Parse((string)row[1]!, CultureInfo.InvariantCulture));
}
