using System.Net;
using System.Security.Cryptography.X509Certificates;
using OcspCluster.Protocol;

namespace OcspCluster.Client;

/// <summary>Whether a request carries a nonce (RFC 9654).</summary>
public enum NonceUse
{
    /// <summary>None: the answer may come from any cache, and its times protect from replay (RFC 9919 §5).</summary>
    None = 0,

    /// <summary>A fresh one of 32 octets; an answer without it is taken, one with another is not.</summary>
    Sent,

    /// <summary>A fresh one of 32 octets, which must come back.</summary>
    Required,
}

/// <summary>How a request is sent (RFC 6960 appendix A.1).</summary>
public enum OcspMethod
{
    /// <summary>GET when the whole URL has 255 octets or fewer, else POST (RFC 9919 §6); POST when a GET was not understood.</summary>
    Automatic = 0,

    /// <summary>GET, whatever its length.</summary>
    Get,

    /// <summary>POST.</summary>
    Post,
}

/// <summary>Which addresses may be private, loopback, link-local or otherwise not public.</summary>
public enum PrivateAddressRule
{
    /// <summary>None.</summary>
    Refuse = 0,

    /// <summary>Those that the program itself names, as in <see cref="OcspClientOptions.Responders"/>; not those in certificates, CRLs and redirects.</summary>
    AllowGiven,

    /// <summary>All: for a network whose certificates all come from its own CA.</summary>
    Allow,
}

/// <summary>Signs the requests, for responders that answer known requestors only (RFC 6960 §4.1.2).</summary>
/// <param name="Signer">Signs; called concurrently.</param>
/// <param name="RequestorName">Who asks.</param>
/// <param name="Certificates">DER of certificates to send along, the signer's first.</param>
public sealed record RequestSigning(OcspSigner Signer, GeneralName RequestorName, IReadOnlyList<ReadOnlyMemory<byte>> Certificates)
{
    /// <summary>Signs with the private key of a certificate, under its subject, and sends it along.</summary>
    /// <exception cref="ArgumentException">The certificate has no private key that .NET can sign with.</exception>
    public static RequestSigning FromCertificate(X509Certificate2 certificate)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        return new(OcspSigner.FromCertificate(certificate), GeneralName.FromDirectoryName(certificate.SubjectName), [certificate.RawDataMemory]);
    }
}

/// <summary>How an <see cref="OcspClient"/> asks and judges. Immutable; the defaults suit certificates of public CAs.</summary>
public sealed record OcspClientOptions
{
    /// <summary>The defaults.</summary>
    public static OcspClientOptions Default { get; } = new();

    /// <summary>
    /// The lightweight profile to the letter (RFC 9919): CertIDs by SHA-256 first, no nonce, no answer without nextUpdate.
    /// Many public responders know SHA-1 only; they are asked a second time.
    /// </summary>
    public static OcspClientOptions Lightweight { get; } = new()
    {
        CertIdHashes = [CertIdHash.Sha256, CertIdHash.Sha1],
        Verification = new OcspVerificationOptions { RequireNextUpdate = true },
    };

    /// <summary>
    /// The hash algorithms of CertIDs, in the order in which they are tried: the next one when a responder answers unauthorized, malformedRequest
    /// or unknown. Default SHA-1, which nearly every responder knows and no collision of which gains anything, then SHA-256.
    /// </summary>
    public IReadOnlyList<CertIdHash> CertIdHashes { get; init => field = NotEmpty(value); } = [CertIdHash.Sha1, CertIdHash.Sha256];

    /// <summary>Whether requests carry a nonce. Default none.</summary>
    public NonceUse Nonce { get; init; }

    /// <summary>GET or POST. Default: by the length.</summary>
    public OcspMethod Method { get; init; }

    /// <summary>Signs the requests. Default null: unsigned, as nearly all responders take them. A signed request is never answered from the store.</summary>
    public RequestSigning? Signing { get; init; }

    /// <summary>The responders to ask, in order, instead of those that the certificate names. Default none.</summary>
    public IReadOnlyList<Uri> Responders { get; init; } = [];

    /// <summary>The addresses of CRLs to fetch instead of those that the certificate names; what a partitioned CRL covers is still checked. Default none.</summary>
    public IReadOnlyList<Uri> Crls { get; init; } = [];

    /// <summary>What is tried, in order, until one tells good or revoked. Default: the stapled response, OCSP, CRL.</summary>
    public IReadOnlyList<RevocationSource> Sources { get; init => field = NotEmpty(value); } = [RevocationSource.Stapled, RevocationSource.Ocsp, RevocationSource.Crl];

    /// <summary>
    /// Whether the other sources are asked when the stapled response breaks a rule. Default false: RFC 6066 §8 ends such a handshake. An answer that is
    /// merely no longer current is passed over always.
    /// </summary>
    public bool ContinueAfterBadStaple { get; init; }

    /// <summary>
    /// What is asked of an answer: clock, clock tolerance, greatest age, trusted responders, signature algorithms. The client sets the nonce itself, and finds
    /// out by CRL whether a delegated responder without nocheck is revoked, when <see cref="OcspVerificationOptions.CheckResponderRevocation"/> does not tell.
    /// </summary>
    public OcspVerificationOptions Verification { get; init; } = OcspVerificationOptions.Default;

    /// <summary>CA certificates among which issuers are looked for before any is fetched. They are not thereby trusted.</summary>
    public IReadOnlyList<X509Certificate2> KnownIssuers { get; init; } = [];

    /// <summary>Whether a missing issuer is fetched from where the certificate says (AIA caIssuers). Default true.</summary>
    public bool FetchIssuers { get; init; } = true;

    /// <summary>Whether a certificate that has ended is asked about. Default false: responders may have forgotten it (RFC 9919 §4.2).</summary>
    public bool AskAboutExpired { get; init; }

    /// <summary>Where answers are kept. Default: <see cref="MemoryResponseStore"/> of 16 MiB for each client; null: nowhere.</summary>
    public ResponseStore? Store { get; init; } = new MemoryResponseStore();

    /// <summary>The bounds.</summary>
    public NetworkLimits Limits { get; init; } = new();

    /// <summary>Which addresses may be private. Default: none.</summary>
    public PrivateAddressRule PrivateAddresses { get; init; }

    /// <summary>
    /// The proxy. Default: the machine's (<c>http_proxy</c> and the like); null: none. The connection to the proxy may be private; where it connects to is its own
    /// to guard: only private addresses that stand in a URL themselves are refused here.
    /// </summary>
    public IWebProxy? Proxy { get; init; } = HttpClient.DefaultProxy;

    /// <summary>HTTP header fields that go with requests to addresses which the program itself names, and nowhere else: they may carry credentials. Default none.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; } = [];

    /// <summary>
    /// Changes the handlers that requests go through: TLS, credentials, pools. Who replaces <see cref="SocketsHttpHandler.ConnectCallback"/> guards the
    /// addresses himself.
    /// </summary>
    public Action<SocketsHttpHandler>? ConfigureHandler { get; init; }

    private static IReadOnlyList<T> NotEmpty<T>(IReadOnlyList<T> value)
    {
        ArgumentNullException.ThrowIfNull(value);
        return value.Count > 0 ? value : throw new ArgumentException("There is at least one.", nameof(value));
    }
}
