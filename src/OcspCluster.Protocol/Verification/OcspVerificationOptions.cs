using System.Security.Cryptography.X509Certificates;

namespace OcspCluster.Protocol;

/// <summary>What a relying party knows about the revocation of a delegated responder's certificate (RFC 6960 §4.2.2.2.1).</summary>
public enum ResponderRevocation
{
    /// <summary>It could not be found out.</summary>
    Unknown = 0,

    /// <summary>It is not revoked.</summary>
    NotRevoked,

    /// <summary>It is revoked.</summary>
    Revoked,
}

/// <summary>What a relying party asks of a response beyond the letter of RFC 6960 §3.2. Immutable; one may serve all threads, with a nonce per request by <c>with</c>.</summary>
public sealed record OcspVerificationOptions
{
    /// <summary>The defaults.</summary>
    public static OcspVerificationOptions Default { get; } = new();

    /// <summary>The clock. Default: the system's.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>How far the clocks of responder and relying party may be apart. Default 5 minutes; not negative.</summary>
    public TimeSpan Tolerance { get; init => field = NotNegative(value); } = TimeSpan.FromMinutes(5);

    /// <summary>The oldest thisUpdate that is accepted, whatever nextUpdate says (10 days suit public CAs, BR 4.9.10). Default null: no limit; not negative.</summary>
    public TimeSpan? MaximumAge { get; init => field = NotNegative(value); }

    /// <summary>
    /// The oldest thisUpdate of an answer without nextUpdate, which says that newer information is always to be had. Default 1 day; not negative.
    /// </summary>
    public TimeSpan MaximumAgeWithoutNextUpdate { get; init => field = NotNegative(value); } = TimeSpan.FromDays(1);

    /// <summary>Whether an answer without nextUpdate is refused at any age, as the lightweight profile has it (RFC 9919 §5). Default false.</summary>
    public bool RequireNextUpdate { get; init; }

    /// <summary>The nonce that was sent with the request; null when none was, and then one that comes back is ignored.</summary>
    public OcspNonce? Nonce { get; init; }

    /// <summary>
    /// Whether the nonce that was sent must come back. Default false: many responders answer from a store of signed responses, and
    /// the times are what protects then (RFC 9919 §5). A different nonce is refused always.
    /// </summary>
    public bool RequireNonce { get; init; }

    /// <summary>
    /// Responders trusted for this issuer by local configuration (RFC 6960 §4.2.2.2, first way), whoever issued them and with whatever extended
    /// key usage. Their validity, key usage and critical extensions still count; their revocation is whoever configured them's business.
    /// </summary>
    public IReadOnlyList<X509Certificate2> TrustedResponders { get; init; } = [];

    /// <summary>
    /// Finds out whether the certificate of a delegated responder without nocheck is revoked. It is called after everything else about the
    /// certificate and the signature was found in order. It must not ask the responder about itself. Default null: unknown.
    /// </summary>
    public Func<X509Certificate2, ResponderRevocation>? CheckResponderRevocation { get; init; }

    /// <summary>
    /// Whether a delegated responder without nocheck is believed when its revocation is unknown. Default false: who stole a responder's key could
    /// vouch for anything until that certificate ends. Some private CAs forget nocheck; set this for them.
    /// </summary>
    public bool AcceptUncheckedResponder { get; init; }

    /// <summary>OIDs of critical extensions of responses and single responses that the caller looks at itself.</summary>
    public IReadOnlyCollection<string> UnderstoodExtensions { get; init; } = [];

    /// <summary>Verifies the signatures. Default: what .NET can, nothing weak.</summary>
    public OcspSignatureVerifier SignatureVerifier { get; init; } = OcspSignatureVerifier.Default;

    /// <summary>
    /// How bytes are read. Default: strictly, but a revocation for a reason that RFC 5280 does not name is a revocation.
    /// </summary>
    public DecodeOptions Decoding { get; init; } = new() { AcceptUnknownReasons = true };

    private static TimeSpan NotNegative(TimeSpan value)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.Zero);
        return value;
    }

    private static TimeSpan? NotNegative(TimeSpan? value) => value is TimeSpan given ? NotNegative(given) : null;
}
