using OcspCluster.Authority;
using OcspCluster.Conformance;
using OcspCluster.Protocol;
using OcspCluster.Silo.Storage;
using StackExchange.Redis;
using static OcspCluster.Conformance.RecordedHistory;

namespace OcspCluster.Silo.Tests.Storage;

public sealed class RedisRevocationStoreTests(SharedRedis redis) : IClassFixture<SharedRedis>, IAsyncLifetime
{
    private readonly RedisOptions _options = redis.NewStore();
    private RedisConnection _connection = null!;

    private IDatabase Database => _connection.Database;

    public async ValueTask InitializeAsync() => _connection = await RedisConnection.OpenAsync(_options.Configuration, new RedisKeys(_options.KeyPrefix));

    public ValueTask DisposeAsync() => _connection.DisposeAsync();

    [Theory]
    [InlineData("rising")]
    [InlineData("falling")]
    [InlineData("random")]
    [InlineData("two rising")]
    public async Task Tree_WhateverTheOrderOfSerials_HasSmallPackedLeavesAndListsAll(string order)
    {
        const int Count = 6000;
        Random random = new(99);
        IEnumerable<int> numbers = order switch
        {
            "rising" => Enumerable.Range(0x100000, Count),
            "falling" => Enumerable.Range(0x100000, Count).Reverse(),
            "two rising" => Enumerable.Range(0, Count).Select(i => i % 2 == 0 ? 0x100000 + i : 0x500000 + i),
            _ => Enumerable.Range(0x100000, Count).OrderBy(_ => random.Next()),
        };
        SerialNumber[] serials = [.. numbers.Select(Serial)];
        await using RedisRevocationStore store = await OpenAsync();
        for (int from = 0; from < Count; from += 1000)
        {
            JournalEntry[] entries = [.. Entries(from, serials[from..(from + 1000)].Select((serial, i) => Revoked($"{from + i}", serial)))];
            Assert.True((await store.AppendAsync(Ca, from, entries)).Appended);
        }

        Assert.Equal(serials.Order(), (await store.ListAsync(Ca, null, default, Count + 1, CancellationToken.None)).Select(certificate => certificate.Serial));
        Assert.Equal(serials.Order(), (await store.ListAsync(Ca, CertificateState.Revoked, default, Count + 1, CancellationToken.None)).Select(certificate => certificate.Serial));
        Assert.All(await store.FindStatusesAsync(Ca, serials, CancellationToken.None), Assert.NotNull);
        foreach (string tree in new[] { "s", "e", "r" })
        {
            RedisValue[] bounds = await Database.SortedSetRangeByRankAsync(_connection.Keys.Of(Ca, tree));
            foreach (RedisValue bound in bounds)
            {
                RedisKey leaf = ((RedisKey)$"{_connection.Keys.Tag(Ca)}:{tree}:").Append((byte[])bound!);
                Assert.InRange(await Database.HashLengthAsync(leaf), 0, 128);
                Assert.True((string?)await Database.ExecuteAsync("OBJECT", "ENCODING", leaf) is "listpack" or null); // an empty leaf is no key
            }

            int most = tree != "e" && order == "rising" ? Count / 127 + 1 : Count / 40;
            Assert.InRange(bounds.Length, Count / 128, most);
        }

        await using RedisAuditStore audit = await RedisAuditStore.OpenAsync(_connection, CancellationToken.None);
        Assert.Empty(await audit.CheckStructureAsync(CancellationToken.None));
    }

    [Fact]
    public async Task Append_OfMoreThanOneTileAtOnce_MakesTheTreesOfTwoLevels()
    {
        const int Count = 65_536 + 300;
        await using RedisRevocationStore store = await OpenAsync();
        for (int from = 0; from < Count; from += 4000)
        {
            Assert.True((await store.AppendAsync(Ca, from, Issuances(from, from, Math.Min(4000, Count - from)))).Appended);
        }

        RedisAuditReport report = await RedisAudit.VerifyAsync(_connection, verifier: null, progress: null, CancellationToken.None);

        Assert.True(report.IsAccepted, report.Issuers[0].FirstFinding?.ToString() ?? string.Join(" ", report.Structure));
        Assert.Equal(32, await Database.StringLengthAsync(_connection.Keys.Of(Ca, "tree:16")));
    }

