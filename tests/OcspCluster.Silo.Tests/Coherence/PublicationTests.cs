using OcspCluster.Authority;
using OcspCluster.Gateway;
using OcspCluster.Protocol;
using OcspCluster.Silo.Coherence;
using static OcspCluster.Conformance.RecordedHistory;

namespace OcspCluster.Silo.Tests.Coherence;

/// <summary>What an acknowledgement waits for, and what every gateway answers after it.</summary>
[Collection(nameof(SimulatedCluster))] // one after the other: they wait until nothing is going on
public sealed class PublicationTests
{
    private static readonly TimeSpan s_lease = new OcspSiloOptions().Lease;

    private readonly SimulatedCluster _cluster = new();
    private readonly SimulatedSilo _a;
    private readonly SimulatedSilo _b;
    private readonly SimulatedSilo _c;

    public PublicationTests()
    {
        _a = _cluster.Start("a");
        _b = _cluster.Start("b");
        _c = _cluster.Start("c");
        _cluster.Clock.Advance(s_lease); // the first lease of their lives is over
    }

    [Fact]
    public async Task Revoke_AllGatewaysAnswer_EachAnswersRevokedAndNobodyWaits()
    {
        await IssueEverywhereAsync();

        long before = _cluster.Clock.GetTimestamp();
        await _a.SubmitAsync(Revoked("r", Serial(1)));

        Assert.True(_cluster.Clock.GetElapsedTime(before) < s_lease / 4);
        foreach (SimulatedSilo silo in _cluster.Silos)
        {
            Assert.IsType<CertStatus.RevokedStatus>((await silo.AskAsync(Serial(1))).Status);
        }
    }

    [Fact]
    public async Task Revoke_OneGatewayDoesNotAnswer_WaitsForItsLeaseAndNoLonger()
    {
        await IssueEverywhereAsync();
        await _cluster.RenewAsync();
        _cluster.Cut("a", "b");

        Task<IReadOnlyList<EventOutcome>> revocation = _a.Sequencer.SubmitAsync([Revoked("r", Serial(1))], CancellationToken.None).AsTask();
        Assert.False(await SimulatedCluster.IsSettledAsync(revocation));
        Assert.IsType<CertStatus.GoodStatus>((await _b.AskAsync(Serial(1))).Status); // it has not heard, and nothing was acknowledged
        long before = _cluster.Clock.GetTimestamp();
        await _cluster.CompleteAsync(revocation);

        Assert.InRange(_cluster.Clock.GetElapsedTime(before), TimeSpan.Zero, s_lease + TimeSpan.FromSeconds(0.3));
        Assert.False(_b.Coherence.HasLease);
        _b.Store.IsAway = true;
        Assert.Equal(OcspOutcome.StatusUnavailable, (await _b.AskAsync(Serial(1))).Outcome); // it cannot know
        _b.Store.IsAway = false;
        Assert.IsType<CertStatus.RevokedStatus>((await _b.AskAsync(Serial(1))).Status); // it asks the store
    }

    [Fact]
    public async Task Revoke_AfterTheDeadSilosLeaseWasSeenToEnd_WaitsForNobody()
    {
        await IssueEverywhereAsync();
        _cluster.Crash("b");
        for (int i = 0; i < 5; i++)
        {
            _cluster.Clock.Advance(s_lease / 3);
            await _cluster.RenewAsync();
        }

        Assert.Equal(["a", "c"], _cluster.Store.Rows.Select(row => row.Silo).Order());
        long before = _cluster.Clock.GetTimestamp();
        await _a.SubmitAsync(Revoked("r", Serial(1)));
        Assert.True(_cluster.Clock.GetElapsedTime(before) < s_lease / 4);
    }

    [Fact]
    public async Task Revoke_RowWasFirstSeenAWhileAgo_WaitsForTheRestOfItsLeaseOnly()
    {
        await IssueEverywhereAsync();
        await _a.Lease.RunOnceAsync(); // a sees b's row
        _cluster.Crash("b");
        _cluster.Clock.Advance(s_lease / 2);
        await _cluster.RenewAsync();

        long before = _cluster.Clock.GetTimestamp();
        await _a.SubmitAsync(Revoked("r", Serial(1)));

        Assert.InRange(_cluster.Clock.GetElapsedTime(before), s_lease * 0.3, s_lease * 0.75);
    }

    [Fact]
    public async Task Revoke_WithinTheFirstLeaseOfTheWritersLife_IsAcknowledgedAfterIt()
    {
        SimulatedSilo late = _cluster.Start("late");
        long born = _cluster.Clock.GetTimestamp();

        await late.SubmitAsync(Issued("i", Serial(1)));

        Assert.True(_cluster.Clock.GetElapsedTime(born) >= s_lease); // it may have promised before it was started again
    }

    [Fact]
    public async Task Revoke_WriterDiedBeforePublishing_RepeatedEventIsPublishedBeforeItIsADuplicate()
    {
        await IssueEverywhereAsync();
        await _cluster.RenewAsync();
        _cluster.Store.Append(_cluster.Store.Position, Entries(_cluster.Store.Position, Revoked("r", Serial(1)))); // and the writer is gone
        Assert.IsType<CertStatus.GoodStatus>((await _b.AskAsync(Serial(1))).Status);

        SimulatedSilo next = _c; // its sequencer has not had a turn yet
        EventOutcome outcome = (await next.SubmitAsync(Revoked("r", Serial(1))))[0];

        Assert.Equal(EventOutcomeKind.Duplicate, outcome.Kind);
        Assert.IsType<CertStatus.RevokedStatus>((await _b.AskAsync(Serial(1))).Status);
    }

