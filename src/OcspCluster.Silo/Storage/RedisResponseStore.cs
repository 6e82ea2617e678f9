using System.Globalization;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using OcspCluster.Authority;
using OcspCluster.Protocol;
using OcspCluster.Silo.Refresh;
using StackExchange.Redis;

namespace OcspCluster.Silo.Storage;

// {x}:answers:{serial}   hash     first half of SHA-256(CertID, credential) → an answer: 12 digits of nextUpdate, then the record
// {x}:kept:{partition}   sorted set of serial numbers, scored by the last nextUpdate: what there is, and what has ended
//
// A record: octets CertID, 32 octets credential, 1 octet IsDefault, number position, instants producedAt, thisUpdate, nextUpdate, octets response, Seal over issuer, serial and what stands before.
//
// A certificate's answers go by themselves when the last of them has ended (PEXPIRE, by the time that is left, so that the clocks of Redis and of a test do not matter), those of a signer that was
// replaced with the next answer after their end, and from the index by the hand of whoever saves in that partition. Where nobody does, because the issuer is answered for no more or not presigned, the
// index goes by itself, too, with the last that is in it.

/// <summary>Signed answers in Redis, for all silos: one that is lost is signed again. Thread-safe.</summary>
/// <remarks>It has a connection of its own, and its scripts are short: an append waits for at most one of them. What Redis's memory costs: some 200 octets beside each answer's own.</remarks>
public sealed class RedisResponseStore : IResponseStore
{
    private const int AnswersPerScript = 64;
    private const int SerialsPerPage = 256;
    private const int PrefixDigits = 12;

    // KEYS: one of the issuer's. ARGV: tag, now, how many ended ones are removed from each index at most; for each answer: partition, serial, field, nextUpdate, value.
    private const string SaveScript = """
        local tag, now, most = ARGV[1], tonumber(ARGV[2]), ARGV[3]
        local touched = {}
        for i = 4, #ARGV, 5 do
          local index, serial, last = tag .. 'kept:' .. ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 3])
          local key = tag .. 'answers:' .. serial
          redis.call('HSET', key, ARGV[i + 2], ARGV[i + 4])
          if redis.call('HLEN', key) > 1 then
            local all = redis.call('HGETALL', key)
            for j = 1, #all, 2 do
              if (tonumber(string.sub(all[j + 1], 1, 12)) or 0) < now then redis.call('HDEL', key, all[j]) end
            end
          end
          local left = (last - now + 1) * 1000
          if redis.call('PTTL', key) < left then redis.call('PEXPIRE', key, left) end
          local score = redis.call('ZSCORE', index, serial)
          if not score or tonumber(score) < last then redis.call('ZADD', index, last, serial) end
          if redis.call('PTTL', index) < left then redis.call('PEXPIRE', index, left) end
          touched[index] = true
        end
        for index in pairs(touched) do
          for _, serial in ipairs(redis.call('ZRANGEBYSCORE', index, '-inf', '(' .. ARGV[2], 'LIMIT', 0, most)) do
            redis.call('DEL', tag .. 'answers:' .. serial)
            redis.call('ZREM', index, serial)
          end
        end
        return 1
        """;

    private readonly RedisConnection _connection;
    private readonly TimeProvider _clock;

    private RedisResponseStore(RedisConnection connection, TimeProvider clock)
    {
        _connection = connection;
        _clock = clock;
    }

    /// <summary>Opens it, with a second connection to the same Redis.</summary>
    /// <param name="connection">The first one, which stays the caller's.</param>
    /// <param name="clock">The clock of what is signed.</param>
    public static async Task<RedisResponseStore> OpenAsync(RedisConnection connection, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(connection);
        ArgumentNullException.ThrowIfNull(clock);
        return new RedisResponseStore(await connection.OpenAnotherAsync().ConfigureAwait(false), clock);
    }

