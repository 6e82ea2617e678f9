using OcspCluster.Authority;
using OcspCluster.Gateway;
using OcspCluster.Protocol;
using static OcspCluster.Conformance.RecordedHistory;

namespace OcspCluster.Silo.Tests.Coherence;

/// <summary>What goes on while the store is away, and what stops.</summary>
[Collection(nameof(SimulatedCluster))] // one after the other: they wait until nothing is going on
public sealed class WithoutStoreTests
{
    private static readonly TimeSpan s_lease = new OcspSiloOptions().Lease;

    private SimulatedCluster _cluster = new();
    private SimulatedSilo _a = null!;
    private SimulatedSilo _b = null!;
    private SimulatedSilo _c = null!;

    [Fact]
    public async Task StoreAway_ForAll_GoodGoesOnEverywhere()
    {
        await StartAsync();
        await LoseStoreAsync(_a, _b, _c);

        await LetTimePassAsync(s_lease * 5);

        foreach (SimulatedSilo silo in _cluster.Silos)
        {
            Assert.IsType<CertStatus.GoodStatus>((await silo.AskAsync(Serial(1))).Status);
        }
    }

    [Fact]
    public async Task StoreAway_ForAllAndItIsNotWanted_GoodEndsWithTheLease()
    {
        _cluster = new SimulatedCluster { Options = new OcspSiloOptions { WithoutStore = WithoutStore.TryLater } };
        await StartAsync();
        await LoseStoreAsync(_a, _b, _c);

        await LetTimePassAsync(s_lease * 2);

        Assert.Equal(OcspOutcome.StatusUnavailable, (await _a.AskAsync(Serial(1))).Outcome);
    }

    [Fact]
    public async Task StoreAway_ForOneOnly_HasNoLeaseAndAsksTheActorElsewhere()
    {
        await StartAsync();
        await LoseStoreAsync(_b);

        await LetTimePassAsync(s_lease * 2);

        Assert.False(_b.Coherence.HasLease);
        await _a.SubmitAsync(Revoked("r", Serial(1)));
        Assert.IsType<CertStatus.RevokedStatus>((await _b.AskAsync(Serial(1))).Status); // a, where its actor lives, reads the store
    }

    [Fact]
    public async Task StoreAway_AndCutOffFromOthers_GoodEndsWithTheLeaseAndRevokedStays()
    {
        await StartAsync();
        await _a.SubmitAsync(Issued("i2", Serial(2)), Revoked("r2", Serial(2)));
        Assert.IsType<CertStatus.RevokedStatus>((await _b.AskAsync(Serial(2))).Status);
        await LoseStoreAsync(_b);
        _cluster.Cut("a", "b");

        await LetTimePassAsync(s_lease * 2);

        Assert.Equal(OcspOutcome.StatusUnavailable, (await _b.AskAsync(Serial(1))).Outcome);
        Assert.IsType<CertStatus.RevokedStatus>((await _b.AskAsync(Serial(2))).Status);
    }

    [Fact]
    public async Task StoreAway_LeaseThatHasEnded_IsNotBroughtBackByPromises()
    {
        await StartAsync();
        _b.IsPaused = true;
        await LoseStoreAsync(_a, _b, _c);
        await LetTimePassAsync(s_lease * 2);

        _b.IsPaused = false;
        await LetTimePassAsync(s_lease * 2);

        Assert.False(_b.Coherence.HasLease); // who knows what was acknowledged while it stood still
    }

    [Fact]
    public async Task StoreIsBack_ForWhoPromised_AcknowledgementWaitsForTheAskerOrThePromise()
    {
        await StartAsync();
        await LoseStoreAsync(_a, _b, _c);
        await LetTimePassAsync(s_lease * 3);
        Assert.True(_b.Coherence.HasLease);
        _cluster.Cut("a", "b");
        _a.Store.IsAway = false; // a is the first to reach it again; b's row is gone from the table, or will be

        Task<IReadOnlyList<EventOutcome>> revocation = _a.Sequencer.SubmitAsync([Revoked("r", Serial(1))], CancellationToken.None).AsTask();
        while (!await SimulatedCluster.IsSettledAsync(revocation))
        {
            Assert.Equal(2, _cluster.Store.Position);
            _cluster.Clock.Advance(TimeSpan.FromMilliseconds(50));
            Task renewals = _cluster.RenewAsync();
            await SimulatedCluster.IsSettledAsync(renewals);
        }

        Assert.False(_b.Coherence.HasLease);
        Assert.NotEqual(typeof(CertStatus.GoodStatus), (await _b.AskAsync(Serial(1))).Status?.GetType());
    }

