using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace OcspCluster.Protocol;

/// <summary>
/// A private key that signs responses and requests, wherever it is: in this process, in an HSM, or in another library.
/// Derive from it for keys or algorithms that .NET does not have (Ed25519 and Ed448: OcspCluster.BouncyCastle).
/// </summary>
/// <remarks>Implementations are called concurrently. Disposing a signer disposes its key.</remarks>
public abstract class OcspSigner : IDisposable
{
    /// <summary>The signature algorithm, as it stands beside the signature: parameters canonical (conformance R54: RSA NULL, ECDSA and DSA absent, PSS full).</summary>
    public abstract AlgorithmIdentifier Algorithm { get; }

    /// <summary>Whether the key is in another device or process, so that a call may wait for it, or never return. Such calls are made on threads of their own.</summary>
    public virtual bool IsRemote => false;

    /// <summary>Whether there is a key to sign with; false for <see cref="Keyless"/>.</summary>
    public virtual bool HasKey => true;

    /// <summary>Signs data; returns the content of the signature's BIT STRING.</summary>
    /// <exception cref="CryptographicException">The key could not be used.</exception>
    public abstract byte[] Sign(ReadOnlySpan<byte> data);

    /// <summary>
    /// The key of a certificate: RSA with PKCS #1 unless <paramref name="usePss"/>, ECDSA or DSA. The hash is <paramref name="hash"/>, or what fits the key:
    /// SHA-256, for P-384 SHA-384, for P-521 SHA-512 (BR 7.1.3.2).
    /// </summary>
    /// <exception cref="ArgumentException">The certificate has no private key, or one of a kind that .NET cannot sign with.</exception>
    public static OcspSigner FromCertificate(X509Certificate2 certificate, HashAlgorithmName? hash = null, bool usePss = false)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        if (certificate.GetRSAPrivateKey() is RSA rsa)
        {
            return FromRsa(rsa, hash, usePss ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1);
        }

        if (certificate.GetECDsaPrivateKey() is ECDsa ecdsa)
        {
            return FromECDsa(ecdsa, hash);
        }

