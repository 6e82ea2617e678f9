namespace OcspCluster.Client;

/// <summary>Which certificates of a chain are checked for revocation.</summary>
public enum RevocationScope
{
    /// <summary>The server's certificate.</summary>
    Leaf = 0,

    /// <summary>All but the trust anchor, whose revocation nobody could tell.</summary>
    Chain,
}

/// <summary>What a verdict means for a connection. Immutable.</summary>
public sealed record RevocationPolicy
{
    /// <summary>Only good is good enough: the connection depends on a responder or a CRL being there. The whole chain.</summary>
    public static RevocationPolicy HardFail { get; } = new() { Scope = RevocationScope.Chain };

    /// <summary>
    /// Revoked is refused, and so is everything that looks like an attack: an answer that is forged, a bad or missing staple, a certificate of another issuer. When nobody
    /// answers the connection goes on, as in most browsers: who can block the responder can use a revoked certificate. The whole chain.
    /// </summary>
    public static RevocationPolicy SoftFail { get; } = new() { Scope = RevocationScope.Chain, AcceptNoAnswer = true, AcceptUnknown = true };

    /// <summary>Which certificates are checked. Default: the leaf.</summary>
    public RevocationScope Scope { get; init; }

    /// <summary>
    /// Whether the connection goes on when no status could be told because nobody gave a usable answer. Default false. Never for a certificate that demands a stapled
    /// response (must-staple, RFC 7633): its owner promised that its status is to be had.
    /// </summary>
    public bool AcceptNoAnswer { get; init; }

    /// <summary>Whether the connection goes on when the responder does not know the certificate. Default false.</summary>
    public bool AcceptUnknown { get; init; }

    /// <summary>Whether the connection may go on.</summary>
    public bool Accepts(RevocationVerdict verdict)
    {
        ArgumentNullException.ThrowIfNull(verdict);
        return verdict.Status switch
        {
            RevocationStatus.Good => true,
            RevocationStatus.Unknown => AcceptUnknown,
            RevocationStatus.CouldNotTell => AcceptNoAnswer && IsNoAnswer(verdict.Failure) && !TlsFeature.RequiresStaple(verdict.Certificate),
            _ => false,
        };
    }

    /// <summary>Whether the connection may go on.</summary>
    public bool Accepts(ChainVerdict verdict)
    {
        ArgumentNullException.ThrowIfNull(verdict);
        return verdict.Certificates.All(Accepts);
    }

    private static bool IsNoAnswer(RevocationFailure failure) => failure is RevocationFailure.NoSource or RevocationFailure.TimedOut or RevocationFailure.Unreachable
        or RevocationFailure.AddressRefused or RevocationFailure.ResponderError or RevocationFailure.AnswerRefused or RevocationFailure.IssuerNotFound;
}