    [Fact]
    public async Task StoreIsBack_EveryoneAnswers_AcknowledgementIsQuick()
    {
        await StartAsync();
        await LoseStoreAsync(_a, _b, _c);
        await LetTimePassAsync(s_lease * 2);
        foreach (SimulatedSilo silo in _cluster.Silos)
        {
            silo.Store.IsAway = false;
        }

        long before = _cluster.Clock.GetTimestamp();
        await _a.SubmitAsync(Revoked("r", Serial(1)));

        Assert.True(_cluster.Clock.GetElapsedTime(before) < s_lease / 4);
        Assert.IsType<CertStatus.RevokedStatus>((await _b.AskAsync(Serial(1))).Status);
    }

    [Fact]
    public async Task StoreAway_EventIsNotAcknowledged()
    {
        await StartAsync();
        await LoseStoreAsync(_a, _b, _c);

        await Assert.ThrowsAsync<RevocationStoreException>(() => _a.SubmitAsync(Revoked("r", Serial(1))));
    }

    [Fact]
    public async Task Gap_IsCaughtUpWithFromTheStore()
    {
        await StartAsync();
        await _a.SubmitAsync(Issued("i2", Serial(2)));
        Assert.IsType<CertStatus.GoodStatus>((await _b.AskAsync(Serial(2))).Status);
        int cached = _b.Cache.Count;
        JournalEntry[] entries = Entries(_cluster.Store.Position, Revoked("r", Serial(1)), Issued("i3", Serial(3)));
        _cluster.Store.Append(_cluster.Store.Position, entries);

        long known = await _b.Coherence.ForgetAsync(new(SimulatedCluster.Ca, entries[1].Position, entries[1].Position, [Serial(3)]));

        Assert.Equal(entries[1].Position, known);
        Assert.Equal(cached - 1, _b.Cache.Count); // the revoked one, and not the other
    }

    [Fact]
    public async Task Gap_WhileTheStoreIsAway_EverythingIsForgotten()
    {
        await StartAsync();
        await _a.SubmitAsync(Issued("i2", Serial(2)));
        Assert.IsType<CertStatus.GoodStatus>((await _b.AskAsync(Serial(2))).Status);
        JournalEntry[] entries = Entries(_cluster.Store.Position, Revoked("r", Serial(1)), Issued("i3", Serial(3)));
        _cluster.Store.Append(_cluster.Store.Position, entries);
        _b.Store.IsAway = true;

        long known = await _b.Coherence.ForgetAsync(new(SimulatedCluster.Ca, entries[1].Position, entries[1].Position, [Serial(3)]));

        Assert.Equal((entries[1].Position, 0), (known, _b.Cache.Count));
    }

    [Fact]
    public async Task JournalIsShorterThanKnown_EverythingIsForgotten()
    {
        await StartAsync();
        await _a.SubmitAsync(Issued("i2", Serial(2)));
        Assert.IsType<CertStatus.GoodStatus>((await _b.AskAsync(Serial(2))).Status);
        await _cluster.RenewAsync();

        _cluster.Store.TruncateTo(1);
        await _cluster.RenewAsync();

        Assert.Equal((0, 1L), (_b.Cache.Count, _b.Coherence.Known));
        Assert.Equal(OcspOutcome.NeverIssued, (await _b.AskAsync(Serial(2))).Outcome);
    }

    private async Task StartAsync()
    {
        _a = _cluster.Start("a");
        _b = _cluster.Start("b");
        _c = _cluster.Start("c");
        _cluster.Clock.Advance(s_lease);
        await _cluster.RenewAsync();
        await _a.SubmitAsync(Issued("i", Serial(1)));
        await _cluster.RenewAsync();
        foreach (SimulatedSilo silo in _cluster.Silos)
        {
            await silo.ReadIssuedAsync();
            Assert.IsType<CertStatus.GoodStatus>((await silo.AskAsync(Serial(1))).Status);
        }
    }

    private Task LoseStoreAsync(params SimulatedSilo[] silos)
    {
        foreach (SimulatedSilo silo in silos)
        {
            silo.Store.IsAway = true;
        }

        return LetTimePassAsync(s_lease / 3);
    }

    // In steps, with the renewals that belong to them.
    private async Task LetTimePassAsync(TimeSpan time)
    {
        for (TimeSpan passed = TimeSpan.Zero; passed < time; passed += s_lease / 3)
        {
            _cluster.Clock.Advance(s_lease / 3);
            await SimulatedCluster.IsSettledAsync(_cluster.RenewOnceAsync());
        }
    }
}
