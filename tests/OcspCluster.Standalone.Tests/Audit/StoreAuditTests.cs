using System.Security.Cryptography;
using OcspCluster.Authority;
using OcspCluster.Hosting.Audit;
using OcspCluster.Standalone.Audit;
using OcspCluster.Standalone.Storage;
using static OcspCluster.Conformance.RecordedHistory;

namespace OcspCluster.Standalone.Tests.Audit;

public sealed class StoreAuditTests : IDisposable
{
    private readonly AuditedStore _store = new();

    public void Dispose() => _store.Dispose();

    [Fact]
    public async Task Verify_OfASoundStore_AcceptsItAndSaysHowMuch()
    {
        JournalEntry[] entries = await _store.FillAsync();

        StoreAuditReport report = await _store.VerifyAsync();

        Assert.True(report.IsAccepted);
        Assert.Equal([entries.Length, 3L], report.Issuers.Select(issuer => issuer.Entries));
        Assert.Equal([200, 3L], report.Issuers.Select(issuer => issuer.Certificates));
        Assert.Equal(report.Issuers.Select(issuer => issuer.Root), report.Issuers.Select(issuer => issuer.Checkpoint!.Root));
    }

    [Theory]
    [InlineData("DELETE FROM earlier WHERE key IN (SELECT key FROM earlier ORDER BY key LIMIT 1 OFFSET 3)", "leads to none")]
    [InlineData("UPDATE earlier SET previous = previous + 1 WHERE key IN (SELECT key FROM earlier ORDER BY key LIMIT 1)", "leads to entry")]
    [InlineData("INSERT INTO earlier SELECT min(key), max(key) FROM journal", "which is none")]
    [InlineData("INSERT INTO earlier VALUES (17, 16)", "which is none")]
    public async Task Verify_OfAWrongLinkBetweenEntries_NamesIt_AndARebuildMendsIt(string damage, string problem)
    {
        await _store.FillAsync();
        using (SqliteDatabase database = SqliteDatabase.Open(_store.DatabaseFile, readOnly: false))
        {
            database.Execute(damage);
        }

        StoreAuditReport report = await _store.VerifyAsync();
        Assert.False(report.IsAccepted);
        Assert.Contains(report.Structure, one => one.Contains(problem, StringComparison.Ordinal));
        await new StoreRebuild(_store.Path, TimeProvider.System).RunAsync(CancellationToken.None);
        Assert.True((await _store.VerifyAsync()).IsAccepted);
    }

    [Fact]
    public async Task Verify_BesideARunningStore_LooksAtOneMoment()
    {
        await _store.FillAsync();
        await using SqliteRevocationStore running = SqliteRevocationStore.Open(_store.Path);

        Assert.True((await _store.VerifyAsync()).IsAccepted);
        Assert.True((await running.AppendAsync(AuditedStore.Other, 3, Issuances(3, 50, 400))).Appended);
        Assert.True((await _store.VerifyAsync()).IsAccepted); // the checkpoint is of before
    }

    [Fact]
    public async Task Verify_OfAMigratedOrEmptyOrUnsignedStore_Accepts()
    {
        await SqliteRevocationStore.Open(_store.Path).DisposeAsync();
        Assert.True((await _store.VerifyAsync()).IsAccepted);

        await _store.FillAsync(sign: false);
        StoreAuditReport report = await _store.VerifyAsync();
        Assert.True(report.IsAccepted);
        Assert.All(report.Issuers, issuer => Assert.Null(issuer.Checkpoint));
    }

    [Fact]
    public async Task Verify_OfAForgedEntryWithAMatchingChecksum_NamesIt()
    {
        JournalEntry[] entries = await _store.FillAsync();
        JournalEntry revocation = entries[^5];
        Digest hash = await HashOfAsync(revocation.Position);

        _store.Forge(revocation with { Submitter = new Submitter("somebody-else", null) }, hash);

        Assert.Equal((revocation.Position, AuditFault.HashMismatch), Brief(await _store.FindAsync()));
    }

