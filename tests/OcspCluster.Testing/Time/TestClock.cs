namespace OcspCluster.Testing;

/// <summary>
/// A clock that stands still until a test moves it. <see cref="Advance"/> moves wall time and monotonic time and fires the timers that
/// fall due, in their order, on the caller's thread. Thread-safe.
/// </summary>
public sealed class TestClock(DateTimeOffset start) : TimeProvider
{
    private readonly Lock _lock = new();
    private readonly List<TestTimer> _timers = [];
    private DateTimeOffset _now = start.ToUniversalTime();
    private long _ticks;

    /// <summary>15 June 2026, noon, and 250 ms: a fraction, so that a missing truncation shows.</summary>
    public TestClock()
        : this(new DateTimeOffset(2026, 6, 15, 12, 0, 0, 250, TimeSpan.Zero))
    {
    }

    /// <inheritdoc/>
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <summary>How many timers wait to be fired.</summary>
    public int WaitingTimers
    {
        get
        {
            lock (_lock)
            {
                return _timers.Count;
            }
        }
    }

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow()
    {
        lock (_lock)
        {
            return _now;
        }
    }

    /// <inheritdoc/>
    public override long GetTimestamp()
    {
        lock (_lock)
        {
            return _ticks;
        }
    }

    /// <summary>Sets the wall clock, forwards or back, as an operator or NTP does: monotonic time and timers do not move.</summary>
    public void SetUtcNow(DateTimeOffset now)
    {
        lock (_lock)
        {
            _now = now.ToUniversalTime();
        }
    }

    /// <summary>Lets time pass, and fires every timer that falls due meanwhile at its own time.</summary>
    public void Advance(TimeSpan by)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(by, TimeSpan.Zero);
        long end;
        lock (_lock)
        {
            end = _ticks + by.Ticks;
        }

        while (TakeNextDue(end) is { } due)
        {
            due.Fire();
        }
    }

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        ArgumentNullException.ThrowIfNull(callback);
        TestTimer timer = new(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    private TestTimer? TakeNextDue(long end)
    {
        lock (_lock)
        {
            TestTimer? next = _timers.Where(timer => timer.DueAt <= end).MinBy(timer => timer.DueAt);
            long at = next is null ? end : Math.Max(next.DueAt, _ticks);
            _now += TimeSpan.FromTicks(at - _ticks);
            _ticks = at;
            if (next is not null)
            {
                if (next.Period > TimeSpan.Zero)
                {
                    next.DueAt = at + next.Period.Ticks;
                }
                else
                {
                    _timers.Remove(next);
                }
            }

            return next;
        }
    }

    private sealed class TestTimer(TestClock clock, TimerCallback callback, object? state) : ITimer
    {
        public long DueAt { get; set; }

        public TimeSpan Period { get; private set; }

        public void Fire() => callback(state);

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            bool fireNow;
            lock (clock._lock)
            {
                clock._timers.Remove(this);
                Period = period == Timeout.InfiniteTimeSpan ? TimeSpan.Zero : period;
                fireNow = dueTime == TimeSpan.Zero && Period == TimeSpan.Zero;
                if (dueTime != Timeout.InfiniteTimeSpan && !fireNow)
                {
                    DueAt = clock._ticks + dueTime.Ticks;
                    clock._timers.Add(this);
                }
            }

            if (fireNow)
            {
                // As the system's timer does: due at once means on the pool, not on the caller's stack.
                ThreadPool.QueueUserWorkItem(static timer => timer.Fire(), this, preferLocal: false);
            }

            return true;
        }

        public void Dispose()
        {
            lock (clock._lock)
            {
                clock._timers.Remove(this);
            }
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
