using System.Collections.Concurrent;
using System.Globalization;
using OcspCluster.Authority;
using OcspCluster.Silo.Storage;
using StackExchange.Redis;

namespace OcspCluster.Silo.Refresh;

/// <summary>A re-signing of all answers of an issuer, in all silos.</summary>
/// <param name="StartedAt">When it was begun.</param>
/// <param name="SignaturesPerSecond">The pace of all silos together until it is done.</param>
[GenerateSerializer]
[Immutable]
internal sealed record ResignRun([property: Id(0)] DateTimeOffset StartedAt, [property: Id(1)] int SignaturesPerSecond)
{
    /// <summary>What was produced before is signed anew. The next whole second: producedAt knows no parts of it (RFC 6960 §4.2.1), and what is signed from then on cannot be taken for older.</summary>
    public DateTimeOffset Before => DateTimeOffset.FromUnixTimeSeconds(StartedAt.ToUnixTimeSeconds() + 1);

    /// <summary>Whether an answer is one of those, now.</summary>
    public bool IsMeant(DateTimeOffset producedAt, DateTimeOffset now) => producedAt < Before && now >= Before;
}

/// <summary>The last re-signing of each issuer, as far as this silo knows. Thread-safe.</summary>
internal sealed class ResignRuns
{
    private readonly ConcurrentDictionary<IssuerId, ResignRun> _runs = [];

    /// <summary>That of an issuer; null when there was none.</summary>
    public ResignRun? Find(IssuerId issuer) => _runs.GetValueOrDefault(issuer);

    /// <summary>Takes note of one.</summary>
    /// <returns>False when it, or a later one, is known already.</returns>
    public bool Take(IssuerId issuer, ResignRun run)
    {
        ResignRun? known = Find(issuer);
        while (known is null || known.StartedAt < run.StartedAt)
        {
            if (known is null ? _runs.TryAdd(issuer, run) : _runs.TryUpdate(issuer, run, known))
            {
                return true;
            }

            known = Find(issuer);
        }

        return false;
    }

    /// <summary>Whether an answer is to be signed anew though it is not due.</summary>
    public bool IsMeant(IssuerId issuer, DateTimeOffset producedAt, DateTimeOffset now) => _runs.TryGetValue(issuer, out ResignRun? run) && run.IsMeant(producedAt, now);
}

/// <summary>The last re-signing of each issuer in Redis (<c>{x}:resign</c>), where silos find it that were not there when it was begun.</summary>
internal sealed class RedisResignRuns(RedisConnection connection)
{
    /// <summary>Reads it; null when there was none.</summary>
    /// <exception cref="RevocationStoreException">Redis cannot be asked.</exception>
    public async Task<ResignRun?> ReadAsync(IssuerId issuer, CancellationToken cancellationToken)
    {
        RedisValue text = await connection.RunAsync(
            database => database.StringGetAsync(KeyOf(issuer), CommandFlags.DemandMaster), $"The re-signing of issuer '{issuer}' could not be read", cancellationToken).ConfigureAwait(false);
        string[] parts = ((string?)text ?? "").Split(' ');
        return parts.Length == 2
            && long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out long started)
            && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int perSecond) && perSecond > 0
            ? new ResignRun(DateTimeOffset.FromUnixTimeMilliseconds(started), perSecond)
            : null;
    }

    /// <summary>Writes it: from now on every silo comes to know of it.</summary>
    /// <exception cref="RevocationStoreException">It is not known whether it was written.</exception>
    public Task WriteAsync(IssuerId issuer, ResignRun run) => connection.RunAsync(
        database => database.StringSetAsync(KeyOf(issuer), string.Create(CultureInfo.InvariantCulture, $"{run.StartedAt.ToUnixTimeMilliseconds()} {run.SignaturesPerSecond}"), flags: CommandFlags.DemandMaster),
        $"The re-signing of issuer '{issuer}' could not be begun", CancellationToken.None);

    private RedisKey KeyOf(IssuerId issuer) => connection.Keys.Of(issuer, "resign");
}
