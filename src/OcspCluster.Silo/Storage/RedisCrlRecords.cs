using System.Globalization;
using System.Numerics;
using System.Text.Json;
using OcspCluster.Authority;
using StackExchange.Redis;

namespace OcspCluster.Silo.Storage;

/// <summary>What was taken of each issuer's CRLs, in Redis, for all silos: the hash <c>{x}:crls</c>, a field of JSON for each scope. Thread-safe.</summary>
/// <remarks>It is written after the events of the CRL were acknowledged, so by a Redis that keeps what it acknowledges. One that is lost all the same costs that the next CRL is taken as the first.</remarks>
public sealed class RedisCrlRecords(RedisConnection connection) : ICrlRecords
{
    /// <inheritdoc/>
    public async ValueTask<CrlRecord?> FindAsync(IssuerId issuer, string scope, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(scope);
        RedisValue json = await connection.RunAsync(
            database => database.HashGetAsync(KeyOf(issuer), scope, CommandFlags.DemandMaster), $"What was taken of the CRLs of issuer '{issuer}' could not be read", cancellationToken).ConfigureAwait(false);
        if (json.IsNull)
        {
            return null;
        }

        try
        {
            Row row = JsonSerializer.Deserialize<Row>((string)json!, JsonSerializerOptions.Web) ?? throw new JsonException("It is null.");
            return new CrlRecord
            {
                Scope = scope,
                Number = Parse(row.Number),
                CompleteNumber = Parse(row.CompleteNumber),
                ThisUpdate = row.ThisUpdate,
                NextUpdate = row.NextUpdate,
                Complete = Digest.TryParse(row.Complete, out Digest complete) ? complete : default,
                Delta = Digest.TryParse(row.Delta, out Digest delta) ? delta : default,
                TakenAt = row.TakenAt,
            };
        }
        catch (Exception e) when (e is JsonException or FormatException)
        {
            throw new RevocationStoreException($"The field '{scope}' of '{KeyOf(issuer)}' is damaged: {e.Message} Delete it: the next CRL is then taken as the first.", e);
        }
    }

    /// <inheritdoc/>
    public async ValueTask SaveAsync(IssuerId issuer, CrlRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        Row row = new(
            record.Number?.ToString(CultureInfo.InvariantCulture), record.CompleteNumber?.ToString(CultureInfo.InvariantCulture), record.ThisUpdate, record.NextUpdate,
            record.Complete.ToString(), record.Delta.ToString(), record.TakenAt);
        await connection.RunAsync(
            database => database.HashSetAsync(KeyOf(issuer), record.Scope, JsonSerializer.Serialize(row, JsonSerializerOptions.Web), flags: CommandFlags.DemandMaster),
            $"What was taken of the CRLs of issuer '{issuer}' could not be recorded", CancellationToken.None).ConfigureAwait(false);
    }

    private static BigInteger? Parse(string? number) => number is null ? null : BigInteger.Parse(number, NumberStyles.None, CultureInfo.InvariantCulture);

    private RedisKey KeyOf(IssuerId issuer) => connection.Keys.Of(issuer, "crls");

    private sealed record Row(
        string? Number, string? CompleteNumber, DateTimeOffset ThisUpdate, DateTimeOffset NextUpdate, string Complete, string Delta, DateTimeOffset TakenAt);
}
