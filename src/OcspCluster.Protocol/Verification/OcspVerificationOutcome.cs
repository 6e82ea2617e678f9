namespace OcspCluster.Protocol;

/// <summary>Whether a response may be relied on, or the rule of RFC 6960 §3.2 and §4.2.2 that it breaks. A closed set.</summary>
public enum OcspVerificationOutcome
{
    /// <summary>Every rule holds: the status is the responder's word.</summary>
    Verified = 0,

    /// <summary>The bytes are not a response (RFC 6960 §4.2.1).</summary>
    Malformed,

    /// <summary>The responder answered with an error, which is unsigned and tells nothing about the certificate (RFC 6960 §2.3).</summary>
    NotSuccessful,

    /// <summary>No SingleResponse is about the certificate asked for: hash algorithm, both hashes and serial number count (RFC 6960 §3.2 (1)).</summary>
    CertIdNotAnswered,

    /// <summary>The ResponderID denotes neither the issuer, nor a configured responder, nor a readable certificate in the response (RFC 6960 §4.2.2.3).</summary>
    ResponderNotFound,

    /// <summary>The responder's certificate was not issued directly by the issuer, under its name and by its key (RFC 6960 §4.2.2.2).</summary>
    ResponderNotIssuedByIssuer,

    /// <summary>The signature on the responder's certificate is of an algorithm that is not supported.</summary>
    ResponderAlgorithmUnsupported,

    /// <summary>The signature on the responder's certificate is of an algorithm, or the issuer's key of a length, that proves nothing.</summary>
    ResponderAlgorithmTooWeak,

    /// <summary>The responder's certificate lacks the extended key usage OCSPSigning; anyExtendedKeyUsage is not enough (RFC 6960 §4.2.2.2).</summary>
    ResponderLacksOcspSigning,

    /// <summary>The responder's certificate has a keyUsage without digitalSignature (RFC 5280 §4.2.1.3).</summary>
    ResponderLacksDigitalSignature,

    /// <summary>The responder's certificate has a critical extension that is not understood (RFC 5280 §4.2).</summary>
    ResponderUnknownCriticalExtension,

    /// <summary>The responder's certificate is not valid now.</summary>
    ResponderNotValidNow,

    /// <summary>The responder's certificate was not valid at producedAt.</summary>
    ResponderNotValidAtProducedAt,

    /// <summary>The signature is of an algorithm, or the key on a curve, that is not supported.</summary>
    SignatureAlgorithmUnsupported,

    /// <summary>The signature is of an algorithm, or the key of a length, that proves nothing.</summary>
    SignatureAlgorithmTooWeak,

    /// <summary>The responder's key did not make the signature over these bytes (RFC 6960 §3.2 (2)).</summary>
    SignatureWrong,

    /// <summary>The responder's certificate is revoked.</summary>
    ResponderRevoked,

    /// <summary>Whether the responder's certificate is revoked could not be found out, and it lacks nocheck (RFC 6960 §4.2.2.2.1).</summary>
    ResponderRevocationUnknown,

    /// <summary>An extension of the response is critical and not understood.</summary>
    UnknownCriticalExtension,

    /// <summary>An extension of the answer for this certificate is critical and not understood.</summary>
    UnknownCriticalSingleExtension,

    /// <summary>A nonce was sent, is required back, and is not there (RFC 9654 §2.1).</summary>
    NonceMissing,

    /// <summary>The response has another nonce than the one that was sent (RFC 9654 §2.1).</summary>
    NonceMismatch,

    /// <summary>producedAt is in the future.</summary>
    ProducedAtInFuture,

    /// <summary>thisUpdate is in the future (RFC 6960 §3.2 (5), §4.2.2.1).</summary>
    ThisUpdateInFuture,

    /// <summary>nextUpdate is before thisUpdate.</summary>
    NextUpdateBeforeThisUpdate,

    /// <summary>nextUpdate has passed (RFC 6960 §3.2 (6), §4.2.2.1).</summary>
    NextUpdatePassed,

    /// <summary>There is no nextUpdate, which the lightweight profile demands (RFC 9919 §5).</summary>
    NextUpdateMissing,

    /// <summary>There is no nextUpdate, and thisUpdate is too long ago (RFC 6960 §3.2 (5)).</summary>
    TooOldWithoutNextUpdate,

    /// <summary>thisUpdate is longer ago than the policy allows, whatever nextUpdate says.</summary>
    TooOld,
}
