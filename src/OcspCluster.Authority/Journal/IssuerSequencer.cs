using System.Diagnostics;

namespace OcspCluster.Authority;

// How an event becomes the truth
// ==============================
//
// One sequencer writes one issuer's journal, one turn at a time. While a turn is under way submissions queue; the next
// turn takes all of them, up to MaxEventsPerAppend events. That is the group commit: one flush to disk and one round of
// the gateways for everybody who waited, however many they are.
//
// A turn:
//   1. read      the event ids that the journal knows, and the statuses of the certificates
//   2. check     each event, in order, against StatusRules; later events of a turn see what earlier ones did
//   3. append    numbered from the last position on, fenced by it; returns when durable                     (P1)
//   4. publish   the new entries; returns when no gateway can show an older status                          (P2)
//   5. acknowledge
//
// State: _position, the journal's last position as far as we know; null when we do not know.
//        _published, the last position of which the gateways have heard; null when we do not know.
//
// Invariant: an outcome is handed out only when every entry that it speaks of, and every one before it, is published.
// That holds for refusals and duplicates too: who is told "already revoked" takes it that the world sees it.
//
// What goes wrong, and where:
// - Crash before 3: nothing happened. Crash during 3: the store has all of the turn or nothing of it. Crash after 3: the
//   events stand, unacknowledged; the CA sends them again and hears Duplicate. Gateways in other processes may not have
//   heard of them: a successor's first turn has everything published that it finds, before it acknowledges anything.
// - The store throws in 3: the outcome is unknown. The position is forgotten, and read again. If our events are in the
//   journal, the append happened and the turn goes on; if not, the callers get the exception. A write that timed out may
//   still be executed after we looked: then the next append is fenced, or the next read shows a position above
//   _published, and either way those entries are published before anything is acknowledged.
// - Fenced in 3: another sequencer wrote, or that late write landed. Everything is read and checked again.
// - The publisher throws in 4: durable but not everywhere. The callers get the exception; _published stays behind, so
//   the next turn publishes before it does anything else.
//
// Nobody's cancellation reaches 3 or 4: half a revocation is worse than a slow one. A caller may cancel while it waits
// for its turn; then nothing of its submission was looked at.

/// <summary>Checks, deduplicates, numbers, appends and publishes one issuer's events, one turn at a time. Thread-safe.</summary>
public sealed class IssuerSequencer
{
    private const int MaxFencedTurns = 16;

    private readonly IRevocationStore _store;
    private readonly IResponsePublisher _publisher;
    private readonly TimeProvider _timeProvider;
    private readonly IssuerSequencerOptions _options;
    private readonly Lock _gate = new();
    private readonly Queue<Submission> _queue = new(); // guarded by _gate
    private bool _turnUnderWay; // guarded by _gate
    private bool _isPositionDoubtful; // interlocked

    // The turn's own: only the one turn under way touches these.
    private long? _position;
    private long? _published;

    /// <summary>For one issuer. There must be one only of them; a second is held off by the fence, at the price of retries.</summary>
    public IssuerSequencer(
        IssuerId issuer, IRevocationStore store, IResponsePublisher publisher, TimeProvider timeProvider, IssuerSequencerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(publisher);
        ArgumentNullException.ThrowIfNull(timeProvider);
        Issuer = issuer;
        _store = store;
        _publisher = publisher;
        _timeProvider = timeProvider;
        _options = options ?? new IssuerSequencerOptions();
        ArgumentOutOfRangeException.ThrowIfLessThan(_options.MaxEventsPerAppend, 1, nameof(options));
    }

    /// <summary>Whose events.</summary>
    public IssuerId Issuer { get; }

    /// <summary>Submits one event of this process's own (<see cref="Submitter.Local"/>).</summary>
    /// <inheritdoc cref="SubmitAsync(IReadOnlyList{RevocationEvent}, Submitter, CancellationToken)"/>
    public async ValueTask<EventOutcome> SubmitAsync(RevocationEvent @event, CancellationToken cancellationToken) =>
        (await SubmitAsync([@event], cancellationToken).ConfigureAwait(false))[0];

    /// <summary>Submits events of this process's own (<see cref="Submitter.Local"/>).</summary>
    /// <inheritdoc cref="SubmitAsync(IReadOnlyList{RevocationEvent}, Submitter, CancellationToken)"/>
    public ValueTask<IReadOnlyList<EventOutcome>> SubmitAsync(IReadOnlyList<RevocationEvent> events, CancellationToken cancellationToken) =>
        SubmitAsync(events, Submitter.Local, cancellationToken);

