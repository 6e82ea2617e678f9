using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using OcspCluster.Protocol;

namespace OcspCluster.Authority;

/// <summary>
/// Signs with a key in an HSM, through OpenSSL's PKCS #11 engine or provider. Thread-safe: OpenSSL makes a context for each signature, and the engine takes a session
/// for it from its own pool. What kind of key it is, the certificate says: an HSM need not give away the public half.
/// </summary>
/// <remarks>
/// After a failure the key is opened anew by the next signature: a token that was pulled, or an HSM that was started again, has forgotten its sessions. The queue before the
/// signer sees to it that this happens seldom, for each opening is a login, and a wrong PIN would lock the token.
/// </remarks>
public sealed class Pkcs11Signer : OcspSigner
{
    private readonly Pkcs11Key _key;
    private readonly bool _isRsa;
    private readonly HashAlgorithmName _hash;
    private readonly RSASignaturePadding _padding;
    private readonly Lock _opening = new();
    private volatile OcspSigner? _open;

    private Pkcs11Signer(Pkcs11Key key, bool isRsa, HashAlgorithmName hash, RSASignaturePadding padding)
    {
        _key = key;
        _isRsa = isRsa;
        _hash = hash;
        _padding = padding;
        OcspSigner opened = OpenKey();
        _open = opened;
        Algorithm = opened.Algorithm;
    }

    /// <inheritdoc/>
    public override AlgorithmIdentifier Algorithm { get; }

    /// <inheritdoc/>
    public override bool IsRemote => true;

    /// <summary>Opens a key.</summary>
    /// <param name="key">Where it is.</param>
    /// <param name="certificate">The certificate of its public half.</param>
    /// <param name="hash">The hash; where none is given, what fits the key (BR 7.1.3.2).</param>
    /// <param name="usePss">Signs RSASSA-PSS with an RSA key, not PKCS #1 v1.5.</param>
    /// <exception cref="CryptographicException">The key cannot be opened; the message says what to look at.</exception>
    /// <exception cref="ArgumentException">The certificate's key is neither RSA nor ECDSA, or the description of the key cannot work.</exception>
    public static Pkcs11Signer Open(Pkcs11Key key, X509Certificate2 certificate, HashAlgorithmName? hash = null, bool usePss = false)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(certificate);
        if (key.FindErrors().FirstOrDefault() is string error)
        {
            throw new ArgumentException(error, nameof(key));
        }

        using RSA? rsa = certificate.GetRSAPublicKey();
        using ECDsa? ecdsa = certificate.GetECDsaPublicKey();
        return (rsa, ecdsa) switch
        {
            (not null, _) => new Pkcs11Signer(key, isRsa: true, hash ?? HashAlgorithmName.SHA256, usePss ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1),
            (_, not null) => new Pkcs11Signer(key, isRsa: false, hash ?? HashOf(ecdsa), RSASignaturePadding.Pkcs1),
            _ => throw new ArgumentException($"The certificate of '{certificate.Subject}' has neither an RSA nor an ECDSA key.", nameof(certificate)),
        };
    }

    /// <inheritdoc/>
    public override byte[] Sign(ReadOnlySpan<byte> data)
    {
        OcspSigner open = _open ?? Reopen();
        try
        {
            return open.Sign(data);
        }
        catch (CryptographicException)
        {
            // Not disposed here: another signature may be using it. The finalizers see to it.
            Interlocked.CompareExchange(ref _open, null, open);
            throw;
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing)
        {
            _open?.Dispose();
        }
    }

    private static HashAlgorithmName HashOf(ECDsa key) => key.KeySize switch
    {
        > 384 => HashAlgorithmName.SHA512,
        > 256 => HashAlgorithmName.SHA384,
        _ => HashAlgorithmName.SHA256,
    };

    private OcspSigner Reopen()
    {
        lock (_opening)
        {
            return _open ??= OpenKey();
        }
    }

    private OcspSigner OpenKey()
    {
        if (OperatingSystem.IsWindows() || OperatingSystem.IsAndroid() || OperatingSystem.IsBrowser() || OperatingSystem.IsIOS() || OperatingSystem.IsTvOS())
        {
            throw new CryptographicException("Keys in an HSM are reached through OpenSSL, which .NET does not use on this system.");
        }

        if (_key.Module is string module)
        {
            Pkcs11Environment.SetModule(module, _key.Provider is not null);
        }

        using PinSource? pin = PinSource.Open(_key.PinFile);
        string uri = pin is null ? _key.Uri : $"{_key.Uri}{(_key.Uri.Contains('?', StringComparison.Ordinal) ? '&' : '?')}pin-source={pin.Uri}";
        try
        {
            using SafeEvpPKeyHandle handle = _key.Provider is string provider
                ? SafeEvpPKeyHandle.OpenKeyFromProvider(provider, uri)
                : SafeEvpPKeyHandle.OpenPrivateKeyFromEngine(_key.Engine ?? Pkcs11Key.DefaultEngine, uri);
            return _isRsa ? FromHandle(new RSAOpenSsl(handle), _hash, _padding) : FromHandle(new ECDsaOpenSsl(handle), _hash);
        }
        catch (CryptographicException e)
        {
            throw new CryptographicException(Explain(e), e);
        }
        catch (PlatformNotSupportedException e)
        {
            throw new CryptographicException($"This OpenSSL has no {(_key.Provider is null ? "engines" : "providers")}: {e.Message}", e);
        }
    }

    private string Explain(CryptographicException e)
    {
        if (_key.Provider is string provider)
        {
            return $"The key '{_key.Uri}' cannot be opened by OpenSSL's provider '{provider}': is it installed (pkcs11-provider), is there such a key, and are PIN and module right? ({e.Message})";
        }

        string engine = _key.Engine ?? Pkcs11Key.DefaultEngine;
        return e.Message.Contains("no such engine", StringComparison.Ordinal)
            ? $"OpenSSL has no engine '{engine}': install it (Debian: libengine-pkcs11-openssl)."
            : $"The key '{_key.Uri}' cannot be opened by OpenSSL's engine '{engine}': is there such a token and key, and are PIN and module right ({_key.Module ?? "no Module is given; PKCS11_MODULE_PATH or p11-kit tells it"})? ({e.Message})";
    }
}
