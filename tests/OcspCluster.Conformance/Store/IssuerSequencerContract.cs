using OcspCluster.Authority;
using OcspCluster.Protocol;
using OcspCluster.Testing;
using static OcspCluster.Conformance.RecordedHistory;

namespace OcspCluster.Conformance;

/// <summary>What <see cref="IssuerSequencer"/> promises over every store. Derive it, and say how to open one and the same store again.</summary>
public abstract class IssuerSequencerContract : IAsyncLifetime
{
    private readonly TestClock _clock = new();
    private readonly RecordingPublisher _publisher = new();
    private IRevocationStore _inner = null!;
    private FaultyStore _store = null!;
    private IssuerSequencer _sequencer = null!;

    /// <summary>Opens the store of this test: empty the first time, and with all that was appended after each disposal.</summary>
    protected abstract ValueTask<IRevocationStore> OpenAsync();

    /// <summary>Removes what <see cref="OpenAsync"/> made.</summary>
    protected virtual ValueTask CleanAsync() => ValueTask.CompletedTask;

    public async ValueTask InitializeAsync()
    {
        _inner = await OpenAsync();
        _store = new FaultyStore(_inner);
        _sequencer = NewSequencer();
    }

    public async ValueTask DisposeAsync()
    {
        await _inner.DisposeAsync();
        await CleanAsync();
    }

    [Fact]
    public async Task Submit_Batch_IsNumberedJournaledAndPublishedInOrder()
    {
        IReadOnlyList<EventOutcome> outcomes = await SubmitAsync(Issued("a", Serial(1)), Revoked("b", Serial(2)), Held("c", Serial(3)));

        Assert.Equal([EventOutcome.Applied("a", 1), EventOutcome.Applied("b", 2), EventOutcome.Applied("c", 3)], outcomes);
        Assert.Equal(["a", "b", "c"], (await _inner.ReadAllAsync(Ca)).Select(entry => entry.Event.Id));
        Assert.Equal([1, 2, 3], _publisher.Published);
        Assert.All(await _inner.ReadAllAsync(Ca), entry => Assert.Equal(_clock.GetUtcNow(), entry.ReceivedAt));
        await _inner.AssertAgreesWithJournalAsync(Ca);
    }

    [Fact]
    public async Task Submit_FirstTurnOfASuccessor_PublishesAllThatItFindsBeforeItAcknowledges()
    {
        await SubmitAsync(Issued("a", Serial(1)), Revoked("b", Serial(1)));
        _sequencer = NewSequencer(); // the one before may have died between append and publication
        _publisher.PublishedThrough.Clear();

        Assert.Equal([EventOutcome.Duplicate("b", 2)], await SubmitAsync(Revoked("b", Serial(1))));
        Assert.Equal([2], _publisher.PublishedThrough);

        await SubmitAsync(Issued("c", Serial(2)));
        Assert.Equal([2], _publisher.PublishedThrough); // once is enough
    }

    [Fact]
    public async Task PublishPending_AfterAnotherWrote_PublishesItsEntries()
    {
        await SubmitAsync(Issued("a", Serial(1)));
        await _inner.AppendAsync(Ca, 1, Entries(1, Revoked("b", Serial(1))));

        await _sequencer.PublishPendingAsync();

        Assert.Equal([1, 2], _publisher.Published);
    }

    [Fact]
    public async Task Submit_BySeveral_RecordsWhoAndFromWhere()
    {
        TaskCompletionSource goOn = new();
        _publisher.OnPublish = () => goOn.Task;
        Submitter one = new("ca-one", "192.0.2.7");
        Submitter two = new("ca-two", "2001:db8::2");
        Task<IReadOnlyList<EventOutcome>>[] submissions =
        [
            SubmitAsync(Issued("a", Serial(1))),
            _sequencer.SubmitAsync([Issued("b", Serial(2)), Issued("c", Serial(3))], one, CancellationToken.None).AsTask(),
            _sequencer.SubmitAsync([Issued("d", Serial(4)), Issued("b", Serial(2))], two, CancellationToken.None).AsTask(),
        ];
        goOn.SetResult();
        await Task.WhenAll(submissions).WaitAsync(TimeSpan.FromSeconds(30));

        Assert.Equal([Submitter.Local, one, one, two], (await _inner.ReadAllAsync(Ca)).Select(entry => entry.Submitter)); // a duplicate has the first's
    }

