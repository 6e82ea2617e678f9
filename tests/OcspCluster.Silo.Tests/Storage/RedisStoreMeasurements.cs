using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using OcspCluster.Authority;
using OcspCluster.Protocol;
using OcspCluster.Silo.Storage;
using StackExchange.Redis;

namespace OcspCluster.Silo.Tests.Storage;

/// <summary>
/// What docs/decisions/0021-redis-store.md says of the store's speed and memory, each beside raw commands of the same run. Not
/// part of the tests: it asserts nothing of time. Run with
/// <c>dotnet run -c Cluster --project tests/OcspCluster.Silo.Tests -- measure-redis 100000</c>.
/// </summary>
internal static class RedisStoreMeasurements
{
    public const string Verb = "measure-redis";

    private static readonly IssuerId s_issuer = new("measured");

    public static async Task RunAsync(int certificates)
    {
        await using RedisServer redis = await RedisServer.StartAsync();
        await using RedisConnection connection = await RedisConnection.OpenAsync(redis.Configuration);
        await using RedisRevocationStore store = await RedisRevocationStore.OpenAsync(connection, new RedisOptions { Configuration = redis.Configuration }, TimeProvider.System, CancellationToken.None);

        foreach (int batch in new[] { 1, 64 })
        {
            await MeasureRawAsync(connection, batch);
            await MeasureAppendsAsync(store, new IssuerId($"batch-{batch}"), batch, seconds: 3);
        }

        await MeasureRawAsync(connection, 4096);
        foreach (bool isSorted in new[] { false, true })
        {
            await MeasureImportAsync(connection, store, isSorted ? new IssuerId("sorted") : s_issuer, certificates, isSorted);
        }

        await MeasureReadsAsync(connection, store, certificates);
        await MeasureRevocationsAsync(store, certificates);
        await MeasureAuditAsync(connection);
    }

    // One fsync per batch, as ours: the commands of a batch are one script.
    private static async Task MeasureRawAsync(RedisConnection connection, int batch)
    {
        byte[] value = new byte[160];
        const string Script = "for i = 1, ARGV[1] do redis.call(ARGV[3], KEYS[1], unpack(ARGV, 4)) end";
        foreach (string command in new[] { "XADD", "SET" })
        {
            RedisValue[] arguments = command == "XADD" ? [batch, 0, command, "*", "e", value] : [batch, 0, command, value];
            int batches = 0;
            long start = Stopwatch.GetTimestamp();
            for (; Stopwatch.GetElapsedTime(start).TotalSeconds < 2; batches++)
            {
                if (batch > 1)
                {
                    await connection.Database.ScriptEvaluateAsync(Script, ["raw-" + command], arguments);
                }
                else if (command == "XADD")
                {
                    await connection.Database.StreamAddAsync("raw-XADD", "e", value);
                }
                else
                {
                    await connection.Database.StringSetAsync("raw-SET", value);
                }
            }

            Report($"raw {command}, {batch} to a flush", (long)batches * batch, start, $"{batches / Stopwatch.GetElapsedTime(start).TotalSeconds:N0} flushes/s");
        }

        await connection.Database.KeyDeleteAsync(["raw-XADD", "raw-SET"]);
    }

