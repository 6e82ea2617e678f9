namespace OcspCluster.Client;

/// <summary>What is known about the revocation of a certificate. A closed set.</summary>
public enum RevocationStatus
{
    /// <summary>It could not be found out; the verdict's <see cref="RevocationVerdict.Failure"/> says why.</summary>
    CouldNotTell = 0,

    /// <summary>Not revoked, by a verified answer.</summary>
    Good,

    /// <summary>Revoked or on hold, by a verified answer.</summary>
    Revoked,

    /// <summary>The responder says, in a verified answer, that it does not know the certificate (RFC 6960 §2.2). It is not good.</summary>
    Unknown,
}

/// <summary>Where the word about a certificate came from.</summary>
public enum RevocationSource
{
    /// <summary>An OCSP response that the server sent along in the handshake (RFC 6066 §8).</summary>
    Stapled,

    /// <summary>An OCSP responder.</summary>
    Ocsp,

    /// <summary>A CRL, with its delta where there is one.</summary>
    Crl,
}

/// <summary>Why no status could be told. A closed set; later ones tell more, and the one that tells most is the verdict's.</summary>
public enum RevocationFailure
{
    /// <summary>Nothing failed.</summary>
    None = 0,

    /// <summary>The certificate names neither responder nor CRL, and none was given.</summary>
    NoSource,

    /// <summary>The total time ran out.</summary>
    TimedOut,

    /// <summary>No source could be reached: name resolution, connection, HTTP, or the time of one request.</summary>
    Unreachable,

    /// <summary>The address is private, loopback or link-local, and was not allowed.</summary>
    AddressRefused,

    /// <summary>The responder answered with an error, which is unsigned (RFC 6960 §2.3).</summary>
    ResponderError,

    /// <summary>An answer came and breaks a rule: it is not readable, not about this certificate, or not current (RFC 6960 §3.2).</summary>
    AnswerRefused,

    /// <summary>An answer came that its signer did not sign, or whose signer may not speak for the issuer (RFC 6960 §3.2 (2) to (4)).</summary>
    AnswerForged,

    /// <summary>The server stapled an answer that breaks a rule: the handshake is to be ended (RFC 6066 §8).</summary>
    StapleRefused,

    /// <summary>The certificate demands a stapled answer (RFC 7633), one was asked for, and none came.</summary>
    StapleMissing,

    /// <summary>The issuer's certificate could not be found.</summary>
    IssuerNotFound,

    /// <summary>The issuer that was given did not issue the certificate: another name, or its key did not make the signature.</summary>
    NotIssuedByIssuer,

    /// <summary>The certificate has ended or not begun: nobody answers for it reliably (RFC 9919 §4.2).</summary>
    CertificateNotValid,
}
