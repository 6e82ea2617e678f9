namespace OcspCluster.Gateway;

/// <summary>All that is counted, as of one moment. Immutable.</summary>
internal sealed record Totals(long Timestamp, long[] Answers, long[] Latency, long Signatures, long Events, long[] Acknowledgements, TimeSpan? LongestPublication);

/// <summary>The totals of the last minute, a second apart: what rates and percentiles are made of. For one caller at a time.</summary>
internal sealed class FigureWindow(TimeProvider clock, Totals first)
{
    /// <summary>What rates are over.</summary>
    public static readonly TimeSpan RateSpan = TimeSpan.FromSeconds(10);

    /// <summary>What percentiles and ratios are over.</summary>
    public static readonly TimeSpan PercentileSpan = TimeSpan.FromSeconds(60);

    private readonly Queue<Totals> _past = new([first]);

    /// <summary>Keeps totals, and forgets those that nobody asks for any more.</summary>
    public void Add(Totals totals)
    {
        _past.Enqueue(totals);
        while (_past.Count > 2 && clock.GetElapsedTime(_past.ElementAt(1).Timestamp, totals.Timestamp) >= PercentileSpan)
        {
            _past.Dequeue();
        }
    }

    /// <summary>The totals so long before these: the latest that are as old, or the oldest that there are.</summary>
    public Totals Before(Totals totals, TimeSpan span)
    {
        Totals found = _past.Peek();
        foreach (Totals past in _past)
        {
            if (clock.GetElapsedTime(past.Timestamp, totals.Timestamp) < span)
            {
                break;
            }

            found = past;
        }

        return found;
    }

    /// <summary>The longest publication of the last minute; null when there was none.</summary>
    public TimeSpan? LongestPublication(Totals totals) => _past.Append(totals)
        .Where(past => clock.GetElapsedTime(past.Timestamp, totals.Timestamp) <= PercentileSpan)
        .Max(past => past.LongestPublication);

    /// <summary>How many a second; of less than a second as if it had been one.</summary>
    public double RateOf(long count, Totals from, Totals to) => count / Math.Max(1, clock.GetElapsedTime(from.Timestamp, to.Timestamp).TotalSeconds);

    /// <summary>What came to each counter.</summary>
    public static long[] Difference(long[] from, long[] to)
    {
        long[] difference = new long[to.Length];
        for (int i = 0; i < to.Length; i++)
        {
            difference[i] = to[i] - from[i];
        }

        return difference;
    }
}
