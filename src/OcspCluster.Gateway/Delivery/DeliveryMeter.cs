using System.Diagnostics.Metrics;
using OcspCluster.Authority;

namespace OcspCluster.Gateway;

/// <summary>The meter <c>OcspCluster.Delivery</c>, by receiver and issuer. Thread-safe.</summary>
internal sealed class DeliveryMeter : IDisposable
{
    private readonly Meter _meter = new("OcspCluster.Delivery");
    private readonly Counter<long> _deliveries;
    private readonly Counter<long> _events;
    private readonly Counter<long> _failures;
    private readonly Histogram<double> _duration;

    public DeliveryMeter(Func<IReadOnlyList<DeliveryLane>> lanes)
    {
        _deliveries = _meter.CreateCounter<long>("ocsp.delivery.deliveries", "{message}", "Messages that receivers took");
        _events = _meter.CreateCounter<long>("ocsp.delivery.events", "{event}", "Events that receivers took");
        _failures = _meter.CreateCounter<long>("ocsp.delivery.failures", "{attempt}", "Attempts to deliver that failed");
        _duration = _meter.CreateHistogram("ocsp.delivery.duration", "s", "How long attempts to deliver took", tags: null, new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300] });
        _meter.CreateObservableGauge(
            "ocsp.delivery.lag", () => lanes().Select(lane => new Measurement<long>(lane.LagEntries, TagsOf(lane.Receiver, lane.Issuer))), "{event}", "Entries that are published and not delivered");
        _meter.CreateObservableGauge(
            "ocsp.delivery.lag_time", () => lanes().Select(lane => new Measurement<double>(lane.Lag.TotalSeconds, TagsOf(lane.Receiver, lane.Issuer))), "s", "Age of the oldest entry that is published and not delivered");
        _meter.CreateObservableGauge(
            "ocsp.delivery.paused", () => lanes().Select(lane => new Measurement<int>(lane.Report.PausedBecause is null ? 0 : 1, TagsOf(lane.Receiver, lane.Issuer))), null, "1 while a receiver is paused until an operator resumes it");
    }

    /// <summary>Counts an attempt.</summary>
    public void Record(Receiver receiver, IssuerId issuer, in DeliveryResult result, int events, TimeSpan duration)
    {
        KeyValuePair<string, object?>[] tags = TagsOf(receiver, issuer);
        _duration.Record(duration.TotalSeconds, tags);
        if (result.Outcome == DeliveryOutcome.Delivered)
        {
            _deliveries.Add(1, tags);
            _events.Add(events, tags);
        }
        else
        {
            _failures.Add(1, tags);
        }
    }

    public void Dispose() => _meter.Dispose();

    private static KeyValuePair<string, object?>[] TagsOf(Receiver receiver, IssuerId issuer) =>
        [new("receiver", receiver.Options.Name), new("kind", receiver.Kind), new("issuer", issuer.ToString())];
}
