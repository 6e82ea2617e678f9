using OcspCluster.Authority;

namespace OcspCluster.Silo.Certificates;

/// <summary>A certificate is asked about.</summary>
/// <param name="CertId">The DER of the CertID.</param>
/// <param name="Preferred">Who is to sign (<see cref="CredentialNames"/>); null for the default.</param>
/// <param name="NewerThan">An answer that was produced then is no longer wanted; null when any is welcome.</param>
/// <param name="MinPosition">The journal position that the answer must be good as of at least.</param>
/// <param name="DueBy">Where nobody waits: an answer that is due in the background by then is signed anew, though a client would still be given it; null where a client asks.</param>
[GenerateSerializer]
[Immutable]
internal sealed record CertificateQuestion(
    [property: Id(0)] byte[] CertId, [property: Id(1)] string? Preferred, [property: Id(2)] DateTimeOffset? NewerThan, [property: Id(3)] long MinPosition,
    [property: Id(4)] DateTimeOffset? DueBy = null);

/// <summary>What a certificate's actor says.</summary>
/// <param name="Status">The certificate's status; null when it is not recorded.</param>
/// <param name="AsOf">The journal position that the status is good as of.</param>
/// <param name="Response">What was signed; null when nothing was or could be.</param>
/// <param name="Credential">Who signed it (<see cref="CredentialNames"/>).</param>
/// <param name="Failure">Why nothing was signed.</param>
/// <param name="Reason">The same in a sentence.</param>
[GenerateSerializer]
[Immutable]
internal sealed record CertificateReply(
    [property: Id(0)] CertificateStatus? Status,
    [property: Id(1)] long AsOf,
    [property: Id(2)] SignedResponse? Response,
    [property: Id(3)] string? Credential,
    [property: Id(4)] SigningFailure Failure,
    [property: Id(5)] string Reason);

/// <summary>A status, and the journal position that it is good as of.</summary>
[GenerateSerializer]
[Immutable]
internal sealed record StatusReply([property: Id(0)] CertificateStatus? Status, [property: Id(1)] long AsOf);

/// <summary>One certificate: its status and its signed answers. Key: <see cref="CertificateKey"/>.</summary>
internal interface ICertificateGrain : IGrainWithStringKey
{
    /// <summary>The status, and the answer that says so, signed now if need be.</summary>
    Task<CertificateReply> AnswerAsync(CertificateQuestion question);

    /// <summary>The status alone, good as of a position at least.</summary>
    Task<StatusReply> FindStatusAsync(long minPosition);
}
