namespace OcspCluster.Authority;

/// <summary>
/// How many signatures may be spent on requests that no cache can serve: a token bucket that holds one second's worth, so that a flood of them takes
/// a bounded part of the machine and answers from the cache go on. Thread-safe; a lock of some nanoseconds beside a signature of tens of microseconds.
/// </summary>
public sealed class SigningBudget
{
    private readonly TimeProvider _clock;
    private readonly double _perSecond;
    private readonly Lock _lock = new();
    private double _tokens;
    private long _filledAt;

    /// <summary>Makes a full bucket.</summary>
    /// <param name="perSecond">Signatures per second, at least 1.</param>
    /// <param name="clock">The clock; only its monotonic time is used.</param>
    public SigningBudget(int perSecond, TimeProvider clock)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(perSecond, 1);
        ArgumentNullException.ThrowIfNull(clock);
        _clock = clock;
        _perSecond = perSecond;
        _tokens = perSecond;
        _filledAt = clock.GetTimestamp();
    }

    /// <summary>Takes one signature; false when the budget is spent for now.</summary>
    public bool TryTake()
    {
        lock (_lock)
        {
            long now = _clock.GetTimestamp();
            _tokens = Math.Min(_perSecond, _tokens + (_clock.GetElapsedTime(_filledAt, now).TotalSeconds * _perSecond));
            _filledAt = now;
            if (_tokens < 1)
            {
                return false;
            }

            _tokens--;
            return true;
        }
    }
}
