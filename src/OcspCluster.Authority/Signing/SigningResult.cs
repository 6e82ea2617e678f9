namespace OcspCluster.Authority;

/// <summary>Why nothing was signed.</summary>
public enum SigningFailure
{
    /// <summary>It was signed.</summary>
    None,

    /// <summary>No responder certificate is within its validity, or none for long enough: somebody must renew it.</summary>
    NoCredential,

    /// <summary>What the signer made is not right, and is given to nobody.</summary>
    Wrong,

    /// <summary>The key could not be used, did not answer in time, or is given a rest after such failures.</summary>
    Failing,

    /// <summary>Too many wait for the key already, or the turn did not come in time.</summary>
    Busy,

    /// <summary>The clock cannot be right (<see cref="ClockGuard"/>): what would be signed would be dated wrongly.</summary>
    ClockDoubtful,
}

/// <summary>A signed answer, or the reason why there is none. Immutable.</summary>
public sealed class SigningResult
{
    private SigningResult(SignedResponse? response, SigningCredential? credential, SigningFailure failure, string reason, Exception? cause)
    {
        Response = response;
        Credential = credential;
        Failure = failure;
        Reason = reason;
        Cause = cause;
    }

    /// <summary>The signed answer; null when something failed, and after a self-test.</summary>
    public SignedResponse? Response { get; }

    /// <summary>Who signed, or was to sign.</summary>
    public SigningCredential? Credential { get; }

    /// <summary>What failed.</summary>
    public SigningFailure Failure { get; }

    /// <summary>Why, in a sentence for the operator; empty when nothing failed.</summary>
    public string Reason { get; }

    /// <summary>What the key's library threw, if it did.</summary>
    public Exception? Cause { get; }

    /// <summary>Whether the key was tried and failed: news for the operator. Else the failure only follows from one that was told already.</summary>
    public bool IsNews { get; private init; }

    internal static SigningResult Signed(SignedResponse response, SigningCredential credential) => new(response, credential, SigningFailure.None, "", cause: null);

    internal static SigningResult Probed(SigningCredential credential) => new(response: null, credential, SigningFailure.None, "", cause: null);

    internal static SigningResult News(SigningFailure failure, string reason, SigningCredential? credential, Exception? cause = null) =>
        new(response: null, credential, failure, reason, cause) { IsNews = true };

    internal static SigningResult Consequence(SigningFailure failure, string reason, SigningCredential? credential) => new(response: null, credential, failure, reason, cause: null);
}