    private static async Task MeasureAppendsAsync(RedisRevocationStore store, IssuerId issuer, int batch, int seconds)
    {
        List<double> latencies = [];
        long position = 0;
        long start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start).TotalSeconds < seconds)
        {
            JournalEntry[] entries = [.. Enumerable.Range(0, batch).Select(i => Issued(position + i + 1, RandomSerial()))];
            long began = Stopwatch.GetTimestamp();
            Assert.True((await store.AppendAsync(issuer, position, entries)).Appended);
            latencies.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
            position += batch;
        }

        latencies.Sort();
        Report($"appends of {batch}", position, start, $"p50 {latencies[latencies.Count / 2]:N2} ms, p99 {latencies[latencies.Count * 99 / 100]:N2} ms, max {latencies[^1]:N1} ms");
    }

    private static async Task MeasureImportAsync(RedisConnection connection, RedisRevocationStore store, IssuerId issuer, int certificates, bool isSorted)
    {
        SerialNumber[] serials = [.. Enumerable.Range(0, certificates).Select(_ => RandomSerial())];
        if (isSorted)
        {
            Array.Sort(serials);
        }

        double before = await ReadNumberAsync(connection, "memory", "used_memory");
        double longest = 0;
        double processorSeconds = await ReadNumberAsync(connection, "cpu", "used_cpu_user");
        long start = Stopwatch.GetTimestamp();
        for (int from = 0; from < certificates; from += RedisRevocationStore.MaxEntriesPerAppend)
        {
            JournalEntry[] entries = [.. serials.Skip(from).Take(RedisRevocationStore.MaxEntriesPerAppend).Select((serial, i) => Issued(from + i + 1, serial))];
            long began = Stopwatch.GetTimestamp();
            Assert.True((await store.AppendAsync(issuer, from, entries)).Appended);
            longest = Math.Max(longest, Stopwatch.GetElapsedTime(began).TotalMilliseconds);
        }

        Report($"appends of 4096, {(isSorted ? "sorted" : "random")} serials of 16 octets", certificates, start, $"longest {longest:N0} ms, {(await ReadNumberAsync(connection, "cpu", "used_cpu_user") - processorSeconds) * 1e6 / certificates:N1} µs of Redis's processor time each");
        Console.WriteLine($"  memory: {(await ReadNumberAsync(connection, "memory", "used_memory") - before) / certificates:N1} bytes per certificate");
        foreach (string part in new[] { "s", "e", "journal" })
        {
            Console.WriteLine($"    {part}: {(double)await MeasureKeysAsync(connection, issuer, part) / certificates:N1}");
        }
    }

    private static async Task MeasureReadsAsync(RedisConnection connection, RedisRevocationStore store, int certificates)
    {
        IReadOnlyList<RecordedCertificate> known = await store.ListAsync(s_issuer, null, default, Math.Min(certificates, 20_000), CancellationToken.None);
        foreach (int readers in new[] { 1, 32 })
        {
            int found = 0;
            long start = Stopwatch.GetTimestamp();
            await Task.WhenAll(Enumerable.Range(0, readers).Select(_ => Task.Run(async () =>
            {
                while (Stopwatch.GetElapsedTime(start).TotalSeconds < 2)
                {
                    Assert.NotNull(await store.FindStatusAsync(s_issuer, known[Random.Shared.Next(known.Count)].Serial, CancellationToken.None));
                    Interlocked.Increment(ref found);
                }
            })));
            Report($"FindStatus, {readers} at a time", found, start, "");

            found = 0;
            start = Stopwatch.GetTimestamp();
            await Task.WhenAll(Enumerable.Range(0, readers).Select(_ => Task.Run(async () =>
            {
                while (Stopwatch.GetElapsedTime(start).TotalSeconds < 2)
                {
                    await connection.Database.StringGetAsync("none", CommandFlags.DemandMaster);
                    Interlocked.Increment(ref found);
                }
            })));
            Report($"raw GET, {readers} at a time", found, start, "");
        }

        long listStart = Stopwatch.GetTimestamp();
        IReadOnlyList<RecordedCertificate> page = await store.ListAsync(s_issuer, null, default, certificates, CancellationToken.None);
        Report("listed", page.Count, listStart, "");
    }

    private static async Task MeasureRevocationsAsync(RedisRevocationStore store, int certificates)
    {
        IReadOnlyList<RecordedCertificate> known = await store.ListAsync(s_issuer, null, default, certificates, CancellationToken.None);
        long position = certificates;
        long start = Stopwatch.GetTimestamp();
        foreach (RecordedCertificate[] batch in known.Chunk(RedisRevocationStore.MaxEntriesPerAppend))
        {
            JournalEntry[] entries = [.. batch.Select((certificate, i) => Revoked(position + i + 1, certificate.Serial))];
            Assert.True((await store.AppendAsync(s_issuer, position, entries)).Appended);
            position += batch.Length;
        }

        Report("revocations of known certificates, 4096 to an append", known.Count, start, "");
    }

    private static async Task MeasureAuditAsync(RedisConnection connection)
    {
        long start = Stopwatch.GetTimestamp();
        RedisAuditReport report = await RedisAudit.VerifyAsync(connection, verifier: null, progress: null, CancellationToken.None);
        Assert.True(report.IsAccepted);
        Report("audited entries", report.Issuers.Sum(issuer => issuer.Entries), start, "");
    }

    private static void Report(string what, long count, long start, string more)
    {
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        Console.WriteLine($"{what}: {count / seconds:N0}/s ({count:N0} in {seconds:N2} s) {more}");
    }

    private static JournalEntry Issued(long position, SerialNumber serial)
    {
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        RevocationEvent @event = new()
        {
            Id = string.Create(CultureInfo.InvariantCulture, $"issued-{position:D12}-{Random.Shared.Next():x8}"),
            Serial = serial,
            Kind = EventKind.Issued,
            At = new DateTimeOffset(now.UtcTicks - (now.UtcTicks % TimeSpan.TicksPerSecond), TimeSpan.Zero),
            NotAfter = DateTimeOffset.UnixEpoch.AddYears(60),
        };
        return ToEntry(position, @event, now, null);
    }

    private static JournalEntry Revoked(long position, SerialNumber serial)
    {
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        RevocationEvent @event = new() { Id = string.Create(CultureInfo.InvariantCulture, $"revoked-{position:D12}"), Serial = serial, Kind = EventKind.Revoked, At = now, Reason = RevocationReason.KeyCompromise };
        return ToEntry(position, @event, now, CertificateStatus.Good with { NotAfter = DateTimeOffset.UnixEpoch.AddYears(60) });
    }

    private static JournalEntry ToEntry(long position, RevocationEvent @event, DateTimeOffset now, CertificateStatus? current) =>
        new(position, @event, now, StatusRules.Apply(current, @event, now).Status! with { Position = position }) { Submitter = new Submitter("ca-one", "192.0.2.7") };

    private static SerialNumber RandomSerial() => SerialNumber.FromContent([0x01, .. RandomNumberGenerator.GetBytes(15)]);

    private static async Task<double> ReadNumberAsync(RedisConnection connection, string section, string name) => double.Parse(
        (await connection.Multiplexer.GetServers()[0].InfoAsync(section)).SelectMany(group => group).First(pair => pair.Key == name).Value, CultureInfo.InvariantCulture);

    private static async Task<long> MeasureKeysAsync(RedisConnection connection, IssuerId issuer, string part)
    {
        long sum = 0;
        await foreach (RedisKey key in connection.Multiplexer.GetServers()[0].KeysAsync(pattern: $"{connection.Keys.Tag(issuer)}:{part}*", pageSize: 1000))
        {
            sum += (long)await connection.Database.ExecuteAsync("MEMORY", "USAGE", key, "SAMPLES", "0");
        }

        return sum;
    }
}
