using System.IO.Compression;
using OcspCluster.Authority;
using OcspCluster.Conformance;
using OcspCluster.Standalone.Audit;
using OcspCluster.Standalone.Storage;
using OcspCluster.Standalone.Tests.Audit;
using OcspCluster.Standalone.Tests.Host;
using static OcspCluster.Conformance.RecordedHistory;

namespace OcspCluster.Standalone.Tests.Crash;

/// <summary>The process killed while it brings an old store up to date, and while it rebuilds one: the store is the old one or the new one, whole.</summary>
[Collection(LoadTests.Name)]
public sealed class MaintenanceCrashTests(ITestOutputHelper output) : IDisposable
{
    private const int Killed = 137; // 128 + SIGKILL

    // A migration of the fixture is some forty writes to the log and a flush; the database itself is written when the log is folded in.
    private static readonly Step[] s_migration =
    [
        new("pwrite64", 1, Step.Log), new("pwrite64", 2, Step.Log), new("pwrite64", 3, Step.Log), new("pwrite64", 9, Step.Log), new("pwrite64", 20, Step.Log), new("pwrite64", 33, Step.Log),
        new("fdatasync", 1, Step.Log), new("pwrite64", 1, Step.Database), new("pwrite64", 3, Step.Database),
    ];

    private static readonly Step[] s_rebuild =
    [
        new("pwrite64", 1), new("pwrite64", 5), new("pwrite64", 30), new("pwrite64", 60), new("fdatasync", 1), new("fdatasync", 3), new("ftruncate", 1), new("unlink", 1), new("unlink", 3), new("rename", 1), new("rmdir", 1),
    ];

    private readonly AuditedStore _store = new();

    public void Dispose() => _store.Dispose();

    [Fact]
    public async Task Kill_DuringAMigration_LeavesTheOldStoreOrTheNewOne()
    {
        await Tracer.SkipUnlessUsableAsync();
        int killed = 0, old = 0;
        foreach (Step step in s_migration)
        {
            WriteVersion1();
            (int exitCode, _, _) = await HostProcess.RunAsync(_store.Path, ["audit", "rebuild", "--data", _store.Path], wrapper: Tracer.KillAt(step, _store.Path));
            killed += exitCode == Killed ? 1 : 0;
            using (SqliteDatabase database = SqliteDatabase.Open(_store.DatabaseFile, readOnly: false))
            {
                old += database.QueryInt64("PRAGMA user_version") == 1 ? 1 : 0;
            }

            await using (SqliteRevocationStore store = SqliteRevocationStore.Open(_store.Path))
            {
                Assert.Equal(300, (await store.ReadAllAsync(Ca)).Count);
                await store.AssertAgreesWithJournalAsync(Ca);
            }

            StoreAuditReport report = await _store.VerifyAsync();
            Assert.True(report.IsAccepted, $"{step}: {string.Join('\n', report.Issuers)}");
        }

        output.WriteLine($"{s_migration.Length} rounds, {killed} killed at their step, {old} of them left version 1");
        Assert.True(killed > s_migration.Length / 2 && old > 0, $"{killed} of {s_migration.Length} came to their step, and {old} left the old version.");
    }

    [Fact]
    public async Task Kill_DuringARebuild_LeavesAStoreThatTheAuditAccepts()
    {
        await Tracer.SkipUnlessUsableAsync();
        JournalEntry[] entries = await _store.FillAsync();
        int killed = 0;
        foreach (Step step in s_rebuild)
        {
            (int exitCode, _, _) = await HostProcess.RunAsync(_store.Path, ["audit", "rebuild", "--data", _store.Path], wrapper: Tracer.KillAt(step, _store.Path));
            killed += exitCode == Killed ? 1 : 0;
            StoreAuditReport report = await _store.VerifyAsync();
            Assert.True(report.IsAccepted, $"{step}: {string.Join('\n', report.Issuers)}");
            await using SqliteRevocationStore store = SqliteRevocationStore.Open(_store.Path);
            Assert.Equal(entries, await store.ReadAllAsync(Ca));
            await store.AssertAgreesWithJournalAsync(Ca);
        }

        output.WriteLine($"{s_rebuild.Length} rounds, {killed} killed at their step");
        Assert.True(killed > s_rebuild.Length / 2, $"Only {killed} of {s_rebuild.Length} rounds came to their step.");
        await new StoreRebuild(_store.Path, TimeProvider.System).RunAsync(CancellationToken.None); // whatever the last one left
        Assert.True((await _store.VerifyAsync()).IsAccepted);
    }

    private void WriteVersion1()
    {
        foreach (string file in Directory.GetFiles(_store.Path))
        {
            File.Delete(file);
        }

        using Stream resource = typeof(MaintenanceCrashTests).Assembly.GetManifestResourceStream("version-1.db.gz")!;
        using GZipStream unzipped = new(resource, CompressionMode.Decompress);
        using FileStream written = File.Create(_store.DatabaseFile);
        unzipped.CopyTo(written);
    }
}
