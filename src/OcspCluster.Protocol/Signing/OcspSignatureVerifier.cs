using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace OcspCluster.Protocol;

/// <summary>
/// Verifies signatures of responses, requests and certificates: RSA (PKCS #1 v1.5 and PSS), ECDSA on P-256, P-384 and P-521, and DSA, over
/// SHA-256, SHA-384 and SHA-512 (RFC 6960 §4.3, RFC 4055, RFC 5758), and whatever <see cref="SignatureScheme"/>s it is given.
/// </summary>
/// <remarks>
/// Immutable and thread-safe. Keys and signatures may come from anyone: whatever is wrong with them is an answer, never an exception.
/// MD5 and MD2 are refused always, SHA-1 and short keys unless a knob says otherwise.
/// </remarks>
public sealed class OcspSignatureVerifier
{
    private readonly SignatureScheme[] _schemes;

    /// <summary>Verifies what .NET can, and by these schemes.</summary>
    /// <exception cref="ArgumentException">Two schemes are for the same algorithm.</exception>
    public OcspSignatureVerifier(params IEnumerable<SignatureScheme> schemes)
    {
        ArgumentNullException.ThrowIfNull(schemes);
        _schemes = [.. schemes];
        if (_schemes.DistinctBy(scheme => scheme.Oid).Count() != _schemes.Length)
        {
            throw new ArgumentException("Two schemes are for the same algorithm.", nameof(schemes));
        }
    }

    /// <summary>What .NET can, nothing weak.</summary>
    public static OcspSignatureVerifier Default { get; } = new();

    /// <summary>
    /// Takes signatures over SHA-1 for signatures, as RFC 6960 §4.3 would have it of 2013's clients. Default false: collisions of SHA-1 are made to order.
    /// </summary>
    public bool AcceptSha1 { get; init; }

    /// <summary>The shortest modulus, in bits, of an RSA key and the shortest prime p of a DSA key that proves anything. Default 2,048 (BR 6.1.5).</summary>
    public int MinimumModulusBits { get; init; } = 2048;

    /// <summary>Verifies a signature.</summary>
    /// <param name="algorithm">The algorithm as it stands beside the signature.</param>
    /// <param name="key">The public key of the certificate that is said to have signed.</param>
    /// <param name="data">What was signed: the bytes as they were received.</param>
    /// <param name="signature">The content of the signature's BIT STRING.</param>
    public SignatureCheck Verify(AlgorithmIdentifier algorithm, PublicKey key, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        using VerificationKey once = new(key);
        return Verify(algorithm, once, data, signature);
    }

    /// <summary>Verifies a signature by a key that verifies many.</summary>
    /// <param name="algorithm">The algorithm as it stands beside the signature.</param>
    /// <param name="key">The public key of the certificate that is said to have signed.</param>
    /// <param name="data">What was signed: the bytes as they were received.</param>
    /// <param name="signature">The content of the signature's BIT STRING.</param>
    public SignatureCheck Verify(AlgorithmIdentifier algorithm, VerificationKey key, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        ArgumentNullException.ThrowIfNull(algorithm);
        ArgumentNullException.ThrowIfNull(key);
        try
        {
            return algorithm.Oid switch
            {
                Oids.Md2WithRsa or Oids.Md5WithRsa => SignatureCheck.AlgorithmTooWeak,
                Oids.Sha1WithRsa => VerifyRsaPkcs1(algorithm, HashAlgorithmName.SHA1, key, data, signature),
                Oids.Sha256WithRsa => VerifyRsaPkcs1(algorithm, HashAlgorithmName.SHA256, key, data, signature),
                Oids.Sha384WithRsa => VerifyRsaPkcs1(algorithm, HashAlgorithmName.SHA384, key, data, signature),
                Oids.Sha512WithRsa => VerifyRsaPkcs1(algorithm, HashAlgorithmName.SHA512, key, data, signature),
                Oids.RsaPss => VerifyRsaPss(algorithm, key, data, signature),
                Oids.EcdsaWithSha1 => VerifyECDsa(algorithm, HashAlgorithmName.SHA1, key, data, signature),
                Oids.EcdsaWithSha256 => VerifyECDsa(algorithm, HashAlgorithmName.SHA256, key, data, signature),
                Oids.EcdsaWithSha384 => VerifyECDsa(algorithm, HashAlgorithmName.SHA384, key, data, signature),
                Oids.EcdsaWithSha512 => VerifyECDsa(algorithm, HashAlgorithmName.SHA512, key, data, signature),
                Oids.DsaWithSha1 => VerifyDsa(algorithm, HashAlgorithmName.SHA1, key, data, signature),
                Oids.DsaWithSha256 => VerifyDsa(algorithm, HashAlgorithmName.SHA256, key, data, signature),
                Oids.DsaWithSha384 => VerifyDsa(algorithm, HashAlgorithmName.SHA384, key, data, signature),
                Oids.DsaWithSha512 => VerifyDsa(algorithm, HashAlgorithmName.SHA512, key, data, signature),
                _ => VerifyByScheme(algorithm, key.Key, data, signature),
            };
        }
        catch (CryptographicException)
        {
            return SignatureCheck.Wrong; // .NET would not load the key or the signature: it proves nothing
        }
    }

