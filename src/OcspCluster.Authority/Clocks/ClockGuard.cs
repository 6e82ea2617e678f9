namespace OcspCluster.Authority;

/// <summary>Whether the wall clock can be signed by.</summary>
public enum ClockState
{
    /// <summary>Nothing speaks against it.</summary>
    Sound,

    /// <summary>It went back against the monotonic clock of the machine: what was signed before is dated later than now.</summary>
    JumpedBack,

    /// <summary>It lies before the last entry of a journal.</summary>
    BehindJournal,

    /// <summary>It lies absurdly far after the last entry of a journal.</summary>
    FarAfterJournal,
}

/// <summary>How far a clock may be off before nothing is signed by it. Immutable.</summary>
public sealed record ClockTolerances
{
    /// <summary>The defaults.</summary>
    public static ClockTolerances Default { get; } = new();

    /// <summary>How far it may go back, against the monotonic clock and against the journal. 1 second to 1 day. Default 1 minute.</summary>
    public TimeSpan Back { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How long after the last entry of the newest journal it may be. 1 day to 100 years. Default 5 years, for a root CA may be silent long.</summary>
    public TimeSpan Silence { get; init; } = TimeSpan.FromDays(5 * 365);

    /// <summary>Every bound that these values break, each with name, value and bound; empty when none.</summary>
    public IEnumerable<string> FindErrors()
    {
        if (Back < TimeSpan.FromSeconds(1) || Back > TimeSpan.FromDays(1))
        {
            yield return $"Back is {Back}: 1 second to 1 day";
        }

        if (Silence < TimeSpan.FromDays(1) || Silence > TimeSpan.FromDays(36_500))
        {
            yield return $"Silence is {Silence}: 1 day to 36500 days";
        }
    }
}

/// <summary>Watches the wall clock, by which every answer is dated: while it cannot be right, nothing is signed, and what is signed already is given on. Thread-safe.</summary>
/// <remarks>
/// <para>
/// A clock that went back would date answers before those that clients have; they keep the older answer, or take the newer one for a replay. One that is far ahead makes
/// answers that are not valid yet, and once it is set right they are still about. The monotonic clock sees a jump while the process lives; the journal, whose entries are
/// dated, sees one across restarts.
/// </para>
/// <para>
/// After a jump back signing goes on when the wall clock has come to where it was, less the tolerance; or when an operator who has looked at the clock says that it is right
/// (<see cref="Accept"/>). A jump ahead alone is no reason: a machine that slept makes one.
/// </para>
/// </remarks>
public sealed class ClockGuard
{
    private readonly TimeProvider _clock;
    private readonly ClockTolerances _tolerances;
    private readonly Lock _lock = new();
    private DateTimeOffset _highest;
    private DateTimeOffset _lastLook;
    private long _lastTimestamp;
    private bool _isBack;
    private DateTimeOffset? _journal;

    /// <summary>Begins to watch.</summary>
    public ClockGuard(TimeProvider clock, ClockTolerances? tolerances = null)
    {
        ArgumentNullException.ThrowIfNull(clock);
        _clock = clock;
        _tolerances = tolerances ?? ClockTolerances.Default;
        _highest = _lastLook = clock.GetUtcNow();
        _lastTimestamp = clock.GetTimestamp();
    }

    /// <summary>How far it may be off.</summary>
    public ClockTolerances Tolerances => _tolerances;

    /// <summary>Looks at the clock. Costs tens of nanoseconds.</summary>
    public ClockState State
    {
        get
        {
            lock (_lock)
            {
                return Look(_clock.GetUtcNow(), _clock.GetTimestamp());
            }
        }
    }

    /// <summary>What is wrong, in a sentence for operators; null when nothing is.</summary>
    public string? Problem
    {
        get
        {
            lock (_lock)
            {
                DateTimeOffset now = _clock.GetUtcNow();
                return Look(now, _clock.GetTimestamp()) switch
                {
                    ClockState.JumpedBack => $"the clock went back: it is {now:u}, and was {_highest:u} before; nothing is signed until it is there again, or it is accepted as it is",
                    ClockState.BehindJournal => $"the clock says {now:u}, but an event was recorded at {_journal:u}; nothing is signed until it is set right, or it is accepted as it is",
                    ClockState.FarAfterJournal => $"the clock says {now:u}, {(now - _journal!.Value).TotalDays:F0} days after the last event was recorded; nothing is signed until it is set right, or it is accepted as it is",
                    _ => null,
                };
            }
        }
    }

    /// <summary>Takes note of when an entry of a journal was recorded.</summary>
    public void NoteRecorded(DateTimeOffset receivedAt)
    {
        lock (_lock)
        {
            if (_journal is null || receivedAt > _journal)
            {
                _journal = receivedAt;
            }
        }
    }

    /// <summary>Takes note of the last entries of journals: at start, before anything is signed.</summary>
    public async Task NoteJournalsAsync(IRevocationStore store, IEnumerable<IssuerId> issuers, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(issuers);
        foreach (IssuerId issuer in issuers)
        {
            long position = await store.GetPositionAsync(issuer, cancellationToken).ConfigureAwait(false);
            await foreach (JournalEntry entry in store.ReadJournalAsync(issuer, Math.Max(0, position - 1), cancellationToken).ConfigureAwait(false))
            {
                NoteRecorded(entry.ReceivedAt);
            }
        }
    }

    /// <summary>Takes the clock for right as it is now: an operator has looked. What the journals say counts again from the next entry on.</summary>
    public void Accept()
    {
        lock (_lock)
        {
            _isBack = false;
            _journal = null;
            _highest = _lastLook = _clock.GetUtcNow();
            _lastTimestamp = _clock.GetTimestamp();
        }
    }

    private ClockState Look(DateTimeOffset now, long timestamp)
    {
        // It went back when it is before where it would be had it and the monotonic clock run alike since the last look; or, for many small steps make a large one,
        // before the highest that was seen.
        _isBack = now < _highest - _tolerances.Back
            || (!_isBack && now < _lastLook + _clock.GetElapsedTime(_lastTimestamp, timestamp) - _tolerances.Back);
        if (_isBack)
        {
            _highest = Later(_highest, _lastLook + _clock.GetElapsedTime(_lastTimestamp, timestamp)); // where it was when it went back
            (_lastLook, _lastTimestamp) = (now, timestamp);
            return ClockState.JumpedBack;
        }

        _highest = Later(_highest, now);
        (_lastLook, _lastTimestamp) = (now, timestamp);
        return _journal switch
        {
            DateTimeOffset journal when now < journal - _tolerances.Back => ClockState.BehindJournal,
            DateTimeOffset journal when now - journal > _tolerances.Silence => ClockState.FarAfterJournal,
            _ => ClockState.Sound,
        };
    }

    private static DateTimeOffset Later(DateTimeOffset a, DateTimeOffset b) => a > b ? a : b;
}
