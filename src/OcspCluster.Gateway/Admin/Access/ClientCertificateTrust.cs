using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace OcspCluster.Gateway;

/// <summary>Judges client certificates by the CAs that the operator named, and by nothing that the machine trusts. Thread-safe.</summary>
internal sealed class ClientCertificateTrust(X509Certificate2Collection authorities, TimeProvider clock)
{
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";

    // A connection keeps its certificate: the chain is built once for it. Its end is looked at on every request.
    private readonly ConditionalWeakTable<X509Certificate2, object> _judged = [];

    /// <summary>Whether a certificate was issued by one of the authorities for client authentication, and is valid now.</summary>
    public bool IsTrusted(X509Certificate2 certificate)
    {
        DateTimeOffset now = clock.GetUtcNow();
        return authorities.Count > 0 && now >= certificate.NotBefore && now <= certificate.NotAfter && (bool)_judged.GetValue(certificate, one => HasChain(one, now));
    }

    private bool HasChain(X509Certificate2 certificate, DateTimeOffset now)
    {
        using X509Chain chain = new();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(authorities);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck; // take the CA's file away, or reissue: it is the operator's own CA
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid(ClientAuthentication));
        chain.ChainPolicy.VerificationTime = now.LocalDateTime;
        chain.ChainPolicy.VerificationTimeIgnored = false;
        return chain.Build(certificate);
    }
}
