using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;

namespace OcspCluster.Gateway;

/// <summary>
/// Durations counted in fixed buckets. Recording takes no lock and allocates nothing: each processor has a stripe of its own, and an uncontended interlocked addition is a few nanoseconds. Thread-safe.
/// </summary>
/// <remarks>
/// It is an instrument, too, for who exports telemetry elsewhere; recording that costs more, and only while somebody listens. <c>/metrics</c> reads the buckets here instead.
/// </remarks>
internal sealed class FixedHistogram : IDisposable
{
    /// <summary>The buckets' upper bounds in seconds, inclusive: 1, 2.5, 5 a decade. Behind the last is one more bucket without a bound.</summary>
    public static readonly double[] Bounds =
        [0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

    private static readonly ConditionalWeakTable<Instrument, FixedHistogram> s_byInstrument = [];

    private readonly TimeProvider _clock;
    private readonly Histogram<double> _instrument;
    private readonly long[] _bounds; // in ticks of the clock's timestamps
    private readonly Stripes _stripes = new(Bounds.Length + 2); // the buckets, and the sum in ticks

    /// <summary>Makes an empty one, and its instrument.</summary>
    public FixedHistogram(TimeProvider clock, Meter meter, string name, string description)
    {
        _clock = clock;
        _instrument = meter.CreateHistogram(name, "s", description, tags: null, new InstrumentAdvice<double> { HistogramBucketBoundaries = Bounds });
        s_byInstrument.Add(_instrument, this);
        _bounds = [.. Bounds.Select(bound => (long)(bound * clock.TimestampFrequency))];
    }

    /// <summary>How many buckets there are, the one without a bound included.</summary>
    public static int Buckets => Bounds.Length + 1;

    /// <summary>Whether its owner is gone.</summary>
    public bool IsDisposed { get; private set; }

    /// <summary>The sum of all durations in seconds.</summary>
    public double Sum => (double)_stripes.Sum(Buckets) / _clock.TimestampFrequency;

    /// <summary>The one behind an instrument; null for any other instrument.</summary>
    public static FixedHistogram? Find(Instrument instrument) => s_byInstrument.TryGetValue(instrument, out FixedHistogram? found) ? found : null;

    /// <summary>Says that nothing is recorded any more. The meter is its owner's.</summary>
    public void Dispose() => IsDisposed = true;

    /// <summary>Records a duration in ticks of the clock's timestamps.</summary>
    public void Record(long ticks)
    {
        Span<long> stripe = _stripes.Mine;
        Interlocked.Increment(ref stripe[BucketOf(ticks)]);
        Interlocked.Add(ref stripe[Buckets], ticks);
        if (_instrument.Enabled)
        {
            _instrument.Record((double)ticks / _clock.TimestampFrequency);
        }
    }

    /// <summary>What the buckets hold, each by itself.</summary>
    public long[] Read()
    {
        long[] counts = new long[Buckets];
        _stripes.AddTo(counts);
        return counts;
    }

    /// <summary>The duration in seconds that a part of those in the buckets stay below, as a straight line through its bucket has it; null when there are none.</summary>
    public static double? Percentile(ReadOnlySpan<long> counts, double part)
    {
        long total = 0;
        foreach (long count in counts)
        {
            total += count;
        }

        if (total == 0)
        {
            return null;
        }

        double rank = part * total;
        long below = 0;
        for (int i = 0; i < Bounds.Length; i++)
        {
            if (counts[i] > 0 && below + counts[i] >= rank)
            {
                double from = i == 0 ? 0 : Bounds[i - 1];
                return from + ((Bounds[i] - from) * (rank - below) / counts[i]);
            }

            below += counts[i];
        }

        return Bounds[^1]; // longer than the last bound: it is not known how much
    }

    private int BucketOf(long ticks)
    {
        // The most are short: a walk from the front ends sooner than a search from the middle.
        int bucket = 0;
        while (bucket < _bounds.Length && ticks > _bounds[bucket])
        {
            bucket++;
        }

        return bucket;
    }
}
