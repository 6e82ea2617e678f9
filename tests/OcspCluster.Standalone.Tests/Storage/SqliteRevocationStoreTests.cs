using System.Diagnostics;
using OcspCluster.Authority;
using OcspCluster.Conformance;
using OcspCluster.Standalone.Storage;
using static OcspCluster.Conformance.RecordedHistory;

namespace OcspCluster.Standalone.Tests.Storage;

public sealed class SqliteRevocationStoreTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("ocsp-store-");

    private string DatabaseFile => Path.Combine(_directory.FullName, SqliteRevocationStore.FileName);

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public async Task Open_InASecondProcess_IsRefusedByNameUntilTheFirstIsGone()
    {
        using Process holder = StoreProcess.Start(bundledSqlite: false, StoreProcess.HoldVerb, _directory.FullName);
        try
        {
            Assert.Equal("open", await holder.StandardOutput.ReadLineAsync());

            RevocationStoreException e = Assert.Throws<RevocationStoreException>(() => SqliteRevocationStore.Open(_directory.FullName));

            Assert.Contains($"process {holder.Id}", e.Message);
            Assert.Contains(Path.Combine(_directory.FullName, "store.lock"), e.Message);
        }
        finally
        {
            holder.Kill();
        }

        await holder.WaitForExitAsync();
        await SqliteRevocationStore.Open(_directory.FullName).DisposeAsync(); // no stale lock
    }

    [Fact]
    public async Task Open_TwiceInOneProcess_IsRefused()
    {
        await using SqliteRevocationStore first = SqliteRevocationStore.Open(_directory.FullName);

        RevocationStoreException e = Assert.Throws<RevocationStoreException>(() => SqliteRevocationStore.Open(_directory.FullName));

        Assert.Contains($"process {Environment.ProcessId}", e.Message);
    }

    [Fact]
    public async Task Open_OfANewerSchema_IsRefused()
    {
        await FillAsync(1);
        Execute("PRAGMA user_version = 99");

        RevocationStoreException e = Assert.Throws<RevocationStoreException>(() => SqliteRevocationStore.Open(_directory.FullName));

        Assert.Contains($"schema version 99; this program knows versions up to {StoreSchema.Version}", e.Message);
        Execute($"PRAGMA user_version = {StoreSchema.Version}");
        await SqliteRevocationStore.Open(_directory.FullName).DisposeAsync(); // refused without a trace
    }

    [Theory]
    [InlineData("CREATE TABLE mine (x)")]
    [InlineData("PRAGMA application_id = 7")]
    [InlineData("PRAGMA user_version = 1")]
    public void Open_OfAnotherProgramsDatabase_IsRefused(string sql)
    {
        Execute(sql);

        RevocationStoreException e = Assert.Throws<RevocationStoreException>(() => SqliteRevocationStore.Open(_directory.FullName));

        Assert.Contains("another program's database", e.Message);
    }

    [Fact]
    public void Open_OfAFileThatIsNoDatabase_SaysDamagedAndGivesTheDirectoryFree()
    {
        File.WriteAllText(DatabaseFile, new string('x', 10_000));

        Assert.Contains("is damaged", Assert.Throws<RevocationStoreException>(() => SqliteRevocationStore.Open(_directory.FullName)).Message);
        Assert.Contains("is damaged", Assert.Throws<RevocationStoreException>(() => SqliteRevocationStore.Open(_directory.FullName)).Message);
    }

    [Fact]
    public void Open_WhereAFileOrADirectoryIsInTheWay_SaysWhatToDo()
    {
        string file = Path.Combine(_directory.FullName, "file");
        File.WriteAllText(file, "");
        Assert.Contains("cannot be created", Assert.Throws<RevocationStoreException>(() => SqliteRevocationStore.Open(file)).Message);

        Directory.CreateDirectory(DatabaseFile);
        Assert.Contains("cannot be opened", Assert.Throws<RevocationStoreException>(() => SqliteRevocationStore.Open(_directory.FullName)).Message);
    }

    [Fact]
    public void Open_WhereTheLockFileCannotBe_SaysSoAndBlamesNoProcess()
    {
        Directory.CreateDirectory(Path.Combine(_directory.FullName, "store.lock"));

        RevocationStoreException e = Assert.Throws<RevocationStoreException>(() => SqliteRevocationStore.Open(_directory.FullName));

        Assert.Contains("store.lock' cannot be", e.Message);
        Assert.DoesNotContain("in use", e.Message);
    }

    [Fact]
    public async Task Prepare_OfAReadOnlyDatabase_SaysToCheckPermissions()
    {
        await FillAsync(1);
        using SqliteDatabase database = SqliteDatabase.Open(DatabaseFile, readOnly: true);

        Assert.Contains("cannot be written. Check the owner", Assert.Throws<RevocationStoreException>(() => StoreSchema.Prepare(database)).Message);
    }

    [Fact]
    public void Write_WhenFull_SaysToFreeSpace()
    {
        using SqliteDatabase database = SqliteDatabase.Open(DatabaseFile, readOnly: false);
        StoreSchema.Prepare(database);
        database.Execute($"PRAGMA max_page_count = {database.QueryInt64("PRAGMA page_count")}");

        RevocationStoreException e = Assert.Throws<RevocationStoreException>(() => database.Execute("CREATE TABLE more (x)"));

        Assert.Contains("is full. Free some space", e.Message);
    }

    [Fact]
    public async Task Append_WhileAnotherProgramHoldsTheLock_FailsAndLaterWorks()
    {
        await using SqliteRevocationStore store = SqliteRevocationStore.Open(_directory.FullName);
        using (SqliteDatabase shell = SqliteDatabase.Open(DatabaseFile, readOnly: false))
        {
            shell.Execute("BEGIN IMMEDIATE");
            RevocationStoreException e = await Assert.ThrowsAsync<RevocationStoreException>(async () => await store.AppendAsync(Ca, 0, Issuances(0, 1, 1)));
            Assert.Contains("Another program holds a lock", e.Message);
        }

        Assert.True((await store.AppendAsync(Ca, 0, Issuances(0, 1, 1))).Appended);
    }

    [Fact]
    public async Task Read_OfAnyFlippedByte_IsAnExceptionOrTheTruth()
    {
        JournalEntry[] journal = await FillAsync(400);
        byte[] sound = File.ReadAllBytes(DatabaseFile);
        Random random = new(6960);
        int detected = 0;
        for (int i = 0; i < 300; i++)
        {
            byte[] damaged = [.. sound];
            damaged[random.Next(damaged.Length)] ^= (byte)random.Next(1, 256);
            File.WriteAllBytes(DatabaseFile, damaged);
            try
            {
                await using SqliteRevocationStore store = SqliteRevocationStore.Open(_directory.FullName);
                foreach (JournalEntry entry in journal)
                {
                    // A key that was hit is not found any more; a status that is found is the one that was written.
                    CertificateStatus? status = await store.FindStatusAsync(Ca, entry.Event.Serial, CancellationToken.None);
                    Assert.True(status is null || status == entry.Status, $"{status} instead of {entry.Status}");
                }

                List<JournalEntry> read = await store.ReadAllAsync(Ca);
                Assert.Equal(journal.Take(read.Count), read);
                if (read.Count < journal.Length)
                {
                    detected++;
                }
            }
            catch (RevocationStoreException e)
            {
                Assert.NotEmpty(e.Message);
                detected++;
            }
        }

        Assert.True(detected > 100, $"{detected} of 300 damages were found.");
    }

    [Fact]
    public async Task Read_OfAStatusChangedBehindOurBack_IsRefused()
    {
        await FillAsync(10);
        Execute("UPDATE status SET state = 0, revocation_time = NULL, reason = NULL WHERE state = 1");
        await using SqliteRevocationStore store = SqliteRevocationStore.Open(_directory.FullName);

        RevocationStoreException e = await Assert.ThrowsAsync<RevocationStoreException>(async () => await store.FindStatusAsync(Ca, Serial(1), CancellationToken.None));

        Assert.Contains("does not match its checksum", e.Message);
    }

    [Theory]
    [InlineData("UPDATE issuer SET name = 'x' || name", "an issuer's row does not match its checksum")]
    [InlineData("DELETE FROM issuer", "an issuer's row is missing, and its journal")]
    public async Task Issuer_WhoseNameIsLost_IsNotTakenForOneWithoutEvents(string damage, string message)
    {
        await FillAsync(1);
        Execute(damage);
        await using SqliteRevocationStore store = SqliteRevocationStore.Open(_directory.FullName);

        // Else each of its certificates would be one that was never issued, and a second journal would begin beside the first.
        Assert.Contains(message, (await Assert.ThrowsAsync<RevocationStoreException>(async () => await store.FindStatusAsync(Ca, Serial(1), CancellationToken.None))).Message);
        Assert.Contains(message, (await Assert.ThrowsAsync<RevocationStoreException>(async () => await store.GetPositionAsync(Ca, CancellationToken.None))).Message);
        Assert.Contains(message, (await Assert.ThrowsAsync<RevocationStoreException>(async () => await store.AppendAsync(Ca, 0, Issuances(0, 7, 1)))).Message);
    }

    [Fact]
    public async Task Dispose_WhileAppendsWait_FinishesThem()
    {
        SqliteRevocationStore store = SqliteRevocationStore.Open(_directory.FullName);
        Task<AppendResult>[] appends = [.. Enumerable.Range(0, 50).Select(i => store.AppendAsync(new IssuerId($"ca-{i}"), 0, Issuances(0, 1, 1)).AsTask())];

        await store.DisposeAsync();

        Assert.All(await Task.WhenAll(appends), result => Assert.True(result.Appended));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await store.AppendAsync(Ca, 0, Issuances(0, 1, 1)));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await store.GetPositionAsync(Ca, CancellationToken.None));
        Assert.Equal([SqliteRevocationStore.FileName, "store.lock"], _directory.EnumerateFiles().Select(file => file.Name).Order()); // the log is folded in
    }

    [Fact]
    public void SystemLibrary_ThatIsMissingOrTooOld_IsNotTaken()
    {
        Assert.Null(SqliteLibrary.FindSystemLibrary(["libno-such-sqlite.so.0"], 3_000_000));
        Assert.Null(SqliteLibrary.FindSystemLibrary(["libsqlite3.so.0", "libsqlite3.so"], 99_000_000));
        Assert.Matches(@"^SQLite 3\.\d+\.\d+ \((system library .+|bundled library)\)$", SqliteRevocationStore.LibraryDescription);
    }

    [Fact]
    public async Task Open_OfAStoreWithoutHistories_FindsThemAll()
    {
        JournalEntry[] entries = Entries(0, Issued("a", Serial(1)), Issued("b", Serial(2)), Held("c", Serial(1)), Revoked("d", Serial(1)));
        await using (SqliteRevocationStore store = SqliteRevocationStore.Open(_directory.FullName))
        {
            await store.AppendAsync(Ca, 0, entries);
            await store.AppendAsync(new IssuerId("other"), 0, entries[..2]);
        }

        Execute("DROP TABLE earlier; DROP INDEX status_not_good; DROP TABLE delivery; PRAGMA user_version = 2"); // as the version before histories left it

        await using SqliteRevocationStore again = SqliteRevocationStore.Open(_directory.FullName);
        Assert.Equal([entries[3], entries[2], entries[0]], await again.FindHistoryAsync(Ca, Serial(1), 10, CancellationToken.None));
        Assert.Equal([entries[1]], await again.FindHistoryAsync(Ca, Serial(2), 10, CancellationToken.None));
        Assert.Single(await again.ListAsync(Ca, CertificateState.Revoked, default, 10, CancellationToken.None));
    }

    private async Task<JournalEntry[]> FillAsync(int revocations)
    {
        JournalEntry[] entries = Entries(0, Enumerable.Range(1, revocations).Select(i => Revoked($"revoked-{i}", Serial(i))));
        await using SqliteRevocationStore store = SqliteRevocationStore.Open(_directory.FullName);
        await store.AppendAsync(Ca, 0, entries);
        return entries;
    }

    private void Execute(string sql)
    {
        using SqliteDatabase database = SqliteDatabase.Open(DatabaseFile, readOnly: false);
        database.Execute(sql);
    }
}
