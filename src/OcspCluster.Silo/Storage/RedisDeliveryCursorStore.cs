using System.Text;
using OcspCluster.Authority;
using StackExchange.Redis;

namespace OcspCluster.Silo.Storage;

// A cursor is a field of the hash {issuer's tag}:cursors, named as its receiver:
//   1 octet    version, 1
//   number position, number intended position, text holder, number ticks of the lease's end, 1 octet whether it is paused, and then the reason as text
//   4 octets   Seal over issuer, receiver and what stands before
// One cursor is always the same octets, so octets are compared.

/// <summary>Where the receivers of the journals are, in Redis, for all silos. Thread-safe.</summary>
/// <remarks>
/// A move is one script and one field. It passes the same gate as an append: only a Redis that keeps what it acknowledged moves a cursor (<c>docs/decisions/0021-redis-store.md</c>).
/// A move that timed out may be carried out later, if the cursor still is what was expected then: the caller reads it again.
/// </remarks>
public sealed class RedisDeliveryCursorStore : IDeliveryCursorStore
{
    private const byte Version = 1;

    private readonly RedisConnection _connection;
    private readonly DurabilityGate _gate;
    private readonly int _replicas;

    internal RedisDeliveryCursorStore(RedisConnection connection, DurabilityGate gate, int replicas)
    {
        _connection = connection;
        _gate = gate;
        _replicas = replicas;
    }

    /// <inheritdoc/>
    public async ValueTask<DeliveryCursor?> FindCursorAsync(string receiver, IssuerId issuer, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(receiver);
        byte[]? value = await _connection.RunAsync(
            database => database.HashGetAsync(KeyOf(issuer), receiver, CommandFlags.DemandMaster), $"The cursor of receiver '{receiver}' in the journal of issuer '{issuer}' could not be read", cancellationToken).ConfigureAwait(false);
        return value is null ? null : Read(receiver, issuer, value) ?? throw RedisStoreReader.Damaged($"the cursor of receiver '{receiver}' in the journal of issuer '{issuer}'");
    }

    /// <inheritdoc/>
    public async ValueTask<bool> TryMoveCursorAsync(string receiver, IssuerId issuer, DeliveryCursor? expected, DeliveryCursor next)
    {
        ArgumentNullException.ThrowIfNull(receiver);
        ArgumentNullException.ThrowIfNull(next);
        RedisKey key = KeyOf(issuer);
        RedisValue value = Write(receiver, issuer, next);
        string unknown = $"The outcome of moving the cursor of receiver '{receiver}' in the journal of issuer '{issuer}' is unknown";
        await _gate.PassAsync(look: false).ConfigureAwait(false);
        if (!await EvaluateAsync(key, [receiver, expected is null ? RedisValue.EmptyString : Write(receiver, issuer, expected), value], unknown).ConfigureAwait(false))
        {
            return false;
        }

        if (_replicas > 0)
        {
            // WAIT speaks of what this connection wrote. Had another server become the primary meanwhile, it would know of no write and be content.
            await _connection.WaitForReplicasAsync(key, _replicas, unknown).ConfigureAwait(false);
            if (await FindCursorAsync(receiver, issuer, CancellationToken.None).ConfigureAwait(false) != next)
            {
                throw new RevocationStoreException($"{unknown}: the primary has changed, and the new one does not have it.");
            }
        }

        return true;
    }

    private async Task<bool> EvaluateAsync(RedisKey key, RedisValue[] arguments, string unknown)
    {
        for (bool isSecond = false; ; isSecond = true)
        {
            try
            {
                return (bool)await _connection.RunAsync(
                    database => database.ScriptEvaluateAsync(_gate.MoveCursorDigest, [key], arguments, CommandFlags.DemandMaster), unknown, CancellationToken.None).ConfigureAwait(false);
            }
            catch (RevocationStoreException e) when (!isSecond && e.InnerException is RedisServerException { Message: var message } && message.StartsWith("NOSCRIPT", StringComparison.Ordinal))
            {
                await _gate.PassAsync(look: true).ConfigureAwait(false); // a server that was not looked at; it did nothing
            }
        }
    }

    private RedisKey KeyOf(IssuerId issuer) => _connection.Keys.Of(issuer, "cursors");

    private static byte[] Write(string receiver, IssuerId issuer, DeliveryCursor cursor)
    {
        RecordWriter writer = new(64);
        writer.Add(Version);
        writer.AddNumber(cursor.Position);
        writer.AddNumber(cursor.IntendedPosition);
        writer.AddText(cursor.Holder);
        writer.AddNumber(cursor.HeldUntil.UtcTicks);
        writer.Add((byte)(cursor.PausedBecause is null ? 0 : 1));
        writer.AddOptional(cursor.PausedBecause);
        return writer.Finish(SealOf(receiver, issuer, writer.Written));
    }

    // Null when it is not what was written.
    private static DeliveryCursor? Read(string receiver, IssuerId issuer, ReadOnlySpan<byte> value)
    {
        RecordReader reader = new(RedisRecords.Unseal(value, SealOf(receiver, issuer, RedisRecords.Sealed(value))));
        int version = reader.ReadByte();
        long position = reader.ReadNumber();
        long intended = reader.ReadNumber();
        string holder = reader.ReadText();
        long ticks = reader.ReadNumber();
        string? reason = reader.ReadByte() == 0 ? null : reader.ReadText();
        return reader.IsSound && reader.IsAtEnd && version == Version && ticks >= 0 && ticks <= DateTime.MaxValue.Ticks
            ? new DeliveryCursor(position, intended, holder, new DateTimeOffset(ticks, TimeSpan.Zero), reason)
            : null;
    }

    private static uint SealOf(string receiver, IssuerId issuer, ReadOnlySpan<byte> record)
    {
        Seal seal = new();
        seal.Add(Encoding.UTF8.GetBytes($"{issuer}/{receiver}"));
        seal.Add(record);
        return (uint)seal.Value;
    }
}
