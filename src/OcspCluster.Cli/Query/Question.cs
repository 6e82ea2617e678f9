using System.Security.Cryptography.X509Certificates;
using OcspCluster.Protocol;

namespace OcspCluster.Cli;

/// <summary>One certificate that a query asks about. Immutable.</summary>
/// <param name="Name">As the user named it: a file or a serial number.</param>
/// <param name="CertId">As it stands in the request.</param>
/// <param name="Issuer">The CA that an answer is verified by; null when none was given that fits, as beside a saved request.</param>
/// <param name="Certificate">The certificate itself; null when only its serial number is known.</param>
internal sealed record Question(string Name, CertId CertId, X509Certificate2? Issuer, X509Certificate2? Certificate = null)
{
    /// <summary>What a saved message asks about, its CAs looked for among those given.</summary>
    public static Question Of(CertId certId, IEnumerable<X509Certificate2> issuers)
    {
        CertIdHash? hash = CertIdHash.All.FirstOrDefault(hash => hash.Oid == certId.HashAlgorithm.Oid);
        X509Certificate2? issuer = hash is null ? null : issuers.FirstOrDefault(issuer => CertId.Create(issuer, certId.SerialNumber, hash).Equals(certId));
        return new Question(certId.SerialNumber.ToString(), certId, issuer);
    }
}
