using System.Diagnostics.Metrics;
using OcspCluster.Testing;

namespace OcspCluster.Gateway.Tests.Telemetry;

public sealed class FixedHistogramTests : IDisposable
{
    private readonly Meter _meter = new("OcspCluster.Tests.FixedHistogram");
    private readonly TestClock _clock = new();

    public void Dispose() => _meter.Dispose();

    [Theory]
    [InlineData(0, 0)]
    [InlineData(0.00001, 0)] // bounds are inclusive
    [InlineData(0.0000101, 1)]
    [InlineData(0.003, 8)]
    [InlineData(30, 19)]
    [InlineData(31, 20)] // without a bound
    public void Record_ADuration_IsInItsBucket(double seconds, int bucket)
    {
        FixedHistogram histogram = Create();
        histogram.Record((long)Math.Round(seconds * _clock.TimestampFrequency));
        Assert.Equal(bucket, Array.IndexOf(histogram.Read(), 1));
        Assert.Equal(1, histogram.Read().Sum());
        Assert.Equal(seconds, histogram.Sum, 6);
    }

    [Fact]
    public async Task Record_FromManyThreads_LosesNothing()
    {
        const int Threads = 8;
        const int Each = 20_000;
        FixedHistogram histogram = Create();
        await Task.WhenAll(Enumerable.Range(0, Threads).Select(thread => Task.Run(() =>
        {
            for (int i = 0; i < Each; i++)
            {
                histogram.Record(thread * 1000);
            }
        })));
        Assert.Equal(Threads * Each, histogram.Read().Sum());
    }

    [Fact]
    public void Record_WhileNobodyListens_AllocatesNothing()
    {
        FixedHistogram histogram = Create();
        histogram.Record(5);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 10_000; i++)
        {
            histogram.Record(i);
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void Record_WhileSomebodyListens_IsToldInSeconds()
    {
        FixedHistogram histogram = Create();
        List<double> heard = [];
        using MeterListener listener = new()
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter == _meter)
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<double>((_, value, _, _) => heard.Add(value));
        listener.Start();
        histogram.Record(_clock.TimestampFrequency / 4);
        Assert.Equal([0.25], heard);
    }

    [Fact]
    public void Percentile_OfNothing_IsNotKnown() => Assert.Null(FixedHistogram.Percentile(new long[FixedHistogram.Buckets], 0.5));

    [Theory]
    [InlineData(0.5, 0.000375)] // of ten in the bucket from 0.25 to 0.5 ms the fifth
    [InlineData(0.9, 0.000475)]
    [InlineData(1, 0.0005)]
    public void Percentile_WithinABucket_IsOnAStraightLine(double part, double seconds)
    {
        long[] counts = new long[FixedHistogram.Buckets];
        counts[5] = 10;
        Assert.Equal(seconds, FixedHistogram.Percentile(counts, part)!.Value, 9);
    }

    [Fact]
    public void Percentile_BeyondTheLastBound_IsThatBound()
    {
        long[] counts = new long[FixedHistogram.Buckets];
        counts[^1] = 3;
        Assert.Equal(30, FixedHistogram.Percentile(counts, 0.99));
    }

    private FixedHistogram Create() => new(_clock, _meter, "test.duration", "A test's");
}
