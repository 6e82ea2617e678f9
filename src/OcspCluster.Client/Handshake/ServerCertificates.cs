using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace OcspCluster.Client;

/// <summary>What a TLS server showed in its handshake, believed or not. Immutable.</summary>
public sealed record ServerCertificates
{
    /// <summary>The server's certificate.</summary>
    public required X509Certificate2 Certificate { get; init; }

    /// <summary>The other certificates that it sent along, in no order that could be relied on.</summary>
    public IReadOnlyList<X509Certificate2> Others { get; init; } = [];

    /// <summary>The OCSP response that it stapled; empty when none was seen.</summary>
    public ReadOnlyMemory<byte> StapledResponse { get; init; }

    /// <summary>Whether it was asked to staple.</summary>
    public bool AskedForStaple { get; init; }

    /// <summary>Whether a stapled response would have been seen: false in TLS 1.3, and when a session was resumed.</summary>
    public bool CanSeeStaple { get; init; }

    /// <summary>The version of TLS that was agreed on.</summary>
    public SslProtocols Protocol { get; init; }

    /// <summary>What the platform finds wrong with the chain and the name, by its trusted roots.</summary>
    public SslPolicyErrors PolicyErrors { get; init; }

    /// <summary>Whether the certificate demands a stapled response (must-staple), one was asked for, would have been seen, and did not come (RFC 7633 §4.3.3).</summary>
    public bool LacksStaple => AskedForStaple && CanSeeStaple && StapledResponse.IsEmpty && TlsFeature.RequiresStaple(Certificate);

    /// <summary>
    /// Shakes hands over a connection, takes the certificates, and sends nothing. Whatever the certificates are worth, the handshake is completed: this looks at a
    /// server, it does not trust one.
    /// </summary>
    /// <param name="connection">The connection to the server, before TLS; disposed with this call.</param>
    /// <param name="host">The server's name (SNI).</param>
    /// <param name="protocols">
    /// The versions of TLS that are offered. Default: TLS 1.2, in which a stapled response can be seen; the platform's choice is <see cref="SslProtocols.None"/>.
    /// </param>
    /// <param name="cancellationToken">Ends the handshake with an exception.</param>
    /// <exception cref="AuthenticationException">The handshake failed.</exception>
    /// <exception cref="IOException">The connection failed.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public static async Task<ServerCertificates> ReadAsync(Stream connection, string host, SslProtocols protocols = SslProtocols.Tls12, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(host);
        HandshakeStream handshake = new(connection);
        X509Certificate2? leaf = null;
        List<X509Certificate2> others = [];
        SslPolicyErrors policyErrors = SslPolicyErrors.None;
        SslClientAuthenticationOptions options = new()
        {
            TargetHost = host,
            AllowTlsResume = false, // a resumed session shows no certificates
            EnabledSslProtocols = protocols,
            CertificateChainPolicy = new X509ChainPolicy { DisableCertificateDownloads = true, RevocationMode = X509RevocationMode.NoCheck },
#pragma warning disable CA5359 // Nothing is sent to this server, and nothing believed of it: the certificates are what is looked at.
            RemoteCertificateValidationCallback = (_, certificate, chain, errors) =>
            {
                leaf = certificate is null ? null : X509CertificateLoader.LoadCertificate(certificate.GetRawCertData());
                others.AddRange(Copy(chain, leaf));
                policyErrors = errors;
                return true;
            },
#pragma warning restore CA5359
        };
        SslStream tls = new(handshake);
        await using (tls.ConfigureAwait(false))
        {
            await tls.AuthenticateAsClientAsync(options, cancellationToken).ConfigureAwait(false);
            return new ServerCertificates
            {
                Certificate = leaf ?? throw new AuthenticationException("The server showed no certificate."),
                Others = others,
                StapledResponse = handshake.StapledResponse,
                AskedForStaple = handshake.AskedForStaple,
                CanSeeStaple = handshake.CanSeeStaple,
                Protocol = tls.SslProtocol,
                PolicyErrors = policyErrors,
            };
        }
    }

    /// <summary>The certificates of a chain that .NET built, and those that the server sent, copied: .NET disposes them after the callback.</summary>
    internal static IEnumerable<X509Certificate2> Copy(X509Chain? chain, X509Certificate2? leaf)
    {
        if (chain is null)
        {
            yield break;
        }

        HashSet<string> seen = [leaf?.Thumbprint ?? ""];
        foreach (X509Certificate2 certificate in chain.ChainElements.Select(element => element.Certificate).Concat(chain.ChainPolicy.ExtraStore))
        {
            if (seen.Add(certificate.Thumbprint))
            {
                yield return X509CertificateLoader.LoadCertificate(certificate.RawDataMemory.Span);
            }
        }
    }
}
