namespace OcspCluster.Gateway;

/// <summary>One point of the past. The percentiles are null where nothing was asked.</summary>
internal sealed record OverviewPoint(double Requests, double Good, double Revoked, double? P50, double? P99, double Signatures, double Backlog, double Events);

/// <summary>The points of the last hours, in a ring. Thread-safe.</summary>
internal sealed class OverviewHistory(TimeProvider clock)
{
    /// <summary>Between points.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    /// <summary>How long points are kept.</summary>
    public static readonly TimeSpan Length = TimeSpan.FromHours(6);

    private readonly Lock _lock = new();
    private readonly OverviewPoint?[] _points = new OverviewPoint?[(int)(Length / Interval)];
    private readonly long _start = clock.GetTimestamp();
    private long _last = -1; // the number of the last point, counted from the start by the monotonic clock

    /// <summary>Whether the time has come for another point.</summary>
    public bool IsDue
    {
        get
        {
            lock (_lock)
            {
                return NumberNow > _last;
            }
        }
    }

    // The point in whose interval we are is written when that is over.
    private long NumberNow => (long)(clock.GetElapsedTime(_start) / Interval) - 1;

    /// <summary>Keeps a point for the interval that is over. Those that were missed meanwhile are gaps.</summary>
    public void Add(OverviewPoint point)
    {
        lock (_lock)
        {
            long number = NumberNow;
            for (long missed = Math.Max(_last + 1, number - _points.Length + 1); missed < number; missed++)
            {
                _points[missed % _points.Length] = null;
            }

            if (number >= 0)
            {
                _points[number % _points.Length] = point;
                _last = number;
            }
        }
    }

    /// <summary>The points of the last so long, the oldest first, and the time of the first; what was before the start is a gap.</summary>
    public (DateTimeOffset From, IReadOnlyList<OverviewPoint?> Points) Read(TimeSpan window)
    {
        lock (_lock)
        {
            int count = (int)Math.Clamp(Math.Ceiling(window / Interval), 1, _points.Length);
            OverviewPoint?[] points = new OverviewPoint?[count];
            for (int i = 0; i < count; i++)
            {
                long number = _last - count + 1 + i;
                points[i] = number >= 0 ? _points[number % _points.Length] : null;
            }

            // A point's time is the end of its interval, by the wall clock as it is now.
            TimeSpan sinceLast = clock.GetElapsedTime(_start) - ((_last + 1) * Interval);
            return (clock.GetUtcNow() - sinceLast - ((count - 1) * Interval), points);
        }
    }
}
