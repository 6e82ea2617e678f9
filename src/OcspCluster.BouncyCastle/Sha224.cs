using OcspCluster.Protocol;
using Org.BouncyCastle.Crypto.Digests;

namespace OcspCluster.BouncyCastle;

/// <summary>SHA-224 (FIPS 180-4), which .NET does not have and some clients name issuers by (RFC 6960 §4.1.1).</summary>
public static class Sha224
{
    /// <summary>SHA-224 as a hash of CertIDs. Thread-safe.</summary>
    public static CertIdHash CertIdHash { get; } = new("2.16.840.1.101.3.4.2.4", "SHA-224", 28, static (data, hash) =>
    {
        Sha224Digest digest = new(); // it holds state: one for each use
        digest.BlockUpdate(data);
        digest.DoFinal(hash);
    });
}
