namespace OcspCluster.Authority;

/// <summary>Why an event is refused. Closed: every refusal has a name here and a sentence in <see cref="RefusalSentences"/>.</summary>
public enum EventRefusal
{
    /// <summary>The event names no certificate, has no usable id, or a kind that does not exist.</summary>
    Malformed,

    /// <summary>The event's id was recorded before with another certificate, kind or reason.</summary>
    IdReused,

    /// <summary>The reason does not belong to this kind of event (RFC 5280 §5.3.1).</summary>
    ReasonNotAllowed,

    /// <summary>An invalidity date belongs to a revocation or a hold only (RFC 5280 §5.3.2).</summary>
    InvalidityDateNotAllowed,

    /// <summary>The event, or its invalidity date, lies in the future by more than the tolerance.</summary>
    FromTheFuture,

    /// <summary>The event happened before the state that it would end had begun.</summary>
    BeforeCurrentState,

    /// <summary>The certificate is known, and the event adds nothing to that.</summary>
    AlreadyIssued,

    /// <summary>The certificate is revoked for good.</summary>
    AlreadyRevoked,

    /// <summary>The certificate is held already.</summary>
    AlreadyHeld,

    /// <summary>There is no hold to release.</summary>
    NotHeld,

    /// <summary>The certificate that came with the event was issued by another CA: another name, or a signature by another key.</summary>
    WrongIssuer,

    /// <summary>The certificate that came with the event has another serial number or end of validity than the event says.</summary>
    CertificateDiffers,
}

/// <summary>The refusals in words, for API answers and import reports.</summary>
public static class RefusalSentences
{
    /// <summary>One English sentence without a full stop.</summary>
    public static string ToSentence(this EventRefusal refusal) => refusal switch
    {
        EventRefusal.Malformed => "an event has an id of 1 to 200 characters of well-formed Unicode, a serial number, and one of the kinds issued, revoked, held, released",
        EventRefusal.IdReused => "this event id was recorded before with another certificate, kind or reason; give every event its own id",
        EventRefusal.ReasonNotAllowed => "a revocation takes the reasons 0 to 5, 9 and 10, a hold takes certificateHold or none, other events take none (RFC 5280 section 5.3.1)",
        EventRefusal.InvalidityDateNotAllowed => "an invalidity date belongs to a revocation or a hold only (RFC 5280 section 5.3.2)",
        EventRefusal.FromTheFuture => "the event or its invalidity date lies in the future; check the clocks",
        EventRefusal.BeforeCurrentState => "the release is dated before the hold that it would end",
        EventRefusal.AlreadyIssued => "the certificate is recorded already, and this event adds nothing to it",
        EventRefusal.AlreadyRevoked => "the certificate is revoked for good; only a change of the reason to keyCompromise, or an earlier time of the compromise, is taken",
        EventRefusal.AlreadyHeld => "the certificate is held already, since the time recorded first",
        EventRefusal.NotHeld => "the certificate is not held, so there is nothing to release",
        EventRefusal.WrongIssuer => "the certificate is not this issuer's: its issuer's name is another one, or this issuer's key does not verify its signature",
        EventRefusal.CertificateDiffers => "the certificate has another serial number or end of validity than the event says",
        _ => throw new ArgumentOutOfRangeException(nameof(refusal), refusal, "Not a refusal."),
    };
}

/// <summary>What an event does to a certificate: the status that follows, or the refusal. Exactly one of the two.</summary>
public readonly record struct StatusChange
{
    private StatusChange(CertificateStatus? status, EventRefusal? refusal)
    {
        Status = status;
        Refusal = refusal;
    }

    /// <summary>The status that follows, still without a journal position; null when the event is refused.</summary>
    public CertificateStatus? Status { get; }

    /// <summary>Why the event is refused; null when it is not.</summary>
    public EventRefusal? Refusal { get; }

    /// <summary>The event is taken and this follows.</summary>
    public static StatusChange To(CertificateStatus status) => new(status, null);

    /// <summary>The event is refused and changes nothing.</summary>
    public static StatusChange Refuse(EventRefusal refusal) => new(null, refusal);
}
