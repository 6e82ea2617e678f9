using System.Security.Cryptography;
using OcspCluster.Authority;
using OcspCluster.Hosting.Audit;
using OcspCluster.Protocol;
using OcspCluster.Silo.Storage;
using OcspCluster.Standalone.Audit;
using OcspCluster.Standalone.Storage;
using StackExchange.Redis;
using static OcspCluster.Conformance.RecordedHistory;

namespace OcspCluster.Silo.Tests.Storage;

/// <summary>A journal's way from SQLite to Redis and back, and from Redis to Redis.</summary>
public sealed class StoreTransferTests(SharedRedis redis) : IClassFixture<SharedRedis>, IAsyncLifetime
{
    private const int Events = 3000;

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("ocsp-transfer-");
    private readonly RedisOptions _options = redis.NewStore();
    private RedisConnection _connection = null!;

    public async ValueTask InitializeAsync() => _connection = await RedisConnection.OpenAsync(_options.Configuration, new RedisKeys(_options.KeyPrefix));

    public async ValueTask DisposeAsync()
    {
        await _connection.DisposeAsync();
        _directory.Delete(recursive: true);
    }

    [Fact]
    public async Task Journal_FromSqliteToRedisAndBack_IsTheSameInAllThree()
    {
        string first = await FillSqliteAsync("first");
        string second = Path.Combine(_directory.FullName, "second");

        using MemoryStream toRedis = new();
        await StoreAudit.ExportAsync(first, Ca, toRedis, TimeProvider.System, CancellationToken.None);
        (JournalImportReport import, AuditReport audit) = await ImportAsync(toRedis, first);
        Assert.Equal((Events, Events, true), ((int)import.Entries, (int)import.Appended, audit.IsAccepted));
        Assert.Equal(audit.Root, audit.Checkpoint!.Root);

        using ECDsa key = JournalKeyFile.LoadOrCreate(first);
        using MemoryStream toSqlite = new();
        await RedisAudit.ExportAsync(_connection, key, Ca, toSqlite, TimeProvider.System, CancellationToken.None);
        toSqlite.Position = 0;
        (_, AuditReport again) = await StoreImport.RunAsync(second, toSqlite, key, progress: null, CancellationToken.None);
        Assert.True(again.IsAccepted);

        await AssertEqualAsync(SqliteAuditStore.Open(first), await RedisAuditStore.OpenAsync(_connection, CancellationToken.None));
        await AssertEqualAsync(await RedisAuditStore.OpenAsync(_connection, CancellationToken.None), SqliteAuditStore.Open(second));
        Assert.True((await RedisAudit.VerifyAsync(_connection, new CheckpointVerifier(key), progress: null, CancellationToken.None)).IsAccepted);
    }

    [Fact]
    public async Task Import_CutOff_GoesOnWhereItWas()
    {
        string directory = await FillSqliteAsync("source");
        using MemoryStream export = new();
        await StoreAudit.ExportAsync(directory, Ca, export, TimeProvider.System, CancellationToken.None);
        using CancellationTokenSource cutOff = new();
        using ECDsa key = JournalKeyFile.LoadPublic(Path.Combine(directory, JournalKeyFile.PublicFileName));
        await using RedisRevocationStore store = await RedisRevocationStore.OpenAsync(_connection, _options, TimeProvider.System, CancellationToken.None);
        export.Position = 0;

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            new JournalImport(store, new CheckpointVerifier(key), new Progress(cutOff.Cancel)).RunAsync(export, cutOff.Token));
        Assert.Equal(JournalImport.EntriesPerAppend, await store.GetPositionAsync(Ca, CancellationToken.None));