    [Fact]
    public async Task Verify_OfAForgedEntryAndItsOwnDigest_NamesTheNext()
    {
        JournalEntry[] entries = await _store.FillAsync();
        JournalEntry forged = entries[9] with { ReceivedAt = entries[9].ReceivedAt.AddSeconds(1) };

        _store.Forge(forged, JournalHash.Compute(Ca, forged, await HashOfAsync(9)));

        Assert.Equal((11, AuditFault.HashMismatch), Brief(await _store.FindAsync())); // entry 10 and its digest belong together, 11 does not follow
    }

    [Fact]
    public async Task Verify_OfAWhollyRewrittenJournal_IsACheckpointMismatch()
    {
        JournalEntry[] entries = await _store.FillAsync();
        string note = new CheckpointDirectory(_store.Path).Read(Ca)!;

        // A store of its own accord: every checksum, digest and node is right, and one entry names nobody.
        using AuditedStore rewritten = new();
        JournalEntry[] others = [.. entries];
        others[50] = others[50] with { Submitter = Submitter.Unknown };
        await rewritten.AppendAsync(Ca, 0, others);
        Assert.Null(await rewritten.FindAsync());
        File.Copy(Path.Combine(_store.Path, JournalKeyFile.PrivateFileName), Path.Combine(rewritten.Path, JournalKeyFile.PrivateFileName)); // with its mode
        JournalKeyFile.LoadOrCreate(rewritten.Path).Dispose();
        new CheckpointDirectory(rewritten.Path).Write(Ca, note);

        Assert.Equal(AuditFault.CheckpointMismatch, (await rewritten.FindAsync())?.Fault);
        await Assert.ThrowsAsync<JournalForkException>(() => StoreAudit.SignAsync(rewritten.Path, Ca, rewritten.Clock, CancellationToken.None));
    }

    [Fact]
    public async Task Verify_OfAJournalThatLostItsEnd_NamesTheFirstLostEntry()
    {
        JournalEntry[] entries = await _store.FillAsync();
        using AuditedStore shorter = new();
        await shorter.AppendAsync(Ca, 0, entries[..100]);
        foreach (string file in new[] { JournalKeyFile.PublicFileName, Path.Combine(CheckpointDirectory.Name, $"{Ca}.txt") })
        {
            Directory.CreateDirectory(Path.Combine(shorter.Path, CheckpointDirectory.Name));
            File.Copy(Path.Combine(_store.Path, file), Path.Combine(shorter.Path, file));
        }

        Assert.Equal((101, AuditFault.CheckpointMismatch), Brief(await shorter.FindAsync()));
    }

    [Fact]
    public async Task Verify_OfAForgedStatus_NamesTheEntryThatItContradicts()
    {
        JournalEntry[] entries = await _store.FillAsync();
        JournalEntry revocation = entries[^1];

        _store.Forge(revocation.Event.Serial, CertificateStatus.Good with { Position = revocation.Position });

        Assert.Equal((revocation.Position, AuditFault.StatusMismatch), Brief(await _store.FindAsync()));
    }

    [Fact]
    public async Task Verify_OfAStatusThatNoEntryGave_FindsIt()
    {
        await _store.FillAsync();

        _store.Forge(Serial(7_000_000), CertificateStatus.Good with { Position = 3 });

        Assert.Equal((3, AuditFault.StatusUnfounded), Brief(await _store.FindAsync()));
    }

    [Fact]
    public async Task Verify_OfAnEntryWhoseStatusTheRulesDoNotGive_NamesIt()
    {
        JournalEntry[] entries = Issuances(0, 1, 5);
        entries[2] = entries[2] with { Status = CertificateStatus.RevokedAt(Noon) with { Position = 3 } };
        await _store.AppendAsync(Ca, 0, entries);

        Assert.Equal((3, AuditFault.RuleMismatch), Brief(await _store.FindAsync()));
    }

    [Fact]
    public async Task Verify_OfSeveralFaults_NamesTheFirst()
    {
        JournalEntry[] entries = await _store.FillAsync();
        for (int index = 190; index >= 150; index -= 10)
        {
            _store.Execute($"DELETE FROM status WHERE serial = x'{Convert.ToHexString(entries[index].Event.Serial.Content)}'");
        }

        AuditReport report = (await _store.VerifyAsync()).Issuers[0];

        Assert.Equal(AuditFault.StatusMissing, report.FirstFinding!.Fault);
        Assert.Equal(entries.Last(entry => entry.Event.Serial == entries[150].Event.Serial).Position, report.FirstFinding.Position);
        Assert.Equal(5, report.Findings);
    }

