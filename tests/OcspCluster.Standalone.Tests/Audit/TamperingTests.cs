using OcspCluster.Authority;
using OcspCluster.Conformance;
using OcspCluster.Standalone.Audit;
using OcspCluster.Standalone.Storage;
using static OcspCluster.Conformance.RecordedHistory;

namespace OcspCluster.Standalone.Tests.Audit;

// One change of the store, whatever it is, and either the store refuses or the audit finds it. What neither finds must have
// changed nothing that anybody can read: SQLite's files have octets without meaning (free space, counters, serial types that
// say the same).
public sealed class TamperingTests : IAsyncLifetime
{
    private readonly AuditedStore _store = new();
    private JournalEntry[] _entries = [];
    private byte[] _sound = [];

    public async ValueTask InitializeAsync()
    {
        _entries = await _store.FillAsync(180);
        _sound = File.ReadAllBytes(_store.DatabaseFile);
    }

    public ValueTask DisposeAsync()
    {
        _store.Dispose();
        return ValueTask.CompletedTask;
    }

    [Theory]
    [InlineData("journal", "key IN (SELECT key FROM journal ORDER BY key LIMIT 1 OFFSET 17)", 18)]
    [InlineData("journal", "key IN (SELECT max(key) FROM journal WHERE issuer = 1)", 0)]
    [InlineData("status", "position = 170", 170)]
    [InlineData("status", "issuer = 1 AND serial IN (SELECT max(serial) FROM status WHERE issuer = 1)", 0)]
    [InlineData("issuer", "id = 1", null)]
    [InlineData("issuer", "id = 2", null)]
    [InlineData("tree", "issuer = 1", null)]
    public async Task Column_OfAnyTableChanged_IsFound(string table, string row, int? position)
    {
        List<string> columns = ColumnsOf(table);
        Assert.InRange(columns.Count, 4, 30);
        int carriedOut = 0;
        foreach (string column in columns)
        {
            foreach (string value in OtherValues(column))
            {
                if (!TryExecute($"UPDATE {table} SET {column} = {value} WHERE {row}"))
                {
                    continue; // a constraint refuses it
                }

                carriedOut++;
                (bool isFound, long? at) = await AuditAsync();
                Assert.True(isFound, $"{table}.{column} = {value} was not found.");
                bool isOfTheKey = column is "key" or "serial" or "issuer" or "position"; // then the row is another's, or nobody's
                if (position is not null && !isOfTheKey)
                {
                    Assert.Equal(position == 0 ? LastPositionOf(table) : position, at);
                }
            }
        }

        Assert.InRange(carriedOut, columns.Count, 10 * columns.Count);
    }

    [Theory]
    [InlineData("journal")]
    [InlineData("status")]
    [InlineData("tree")]
    [InlineData("issuer")]
    public async Task Row_OfAnyTableRemoved_IsFound(string table)
    {
        long rows = CountOf(table);
        for (long offset = 0; offset < rows; offset += Math.Max(1, rows / 12))
        {
            string key = table switch { "journal" => "key", "issuer" => "id", "status" => "issuer || hex(serial)", _ => "issuer || level || node" };
            Assert.True(TryExecute($"DELETE FROM {table} WHERE {key} = (SELECT {key} FROM {table} ORDER BY 1 LIMIT 1 OFFSET {offset})"));

            Assert.True((await AuditAsync()).IsFound, $"Row {offset} of {table} is gone and nobody saw it.");
        }
    }

    [Fact]
    public async Task Index_ThatLostAnEvent_IsFound()
    {
        // What the index does not have, a look-up does not find: the event could be applied twice.
        Assert.True(TryExecute("PRAGMA writable_schema = ON; UPDATE sqlite_master SET sql = 'CREATE UNIQUE INDEX event ON journal (event_id, issuer)' WHERE name = 'event'"));

        Assert.True((await AuditAsync()).IsFound);
    }

    [Fact]
    public async Task Octet_OfTheFileChanged_IsFoundOrChangesNothing()
    {
        Random random = new(6962);
        int found = 0;
        const int Samples = 400;
        for (int i = 0; i < Samples; i++)
        {
            // All of the file's header, then anywhere.
            int offset = i < 100 ? i : random.Next(_sound.Length);
            byte[] damaged = [.. _sound];
            damaged[offset] ^= (byte)random.Next(1, 256);
            File.WriteAllBytes(_store.DatabaseFile, damaged);
            if ((await AuditAsync(restore: false)).IsFound)
            {
                found++;
            }
            else
            {
                await AssertNothingChangedAsync();
            }

            DeleteLog();
        }

        Assert.InRange(found, Samples / 3, Samples);
    }

