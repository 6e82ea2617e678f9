using OcspCluster.Protocol;

namespace OcspCluster.Authority;

/// <summary>The states of a certificate that its CA has told us of. One that it has not told us of has no status at all (null).</summary>
public enum CertificateState
{
    /// <summary>Issued and not revoked.</summary>
    Good,

    /// <summary>Revoked for good.</summary>
    Revoked,

    /// <summary>Suspended (certificateHold); may be released or revoked.</summary>
    Held,
}

/// <summary>What is known of one issued certificate. Immutable; compared by value.</summary>
public sealed record CertificateStatus
{
    /// <summary>Issued and not revoked.</summary>
    public static CertificateStatus Good { get; } = new() { State = CertificateState.Good };

    /// <summary>Good, revoked or held.</summary>
    public required CertificateState State { get; init; }

    /// <summary>When it was revoked or held; null exactly when <see cref="State"/> is <see cref="CertificateState.Good"/>. Whole seconds.</summary>
    public DateTimeOffset? RevocationTime { get; init; }

    /// <summary>Why; null when no reason was stated.</summary>
    public RevocationReason? Reason { get; init; }

    /// <summary>When the key is known or suspected to have been compromised (invalidityDate, RFC 5280 §5.3.2).</summary>
    public DateTimeOffset? InvalidityDate { get; init; }

    /// <summary>The end of the certificate's validity, where the CA told it.</summary>
    public DateTimeOffset? NotAfter { get; init; }

    /// <summary>When this status was recorded. An answer's thisUpdate is never before it (RFC 6960 §2.4).</summary>
    public DateTimeOffset? RecordedAt { get; init; }

    /// <summary>The journal position of the event that made this status; 0 when it comes from no journal.</summary>
    public long Position { get; init; }

    /// <summary>
    /// How long an answer made from this status may be given without asking the status source again. Zero (the default): ask on every request.
    /// <see cref="Timeout.InfiniteTimeSpan"/>: until the source announces a change.
    /// </summary>
    public TimeSpan HoldsFor { get; init; }

    /// <summary>Revoked at a time, for a reason.</summary>
    public static CertificateStatus RevokedAt(DateTimeOffset time, RevocationReason? reason = null) =>
        new() { State = CertificateState.Revoked, RevocationTime = time, Reason = reason };

    /// <summary>Suspended since a time.</summary>
    public static CertificateStatus HeldAt(DateTimeOffset time) =>
        new() { State = CertificateState.Held, RevocationTime = time, Reason = RevocationReason.CertificateHold };
}
