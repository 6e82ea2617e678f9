using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography.X509Certificates;

namespace OcspCluster.Protocol;

/// <summary>Whether a signed request comes from whom a responder trusts, or the rule that it breaks. A closed set.</summary>
public enum OcspRequestVerificationOutcome
{
    /// <summary>Signed by a trusted requestor.</summary>
    Verified = 0,

    /// <summary>There is no signature: sigRequired, where one is demanded (RFC 6960 §2.3).</summary>
    NotSigned,

    /// <summary>Neither the request nor the policy has a readable certificate that could be the signer's.</summary>
    SignerNotFound,

    /// <summary>The signature is of an algorithm, or the key on a curve, that is not supported.</summary>
    SignatureAlgorithmUnsupported,

    /// <summary>The signature is of an algorithm, or the key of a length, that proves nothing.</summary>
    SignatureAlgorithmTooWeak,

    /// <summary>None of the keys made the signature over these bytes.</summary>
    SignatureWrong,

    /// <summary>The signer is neither a trusted requestor nor directly issued by a trusted CA that is valid now.</summary>
    SignerNotTrusted,

    /// <summary>The signer's certificate is not valid now.</summary>
    SignerNotValidNow,

    /// <summary>The signer's certificate has a keyUsage without digitalSignature (RFC 5280 §4.2.1.3).</summary>
    SignerLacksDigitalSignature,

    /// <summary>The signer's certificate has a critical extension that is not understood (RFC 5280 §4.2).</summary>
    SignerUnknownCriticalExtension,

    /// <summary>requestorName is not a name of the signer.</summary>
    RequestorNameMismatch,
}

/// <summary>What verification of a request found. Immutable.</summary>
public sealed class OcspRequestVerificationResult
{
    internal OcspRequestVerificationResult(OcspRequestVerificationOutcome outcome, string message, X509Certificate2? signer = null)
    {
        Outcome = outcome;
        Message = message;
        Signer = signer;
    }

    /// <summary>Verified, or the rule that was broken.</summary>
    public OcspRequestVerificationOutcome Outcome { get; }

    /// <summary>A sentence for people.</summary>
    public string Message { get; }

    /// <summary>Whether the request is its signer's.</summary>
    [MemberNotNullWhen(true, nameof(Signer))]
    public bool IsVerified => Outcome == OcspRequestVerificationOutcome.Verified;

    /// <summary>The requestor's certificate: null unless verified.</summary>
    public X509Certificate2? Signer { get; }

    /// <summary>The sentence.</summary>
    public override string ToString() => Message;
}
