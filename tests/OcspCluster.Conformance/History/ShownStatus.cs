using OcspCluster.Testing;

namespace OcspCluster.Conformance;

/// <summary>What an OCSP answer can tell of a certificate.</summary>
public enum ShownState
{
    /// <summary>Never issued as far as the answer tells: <c>unauthorized</c>, <c>unknown</c>, or the extended <c>revoked</c> (RFC 6960 §2.2).</summary>
    NotIssued,

    /// <summary><c>good</c>.</summary>
    Good,

    /// <summary><c>revoked</c>, for good or on hold.</summary>
    Revoked,
}

/// <summary>The status that an answer shows, or that an event makes: what a relying party can tell apart.</summary>
/// <param name="State">Which.</param>
/// <param name="RevocationTime">When revoked, in seconds since 1970; 0 otherwise.</param>
/// <param name="Reason">CRLReason; -1 where there is none.</param>
public readonly record struct ShownStatus(ShownState State, long RevocationTime = 0, int Reason = ShownStatus.NoReason)
{
    /// <summary>No reason is told.</summary>
    public const int NoReason = -1;

    /// <summary>CRLReason certificateHold.</summary>
    public const int CertificateHold = 6;

    /// <summary>The status before the first event.</summary>
    public static ShownStatus NotIssued => default;

    /// <summary>Issued, not revoked.</summary>
    public static ShownStatus Good => new(ShownState.Good);

    /// <summary>Revoked at a time.</summary>
    public static ShownStatus RevokedAt(DateTimeOffset time, int reason = NoReason) => new(ShownState.Revoked, time.ToUnixTimeSeconds(), reason);

    /// <summary>Reads it from the one SingleResponse of an answer.</summary>
    public static ShownStatus Of(RawSingleResponse response)
    {
        ArgumentNullException.ThrowIfNull(response);
        if (response.Status == RawCertStatus.Revoked)
        {
            DateTimeOffset time = DateTimeOffset.ParseExact(response.RevocationTime!, "yyyyMMddHHmmss'Z'", null, System.Globalization.DateTimeStyles.AssumeUniversal);
            return time == DateTimeOffset.UnixEpoch && response.Reason == CertificateHold ? NotIssued : RevokedAt(time, response.Reason ?? NoReason);
        }

        return response.Status == RawCertStatus.Good ? Good : NotIssued;
    }

    /// <summary>
    /// The status after an event, by the rules as a relying party knows them (RFC 5280 §5.3.1, X.509 on holds), written down here a second time:
    /// the judge takes none from the code under test.
    /// </summary>
    public ShownStatus After(HistoryEvent @event)
    {
        ArgumentNullException.ThrowIfNull(@event);
        return (@event.Kind, State) switch
        {
            (HistoryEventKind.Issued, ShownState.NotIssued) => Good,
            (HistoryEventKind.Held, ShownState.NotIssued or ShownState.Good) => RevokedAt(@event.At, CertificateHold),
            (HistoryEventKind.Released, ShownState.Revoked) when Reason == CertificateHold => Good,
            (HistoryEventKind.Revoked, ShownState.NotIssued or ShownState.Good) => RevokedAt(@event.At, @event.Reason ?? NoReason),
            (HistoryEventKind.Revoked, ShownState.Revoked) when Reason == CertificateHold => this with { Reason = @event.Reason ?? NoReason },
            _ => throw new InvalidOperationException($"The workload makes no event {@event} on {this}."),
        };
    }

    /// <inheritdoc/>
    public override string ToString() => State switch
    {
        ShownState.NotIssued => "not issued",
        ShownState.Good => "good",
        _ => $"revoked at {DateTimeOffset.FromUnixTimeSeconds(RevocationTime):u}{(Reason == NoReason ? "" : $", reason {Reason}")}",
    };
}
