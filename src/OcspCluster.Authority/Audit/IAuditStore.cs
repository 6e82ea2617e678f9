using OcspCluster.Protocol;

namespace OcspCluster.Authority;

/// <summary>A journal entry and its digest as the store keeps it: what it should be is for an audit to say.</summary>
/// <param name="Entry">The entry.</param>
/// <param name="Hash">Its digest (<see cref="JournalHash"/>).</param>
public sealed record ChainedEntry(JournalEntry Entry, Digest Hash);

/// <summary>The end of a journal as the store keeps it beside the journal.</summary>
/// <param name="Position">The last position; 0 when the journal is empty.</param>
/// <param name="Hash">The last entry's digest; default when the journal is empty.</param>
public readonly record struct JournalHead(long Position, Digest Hash);

/// <summary>A certificate's status as the store keeps it.</summary>
/// <param name="Serial">The certificate.</param>
/// <param name="Status">Its status; null when what is kept does not match its checksum.</param>
/// <param name="IsFindable">Whether a look-up of this serial, as the responder does it, arrives at this status.</param>
public sealed record StoredStatus(SerialNumber Serial, CertificateStatus? Status, bool IsFindable);

/// <summary>
/// What audits and proofs read of a store beyond what answering needs, as of the moment it was opened: a writer goes on
/// meanwhile. All streams are of bounded memory. For one caller at a time, and one stream at a time.
/// Every method may throw <see cref="RevocationStoreException"/>; where a journal entry is what cannot be read, its
/// <see cref="RevocationStoreException.Position"/> is that entry's.
/// </summary>
public interface IAuditStore : IAsyncDisposable
{
    /// <summary>Every issuer that the store has something of.</summary>
    ValueTask<IReadOnlyList<IssuerId>> ListIssuersAsync(CancellationToken cancellationToken);

    /// <summary>The end of an issuer's journal.</summary>
    ValueTask<JournalHead> GetHeadAsync(IssuerId issuer, CancellationToken cancellationToken);

    /// <summary>How many certificates of an issuer are in each state, as the store keeps it.</summary>
    ValueTask<StatusCounts> CountAsync(IssuerId issuer, CancellationToken cancellationToken);

    /// <summary>The entries after a position, in order. Where one is missing, the next that is there follows: that is for the audit to see.</summary>
    IAsyncEnumerable<ChainedEntry> ReadChainAsync(IssuerId issuer, long after, CancellationToken cancellationToken);

    /// <summary>All entries, ordered by serial (<see cref="SerialNumber.CompareTo"/>), then by position.</summary>
    IAsyncEnumerable<JournalEntry> ReadHistoriesAsync(IssuerId issuer, CancellationToken cancellationToken);

    /// <summary>All statuses, ordered by serial (<see cref="SerialNumber.CompareTo"/>).</summary>
    IAsyncEnumerable<StoredStatus> ReadStatusesAsync(IssuerId issuer, CancellationToken cancellationToken);

    /// <summary>Hashes of one level of an issuer's tree.</summary>
    /// <param name="issuer">Whose tree.</param>
    /// <param name="level">0 for the leaves' hashes, or a level that is stored (<see cref="MerkleTree"/>).</param>
    /// <param name="first">The first node's index.</param>
    /// <param name="count">How many.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The hashes, in order; fewer when the level ends before.</returns>
    ValueTask<IReadOnlyList<Digest>> ReadTreeAsync(IssuerId issuer, int level, long first, int count, CancellationToken cancellationToken);

    /// <summary>What the store itself finds wrong with its files and indexes, one sentence each; empty when nothing is.</summary>
    ValueTask<IReadOnlyList<string>> CheckStructureAsync(CancellationToken cancellationToken);
}
