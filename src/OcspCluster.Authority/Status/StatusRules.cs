using System.Diagnostics.CodeAnalysis;
using System.Text;
using OcspCluster.Protocol;

namespace OcspCluster.Authority;

// What an event does to a certificate, by the state it meets:
//
//              | unknown        | good            | held                      | revoked
//   -----------+----------------+-----------------+---------------------------+----------------------------------------
//   issued     | good           | AlreadyIssued, unless it tells a notAfter that was not known: then only that is added
//   revoked    | revoked        | revoked         | revoked since the hold    | AlreadyRevoked, but see below
//   held       | held           | held            | AlreadyHeld               | AlreadyRevoked
//   released   | NotHeld        | NotHeld         | good, BeforeCurrentState  | AlreadyRevoked
//
// - A revocation or hold of a serial that was never recorded is taken: the events of one certificate may come in any
//   order, and a revocation must never be lost.
// - Held, then revoked: revoked since it was held. RFC 5280 is silent; X.509 says of a hold that is replaced by a final
//   revocation that "the revocation date shall be the date the certificate was placed on hold". A signature made during
//   the hold therefore stays invalid.
// - Revoked, then revoked again: the first time and reason stand. The exception is evidence of a key compromise: the
//   reason becomes keyCompromise, and the time may move back to the compromise (CA/Browser Forum BR §7.2.2), never forward.
// - A revocation dated before the certificate was recorded is taken; so is a late hold dated before a release that has
//   been recorded, because the error on that side is the safe one and a release mends it.

/// <summary>What an event may do to a certificate. Pure: the same answer in every host.</summary>
public static class StatusRules
{
    /// <summary>How far in the future an event may lie by default: 5 minutes, what the clocks of a CA and an authority may differ by.</summary>
    public static readonly TimeSpan DefaultFutureTolerance = TimeSpan.FromMinutes(5);

    /// <summary>The longest event id, in UTF-16 code units.</summary>
    public const int MaxEventIdLength = 200;

    private static readonly UTF8Encoding s_strictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Judges one event with the default tolerance.</summary>
    /// <inheritdoc cref="Apply(CertificateStatus?, RevocationEvent, DateTimeOffset, TimeSpan)"/>
    public static StatusChange Apply(CertificateStatus? current, RevocationEvent @event, DateTimeOffset receivedAt) =>
        Apply(current, @event, receivedAt, DefaultFutureTolerance);

    /// <summary>Judges one event.</summary>
    /// <param name="current">What is known of the certificate; null when nothing is.</param>
    /// <param name="event">What its CA tells.</param>
    /// <param name="receivedAt">When the authority received it, by the authority's clock.</param>
    /// <param name="futureTolerance">How far after <paramref name="receivedAt"/> the event may lie.</param>
    /// <returns>The status that follows, or the reason why the event is refused.</returns>
    public static StatusChange Apply(CertificateStatus? current, RevocationEvent @event, DateTimeOffset receivedAt, TimeSpan futureTolerance)
    {
        ArgumentNullException.ThrowIfNull(@event);
        if (Reject(@event, receivedAt, futureTolerance) is { } refusal)
        {
            return StatusChange.Refuse(refusal);
        }

        return @event.Kind switch
        {
            EventKind.Issued => Issue(current, @event, receivedAt),
            EventKind.Revoked => Revoke(current, @event, receivedAt),
            EventKind.Held => Hold(current, @event, receivedAt),
            _ => Release(current, @event, receivedAt),
        };
    }

    /// <summary>What an event is refused for whatever is known of its certificate; null where that decides.</summary>
    public static EventRefusal? FindFault(RevocationEvent @event, DateTimeOffset receivedAt)
    {
        ArgumentNullException.ThrowIfNull(@event);
        return Reject(@event, receivedAt, DefaultFutureTolerance);
    }

    /// <summary>A revocation's reason as it is recorded: unspecified is none, as on the wire (RFC 5280 §5.3.1).</summary>
    public static RevocationReason? Recorded(RevocationReason? reason) => reason is RevocationReason.Unspecified ? null : reason;

    /// <summary>Whether a text can be an event id. An unpaired surrogate has no UTF-8: two different ids would become one in the store.</summary>
    internal static bool IsEventId([NotNullWhen(true)] string? id)
    {
        if (id is not { Length: >= 1 and <= MaxEventIdLength })
        {
            return false;
        }

        try
        {
            return s_strictUtf8.GetByteCount(id) > 0;
        }
        catch (EncoderFallbackException)
        {
            return false;
        }
    }

