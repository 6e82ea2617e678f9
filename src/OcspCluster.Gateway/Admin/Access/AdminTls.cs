using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace OcspCluster.Gateway;

/// <summary>TLS for the listener of the admin API.</summary>
public static class AdminTls
{
    /// <summary>Serves https URLs with a certificate, and asks clients for theirs where CAs are named.</summary>
    /// <param name="kestrel">The server of the admin listener.</param>
    /// <param name="certificate">The server's certificate, which may be replaced while it runs.</param>
    /// <param name="clientCa">The CAs whose client certificates are taken; none where empty.</param>
    /// <param name="clock">The clock that certificates are judged by.</param>
    public static void UseAdminTls(this KestrelServerOptions kestrel, AdminCertificate certificate, X509Certificate2Collection clientCa, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(kestrel);
        ArgumentNullException.ThrowIfNull(certificate);
        ArgumentNullException.ThrowIfNull(clientCa);
        kestrel.ConfigureHttpsDefaults(https =>
        {
            // The selector satisfies Kestrel; what counts is the context, which has the chain, too.
            https.ServerCertificateSelector = (_, _) => certificate.Current.TargetCertificate;
            https.OnAuthenticate = (_, options) =>
            {
                options.ServerCertificateSelectionCallback = null;
                options.ServerCertificateContext = certificate.Current;
            };
            https.SslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13;
            if (clientCa.Count > 0)
            {
                // A client without one may still have a key. One with a wrong one is told so by the handshake.
                ClientCertificateTrust trust = new(clientCa, clock);
                https.ClientCertificateMode = ClientCertificateMode.AllowCertificate;
                https.ClientCertificateValidation = (client, _, _) => trust.IsTrusted(client);
            }
        });
    }
}