    [Fact]
    public async Task Submit_SeveralOfOneSerial_EachSeesTheOneBefore()
    {
        IReadOnlyList<EventOutcome> outcomes = await SubmitAsync(
            Issued("a", Serial(1)), Issued("b", Serial(1)), Held("c", Serial(1)), Held("d", Serial(1)), Released("e", Serial(1)),
            Revoked("f", Serial(1)), Released("g", Serial(1)));

        Assert.Equal(
            [
                EventOutcome.Applied("a", 1), EventOutcome.Refused("b", EventRefusal.AlreadyIssued, 1), EventOutcome.Applied("c", 2),
                EventOutcome.Refused("d", EventRefusal.AlreadyHeld, 2), EventOutcome.Applied("e", 3), EventOutcome.Applied("f", 4),
                EventOutcome.Refused("g", EventRefusal.AlreadyRevoked, 4),
            ],
            outcomes);
        await _inner.AssertAgreesWithJournalAsync(Ca);
    }

    [Fact]
    public async Task Submit_NothingOrOnlyRefusals_AppendsNothing()
    {
        Assert.Empty(await SubmitAsync());
        Assert.Equal([EventOutcome.Refused("r", EventRefusal.NotHeld, 0)], await SubmitAsync(Released("r", Serial(1))));
        Assert.Equal(
            [EventOutcome.Refused("\uD800", EventRefusal.Malformed, 0), EventOutcome.Refused("", EventRefusal.Malformed, 0)],
            await SubmitAsync(Issued("\uD800", Serial(1)), Issued(null!, Serial(1))));

        Assert.Empty(_store.Appends);
        Assert.Empty(_publisher.Rounds);
    }

    [Fact]
    public async Task Submit_IdOfBefore_IsADuplicateOfTheFirst()
    {
        await SubmitAsync(Issued("a", Serial(1)), Revoked("b", Serial(1)));

        // Dated anew, as a sender that tries again does; unspecified and no reason are the same.
        IReadOnlyList<EventOutcome> again = await SubmitAsync(
            Revoked("b", Serial(1)) with { At = Noon.AddSeconds(9) }, Revoked("c", Serial(2), null), Revoked("c", Serial(2), RevocationReason.Unspecified));
        await RestartAsync();
        IReadOnlyList<EventOutcome> afterRestart = await SubmitAsync(Issued("a", Serial(1)));

        Assert.Equal([EventOutcome.Duplicate("b", 2), EventOutcome.Applied("c", 3), EventOutcome.Duplicate("c", 3)], again);
        Assert.Equal([EventOutcome.Duplicate("a", 1)], afterRestart);
        Assert.Equal(3, await _inner.GetPositionAsync(Ca, CancellationToken.None));
    }

    [Fact]
    public async Task Submit_IdOfAnotherEvent_IsRefusedAndNotLostSilently()
    {
        await SubmitAsync(Issued("a", Serial(1)), Revoked("b", Serial(1), RevocationReason.Superseded));

        IReadOnlyList<EventOutcome> outcomes = await SubmitAsync(
            Revoked("a", Serial(1)), Issued("a", Serial(2)), Revoked("b", Serial(1)), Issued("c", Serial(3)), Revoked("c", Serial(3)));

        Assert.Equal(
            [
                EventOutcome.Refused("a", EventRefusal.IdReused, 1), EventOutcome.Refused("a", EventRefusal.IdReused, 1),
                EventOutcome.Refused("b", EventRefusal.IdReused, 2), EventOutcome.Applied("c", 3), EventOutcome.Refused("c", EventRefusal.IdReused, 3),
            ],
            outcomes);
    }

    [Fact]
    public async Task Submit_RefusedIdAgain_IsJudgedAgain()
    {
        await SubmitAsync(Released("r", Serial(1)));
        await SubmitAsync(Held("h", Serial(1)));

        Assert.Equal([EventOutcome.Applied("r", 2)], await SubmitAsync(Released("r", Serial(1))));
    }

    [Fact]
    public async Task Revoke_SecondTime_KeepsFirstRevocationTime()
    {
        await SubmitAsync(Revoked("a", Serial(1)));
        DateTimeOffset? first = (await _inner.FindStatusAsync(Ca, Serial(1), CancellationToken.None))!.RevocationTime;

        _clock.Advance(TimeSpan.FromHours(1));
        IReadOnlyList<EventOutcome> outcomes = await SubmitAsync(Revoked("b", Serial(1), RevocationReason.Superseded) with { At = _clock.GetUtcNow() });
        await RestartAsync();

        Assert.Equal([EventOutcome.Refused("b", EventRefusal.AlreadyRevoked, 1)], outcomes);
        Assert.Equal(first, (await _inner.FindStatusAsync(Ca, Serial(1), CancellationToken.None))!.RevocationTime);
    }

    [Fact]
    public async Task Submit_MoreThanOneAppendHolds_IsSplitAndStaysInOrder()
    {
        _sequencer = NewSequencer(maxEventsPerAppend: 100);

        IReadOnlyList<EventOutcome> outcomes = await SubmitAsync([.. Enumerable.Range(1, 250).Select(i => Issued($"e{i}", Serial(i)))]);

        Assert.Equal(Enumerable.Range(1, 250).Select(i => EventOutcome.Applied($"e{i}", i)), outcomes);
        Assert.Equal([100, 100, 50], _store.Appends);
        Assert.Equal([100, 100, 50], _publisher.Rounds);
    }