        return certificate.GetDSAPrivateKey() is DSA dsa
            ? FromDsa(dsa, hash)
            : throw new ArgumentException($"The certificate of '{certificate.Subject}' has no RSA, ECDSA or DSA private key.", nameof(certificate));
    }

    /// <summary>
    /// Stands for a certificate's key where that is not at hand, because others sign with it: tells how they sign, RSA or ECDSA as <see cref="FromCertificate"/> does, and throws when it is to sign.
    /// </summary>
    /// <exception cref="ArgumentException">The certificate's key is of another kind.</exception>
    public static OcspSigner Keyless(X509Certificate2 certificate, HashAlgorithmName? hash = null, bool usePss = false)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        using RSA? rsa = certificate.GetRSAPublicKey();
        if (rsa is not null)
        {
            HashAlgorithmName rsaHash = hash ?? HashAlgorithmName.SHA256;
            return new KeylessSigner(usePss ? SignatureAlgorithms.RsaPss(rsaHash) : SignatureAlgorithms.RsaPkcs1(rsaHash));
        }

        using ECDsa? ecdsa = certificate.GetECDsaPublicKey();
        return ecdsa is not null
            ? new KeylessSigner(SignatureAlgorithms.ECDsa(hash ?? HashFor(ecdsa)))
            : throw new ArgumentException($"The certificate of '{certificate.Subject}' has no RSA or ECDSA key.", nameof(certificate));
    }

    /// <summary>An RSA key; SHA-256 and PKCS #1 v1.5 where nothing else is asked for.</summary>
    public static OcspSigner FromRsa(RSA key, HashAlgorithmName? hash = null, RSASignaturePadding? padding = null)
    {
        ArgumentNullException.ThrowIfNull(key);
        return Quicken(key, FromHandle(key, hash, padding), hash ?? HashAlgorithmName.SHA256, padding ?? RSASignaturePadding.Pkcs1);
    }

    /// <summary>An ECDSA key; the hash that fits its curve where none is asked for.</summary>
    public static OcspSigner FromECDsa(ECDsa key, HashAlgorithmName? hash = null)
    {
        ArgumentNullException.ThrowIfNull(key);
        return Quicken(key, FromHandle(key, hash), hash ?? HashFor(key), padding: null);
    }

    /// <summary>A DSA key; SHA-256 where no other hash is asked for.</summary>
    public static OcspSigner FromDsa(DSA key, HashAlgorithmName? hash = null) => new DsaSigner(key, hash ?? HashAlgorithmName.SHA256);

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees the key.</summary>
    protected virtual void Dispose(bool disposing)
    {
    }

    /// <summary>An RSA key that may be anywhere, behind an engine of OpenSSL for one: .NET is asked to sign with it, and nothing else is done with it.</summary>
    internal static OcspSigner FromHandle(RSA key, HashAlgorithmName? hash, RSASignaturePadding? padding) =>
        new RsaSigner(key, hash ?? HashAlgorithmName.SHA256, padding ?? RSASignaturePadding.Pkcs1);

    /// <summary>An ECDSA key that may be anywhere.</summary>
    internal static OcspSigner FromHandle(ECDsa key, HashAlgorithmName? hash) => new ECDsaSigner(key, hash ?? HashFor(key));

    private static OcspSigner Quicken(AsymmetricAlgorithm key, OcspSigner signer, HashAlgorithmName hash, RSASignaturePadding? padding) =>
        OpenSslKey.TryCopyPrivate(key, hash, padding) is OpenSslKey fast ? new FastSigner(fast, signer) : signer;

    private static HashAlgorithmName HashFor(ECDsa key) => key.KeySize switch
    {
        > 384 => HashAlgorithmName.SHA512,
        > 256 => HashAlgorithmName.SHA384,
        _ => HashAlgorithmName.SHA256,
    };

    private sealed class KeylessSigner(AlgorithmIdentifier algorithm) : OcspSigner
    {
        public override AlgorithmIdentifier Algorithm { get; } = algorithm;

        public override bool HasKey => false;

        public override byte[] Sign(ReadOnlySpan<byte> data) => throw new CryptographicException("The key is not here: others sign with it.");
    }

    private abstract class KeySigner(AsymmetricAlgorithm key, AlgorithmIdentifier algorithm) : OcspSigner
    {
        public override AlgorithmIdentifier Algorithm { get; } = algorithm;

        protected override void Dispose(bool disposing)
        {
            base.Dispose(disposing);
            if (disposing)
            {
                key.Dispose();
            }
        }
    }

    // By libcrypto where it is; what that would not do is done, or refused with a reason, by .NET.
    private sealed class FastSigner(OpenSslKey fast, OcspSigner slow) : OcspSigner
    {
        public override AlgorithmIdentifier Algorithm => slow.Algorithm;

        public override byte[] Sign(ReadOnlySpan<byte> data) => fast.TrySign(data) ?? slow.Sign(data);

        protected override void Dispose(bool disposing)
        {
            base.Dispose(disposing);
            if (disposing)
            {
                fast.Dispose();
                slow.Dispose();
            }
        }
    }

    private sealed class RsaSigner(RSA key, HashAlgorithmName hash, RSASignaturePadding padding)
        : KeySigner(key, padding == RSASignaturePadding.Pss ? SignatureAlgorithms.RsaPss(hash) : SignatureAlgorithms.RsaPkcs1(hash))
    {
        public override byte[] Sign(ReadOnlySpan<byte> data) => key.SignData(data, hash, padding);
    }

    private sealed class ECDsaSigner(ECDsa key, HashAlgorithmName hash) : KeySigner(key, SignatureAlgorithms.ECDsa(hash))
    {
        private const int MaxFieldBytes = 66; // P-521

        // r and s side by side, and the DER is ours: asked for DER, .NET allocates 1.4 kB for every signature.
        public override byte[] Sign(ReadOnlySpan<byte> data)
        {
            Span<byte> pair = stackalloc byte[2 * MaxFieldBytes];
            if (!key.TrySignData(data, pair, hash, DSASignatureFormat.IeeeP1363FixedFieldConcatenation, out int length))
            {
                return key.SignData(data, hash, DSASignatureFormat.Rfc3279DerSequence); // a longer curve than is known here
            }

            // Ecdsa-Sig-Value ::= SEQUENCE { r INTEGER, s INTEGER } (RFC 3279 §2.2.3)
            ReadOnlySpan<byte> r = Trim(pair[..(length / 2)]), s = Trim(pair[(length / 2)..length]);
            int content = 4 + SizeOf(r) + SizeOf(s);
            byte[] der = new byte[(content < 0x80 ? 2 : 3) + content];
            int at = 0;
            der[at++] = 0x30;
            if (content >= 0x80)
            {
                der[at++] = 0x81;
            }

            der[at++] = (byte)content;
            Write(r, der, ref at);
            Write(s, der, ref at);
            return der;
        }

        // At least one octet is left: neither number is zero (FIPS 186-5 §6.4.1).
        private static ReadOnlySpan<byte> Trim(ReadOnlySpan<byte> number) => number[..^1].IndexOfAnyExcept((byte)0) is >= 0 and int first ? number[first..] : number[^1..];

        private static int SizeOf(ReadOnlySpan<byte> number) => number.Length + (number[0] >> 7);

        private static void Write(ReadOnlySpan<byte> number, Span<byte> der, ref int at)
        {
            der[at] = 0x02;
            der[at + 1] = (byte)SizeOf(number);
            number.CopyTo(der[(at + 2 + (number[0] >> 7))..]); // a high first bit has a zero before it
            at += 2 + SizeOf(number);
        }
    }

    private sealed class DsaSigner(DSA key, HashAlgorithmName hash) : KeySigner(key, SignatureAlgorithms.Dsa(hash))
    {
        public override byte[] Sign(ReadOnlySpan<byte> data) => key.SignData(data.ToArray(), hash, DSASignatureFormat.Rfc3279DerSequence);
    }
}
