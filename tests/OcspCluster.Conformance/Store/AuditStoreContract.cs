using OcspCluster.Authority;
using OcspCluster.Protocol;
using static OcspCluster.Conformance.RecordedHistory;

namespace OcspCluster.Conformance;

/// <summary>What every store keeps for audits beside the journal. Derive it, and say how to open both sides of one and the same store.</summary>
public abstract class AuditStoreContract : IAsyncLifetime
{
    private IRevocationStore _store = null!;

    /// <summary>Opens the store of this test: empty the first time, and with all that was appended after each disposal.</summary>
    protected abstract ValueTask<IRevocationStore> OpenAsync();

    /// <summary>Opens it for reading as it is now.</summary>
    protected abstract ValueTask<IAuditStore> OpenAuditAsync();

    /// <summary>Removes what <see cref="OpenAsync"/> made.</summary>
    protected virtual ValueTask CleanAsync() => ValueTask.CompletedTask;

    public async ValueTask InitializeAsync() => _store = await OpenAsync();

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        await CleanAsync();
    }

    [Fact]
    public async Task Empty_HasNothing()
    {
        await using IAuditStore audit = await OpenAuditAsync();

        Assert.Empty(await audit.ListIssuersAsync(CancellationToken.None));
        Assert.Equal(default, await audit.GetHeadAsync(Ca, CancellationToken.None));
        Assert.Empty(await ToListAsync(audit.ReadChainAsync(Ca, 0, CancellationToken.None)));
        Assert.Empty(await ToListAsync(audit.ReadStatusesAsync(Ca, CancellationToken.None)));
        Assert.Empty(await ToListAsync(audit.ReadHistoriesAsync(Ca, CancellationToken.None)));
        Assert.Empty(await audit.ReadTreeAsync(Ca, 0, 0, 10, CancellationToken.None));
        Assert.Empty(await audit.CheckStructureAsync(CancellationToken.None));
    }

    [Fact]
    public async Task Chain_OfManyAppendsAndIssuers_IsEachIssuersOwnAndUnbroken()
    {
        IssuerId other = new("other");
        await _store.AppendAsync(Ca, 0, Issuances(0, 1, 3));
        await _store.AppendAsync(other, 0, Issuances(0, 1, 2));
        await _store.AppendAsync(Ca, 3, Entries(3, Revoked("x", Serial(77))));
        await _store.DisposeAsync();
        _store = await OpenAsync();
        await _store.AppendAsync(Ca, 4, Issuances(4, 100, 600));
        Assert.False((await _store.AppendAsync(Ca, 4, Issuances(4, 900, 1))).Appended);
        await Assert.ThrowsAsync<RevocationStoreException>(async () => await _store.AppendAsync(Ca, 604, Issuances(604, 1, 1))); // an id of before

        await using IAuditStore audit = await OpenAuditAsync();

        Assert.Equal([Ca, other], (await audit.ListIssuersAsync(CancellationToken.None)).OrderBy(issuer => issuer.ToString()));
        await AssertChainedAsync(audit, Ca, 604);
        await AssertChainedAsync(audit, other, 2);
        Assert.Equal([603, 604], (await ToListAsync(audit.ReadChainAsync(Ca, 602, CancellationToken.None))).Select(chained => chained.Entry.Position));
        Assert.Empty(await audit.CheckStructureAsync(CancellationToken.None));
    }

    [Fact]
    public async Task Histories_AreOrderedBySerialThenPosition_AndStatusesLikewise()
    {
        SerialNumber[] serials = [Serial(5), Serial(-1), Serial(255), Serial(256), Serial(1)];
        await _store.AppendAsync(Ca, 0, Entries(0, [.. serials.Select((serial, i) => Issued($"i{i}", serial)), .. serials.Select((serial, i) => Revoked($"r{i}", serial))]));
        await using IAuditStore audit = await OpenAuditAsync();

        List<JournalEntry> histories = await ToListAsync(audit.ReadHistoriesAsync(Ca, CancellationToken.None));
        List<StoredStatus> statuses = await ToListAsync(audit.ReadStatusesAsync(Ca, CancellationToken.None));

        SerialNumber[] ordered = [.. serials.Order()];
        Assert.Equal(ordered.SelectMany(serial => new[] { serial, serial }), histories.Select(entry => entry.Event.Serial));
        Assert.All(histories.Chunk(2), pair => Assert.True(pair[0].Position < pair[1].Position));
        Assert.Equal(ordered, statuses.Select(status => status.Serial));
        Assert.All(statuses, status => Assert.True(status.IsFindable));
        Assert.Equal(histories.Where((_, i) => i % 2 == 1).Select(entry => entry.Status), statuses.Select(status => status.Status));
    }

    [Fact]
    public async Task Tree_OfEachLevel_IsThatOfTheEntries()
    {
        await _store.AppendAsync(Ca, 0, Issuances(0, 1, 255));
        await _store.AppendAsync(Ca, 255, Issuances(255, 1000, 1));
        await _store.AppendAsync(Ca, 256, Issuances(256, 2000, 700));
        await using IAuditStore audit = await OpenAuditAsync();

        Digest[] leaves = [.. (await ToListAsync(audit.ReadChainAsync(Ca, 0, CancellationToken.None))).Select(chained => MerkleHash.Leaf(chained.Hash))];

        Assert.Equal(leaves, await audit.ReadTreeAsync(Ca, 0, 0, 5000, CancellationToken.None));
        Assert.Equal(leaves[300..310], await audit.ReadTreeAsync(Ca, 0, 300, 10, CancellationToken.None));
        Assert.Equal(
            leaves.Chunk(256).Take(3).Select(tile => MerkleHash.PerfectRoot(tile)),
            await audit.ReadTreeAsync(Ca, MerkleTree.StoredLevels, 0, 256, CancellationToken.None));
        Assert.Empty(await audit.ReadTreeAsync(Ca, 2 * MerkleTree.StoredLevels, 0, 256, CancellationToken.None));
    }

    [Fact]
    public async Task Audit_WhileAppending_SeesOneMoment()
    {
        await _store.AppendAsync(Ca, 0, Issuances(0, 1, 3));
        await using IAuditStore audit = await OpenAuditAsync();

        Assert.True((await _store.AppendAsync(Ca, 3, Issuances(3, 4, 5))).Appended);

        await AssertChainedAsync(audit, Ca, 3);
        Assert.Equal(3, (await ToListAsync(audit.ReadStatusesAsync(Ca, CancellationToken.None))).Count);
    }

    private static async Task AssertChainedAsync(IAuditStore audit, IssuerId issuer, long count)
    {
        Digest previous = default;
        List<ChainedEntry> chain = await ToListAsync(audit.ReadChainAsync(issuer, 0, CancellationToken.None));
        Assert.Equal(count, chain.Count);
        foreach (ChainedEntry chained in chain)
        {
            Assert.Equal(JournalHash.Compute(issuer, chained.Entry, previous), chained.Hash);
            previous = chained.Hash;
        }

        Assert.Equal(new JournalHead(count, previous), await audit.GetHeadAsync(issuer, CancellationToken.None));
    }

    private static async Task<List<T>> ToListAsync<T>(IAsyncEnumerable<T> source)
    {
        List<T> list = [];
        await foreach (T item in source)
        {
            list.Add(item);
        }

        return list;
    }
}
