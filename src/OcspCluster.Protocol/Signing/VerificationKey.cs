using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace OcspCluster.Protocol;

/// <summary>
/// A public key that verifies many signatures: what .NET imports of it is kept, which is worth more than half of the time of a verification. Thread-safe:
/// .NET promises nothing of one key object used by several threads, so each use has one to itself, and there are as many as were ever used at once.
/// A key that was used a few times verifies by libcrypto itself where that is at hand.
/// </summary>
public sealed class VerificationKey : IDisposable
{
    // To copy a key into libcrypto takes some signatures' time, and most keys verify one.
    private const int UsesBeforeFast = 4;

    private readonly ConcurrentStack<AsymmetricAlgorithm> _idle = new();
    private readonly Lock _copying = new();
    private volatile Fast? _fast;
    private int _uses;
    private int _curve; // 0: not looked at, 1: known, -1: not
    private volatile bool _isDisposed;

    /// <summary>Takes a key; nothing is imported before it is used, and a key that is wrong is told by the verification.</summary>
    public VerificationKey(PublicKey key)
    {
        ArgumentNullException.ThrowIfNull(key);
        Key = key;
    }

    /// <summary>The key.</summary>
    public PublicKey Key { get; }

    /// <summary>Disposes what was imported.</summary>
    public void Dispose()
    {
        _isDisposed = true;
        while (_idle.TryPop(out AsymmetricAlgorithm? key))
        {
            key.Dispose();
        }

        lock (_copying)
        {
            _fast?.Key?.Dispose();
        }
    }

    /// <summary>Whether it is an ECDSA key on a curve that is named and known (<see cref="EllipticCurves"/>).</summary>
    internal bool IsOnKnownCurve => (_curve != 0 ? _curve : _curve = EllipticCurves.IsSupported(Key) ? 1 : -1) > 0;

    /// <summary>Verifies by libcrypto; null when that is not at hand, or not for this key yet.</summary>
    /// <param name="imported">The key as .NET imported it.</param>
    /// <param name="hash">The hash.</param>
    /// <param name="padding">The padding of RSA.</param>
    /// <param name="data">What was signed.</param>
    /// <param name="signature">The signature.</param>
    internal bool? TryVerifyFast(AsymmetricAlgorithm imported, HashAlgorithmName hash, RSASignaturePadding? padding, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        Fast? fast = _fast ?? (Interlocked.Increment(ref _uses) > UsesBeforeFast ? Copy(imported, hash, padding) : null);
        return fast is not null && fast.Hash == hash && fast.Padding == padding ? fast.Key?.TryVerify(data, signature) : null;
    }

    private Fast? Copy(AsymmetricAlgorithm imported, HashAlgorithmName hash, RSASignaturePadding? padding)
    {
        lock (_copying)
        {
            return _isDisposed ? null : _fast ??= new Fast(OpenSslKey.TryCopyPublic(imported, hash, padding), hash, padding);
        }
    }

    /// <summary>An imported key, for the caller alone until it is given back.</summary>
    internal TKey Take<TKey>(Func<PublicKey, TKey> import)
        where TKey : AsymmetricAlgorithm =>
        _idle.TryPop(out AsymmetricAlgorithm? idle) && idle is TKey key ? key : import(Key); // one key is of one kind: the first that is taken decides

    internal void GiveBack(AsymmetricAlgorithm key)
    {
        _idle.Push(key);
        if (_isDisposed)
        {
            Dispose();
        }
    }

    // By one algorithm, the first that asked often: a responder signs by one.
    private sealed record Fast(OpenSslKey? Key, HashAlgorithmName Hash, RSASignaturePadding? Padding);
}