    [Fact]
    public async Task Append_OfTooMany_IsABug()
    {
        await using RedisRevocationStore store = await OpenAsync();

        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await store.AppendAsync(Ca, 0, Issuances(0, 1, RedisRevocationStore.MaxEntriesPerAppend + 1)));
        Assert.True((await store.AppendAsync(Ca, 0, Issuances(0, 1, RedisRevocationStore.MaxEntriesPerAppend))).Appended);
    }

    [Fact]
    public async Task Append_OfTheSameIdTwiceInOneBatch_WritesNothing()
    {
        await using RedisRevocationStore store = await OpenAsync();

        await Assert.ThrowsAsync<RevocationStoreException>(async () => await store.AppendAsync(Ca, 0, Entries(0, Issued("a", Serial(1)), Issued("a", Serial(2)))));

        Assert.Equal(0, await store.GetPositionAsync(Ca, CancellationToken.None));
        Assert.Null(await store.FindStatusAsync(Ca, Serial(1), CancellationToken.None));
    }

    [Fact]
    public async Task Append_ByTwoStoresInTurn_IsOneChain()
    {
        await using RedisRevocationStore one = await OpenAsync();
        await using RedisRevocationStore two = await OpenAsync();
        for (int i = 0; i < 600; i += 2)
        {
            Assert.True((await one.AppendAsync(Ca, i, Issuances(i, i, 1))).Appended);
            Assert.False((await two.AppendAsync(Ca, i, Issuances(i, 5000 + i, 1))).Appended);
            Assert.True((await two.AppendAsync(Ca, i + 1, Issuances(i + 1, i + 1, 1))).Appended);
        }

        Assert.True((await RedisAudit.VerifyAsync(_connection, verifier: null, progress: null, CancellationToken.None)).IsAccepted);
    }

    // As after a backup was restored, or a failover that lost the end: the position is the one we know, the entry is not.
    [Fact]
    public async Task Append_ToAJournalThatWasReplacedBehindOurBack_ChainsToWhatIsThere()
    {
        await using RedisRevocationStore one = await OpenAsync();
        await one.AppendAsync(Ca, 0, Issuances(0, 1, 3));
        RedisKey[] keys = [.. _connection.Multiplexer.GetServers()[0].Keys(pattern: $"{_connection.Keys.Tag(Ca)}:*")];
        await Database.KeyDeleteAsync(keys);
        await using RedisRevocationStore two = await OpenAsync();
        await two.AppendAsync(Ca, 0, Issuances(0, 50, 3));

        Assert.True((await one.AppendAsync(Ca, 3, Issuances(3, 100, 1))).Appended);

        Assert.True((await RedisAudit.VerifyAsync(_connection, verifier: null, progress: null, CancellationToken.None)).IsAccepted);
    }

    [Fact]
    public async Task Append_ThatTimedOut_IsAnUnknownOutcomeThatTheFenceResolves()
    {
        await using RedisServer server = await RedisServer.StartAsync();
        await using RedisRevocationStore store = await RedisRevocationStore.OpenAsync(
            new RedisOptions { Configuration = server.Configuration + ",asyncTimeout=300" }, TimeProvider.System, CancellationToken.None);
        Assert.True((await store.AppendAsync(Ca, 0, Issuances(0, 1, 1))).Appended);

        server.Pause();
        RevocationStoreException unknown = await Assert.ThrowsAsync<RevocationStoreException>(async () => await store.AppendAsync(Ca, 1, Issuances(1, 2, 1)));
        server.Resume();

        Assert.Contains("is unknown", unknown.Message);
        Assert.Equal(2, await store.GetPositionAsync(Ca, CancellationToken.None)); // Redis carried it out late
        Assert.Equal(new AppendResult(false, 2), await store.AppendAsync(Ca, 1, Issuances(1, 3, 1)));
        Assert.True((await store.AppendAsync(Ca, 2, Issuances(2, 3, 1))).Appended);
        await store.AssertAgreesWithJournalAsync(Ca);
    }

    [Fact]
    public async Task Read_OfDamagedRecords_IsAnExceptionAndNotAStatus()
    {
        await using RedisRevocationStore store = await OpenAsync();
        await store.AppendAsync(Ca, 0, Entries(0, Revoked("a", Serial(1)), Issued("b", Serial(2))));
        RedisKey leaf = $"{_connection.Keys.Tag(Ca)}:s:";
        byte[] status = (byte[])(await Database.HashGetAsync(leaf, Serial(1).ContentMemory))!;

        for (int i = 0; i < status.Length; i++)
        {
            byte[] damaged = [.. status];
            damaged[i] ^= 0x10;
            await Database.HashSetAsync(leaf, Serial(1).ContentMemory, damaged);
            await Assert.ThrowsAsync<RevocationStoreException>(async () => await store.FindStatusAsync(Ca, Serial(1), CancellationToken.None));
        }

        // Another certificate's status is not this one's.
        await Database.HashSetAsync(leaf, Serial(1).ContentMemory, await Database.HashGetAsync(leaf, Serial(2).ContentMemory));
        await Assert.ThrowsAsync<RevocationStoreException>(async () => await store.FindStatusAsync(Ca, Serial(1), CancellationToken.None));
    }

    [Fact]
    public async Task Audit_OfATamperedStore_NamesWhatIsWrong()
    {
        await using RedisRevocationStore store = await OpenAsync();
        await store.AppendAsync(Ca, 0, Entries(0, Revoked("a", Serial(1)), Issued("b", Serial(2)), Held("c", Serial(3))));
        RedisKey events = $"{_connection.Keys.Tag(Ca)}:e:";
        HashEntry[] ids = await Database.HashGetAllAsync(events);
        await Database.HashDeleteAsync(events, ids[0].Name);
        await Database.HashSetAsync($"{_connection.Keys.Tag(Ca)}:r:", Serial(2).ContentMemory, "");
        await Database.StringAppendAsync(_connection.Keys.Of(Ca, "tree:8"), new byte[32]);

        RedisAuditReport report = await RedisAudit.VerifyAsync(_connection, verifier: null, progress: null, CancellationToken.None);

        Assert.Contains(report.Structure, problem => problem.Contains("could be applied twice", StringComparison.Ordinal));
        Assert.Contains(report.Structure, problem => problem.Contains("is listed as Revoked", StringComparison.Ordinal));
        Assert.Contains(report.Structure, problem => problem.Contains("2 certificates", StringComparison.Ordinal) && problem.Contains("1 are counted", StringComparison.Ordinal));
        Assert.Contains(report.Structure, problem => problem.Contains("Level 8 of the tree", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Audit_WithAMissingEntry_NamesIt()
    {
        await using RedisRevocationStore store = await OpenAsync();
        await store.AppendAsync(Ca, 0, Issuances(0, 1, 5));
        await Database.StreamDeleteAsync(_connection.Keys.Of(Ca, "journal"), ["3-0"]);

        RedisAuditReport report = await RedisAudit.VerifyAsync(_connection, verifier: null, progress: null, CancellationToken.None);

        Assert.Equal((3, AuditFault.Missing), (report.Issuers[0].FirstFinding!.Position!.Value, report.Issuers[0].FirstFinding!.Fault));
        RevocationStoreException damaged = await Assert.ThrowsAsync<RevocationStoreException>(() => store.ReadAllAsync(Ca));
        Assert.Equal(3, damaged.Position);
    }

    // The order of a spilled sort is that of one in memory.
    [Theory]
    [InlineData(1)]
    [InlineData(20_000)]
    [InlineData(HistorySorter.DefaultRunBytes)]
    public async Task Sorter_WithRunsOfAnySize_OrdersBySerialThenPosition(int runBytes)
    {
        Random random = new(7);
        JournalEntry[] entries = [.. Issuances(0, 1, 500).Select(entry => entry with { Event = entry.Event with { Serial = Serial(random.Next(60)) } })];
        await using HistorySorter sorter = new(Ca, runBytes);
        foreach (JournalEntry entry in entries)
        {
            await sorter.AddAsync(new ChainedEntry(entry, default), CancellationToken.None);
        }

        List<JournalEntry> sorted = [];
        await foreach (JournalEntry entry in sorter.ReadAsync(CancellationToken.None))
        {
            sorted.Add(entry);
        }

        Assert.Equal(entries.OrderBy(entry => entry.Event.Serial).ThenBy(entry => entry.Position), sorted);
    }

    [Fact]
    public async Task Open_OfANewerVersionsData_IsRefusedByName()
    {
        await Database.StringSetAsync(_connection.Keys.Schema, 7);

        RevocationStoreException refusal = await Assert.ThrowsAsync<RevocationStoreException>(OpenAsync);

        Assert.Contains("schema version 7; this program knows versions up to 1", refusal.Message);
        await Assert.ThrowsAsync<RevocationStoreException>(() => RedisAuditStore.OpenAsync(_connection, CancellationToken.None));
    }

    [Fact]
    public async Task Open_OfAnotherProgramsKeys_IsRefused()
    {
        await Database.StringSetAsync(_connection.Keys.Schema, "something else");

        Assert.Contains("another program's", (await Assert.ThrowsAsync<RevocationStoreException>(OpenAsync)).Message);
    }

    [Fact]
    public async Task Migration_FromAnOlderVersion_IsOneStepPerIssuerAndEndsTheOlderSilosAppends()
    {
        IssuerId other = new("other");
        await using RedisRevocationStore older = await OpenAsync();
        await older.AppendAsync(Ca, 0, Issuances(0, 1, 2));
        await older.AppendAsync(other, 0, Issuances(0, 1, 2));
        List<IssuerId> migrated = [];
        bool fails = true;
        RedisSchema newer = new(async (connection, issuer) =>
        {
            if (issuer == other && fails)
            {
                throw new RevocationStoreException("as if the silo had crashed between two issuers");
            }

            migrated.Add(issuer);
            await connection.Database.HashSetAsync(connection.Keys.Head(issuer), [new HashEntry("layout", 2), new HashEntry("new", "field")]);
        });

        try
        {
            await newer.PrepareAsync(_connection, CancellationToken.None); // the order of a set is Redis's
        }
        catch (RevocationStoreException)
        {
        }

        fails = false;
        await newer.PrepareAsync(_connection, CancellationToken.None);
        await newer.PrepareAsync(_connection, CancellationToken.None);

        Assert.Equal([Ca, other], migrated.OrderBy(issuer => issuer.ToString()));
        Assert.Equal(2, (int)await Database.StringGetAsync(_connection.Keys.Schema));
        RevocationStoreException refusal = await Assert.ThrowsAsync<RevocationStoreException>(async () => await older.AppendAsync(Ca, 2, Issuances(2, 3, 1)));
        Assert.Contains("A newer version of this program", refusal.Message);
        await using RedisRevocationStore current = await RedisRevocationStore.OpenAsync(_connection, false, _options, TimeProvider.System, newer, CancellationToken.None);
        Assert.True((await current.AppendAsync(Ca, 2, Issuances(2, 3, 1))).Appended);
        await current.AssertAgreesWithJournalAsync(Ca);
    }

    private Task<RedisRevocationStore> OpenAsync() => RedisRevocationStore.OpenAsync(_options, TimeProvider.System, CancellationToken.None);
}
