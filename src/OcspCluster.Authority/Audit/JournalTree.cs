using System.Numerics;

namespace OcspCluster.Authority;

/// <summary>Reads hashes of one level of a tree, as <see cref="IAuditStore.ReadTreeAsync"/> does for one issuer.</summary>
internal delegate ValueTask<IReadOnlyList<Digest>> TreeLevelReader(int level, long first, int count, CancellationToken cancellationToken);

/// <summary>
/// The Merkle tree over an issuer's journal: roots and proofs (RFC 6962 §2.1). Each takes some rows of each stored level
/// (<see cref="MerkleTree"/>), so its cost grows with the logarithm of the journal. For one caller at a time.
/// </summary>
public sealed class JournalTree
{
    private readonly TreeLevelReader _read;
    private readonly Dictionary<(int Level, long Tile), IReadOnlyList<Digest>> _tiles = []; // of this operation

    /// <summary>Over a store.</summary>
    public JournalTree(IAuditStore store, IssuerId issuer)
        : this((level, first, count, cancellationToken) => store.ReadTreeAsync(issuer, level, first, count, cancellationToken)) =>
        ArgumentNullException.ThrowIfNull(store);

    internal JournalTree(TreeLevelReader read) => _read = read;

    /// <summary>The root of the tree of the first entries.</summary>
    /// <param name="size">How many.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async ValueTask<Digest> GetRootAsync(long size, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(size);
        _tiles.Clear();
        return size == 0 ? MerkleHash.EmptyRoot : await HashAsync(0, size, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Proves that a leaf is in the tree of the first entries (PATH, RFC 6962 §2.1.1), for <see cref="MerkleProof.VerifyInclusion"/>.</summary>
    /// <param name="index">The leaf's index: the entry's position − 1.</param>
    /// <param name="size">The size of the tree.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async ValueTask<IReadOnlyList<Digest>> ProveInclusionAsync(long index, long size, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, size);
        _tiles.Clear();
        List<Digest> path = [];
        (long begin, long end) = (0, size);
        while (end - begin > 1)
        {
            long middle = begin + Split(end - begin);
            bool isLeft = index < middle;
            path.Add(isLeft ? await HashAsync(middle, end, cancellationToken).ConfigureAwait(false) : await HashAsync(begin, middle, cancellationToken).ConfigureAwait(false));
            (begin, end) = isLeft ? (begin, middle) : (middle, end);
        }

        path.Reverse();
        return path;
    }

    /// <summary>
    /// Proves that a tree is what an earlier one became by appending alone (PROOF, RFC 6962 §2.1.2), for
    /// <see cref="MerkleProof.VerifyConsistency"/>.
    /// </summary>
    public async ValueTask<IReadOnlyList<Digest>> ProveConsistencyAsync(long firstSize, long secondSize, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(firstSize);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(firstSize, secondSize);
        _tiles.Clear();
        if (firstSize == 0 || firstSize == secondSize)
        {
            return [];
        }

        // SUBPROOF, from the root down to the subtree that ends where the first tree does.
        List<Digest> proof = [];
        (long begin, long end) = (0, secondSize);
        while (end != firstSize)
        {
            long middle = begin + Split(end - begin);
            bool isLeft = firstSize <= middle;
            proof.Add(isLeft ? await HashAsync(middle, end, cancellationToken).ConfigureAwait(false) : await HashAsync(begin, middle, cancellationToken).ConfigureAwait(false));
            (begin, end) = isLeft ? (begin, middle) : (middle, end);
        }

        if (begin != 0)
        {
            proof.Add(await HashAsync(begin, end, cancellationToken).ConfigureAwait(false)); // otherwise it is the first tree's root, which is known
        }

        proof.Reverse();
        return proof;
    }

    /// <summary>The largest power of two below a size of at least 2.</summary>
    private static long Split(long size) => 1L << BitOperations.Log2((ulong)(size - 1));

    // MTH of the leaves [begin, end), of which begin is a multiple of the largest power of two that fits.
    private async ValueTask<Digest> HashAsync(long begin, long end, CancellationToken cancellationToken)
    {
        long size = end - begin;
        if (BitOperations.IsPow2(size))
        {
            int level = BitOperations.Log2((ulong)size);
            return await NodeAsync(level, begin >> level, cancellationToken).ConfigureAwait(false);
        }

        long middle = begin + Split(size);
        Digest left = await HashAsync(begin, middle, cancellationToken).ConfigureAwait(false);
        return MerkleHash.Node(left, await HashAsync(middle, end, cancellationToken).ConfigureAwait(false));
    }

    private async ValueTask<Digest> NodeAsync(int level, long index, CancellationToken cancellationToken)
    {
        int stored = Math.Min(level - (level % MerkleTree.StoredLevels), MerkleTree.HighestStoredLevel);
        int width = 1 << (level - stored);
        long first = index * width;
        long tile = first / MerkleTree.StoredWidth;
        if (!_tiles.TryGetValue((stored, tile), out IReadOnlyList<Digest>? hashes))
        {
            hashes = await _read(stored, tile * MerkleTree.StoredWidth, MerkleTree.StoredWidth, cancellationToken).ConfigureAwait(false);
            _tiles.Add((stored, tile), hashes);
        }

        int from = (int)(first % MerkleTree.StoredWidth);
        if (from + width > hashes.Count)
        {
            throw new RevocationStoreException($"The tree of the journal ends before node {first + width - 1} of level {stored}: the store is damaged, or the size lies beyond the journal's end. Run the audit.");
        }

        return MerkleHash.PerfectRoot([.. hashes.Skip(from).Take(width)]);
    }
}
