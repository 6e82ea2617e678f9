namespace OcspCluster.Protocol;

/// <summary>Why bytes are not the message they should be. A closed set: one name for each rule that can break.</summary>
public enum DecodeError
{
    /// <summary>Nothing is wrong.</summary>
    None = 0,

    /// <summary>Not DER, or not the ASN.1 type expected here: wrong tag, bad or non-minimal length, truncated, indefinite (X.690 §8, §10).</summary>
    MalformedDer,

    /// <summary>Octets follow the message, or unknown fields follow the last known one of a SEQUENCE.</summary>
    TrailingData,

    /// <summary>A version other than v1 (RFC 6960 §4.1.1, §4.2.1).</summary>
    UnsupportedVersion,

    /// <summary>requestList has no element (RFC 6960 §4.1.1).</summary>
    EmptyRequestList,

    /// <summary>More CertIDs than <see cref="DecodeOptions.MaxCertIds"/>.</summary>
    TooManyCertIds,

    /// <summary>A CertID's hash algorithm has parameters other than NULL or none (RFC 5754 §2).</summary>
    UnsupportedParameters,

    /// <summary>A CertID's hash is not as long as its algorithm makes it.</summary>
    HashLengthMismatch,

    /// <summary>A serial number is empty or not minimally encoded (X.690 §8.3.2).</summary>
    InvalidSerialNumber,

    /// <summary>A GeneralName or Name is not one (RFC 5280 §4.1.2.4, §4.2.1.6).</summary>
    InvalidName,

    /// <summary>Extensions is an empty SEQUENCE (RFC 5280 §4.1: SIZE (1..MAX)).</summary>
    EmptyExtensions,

    /// <summary>The same extension twice in one list (RFC 5280 §4.2).</summary>
    DuplicateExtension,

    /// <summary>The value of an extension that we understand is not what its definition says.</summary>
    InvalidExtension,

    /// <summary>The nonce is not an OCTET STRING of 1 to 128 octets (RFC 9654 §2.1).</summary>
    InvalidNonce,

    /// <summary>The signature block of a request is not one, or requestorName is missing beside it (RFC 6960 §4.1.2).</summary>
    InvalidSignature,

    /// <summary>A GeneralizedTime with a fraction, an offset, no seconds, or no such time (RFC 5280 §4.1.2.5.2).</summary>
    InvalidTime,

    /// <summary>A responseStatus that RFC 6960 §4.2.1 does not name.</summary>
    InvalidStatus,

    /// <summary>A successful response without responseBytes, or an error with them (RFC 6960 §4.2.1).</summary>
    InconsistentStatus,

    /// <summary>A response type other than id-pkix-ocsp-basic (RFC 6960 §4.2.1).</summary>
    UnsupportedResponseType,

    /// <summary>A byKey ResponderID that is not 20 octets long (RFC 6960 §4.2.1).</summary>
    InvalidResponderId,

    /// <summary>A CRLReason that RFC 5280 §5.3.1 does not name.</summary>
    InvalidReason,

    /// <summary>ResponseData without a SingleResponse.</summary>
    EmptyResponses,

    /// <summary>A CRL, or an entry of one, has a critical extension that nobody here understands: the CRL says nothing about any certificate (RFC 5280 §5.2, §5.3).</summary>
    UnknownCriticalExtension,

    /// <summary>A CRL with entries of other issuers than its own (RFC 5280 §5.2.5, §5.3.3).</summary>
    IndirectCrl,

    /// <summary>revokedCertificates is an empty SEQUENCE; without entries it is absent (RFC 5280 §5.1.2.6).</summary>
    EmptyRevokedCertificates,
}
