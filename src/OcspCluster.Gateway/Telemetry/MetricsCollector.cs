using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;

namespace OcspCluster.Gateway;

/// <summary>Adds up what the instruments of this process measure, for <see cref="PrometheusText"/>. Thread-safe.</summary>
/// <remarks>
/// It listens to our meters and to <c>System.Runtime</c>. The histograms of the request path are not listened to: their buckets are read where they are (<see cref="FixedHistogram"/>), so that being
/// scraped costs requests nothing.
/// </remarks>
internal sealed class MetricsCollector : IDisposable
{
    /// <summary>More label sets than this of one instrument are not kept: none of ours has so many.</summary>
    private const int MaxSeries = 2000;

    private readonly MeterListener _listener = new();
    private readonly ConcurrentDictionary<Instrument, ConcurrentDictionary<string, Series>> _instruments = new();
    private readonly Lock _lock = new(); // one scrape at a time: observable instruments answer into the same series

    /// <summary>Begins to listen.</summary>
    public MetricsCollector()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (IsOurs(instrument.Meter) || instrument.Meter.Name == "System.Runtime")
            {
                _instruments.TryAdd(instrument, new());
                if (FixedHistogram.Find(instrument) is null)
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            }
        };
        _listener.MeasurementsCompleted = (instrument, state) => _instruments.TryRemove(instrument, out _);
        _listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.Start();
    }

    /// <summary>What is measured, by instrument, as of now. Instruments of one name are one, as of several hosts in one process.</summary>
    public IReadOnlyList<MetricFamily> Collect()
    {
        lock (_lock)
        {
            foreach ((Instrument instrument, ConcurrentDictionary<string, Series> series) in _instruments)
            {
                if (FixedHistogram.Find(instrument) is { IsDisposed: true })
                {
                    _instruments.TryRemove(instrument, out _); // nobody else says so: it was not enabled
                }

                if (instrument.IsObservable)
                {
                    series.Clear(); // what is not observed now is no more
                }
            }

            _listener.RecordObservableInstruments();
            return [.. _instruments.GroupBy(one => one.Key.Name).OrderBy(one => one.Key, StringComparer.Ordinal).Select(ToFamily)];
        }
    }

    /// <summary>Whether a meter is one of this program's.</summary>
    public static bool IsOurs(Meter meter) => meter.Name.StartsWith("OcspCluster.", StringComparison.Ordinal);

    /// <inheritdoc/>
    public void Dispose() => _listener.Dispose();

    private static MetricFamily ToFamily(IGrouping<string, KeyValuePair<Instrument, ConcurrentDictionary<string, Series>>> same)
    {
        Instrument first = same.First().Key;
        MetricKind kind = KindOf(first);
        Dictionary<string, SeriesValue> values = new(StringComparer.Ordinal);
        foreach ((Instrument instrument, ConcurrentDictionary<string, Series> series) in same)
        {
            if (FixedHistogram.Find(instrument) is { } @fixed)
            {
                Merge(values, "", new SeriesValue(0, @fixed.Read(), @fixed.Sum), kind);
            }

            foreach ((string labels, Series one) in series)
            {
                Merge(values, labels, one.Read(), kind);
            }
        }

        return new MetricFamily(first.Name, first.Unit, first.Description, kind, BoundsOf(first), values);
    }

    private static void Merge(Dictionary<string, SeriesValue> values, string labels, SeriesValue value, MetricKind kind) =>
        values[labels] = values.TryGetValue(labels, out SeriesValue? before) && kind != MetricKind.Gauge ? before.Plus(value) : value;

    private void Add(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (!_instruments.TryGetValue(instrument, out ConcurrentDictionary<string, Series>? series))
        {
            return;
        }

        string labels = ToLabels(instrument.Meter.Tags, tags);
        if (!series.TryGetValue(labels, out Series? one))
        {
            if (series.Count >= MaxSeries)
            {
                return;
            }

            one = series.GetOrAdd(labels, _ => new Series(KindOf(instrument) == MetricKind.Histogram ? BoundsOf(instrument) : null));
        }

        one.Add(value, isTotal: instrument.IsObservable);
    }

    private static MetricKind KindOf(Instrument instrument)
    {
        Type type = instrument.GetType().GetGenericTypeDefinition();
        return type == typeof(Histogram<>) ? MetricKind.Histogram
            : type == typeof(Counter<>) || type == typeof(ObservableCounter<>) ? MetricKind.Counter
            : MetricKind.Gauge;
    }

    private static IReadOnlyList<double> BoundsOf(Instrument instrument) => (instrument as Histogram<double>)?.Advice?.HistogramBucketBoundaries ?? [];

    private static string ToLabels(IEnumerable<KeyValuePair<string, object?>>? ofMeter, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (tags.IsEmpty && ofMeter is null)
        {
            return "";
        }

        List<string> labels = [.. (ofMeter ?? []).Select(ToLabel)];
        foreach (KeyValuePair<string, object?> tag in tags)
        {
            labels.Add(ToLabel(tag));
        }

        labels.Sort(StringComparer.Ordinal);
        return string.Join(',', labels.Distinct());

        static string ToLabel(KeyValuePair<string, object?> tag) =>
            $"{PrometheusText.ToName(tag.Key)}=\"{PrometheusText.Escape(Convert.ToString(tag.Value, CultureInfo.InvariantCulture) ?? "")}\"";
    }

    /// <summary>One label set of one instrument.</summary>
    private sealed class Series(IReadOnlyList<double>? bounds)
    {
        private readonly Lock _lock = new();
        private readonly long[]? _buckets = bounds is null ? null : new long[bounds.Count + 1];
        private double _value;

        public void Add(double value, bool isTotal)
        {
            lock (_lock)
            {
                _value = isTotal ? value : _value + value;
                if (_buckets is not null)
                {
                    int bucket = 0;
                    while (bucket < bounds!.Count && value > bounds[bucket])
                    {
                        bucket++;
                    }

                    _buckets[bucket]++;
                }
            }
        }

        public SeriesValue Read()
        {
            lock (_lock)
            {
                return new SeriesValue(_value, _buckets is null ? null : [.. _buckets], _value);
            }
        }
    }
}

/// <summary>What Prometheus calls the type of a metric.</summary>
internal enum MetricKind
{
    /// <summary>It only rises.</summary>
    Counter,

    /// <summary>It goes up and down.</summary>
    Gauge,

    /// <summary>It has buckets.</summary>
    Histogram,
}

/// <summary>All series of an instrument. Immutable.</summary>
/// <param name="Name">The instrument's name.</param>
/// <param name="Unit">Its unit; null when it has none.</param>
/// <param name="Description">What it measures.</param>
/// <param name="Kind">Its type.</param>
/// <param name="Bounds">The upper bounds of its buckets; empty where it has none.</param>
/// <param name="Series">The values by labels, which are written as Prometheus wants them.</param>
internal sealed record MetricFamily(string Name, string? Unit, string? Description, MetricKind Kind, IReadOnlyList<double> Bounds, IReadOnlyDictionary<string, SeriesValue> Series);

/// <summary>A value, or buckets and their sum. Immutable.</summary>
internal sealed record SeriesValue(double Value, long[]? Buckets, double Sum)
{
    /// <summary>Both together.</summary>
    public SeriesValue Plus(SeriesValue other) => new(Value + other.Value, Buckets is null || other.Buckets is null ? Buckets ?? other.Buckets : [.. Buckets.Zip(other.Buckets, (a, b) => a + b)], Sum + other.Sum);
}
