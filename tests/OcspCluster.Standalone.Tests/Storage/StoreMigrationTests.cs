using System.IO.Compression;
using OcspCluster.Authority;
using OcspCluster.Conformance;
using OcspCluster.Standalone.Storage;
using static OcspCluster.Conformance.RecordedHistory;

namespace OcspCluster.Standalone.Tests.Storage;

// Fixtures/version-1.db.gz was written by the program of schema version 1: 300 entries of issuing-ca-1 (every third serial
// revoked, the others issued) and 4 of issuing-ca-2, the same that Entries makes below.
public sealed class StoreMigrationTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("ocsp-store-");
    private readonly IssuerId _second = new("issuing-ca-2");

    public StoreMigrationTests()
    {
        using Stream resource = typeof(StoreMigrationTests).Assembly.GetManifestResourceStream("version-1.db.gz")!;
        using GZipStream unzipped = new(resource, CompressionMode.Decompress);
        using FileStream file = File.Create(DatabaseFile);
        unzipped.CopyTo(file);
    }

    private string DatabaseFile => Path.Combine(_directory.FullName, SqliteRevocationStore.FileName);

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public async Task Version1_Opened_KeepsEverythingAndIsChained()
    {
        JournalEntry[] first = [.. Entries(0, Enumerable.Range(1, 300).Select(i => i % 3 == 0 ? Revoked($"revoked-{i}", Serial(i)) : Issued($"issued-{i}", Serial(i))))];
        JournalEntry[] second = Entries(0, Issued("1", Serial(1)), Held("2", Serial(1)), Released("3", Serial(1)), Revoked("\u65E5", Serial(-1), null));

        await using SqliteRevocationStore store = SqliteRevocationStore.Open(_directory.FullName);

        Assert.Equal(first.Select(AsOfVersion1), await store.ReadAllAsync(Ca));
        Assert.Equal(second.Select(AsOfVersion1), await store.ReadAllAsync(_second));
        Assert.Equal([AsOfVersion1(first[299])], await store.FindEventsAsync(Ca, ["revoked-300"], CancellationToken.None));
        await store.AssertAgreesWithJournalAsync(Ca);
        await store.AssertAgreesWithJournalAsync(_second);
        await using SqliteAuditStore audit = SqliteAuditStore.Open(_directory.FullName);
        await AssertChainAsync(audit, Ca, first);
        await AssertChainAsync(audit, _second, second);
        Assert.Equal(
            [MerkleHash.PerfectRoot([.. await audit.ReadTreeAsync(Ca, 0, 0, 256, CancellationToken.None)])],
            await audit.ReadTreeAsync(Ca, MerkleTree.StoredLevels, 0, 256, CancellationToken.None));
    }

    [Fact]
    public async Task Version1_OpenedAndAppendedTo_GoesOn()
    {
        await using (SqliteRevocationStore store = SqliteRevocationStore.Open(_directory.FullName))
        {
            Assert.True((await store.AppendAsync(Ca, 300, Issuances(300, 1000, 300))).Appended);
        }

        await using SqliteRevocationStore again = SqliteRevocationStore.Open(_directory.FullName);
        await again.AssertAgreesWithJournalAsync(Ca);
    }

    [Fact]
    public async Task Version1_MigrationThatFails_LeavesVersion1()
    {
        // A damaged row in the second issuer: by then the first issuer's 300 rows have been rewritten.
        Execute("UPDATE journal SET state = 0 WHERE issuer = 2 AND event_id = '2'");

        RevocationStoreException e = Assert.Throws<RevocationStoreException>(() => SqliteRevocationStore.Open(_directory.FullName));

        Assert.Equal(2, e.Position);
        using (SqliteDatabase database = SqliteDatabase.Open(DatabaseFile, readOnly: true))
        {
            Assert.Equal(1, database.QueryInt64("PRAGMA user_version"));
            Assert.Equal(0, database.QueryInt64("SELECT count(*) FROM pragma_table_info('journal') WHERE name = 'hash'"));
            Assert.Equal("ok", database.QueryText("PRAGMA integrity_check"));
        }

        Assert.Contains("schema version 1", Assert.Throws<RevocationStoreException>(() => SqliteAuditStore.Open(_directory.FullName)).Message);
        Execute("UPDATE journal SET state = 2 WHERE issuer = 2 AND event_id = '2'");
        await SqliteRevocationStore.Open(_directory.FullName).DisposeAsync(); // mended, it goes through
    }

    [Fact]
    public void Version1_WithAMissingEntry_IsRefusedByItsPosition()
    {
        Execute("DELETE FROM journal WHERE event_id = 'issued-7'");

        Assert.Equal(7, Assert.Throws<RevocationStoreException>(() => SqliteRevocationStore.Open(_directory.FullName)).Position);
    }

    [Fact]
    public void Version1_WithoutItsLastEntry_IsRefusedByItsPosition()
    {
        Execute("DELETE FROM journal WHERE event_id = 'revoked-300'");

        Assert.Equal(300, Assert.Throws<RevocationStoreException>(() => SqliteRevocationStore.Open(_directory.FullName)).Position);
    }

    private static JournalEntry AsOfVersion1(JournalEntry entry) => entry with { Submitter = Submitter.Unknown };

    private static async Task AssertChainAsync(SqliteAuditStore audit, IssuerId issuer, JournalEntry[] entries)
    {
        Digest head = default;
        await foreach (ChainedEntry chained in audit.ReadChainAsync(issuer, 0, CancellationToken.None))
        {
            head = JournalHash.Compute(issuer, AsOfVersion1(entries[chained.Entry.Position - 1]), head);
            Assert.Equal(head, chained.Hash);
        }

        Assert.Equal(new JournalHead(entries.Length, head), await audit.GetHeadAsync(issuer, CancellationToken.None));
    }

    private void Execute(string sql)
    {
        using SqliteDatabase database = SqliteDatabase.Open(DatabaseFile, readOnly: false);
        database.Execute(sql);
    }
}
