using OcspCluster.Authority;
using OcspCluster.Conformance;
using OcspCluster.Hosting.Audit;
using OcspCluster.Standalone.Audit;
using OcspCluster.Standalone.Storage;
using static OcspCluster.Conformance.RecordedHistory;

namespace OcspCluster.Standalone.Tests.Audit;

public sealed class StoreRebuildTests : IDisposable
{
    private readonly AuditedStore _store = new();

    public void Dispose() => _store.Dispose();

    [Theory] // everything that the journal gives
    [InlineData("DELETE FROM status")]
    [InlineData("UPDATE status SET state = 0")]
    [InlineData("DELETE FROM tree")]
    [InlineData("UPDATE status SET serial = serial || x'00' WHERE serial < x'0400'")]
    public async Task Rebuild_OfADamagedStore_IsEqualToTheSoundOne(string damage)
    {
        JournalEntry[] entries = await _store.FillAsync();
        string note = new CheckpointDirectory(_store.Path).Read(Ca)!;
        _store.Execute(damage);
        Assert.False((await _store.VerifyAsync()).IsAccepted);

        (IReadOnlyList<AuditReport> reports, string backup) = await new StoreRebuild(_store.Path, _store.Clock).RunAsync(CancellationToken.None);

        Assert.All(reports, report => Assert.True(report.IsAccepted));
        StoreAuditReport after = await _store.VerifyAsync();
        Assert.True(after.IsAccepted, string.Join('\n', after.Structure));
        Assert.Equal(entries.Length, after.Issuers[0].Checkpoint!.Size); // what was signed for still stands
        Assert.Equal(note, await StoreAudit.SignAsync(_store.Path, Ca, _store.Clock, CancellationToken.None));
        Assert.True(File.Exists(backup));
        Assert.False(Directory.Exists(Path.Combine(_store.Path, "rebuild")));
        await using SqliteRevocationStore store = SqliteRevocationStore.Open(_store.Path);
        Assert.Equal(entries, await store.ReadAllAsync(Ca));
        await store.AssertAgreesWithJournalAsync(Ca);
        await store.AssertAgreesWithJournalAsync(AuditedStore.Other);
    }

    [Fact]
    public async Task Rebuild_KeepsWhatWasDelivered_AndPausesWhereThatIsLost()
    {
        await _store.FillAsync();
        DeliveryCursor cursor = new(17, 20, "standalone", _store.Clock.GetUtcNow(), null);
        await using (SqliteRevocationStore old = SqliteRevocationStore.Open(_store.Path))
        {
            Assert.True(await old.TryMoveCursorAsync("siem", Ca, null, cursor));
            Assert.True(await old.TryMoveCursorAsync("edge", Ca, null, cursor));
        }

        _store.Execute("UPDATE delivery SET position = 300 WHERE receiver = 'edge'");
        await new StoreRebuild(_store.Path, _store.Clock).RunAsync(CancellationToken.None);

        await using SqliteRevocationStore store = SqliteRevocationStore.Open(_store.Path);
        Assert.Equal(cursor, await store.FindCursorAsync("siem", Ca, CancellationToken.None));
        DeliveryCursor? lost = await store.FindCursorAsync("edge", Ca, CancellationToken.None);
        Assert.Equal(0, lost!.Position);
        Assert.NotNull(lost.PausedBecause);
    }

    [Fact]
    public async Task Cursor_WithOneDamagedField_IsAnErrorAndNoCursor()
    {
        await using SqliteRevocationStore store = SqliteRevocationStore.Open(_store.Path);
        Assert.True(await store.TryMoveCursorAsync("siem", Ca, null, DeliveryCursor.At(3)));
        _store.Execute("UPDATE delivery SET position = 4");
        await Assert.ThrowsAsync<RevocationStoreException>(async () => await store.FindCursorAsync("siem", Ca, CancellationToken.None));
        await Assert.ThrowsAsync<RevocationStoreException>(async () => await store.TryMoveCursorAsync("siem", Ca, DeliveryCursor.At(3), DeliveryCursor.At(5)));
    }

    [Theory]
    [InlineData("UPDATE journal SET at = at + 1 WHERE key & 0xFFFFFFFFFF = 17", 17)]
    [InlineData("DELETE FROM journal WHERE issuer = 1 AND key & 0xFFFFFFFFFF = 17", 17)]
    [InlineData("DELETE FROM journal WHERE issuer = 1 AND key & 0xFFFFFFFFFF > 100", 101)]
    public async Task Rebuild_FromADamagedJournal_IsRefusedByTheFirstBadEntry(string damage, long position)
    {
        await _store.FillAsync();
        _store.Execute(damage);
        byte[] before = File.ReadAllBytes(_store.DatabaseFile);

        RevocationStoreException e = await Assert.ThrowsAsync<RevocationStoreException>(() => new StoreRebuild(_store.Path, _store.Clock).RunAsync(CancellationToken.None));

        Assert.Equal(position, e.Position);
        Assert.Equal(before, File.ReadAllBytes(_store.DatabaseFile));
    }

    [Fact]
    public async Task Rebuild_OfAStoreInUse_IsRefused()
    {
        await _store.FillAsync();
        await using SqliteRevocationStore running = SqliteRevocationStore.Open(_store.Path);

        RevocationStoreException e = await Assert.ThrowsAsync<RevocationStoreException>(() => new StoreRebuild(_store.Path, _store.Clock).RunAsync(CancellationToken.None));

        Assert.Contains("is in use", e.Message);
    }

    [Fact]
    public async Task Rebuild_AfterOneThatWasInterrupted_BeginsAnew()
    {
        await _store.FillAsync();
        await using (SqliteRevocationStore leftOver = SqliteRevocationStore.Open(Path.Combine(_store.Path, "rebuild")))
        {
            await leftOver.AppendAsync(Ca, 0, Issuances(0, 1, 5));
        }

        await new StoreRebuild(_store.Path, _store.Clock).RunAsync(CancellationToken.None);

        Assert.True((await _store.VerifyAsync()).IsAccepted);
    }
}
