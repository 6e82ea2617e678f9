using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace OcspCluster.Testing;

/// <summary>A private key and how it signs.</summary>
public sealed class TestKey : IDisposable
{
    private readonly AsymmetricAlgorithm _key;
    private readonly X509SignatureGenerator _generator;
    private readonly HashAlgorithmName _hash;

    private TestKey(AsymmetricAlgorithm key, X509SignatureGenerator generator, HashAlgorithmName hash)
    {
        _key = key;
        _generator = generator;
        _hash = hash;
    }

    /// <summary>The public half.</summary>
    public PublicKey PublicKey => _generator.PublicKey;

    /// <summary>The AlgorithmIdentifier of its signatures.</summary>
    public byte[] SignatureAlgorithm => _generator.GetSignatureAlgorithmIdentifier(_hash);

    internal HashAlgorithmName Hash => _hash;

    internal X509SignatureGenerator Generator => _generator;

    /// <summary>A new RSA key; signs PKCS #1 with SHA-256.</summary>
    public static TestKey Rsa(int bits = 2048)
    {
        RSA rsa = RSA.Create(bits);
        return new TestKey(rsa, X509SignatureGenerator.CreateForRSA(rsa, RSASignaturePadding.Pkcs1), HashAlgorithmName.SHA256);
    }

    /// <summary>A new P-256 key; signs with SHA-256.</summary>
    public static TestKey P256() => Ecdsa(ECCurve.NamedCurves.nistP256, HashAlgorithmName.SHA256);

    /// <summary>A new P-384 key; signs with SHA-384.</summary>
    public static TestKey P384() => Ecdsa(ECCurve.NamedCurves.nistP384, HashAlgorithmName.SHA384);

    /// <summary>Signs; ECDSA in DER form.</summary>
    public byte[] Sign(byte[] data) => _generator.SignData(data, _hash);

    /// <summary>PKCS #8 in PEM, encrypted when there is a password.</summary>
    public string ToPem(string? password = null) => password is null
        ? _key.ExportPkcs8PrivateKeyPem()
        : _key.ExportEncryptedPkcs8PrivateKeyPem(password, new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 2_000));

    /// <inheritdoc/>
    public void Dispose() => _key.Dispose();

    internal X509Certificate2 Join(X509Certificate2 certificate) =>
        _key is RSA rsa ? certificate.CopyWithPrivateKey(rsa) : certificate.CopyWithPrivateKey((ECDsa)_key);

    private static TestKey Ecdsa(ECCurve curve, HashAlgorithmName hash)
    {
        ECDsa ecdsa = ECDsa.Create(curve);
        return new TestKey(ecdsa, X509SignatureGenerator.CreateForECDsa(ecdsa), hash);
    }
}
