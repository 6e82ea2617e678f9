namespace OcspCluster.Protocol;

/// <summary>What a reader accepts beyond, or refuses below, the letter of the RFCs. Immutable.</summary>
public sealed record DecodeOptions
{
    /// <summary>The defaults.</summary>
    public static DecodeOptions Default { get; } = new();

    /// <summary>The most CertIDs in a request or SingleResponses in a response, checked before any is kept. Default 1,000.</summary>
    public int MaxCertIds { get; init; } = 1000;

    /// <summary>The most certificates beside a signature, checked before any is kept. Default 16.</summary>
    public int MaxCertificates { get; init; } = 16;

    /// <summary>The longest nonce, in octets. Default 128 (RFC 9654 §2.1); 32 is the rule of RFC 8954.</summary>
    public int MaxNonceBytes { get; init; } = 128;

    /// <summary>
    /// Takes a nonce extension that does not hold an OCTET STRING, as some old clients send it, for the nonce itself. Default false.
    /// </summary>
    public bool AcceptRawNonce { get; init; }

    /// <summary>Takes an empty Extensions SEQUENCE for an absent one. Default false.</summary>
    public bool AcceptEmptyExtensions { get; init; }

    /// <summary>
    /// Takes a revocation whose reason RFC 5280 does not name for a revocation without a reason. Default false: such a response is refused.
    /// A relying party that would pass when there is no answer sets it: revoked is revoked.
    /// </summary>
    public bool AcceptUnknownReasons { get; init; }
}
