using System.Security.Cryptography.X509Certificates;

namespace OcspCluster.Protocol;

/// <summary>Whose signed requests a responder takes (RFC 6960 §4.1.2 leaves it to local policy). Immutable; one may serve all threads.</summary>
public sealed record OcspRequestVerificationOptions
{
    /// <summary>Certificates of requestors that are trusted as they are. One need not be sent along with the request.</summary>
    public IReadOnlyList<X509Certificate2> TrustedRequestors { get; init; } = [];

    /// <summary>CAs whose directly issued certificates are trusted. Intermediate CAs are not searched for: name the one that issues.</summary>
    public IReadOnlyList<X509Certificate2> TrustedIssuers { get; init; } = [];

    /// <summary>
    /// Whether requestorName may be any name. Default false: it is the signer's subject or one of its subjectAltName, byte for byte, so that nobody
    /// who may ask, asks under another's name.
    /// </summary>
    public bool AcceptOtherRequestorName { get; init; }

    /// <summary>The clock. Default: the system's.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>How far the clocks of CA and responder may be apart. Default 5 minutes; not negative.</summary>
    public TimeSpan Tolerance
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.Zero);
            field = value;
        }
    } = TimeSpan.FromMinutes(5);

    /// <summary>Verifies the signatures. Default: what .NET can, nothing weak.</summary>
    public OcspSignatureVerifier SignatureVerifier { get; init; } = OcspSignatureVerifier.Default;
}
