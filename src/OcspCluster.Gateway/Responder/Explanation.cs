using OcspCluster.Authority;
using OcspCluster.Protocol;

namespace OcspCluster.Gateway;

/// <summary>Where an answer would come from.</summary>
internal enum ExplainedSource
{
    /// <summary>It is an unsigned error, because of what the issuer's policy says.</summary>
    Refused,

    /// <summary>This process's cache.</summary>
    Cache,

    /// <summary>The store of answers that outlive the process.</summary>
    Kept,

    /// <summary>It would be signed for the request.</summary>
    Signed,

    /// <summary>The certificate's actor in the cluster: what it keeps, or what it has signed.</summary>
    Actor,

    /// <summary>It is an unsigned error, because something is out of order.</summary>
    Failed,
}

/// <summary>What would be answered about one certificate now, and why: nothing was signed for it, and nothing changed.</summary>
/// <param name="Answer">good, revoked, unknown, unauthorized, tryLater or internalError.</param>
/// <param name="Source">Where it would come from.</param>
/// <param name="Because">The reasons, in sentences, in the order in which they count.</param>
/// <param name="Status">What is known of the certificate; null when nothing is, or it cannot be read now.</param>
/// <param name="Signer">Who signed the answer, or would; null when nobody does.</param>
/// <param name="Cached">The answer that is at hand for this form of the CertID, whether it would be given or not.</param>
internal sealed record Explanation(
    string Answer, ExplainedSource Source, IReadOnlyList<string> Because, CertificateStatus? Status, SigningCredential? Signer, CachedResponse? Cached);

/// <summary>The names of answers, as clients see them.</summary>
internal static class AnswerName
{
    public const string Unauthorized = "unauthorized";
    public const string TryLater = "tryLater";
    public const string InternalError = "internalError";

    public static string Of(CertStatus status) => status switch
    {
        CertStatus.RevokedStatus => "revoked",
        CertStatus.UnknownStatus => "unknown",
        _ => "good",
    };

    public static string Of(SigningFailure failure) => failure is SigningFailure.NoCredential or SigningFailure.Wrong ? InternalError : TryLater;
}
