using System.Security.Cryptography.X509Certificates;
using OcspCluster.Protocol;

namespace OcspCluster.BouncyCastle;

/// <summary>
/// Verifies Ed25519 and Ed448 signatures (RFC 8410 §6, RFC 8032 §5.1.7 and §5.2.7) for an <see cref="OcspSignatureVerifier"/>. Thread-safe.
/// </summary>
public sealed class EdDsaScheme : SignatureScheme
{
    private readonly int _keyBytes;
    private readonly int _signatureBytes;
    private readonly Func<byte[], byte[], byte[], bool> _verify;

    private EdDsaScheme(string oid, int keyBytes, int signatureBytes, Func<byte[], byte[], byte[], bool> verify) =>
        (Oid, _keyBytes, _signatureBytes, _verify) = (oid, keyBytes, signatureBytes, verify);

    /// <summary>Ed25519.</summary>
    public static EdDsaScheme Ed25519 { get; } = new(EdDsaSigner.Ed25519Oid, 32, 64, static (key, data, signature) =>
        Org.BouncyCastle.Math.EC.Rfc8032.Ed25519.Verify(signature, 0, key, 0, data, 0, data.Length));

    /// <summary>Ed448, without a context.</summary>
    public static EdDsaScheme Ed448 { get; } = new(EdDsaSigner.Ed448Oid, 57, 114, static (key, data, signature) =>
        Org.BouncyCastle.Math.EC.Rfc8032.Ed448.Verify(signature, 0, key, 0, [], data, 0, data.Length));

    /// <inheritdoc/>
    public override string Oid { get; }

    /// <inheritdoc/>
    public override SignatureCheck Verify(AlgorithmIdentifier algorithm, PublicKey key, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        ArgumentNullException.ThrowIfNull(algorithm);
        ArgumentNullException.ThrowIfNull(key);
        if (!algorithm.Parameters.IsEmpty)
        {
            return SignatureCheck.AlgorithmUnsupported; // absent by RFC 8410 §3
        }

        // BouncyCastle is asked only about octets of the right length: it throws otherwise. The algorithm of key and signature is the same.
        byte[] keyOctets = key.EncodedKeyValue.RawData;
        return key.Oid.Value == Oid
            && key.EncodedParameters?.RawData is not { Length: > 0 }
            && keyOctets.Length == _keyBytes
            && signature.Length == _signatureBytes
            && _verify(keyOctets, data.ToArray(), signature.ToArray())
            ? SignatureCheck.Verified
            : SignatureCheck.Wrong;
    }
}