    private SignatureCheck VerifyByScheme(AlgorithmIdentifier algorithm, PublicKey key, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        foreach (SignatureScheme scheme in _schemes)
        {
            if (scheme.Oid == algorithm.Oid)
            {
                return scheme.Verify(algorithm, key, data, signature);
            }
        }

        return SignatureCheck.AlgorithmUnsupported;
    }

    private SignatureCheck VerifyRsaPkcs1(AlgorithmIdentifier algorithm, HashAlgorithmName hash, VerificationKey key, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        if (!algorithm.HasNullParameters && !algorithm.Parameters.IsEmpty)
        {
            return SignatureCheck.AlgorithmUnsupported; // NULL is right, and absent must be accepted (RFC 4055 §5)
        }

        if (IsTooWeak(hash))
        {
            return SignatureCheck.AlgorithmTooWeak;
        }

        if (key.Key.Oid.Value != Oids.Rsa)
        {
            return SignatureCheck.Wrong; // a key for PSS signs with nothing else (RFC 4055 §1.2)
        }

        RSA rsa = key.Take(ImportRsa);
        try
        {
            return IsTooShort(rsa) ? SignatureCheck.AlgorithmTooWeak : FromBoolean(
                key.TryVerifyFast(rsa, hash, RSASignaturePadding.Pkcs1, data, signature) ?? rsa.VerifyData(data, signature, hash, RSASignaturePadding.Pkcs1));
        }
        finally
        {
            key.GiveBack(rsa);
        }
    }

    private SignatureCheck VerifyRsaPss(AlgorithmIdentifier algorithm, VerificationKey key, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        if (PssParameters.TryDecode(algorithm.Parameters) is not PssParameters parameters)
        {
            return SignatureCheck.AlgorithmUnsupported;
        }

        if (IsTooWeak(parameters.Hash))
        {
            return SignatureCheck.AlgorithmTooWeak;
        }

        if (!AllowsPss(key.Key, parameters))
        {
            return SignatureCheck.Wrong;
        }

        RSA rsa = key.Take(ImportRsa);
        try
        {
            if (IsTooShort(rsa))
            {
                return SignatureCheck.AlgorithmTooWeak;
            }

            return FromBoolean(parameters.SaltLengthBytes == CryptographicOperations.HashData(parameters.Hash, default(ReadOnlySpan<byte>)).Length
                ? key.TryVerifyFast(rsa, parameters.Hash, RSASignaturePadding.Pss, data, signature) ?? rsa.VerifyData(data, signature, parameters.Hash, RSASignaturePadding.Pss)
                : PssEncoding.Verify(rsa.ExportParameters(includePrivateParameters: false), parameters, data, signature));
        }
        finally
        {
            key.GiveBack(rsa);
        }
    }

