using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace OcspCluster.Protocol;

/// <summary>What a key is used for.</summary>
/// <param name="Signs">Whether it signs; else it verifies.</param>
/// <param name="Hash">The hash, as OpenSSL calls it.</param>
/// <param name="Padding">The padding of an RSA key; 0 for another.</param>
internal readonly record struct OpenSslUse(bool Signs, string Hash, int Padding)
{
    /// <summary>What it is in OpenSSL's words; null when OpenSSL is not asked for such a thing here.</summary>
    public static OpenSslUse? Of(AsymmetricAlgorithm key, HashAlgorithmName hash, RSASignaturePadding? padding, bool signs)
    {
        string? name = hash == HashAlgorithmName.SHA256 || hash == HashAlgorithmName.SHA384 || hash == HashAlgorithmName.SHA512 ? hash.Name : null;
        return (name, key) switch
        {
            (null, _) => null,
            (_, RSA) when padding == RSASignaturePadding.Pkcs1 => new(signs, name, Libcrypto.PaddingPkcs1),
            (_, RSA) when padding == RSASignaturePadding.Pss => new(signs, name, Libcrypto.PaddingPss),
            (_, ECDsa) => new(signs, name, 0),
            _ => null,
        };
    }
}

/// <summary>
/// A key in libcrypto for one use, with contexts that are kept from one signature to the next. Thread-safe: each call has a context to itself, and there are as many as were ever used at once.
/// </summary>
/// <remarks>
/// The key is a copy: nothing is shared with .NET's object, whose library might be another one than ours. Disposing it while it signs is harmless: a context holds its key, is freed by the one who gives it
/// back, and what comes later is left to .NET.
/// </remarks>
internal sealed class OpenSslKey : IDisposable
{
    private static readonly byte[] s_probe = "OcspCluster asks: is it the same key?"u8.ToArray();

    private readonly SafePKey _key;
    private readonly OpenSslUse _use;
    private readonly OpenSslContext?[] _idle = new OpenSslContext?[Math.Max(4, Environment.ProcessorCount * 2)];
    private volatile bool _isDisposed;

    private OpenSslKey(SafePKey key, OpenSslUse use)
    {
        _key = key;
        _use = use;
        MaxSignatureBytes = Libcrypto.GetMaxSignatureBytes(key);
    }

    /// <summary>How long a signature is at most.</summary>
    public int MaxSignatureBytes { get; }

    /// <summary>A private key in this process; null when OpenSSL is not here, the key does not let itself be copied, or its copy does not sign as it does.</summary>
    public static OpenSslKey? TryCopyPrivate(AsymmetricAlgorithm key, HashAlgorithmName hash, RSASignaturePadding? padding)
    {
        // A key of somebody else's type may be anywhere, and be asked for nothing but signatures.
        if (!Libcrypto.IsUsable || key.GetType().Assembly != typeof(AsymmetricAlgorithm).Assembly || OpenSslUse.Of(key, hash, padding, signs: true) is not OpenSslUse use)
        {
            return null;
        }

        OpenSslKey? copy = TryDecode(Export(key), use, Libcrypto.DecodePrivateKey);
        if (copy?.TrySign(s_probe) is byte[] signature && Verifies(key, hash, padding, signature))
        {
            return copy;
        }

        copy?.Dispose();
        return null;
    }

    /// <summary>The public part of a key; null when OpenSSL is not here or does not take it.</summary>
    public static OpenSslKey? TryCopyPublic(AsymmetricAlgorithm key, HashAlgorithmName hash, RSASignaturePadding? padding) =>
        Libcrypto.IsUsable && OpenSslUse.Of(key, hash, padding, signs: false) is OpenSslUse use
            ? TryDecode(key.ExportSubjectPublicKeyInfo(), use, Libcrypto.DecodePublicKey)
            : null;

