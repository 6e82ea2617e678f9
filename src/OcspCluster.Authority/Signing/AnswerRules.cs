using OcspCluster.Protocol;

namespace OcspCluster.Authority;

/// <summary>What is to be said of one certificate. Immutable.</summary>
public sealed record CertificateAnswer
{
    /// <summary>When RFC 6960 §2.2 has certificates revoked that were never issued.</summary>
    private static readonly DateTimeOffset s_neverIssued = DateTimeOffset.UnixEpoch;

    private CertificateAnswer(CertStatus status) => Status = status;

    /// <summary>Never issued, and said so: <c>unknown</c>.</summary>
    public static CertificateAnswer Unknown { get; } = new(CertStatus.Unknown);

    /// <summary>Never issued, and said so: <c>revoked</c> by the extended definition (RFC 6960 §2.2).</summary>
    public static CertificateAnswer ExtendedRevoke { get; } = new(CertStatus.Revoked(s_neverIssued, RevocationReason.CertificateHold)) { IsExtendedRevoke = true };

    /// <summary>The status on the wire.</summary>
    public CertStatus Status { get; }

    /// <summary>Whether the answer needs the extended revoked definition beside it (RFC 6960 §4.4.8).</summary>
    public bool IsExtendedRevoke { get; private init; }

    /// <summary>When the key is known or suspected to have been compromised.</summary>
    public DateTimeOffset? InvalidityDate { get; private init; }

    /// <summary>When the status was recorded: thisUpdate is not before it.</summary>
    public DateTimeOffset? RecordedAt { get; private init; }

    /// <summary>How long expired certificates are answered for, when this is one of them (RFC 6960 §4.4.4).</summary>
    public TimeSpan? ArchiveRetention { get; private init; }

    /// <summary>When time alone makes it another answer: the certificate ends, or its retention does; null when it never does.</summary>
    public DateTimeOffset? ChangesAt { get; private init; }

    internal static CertificateAnswer From(CertificateStatus status, TimeSpan? archiveRetention, DateTimeOffset? changesAt) => new(ToCertStatus(status))
    {
        InvalidityDate = status.InvalidityDate,
        RecordedAt = status.RecordedAt,
        ArchiveRetention = archiveRetention,
        ChangesAt = changesAt,
    };

    private static CertStatus ToCertStatus(CertificateStatus status) => status.State switch
    {
        CertificateState.Good => CertStatus.Good,
        CertificateState.Held => CertStatus.Revoked(RevocationTime(status), RevocationReason.CertificateHold),
        CertificateState.Revoked => CertStatus.Revoked(RevocationTime(status), status.Reason),
        _ => throw new InvalidOperationException($"The status source told a state that does not exist: {status.State}."),
    };

    private static DateTimeOffset RevocationTime(CertificateStatus status) =>
        status.RevocationTime ?? throw new InvalidOperationException($"The status source told {status.State} without a revocation time.");
}

/// <summary>What an issuer's policy makes of a certificate's status. Pure: the same answer in every host.</summary>
public static class AnswerRules
{
    /// <returns>What is to be said; null when we have no authoritative answer: unsigned <c>unauthorized</c> (RFC 9919 §3.2.3).</returns>
    public static CertificateAnswer? Decide(IssuerPolicy policy, CertificateStatus? status, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(policy);
        if (status is null)
        {
            return (policy.Inventory, policy.Unissued) switch
            {
                (Inventory.Unknown, _) => CertificateAnswer.From(CertificateStatus.Good, archiveRetention: null, changesAt: null),
                (_, UnissuedAnswer.Unknown) => CertificateAnswer.Unknown,
                (_, UnissuedAnswer.Revoked) => CertificateAnswer.ExtendedRevoke,
                _ => null,
            };
        }

        if (status.NotAfter is not DateTimeOffset notAfter)
        {
            return CertificateAnswer.From(status, archiveRetention: null, changesAt: null);
        }

        if (now <= notAfter)
        {
            return CertificateAnswer.From(status, archiveRetention: null, changesAt: notAfter);
        }

        return now - notAfter <= policy.ExpiredRetention ? CertificateAnswer.From(status, policy.ExpiredRetention, changesAt: notAfter + policy.ExpiredRetention) : null;
    }
}
