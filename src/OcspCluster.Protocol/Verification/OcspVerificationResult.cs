using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography.X509Certificates;

namespace OcspCluster.Protocol;

/// <summary>By which of the three ways of RFC 6960 §4.2.2.2 a responder may speak for an issuer.</summary>
public enum ResponderAuthorization
{
    /// <summary>By the relying party's own configuration.</summary>
    Configured,

    /// <summary>It is the issuer.</summary>
    Issuer,

    /// <summary>The issuer issued its certificate for this purpose.</summary>
    Delegated,
}

/// <summary>What verification found (RFC 6960 §3.2). Immutable.</summary>
public sealed class OcspVerificationResult
{
    private OcspVerificationResult(OcspVerificationOutcome outcome, string message)
    {
        Outcome = outcome;
        Message = message;
    }

    /// <summary>Verified, or the rule that was broken.</summary>
    public OcspVerificationOutcome Outcome { get; }

    /// <summary>A sentence for people.</summary>
    public string Message { get; }

    /// <summary>Whether the status may be relied on.</summary>
    [MemberNotNullWhen(true, nameof(Status), nameof(Answer), nameof(Signer), nameof(Authorization))]
    public bool IsVerified => Outcome == OcspVerificationOutcome.Verified;

    /// <summary>The status of the certificate: null unless verified.</summary>
    public CertStatus? Status => Answer?.Status;

    /// <summary>The answer that counts: of several current ones the strictest (revoked, then unknown, then good). Null unless verified.</summary>
    public SingleResponse? Answer { get; private init; }

    /// <summary>All current answers for the certificate; empty unless verified.</summary>
    public IReadOnlyList<SingleResponse> CurrentAnswers { get; private init; } = [];

    /// <summary>The certificate whose key signed: the issuer's as it was given, or the responder's. Null unless verified.</summary>
    public X509Certificate2? Signer { get; private init; }

    /// <summary>Why the signer may speak for the issuer. Null unless verified.</summary>
    public ResponderAuthorization? Authorization { get; private init; }

    /// <summary>The error that the responder answered with; null when it did not.</summary>
    public OcspResponseStatus? ResponderError { get; private init; }

    /// <summary>Why the bytes are not a response; <see cref="DecodeError.None"/> when they are.</summary>
    public DecodeError DecodeError { get; private init; }

    internal static OcspVerificationResult Failed(OcspVerificationOutcome outcome, string message) => new(outcome, message);

    internal static OcspVerificationResult Malformed(DecodeError error) =>
        new(OcspVerificationOutcome.Malformed, $"The bytes are not an OCSP response: {error}.") { DecodeError = error };

    internal static OcspVerificationResult NotSuccessful(OcspResponseStatus error) =>
        new(OcspVerificationOutcome.NotSuccessful, $"The responder answered {error}, which is unsigned and tells nothing about the certificate.") { ResponderError = error };

    internal static OcspVerificationResult Verified(SingleResponse answer, IReadOnlyList<SingleResponse> current, X509Certificate2 signer, ResponderAuthorization authorization) =>
        new(OcspVerificationOutcome.Verified, $"'{NameText.Of(signer.SubjectName.RawData)}' says {Describe(answer.Status)}.")
        {
            Answer = answer,
            CurrentAnswers = current,
            Signer = signer,
            Authorization = authorization,
        };

    private static string Describe(CertStatus status) => status switch
    {
        CertStatus.GoodStatus => "good",
        CertStatus.RevokedStatus { Reason: null } revoked => $"revoked since {revoked.RevocationTime:u}",
        CertStatus.RevokedStatus revoked => $"revoked since {revoked.RevocationTime:u} ({revoked.Reason})",
        _ => "unknown",
    };

    /// <summary>The sentence.</summary>
    public override string ToString() => Message;
}
