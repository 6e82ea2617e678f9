using OcspCluster.Authority;
using OcspCluster.Hosting.Crls;
using OcspCluster.Protocol;
using OcspCluster.Standalone.Storage;
using OcspCluster.Testing;

namespace OcspCluster.Standalone.Tests.Import;

public sealed class CrlImportTests : IAsyncDisposable
{
    private static readonly IssuerId s_issuer = new("ca");
    private static readonly TestPki s_pki = TestPki.CreateRoot("crl import", TestKey.P256());
    private static readonly DateTimeOffset s_day = new(2026, 6, 14, 8, 0, 0, TimeSpan.Zero);

    private readonly ScratchDirectory _directory = new();
    private readonly TestClock _clock = new();
    private readonly SqliteRevocationStore _store;
    private readonly LocalRevocationAuthority _authority;
    private readonly CrlRecordDirectory _records;

    public CrlImportTests()
    {
        _store = SqliteRevocationStore.Open(_directory.Path);
        _authority = new LocalRevocationAuthority([new IssuerSequencer(s_issuer, _store, new NoGateway(), _clock)]);
        _records = new CrlRecordDirectory(_directory.Path);
    }

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        _directory.Dispose();
    }

    [Fact]
    public async Task Import_OfACompleteCrl_RevokesAndHolds()
    {
        await FeedAsync(1, EventKind.Issued);
        CrlImportResult result = await ImportAsync(Crl(1, Entry(1, 1, RawCrl.InvalidityDate(s_day.AddDays(-2))), Entry(2, 6), Entry(3)));

        Assert.Equal(new ImportProgress(Lines: 3, Applied: 3, Duplicates: 0, Unchanged: 0, Problems: 0, Settled: 3), result.Progress);
        Assert.Equal("Revoked KeyCompromise since 2026-06-12", await StatusAsync(1));
        Assert.Equal("Held CertificateHold", await StatusAsync(2));
        Assert.Equal("Revoked", await StatusAsync(3)); // known by the CRL alone
    }

    [Fact]
    public async Task Import_OfTheSameFileAgain_FindsNothingToDo()
    {
        RawCrl crl = Crl(1, Entry(1, 1));
        byte[] octets = crl.Encode();
        await ImportAsync(octets);
        long position = await _store.GetPositionAsync(s_issuer, CancellationToken.None);

        CrlImportResult again = await ImportAsync(octets);

        Assert.Equal((null, false), (again.Refusal, again.IsNews));
        Assert.Equal(position, await _store.GetPositionAsync(s_issuer, CancellationToken.None));
        Assert.Equal(CrlRefusal.NumberReused, (await ImportAsync(Crl(1, Entry(2)))).Refusal);
        Assert.Null(await StatusAsync(2));
    }

    [Fact]
    public async Task Import_WhoseRecordWasLost_IsMadeOfDuplicatesOnly()
    {
        byte[] octets = Crl(1, Entry(1, 1), Entry(2, 6)).Encode();
        await ImportAsync(octets);
        await FeedAsync(2, EventKind.Released);
        Directory.Delete(_directory.File(CrlRecordDirectory.Name), recursive: true);

        CrlImportResult again = await ImportAsync(octets);

        Assert.Equal(new ImportProgress(Lines: 2, Applied: 0, Duplicates: 1, Unchanged: 1, Problems: 0, Settled: 2), again.Progress);
        Assert.Equal("Good", await StatusAsync(2));
    }

    [Fact]
    public async Task Import_OfALaterCompleteCrl_ReleasesWhatACrlHeldAndNothingElse()
    {
        await FeedAsync(9, EventKind.Held);
        await ImportAsync(Crl(1, Entry(1, 1), Entry(2, 6), Entry(3, 6)));

        CrlImportResult result = await ImportAsync(Crl(2, Entry(3, 6)));

        Assert.Equal((1, 0), (result.Progress.Applied, result.Progress.Problems));
        Assert.Equal("Revoked KeyCompromise", await StatusAsync(1)); // for good, in a CRL or not
        Assert.Equal("Good", await StatusAsync(2));
        Assert.Equal("Held CertificateHold", await StatusAsync(3));
        Assert.Equal("Held CertificateHold", await StatusAsync(9)); // another source's hold
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Import_OfAPartitionedOrExpiredCrl_ReleasesNothingBySilence(bool isPartitioned)
    {
        await ImportAsync(Crl(1, Entry(2, 6)));

        CrlImportResult result = await ImportAsync(isPartitioned
            ? Crl(2, Entry(3)) with { Scope = Der.Implicit(1, 0xFF) }
            : Crl(2, Entry(3)) with { NextUpdate = _clock.GetUtcNow().AddSeconds(-1) });

        Assert.Equal((null, 1), (result.Refusal, result.Progress.Applied));
        Assert.Equal(isPartitioned, result.Warning is null);
        Assert.Equal("Held CertificateHold", await StatusAsync(2));
    }

    [Fact]
    public async Task Import_OfPartitions_CountsTheNumbersOfEachByItself()
    {
        byte[] user = Der.Implicit(1, 0xFF);
        byte[] ca = Der.Implicit(2, 0xFF);

        Assert.Null((await ImportAsync(Crl(7, Entry(1)) with { Scope = user })).Refusal);
        Assert.Null((await ImportAsync(Crl(3, Entry(2)) with { Scope = ca })).Refusal);
        Assert.Equal(CrlRefusal.Older, (await ImportAsync(Crl(6, Entry(3)) with { Scope = user })).Refusal);
        Assert.Equal(CrlRefusal.BaseMissing, (await ImportAsync(Crl(8, Entry(4)) with { BaseNumber = 7 })).Refusal); // the base of another scope is none
    }

    [Fact]
    public async Task Import_OfADelta_NeedsItsBaseAndReleasesByName()
    {
        RawCrl delta = Crl(3, Entry(2, 8), Entry(4, 4), Entry(1, 8), Entry(7, 8)) with { BaseNumber = 1 };
        Assert.Equal(CrlRefusal.BaseMissing, (await ImportAsync(delta)).Refusal);
        await ImportAsync(Crl(1, Entry(1, 1), Entry(2, 6), Entry(3, 6)));

        CrlImportResult result = await ImportAsync(delta);

        Assert.Equal((null, 2, 2, 0), (result.Refusal, result.Progress.Applied, result.Progress.Unchanged, result.Progress.Problems));
        Assert.Equal("Revoked KeyCompromise", await StatusAsync(1)); // taken off as it expired
        Assert.Equal("Good", await StatusAsync(2));
        Assert.Equal("Held CertificateHold", await StatusAsync(3));
        Assert.Equal("Revoked Superseded", await StatusAsync(4));
        Assert.Null(await StatusAsync(7)); // on hold and released between two CRLs
    }

    [Fact]
    public async Task Import_ByAnotherKey_RecordsNothing()
    {
        Assert.Equal(CrlRefusal.SignatureWrong, (await ImportAsync(Crl(1, Entry(1)) with { Signer = TestKey.P256() })).Refusal);
        Assert.Equal(CrlRefusal.OtherIssuer, (await ImportAsync(Crl(1, Entry(1)) with { Issuer = TestPki.CreateRoot("other", TestKey.P256()).Certificate.SubjectName })).Refusal);
        Assert.Equal(0, await _store.GetPositionAsync(s_issuer, CancellationToken.None));
    }

    [Fact]
    public async Task Import_OfOneSerialTwice_TakesTheStricterEntry()
    {
        CrlImportResult result = await ImportAsync(Crl(1, Entry(1, 6), Entry(1, 1)));

        Assert.Equal((1, 1), (result.Progress.Applied, result.Progress.Problems));
        Assert.Equal("Revoked KeyCompromise", await StatusAsync(1));
    }

    [Fact]
    public async Task Import_OfAnUnknownReason_Revokes() // D17
    {
        await ImportAsync(Crl(1, Entry(1, 11)));

        Assert.Equal("Revoked", await StatusAsync(1));
    }

    [Fact]
    public async Task Import_DryRun_TellsTheSameAndRecordsNothing()
    {
        await ImportAsync(Crl(1, Entry(2, 6)));
        long position = await _store.GetPositionAsync(s_issuer, CancellationToken.None);
        await using DryRunStore dryRun = new(_store, ownsStore: false);
        CrlImport import = new(DryRunStore.CreateAuthority(s_issuer, dryRun, _clock), s_issuer, [s_pki.Certificate], dryRun, _records, _clock) { IsDryRun = true };

        CrlImportResult tried = await import.RunAsync(CrlImport.Decode(Crl(2, Entry(1)).Encode()), CancellationToken.None);

        Assert.Equal(2, tried.Progress.Applied);
        Assert.Equal(position, await _store.GetPositionAsync(s_issuer, CancellationToken.None));
        Assert.Equal(1, (int)(await _records.FindAsync(s_issuer, "", CancellationToken.None))!.Number!);
    }

    private static RawCrl Crl(int number, params RawCrlEntry[] entries) =>
        new(s_pki) { Number = number, ThisUpdate = new DateTimeOffset(2026, 6, 15, 9, 0, 0, TimeSpan.Zero).AddMinutes(number), Entries = entries };

    private static RawCrlEntry Entry(byte serial, byte? reason = null, params RawExtension[] more) =>
        new([serial], s_day, reason is byte stated ? [RawCrl.Reason(stated), .. more] : more);

    private Task<CrlImportResult> ImportAsync(RawCrl crl) => ImportAsync(crl.Encode());

    private Task<CrlImportResult> ImportAsync(byte[] crl) =>
        new CrlImport(_authority, s_issuer, [s_pki.Certificate], _store, _records, _clock).RunAsync(CrlImport.Decode(crl), CancellationToken.None);

    private async Task FeedAsync(byte serial, EventKind kind)
    {
        EventOutcome outcome = (await _authority.SubmitAsync(
            s_issuer, [new RevocationEvent { Id = $"feed-{serial}-{kind}", Serial = SerialNumber.FromContent([serial]), Kind = kind, At = s_day }], Submitter.Local, CancellationToken.None))[0];
        Assert.Equal(EventOutcomeKind.Applied, outcome.Kind);
    }

    private async Task<string?> StatusAsync(byte serial)
    {
        CertificateStatus? status = await _store.FindStatusAsync(s_issuer, SerialNumber.FromContent([serial]), CancellationToken.None);
        return status is null ? null : $"{status.State}{(status.Reason is { } reason ? " " + reason : "")}{(status.InvalidityDate is { } date ? $" since {date:yyyy-MM-dd}" : "")}";
    }

    private sealed class NoGateway : IResponsePublisher
    {
        public ValueTask PublishAsync(IssuerId issuer, IReadOnlyList<JournalEntry> entries) => ValueTask.CompletedTask;
    }
}