    [Fact]
    public async Task Leftovers_OfAWriterThatDied_ArePublishedWithoutTheNextEvent()
    {
        await IssueEverywhereAsync();
        _cluster.Store.Append(_cluster.Store.Position, Entries(_cluster.Store.Position, Revoked("r", Serial(1))));
        for (int i = 0; i < 9; i++)
        {
            _cluster.Clock.Advance(s_lease / 3);
            await _cluster.RenewAsync();
        }

        await SimulatedCluster.IsSettledAsync(_a.Sequencer.PublishPendingAsync());
        await _cluster.RenewAsync();
        Assert.Contains(_cluster.Silos, silo => silo.PendingPublications > 0);
        Assert.Equal(2, _cluster.Store.Published);
        Assert.All(_cluster.Silos, silo => Assert.Equal(2, silo.Journal.GetPosition(SimulatedCluster.Ca)));
    }

    [Fact]
    public async Task TwoWriters_AtOnce_LeaveNoOldAnswerAnywhere()
    {
        await IssueEverywhereAsync();
        for (int i = 0; i < 20; i++)
        {
            SimulatedSilo writer = i % 2 == 0 ? _a : _b;
            await writer.SubmitAsync(i % 4 < 2 ? Held($"h{i}", Serial(1)) : Released($"r{i}", Serial(1)));
            foreach (SimulatedSilo silo in _cluster.Silos)
            {
                CertificateState expected = _cluster.Store.Journal[^1].Status.State;
                Assert.Equal(expected == CertificateState.Good, (await silo.AskAsync(Serial(1))).Status is CertStatus.GoodStatus);
            }
        }
    }

    [Fact]
    public async Task Miss_ActorsSiloHasNotHeardYet_IsNotAnsweredWithTheOlderStatus()
    {
        await IssueEverywhereAsync();
        await _cluster.RenewAsync();
        SerialNumber serial = Serial(1); // its actor lives on a, which was asked first
        Assert.Equal(1, _a.Activations);
        JournalEntry[] entries = Entries(_cluster.Store.Position, Revoked("r", serial));
        _cluster.Store.Append(_cluster.Store.Position, entries);

        // b has heard, a has not: a would still say good.
        await _b.Coherence.ForgetAsync(new Forgetting(SimulatedCluster.Ca, entries[0].Position, entries[0].Position, [serial]));
        Assert.IsType<CertStatus.GoodStatus>((await _a.AskAsync(serial)).Status);

        Assert.IsType<CertStatus.RevokedStatus>((await _b.AskAsync(serial)).Status);
    }

    [Fact]
    public async Task NeverIssued_WakesNobodyAndSignsNothing()
    {
        await IssueEverywhereAsync();
        await Task.WhenAll(_cluster.Silos.Select(silo => silo.ReadIssuedAsync()));
        await _cluster.RenewAsync();
        int activations = _cluster.Silos.Sum(silo => silo.Activations);
        foreach (SimulatedSilo silo in _cluster.Silos)
        {
            silo.Store.IsAway = true; // nor is the store asked

            Assert.Equal(OcspOutcome.NeverIssued, (await silo.AskAsync(Serial(4711))).Outcome);
        }

        Assert.Equal(activations, _cluster.Silos.Sum(silo => silo.Activations));
    }

    [Fact]
    public async Task NeverIssued_IssuedThen_IsGoodAtEveryGatewayAfterTheAcknowledgement()
    {
        await IssueEverywhereAsync();
        await Task.WhenAll(_cluster.Silos.Select(silo => silo.ReadIssuedAsync()));
        await _cluster.RenewAsync();

        await _a.SubmitAsync(Issued("late", Serial(4711)));

        foreach (SimulatedSilo silo in _cluster.Silos)
        {
            Assert.IsType<CertStatus.GoodStatus>((await silo.AskAsync(Serial(4711))).Status);
        }
    }

    [Fact]
    public async Task HandBack_ThenRevoke_WaitsForNobodyAndTheOneThatLeftAnswersFromTheStore()
    {
        await IssueEverywhereAsync();
        await _b.Lease.HandBackAsync();

        Assert.Equal(["a", "c"], _cluster.Store.Rows.Select(row => row.Silo).Order());
        Assert.False(_b.Coherence.HasLease);
        await _b.Lease.RunOnceAsync();
        Assert.False(_b.Coherence.HasLease);
        await _a.SubmitAsync(Revoked("r", Serial(1)));
        Assert.IsType<CertStatus.RevokedStatus>((await _b.AskAsync(Serial(1))).Status);
    }

    [Fact]
    public async Task HandBack_RightAfterAnAcknowledgement_TheNextSiloKnowsThatItIsPublished()
    {
        await IssueEverywhereAsync();
        await _a.SubmitAsync(Revoked("r", Serial(1)));
        foreach (SimulatedSilo silo in _cluster.Silos.ToArray())
        {
            await silo.Lease.HandBackAsync();
            _cluster.Crash(silo.Self);
        }

        SimulatedSilo next = _cluster.Start("next");
        await next.Lease.RunOnceAsync();

        Assert.Equal(2, next.Journal.GetPosition(SimulatedCluster.Ca)); // without another publication
    }

    // Certificate 1 is issued, and every gateway has its good answer.
    private async Task IssueEverywhereAsync()
    {
        await _cluster.RenewAsync();
        await _a.SubmitAsync(Issued("i", Serial(1)));
        await _cluster.RenewAsync();
        foreach (SimulatedSilo silo in _cluster.Silos)
        {
            await silo.ReadIssuedAsync();
            Assert.IsType<CertStatus.GoodStatus>((await silo.AskAsync(Serial(1))).Status);
        }
    }
}
