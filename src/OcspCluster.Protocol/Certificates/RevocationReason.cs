namespace OcspCluster.Protocol;

/// <summary>Why a certificate was revoked (CRLReason, RFC 5280 §5.3.1). 7 is not used.</summary>
public enum RevocationReason
{
    /// <summary>No reason is stated. Omitted on the wire: absence means the same (RFC 5280 §5.3.1).</summary>
    Unspecified = 0,

    /// <summary>The subject's private key is, or is suspected to be, compromised.</summary>
    KeyCompromise = 1,

    /// <summary>The issuing CA's private key is, or is suspected to be, compromised.</summary>
    CaCompromise = 2,

    /// <summary>The subject's name or other information in the certificate has changed.</summary>
    AffiliationChanged = 3,

    /// <summary>A newer certificate takes this one's place.</summary>
    Superseded = 4,

    /// <summary>The certificate is no longer needed.</summary>
    CessationOfOperation = 5,

    /// <summary>Suspended: the only state that can be lifted again.</summary>
    CertificateHold = 6,

    /// <summary>Only in delta CRLs: the entry is to be removed. Never in an OCSP response.</summary>
    RemoveFromCrl = 8,

    /// <summary>A privilege in the certificate was withdrawn.</summary>
    PrivilegeWithdrawn = 9,

    /// <summary>The attribute authority's key is, or is suspected to be, compromised.</summary>
    AaCompromise = 10,
}
