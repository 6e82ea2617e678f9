using System.Diagnostics.Metrics;

namespace OcspCluster.Authority;

/// <summary>The meter <c>OcspCluster.Signing</c> (docs/METRICS.md). Thread-safe.</summary>
internal sealed class SigningMeter : IDisposable
{
    private readonly Meter _meter = new("OcspCluster.Signing");
    private readonly Histogram<double> _duration;
    private readonly Counter<long> _failures;

    public SigningMeter()
    {
        _duration = _meter.CreateHistogram(
            "ocsp.signing.duration", "s", "From the wish for a signature to the answer that was read back and verified, the wait for the key included", tags: null,
            new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5] });
        _failures = _meter.CreateCounter<long>("ocsp.signing.failures", "{failure}", "Wishes for a signature that were not met, by reason");
    }

    /// <summary>Whether anybody wants to know how long it takes.</summary>
    public bool Times => _duration.Enabled;

    /// <summary>Counts what became of a wish for a signature.</summary>
    public void Count(IssuerId issuer, SigningResult result, TimeSpan? duration)
    {
        if (result.Failure != SigningFailure.None)
        {
            string reason = result.Failure.ToString();
            _failures.Add(1, new("issuer", issuer.ToString()), new("reason", char.ToLowerInvariant(reason[0]) + reason[1..]));
        }
        else if (duration is TimeSpan taken)
        {
            _duration.Record(taken.TotalSeconds, new KeyValuePair<string, object?>("issuer", issuer.ToString()));
        }
    }

    public void Dispose() => _meter.Dispose();
}