    [Fact]
    public async Task Submit_WhileATurnIsUnderWay_SharesTheNextOne()
    {
        TaskCompletionSource goOn = new();
        TaskCompletionSource published = new();
        _publisher.OnPublish = () =>
        {
            published.TrySetResult();
            return goOn.Task;
        };
        Task<IReadOnlyList<EventOutcome>> first = SubmitAsync(Issued("first", Serial(0)));
        await published.Task;

        Task<IReadOnlyList<EventOutcome>>[] others = [.. Enumerable.Range(1, 40).Select(i => SubmitAsync(Issued($"e{i}", Serial(i))))];
        Assert.All([first, .. others], task => Assert.False(task.IsCompleted)); // not acknowledged before it is published
        goOn.SetResult();
        await Task.WhenAll([first, .. others]);

        Assert.Equal([1, 40], _store.Appends);
        Assert.Equal(Enumerable.Range(2, 40).Select(i => (long)i), others.Select(task => task.Result[0].Position));
    }

    [Fact]
    public async Task Submit_FromMany_EachSerialIsRevokedOnce()
    {
        EventOutcome[][] outcomes = await Task.WhenAll(Enumerable.Range(0, 16).Select(writer => Task.Run(async () =>
        {
            EventOutcome[] mine = new EventOutcome[25];
            for (int i = 0; i < mine.Length; i++)
            {
                mine[i] = (await SubmitAsync(Revoked($"{writer}-{i}", Serial(i))))[0];
            }

            return mine;
        })));

        Assert.Equal(25, outcomes.SelectMany(mine => mine).Count(outcome => outcome.Kind == EventOutcomeKind.Applied));
        Assert.Equal(25, await _inner.GetPositionAsync(Ca, CancellationToken.None));
        Assert.Equal(Enumerable.Range(1, 25).Select(i => (long)i), _publisher.Published);
        await _inner.AssertAgreesWithJournalAsync(Ca);
    }

    [Fact]
    public async Task Cancel_WhileWaiting_GivesUpThePlace()
    {
        TaskCompletionSource goOn = new();
        TaskCompletionSource published = new();
        _publisher.OnPublish = () =>
        {
            published.TrySetResult();
            return goOn.Task;
        };
        using CancellationTokenSource cancel = new();
        Task<IReadOnlyList<EventOutcome>> underWay = _sequencer.SubmitAsync([Issued("a", Serial(1))], cancel.Token).AsTask();
        await published.Task;
        Task<IReadOnlyList<EventOutcome>> waiting = _sequencer.SubmitAsync([Issued("b", Serial(2))], cancel.Token).AsTask();

        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        goOn.SetResult();

        Assert.Equal([EventOutcome.Applied("a", 1)], await underWay);
        Assert.Equal([EventOutcome.Applied("c", 2)], await SubmitAsync(Issued("c", Serial(3))));
        Assert.Null(await _inner.FindStatusAsync(Ca, Serial(2), CancellationToken.None));
    }

    [Fact]
    public async Task Append_FailedAndNotWritten_ThrowsAndTheNextSubmissionWorks()
    {
        _store.NextAppend = _ => throw new RevocationStoreException("the disk is full");

        RevocationStoreException e = await Assert.ThrowsAsync<RevocationStoreException>(() => SubmitAsync(Revoked("a", Serial(1))));

        Assert.Equal("the disk is full", e.Message);
        Assert.Equal([EventOutcome.Applied("a", 1)], await SubmitAsync(Revoked("a", Serial(1))));
        Assert.Equal([1], _publisher.Published);
    }

    [Fact]
    public async Task Append_FailedButWritten_IsAppliedAndPublished()
    {
        _store.NextAppend = async append =>
        {
            await append();
            throw new RevocationStoreException("timed out");
        };

        Assert.Equal([EventOutcome.Applied("a", 1), EventOutcome.Applied("b", 2)], await SubmitAsync(Revoked("a", Serial(1)), Issued("b", Serial(2))));

        Assert.Equal([1, 2], _publisher.Published);
        Assert.Equal([EventOutcome.Applied("c", 3)], await SubmitAsync(Revoked("c", Serial(3))));
    }

    [Fact]
    public async Task Append_WrittenAfterItFailed_IsPublishedBeforeItsDuplicateIsAcknowledged()
    {
        Func<ValueTask<AppendResult>>? late = null;
        _store.NextAppend = append =>
        {
            late = append;
            throw new RevocationStoreException("timed out");
        };
        await Assert.ThrowsAsync<RevocationStoreException>(() => SubmitAsync(Revoked("a", Serial(1))));
        await late!();

        IReadOnlyList<EventOutcome> outcomes = await SubmitAsync(Revoked("a", Serial(1)), Issued("b", Serial(2)));

        Assert.Equal([EventOutcome.Duplicate("a", 1), EventOutcome.Applied("b", 2)], outcomes);
        Assert.Equal([1, 2], _publisher.Published);
    }

