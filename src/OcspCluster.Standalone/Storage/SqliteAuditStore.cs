using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using OcspCluster.Authority;
using OcspCluster.Protocol;

namespace OcspCluster.Standalone.Storage;

/// <summary>
/// Reads a data directory for an audit or a proof, in one read transaction from opening to disposal: beside the process that
/// serves from it, or without one. The write-ahead log cannot be reused while this is open, so do not keep it.
/// </summary>
public sealed class SqliteAuditStore : IAuditStore
{
    private readonly SqliteDatabase _database;
    private readonly SqliteStatement _findIssuer;
    private readonly SqliteStatement _findStatus;
    private readonly SqliteStatement _readTree;
    private readonly SqliteStatement _readHashes;

    private SqliteAuditStore(SqliteDatabase database)
    {
        _database = database;
        database.Execute("PRAGMA cache_size = -65536"); // also what the sorter of the histories may use before it writes to a temporary file
        database.Execute("BEGIN");
        StoreSchema.CheckIsCurrent(database); // the first read: from here on it is one snapshot
        _findIssuer = database.Prepare($"SELECT {StoreRows.IssuerColumns} FROM issuer WHERE name = ?");
        _findStatus = database.Prepare("SELECT position FROM status WHERE issuer = ? AND serial = ?");
        _readTree = database.Prepare("SELECT hash FROM tree WHERE issuer = ? AND level = ? AND node >= ? AND node < ? ORDER BY node");
        _readHashes = database.Prepare("SELECT hash FROM journal WHERE key >= ? AND key < ? ORDER BY key");
    }

