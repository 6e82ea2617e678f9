using System.Security.Cryptography.X509Certificates;

namespace OcspCluster.Protocol;

/// <summary>
/// A signature algorithm that .NET does not verify: derive from it and give it to an <see cref="OcspSignatureVerifier"/>
/// (Ed25519 and Ed448: OcspCluster.BouncyCastle).
/// </summary>
/// <remarks>Implementations are called concurrently.</remarks>
public abstract class SignatureScheme
{
    /// <summary>The OID of the signature algorithm, in dotted form.</summary>
    public abstract string Oid { get; }

    /// <summary>Verifies.</summary>
    /// <param name="algorithm">The algorithm as it stands beside the signature; its OID is <see cref="Oid"/>, its parameters are whatever was sent.</param>
    /// <param name="key">The key, unchecked: its algorithm and content are whatever was sent.</param>
    /// <param name="data">What was signed.</param>
    /// <param name="signature">The content of the signature's BIT STRING.</param>
    /// <returns>What became of it. Nothing that comes from a message is a reason to throw.</returns>
    public abstract SignatureCheck Verify(AlgorithmIdentifier algorithm, PublicKey key, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature);
}
