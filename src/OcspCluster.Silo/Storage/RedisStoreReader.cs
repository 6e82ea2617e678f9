using System.Globalization;
using OcspCluster.Authority;
using OcspCluster.Protocol;
using StackExchange.Redis;

namespace OcspCluster.Silo.Storage;

/// <summary>What both the store and its audit read, as records. Thread-safe.</summary>
internal sealed class RedisStoreReader(RedisConnection connection)
{
    /// <summary>The most journal entries of one answer.</summary>
    public const int JournalPage = 1024;

    /// <summary>The most leaves of one answer.</summary>
    public const int MaxLeaves = 32;

    /// <summary>The most keys of one question.</summary>
    public const int MaxKeys = 4096;

    private const int MaxHistory = 256;
    private const int SerialsPageBytes = 48 * 1024; // and one leaf more

    public RedisKeys Keys => connection.Keys;

    /// <summary>The fields of an issuer's head.</summary>
    public async Task<RedisHead> ReadHeadAsync(IssuerId issuer, CancellationToken cancellationToken)
    {
        RedisValue[] fields = await connection.RunAsync(
            database => database.HashGetAsync(Keys.Head(issuer), [RedisKeys.PositionField, "hash", "good", "revoked", "held"], CommandFlags.DemandMaster),
            $"The head of the journal of issuer '{issuer}' could not be read", cancellationToken).ConfigureAwait(false);
        if (fields[0].IsNull)
        {
            return default;
        }

        byte[]? hash = fields[1];
        return fields[0].TryParse(out long position) && hash?.Length == Digest.SizeInBytes
            && fields[2].TryParse(out long good) && fields[3].TryParse(out long revoked) && fields[4].TryParse(out long held)
            ? new RedisHead(position, new Digest(hash), new StatusCounts(good, revoked, held))
            : throw Damaged($"the head of the journal of issuer '{issuer}'");
    }

    /// <summary>The values of keys of a tree, in the order asked; null where there is none.</summary>
    public async Task<byte[]?[]> FindValuesAsync(IssuerId issuer, string tree, IReadOnlyList<RedisValue> keys, CancellationToken cancellationToken)
    {
        byte[]?[] values = new byte[]?[keys.Count];
        for (int from = 0; from < keys.Count; from += MaxKeys)
        {
            int count = Math.Min(MaxKeys, keys.Count - from);
            RedisValue[] arguments = [Tag(issuer), tree, .. keys.Skip(from).Take(count)];
            RedisResult[] found = await EvaluateAsync(issuer, RedisScripts.FindValues, [Keys.Of(issuer, tree)], arguments, "statuses", cancellationToken).ConfigureAwait(false);
            for (int i = 0; i < count; i++)
            {
                values[from + i] = (byte[]?)found[i];
            }
        }

        return values;
    }

    /// <summary>A status, or null when there is none.</summary>
    /// <exception cref="RevocationStoreException">It is damaged.</exception>
    public static CertificateStatus? ToStatus(IssuerId issuer, SerialNumber serial, byte[]? value) =>
        value is null ? null : RedisRecords.ReadStatus(issuer, serial, value) ?? throw Damaged($"the status of serial {serial} of issuer '{issuer}'");

    /// <summary>The entries of event ids, in the order asked; null where there is none.</summary>
    public async Task<JournalEntry?[]> FindEventsAsync(IssuerId issuer, IReadOnlyList<string> eventIds, CancellationToken cancellationToken)
    {
        JournalEntry?[] entries = new JournalEntry?[eventIds.Count];
        for (int from = 0; from < entries.Length; from += MaxKeys)
        {
            int count = Math.Min(MaxKeys, entries.Length - from);
            RedisValue[] arguments = [Tag(issuer), .. eventIds.Skip(from).Take(count).Select(id => (RedisValue)RedisRecords.EventKey(id))];
            RedisResult[] found = await EvaluateAsync(issuer, RedisScripts.FindEvents, [Keys.Head(issuer)], arguments, "events", cancellationToken).ConfigureAwait(false);
            for (int i = 0; i < count; i++)
            {
                if (!found[2 * i].IsNull)
                {
                    JournalEntry entry = ToEntry(issuer, (long)found[2 * i], (byte[]?)found[(2 * i) + 1]).Entry;
                    entries[from + i] = entry.Event.Id == eventIds[from + i] ? entry : null;
                }
            }
        }

        return entries;
    }

