using System.Globalization;

namespace OcspCluster.Conformance;

/// <summary>What happened to a certificate.</summary>
public enum HistoryEventKind
{
    Issued,
    Held,
    Released,
    Revoked,
}

/// <summary>An acknowledgement of an event: applied, or a duplicate of itself.</summary>
/// <param name="Sent">When the submission was sent, in ticks of the history.</param>
/// <param name="Answered">When the acknowledgement was there.</param>
/// <param name="Gateway">Which gateway gave it.</param>
/// <param name="IsDuplicate">Whether it said that the event was there already.</param>
/// <param name="Position">The journal position that it named.</param>
public readonly record struct HistoryAcknowledgement(long Sent, long Answered, int Gateway, bool IsDuplicate, long Position);

/// <summary>One event of the history and all that the feed was told of it. Written by the one client that submits it, read when the load is over.</summary>
public sealed class HistoryEvent(string id, int serial, HistoryEventKind kind, DateTimeOffset at, int? reason = null)
{
    private readonly List<HistoryAcknowledgement> _acknowledgements = [];

    /// <summary>Its idempotency key.</summary>
    public string Id => id;

    /// <summary>The number of the serial in the workload.</summary>
    public int Serial => serial;

    /// <summary>What happened.</summary>
    public HistoryEventKind Kind => kind;

    /// <summary>When it happened, by the CA.</summary>
    public DateTimeOffset At => at;

    /// <summary>CRLReason of a revocation.</summary>
    public int? Reason => reason;

    /// <summary>When it was first sent, in ticks of the history; nobody can know of it before.</summary>
    public long FirstSent { get; private set; } = long.MaxValue;

    /// <summary>When it was first acknowledged; the end of time while it is not.</summary>
    public long FirstAcknowledged { get; private set; } = long.MaxValue;

    /// <summary>How often it was sent.</summary>
    public int Submissions { get; private set; }

    /// <summary>The refusal that it met; null where none.</summary>
    public string? Refusal { get; private set; }

    /// <summary>All acknowledgements, in the order in which they came.</summary>
    public IReadOnlyList<HistoryAcknowledgement> Acknowledgements => _acknowledgements;

    /// <summary>It is about to be sent.</summary>
    public void NoteSent(long at)
    {
        FirstSent = Math.Min(FirstSent, at);
        Submissions++;
    }

    /// <summary>It was acknowledged.</summary>
    public void NoteAcknowledged(HistoryAcknowledgement acknowledgement)
    {
        _acknowledgements.Add(acknowledgement);
        FirstAcknowledged = Math.Min(FirstAcknowledged, acknowledgement.Answered);
    }

    /// <summary>It was refused.</summary>
    public void NoteRefused(string refusal) => Refusal = refusal;

    /// <inheritdoc/>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"{id} ({Kind} serial #{serial} at {at:u}{(reason is null ? "" : $" reason {reason}")})");
}