    /// <inheritdoc/>
    public async ValueTask SaveAsync(IssuerId issuer, IReadOnlyList<KeptResponse> responses, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(responses);
        long now = _clock.GetUtcNow().ToUnixTimeSeconds();
        foreach (KeptResponse[] some in responses.Where(response => response.NextUpdate.ToUnixTimeSeconds() >= now).Chunk(AnswersPerScript))
        {
            List<RedisValue> arguments = [$"{_connection.Keys.Tag(issuer)}:", now, 2 * AnswersPerScript];
            foreach (KeptResponse response in some)
            {
                arguments.AddRange([SerialPartitions.Of(response.Serial), response.Serial.ContentMemory, FieldOf(response), response.NextUpdate.ToUnixTimeSeconds(), Write(issuer, response)]);
            }

            RedisValue[] all = [.. arguments];
            await _connection.RunAsync(
                database => database.ScriptEvaluateAsync(SaveScript, [_connection.Keys.Of(issuer, "kept")], all, CommandFlags.DemandMaster), $"Signed answers of issuer '{issuer}' could not be kept", cancellationToken).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<KeptResponse>> FindAsync(IssuerId issuer, SerialNumber serial, CancellationToken cancellationToken)
    {
        HashEntry[] fields = await _connection.RunAsync(
            database => database.HashGetAllAsync(AnswersOf(issuer, serial), CommandFlags.DemandMaster), $"The kept answers of issuer '{issuer}' could not be read", cancellationToken).ConfigureAwait(false);
        return Read(issuer, serial, fields);
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<KeptResponse> ReadAsync(IssuerId issuer, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        for (int partition = 0; partition < SerialPartitions.Count; partition++)
        {
            await foreach (KeptResponse response in ReadAsync(issuer, partition, cancellationToken).ConfigureAwait(false))
            {
                yield return response;
            }
        }
    }

    /// <summary>Every answer of a partition's certificates.</summary>
    internal async IAsyncEnumerable<KeptResponse> ReadAsync(IssuerId issuer, int partition, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        HashSet<SerialNumber> seen = []; // a scan may tell twice
        string cursor = "0";
        do
        {
            List<SerialNumber> serials = [];
            (cursor, byte[][] found) = await ScanAsync(issuer, partition, cursor, cancellationToken).ConfigureAwait(false);
            serials.AddRange(found.Where(octets => SerialNumber.IsMinimal(octets)).Select(octets => SerialNumber.FromContent(octets)).Where(seen.Add));
            foreach (SerialNumber[] page in serials.Chunk(SerialsPerPage))
            {
                HashEntry[][] answers = await _connection.RunAsync(
                    database => Task.WhenAll(page.Select(serial => database.HashGetAllAsync(AnswersOf(issuer, serial), CommandFlags.DemandMaster))),
                    $"The kept answers of issuer '{issuer}' could not be read", cancellationToken).ConfigureAwait(false);
                for (int i = 0; i < page.Length; i++)
                {
                    foreach (KeptResponse response in Read(issuer, page[i], answers[i]))
                    {
                        yield return response;
                    }
                }
            }
        }
        while (cursor != "0");
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _connection.DisposeAsync();

    private async Task<(string Cursor, byte[][] Serials)> ScanAsync(IssuerId issuer, int partition, string cursor, CancellationToken cancellationToken)
    {
        RedisResult result = await _connection.RunAsync(
            database => database.ExecuteAsync("ZSCAN", [IndexOf(issuer, partition), cursor, "COUNT", SerialsPerPage], CommandFlags.DemandMaster),
            $"The kept answers of issuer '{issuer}' could not be read", cancellationToken).ConfigureAwait(false);
        RedisResult[] parts = (RedisResult[])result!;
        RedisResult[] members = (RedisResult[])parts[1]!;
        return ((string)parts[0]!, [.. members.Where((_, i) => i % 2 == 0).Select(member => (byte[])member!)]);
    }

    private RedisKey AnswersOf(IssuerId issuer, SerialNumber serial) => _connection.Keys.Of(issuer, "answers:").Append(serial.Content.ToArray());

    private RedisKey IndexOf(IssuerId issuer, int partition) => _connection.Keys.Of(issuer, string.Create(CultureInfo.InvariantCulture, $"kept:{partition}"));

    private List<KeptResponse> Read(IssuerId issuer, SerialNumber serial, HashEntry[] fields)
    {
        DateTimeOffset now = _clock.GetUtcNow();
        List<KeptResponse> responses = new(fields.Length);
        foreach (HashEntry field in fields)
        {
            // One that is damaged is as good as none: it is signed again.
            if (Read(issuer, serial, (byte[]?)field.Value) is { } response && response.NextUpdate >= now)
            {
                responses.Add(response);
            }
        }

        return responses;
    }

    private static byte[] FieldOf(KeptResponse response)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(response.CertId.Span);
        hash.AppendData(response.Credential.ToArray());
        return hash.GetHashAndReset()[..16];
    }

    private static byte[] Write(IssuerId issuer, KeptResponse response)
    {
        RecordWriter writer = new(128 + response.CertId.Length + response.Encoded.Length);
        writer.AddRaw(Encoding.ASCII.GetBytes(response.NextUpdate.ToUnixTimeSeconds().ToString("D12", CultureInfo.InvariantCulture)));
        writer.AddOctets(response.CertId.Span);
        writer.AddRaw(response.Credential.ToArray());
        writer.Add((byte)(response.IsDefault ? 1 : 0));
        writer.AddNumber(response.Position);
        writer.AddInstant(response.ProducedAt);
        writer.AddInstant(response.ThisUpdate);
        writer.AddInstant(response.NextUpdate);
        writer.AddOctets(response.Encoded.Span);
        return writer.Finish(SealOf(issuer, response.Serial, writer.Written));
    }

    private static KeptResponse? Read(IssuerId issuer, SerialNumber serial, byte[]? value)
    {
        ReadOnlySpan<byte> record = RedisRecords.Unseal(value, SealOf(issuer, serial, RedisRecords.Sealed(value)));
        if (record.Length <= PrefixDigits)
        {
            return null;
        }

        RecordReader reader = new(record[PrefixDigits..]);
        byte[] certId = reader.ReadOctets().ToArray();
        ReadOnlySpan<byte> credential = reader.ReadRaw(Digest.SizeInBytes);
        bool isDefault = reader.ReadByte() == 1;
        long position = reader.ReadNumber();
        DateTimeOffset producedAt = reader.ReadInstant();
        DateTimeOffset thisUpdate = reader.ReadInstant();
        DateTimeOffset nextUpdate = reader.ReadInstant();
        byte[] encoded = reader.ReadOctets().ToArray();
        return !reader.IsSound || !reader.IsAtEnd ? null : new KeptResponse
        {
            Serial = serial,
            CertId = certId,
            Credential = new Digest(credential),
            IsDefault = isDefault,
            Position = position,
            ProducedAt = producedAt,
            ThisUpdate = thisUpdate,
            NextUpdate = nextUpdate,
            Encoded = encoded,
        };
    }

    private static uint SealOf(IssuerId issuer, SerialNumber serial, ReadOnlySpan<byte> record)
    {
        Seal seal = new();
        seal.Add(Encoding.ASCII.GetBytes(issuer.ToString()));
        seal.Add(serial.Content);
        seal.Add(record);
        return (uint)seal.Value;
    }
}
