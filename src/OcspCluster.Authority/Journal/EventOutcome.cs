namespace OcspCluster.Authority;

/// <summary>What became of a submitted event.</summary>
public enum EventOutcomeKind
{
    /// <summary>Recorded, durable, and seen by every gateway.</summary>
    Applied,

    /// <summary>An event of this id was recorded before; the outcome is that one's.</summary>
    Duplicate,

    /// <summary>Not recorded; nothing changed.</summary>
    Refused,
}

/// <summary>The acknowledgement of one event.</summary>
/// <param name="EventId">Which event.</param>
/// <param name="Kind">Applied, duplicate or refused.</param>
/// <param name="Refusal">Why it was refused; null otherwise.</param>
/// <param name="Position">
/// The journal position of the event (for a duplicate, of the first of its id). For a refused one, the position of the
/// entry that stands in its way, or 0 when there is none.
/// </param>
public sealed record EventOutcome(string EventId, EventOutcomeKind Kind, EventRefusal? Refusal, long Position)
{
    /// <summary>Recorded at a position.</summary>
    public static EventOutcome Applied(string eventId, long position) => new(eventId, EventOutcomeKind.Applied, null, position);

    /// <summary>Recorded before, at a position.</summary>
    public static EventOutcome Duplicate(string eventId, long position) => new(eventId, EventOutcomeKind.Duplicate, null, position);

    /// <summary>Not recorded.</summary>
    public static EventOutcome Refused(string eventId, EventRefusal refusal, long position) => new(eventId, EventOutcomeKind.Refused, refusal, position);
}