    // What can be refused without knowing the certificate.
    private static EventRefusal? Reject(RevocationEvent @event, DateTimeOffset receivedAt, TimeSpan futureTolerance)
    {
        if (@event.Serial.IsEmpty || !Enum.IsDefined(@event.Kind) || !IsEventId(@event.Id))
        {
            return EventRefusal.Malformed;
        }

        bool isReasonAllowed = @event.Kind switch
        {
            EventKind.Revoked => @event.Reason is not { } reason || IsRevocationReason(reason),
            EventKind.Held => @event.Reason is null or RevocationReason.CertificateHold,
            _ => @event.Reason is null,
        };
        if (!isReasonAllowed)
        {
            return EventRefusal.ReasonNotAllowed;
        }

        if (@event.InvalidityDate is not null && @event.Kind is (EventKind.Issued or EventKind.Released))
        {
            return EventRefusal.InvalidityDateNotAllowed;
        }

        // Subtracting cannot overflow, whatever the CA's clock says; adding the tolerance to the end of time would.
        return @event.At - receivedAt > futureTolerance || @event.InvalidityDate - receivedAt > futureTolerance
            ? EventRefusal.FromTheFuture
            : null;
    }

    private static StatusChange Issue(CertificateStatus? current, RevocationEvent @event, DateTimeOffset receivedAt)
    {
        if (current is null)
        {
            return StatusChange.To(CertificateStatus.Good with { NotAfter = @event.NotAfter, RecordedAt = receivedAt });
        }

        return current.NotAfter is null && @event.NotAfter is not null
            ? StatusChange.To(current with { NotAfter = @event.NotAfter })
            : StatusChange.Refuse(EventRefusal.AlreadyIssued);
    }

    private static StatusChange Revoke(CertificateStatus? current, RevocationEvent @event, DateTimeOffset receivedAt)
    {
        DateTimeOffset at = WholeSeconds(@event.At);
        RevocationReason? reason = Recorded(@event.Reason);
        if (current is { State: CertificateState.Revoked })
        {
            return Correct(current, @event, at, reason, receivedAt);
        }

        return StatusChange.To(CertificateStatus.RevokedAt(Earlier(current?.RevocationTime, at), reason) with
        {
            InvalidityDate = @event.InvalidityDate ?? current?.InvalidityDate,
            NotAfter = current?.NotAfter ?? @event.NotAfter,
            RecordedAt = receivedAt,
        });
    }

    // BR §7.2.2: evidence of a key compromise changes the reason, and may move the revocation date back to the compromise.
    private static StatusChange Correct(
        CertificateStatus current, RevocationEvent @event, DateTimeOffset at, RevocationReason? reason, DateTimeOffset receivedAt)
    {
        bool addsSomething = current.Reason != RevocationReason.KeyCompromise
            || at < current.RevocationTime
            || (@event.InvalidityDate is { } date && !(current.InvalidityDate <= date));
        if (reason != RevocationReason.KeyCompromise || !addsSomething)
        {
            return StatusChange.Refuse(EventRefusal.AlreadyRevoked);
        }

        return StatusChange.To(current with
        {
            Reason = RevocationReason.KeyCompromise,
            RevocationTime = Earlier(current.RevocationTime, at),
            InvalidityDate = @event.InvalidityDate is { } invalidityDate ? Earlier(current.InvalidityDate, invalidityDate) : current.InvalidityDate,
            NotAfter = current.NotAfter ?? @event.NotAfter,
            RecordedAt = receivedAt,
        });
    }

    private static StatusChange Hold(CertificateStatus? current, RevocationEvent @event, DateTimeOffset receivedAt) => current?.State switch
    {
        CertificateState.Revoked => StatusChange.Refuse(EventRefusal.AlreadyRevoked),
        CertificateState.Held => StatusChange.Refuse(EventRefusal.AlreadyHeld),
        _ => StatusChange.To(CertificateStatus.HeldAt(WholeSeconds(@event.At)) with
        {
            InvalidityDate = @event.InvalidityDate,
            NotAfter = current?.NotAfter ?? @event.NotAfter,
            RecordedAt = receivedAt,
        }),
    };

    private static StatusChange Release(CertificateStatus? current, RevocationEvent @event, DateTimeOffset receivedAt) => current?.State switch
    {
        CertificateState.Revoked => StatusChange.Refuse(EventRefusal.AlreadyRevoked),
        CertificateState.Held when WholeSeconds(@event.At) < current.RevocationTime => StatusChange.Refuse(EventRefusal.BeforeCurrentState),
        CertificateState.Held => StatusChange.To(CertificateStatus.Good with { NotAfter = current.NotAfter ?? @event.NotAfter, RecordedAt = receivedAt }),
        _ => StatusChange.Refuse(EventRefusal.NotHeld),
    };

    // 6 is the hold's own, 7 is not used, 8 is for delta CRLs only.
    private static bool IsRevocationReason(RevocationReason reason) =>
        Enum.IsDefined(reason) && reason is not (RevocationReason.CertificateHold or RevocationReason.RemoveFromCrl);

    private static DateTimeOffset Earlier(DateTimeOffset? first, DateTimeOffset second) => first < second ? first.Value : second;

    // GeneralizedTime in a response and a CRL has no fractions (RFC 6960 §4.2.2.1, RFC 5280 §4.1.2.5.2).
    private static DateTimeOffset WholeSeconds(DateTimeOffset time) => new(time.UtcTicks - (time.UtcTicks % TimeSpan.TicksPerSecond), TimeSpan.Zero);
}
