namespace OcspCluster.Conformance;

/// <summary>An entry of a journal as the event feed out tells it.</summary>
/// <param name="Position">Where it stands.</param>
/// <param name="Id">The event's id.</param>
/// <param name="Serial">In upper-case hexadecimal, leading zeros as told.</param>
/// <param name="Kind">What happened.</param>
/// <param name="At">When, by the CA.</param>
/// <param name="Reason">CRLReason of the event; null where none was told.</param>
/// <param name="Status">The status that followed.</param>
public sealed record JournalLine(long Position, string Id, string Serial, HistoryEventKind Kind, DateTimeOffset At, int? Reason, ShownStatus Status);