    /// <summary>Some entries after a position and up to another, in order.</summary>
    public async Task<List<ChainedEntry>> ReadJournalAsync(IssuerId issuer, long after, long through, int limit, CancellationToken cancellationToken)
    {
        StreamEntry[] found = after >= through ? [] : await connection.RunAsync(
            database => database.StreamRangeAsync(Keys.Of(issuer, "journal"), StreamId(after + 1), StreamId(through), limit, Order.Ascending, CommandFlags.DemandMaster),
            $"The journal of issuer '{issuer}' could not be read", cancellationToken).ConfigureAwait(false);
        List<ChainedEntry> entries = new(found.Length);
        foreach (StreamEntry entry in found)
        {
            string id = entry.Id.ToString();
            if (!id.EndsWith("-0", StringComparison.Ordinal) || !long.TryParse(id.AsSpan(0, id.Length - 2), NumberStyles.None, CultureInfo.InvariantCulture, out long position))
            {
                throw Damaged($"the journal of issuer '{issuer}' holds an entry {id}, which we did not write, and");
            }

            entries.Add(ToEntry(issuer, position, entry.Values is [{ } first, ..] ? (byte[]?)first.Value : null));
        }

        return entries;
    }

    /// <summary>A page of whole leaves of a tree, from the one on that would hold a key: the keys, unsorted across leaves, with their statuses as they lie.</summary>
    public async Task<RedisLeaves> ReadLeavesAsync(IssuerId issuer, string tree, ReadOnlyMemory<byte> from, int maxLeaves, CancellationToken cancellationToken)
    {
        RedisResult[] found = await EvaluateAsync(
            issuer, RedisScripts.ReadLeaves, [Keys.Of(issuer, tree)], [Tag(issuer), tree, from, maxLeaves], "certificates", cancellationToken).ConfigureAwait(false);
        List<(SerialNumber, byte[]?)> certificates = new(found.Length / 2);
        for (int i = 1; i + 1 < found.Length; i += 2)
        {
            byte[] serial = (byte[]?)found[i] ?? [];
            certificates.Add((SerialNumber.IsMinimal(serial) ? SerialNumber.FromContent(serial) : throw Damaged($"a serial number of issuer '{issuer}'"), (byte[]?)found[i + 1]));
        }

        certificates.Sort(static (a, b) => a.Item1.CompareTo(b.Item1));
        return new RedisLeaves(certificates, (byte[]?)found[0]);
    }

    /// <summary>A page of whole leaves of the statuses, from the one on that would hold a serial number, as <see cref="RedisScripts.ReadSerials"/> writes them: below what the collector takes for a large object, as a rule.</summary>
    public async Task<RedisSerials> ReadSerialsAsync(IssuerId issuer, ReadOnlyMemory<byte> from, CancellationToken cancellationToken)
    {
        RedisResult[] found = await EvaluateAsync(
            issuer, RedisScripts.ReadSerials, [Keys.Of(issuer, "s")], [Tag(issuer), from, MaxLeaves, SerialsPageBytes], "certificates", cancellationToken).ConfigureAwait(false);
        return found.Length == 2 ? new RedisSerials((byte[]?)found[1] ?? [], (byte[]?)found[0]) : throw Damaged($"the answer about the certificates of issuer '{issuer}'");
    }