    // A key for PSS may fix the hash and the shortest salt (RFC 4055 §3.3).
    private static bool AllowsPss(PublicKey key, PssParameters signature) => key.Oid.Value switch
    {
        Oids.Rsa => true,
        Oids.RsaPss when key.EncodedParameters?.RawData is not { Length: > 0 } => true,
        Oids.RsaPss => PssParameters.TryDecode(key.EncodedParameters.RawData) is PssParameters bound
            && bound.Hash == signature.Hash && signature.SaltLengthBytes >= bound.SaltLengthBytes,
        _ => false,
    };

    private SignatureCheck VerifyECDsa(AlgorithmIdentifier algorithm, HashAlgorithmName hash, VerificationKey key, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        if (!algorithm.Parameters.IsEmpty)
        {
            return SignatureCheck.AlgorithmUnsupported; // absent by RFC 5758 §3.2
        }

        if (IsTooWeak(hash))
        {
            return SignatureCheck.AlgorithmTooWeak;
        }

        if (key.Key.Oid.Value != Oids.EcPublicKey)
        {
            return SignatureCheck.Wrong;
        }

        if (!key.IsOnKnownCurve)
        {
            return SignatureCheck.AlgorithmUnsupported;
        }

        ECDsa ecdsa = key.Take(ImportECDsa);
        try
        {
            return FromBoolean(key.TryVerifyFast(ecdsa, hash, padding: null, data, signature) ?? ecdsa.VerifyData(data, signature, hash, DSASignatureFormat.Rfc3279DerSequence));
        }
        finally
        {
            key.GiveBack(ecdsa);
        }
    }

    private SignatureCheck VerifyDsa(AlgorithmIdentifier algorithm, HashAlgorithmName hash, VerificationKey key, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        if (!algorithm.Parameters.IsEmpty)
        {
            return SignatureCheck.AlgorithmUnsupported; // absent by RFC 5758 §3.1
        }

        if (IsTooWeak(hash))
        {
            return SignatureCheck.AlgorithmTooWeak;
        }

        if (key.Key.Oid.Value != Oids.Dsa)
        {
            return SignatureCheck.Wrong;
        }

        using DSA dsa = DSA.Create(); // not kept: nobody signs many with it any more
        dsa.ImportSubjectPublicKeyInfo(key.Key.ExportSubjectPublicKeyInfo(), out _);
        return IsTooShort(dsa) ? SignatureCheck.AlgorithmTooWeak : FromBoolean(dsa.VerifyData(data, signature, hash, DSASignatureFormat.Rfc3279DerSequence));
    }

    private bool IsTooWeak(HashAlgorithmName hash) => hash == HashAlgorithmName.SHA1 && !AcceptSha1;

    private bool IsTooShort(AsymmetricAlgorithm key) => key.KeySize < MinimumModulusBits;

    // .NET's SubjectPublicKeyInfo reader knows rsaEncryption only; the key itself is the same under id-RSASSA-PSS.
    private static RSA ImportRsa(PublicKey key)
    {
        RSA rsa = RSA.Create();
        try
        {
            byte[] encoded = key.EncodedKeyValue.RawData;
            rsa.ImportRSAPublicKey(encoded, out int read);
            return read == encoded.Length ? rsa : throw new CryptographicException("Octets follow the RSA key.");
        }
        catch
        {
            rsa.Dispose();
            throw;
        }
    }

    private static ECDsa ImportECDsa(PublicKey key)
    {
        ECDsa ecdsa = ECDsa.Create();
        try
        {
            ecdsa.ImportSubjectPublicKeyInfo(key.ExportSubjectPublicKeyInfo(), out _);
            return ecdsa;
        }
        catch
        {
            ecdsa.Dispose();
            throw;
        }
    }

    private static SignatureCheck FromBoolean(bool verified) => verified ? SignatureCheck.Verified : SignatureCheck.Wrong;
}
