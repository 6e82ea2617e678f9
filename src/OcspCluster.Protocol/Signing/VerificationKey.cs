using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace OcspCluster.Protocol;

/// <summary>
/// A public key that verifies many signatures: what .NET imports of it is kept, which is worth more than half of the time of a verification. Thread-safe:
/// .NET promises nothing of one key object used by several threads, so each use has one to itself, and there are as many as were ever used at once.
/// </summary>
public sealed class VerificationKey : IDisposable
{
    private readonly ConcurrentStack<AsymmetricAlgorithm> _idle = new();
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
}