    /// <summary>Submits events, which are judged in their order, each by itself: one refusal does not touch the others.</summary>
    /// <param name="events">Any number. More than <see cref="IssuerSequencerOptions.MaxEventsPerAppend"/> become durable in several steps.</param>
    /// <param name="submitter">Who submits them and from where; recorded with each entry that they make.</param>
    /// <param name="cancellationToken">Gives up the place in the queue. Once the turn has come it is without effect.</param>
    /// <returns>The outcomes, in the order of the events: applied ones are durable and every gateway knows them.</returns>
    /// <exception cref="RevocationStoreException">
    /// The outcome of some events is unknown. Submit them again with the same ids: what was recorded is then a duplicate.
    /// </exception>
    public async ValueTask<IReadOnlyList<EventOutcome>> SubmitAsync(
        IReadOnlyList<RevocationEvent> events, Submitter submitter, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(events);
        ArgumentNullException.ThrowIfNull(submitter);
        cancellationToken.ThrowIfCancellationRequested();
        if (events.Count == 0)
        {
            return [];
        }

        Submission submission = new(events, submitter);
        using CancellationTokenRegistration registration =
            cancellationToken.UnsafeRegister(static (state, token) => ((Submission)state!).TryCancel(token), submission);
        return await EnqueueAsync(submission).ConfigureAwait(false);
    }

    /// <summary>Publishes what is in the journal and perhaps not everywhere yet, as after the loss of another writer. It takes its turn as submissions do.</summary>
    /// <exception cref="RevocationStoreException">Some gateway may still show an older status.</exception>
    public async Task PublishPendingAsync()
    {
        Volatile.Write(ref _isPositionDoubtful, true); // what others wrote is to be published, too
        await EnqueueAsync(new Submission([], Submitter.Local)).ConfigureAwait(false);
    }

    private Task<IReadOnlyList<EventOutcome>> EnqueueAsync(Submission submission)
    {
        bool isFirst;
        lock (_gate)
        {
            _queue.Enqueue(submission);
            isFirst = !_turnUnderWay;
            _turnUnderWay = true;
        }

        if (isFirst)
        {
            _ = Task.Run(TakeTurnsAsync, CancellationToken.None);
        }

        return submission.Outcomes;
    }

    private async Task TakeTurnsAsync()
    {
        while (NextTurn() is { Count: > 0 } slices)
        {
            // A turn is of all who wait: its trace is the first one's, and has a link to each of the others.
            using Activity? activity = AuthorityActivities.Source.StartActivity(
                "journal.turn", ActivityKind.Internal, slices[0].Submission.Trace, tags: null, slices.Skip(1).Where(slice => slice.Submission.Trace != default).Select(slice => new ActivityLink(slice.Submission.Trace)));
            activity?.SetTag("ocsp.issuer", Issuer.ToString());
            try
            {
                IReadOnlyList<EventOutcome> outcomes = await TakeTurnAsync([.. slices.SelectMany(slice => slice.Events)]).ConfigureAwait(false);
                int from = 0;
                foreach (Slice slice in slices)
                {
                    slice.Complete(outcomes, ref from);
                }
            }
            catch (Exception e)
            {
                // Whatever it was, it goes to those who wait for this turn, and the journal is looked at afresh.
                _position = null;
                activity.Fail(e.GetType().Name);
                foreach (Slice slice in slices)
                {
                    slice.Submission.Fail(e);
                }
            }
        }
    }

    // All that wait, up to the bound; the last one perhaps in part, and its rest stays at the head of the queue.
    private List<Slice> NextTurn()
    {
        List<Slice> slices = [];
        int room = _options.MaxEventsPerAppend;
        lock (_gate)
        {
            while (room > 0 && _queue.TryPeek(out Submission? submission))
            {
                Slice? slice = submission.Take(room);
                if (slice is not null)
                {
                    slices.Add(slice);
                    room -= slice.Count;
                }

                if (slice is null || slice.IsLast)
                {
                    _queue.Dequeue();
                }
            }

            _turnUnderWay = slices.Count > 0;
        }

        return slices;
    }

    private async ValueTask<IReadOnlyList<EventOutcome>> TakeTurnAsync(IReadOnlyList<SubmittedEvent> events)
    {
        for (int attempt = 0; attempt < MaxFencedTurns; attempt++)
        {
            if (Interlocked.Exchange(ref _isPositionDoubtful, false))
            {
                _position = null;
            }

            long position = _position ??= await _store.GetPositionAsync(Issuer, CancellationToken.None).ConfigureAwait(false);
            if (events.Count == 0)
            {
                await PublishThroughAsync(position).ConfigureAwait(false);
                return [];
            }

            JournalTurn turn = await JournalTurn.CheckAsync(
                _store, Issuer, position, events, _timeProvider.GetUtcNow(), _options.FutureTolerance).ConfigureAwait(false);
            if (turn.HighestPositionSeen > position)
            {
                _position = null; // somebody else wrote, or a write of ours landed late: what was read is of two ages
                continue;
            }

            await PublishThroughAsync(position).ConfigureAwait(false);
            if (turn.Entries.Count == 0)
            {
                return turn.Outcomes;
            }

            if (await AppendAsync(position, turn.Entries).ConfigureAwait(false))
            {
                using Activity? activity = StartActivity("journal.publish", turn.Entries.Count);
                await _publisher.PublishAsync(Issuer, turn.Entries).ConfigureAwait(false);
                _published = _position;
                return turn.Outcomes;
            }
        }

        throw new RevocationStoreException(
            $"Another writer keeps appending to the journal of issuer '{Issuer}'. Make sure that only one process writes it, and submit the events again with the same ids.");
    }

