using OcspCluster.Authority;
using OcspCluster.Protocol;
using OcspCluster.Standalone.Audit;
using OcspCluster.Standalone.Storage;
using OcspCluster.Testing;
using static OcspCluster.Conformance.RecordedHistory;

namespace OcspCluster.Standalone.Tests.Audit;

/// <summary>A data directory with two issuers' journals, and a signed checkpoint of each.</summary>
internal sealed class AuditedStore : IDisposable
{
    public static readonly IssuerId Other = new("other");

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("ocsp-audit-");

    public string Path => _directory.FullName;

    public string DatabaseFile => System.IO.Path.Combine(Path, SqliteRevocationStore.FileName);

    public TestClock Clock { get; } = new();

    /// <summary>Issued, held, released and revoked, by several submitters; more than one full subtree.</summary>
    public static JournalEntry[] History(int certificates)
    {
        IEnumerable<RevocationEvent> events =
        [
            .. Enumerable.Range(1, certificates).Select(i => Issued($"issued-{i}", Serial(1000 + i))),
            .. Enumerable.Range(1, certificates / 4).Select(i => Held($"held-{i}", Serial(1000 + i))),
            .. Enumerable.Range(1, certificates / 8).Select(i => Released($"released-{i}", Serial(1000 + i))),
            .. Enumerable.Range(1, certificates / 3).Select(i => Revoked($"revoked-{i}", Serial(1000 + (2 * i)), (RevocationReason)(i % 6))),
        ];
        return [.. Entries(0, events).Select(entry => entry with { Submitter = entry.Position % 3 == 0 ? Submitter.Local : new Submitter($"ca-{entry.Position % 3}", "192.0.2.7") })];
    }

    public async Task<JournalEntry[]> FillAsync(int certificates = 200, bool sign = true)
    {
        JournalEntry[] entries = History(certificates);
        await AppendAsync(Ca, 0, entries);
        await AppendAsync(Other, 0, Issuances(0, 1, 3));
        if (sign)
        {
            await StoreAudit.SignAsync(Path, Ca, Clock, CancellationToken.None);
            await StoreAudit.SignAsync(Path, Other, Clock, CancellationToken.None);
        }

        return entries;
    }

    public async Task AppendAsync(IssuerId issuer, long position, JournalEntry[] entries)
    {
        await using SqliteRevocationStore store = SqliteRevocationStore.Open(Path);
        Assert.True((await store.AppendAsync(issuer, position, entries)).Appended);
    }

    public Task<StoreAuditReport> VerifyAsync() => StoreAudit.VerifyAsync(Path, publicKeyFile: null, progress: null, CancellationToken.None);

    /// <summary>The first finding of the main issuer.</summary>
    public async Task<AuditFinding?> FindAsync() => (await VerifyAsync()).Issuers.Single(report => report.Issuer == Ca).FirstFinding;

    public void Execute(string sql)
    {
        using SqliteDatabase database = SqliteDatabase.Open(DatabaseFile, readOnly: false);
        database.Execute(sql);
    }

    /// <summary>Puts another entry and digest into a row with a checksum that matches, as one who has the source can.</summary>
    public void Forge(JournalEntry entry, Digest hash)
    {
        using SqliteDatabase database = SqliteDatabase.Open(DatabaseFile, readOnly: false);
        SqliteStatement replace = database.Prepare($"REPLACE INTO journal (issuer, {StoreRows.EntryColumns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
        StoreRows.BindEntry(replace, 1, entry, hash);
        replace.Run();
    }

    /// <summary>The same for a status.</summary>
    public void Forge(SerialNumber serial, CertificateStatus status)
    {
        using SqliteDatabase database = SqliteDatabase.Open(DatabaseFile, readOnly: false);
        SqliteStatement replace = database.Prepare($"REPLACE INTO status (issuer, serial, {StoreRows.StatusColumns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
        StoreRows.BindStatus(replace, 1, serial, status);
        replace.Run();
    }

    public void Dispose() => _directory.Delete(recursive: true);
}
