using OcspCluster.Protocol;

namespace OcspCluster.Authority;

/// <summary>What a CA can tell of a certificate.</summary>
public enum EventKind
{
    /// <summary>The certificate (or its pre-certificate) was issued.</summary>
    Issued,

    /// <summary>It is revoked for good.</summary>
    Revoked,

    /// <summary>It is suspended (certificateHold).</summary>
    Held,

    /// <summary>Its suspension is lifted.</summary>
    Released,
}

/// <summary>One thing that a CA told of one certificate. Immutable; compared by value.</summary>
public sealed record RevocationEvent
{
    /// <summary>The idempotency key, unique per issuer: the same id again has the first outcome. 1 to 200 characters.</summary>
    public required string Id { get; init; }

    /// <summary>The certificate.</summary>
    public required SerialNumber Serial { get; init; }

    /// <summary>What happened.</summary>
    public required EventKind Kind { get; init; }

    /// <summary>When it happened, by the CA's clock.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>Why, for <see cref="EventKind.Revoked"/>.</summary>
    public RevocationReason? Reason { get; init; }

    /// <summary>When the key is known or suspected to have been compromised (RFC 5280 §5.3.2).</summary>
    public DateTimeOffset? InvalidityDate { get; init; }

    /// <summary>The end of the certificate's validity.</summary>
    public DateTimeOffset? NotAfter { get; init; }
}
