using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using OcspCluster.Authority;

namespace OcspCluster.Gateway;

/// <summary>What became of the events that were submitted through this process, and how long that took. Thread-safe.</summary>
public sealed class FeedTally : IDisposable
{
    private readonly TimeProvider _clock;
    private readonly Meter _meter = new("OcspCluster.Feed");
    private readonly ConcurrentDictionary<(IssuerId Issuer, string Outcome), long> _outcomes = new();
    private readonly Lock _lock = new();
    private readonly LinkedList<long> _pending = []; // when each submission under way began; guarded by _lock
    private long _applied;
    private long _longestPublication = -1;

    /// <summary>Begins at zero.</summary>
    public FeedTally(TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(clock);
        _clock = clock;
        Acknowledgements = new FixedHistogram(clock, _meter, "ocsp.feed.acknowledgement.duration", "From a submission to its acknowledgement");
        Publications = new FixedHistogram(clock, _meter, "ocsp.feed.publication.duration", "From events being durable to no process giving an older answer: so long an answer may be stale");
        _meter.CreateObservableCounter(
            "ocsp.feed.events",
            () => _outcomes.Select(outcome => new Measurement<long>(outcome.Value, new("issuer", outcome.Key.Issuer.ToString()), new("outcome", outcome.Key.Outcome))),
            "{event}",
            "Events that were submitted through this process, by what became of them");
        _meter.CreateObservableGauge("ocsp.feed.lag", () => Lag.TotalSeconds, "s", "How long the oldest submission has waited for its acknowledgement");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Acknowledgements.Dispose();
        Publications.Dispose();
        _meter.Dispose();
    }

    /// <summary>From a submission to its acknowledgement.</summary>
    internal FixedHistogram Acknowledgements { get; }

    /// <summary>From entries being durable to no gateway giving an older answer: as long may an answer be stale.</summary>
    internal FixedHistogram Publications { get; }

    /// <summary>Events that were applied.</summary>
    internal long Applied => Interlocked.Read(ref _applied);

    /// <summary>Events by issuer and outcome: <c>applied</c>, <c>duplicate</c>, <c>unknown</c> after a failure, or the name of the refusal.</summary>
    internal IEnumerable<KeyValuePair<(IssuerId Issuer, string Outcome), long>> Outcomes => _outcomes;

    /// <summary>How long the oldest submission that is not acknowledged has waited; zero when there is none.</summary>
    internal TimeSpan Lag
    {
        get
        {
            lock (_lock)
            {
                return _pending.First is { } oldest ? _clock.GetElapsedTime(oldest.Value) : TimeSpan.Zero;
            }
        }
    }

    /// <summary>The longest publication since the last time that it was taken; null when there was none.</summary>
    internal TimeSpan? TakeLongestPublication() => Interlocked.Exchange(ref _longestPublication, -1) is >= 0 and long ticks ? ToTime(ticks) : null;

    /// <summary>The same without taking it.</summary>
    internal TimeSpan? LongestPublication => Interlocked.Read(ref _longestPublication) is >= 0 and long ticks ? ToTime(ticks) : null;

    /// <summary>Measures a submission.</summary>
    internal async ValueTask<IReadOnlyList<EventOutcome>> MeasureAsync(IssuerId issuer, int events, Func<ValueTask<IReadOnlyList<EventOutcome>>> submit)
    {
        using Activity? activity = GatewayActivities.Source.StartActivity("feed.submit");
        activity?.SetTag("ocsp.issuer", issuer.ToString()).SetTag("ocsp.events", events);
        long start = _clock.GetTimestamp();
        LinkedListNode<long> place;
        lock (_lock)
        {
            place = _pending.AddLast(start);
        }

        try
        {
            IReadOnlyList<EventOutcome> outcomes = await submit().ConfigureAwait(false);
            Acknowledgements.Record(_clock.GetTimestamp() - start);
            int applied = 0;
            foreach (EventOutcome outcome in outcomes)
            {
                if (outcome.Kind == EventOutcomeKind.Applied)
                {
                    applied++; // nearly all of them: one addition for all
                }
                else
                {
                    Add(issuer, NameOf(outcome), 1);
                }
            }

            Add(issuer, "applied", applied);
            Interlocked.Add(ref _applied, applied);
            return outcomes;
        }
        catch (RevocationStoreException)
        {
            Add(issuer, "unknown", events);
            activity?.SetStatus(ActivityStatusCode.Error, "unknown");
            throw;
        }
        finally
        {
            lock (_lock)
            {
                _pending.Remove(place);
            }
        }
    }

    /// <summary>Measures a publication.</summary>
    internal async ValueTask MeasurePublicationAsync(Func<ValueTask> publish)
    {
        long start = _clock.GetTimestamp();
        await publish().ConfigureAwait(false);
        long ticks = _clock.GetTimestamp() - start;
        Publications.Record(ticks);
        long longest = Interlocked.Read(ref _longestPublication);
        while (ticks > longest && Interlocked.CompareExchange(ref _longestPublication, ticks, longest) is long other && other != longest)
        {
            longest = other;
        }
    }

    private void Add(IssuerId issuer, string outcome, long count) => _outcomes.AddOrUpdate((issuer, outcome), count, (_, before) => before + count);

    private static string NameOf(EventOutcome outcome)
    {
        string name = outcome.Refusal?.ToString() ?? outcome.Kind.ToString();
        return char.ToLowerInvariant(name[0]) + name[1..];
    }

    private TimeSpan ToTime(long ticks) => TimeSpan.FromSeconds((double)ticks / _clock.TimestampFrequency);
}

/// <summary>An authority whose acknowledgements are measured.</summary>
internal sealed class MeasuredAuthority(IRevocationAuthority inner, FeedTally tally) : IRevocationAuthority
{
    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<EventOutcome>> SubmitAsync(IssuerId issuer, IReadOnlyList<RevocationEvent> events, Submitter submitter, CancellationToken cancellationToken) =>
        events is { Count: 0 } ? inner.SubmitAsync(issuer, events, submitter, cancellationToken)
            : tally.MeasureAsync(issuer, events.Count, () => inner.SubmitAsync(issuer, events, submitter, cancellationToken));
}

/// <summary>A publisher that is measured.</summary>
internal sealed class MeasuredPublisher(IResponsePublisher inner, FeedTally tally) : IResponsePublisher
{
    /// <inheritdoc/>
    public ValueTask PublishThroughAsync(IssuerId issuer, long position) => inner.PublishThroughAsync(issuer, position);

    /// <inheritdoc/>
    public ValueTask PublishAsync(IssuerId issuer, IReadOnlyList<JournalEntry> entries) => tally.MeasurePublicationAsync(() => inner.PublishAsync(issuer, entries));
}