        (JournalImportReport import, AuditReport audit) = await ImportAsync(export, directory);
        Assert.Equal((Events - JournalImport.EntriesPerAppend, true), ((int)import.Appended, audit.IsAccepted));
        (import, _) = await ImportAsync(export, directory);
        Assert.Equal((Events, 0), ((int)import.Entries, (int)import.Appended));
    }

    [Fact]
    public async Task Import_OfAnExportThatDoesNotVerify_WritesNothing()
    {
        string directory = await FillSqliteAsync("source");
        using MemoryStream export = new();
        await StoreAudit.ExportAsync(directory, Ca, export, TimeProvider.System, CancellationToken.None);
        byte[] changed = export.ToArray();
        changed[changed.Length / 2] ^= 1;

        await Assert.ThrowsAsync<RevocationStoreException>(() => ImportAsync(new MemoryStream(changed), directory));

        Assert.Empty(await (await RedisAuditStore.OpenAsync(_connection, CancellationToken.None)).ListIssuersAsync(CancellationToken.None));
    }

    [Fact]
    public async Task Import_IntoAnotherOrALongerJournal_WritesNothing()
    {
        string directory = await FillSqliteAsync("source");
        using MemoryStream export = new();
        await StoreAudit.ExportAsync(directory, Ca, export, TimeProvider.System, CancellationToken.None);
        await using RedisRevocationStore store = await RedisRevocationStore.OpenAsync(_connection, _options, TimeProvider.System, CancellationToken.None);
        await store.AppendAsync(Ca, 0, Issuances(0, 900_000, 3));

        RevocationStoreException another = await Assert.ThrowsAsync<RevocationStoreException>(() => ImportAsync(export, directory));
        Assert.Equal(1, another.Position);
        Assert.Equal(3, await store.GetPositionAsync(Ca, CancellationToken.None));

        await store.AppendAsync(Ca, 3, Issuances(3, 910_000, 4000));
        RevocationStoreException longer = await Assert.ThrowsAsync<RevocationStoreException>(() => ImportAsync(export, directory));
        Assert.Contains("has 4003 entries, and the export has 3000", longer.Message);
    }

    [Fact]
    public async Task Equality_OfStoresThatDifferInAStatus_NamesTheCertificate()
    {
        string directory = await FillSqliteAsync("source");
        using MemoryStream export = new();
        await StoreAudit.ExportAsync(directory, Ca, export, TimeProvider.System, CancellationToken.None);
        await ImportAsync(export, directory);
        RedisKey leaf = $"{_connection.Keys.Tag(Ca)}:s:";
        HashEntry entry = (await _connection.Database.HashGetAllAsync(leaf))[0];
        byte[] damaged = (byte[])entry.Value!;
        damaged[0] ^= 1;
        await _connection.Database.HashSetAsync(leaf, entry.Name, damaged);

        await using SqliteAuditStore left = SqliteAuditStore.Open(directory);
        await using RedisAuditStore right = await RedisAuditStore.OpenAsync(_connection, CancellationToken.None);
        StoreEqualityReport report = await new StoreEquality(left, right).ProveAsync(Ca, CancellationToken.None);

        Assert.Contains("in the order of the serials", report.FirstDifference);
        Assert.False((await RedisAudit.VerifyAsync(_connection, verifier: null, progress: null, CancellationToken.None)).IsAccepted);
    }

    [Fact]
    public async Task Rebuild_OfAStoreWithADamagedStatus_IsSoundUnderTheOtherPrefix()
    {
        string directory = await FillSqliteAsync("source");
        using MemoryStream export = new();
        await StoreAudit.ExportAsync(directory, Ca, export, TimeProvider.System, CancellationToken.None);
        await ImportAsync(export, directory);
        await _connection.Database.KeyDeleteAsync($"{_connection.Keys.Tag(Ca)}:s:");
        Assert.False((await RedisAudit.VerifyAsync(_connection, verifier: null, progress: null, CancellationToken.None)).IsAccepted);

        RedisOptions other = redis.NewStore();
        await using RedisConnection rebuilt = await RedisConnection.OpenAsync(other.Configuration, new RedisKeys(other.KeyPrefix));
        IReadOnlyList<AuditReport> reports = await RedisAudit.RebuildAsync(_connection, rebuilt, other, TimeProvider.System, progress: null, CancellationToken.None);

        Assert.Equal(Events, Assert.Single(reports).Entries);
        await AssertEqualAsync(SqliteAuditStore.Open(directory), await RedisAuditStore.OpenAsync(rebuilt, CancellationToken.None));
        Assert.True((await RedisAudit.VerifyAsync(rebuilt, verifier: null, progress: null, CancellationToken.None)).IsAccepted);
    }

    private async Task<(JournalImportReport Import, AuditReport Audit)> ImportAsync(Stream export, string keyDirectory)
    {
        export.Position = 0;
        using ECDsa key = JournalKeyFile.LoadPublic(Path.Combine(keyDirectory, JournalKeyFile.PublicFileName));
        return await RedisAudit.ImportAsync(_connection, _options, export, new CheckpointVerifier(key), TimeProvider.System, progress: null, CancellationToken.None);
    }

    // Every kind of event, several of one certificate, submitters and odd serials.
    private async Task<string> FillSqliteAsync(string name)
    {
        string directory = Path.Combine(_directory.FullName, name);
        Random random = new(4711);
        byte[] serial = new byte[12];
        List<RevocationEvent> events = [];
        while (events.Count < Events)
        {
            random.NextBytes(serial);
            SerialNumber number = SerialNumber.FromContent([0x10, .. serial]);
            events.Add(Issued($"i-{events.Count}", number));
            switch (random.Next(4))
            {
                case 0:
                    events.Add(Revoked($"r-{events.Count}", number));
                    break;
                case 1:
                    events.Add(Held($"h-{events.Count}", number));
                    events.Add(Released($"l-{events.Count}", number));
                    break;
                case 2:
                    events.Add(Held($"h-{events.Count}", number));
                    break;
            }
        }

        JournalEntry[] entries = [.. Entries(0, events.Take(Events)).Select(entry => entry.Position % 7 == 0 ? entry with { Submitter = new Submitter("ca-one", "192.0.2.7") } : entry)];
        await using SqliteRevocationStore store = SqliteRevocationStore.Open(directory);
        Assert.True((await store.AppendAsync(Ca, 0, entries)).Appended);
        return directory;
    }

    private static async Task AssertEqualAsync(IAuditStore first, IAuditStore second)
    {
        await using (first)
        await using (second)
        {
            StoreEqualityReport report = await new StoreEquality(first, second).ProveAsync(Ca, CancellationToken.None);
            Assert.Null(report.FirstDifference);
            Assert.Equal(Events, report.Entries);
            Assert.InRange(report.Certificates, 1000, Events);
        }
    }

    private sealed class Progress(Action onReport) : IProgress<AuditProgress>
    {
        public void Report(AuditProgress value) => onReport();
    }
}