    /// <summary>Signs; null when it would not, which is for .NET to explain.</summary>
    public byte[]? TrySign(ReadOnlySpan<byte> data)
    {
        if (Take() is not OpenSslContext context)
        {
            return null;
        }

        // An RSA signature is always as long as it can be: it is made where it stays.
        byte[]? signature = _use.Padding == 0 ? null : new byte[MaxSignatureBytes];
        Span<byte> room = signature is null ? stackalloc byte[MaxSignatureBytes] : signature;
        int length = context.Sign(data, room);
        if (length == 0)
        {
            context.Dispose();
            return null;
        }

        GiveBack(context);
        return signature is not null && length == signature.Length ? signature : room[..length].ToArray();
    }

    /// <summary>Verifies; null when it could not be tried.</summary>
    public bool? TryVerify(ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        if (signature.IsEmpty || Take() is not OpenSslContext context)
        {
            return null;
        }

        bool isRight = context.Verify(data, signature);
        GiveBack(context);
        return isRight;
    }

    /// <summary>Frees what is not in use, and the rest when it is given back.</summary>
    public void Dispose()
    {
        _isDisposed = true;
        for (int i = 0; i < _idle.Length; i++)
        {
            Interlocked.Exchange(ref _idle[i], null)?.Dispose();
        }

        _key.Dispose();
    }

    private OpenSslContext? Take()
    {
        int first = Environment.CurrentManagedThreadId;
        for (int i = 0; i < _idle.Length; i++)
        {
            ref OpenSslContext? slot = ref _idle[(first + i) % _idle.Length];
            if (Volatile.Read(ref slot) is not null && Interlocked.Exchange(ref slot, null) is OpenSslContext idle)
            {
                return idle;
            }
        }

        try
        {
            return _isDisposed ? null : OpenSslContext.Create(_key, _use);
        }
        catch (ObjectDisposedException)
        {
            return null; // just now
        }
    }

    private void GiveBack(OpenSslContext context)
    {
        int first = Environment.CurrentManagedThreadId;
        for (int i = 0; i < _idle.Length && !_isDisposed; i++)
        {
            ref OpenSslContext? slot = ref _idle[(first + i) % _idle.Length];
            if (Volatile.Read(ref slot) is null && Interlocked.CompareExchange(ref slot, context, null) is null)
            {
                if (_isDisposed)
                {
                    Interlocked.Exchange(ref slot, null)?.Dispose(); // Dispose may have passed by before it lay there
                }

                return;
            }
        }

        context.Dispose();
    }

    private static OpenSslKey? TryDecode(byte[] encoded, OpenSslUse use, Decoder decode)
    {
        GCHandle pin = GCHandle.Alloc(encoded, GCHandleType.Pinned);
        try
        {
            nint at = pin.AddrOfPinnedObject(), end = at + encoded.Length;
            SafePKey key = decode(0, ref at, encoded.Length);
            if (!key.IsInvalid && at == end)
            {
                return new OpenSslKey(key, use);
            }

            key.Dispose();
            Libcrypto.ClearErrors();
            return null;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(encoded);
            pin.Free();
        }
    }

    // Empty when the key does not let itself be copied. The octets are pinned from the start, so that the collector leaves no copy behind.
    private static byte[] Export(AsymmetricAlgorithm key)
    {
        try
        {
            for (int size = 1024; ; size *= 4)
            {
                byte[] room = GC.AllocateUninitializedArray<byte>(size, pinned: true);
                if (!key.TryExportPkcs8PrivateKey(room, out int length))
                {
                    continue;
                }

                byte[] encoded = GC.AllocateUninitializedArray<byte>(length, pinned: true);
                room.AsSpan(0, length).CopyTo(encoded);
                CryptographicOperations.ZeroMemory(room);
                return encoded;
            }
        }
        catch (Exception e) when (e is CryptographicException or NotSupportedException or NotImplementedException) // the last is what AsymmetricAlgorithm throws itself for a class that cannot export
        {
            return [];
        }
    }

    private static bool Verifies(AsymmetricAlgorithm key, HashAlgorithmName hash, RSASignaturePadding? padding, byte[] signature) => key switch
    {
        RSA rsa => rsa.VerifyData(s_probe, signature, hash, padding!),
        ECDsa ecdsa => ecdsa.VerifyData(s_probe, signature, hash, DSASignatureFormat.Rfc3279DerSequence),
        _ => false,
    };

    private delegate SafePKey Decoder(nint reuse, ref nint encoded, nint length);
}
