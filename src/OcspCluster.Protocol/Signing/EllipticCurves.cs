using System.Formats.Asn1;
using System.Security.Cryptography.X509Certificates;

namespace OcspCluster.Protocol;

/// <summary>The curves of ECDSA keys: named, never spelled out by the key itself (RFC 5480 §2.1.1), which is how CVE-2020-0601 forged CAs.</summary>
internal static class EllipticCurves
{
    public static bool IsSupported(PublicKey key)
    {
        byte[] parameters = key.EncodedParameters?.RawData ?? [];
        try
        {
            return AsnDecoder.ReadObjectIdentifier(parameters, AsnEncodingRules.DER, out int read) is Oids.P256 or Oids.P384 or Oids.P521
                && read == parameters.Length;
        }
        catch (AsnContentException)
        {
            return false;
        }
    }
}
