namespace OcspCluster.Authority;

/// <summary>
/// The hashes of a Merkle tree (RFC 6962 §2.1, RFC 9162 §2.1.1). A leaf's data are the 32 octets of its entry's digest
/// (<see cref="JournalHash"/>), so the entry at position n is the leaf of index n − 1.
/// </summary>
public static class MerkleHash
{
    /// <summary>The root of the tree without leaves: the hash of no octets.</summary>
    public static Digest EmptyRoot { get; } = Digest.Of([]);

    /// <summary>The hash of a leaf: SHA-256(0x00 || data).</summary>
    public static Digest Leaf(ReadOnlySpan<byte> data)
    {
        Span<byte> input = data.Length < 256 ? stackalloc byte[1 + data.Length] : new byte[1 + data.Length];
        input[0] = 0x00;
        data.CopyTo(input[1..]);
        return Digest.Of(input);
    }

    /// <summary>The hash of the leaf of a journal entry.</summary>
    public static Digest Leaf(in Digest entry)
    {
        Span<byte> data = stackalloc byte[Digest.SizeInBytes];
        entry.CopyTo(data);
        return Leaf(data);
    }

    /// <summary>The hash of two subtrees: SHA-256(0x01 || left || right).</summary>
    public static Digest Node(in Digest left, in Digest right)
    {
        Span<byte> input = stackalloc byte[1 + (2 * Digest.SizeInBytes)];
        input[0] = 0x01;
        left.CopyTo(input[1..]);
        right.CopyTo(input[(1 + Digest.SizeInBytes)..]);
        return Digest.Of(input);
    }

    /// <summary>The root of a perfect subtree.</summary>
    /// <param name="nodes">The hashes of its lowest level, a power of two of them; they are overwritten.</param>
    public static Digest PerfectRoot(Span<Digest> nodes)
    {
        if (!int.IsPow2(nodes.Length))
        {
            throw new ArgumentException($"A perfect subtree has a power of two of nodes, not {nodes.Length}.", nameof(nodes));
        }

        for (int width = nodes.Length / 2; width >= 1; width /= 2)
        {
            for (int i = 0; i < width; i++)
            {
                nodes[i] = Node(nodes[2 * i], nodes[(2 * i) + 1]);
            }
        }

        return nodes[0];
    }
}
