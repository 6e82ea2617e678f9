using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using OcspCluster.Protocol;
using Org.BouncyCastle.Crypto;
using Org.BouncyCastle.Crypto.Parameters;
using Org.BouncyCastle.Crypto.Signers;
using Org.BouncyCastle.Security;

namespace OcspCluster.BouncyCastle;

/// <summary>
/// Signs with an Ed25519 or Ed448 key (RFC 8410, RFC 8032): deterministic, without a hash of one's choice. Thread-safe.
/// </summary>
public sealed class EdDsaSigner : OcspSigner
{
    internal const string Ed25519Oid = "1.3.101.112";
    internal const string Ed448Oid = "1.3.101.113";

    private readonly Func<ISigner> _newSigner;

    private EdDsaSigner(string oid, byte[] publicKey, Func<ISigner> newSigner)
    {
        Algorithm = new AlgorithmIdentifier(oid); // parameters absent (RFC 8410 §3)
        PublicKey = new PublicKey(new Oid(oid), parameters: null, new AsnEncodedData(publicKey));
        _newSigner = newSigner;
    }

    /// <inheritdoc/>
    public override AlgorithmIdentifier Algorithm { get; }

    /// <summary>The public half of the key, to compare with a certificate's.</summary>
    public PublicKey PublicKey { get; }

    /// <summary>
    /// Takes the first <c>PRIVATE KEY</c> or <c>ENCRYPTED PRIVATE KEY</c> in a PEM text (PKCS #8, RFC 7468 §10 and §11).
    /// </summary>
    /// <param name="pem">The text; certificates beside the key are passed over.</param>
    /// <param name="password">What an encrypted key is encrypted with; not looked at when it is not.</param>
    /// <exception cref="CryptographicException">There is no such key, it is of another kind, or the password is missing or wrong.</exception>
    public static EdDsaSigner FromPem(ReadOnlySpan<char> pem, ReadOnlySpan<char> password = default)
    {
        while (PemEncoding.TryFind(pem, out PemFields fields))
        {
            byte[] content = Convert.FromBase64String(pem[fields.Base64Data].ToString());
            switch (pem[fields.Label])
            {
                case "PRIVATE KEY":
                    return FromPkcs8(content);
                case "ENCRYPTED PRIVATE KEY":
                    return FromEncryptedPkcs8(content, password);
                default:
                    pem = pem[fields.Location.End..];
                    break;
            }
        }

        throw new CryptographicException("The PEM has neither a PRIVATE KEY nor an ENCRYPTED PRIVATE KEY (PKCS #8).");
    }

    /// <summary>Takes the DER of a PrivateKeyInfo (RFC 5958 §2, RFC 8410 §7).</summary>
    /// <exception cref="CryptographicException">It is not one, or of another kind of key.</exception>
    public static EdDsaSigner FromPkcs8(ReadOnlySpan<byte> privateKeyInfo)
    {
        byte[] encoded = privateKeyInfo.ToArray();
        try
        {
            return FromKey(Decode(() => PrivateKeyFactory.CreateKey(encoded), "The private key is not PKCS #8."));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(encoded);
        }
    }

    /// <summary>Takes the DER of an EncryptedPrivateKeyInfo (RFC 5958 §3): PBES2 with PBKDF2, which openssl writes by default, but not with scrypt.</summary>
    /// <exception cref="CryptographicException">It is not one, of another kind of key, or the password is missing or wrong.</exception>
    public static EdDsaSigner FromEncryptedPkcs8(ReadOnlySpan<byte> encryptedPrivateKeyInfo, ReadOnlySpan<char> password)
    {
        if (password.IsEmpty)
        {
            throw new CryptographicException("The private key is encrypted: a password is needed.");
        }

        byte[] encoded = encryptedPrivateKeyInfo.ToArray();
        char[] secret = password.ToArray();
        try
        {
            return FromKey(Decode(() => PrivateKeyFactory.DecryptKey(secret, encoded), "The private key could not be decrypted: the password is wrong, or it is not PKCS #8 encrypted by way of PBKDF2."));
        }
        finally
        {
            Array.Clear(secret);
        }
    }

    /// <inheritdoc/>
    public override byte[] Sign(ReadOnlySpan<byte> data)
    {
        ISigner signer = _newSigner(); // it holds state: one for each use
        signer.BlockUpdate(data);
        return signer.GenerateSignature();
    }

    private static EdDsaSigner FromKey(AsymmetricKeyParameter key) => key switch
    {
        Ed25519PrivateKeyParameters ed25519 => new(Ed25519Oid, ed25519.GeneratePublicKey().GetEncoded(), () => Init(new Ed25519Signer(), ed25519)),
        Ed448PrivateKeyParameters ed448 => new(Ed448Oid, ed448.GeneratePublicKey().GetEncoded(), () => Init(new Ed448Signer([]), ed448)),
        _ => throw new CryptographicException("The private key is neither an Ed25519 nor an Ed448 key."),
    };

    private static ISigner Init(ISigner signer, ICipherParameters key)
    {
        signer.Init(forSigning: true, key);
        return signer;
    }

    // What BouncyCastle throws for bytes that are no key, or for a wrong password, is of a dozen types without a common one.
    private static AsymmetricKeyParameter Decode(Func<AsymmetricKeyParameter> decode, string whatIsWrong)
    {
        try
        {
            return decode();
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            throw new CryptographicException(whatIsWrong, e);
        }
    }
}
