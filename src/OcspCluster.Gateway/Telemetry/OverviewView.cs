using System.ComponentModel;

namespace OcspCluster.Gateway;

// What the overview answers, as JSON in the names below with a small first letter. Times are RFC 3339 in UTC, durations seconds. What is not known is null.

/// <summary>How it stands now, of all processes together.</summary>
internal sealed record OverviewView(
    DateTimeOffset At,
    [property: Description("The process that tells this.")] string Node,
    [property: Description("standalone, silo or gateway.")] string Role,
    string Version,
    [property: Description("ok, warning or critical: the worst of the findings.")] string State,
    [property: Description("Since when it is in that state.")] DateTimeOffset Since,
    IReadOnlyList<FindingView> Findings,
    RequestsView Requests,
    SigningView Signing,
    RefreshingView Refresh,
    FeedView Feed,
    IReadOnlyList<OverviewIssuerView> Issuers,
    [property: Description("Processes that answer.")] int Nodes);

/// <summary>What is wrong, or will be soon.</summary>
internal sealed record FindingView(
    [property: Description("docs/OPERATIONS.md has an entry for each.")] string Code,
    [property: Description("warning or critical.")] string Severity,
    string Message,
    DateTimeOffset Since,
    [property: Description("What to do.")] string Cure,
    [property: Description("Whom it is about; null when it is about all.")] string? Issuer,
    [property: Description("The process that finds it; null when there is one only.")] string? Node);

/// <summary>Answers, over the last 10 seconds; their latency over the last 60.</summary>
internal sealed record RequestsView(double PerSecond, OutcomesView ByOutcome, LatencyView Latency, SourcesView BySource);

/// <summary>Answers a second by what they say.</summary>
internal sealed record OutcomesView(
    double Good,
    double Revoked,
    double Unknown,
    double Unauthorized,
    double TryLater,
    double MalformedRequest,
    double InternalError,
    double SigRequired,
    [property: Description("About several certificates.")] double Several);

/// <summary>Answers a second by where they came from: signed before and found elsewhere than in the cache is kept; refused is unsigned.</summary>
internal sealed record SourcesView(double Cache, double Kept, double Signed, double Refused);

/// <summary>Of half, and of 99 of a hundred; null where there were none.</summary>
internal sealed record LatencyView(double? P50, double? P99);

/// <summary>Signatures.</summary>
internal sealed record SigningView(
    double PerSecond,
    [property: Description("What refreshing may sign; what clients wait for is signed beside it.")] double BudgetPerSecond,
    [property: Description("How many wait for a key.")] int Queue);

/// <summary>How fresh the answers are kept.</summary>
internal sealed record RefreshingView(
    [property: Description("Answers that are due and not yet signed.")] long Backlog,
    [property: Description("When the first of the last answers ends.")] DateTimeOffset? FirstExpiry);

/// <summary>Events in and out.</summary>
internal sealed record FeedView(
    [property: Description("Applied events, over the last 10 seconds.")] double EventsPerSecond,
    [property: Description("From submission to acknowledgement, over the last 60 seconds.")] LatencyView Acknowledgement,
    [property: Description("The longest time of the last 60 seconds from an event's being durable to no process giving an older answer; null when nothing happened.")] double? StalenessBound,
    [property: Description("How long the oldest submission has waited for its acknowledgement.")] double Lag,
    IReadOnlyList<DeliveryFigureView> Deliveries);

/// <summary>Where a webhook or a purge is in an issuer's journal.</summary>
internal sealed record DeliveryFigureView(
    string Name, [property: Description("webhook or purge.")] string Kind, string Issuer, long Position, long Behind, DateTimeOffset? FailingSince);

/// <summary>An issuer at a glance.</summary>
internal sealed record OverviewIssuerView(
    string Id,
    [property: Description("The subject of its certificate.")] string Name,
    [property: Description("Null when the store cannot be read.")] StatusCountsView? Certificates,
    [property: Description("The end of the responder certificate that ends last.")] DateTimeOffset? ResponderCertificateNotAfter,
    [property: Description("When the last event was recorded.")] DateTimeOffset? LastEvent,
    long Position,
    PolicyView Policy);

/// <summary>The last hours, a point every so many seconds: arrays of equal length, null for a gap.</summary>
internal sealed record HistoryOfOverviewView(
    [property: Description("Seconds between points.")] int Interval,
    [property: Description("The first point's time.")] DateTimeOffset From,
    SeriesView Series);

/// <summary>The series: a second each, but p50 and p99 in seconds, and backlog.</summary>
internal sealed record SeriesView(
    IReadOnlyList<double?> Requests,
    IReadOnlyList<double?> Good,
    IReadOnlyList<double?> Revoked,
    IReadOnlyList<double?> Other,
    IReadOnlyList<double?> P50,
    IReadOnlyList<double?> P99,
    IReadOnlyList<double?> Signatures,
    IReadOnlyList<double?> Backlog,
    IReadOnlyList<double?> Events);
