using System.Numerics;

namespace OcspCluster.Cli;

/// <summary>
/// Counts latencies in microseconds, to within 1.6 %: 64 buckets for each power of two, in the manner of HdrHistogram (Gil Tene). Memory is constant. Not thread-safe.
/// </summary>
internal sealed class LatencyHistogram
{
    private const int SubBucketBits = 7;
    private const int SubBuckets = 1 << SubBucketBits;
    private const int Powers = 30; // 2^37 µs is a day and a half

    private readonly long[] _counts = new long[SubBuckets * Powers];

    /// <summary>How many.</summary>
    public long Count { get; private set; }

    /// <summary>The longest, exactly.</summary>
    public long Max { get; private set; }

    /// <summary>The shortest, exactly; 0 when there is none.</summary>
    public long Min { get; private set; }

    /// <summary>The mean, exactly.</summary>
    public double Mean => Count == 0 ? 0 : Sum / Count;

    private double Sum { get; set; }

    /// <summary>Counts one.</summary>
    public void Add(long microseconds)
    {
        long value = Math.Max(0, microseconds);
        _counts[Math.Min(IndexOf(value), _counts.Length - 1)]++;
        Min = Count == 0 ? value : Math.Min(Min, value);
        Max = Math.Max(Max, value);
        Sum += value;
        Count++;
    }

    /// <summary>Counts all of another.</summary>
    public void Add(LatencyHistogram other)
    {
        for (int i = 0; i < _counts.Length; i++)
        {
            _counts[i] += other._counts[i];
        }

        Min = Count == 0 ? other.Min : other.Count == 0 ? Min : Math.Min(Min, other.Min);
        Max = Math.Max(Max, other.Max);
        Sum += other.Sum;
        Count += other.Count;
    }

    /// <summary>The latency that so many of a hundred do not exceed; 0 when there is none.</summary>
    public long Percentile(double percentile)
    {
        long rank = Math.Max(1, (long)Math.Ceiling(percentile / 100 * Count));
        long seen = 0;
        for (int i = 0; i < _counts.Length; i++)
        {
            seen += _counts[i];
            if (seen >= rank)
            {
                return Math.Min(UpperEndOf(i), Max);
            }
        }

        return Max;
    }

    /// <summary>How many lie above one bound and not above another.</summary>
    public long Between(long above, long through)
    {
        long count = 0;
        for (int i = 0; i < _counts.Length; i++)
        {
            count += UpperEndOf(i) > above && UpperEndOf(i) <= through ? _counts[i] : 0;
        }

        return count;
    }

    // Below 128 each value has its bucket; above, a power of two has 64 of them.
    private static int IndexOf(long value)
    {
        int power = Math.Max(0, BitOperations.Log2((ulong)value | 1) - SubBucketBits + 1);
        return power == 0 ? (int)value : (power * (SubBuckets / 2)) + (int)(value >> power);
    }

    private static long UpperEndOf(int index)
    {
        if (index < SubBuckets)
        {
            return index;
        }

        int power = (index / (SubBuckets / 2)) - 1;
        long sub = index - (power * (SubBuckets / 2));
        return ((sub + 1) << power) - 1;
    }
}
