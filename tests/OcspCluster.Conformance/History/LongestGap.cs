namespace OcspCluster.Conformance;

/// <summary>The longest time between two of something, in ticks: in all, and since a mark. Thread-safe.</summary>
public sealed class LongestGap
{
    private readonly Lock _lock = new();
    private long _last;
    private long _mark;
    private long _longest;
    private long _sinceMark;
    private bool _isCounting;

    /// <summary>The longest between two of them, or between a beginning and the first.</summary>
    public long Longest
    {
        get
        {
            lock (_lock)
            {
                return _longest;
            }
        }
    }

    /// <summary>One more.</summary>
    public void Note(long at)
    {
        lock (_lock)
        {
            if (!_isCounting)
            {
                return;
            }

            _longest = Math.Max(_longest, at - _last);
            _sinceMark = Math.Max(_sinceMark, at - Math.Max(_last, _mark));
            _last = Math.Max(_last, at);
        }
    }

    /// <summary>What was before does not count: it begins, or goes on after a time that is no gap.</summary>
    public void Begin(long at)
    {
        lock (_lock)
        {
            (_last, _mark, _sinceMark, _isCounting) = (at, at, 0, true);
        }
    }

    /// <summary>What comes now does not count, until it begins again.</summary>
    public void End()
    {
        lock (_lock)
        {
            _isCounting = false;
        }
    }

    /// <summary>From here on <see cref="SinceMark"/> counts.</summary>
    public void Mark(long at)
    {
        lock (_lock)
        {
            (_mark, _sinceMark) = (at, 0);
        }
    }

    /// <summary>The longest since the mark, one that has not ended included.</summary>
    public long SinceMark(long now)
    {
        lock (_lock)
        {
            return Math.Max(_sinceMark, now - Math.Max(_last, _mark));
        }
    }
}
