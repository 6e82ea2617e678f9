using OcspCluster.Authority;
using OcspCluster.Protocol;

namespace OcspCluster.Gateway;

/// <summary>What became of a request: one name for each way to answer.</summary>
public enum OcspOutcome
{
    /// <summary>Answered with a signature.</summary>
    Answered,

    /// <summary>malformedRequest: the bytes are not a request.</summary>
    Malformed,

    /// <summary>malformedRequest: a critical extension is unknown.</summary>
    UnknownCriticalExtension,

    /// <summary>malformedRequest: this issuer does not take such a nonce.</summary>
    NonceRefused,

    /// <summary>unauthorized: none of the issuers asked about is served here.</summary>
    IssuerNotServed,

    /// <summary>unauthorized: the certificates are of several issuers, and nobody signs for all.</summary>
    SeveralIssuers,

    /// <summary>unauthorized: the serial was never issued.</summary>
    NeverIssued,

    /// <summary>unauthorized: the certificate ended too long ago.</summary>
    Expired,

    /// <summary>unauthorized: a nonce is required.</summary>
    NonceRequired,

    /// <summary>unauthorized: the request's signature is wrong, or of somebody who is not trusted.</summary>
    SignatureRefused,

    /// <summary>sigRequired: the request must be signed.</summary>
    SignatureRequired,

    /// <summary>tryLater: the signatures that such requests may cost are spent for now.</summary>
    BudgetSpent,

    /// <summary>tryLater: the status changed again and again while it was answered.</summary>
    Contended,

    /// <summary>tryLater: the status source is out of reach, and no answer at hand may be given without it.</summary>
    StatusUnavailable,

    /// <summary>tryLater: too many signatures wait for the key already, and no answer at hand may be given.</summary>
    SignerBusy,

    /// <summary>tryLater: the key cannot be used now, and no answer at hand may be given.</summary>
    SignerFailing,

    /// <summary>tryLater: the clock cannot be right, and no answer at hand may be given.</summary>
    ClockDoubtful,

    /// <summary>internalError: nobody may sign, or what was signed is wrong.</summary>
    SignerUnavailable,

    /// <summary>internalError: a fault in the program or in the status source.</summary>
    Fault,
}

/// <summary>Where an answer came from.</summary>
public enum AnswerSource
{
    /// <summary>Nowhere: the request was refused.</summary>
    Refused,

    /// <summary>This process's cache.</summary>
    Cache,

    /// <summary>Signed before, and found where answers are kept or with the certificate's actor.</summary>
    Kept,

    /// <summary>Signed for this request, or for one that asked at the same time.</summary>
    Signer,
}

/// <summary>The answer to one request.</summary>
public readonly struct OcspReply
{
    private OcspReply(OcspOutcome outcome, AnswerSource source, SignedResponse? response, ReadOnlyMemory<byte> body)
    {
        Outcome = outcome;
        Source = source;
        Response = response;
        Body = body;
    }

    /// <summary>What became of the request.</summary>
    public OcspOutcome Outcome { get; }

    /// <summary>Where the answer came from.</summary>
    public AnswerSource Source { get; }

    /// <summary>The signed answer; null for an unsigned error.</summary>
    public SignedResponse? Response { get; }

    /// <summary>The DER of the OCSPResponse.</summary>
    public ReadOnlyMemory<byte> Body { get; }

    internal static OcspReply Answer(SignedResponse signed, AnswerSource source) => new(OcspOutcome.Answered, source, signed, signed.Encoded);

    internal static OcspReply Error(OcspOutcome outcome) => new(outcome, AnswerSource.Refused, response: null, ErrorOf(outcome).Encoded);

    /// <summary>The status of the unsigned answer that an outcome has.</summary>
    internal static OcspResponseStatus StatusOf(OcspOutcome outcome) => outcome == OcspOutcome.Answered ? OcspResponseStatus.Successful : ErrorOf(outcome).Status;

    private static OcspResponse ErrorOf(OcspOutcome outcome) => outcome switch
    {
        OcspOutcome.Malformed or OcspOutcome.UnknownCriticalExtension or OcspOutcome.NonceRefused => OcspResponse.MalformedRequest,
        OcspOutcome.SignatureRequired => OcspResponse.SigRequired,
        OcspOutcome.BudgetSpent or OcspOutcome.Contended or OcspOutcome.StatusUnavailable or OcspOutcome.SignerBusy or OcspOutcome.SignerFailing or OcspOutcome.ClockDoubtful => OcspResponse.TryLater,
        OcspOutcome.SignerUnavailable or OcspOutcome.Fault => OcspResponse.InternalError,
        _ => OcspResponse.Unauthorized,
    };
}