    /// <summary>The entries of a certificate, newest first.</summary>
    public async Task<List<JournalEntry>> ReadHistoryAsync(IssuerId issuer, SerialNumber serial, int limit, CancellationToken cancellationToken)
    {
        List<JournalEntry> entries = [];
        long? at = 0;
        while (at is { } position && entries.Count < limit)
        {
            RedisResult[] found = await EvaluateAsync(
                issuer, RedisScripts.ReadHistory, [Keys.Head(issuer)],
                [Tag(issuer), serial.ContentMemory, position, Math.Min(limit - entries.Count, MaxHistory)], "history", cancellationToken).ConfigureAwait(false);
            for (int i = 1; i + 1 < found.Length; i += 2)
            {
                JournalEntry entry = ToEntry(issuer, (long)found[i], (byte[]?)found[i + 1]).Entry;
                entries.Add(entry.Event.Serial == serial ? entry : throw Damaged($"the history of serial {serial} of issuer '{issuer}'"));
            }

            at = (long?)found[0];
        }

        return entries;
    }

    /// <summary>Octets of a level of the tree of hashes.</summary>
    public async Task<Digest[]> ReadTreeAsync(IssuerId issuer, int level, long first, long count, CancellationToken cancellationToken)
    {
        byte[]? octets = await connection.RunAsync(
            database => database.StringGetRangeAsync(
                Keys.Of(issuer, TreeName(level)), first * Digest.SizeInBytes, ((first + count) * Digest.SizeInBytes) - 1, CommandFlags.DemandMaster),
            $"The tree of issuer '{issuer}' could not be read", cancellationToken).ConfigureAwait(false);
        Digest[] digests = new Digest[(octets?.Length ?? 0) / Digest.SizeInBytes];
        for (int i = 0; i < digests.Length; i++)
        {
            digests[i] = new Digest(octets.AsSpan(i * Digest.SizeInBytes, Digest.SizeInBytes));
        }

        return digests;
    }

    /// <summary>Runs a script that reads.</summary>
    public async Task<RedisResult[]> EvaluateAsync(
        IssuerId issuer, string script, RedisKey[] keys, RedisValue[] arguments, string what, CancellationToken cancellationToken)
    {
        RedisResult result = await connection.RunAsync(
            database => database.ScriptEvaluateAsync(script, keys, arguments, CommandFlags.DemandMaster),
            $"The {what} of issuer '{issuer}' could not be read", cancellationToken).ConfigureAwait(false);
        return (RedisResult[]?)result ?? [];
    }

    /// <summary>The first of an issuer's keys' names.</summary>
    public RedisValue Tag(IssuerId issuer) => Keys.Tag(issuer) + ":";

    public static string TreeName(int level) => string.Create(CultureInfo.InvariantCulture, $"tree:{level}");

    public static RevocationStoreException Damaged(string what) =>
        new($"The data in Redis are damaged: {what} is not what was written. Stop the cluster, keep a copy of Redis's files, and restore a backup, or rebuild from an exported journal.");

    private static RedisValue StreamId(long position) => string.Create(CultureInfo.InvariantCulture, $"{position}-0");

    private static ChainedEntry ToEntry(IssuerId issuer, long position, byte[]? value) =>
        (value is null ? null : RedisRecords.ReadEntry(issuer, position, value))
        ?? throw new RevocationStoreException(Damaged($"journal entry {position} of issuer '{issuer}'").Message) { Position = position };
}

/// <summary>The end of an issuer's journal, and its counts.</summary>
internal readonly record struct RedisHead(long Position, Digest Hash, StatusCounts Counts);

/// <summary>Certificates in order, with their statuses as they lie, and the low bound of the leaf behind them; null at the end.</summary>
internal sealed record RedisLeaves(IReadOnlyList<(SerialNumber Serial, byte[]? Status)> Certificates, byte[]? Next);

/// <summary>Serial numbers and statuses in the order of their leaves, as octets, and the low bound of the leaf behind them; null at the end.</summary>
internal sealed record RedisSerials(byte[] Octets, byte[]? Next);