    /// <summary>Opens the store of a data directory.</summary>
    /// <exception cref="RevocationStoreException">There is none, it is another version's, or it is damaged.</exception>
    public static SqliteAuditStore Open(string directory)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        SqliteDatabase database = SqliteDatabase.Open(Path.Combine(Path.GetFullPath(directory), SqliteRevocationStore.FileName), readOnly: true);
        try
        {
            return new SqliteAuditStore(database);
        }
        catch
        {
            database.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<IssuerId>> ListIssuersAsync(CancellationToken cancellationToken)
    {
        List<IssuerId> issuers = [];
        using SqliteStatement rows = _database.Prepare($"SELECT {StoreRows.IssuerColumns}, name FROM issuer ORDER BY id");
        while (rows.Step())
        {
            byte[] name = rows.GetBytes(7).ToArray();
            StoreRows.ReadIssuer(rows, name, _database.File);
            issuers.Add(new IssuerId(Encoding.UTF8.GetString(name)));
        }

        return ValueTask.FromResult<IReadOnlyList<IssuerId>>(issuers);
    }

    /// <inheritdoc/>
    public ValueTask<JournalHead> GetHeadAsync(IssuerId issuer, CancellationToken cancellationToken) =>
        ValueTask.FromResult(FindIssuer(issuer) is { } row ? new JournalHead(row.Position, row.Head) : default);

    /// <inheritdoc/>
    public ValueTask<StatusCounts> CountAsync(IssuerId issuer, CancellationToken cancellationToken) =>
        ValueTask.FromResult(FindIssuer(issuer)?.Counts ?? default);

    /// <inheritdoc/>
    public async IAsyncEnumerable<ChainedEntry> ReadChainAsync(IssuerId issuer, long after, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(after);
        if (FindIssuer(issuer) is not { } row)
        {
            yield break;
        }

        using SqliteStatement rows = _database.Prepare($"SELECT {StoreRows.EntryColumns}, issuer FROM journal WHERE key > ? AND key <= ? ORDER BY key");
        rows.Bind(1, StoreRows.Key(row.Id, after)).Bind(2, StoreRows.Key(row.Id, StoreRows.MaxPosition));
        while (rows.Step())
        {
            cancellationToken.ThrowIfCancellationRequested();
            JournalEntry entry = StoreRows.ReadEntry(rows, row.Id, _database.File, out Digest hash);
            if (rows.GetInt64(19) != row.Id)
            {
                throw SqliteFailure.DamagedEntry(entry.Position, "is filed under another issuer, so that a look-up of its event does not find it", _database.File);
            }

            yield return new ChainedEntry(entry, hash);
        }

        await ValueTask.CompletedTask.ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<JournalEntry> ReadHistoriesAsync(IssuerId issuer, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (FindIssuer(issuer) is not { } row)
        {
            yield break;
        }

        // SQLite sorts in bounded memory and spills to a temporary file: one pass over the journal and one over that file,
        // where an index on the serials would cost every append.
        using SqliteStatement rows = _database.Prepare($"SELECT {StoreRows.EntryColumns} FROM journal WHERE key > ? AND key <= ? ORDER BY serial, key");
        rows.Bind(1, StoreRows.Key(row.Id, 0)).Bind(2, StoreRows.Key(row.Id, StoreRows.MaxPosition));
        while (rows.Step())
        {
            cancellationToken.ThrowIfCancellationRequested();
            yield return StoreRows.ReadEntry(rows, row.Id, _database.File);
        }

        await ValueTask.CompletedTask.ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<StoredStatus> ReadStatusesAsync(IssuerId issuer, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (FindIssuer(issuer) is not { } row)
        {
            yield break;
        }

        using SqliteStatement rows = _database.Prepare($"SELECT {StoreRows.StatusColumns}, serial FROM status WHERE issuer = ? ORDER BY serial");
        rows.Bind(1, row.Id);
        while (rows.Step())
        {
            cancellationToken.ThrowIfCancellationRequested();
            yield return ReadStatus(rows, row.Id);
        }

        await ValueTask.CompletedTask.ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<Digest>> ReadTreeAsync(IssuerId issuer, int level, long first, int count, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        List<Digest> hashes = [];
        if (FindIssuer(issuer) is not { } row)
        {
            return ValueTask.FromResult<IReadOnlyList<Digest>>(hashes);
        }

        SqliteStatement rows = level == 0
            ? _readHashes.Bind(1, StoreRows.Key(row.Id, first + 1)).Bind(2, StoreRows.Key(row.Id, first + 1 + count))
            : _readTree.Bind(1, row.Id).Bind(2, (long)level).Bind(3, first).Bind(4, first + count);
        try
        {
            while (rows.Step())
            {
                Digest hash = StoreRows.ReadDigest(rows, 0, "a hash of the journal", _database.File);
                hashes.Add(level == 0 ? MerkleHash.Leaf(hash) : hash);
            }
        }
        finally
        {
            rows.Reset();
        }

        return ValueTask.FromResult<IReadOnlyList<Digest>>(hashes);
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<string>> CheckStructureAsync(CancellationToken cancellationToken)
    {
        List<string> problems = [];
        using (SqliteStatement rows = _database.Prepare("PRAGMA integrity_check(20)"))
        {
            while (rows.Step())
            {
                if (rows.GetText(0) is not "ok" and { } problem)
                {
                    problems.Add($"SQLite: {problem}");
                }
            }
        }

        HashSet<long> numbers = [];
        foreach (IssuerId issuer in await ListIssuersAsync(cancellationToken).ConfigureAwait(false))
        {
            if (FindIssuer(issuer) is { } row)
            {
                numbers.Add(row.Id);
            }
            else
            {
                problems.Add($"Issuer '{issuer}' has a row that a look-up by its name does not find.");
            }
        }

        string ownerless = string.Create(CultureInfo.InvariantCulture, $"SELECT key >> {StoreRows.PositionBits} FROM journal WHERE key >= ? << {StoreRows.PositionBits} ORDER BY key LIMIT 1");
        AddOwnerless(problems, numbers, "journal entries", ownerless);
        AddOwnerless(problems, numbers, "statuses", "SELECT issuer FROM status WHERE issuer >= ? ORDER BY issuer LIMIT 1");
        AddOwnerless(problems, numbers, "tree nodes", "SELECT issuer FROM tree WHERE issuer >= ? ORDER BY issuer LIMIT 1");
        AddWrongLinks(problems);
        return problems;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _database.Dispose();
        return ValueTask.CompletedTask;
    }

    // What leads from an entry to the one before of its certificate, computed anew; and links of entries that are not there.
    private void AddWrongLinks(List<string> problems)
    {
        using SqliteStatement links = _database.Prepare($"""
            SELECT key, expected, previous FROM (
                SELECT key, lag(key) OVER (PARTITION BY key >> {StoreRows.PositionBits}, serial ORDER BY key) AS expected FROM journal
            ) LEFT JOIN earlier USING (key) WHERE expected IS NOT previous
            UNION ALL
            SELECT key, NULL, previous FROM earlier WHERE NOT EXISTS (SELECT 1 FROM journal WHERE journal.key = earlier.key)
            LIMIT 20
            """);
        while (links.Step())
        {
            problems.Add(string.Create(
                CultureInfo.InvariantCulture,
                $"Entry {PositionOf(links.GetInt64(0))} of issuer number {links.GetInt64(0) >> StoreRows.PositionBits} leads to {Name(links.GetNullableInt64(2))} as the entry before of its certificate, which is {Name(links.GetNullableInt64(1))}."));
        }

        static long PositionOf(long key) => key & ((1L << StoreRows.PositionBits) - 1);

        static string Name(long? key) => key is { } entry ? string.Create(CultureInfo.InvariantCulture, $"entry {PositionOf(entry)}") : "none";
    }

    // Rows of a number that no issuer has: what is left when an issuer's row is gone.
    private void AddOwnerless(List<string> problems, HashSet<long> issuers, string what, string nextIssuer)
    {
        using SqliteStatement next = _database.Prepare(nextIssuer);
        long from = long.MinValue >> StoreRows.PositionBits;
        while (next.Bind(1, from).Step())
        {
            long number = next.GetInt64(0);
            next.Reset();
            if (!issuers.Contains(number))
            {
                problems.Add($"There are {what} of an issuer number {number} that no issuer has.");
            }

            if (number >= long.MaxValue >> StoreRows.PositionBits)
            {
                break;
            }

            from = number + 1;
        }
    }

    private StoredStatus ReadStatus(SqliteStatement row, long issuer)
    {
        ReadOnlySpan<byte> octets = row.GetBytes(8);
        if (!SerialNumber.IsMinimal(octets))
        {
            throw SqliteFailure.DamagedRow("the key of a status", _database.File);
        }

        SerialNumber serial = SerialNumber.FromContent(octets);
        bool isFindable = _findStatus.Bind(1, issuer).Bind(2, serial.Content).Step();
        _findStatus.Reset();
        try
        {
            return new StoredStatus(serial, StoreRows.ReadStatus(row, issuer, serial, _database.File), isFindable);
        }
        catch (RevocationStoreException)
        {
            return new StoredStatus(serial, null, isFindable);
        }
    }

    private IssuerRow? FindIssuer(IssuerId issuer)
    {
        byte[] name = Encoding.UTF8.GetBytes(issuer.ToString());
        try
        {
            return _findIssuer.BindText(1, name).Step() ? StoreRows.ReadIssuer(_findIssuer, name, _database.File) : null;
        }
        finally
        {
            _findIssuer.Reset();
        }
    }
}
