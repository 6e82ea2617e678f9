using OcspCluster.Authority;

namespace OcspCluster.Gateway;

/// <summary>Who of several hosts looks at a source: one at a time. A host on its own has none of this. Thread-safe.</summary>
/// <remarks>Two that look at once for a moment lose nothing: what is imported has ids that tell what was recorded already.</remarks>
public interface ISourceTurns
{
    /// <summary>Takes a source's turn, or keeps it: until <see cref="ReleaseAllAsync"/>, or until this host is gone.</summary>
    /// <param name="issuer">Whose source.</param>
    /// <param name="source">Which of the issuer's: its kind and location.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Null when it is this host's turn; else who has it.</returns>
    /// <exception cref="RevocationStoreException">Nobody can tell now.</exception>
    ValueTask<string?> TakeAsync(IssuerId issuer, string source, CancellationToken cancellationToken);

    /// <summary>Hands all turns of this host back. Where that fails, they run out.</summary>
    ValueTask ReleaseAllAsync();
}
