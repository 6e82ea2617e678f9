using System.Formats.Asn1;
using System.Security.Cryptography.X509Certificates;

namespace OcspCluster.Client;

/// <summary>The TLS features that a certificate demands of its server (id-pe-tlsfeature, RFC 7633).</summary>
public static class TlsFeature
{
    /// <summary>The OID of the extension.</summary>
    public const string ExtensionOid = "1.3.6.1.5.5.7.1.24";

    private const int StatusRequest = 5;

    /// <summary>
    /// Whether a certificate demands a stapled response (must-staple: the feature status_request). An extension that cannot be read demands it: who wrote it wanted
    /// something to be had.
    /// </summary>
    // Features ::= SEQUENCE OF INTEGER
    public static bool RequiresStaple(X509Certificate2 certificate)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        if (certificate.Extensions[ExtensionOid] is not X509Extension extension)
        {
            return false;
        }

        try
        {
            AsnReader features = new AsnReader(extension.RawData, AsnEncodingRules.DER).ReadSequence();
            bool found = false;
            while (features.HasData)
            {
                found |= features.ReadInteger() == StatusRequest;
            }

            return found;
        }
        catch (AsnContentException)
        {
            return true;
        }
    }
}