    [Fact] // the gap that docs/decisions/0010 names: a lookup does not arrive at the row, and the certificate looks as if it were never issued
    public async Task Key_OfAStatusChangedInTheFile_IsFound()
    {
        byte[] serial = _entries[99].Event.Serial.Content.ToArray();
        int found = 0;
        for (int offset = _sound.AsSpan().IndexOf(serial); offset >= 0; offset = Next(offset, serial))
        {
            byte[] damaged = [.. _sound];
            damaged[offset + serial.Length - 1] ^= 0x40;
            File.WriteAllBytes(_store.DatabaseFile, damaged);
            bool isFound = (await AuditAsync(restore: false)).IsFound;
            DeleteLog();
            File.WriteAllBytes(_store.DatabaseFile, damaged);
            if (await IsUnfindableAsync(_entries[99]))
            {
                Assert.True(isFound, $"The key at {offset} was hit, and the audit did not see it.");
                found++;
            }

            DeleteLog();
        }

        Assert.InRange(found, 1, 100);
    }

    private static IEnumerable<string> OtherValues(string column)
    {
        yield return $"CASE typeof({column}) WHEN 'integer' THEN {column} + 1 WHEN 'text' THEN {column} || 'x' WHEN 'blob' THEN CAST({column} || x'01' AS BLOB) ELSE 1 END";
        yield return $"CASE typeof({column}) WHEN 'integer' THEN {column} | (1 << 62) WHEN 'text' THEN 'x' || substr({column}, 2) WHEN 'blob' THEN zeroblob(length({column})) ELSE 638000000000000000 END";
        yield return $"CASE typeof({column}) WHEN 'null' THEN 'x' ELSE NULL END";
    }

    // A checkpoint is as good as its key, so the key and the checkpoints stay; the store alone changes.
    private async Task<(bool IsFound, long? Position)> AuditAsync(bool restore = true)
    {
        try
        {
            StoreAuditReport report = await _store.VerifyAsync();
            return (!report.IsAccepted, report.Issuers.Count == 0 ? null : report.Issuers[0].FirstFinding?.Position);
        }
        catch (RevocationStoreException e)
        {
            return (true, e.Position);
        }
        finally
        {
            if (restore)
            {
                DeleteLog();
                File.WriteAllBytes(_store.DatabaseFile, _sound);
            }
        }
    }

    private async Task AssertNothingChangedAsync()
    {
        await using SqliteRevocationStore store = SqliteRevocationStore.Open(_store.Path);
        Assert.Equal(_entries, await store.ReadAllAsync(Ca));
        Assert.Equal(_entries, await store.FindEventsAsync(Ca, [.. _entries.Select(entry => entry.Event.Id)], CancellationToken.None));
        await store.AssertAgreesWithJournalAsync(Ca);
        await store.AssertAgreesWithJournalAsync(AuditedStore.Other);
    }

    private async Task<bool> IsUnfindableAsync(JournalEntry entry)
    {
        try
        {
            await using SqliteRevocationStore store = SqliteRevocationStore.Open(_store.Path);
            return await store.FindStatusAsync(Ca, entry.Event.Serial, CancellationToken.None) is null;
        }
        catch (RevocationStoreException)
        {
            return false;
        }
    }

    private int Next(int offset, byte[] serial)
    {
        int next = _sound.AsSpan(offset + 1).IndexOf(serial);
        return next < 0 ? -1 : offset + 1 + next;
    }

    private long LastPositionOf(string table) => table == "journal"
        ? _entries[^1].Position
        : _entries.Last(entry => entry.Event.Serial == _entries.Max(other => other.Event.Serial)).Position;

    private List<string> ColumnsOf(string table)
    {
        using SqliteDatabase database = SqliteDatabase.Open(_store.DatabaseFile, readOnly: true);
        return [.. database.QueryText($"SELECT group_concat(name) FROM pragma_table_info('{table}')").Split(',')];
    }

    private long CountOf(string table)
    {
        using SqliteDatabase database = SqliteDatabase.Open(_store.DatabaseFile, readOnly: true);
        return database.QueryInt64($"SELECT count(*) FROM {table}");
    }

    private bool TryExecute(string sql)
    {
        try
        {
            _store.Execute(sql);
            return true;
        }
        catch (RevocationStoreException)
        {
            return false;
        }
    }

    private void DeleteLog()
    {
        File.Delete(_store.DatabaseFile + "-wal");
        File.Delete(_store.DatabaseFile + "-shm");
    }
}
