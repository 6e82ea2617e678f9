using System.Globalization;
using OcspCluster.Authority;
using StackExchange.Redis;

namespace OcspCluster.Silo.Storage;

/// <summary>Where receivers of the journals are, in Redis, so that of several silos one delivers: a hash for each issuer, a field for each receiver. Thread-safe.</summary>
public sealed class RedisDeliveryCursorStore(RedisConnection connection) : IDeliveryCursorStore
{
    // KEYS[1] the hash; ARGV[1] the receiver, ARGV[2] what is expected there, empty for nothing, ARGV[3] what comes there. Returns 1 when it was so.
    private const string MoveScript = """
        if (redis.call('HGET', KEYS[1], ARGV[1]) or '') ~= ARGV[2] then return 0 end
        redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
        return 1
        """;

    private const char Separator = '\n';
    private const int Parts = 6;

    /// <inheritdoc/>
    public async ValueTask<DeliveryCursor?> FindCursorAsync(string receiver, IssuerId issuer, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(receiver);
        RedisValue value = await connection.RunAsync(
            database => database.HashGetAsync(KeyOf(issuer), receiver, CommandFlags.DemandMaster), $"The position of '{receiver}' in the journal of issuer '{issuer}' could not be read", cancellationToken).ConfigureAwait(false);
        return value.IsNull ? null : Read(receiver, issuer, value.ToString());
    }

    /// <inheritdoc/>
    public async ValueTask<bool> TryMoveCursorAsync(string receiver, IssuerId issuer, DeliveryCursor? expected, DeliveryCursor next)
    {
        ArgumentException.ThrowIfNullOrEmpty(receiver);
        ArgumentNullException.ThrowIfNull(next);
        RedisResult moved = await connection.RunAsync(
            database => database.ScriptEvaluateAsync(MoveScript, [KeyOf(issuer)], [receiver, expected is null ? "" : Write(expected), Write(next)], CommandFlags.DemandMaster),
            $"The position of '{receiver}' in the journal of issuer '{issuer}' could not be written",
            CancellationToken.None).ConfigureAwait(false);
        return (int)moved == 1;
    }

    private RedisKey KeyOf(IssuerId issuer) => connection.Keys.Of(issuer, "deliveries");

    // One spelling for each cursor: it is compared as text. The reason comes last, for it may have line breaks.
    private static string Write(DeliveryCursor cursor) => string.Join(
        Separator,
        cursor.Position.ToString(CultureInfo.InvariantCulture),
        cursor.IntendedPosition.ToString(CultureInfo.InvariantCulture),
        cursor.HeldUntil.UtcTicks.ToString(CultureInfo.InvariantCulture),
        Uri.EscapeDataString(cursor.Holder),
        cursor.PausedBecause is null ? "runs" : "paused",
        cursor.PausedBecause ?? "");

    private static DeliveryCursor Read(string receiver, IssuerId issuer, string text)
    {
        string[] parts = text.Split(Separator, Parts);
        return parts.Length == Parts
            && long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out long position)
            && long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out long intended)
            && long.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out long heldUntil) && heldUntil <= DateTimeOffset.MaxValue.UtcTicks
            ? new DeliveryCursor(position, intended, Uri.UnescapeDataString(parts[3]), new DateTimeOffset(heldUntil, TimeSpan.Zero), parts[4] == "paused" ? parts[5] : null)
            : throw new RevocationStoreException($"The position of '{receiver}' in the journal of issuer '{issuer}' is damaged in Redis. Delete the field '{receiver}' to begin anew where the receiver's configuration says.");
    }
}
