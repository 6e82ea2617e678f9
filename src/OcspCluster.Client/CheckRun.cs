using System.Security.Cryptography.X509Certificates;
using OcspCluster.Protocol;

namespace OcspCluster.Client;

/// <summary>What is asked about: a certificate whose issuer is known to have signed it.</summary>
internal sealed record Subject(X509Certificate2 Certificate, X509Certificate2 Issuer, CertificateAddresses Addresses)
{
    public SerialNumber SerialNumber { get; } = SerialNumber.FromCertificate(Certificate);
}

/// <summary>A status with its evidence, as a source found it.</summary>
internal sealed record Finding(RevocationStatus Status, RevocationEvidence Evidence, string Message, DateTimeOffset? RevocationTime = null, RevocationReason? Reason = null)
{
    /// <summary>What a verified OCSP response says.</summary>
    public static Finding Of(OcspVerificationResult result, RevocationEvidence evidence) => result.Status switch
    {
        CertStatus.RevokedStatus revoked => new(RevocationStatus.Revoked, evidence, result.Message, revoked.RevocationTime, revoked.Reason),
        CertStatus.UnknownStatus => new(RevocationStatus.Unknown, evidence, result.Message),
        _ => new(RevocationStatus.Good, evidence, result.Message),
    };
}

/// <summary>One check: its clock, its end, and what was tried. Used by one caller at a time.</summary>
internal sealed class CheckRun(TimeProvider clock, CancellationToken cancellationToken)
{
    private readonly List<RevocationAttempt> _attempts = [];

    public IReadOnlyList<RevocationAttempt> Attempts => _attempts;

    /// <summary>Ends with the caller's token or with the total time.</summary>
    public CancellationToken Token => cancellationToken;

    public long Start() => clock.GetTimestamp();

    public TimeSpan Since(long start) => clock.GetElapsedTime(start);

    public void Add(RevocationAttempt attempt) => _attempts.Add(attempt);

    public void Fail(RevocationSource source, RevocationFailure failure, string message, Uri? uri = null) =>
        Add(new RevocationAttempt { Source = source, Failure = failure, Message = message, Uri = uri });
}
