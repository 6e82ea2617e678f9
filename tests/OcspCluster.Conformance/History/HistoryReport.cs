using System.Globalization;
using System.Text;

namespace OcspCluster.Conformance;

/// <summary>A fault as it took place.</summary>
/// <param name="Name">Which.</param>
/// <param name="Began">In ticks of the history.</param>
/// <param name="Ended">When it was over.</param>
/// <param name="QuestionsMeanwhile">Questions of all clients that ended meanwhile.</param>
/// <param name="AnsweredMeanwhile">Those among them that a status was told to.</param>
/// <param name="Gaps">The longest time without an answer at each gateway, from this fault to the next, in ticks.</param>
/// <param name="AcknowledgementGap">The same between two acknowledgements, wherever.</param>
public sealed record StruckFault(string Name, long Began, long Ended, long QuestionsMeanwhile, long AnsweredMeanwhile, IReadOnlyList<long> Gaps, long AcknowledgementGap);

/// <summary>What a run did, in numbers, and what it found.</summary>
public sealed record HistoryReport
{
    /// <summary>With it the run can be repeated.</summary>
    public required int Seed { get; init; }

    /// <summary>How long the load lasted.</summary>
    public required TimeSpan Load { get; init; }

    /// <summary>Each gateway's numbers.</summary>
    public required IReadOnlyList<GatewayTally> Gateways { get; init; }

    /// <summary>Each fault that struck.</summary>
    public required IReadOnlyList<StruckFault> Faults { get; init; }

    /// <summary>Distinct events that were sent.</summary>
    public required int Events { get; init; }

    /// <summary>Those of them that were acknowledged.</summary>
    public required int Acknowledged { get; init; }

    /// <summary>Certificates that events were sent about.</summary>
    public required int Serials { get; init; }

    /// <summary>Signatures that were verified.</summary>
    public required long Verified { get; init; }

    /// <summary>Entries of the journal at the end.</summary>
    public required int JournalEntries { get; init; }

    /// <summary>What was found, the first seen first.</summary>
    public required IReadOnlyList<HistoryViolation> Violations { get; init; }

    /// <summary>All questions.</summary>
    public long Questions => Gateways.Sum(gateway => gateway.Questions);

    /// <summary>Questions that a status was told to.</summary>
    public long Answered => Gateways.Sum(gateway => gateway[QuestionOutcome.Answered]);

    /// <inheritdoc/>
    public override string ToString()
    {
        StringBuilder text = new();
        text.AppendLine(CultureInfo.InvariantCulture, $"seed {Seed}: {Load.TotalSeconds:F1} s of load; {Questions:N0} questions, {Answered:N0} answered, {Verified:N0} signatures verified; {Events:N0} events of {Serials:N0} serials, {Acknowledged:N0} acknowledged; {JournalEntries:N0} journal entries");
        foreach (GatewayTally gateway in Gateways)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"  {gateway}");
        }

        foreach (StruckFault fault in Faults)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"  {fault.Name}: from {HistoryViolation.Seconds(fault.Began)} to {HistoryViolation.Seconds(fault.Ended)}, {fault.QuestionsMeanwhile:N0} questions, {fault.AnsweredMeanwhile:N0} answered; longest gaps until the next: {string.Join(", ", Gateways.Zip(fault.Gaps, (gateway, gap) => FormattableString.Invariant($"{gateway.Name} {TimeSpan.FromTicks(gap).TotalMilliseconds:N0} ms")))}, between acknowledgements {TimeSpan.FromTicks(fault.AcknowledgementGap).TotalMilliseconds:N0} ms");
        }

        text.AppendLine(Violations.Count == 0 ? "  no violation" : $"  {Violations.Count} violations ({string.Join(", ", Violations.GroupBy(one => one.Kind).Select(group => $"{group.Key} {group.Count()}"))}); the first:\n{Violations[0]}");
        return text.ToString();
    }
}
