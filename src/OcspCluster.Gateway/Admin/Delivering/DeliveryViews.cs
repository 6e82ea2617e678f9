using System.ComponentModel;

namespace OcspCluster.Gateway;

/// <summary>The receivers within the caller's scopes.</summary>
internal sealed record DeliveryListView(IReadOnlyList<DeliveryView> Webhooks);

/// <summary>How one receiver stands in one issuer's journal, as this process knows.</summary>
internal sealed record DeliveryView(
    string Name,
    [property: Description("webhook or purge.")] string Kind,
    string Issuer,
    [property: Description("Scheme, host and port; the rest of a URL may be secret.")] string Origin,
    [property: Description("delivering, retrying, paused, or elsewhere: another process delivers.")] string State,
    [property: Description("Everything up to here is delivered, or not for this receiver.")] long Cursor,
    [property: Description("The end of the journal.")] long Position,
    long LagEntries,
    [property: Description("The age of the oldest event that is not delivered.")] double LagSeconds,
    DateTimeOffset? LastSuccessAt,
    DateTimeOffset? LastFailureAt,
    string? LastFailure,
    [property: Description("Attempts that failed since the last success.")] int Failures,
    DateTimeOffset? NextAttemptAt,
    string? PausedBecause)
{
    public static DeliveryView Of(DeliveryLane lane, long position)
    {
        DeliveryReport report = lane.Report;
        string state = report.PausedBecause is not null ? "paused" : report.HeldBy is not null ? "elsewhere" : report.Failures > 0 ? "retrying" : "delivering";
        return new DeliveryView(
            lane.Receiver.Options.Name, lane.Receiver.Kind, lane.Issuer.ToString(), lane.Receiver.Origin, state, report.Position, position, Math.Max(0, position - report.Position),
            Math.Round(lane.Lag.TotalSeconds, 3), report.LastSuccessAt, report.LastFailureAt, report.LastFailure, report.Failures, report.NextAttemptAt, report.PausedBecause);
    }
}
