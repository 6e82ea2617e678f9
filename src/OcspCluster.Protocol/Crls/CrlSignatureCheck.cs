namespace OcspCluster.Protocol;

/// <summary>Whether a CRL is a CA's. A closed set.</summary>
public enum CrlSignatureCheck
{
    /// <summary>It bears the CA's name, and the CA's key, which may sign CRLs, signed it.</summary>
    Verified = 0,

    /// <summary>It bears another name, compared octet by octet.</summary>
    OtherIssuer,

    /// <summary>The CA's certificate has a keyUsage without cRLSign (RFC 5280 §4.2.1.3, §6.3.3 (f)).</summary>
    NoCrlSign,

    /// <summary>The CA's key did not make this signature over these octets.</summary>
    Wrong,

    /// <summary>Nobody here knows the signature's algorithm.</summary>
    AlgorithmUnsupported,

    /// <summary>The hash, or the key, is too weak to prove anything.</summary>
    AlgorithmTooWeak,
}
