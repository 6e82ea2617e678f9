using System.Security.Cryptography.X509Certificates;
using OcspCluster.Protocol;

namespace OcspCluster.Client;

/// <summary>
/// Finds the certificate of the CA that issued another one: among those at hand, then where the certificate says (AIA caIssuers). Only one whose key made the
/// certificate's signature counts, so nobody gains by serving another. Thread-safe.
/// </summary>
internal sealed class IssuerFinder(OcspClientOptions options, HttpTransport http)
{
    private const string Accept = "application/pkix-cert, application/pkcs7-mime, application/x-x509-ca-cert, */*;q=0.1";

    /// <summary>Whether a CA's key made a certificate's signature, under the CA's name.</summary>
    public bool IsIssuedBy(X509Certificate2 certificate, X509Certificate2 issuer) =>
        certificate.IssuerName.RawData.AsSpan().SequenceEqual(issuer.SubjectName.RawData)
        && IssuedCertificate.TryDecode(certificate.RawDataMemory, out IssuedCertificate? issued)
        && issued.IsIssuedBy(issuer, options.Verification.SignatureVerifier);

    /// <summary>The issuer; null when it is nowhere, with a sentence about why.</summary>
    public async Task<(X509Certificate2? Issuer, string Message)> FindAsync(X509Certificate2 certificate, IEnumerable<X509Certificate2> candidates, CancellationToken cancellationToken)
    {
        // Of several certificates of one CA, one that is valid now: responders' certificates are judged by its key alone, but people look at it.
        DateTime now = options.Verification.Clock.GetUtcNow().UtcDateTime;
        X509Certificate2? known = candidates.Concat(options.KnownIssuers)
            .Where(candidate => IsIssuedBy(certificate, candidate))
            .MaxBy(candidate => candidate.NotBefore.ToUniversalTime() <= now && now <= candidate.NotAfter.ToUniversalTime());
        if (known is not null)
        {
            return (known, "");
        }

        if (!options.FetchIssuers)
        {
            return (null, $"The certificate of the issuer '{certificate.Issuer}' is not among those at hand.");
        }

        Uri[] addresses = [.. CertificateAddresses.Read(certificate).Issuers.Take(options.Limits.MaxUris)];
        string message = $"The certificate of the issuer '{certificate.Issuer}' is not among those at hand, and the certificate does not say where it is.";
        foreach (Uri address in addresses)
        {
            HttpReply reply = await http.SendAsync(Question(address), cancellationToken).ConfigureAwait(false);
            if (reply.Failure != RevocationFailure.None || reply.Status != 200)
            {
                message = $"{address}: {(reply.Failure == RevocationFailure.None ? $"HTTP {reply.Status}." : reply.Message)}";
                continue;
            }

            IReadOnlyList<X509Certificate2> served = CertificateFile.Read(reply.Body, options.Limits.MaxCertificatesPerFile);
            if (served.FirstOrDefault(candidate => IsIssuedBy(certificate, candidate)) is X509Certificate2 issuer)
            {
                return (issuer, "");
            }

            message = served.Count == 0
                ? $"{address}: {reply.Body.Length} octets that are no certificate."
                : $"{address}: '{served[0].Subject}' did not issue the certificate.";
        }

        return (null, message);
    }

    /// <summary>Lengthens a chain upwards, as far as issuers can be found: a self-signed one is its end.</summary>
    public async Task ExtendAsync(List<X509Certificate2> chain, IReadOnlyCollection<X509Certificate2> candidates, CancellationToken cancellationToken)
    {
        while (chain.Count < options.Limits.MaxChainLength && !IsSelfSigned(chain[^1]))
        {
            (X509Certificate2? issuer, _) = await FindAsync(chain[^1], candidates, cancellationToken).ConfigureAwait(false);
            if (issuer is null || chain.Any(issuer.Equals))
            {
                break; // two CAs that certified each other are a loop
            }

            chain.Add(issuer);
        }
    }

    /// <summary>Whether its own key made its signature: nobody above it can revoke it.</summary>
    public bool IsSelfSigned(X509Certificate2 certificate) => IsIssuedBy(certificate, certificate);

    private HttpQuestion Question(Uri address) => new()
    {
        Uri = address,
        Accept = Accept,
        MaxBytes = options.Limits.MaxCertificateBytes,
        Timeout = options.Limits.RequestTimeout,
    };
}
