using System.Security.Cryptography;
using OcspCluster.Authority;
using OcspCluster.Hosting.Audit;
using OcspCluster.Standalone.Audit;
using OcspCluster.Standalone.Storage;
using static OcspCluster.Conformance.RecordedHistory;

namespace OcspCluster.Standalone.Tests.Audit;

public sealed class StoreImportTests : IDisposable
{
    private readonly AuditedStore _source = new();
    private readonly AuditedStore _target = new();

    public void Dispose()
    {
        _source.Dispose();
        _target.Dispose();
    }

    [Fact]
    public async Task Import_IntoAnEmptyDirectory_IsEqualAndSoundAndFindsNothingToDoAgain()
    {
        JournalEntry[] entries = await _source.FillAsync(1500); // more than one append
        using MemoryStream export = await ExportAsync();

        (JournalImportReport import, AuditReport audit) = await ImportAsync(export);

        Assert.Equal((Ca, entries.Length, entries.Length), (import.Issuer, (int)import.Entries, (int)import.Appended));
        Assert.True(audit.IsAccepted);
        Assert.Equal(audit.Root, audit.Checkpoint!.Root);
        await using (SqliteAuditStore first = SqliteAuditStore.Open(_source.Path))
        await using (SqliteAuditStore second = SqliteAuditStore.Open(_target.Path))
        {
            StoreEqualityReport report = await new StoreEquality(first, second).ProveAsync(Ca, CancellationToken.None);
            Assert.Equal((null, entries.Length, 1500), (report.FirstDifference, (int)report.Entries, (int)report.Certificates));
        }

        (import, audit) = await ImportAsync(export);
        Assert.Equal((entries.Length, 0, true), ((int)import.Entries, (int)import.Appended, audit.IsAccepted));
    }

    [Fact]
    public async Task Import_IntoTheBeginningOfTheJournal_AppendsTheRest()
    {
        JournalEntry[] entries = await _source.FillAsync(40);
        await _target.AppendAsync(Ca, 0, entries[..7]);

        (JournalImportReport import, AuditReport audit) = await ImportAsync(await ExportAsync());

        Assert.Equal((entries.Length - 7, true), ((int)import.Appended, audit.IsAccepted));
    }

    [Fact]
    public async Task Import_IntoAnotherJournal_NamesTheEntryAndWritesNothing()
    {
        JournalEntry[] entries = await _source.FillAsync(40);
        await _target.AppendAsync(Ca, 0, [.. entries[..6], .. entries[6..7].Select(entry => entry with { Submitter = Submitter.Unknown })]);

        RevocationStoreException refusal = await Assert.ThrowsAsync<RevocationStoreException>(async () => await ImportAsync(await ExportAsync()));

        Assert.Equal(7, refusal.Position);
        await using SqliteAuditStore store = SqliteAuditStore.Open(_target.Path);
        Assert.Equal(7, (await store.GetHeadAsync(Ca, CancellationToken.None)).Position);
    }

    [Fact]
    public async Task Import_WithAnotherKey_WritesNothing()
    {
        await _source.FillAsync(40);
        using MemoryStream export = await ExportAsync();
        using ECDsa other = ECDsa.Create(ECCurve.NamedCurves.nistP256);

        RevocationStoreException refusal = await Assert.ThrowsAsync<RevocationStoreException>(() =>
            StoreImport.RunAsync(_target.Path, export, other, progress: null, CancellationToken.None));

        Assert.Contains("nothing was written", refusal.Message);
        await using SqliteAuditStore store = SqliteAuditStore.Open(_target.Path);
        Assert.Empty(await store.ListIssuersAsync(CancellationToken.None));
    }

    [Fact]
    public async Task Equality_OfJournalsThatPart_NamesTheEntry()
    {
        JournalEntry[] entries = await _source.FillAsync(40);
        await _target.AppendAsync(Ca, 0, [.. entries[..6], .. entries[6..7].Select(entry => entry with { Submitter = Submitter.Unknown })]);
        await using SqliteAuditStore first = SqliteAuditStore.Open(_source.Path);
        await using SqliteAuditStore second = SqliteAuditStore.Open(_target.Path);

        StoreEqualityReport report = await new StoreEquality(first, second).ProveAsync(Ca, CancellationToken.None);

        Assert.Equal(6, report.Entries);
        Assert.Contains("entry 7", report.FirstDifference);
    }

    private async Task<MemoryStream> ExportAsync()
    {
        MemoryStream export = new();
        await StoreAudit.ExportAsync(_source.Path, Ca, export, _source.Clock, CancellationToken.None);
        export.Position = 0;
        return export;
    }

    private async Task<(JournalImportReport Import, AuditReport Audit)> ImportAsync(MemoryStream export)
    {
        export.Position = 0;
        using ECDsa key = JournalKeyFile.LoadPublic(Path.Combine(_source.Path, JournalKeyFile.PublicFileName));
        return await StoreImport.RunAsync(_target.Path, export, key, progress: null, CancellationToken.None);
    }
}
