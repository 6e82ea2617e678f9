using System.Numerics;
using System.Security.Cryptography.X509Certificates;
using OcspCluster.Protocol;

namespace OcspCluster.Client;

/// <summary>What a status rests on: enough to show it to somebody else, and to verify it again. Immutable.</summary>
public sealed record RevocationEvidence
{
    /// <summary>Where it came from.</summary>
    public required RevocationSource Source { get; init; }

    /// <summary>The responder's or the CRL's address; null when it was stapled.</summary>
    public Uri? Uri { get; init; }

    /// <summary>Whether it came from the client's store, verified anew.</summary>
    public bool FromStore { get; init; }

    /// <summary>The DER of the OCSP request; empty when none was sent for this answer.</summary>
    public ReadOnlyMemory<byte> Request { get; init; }

    /// <summary>The DER of the OCSP response or of the CRL.</summary>
    public required ReadOnlyMemory<byte> Answer { get; init; }

    /// <summary>The DER of the delta CRL that was combined with it; empty when there was none.</summary>
    public ReadOnlyMemory<byte> DeltaCrl { get; init; }

    /// <summary>The certificate whose key signed.</summary>
    public required X509Certificate2 Signer { get; init; }

    /// <summary>Why the signer may speak for the issuer.</summary>
    public required ResponderAuthorization Authorization { get; init; }

    /// <summary>When the OCSP response was signed; null for a CRL, whose <see cref="ThisUpdate"/> says it.</summary>
    public DateTimeOffset? ProducedAt { get; init; }

    /// <summary>When the status was known to be right.</summary>
    public required DateTimeOffset ThisUpdate { get; init; }

    /// <summary>When there will be newer information at the latest; null when it is always there.</summary>
    public DateTimeOffset? NextUpdate { get; init; }

    /// <summary>Whether the response has the nonce that was sent, and so was made for this request.</summary>
    public bool IsFresh { get; init; }

    /// <summary>The hash algorithm of the CertID that was answered; null for a CRL.</summary>
    public string? CertIdHashOid { get; init; }

    /// <summary>The number of the CRL that counts; null when there is none.</summary>
    public BigInteger? CrlNumber { get; init; }
}
