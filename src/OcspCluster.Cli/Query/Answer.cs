using OcspCluster.Client;
using OcspCluster.Protocol;

namespace OcspCluster.Cli;

/// <summary>What a response says about one certificate, and whether that may be relied on. Immutable.</summary>
/// <param name="Question">What was asked.</param>
/// <param name="Status">The status; <see cref="RevocationStatus.CouldNotTell"/> when it may not be relied on.</param>
/// <param name="Message">A sentence for people.</param>
internal sealed record Answer(Question Question, RevocationStatus Status, string Message)
{
    /// <summary>What verification found; null when it was left out.</summary>
    public OcspVerificationResult? Verification { get; init; }

    /// <summary>What the response says; null when it says nothing that counts.</summary>
    public SingleResponse? Single { get; init; }

    /// <summary>Judges a response by RFC 6960 §3.2.</summary>
    public static Answer Verify(Question question, OcspResponse response, OcspVerificationOptions options)
    {
        if (question.Issuer is null)
        {
            return new Answer(question, RevocationStatus.CouldNotTell, "No --issuer was given whose certificate this is, so the answer cannot be verified.");
        }

        OcspVerificationResult result = OcspVerifier.Verify(response, question.CertId, question.Issuer, options);
        return new Answer(question, result.Status is CertStatus status ? StatusOf(status) : RevocationStatus.CouldNotTell, result.Message) { Verification = result, Single = result.Answer };
    }

    /// <summary>Believes a response.</summary>
    public static Answer Believe(Question question, OcspResponse response) =>
        response.Basic?.Data.Responses.FirstOrDefault(single => single.CertId.Equals(question.CertId)) is SingleResponse single
            ? new Answer(question, StatusOf(single.Status), "Not verified.") { Single = single }
            : new Answer(question, RevocationStatus.CouldNotTell, response.Basic is null ? $"The responder answered with the error {response.Status}." : "The response does not answer for this certificate.");

    private static RevocationStatus StatusOf(CertStatus status) => status switch
    {
        CertStatus.GoodStatus => RevocationStatus.Good,
        CertStatus.RevokedStatus => RevocationStatus.Revoked,
        _ => RevocationStatus.Unknown,
    };
}