    [Fact]
    public async Task Append_WrittenByAnotherWriter_IsCheckedAgainAndItsEntriesPublished()
    {
        await SubmitAsync(Issued("a", Serial(1)));
        RecordingPublisher elsewhere = new();
        IssuerSequencer other = new(Ca, _inner, elsewhere, _clock);
        await other.SubmitAsync(Revoked("b", Serial(1)), CancellationToken.None);
        await other.SubmitAsync(Held("c", Serial(2)), CancellationToken.None);

        IReadOnlyList<EventOutcome> outcomes = await SubmitAsync(Revoked("d", Serial(1)), Issued("e", Serial(3)), Held("c", Serial(2)));

        Assert.Equal(
            [EventOutcome.Refused("d", EventRefusal.AlreadyRevoked, 2), EventOutcome.Applied("e", 4), EventOutcome.Duplicate("c", 3)],
            outcomes);
        Assert.Equal([1, 2, 3, 4], _publisher.Published);
        await _inner.AssertAgreesWithJournalAsync(Ca);
    }

    [Fact]
    public async Task Append_AlwaysFenced_EndsWithAnException()
    {
        void FenceNext() => _store.NextAppend = _ =>
        {
            FenceNext();
            return ValueTask.FromResult(new AppendResult(false, 0));
        };
        FenceNext();

        await Assert.ThrowsAsync<RevocationStoreException>(() => SubmitAsync(Issued("a", Serial(1))));

        Assert.Equal(0, await _inner.GetPositionAsync(Ca, CancellationToken.None));
    }

    [Fact]
    public async Task Publish_Failed_ThrowsAndIsMadeUpForBeforeAnythingIsAcknowledged()
    {
        _publisher.OnPublish = () => throw new TimeoutException("a gateway does not answer");
        await Assert.ThrowsAsync<TimeoutException>(() => SubmitAsync(Revoked("a", Serial(1))));
        await Assert.ThrowsAsync<TimeoutException>(() => SubmitAsync(Revoked("a", Serial(1)))); // the duplicate is durable, not everywhere
        await Assert.ThrowsAsync<TimeoutException>(() => SubmitAsync(Revoked("b", Serial(1)))); // so is what refuses this one

        _publisher.OnPublish = null;

        Assert.Equal([EventOutcome.Duplicate("a", 1)], await SubmitAsync(Revoked("a", Serial(1))));
        Assert.Equal([1], _publisher.Published);
    }

    [Fact]
    public async Task Store_Unreadable_ThrowsAndRecovers()
    {
        _store.IsUnreadable = true;
        await Assert.ThrowsAsync<RevocationStoreException>(() => SubmitAsync(Revoked("a", Serial(1))));

        _store.IsUnreadable = false;

        Assert.Equal([EventOutcome.Applied("a", 1)], await SubmitAsync(Revoked("a", Serial(1))));
    }

    [Fact]
    public async Task Submission_InSeveralAppendsOfWhichOneFails_CanBeSubmittedAgain()
    {
        _sequencer = NewSequencer(maxEventsPerAppend: 10);
        RevocationEvent[] events = [.. Enumerable.Range(1, 30).Select(i => Issued($"e{i}", Serial(i)))];
        _store.NextAppend = append =>
        {
            _store.NextAppend = _ => throw new RevocationStoreException("the disk is full");
            return append();
        };
        await Assert.ThrowsAsync<RevocationStoreException>(() => SubmitAsync(events));
        Assert.Equal(10, await _inner.GetPositionAsync(Ca, CancellationToken.None)); // nothing behind the caller's back

        IReadOnlyList<EventOutcome> outcomes = await SubmitAsync(events);

        Assert.Equal(Enumerable.Range(1, 30).Select(i => (long)i), outcomes.Select(outcome => outcome.Position));
        Assert.Equal(10, outcomes.Count(outcome => outcome.Kind == EventOutcomeKind.Duplicate));
    }

    private IssuerSequencer NewSequencer(int maxEventsPerAppend = 4096) =>
        new(Ca, _store, _publisher, _clock, new IssuerSequencerOptions { MaxEventsPerAppend = maxEventsPerAppend });

    private Task<IReadOnlyList<EventOutcome>> SubmitAsync(params RevocationEvent[] events) =>
        _sequencer.SubmitAsync(events, CancellationToken.None).AsTask().WaitAsync(TimeSpan.FromSeconds(30));

    private async Task RestartAsync()
    {
        await _inner.DisposeAsync();
        await InitializeAsync();
    }
}
