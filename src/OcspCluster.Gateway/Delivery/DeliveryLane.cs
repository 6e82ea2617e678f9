using Microsoft.Extensions.Logging;
using OcspCluster.Authority;

namespace OcspCluster.Gateway;

// One receiver in one journal
//
//     journal, published ──→ read a batch behind the cursor ──→ intend: cursor {position, intended = its end, holder, lease}
//                                        ↑                                     │ durable
//                                        │                               deliver, the lease renewed meanwhile
//                                        │                                     │
//                  cursor {position = intended} ←── 2xx ───────────────────────┤
//                  the same intent again, later ←── anything else ─────────────┤
//                  cursor {paused} ←── 410 ────────────────────────────────────┘
//
// The journal and the cursor are the outbox: nothing is queued, so nothing is dropped, and an event costs a receiver that is away nothing but its place in the journal. Every write of the
// cursor is a comparison with what this host knew of it. One that fails tells that another host, or an operator, was there: the cursor is read again.
// A crash at any point leaves an intent at most, and whoever goes on sends the same entries, which make the same message with the same id.

/// <summary>Delivers one issuer's journal to one receiver, in order. Its loop is one task; the rest is thread-safe.</summary>
internal sealed partial class DeliveryLane(
    Receiver receiver, IssuerId issuer, PublishedJournal journal, IRevocationStore store, IDeliveryCursorStore cursors, string holder, DeliveryMeter meter, TimeProvider clock, ILogger log)
{
    private const int MaxScan = 10_000;
    private static readonly TimeSpan s_firstBackoff = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_look = TimeSpan.FromSeconds(10);

    private volatile DeliveryReport _report = new();
    private volatile TaskCompletionSource _woken = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private DeliveryCursor? _cursor; // as this host last saw it
    private long _scanned; // behind the cursor: what this receiver does not want needs no write each time
    private bool _isAhead; // the cursor is beyond what this host has heard of
    private int _limit = receiver.Options.BatchSize;

    public Receiver Receiver => receiver;

    public IssuerId Issuer => issuer;

    public DeliveryReport Report => _report;

    /// <summary>Entries that are published and not delivered.</summary>
    public long LagEntries => Math.Max(0, journal.GetPosition(issuer) - _report.Position);

    /// <summary>How old the oldest of them is.</summary>
    public TimeSpan Lag => _report.OldestReceivedAt is { } oldest && LagEntries > 0 && clock.GetUtcNow() > oldest ? clock.GetUtcNow() - oldest : TimeSpan.Zero;

    /// <summary>Has it look at once, whatever it waits for: the cursor was moved.</summary>
    public void Wake() => Interlocked.Exchange(ref _woken, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();

    /// <summary>
    /// Writes the cursor of a receiver that has none. Before the host takes events: what it acknowledges afterwards lies behind the cursor, whenever the loop begins.
    /// Where the store cannot be reached the loop does it later.
    /// </summary>
    public async Task OpenFirstAsync(CancellationToken cancellationToken)
    {
        try
        {
            await OpenAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (RevocationStoreException e)
        {
            LogFault(receiver.Options.Name, issuer.ToString(), e.Message, e);
        }
    }

    /// <summary>Delivers until it is told to end.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            Task changed = journal.Changed;
            Task woken = _woken.Task;
            TimeSpan? wait;
            try
            {
                wait = await StepAsync(stopping).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                break;
            }
#pragma warning disable CA1031 // Whatever a store or a receiver does, the other lanes go on, and so does this one later.
            catch (Exception e)
#pragma warning restore CA1031
            {
                LogFault(receiver.Options.Name, issuer.ToString(), e.Message, e);
                _cursor = null; // the outcome of a write that failed is unknown
                wait = NoteFailure(e is RevocationStoreException ? $"store: {e.Message}" : $"fault: {e.GetType().Name}", TimeSpan.Zero);
            }

            await WaitAsync(wait, changed, woken, stopping).ConfigureAwait(false);
            if (woken.IsCompleted)
            {
                _cursor = null;
            }
        }

        await ReleaseAsync().ConfigureAwait(false);
    }

    /// <summary>What the cursor should be that this host resumes; null when there is none yet.</summary>
    public ValueTask<DeliveryCursor?> ReadCursorAsync(CancellationToken cancellationToken) => cursors.FindCursorAsync(receiver.Options.Name, issuer, cancellationToken);

    /// <summary>Ends a pause, and begins behind a position where one is given.</summary>
    /// <returns>False when there is no cursor, or it moved meanwhile.</returns>
    public async Task<bool> ResumeAsync(long? after, CancellationToken cancellationToken)
    {
        if (await ReadCursorAsync(cancellationToken).ConfigureAwait(false) is not { } cursor)
        {
            return false;
        }

        DeliveryCursor resumed = cursor with { PausedBecause = null };
        resumed = after is { } position ? resumed with { Position = position, IntendedPosition = position } : resumed;
        if (resumed != cursor && !await cursors.TryMoveCursorAsync(receiver.Options.Name, issuer, cursor, resumed).ConfigureAwait(false))
        {
            return false;
        }

        Wake();
        return true;
    }

    // Null: until something is published. Zero: at once.
    private async Task<TimeSpan?> StepAsync(CancellationToken stopping)
    {
        DeliveryCursor cursor = _cursor ?? await OpenAsync(stopping).ConfigureAwait(false);
        _report = _report with { Position = Math.Max(cursor.Position, _scanned), PausedBecause = cursor.PausedBecause, HeldBy = null, NextAttemptAt = null };
        long end = journal.GetPosition(issuer);
        _isAhead = cursor.IntendedPosition > end;
        if (_isAhead)
        {
            return await FindAheadAsync(cursor, stopping).ConfigureAwait(false);
        }

        (List<JournalEntry> entries, long batchEnd) = await ReadBatchAsync(cursor, stopping).ConfigureAwait(false);
        _report = _report with { OldestReceivedAt = entries.Count > 0 ? entries[0].ReceivedAt : null };
        if (cursor.PausedBecause is not null)
        {
            _cursor = null; // another host may have been told to resume
            return s_look;
        }

        if (entries.Count == 0 && cursor.IntendedPosition == cursor.Position)
        {
            return await SkipAsync(cursor, batchEnd, end).ConfigureAwait(false);
        }

        if (cursor.Holder != holder && cursor.HeldUntil > clock.GetUtcNow())
        {
            _cursor = null;
            _report = _report with { HeldBy = cursor.Holder };
            return cursor.HeldUntil - clock.GetUtcNow() + TimeSpan.FromMilliseconds(1);
        }

        return await IntendAsync(cursor, batchEnd).ConfigureAwait(false) is { } intended
            ? await DeliverAsync(intended, entries, stopping).ConfigureAwait(false)
            : TimeSpan.Zero;
    }

    private async Task<DeliveryCursor> OpenAsync(CancellationToken stopping)
    {
        DeliveryCursor? found;
        while ((found = await ReadCursorAsync(stopping).ConfigureAwait(false)) is null)
        {
            // Written at once: the end of the journal is what it is now, not at the first event. The store's end: a silo that starts has not heard yet of what is published.
            long start = receiver.Options.From == DeliveryStart.Beginning ? 0 : await store.GetPositionAsync(issuer, stopping).ConfigureAwait(false);
            await MoveAsync(null, DeliveryCursor.At(start)).ConfigureAwait(false);
        }

        _scanned = found.Position;
        return _cursor = found;
    }

    // This host has not heard of all yet that another one delivers, or the journal is another one than was delivered.
    private async Task<TimeSpan?> FindAheadAsync(DeliveryCursor cursor, CancellationToken stopping)
    {
        long end = await store.GetPositionAsync(issuer, stopping).ConfigureAwait(false);
        if (cursor.IntendedPosition > end && cursor.PausedBecause is null)
        {
            await PauseAsync(cursor, $"the journal ends at position {end}, before the cursor at {cursor.IntendedPosition}: it is not the one that was delivered. Was a backup restored? Resume it behind the position to go on from").ConfigureAwait(false);
            return TimeSpan.Zero;
        }

        _cursor = null;
        return s_look;
    }

    // What is intended, to the entry; else as much as is wanted and there.
    private async Task<(List<JournalEntry> Entries, long End)> ReadBatchAsync(DeliveryCursor cursor, CancellationToken stopping)
    {
        bool isIntended = cursor.IntendedPosition > cursor.Position;
        long last = isIntended ? cursor.IntendedPosition : Math.Min(journal.GetPosition(issuer), _scanned + MaxScan);
        long end = isIntended ? cursor.Position : _scanned;
        List<JournalEntry> entries = [];
        await foreach (JournalEntry entry in journal.ReadAsync(issuer, end, stopping).ConfigureAwait(false))
        {
            if (entry.Position > last)
            {
                break;
            }

            end = entry.Position;
            if (receiver.Wants(issuer, entry))
            {
                entries.Add(entry);
            }

            if (end == last || (!isIntended && entries.Count == _limit))
            {
                break;
            }
        }

        return (entries, isIntended ? last : end);
    }

    private async Task<TimeSpan?> SkipAsync(DeliveryCursor cursor, long batchEnd, long end)
    {
        _scanned = batchEnd;
        _report = _report with { Position = batchEnd };
        bool mayWrite = cursor.Holder == holder || cursor.HeldUntil <= clock.GetUtcNow();
        if (batchEnd - cursor.Position >= MaxScan && mayWrite)
        {
            await MoveAsync(cursor, cursor with { Position = batchEnd, IntendedPosition = batchEnd }).ConfigureAwait(false);
        }

        return batchEnd < end ? TimeSpan.Zero : null;
    }

    // The intent is written before the message is sent. One that is there already is kept as it is, with a lease that lasts.
    private async Task<DeliveryCursor?> IntendAsync(DeliveryCursor cursor, long batchEnd)
    {
        DateTimeOffset now = clock.GetUtcNow();
        bool isHeld = cursor.Holder == holder && cursor.HeldUntil - now > DeliveryOptions.Lease / 2;
        DeliveryCursor intended = cursor with { IntendedPosition = batchEnd, Holder = holder, HeldUntil = isHeld ? cursor.HeldUntil : now + DeliveryOptions.Lease };
        return intended == cursor || await MoveAsync(cursor, intended).ConfigureAwait(false) ? intended : null;
    }

    private async Task<TimeSpan?> DeliverAsync(DeliveryCursor cursor, List<JournalEntry> entries, CancellationToken stopping)
    {
        DeliveryResult result = DeliveryResult.Delivered;
        if (entries.Count > 0) // none where the receiver was configured anew since the intent
        {
            using CancellationTokenSource lost = CancellationTokenSource.CreateLinkedTokenSource(stopping);
            long startedAt = clock.GetTimestamp();
            Task<DeliveryResult> delivery = receiver.DeliverAsync(issuer, entries, lost.Token);
            if (await RenewUntilAsync(delivery, cursor, lost).ConfigureAwait(false) is not { } held)
            {
                return TimeSpan.Zero;
            }

            (cursor, result) = (held, await delivery.ConfigureAwait(false));
            meter.Record(receiver, issuer, result, entries.Count, clock.GetElapsedTime(startedAt));
        }

        DeliveryCursor done = cursor with { Position = cursor.IntendedPosition };
        switch (result.Outcome)
        {
            case DeliveryOutcome.Delivered:
                _limit = Math.Min(receiver.Options.BatchSize, _limit * 2);
                LogRecovered(entries.Count);
                _report = _report with { LastSuccessAt = entries.Count > 0 ? clock.GetUtcNow() : _report.LastSuccessAt, Failures = 0, FailingSince = null };
                await MoveAsync(cursor, done).ConfigureAwait(false);
                return TimeSpan.Zero;
            case DeliveryOutcome.Gone:
                NoteFailure(result.Reason, TimeSpan.Zero);
                await PauseAsync(cursor, result.Reason).ConfigureAwait(false);
                return TimeSpan.Zero;
            default:
                TimeSpan delay = NoteFailure(result.Reason, result.RetryAfter);
                bool isSplit = result.Outcome == DeliveryOutcome.TooLarge && entries.Count > 1;
                _limit = isSplit ? entries.Count / 2 : _limit;

                // Kept until the next attempt: several hosts would try several times as often.
                await MoveAsync(cursor, cursor with { HeldUntil = clock.GetUtcNow() + delay + DeliveryOptions.Lease, IntendedPosition = isSplit ? cursor.Position : cursor.IntendedPosition }).ConfigureAwait(false);
                return delay;
        }
    }

    // Null when the lease was lost, and the delivery with it.
    private async Task<DeliveryCursor?> RenewUntilAsync(Task<DeliveryResult> delivery, DeliveryCursor cursor, CancellationTokenSource lost)
    {
        try
        {
            while (!await IsDoneAsync(delivery, DeliveryOptions.Lease / 3, lost.Token).ConfigureAwait(false))
            {
                DeliveryCursor renewed = cursor with { HeldUntil = clock.GetUtcNow() + DeliveryOptions.Lease };
                if (!await MoveAsync(cursor, renewed).ConfigureAwait(false))
                {
                    await GiveUpAsync(delivery, lost).ConfigureAwait(false);
                    return null;
                }

                cursor = renewed;
            }

            return cursor;
        }
        catch
        {
            await GiveUpAsync(delivery, lost).ConfigureAwait(false);
            throw;
        }
    }

    private async Task<bool> IsDoneAsync(Task delivery, TimeSpan wait, CancellationToken lost)
    {
        using CancellationTokenSource waited = CancellationTokenSource.CreateLinkedTokenSource(lost);
        await Task.WhenAny(delivery, Task.Delay(wait, clock, waited.Token)).ConfigureAwait(false);
        await waited.CancelAsync().ConfigureAwait(false);
        return delivery.IsCompleted || lost.IsCancellationRequested;
    }

    // No attempt may overlap the next one.
    private static async Task GiveUpAsync(Task delivery, CancellationTokenSource lost)
    {
        await lost.CancelAsync().ConfigureAwait(false);
        await delivery.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task PauseAsync(DeliveryCursor cursor, string reason)
    {
        LogPaused(receiver.Options.Name, issuer.ToString(), reason);
        string shortened = reason.Length > DeliveryCursor.MaxReasonLength ? reason[..DeliveryCursor.MaxReasonLength] : reason;
        await MoveAsync(cursor, cursor with { PausedBecause = shortened, HeldUntil = DateTimeOffset.UnixEpoch, Holder = "" }).ConfigureAwait(false);
    }

    // What is known of the cursor is what was written, or nothing.
    private async Task<bool> MoveAsync(DeliveryCursor? expected, DeliveryCursor next)
    {
        bool isMoved = await cursors.TryMoveCursorAsync(receiver.Options.Name, issuer, expected, next).ConfigureAwait(false);
        _cursor = isMoved ? next : null;
        if (isMoved)
        {
            _scanned = Math.Max(_scanned, next.Position);
        }

        return isMoved;
    }

    private TimeSpan NoteFailure(string reason, TimeSpan retryAfter)
    {
        int failures = _report.Failures + 1;
        double seconds = Math.Min(receiver.Options.MaxBackoff.TotalSeconds, s_firstBackoff.TotalSeconds * Math.Pow(2, Math.Min(failures - 1, 20)));
#pragma warning disable CA5394 // Spreads attempts; nobody gains by guessing it.
        TimeSpan delay = TimeSpan.FromSeconds(seconds * (0.5 + (Random.Shared.NextDouble() / 2)));
#pragma warning restore CA5394
        delay = delay > retryAfter ? delay : retryAfter;
        DateTimeOffset now = clock.GetUtcNow();
        _report = _report with { Failures = failures, LastFailureAt = now, FailingSince = _report.FailingSince ?? now, LastFailure = reason, NextAttemptAt = now + delay };
        if (failures == 1)
        {
            LogFailed(receiver.Options.Name, issuer.ToString(), reason);
        }

        return delay;
    }

    private void LogRecovered(int entries)
    {
        if (_report.Failures > 0)
        {
            LogDeliveredAgain(receiver.Options.Name, issuer.ToString(), entries, _report.Failures);
        }
    }

    private async Task WaitAsync(TimeSpan? wait, Task changed, Task woken, CancellationToken stopping)
    {
        if (wait == TimeSpan.Zero)
        {
            return;
        }

        using CancellationTokenSource ended = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        List<Task> waits = [woken, Task.Delay(wait ?? Timeout.InfiniteTimeSpan, clock, ended.Token)];
        if (wait is null || _isAhead)
        {
            waits.Add(changed);
        }

        await Task.WhenAny(waits).ConfigureAwait(false);
        await ended.CancelAsync().ConfigureAwait(false);
    }

    // Whoever goes on need not wait for the lease to end.
    private async Task ReleaseAsync()
    {
        try
        {
            if (_cursor is { } cursor && (cursor.Holder == holder || cursor.HeldUntil <= clock.GetUtcNow()))
            {
                long position = cursor.IntendedPosition > cursor.Position ? cursor.Position : Math.Max(_scanned, cursor.Position);
                DeliveryCursor released = cursor with { Position = position, IntendedPosition = Math.Max(position, cursor.IntendedPosition), Holder = "", HeldUntil = DateTimeOffset.UnixEpoch };
                _ = released == cursor || await MoveAsync(cursor, released).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is RevocationStoreException or ObjectDisposedException)
        {
            LogFault(receiver.Options.Name, issuer.ToString(), e.Message, e);
        }
    }

    [LoggerMessage(50, LogLevel.Error, "Receiver {Receiver}, issuer {Issuer}: deliveries are paused until an operator resumes them (docs/API.md): {Reason}")]
    private partial void LogPaused(string receiver, string issuer, string reason);

    [LoggerMessage(51, LogLevel.Warning, "Receiver {Receiver}, issuer {Issuer}: a delivery failed and is tried again until it succeeds: {Reason}")]
    private partial void LogFailed(string receiver, string issuer, string reason);

    [LoggerMessage(52, LogLevel.Information, "Receiver {Receiver}, issuer {Issuer}: {Entries} events were delivered after {Failures} attempts that failed")]
    private partial void LogDeliveredAgain(string receiver, string issuer, int entries, int failures);

    [LoggerMessage(53, LogLevel.Error, "Receiver {Receiver}, issuer {Issuer}: deliveries rest: {Reason}")]
    private partial void LogFault(string receiver, string issuer, string reason, Exception exception);
}