    // True: the entries are in the journal. False: it was not where we took it to be, and nothing of them is in it.
    private async ValueTask<bool> AppendAsync(long position, IReadOnlyList<JournalEntry> entries)
    {
        _position = null; // until we know
        try
        {
            AppendResult result;
            using (Activity? activity = StartActivity("journal.append", entries.Count))
            {
                result = await _store.AppendAsync(Issuer, position, entries).ConfigureAwait(false);
            }

            _position = result.Position;
            return result.Appended;
        }
        catch (RevocationStoreException)
        {
            // An append is all or nothing: the last entry, just as we wrote it, stands for all of them.
            JournalEntry last = entries[^1];
            long now = await _store.GetPositionAsync(Issuer, CancellationToken.None).ConfigureAwait(false);
            JournalEntry? found = (await _store.FindEventsAsync(Issuer, [last.Event.Id], CancellationToken.None).ConfigureAwait(false))[0];
            if (found != last || now < last.Position)
            {
                throw;
            }

            _position = last.Position; // a later one is found out by the fence
            return true;
        }
    }

    // What is durable and perhaps not everywhere yet: after a failed publication or an append of unknown outcome.
    private async ValueTask PublishThroughAsync(long position)
    {
        if (_published is null)
        {
            await _publisher.PublishThroughAsync(Issuer, position).ConfigureAwait(false);
            _published = position;
        }

        if (_published >= position)
        {
            return;
        }

        List<JournalEntry> entries = [];
        await foreach (JournalEntry entry in _store.ReadJournalAsync(Issuer, _published.Value, CancellationToken.None).ConfigureAwait(false))
        {
            entries.Add(entry);
            if (entries.Count == _options.MaxEventsPerAppend)
            {
                await _publisher.PublishAsync(Issuer, entries).ConfigureAwait(false);
                _published = entry.Position;
                entries = [];
            }
        }

        if (entries.Count > 0)
        {
            await _publisher.PublishAsync(Issuer, entries).ConfigureAwait(false);
            _published = entries[^1].Position;
        }
    }

    private static Activity? StartActivity(string name, int events)
    {
        Activity? activity = AuthorityActivities.Source.StartActivity(name);
        activity?.SetTag("ocsp.events", events);
        return activity;
    }

    /// <summary>What one caller submitted, and its place in the queue.</summary>
    private sealed class Submission(IReadOnlyList<RevocationEvent> events, Submitter submitter)
    {
        private readonly TaskCompletionSource<IReadOnlyList<EventOutcome>> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly EventOutcome[] _outcomes = new EventOutcome[events.Count];
        private int _taken;
        private int _begun; // 0 waiting, 1 its turn has come, 2 cancelled

        public Task<IReadOnlyList<EventOutcome>> Outcomes => _completion.Task;

        /// <summary>The submitter's trace.</summary>
        public ActivityContext Trace { get; } = Activity.Current?.Context ?? default;

        public void TryCancel(CancellationToken cancellationToken)
        {
            if (Interlocked.CompareExchange(ref _begun, 2, 0) == 0)
            {
                _completion.TrySetCanceled(cancellationToken);
            }
        }

        public Slice? Take(int room)
        {
            // A submission whose first part failed has its answer; the rest is not carried out behind its caller's back.
            if (Interlocked.CompareExchange(ref _begun, 1, 0) == 2 || _completion.Task.IsCompleted)
            {
                return null;
            }

            int count = Math.Min(room, events.Count - _taken);
            Slice slice = new(this, _taken, count, isLast: _taken + count == events.Count);
            _taken += count;
            return slice;
        }

        public IEnumerable<SubmittedEvent> Events(int start, int count)
        {
            for (int i = start; i < start + count; i++)
            {
                yield return new SubmittedEvent(events[i], submitter);
            }
        }

        public void Complete(int index, EventOutcome outcome) => _outcomes[index] = outcome;

        public void Finish() => _completion.TrySetResult(_outcomes);

        public void Fail(Exception exception) => _completion.TrySetException(exception);
    }

    /// <summary>The part of a submission that is in this turn.</summary>
    private sealed class Slice(Submission submission, int start, int count, bool isLast)
    {
        public Submission Submission => submission;

        public int Count => count;

        public bool IsLast => isLast;

        public IEnumerable<SubmittedEvent> Events => submission.Events(start, count);

        public void Complete(IReadOnlyList<EventOutcome> outcomes, ref int from)
        {
            for (int i = 0; i < count; i++)
            {
                submission.Complete(start + i, outcomes[from++]);
            }

            if (isLast)
            {
                submission.Finish();
            }
        }
    }
}