    [Fact]
    public async Task Verify_WithoutTheIssuersRow_SaysSo()
    {
        await _store.FillAsync();
        _store.Execute($"DELETE FROM issuer WHERE name = '{AuditedStore.Other}'");

        StoreAuditReport report = await _store.VerifyAsync();

        Assert.Contains(report.Structure, problem => problem.Contains("journal entries of an issuer number 2 that no issuer has", StringComparison.Ordinal));
        Assert.Contains(report.Structure, problem => problem.Contains($"A checkpoint was signed for issuer '{AuditedStore.Other}'", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Verify_OfAForgedCheckpoint_IsInvalid()
    {
        await _store.FillAsync();
        CheckpointDirectory checkpoints = new(_store.Path);
        checkpoints.Write(Ca, checkpoints.Read(Ca)!.Replace("time 2026", "time 2027", StringComparison.Ordinal));
        Assert.Equal(AuditFault.CheckpointInvalid, (await _store.FindAsync())?.Fault);

        checkpoints.Write(Ca, checkpoints.Read(AuditedStore.Other)!);
        Assert.Equal(AuditFault.CheckpointInvalid, (await _store.FindAsync())?.Fault);
        await Assert.ThrowsAsync<JournalForkException>(() => StoreAudit.SignAsync(_store.Path, Ca, _store.Clock, CancellationToken.None));
    }

    [Fact]
    public async Task Sign_Again_IsTheSameNoteUntilTheJournalGrows()
    {
        JournalEntry[] entries = await _store.FillAsync();
        string first = new CheckpointDirectory(_store.Path).Read(Ca)!;
        _store.Clock.Advance(TimeSpan.FromHours(1));

        Assert.Equal(first, await StoreAudit.SignAsync(_store.Path, Ca, _store.Clock, CancellationToken.None));
        await _store.AppendAsync(Ca, entries.Length, Issuances(entries.Length, 9000, 1));
        string second = await StoreAudit.SignAsync(_store.Path, Ca, _store.Clock, CancellationToken.None);

        Assert.NotEqual(first, second);
        Assert.Equal(second, new CheckpointDirectory(_store.Path).Read(Ca));
    }

    [Fact]
    public void Key_IsMadeOnceForItsOwnerOnly()
    {
        using ECDsa first = JournalKeyFile.LoadOrCreate(_store.Path);
        using ECDsa second = JournalKeyFile.LoadOrCreate(_store.Path);
        string file = Path.Combine(_store.Path, JournalKeyFile.PrivateFileName);

        Assert.Equal(first.ExportPkcs8PrivateKey(), second.ExportPkcs8PrivateKey());
        using ECDsa publicKey = JournalKeyFile.LoadPublic(Path.Combine(_store.Path, JournalKeyFile.PublicFileName));
        Assert.Equal(first.ExportSubjectPublicKeyInfo(), publicKey.ExportSubjectPublicKeyInfo());
        Assert.DoesNotContain("PRIVATE", File.ReadAllText(Path.Combine(_store.Path, JournalKeyFile.PublicFileName)), StringComparison.Ordinal);
        Assert.Equal([JournalKeyFile.PrivateFileName, JournalKeyFile.PublicFileName], Directory.EnumerateFiles(_store.Path).Select(Path.GetFileName).Order());

        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);
            Assert.Contains("chmod 600", Assert.Throws<RevocationStoreException>(() => JournalKeyFile.LoadOrCreate(_store.Path)).Message);
        }
    }

    private static (long? Position, AuditFault? Fault) Brief(AuditFinding? finding) => (finding?.Position, finding?.Fault);

    private async Task<Digest> HashOfAsync(long position)
    {
        await using SqliteAuditStore audit = SqliteAuditStore.Open(_store.Path);
        await foreach (ChainedEntry chained in audit.ReadChainAsync(Ca, position - 1, CancellationToken.None))
        {
            return chained.Hash;
        }

        throw new ArgumentOutOfRangeException(nameof(position));
    }
}
