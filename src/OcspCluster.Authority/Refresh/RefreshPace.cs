namespace OcspCluster.Authority;

/// <summary>
/// So many signatures per second, smoothly: a token bucket that holds a fifth of a second's worth, so that a backlog is worked off evenly and not in bursts.
/// For one caller at a time.
/// </summary>
public sealed class RefreshPace
{
    private const double HeldSeconds = 0.2;

    private readonly TimeProvider _clock;
    private long _filledAt;
    private double _tokens;

    /// <summary>Begins with an empty bucket.</summary>
    public RefreshPace(int perSecond, TimeProvider clock)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(perSecond, 1);
        ArgumentNullException.ThrowIfNull(clock);
        _clock = clock;
        _filledAt = clock.GetTimestamp();
        PerSecond = perSecond;
    }

    /// <summary>Signatures per second, at least 1.</summary>
    public int PerSecond { get; set; }

    /// <summary>The part of it that is one's own, where several share a pace. Default 1.</summary>
    public double Share { get; set; } = 1;

    /// <summary>Takes one signature; false when it is not yet its time.</summary>
    public bool TryTake()
    {
        long now = _clock.GetTimestamp();
        double perSecond = PerSecond * Share;
        _tokens = Math.Min(Math.Max(1, perSecond * HeldSeconds), _tokens + (_clock.GetElapsedTime(_filledAt, now).TotalSeconds * perSecond));
        _filledAt = now;
        if (_tokens < 1 - 1e-9) // tenths of seconds have no exact double
        {
            return false;
        }

        _tokens--;
        return true;
    }

    /// <summary>Gives one back that was not used.</summary>
    public void Return() => _tokens++;
}
