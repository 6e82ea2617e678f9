using System.Numerics;

namespace OcspCluster.Authority;

/// <summary>Verifies what a log says of its tree. Pure: needs nothing but the proof.</summary>
public static class MerkleProof
{
    /// <summary>Whether a leaf is in a tree (RFC 9162 §2.1.3.2).</summary>
    /// <param name="leaf">The leaf's hash.</param>
    /// <param name="index">Its index: the entry's position − 1.</param>
    /// <param name="size">The tree's number of leaves.</param>
    /// <param name="proof">The inclusion proof.</param>
    /// <param name="root">The tree's root.</param>
    public static bool VerifyInclusion(in Digest leaf, long index, long size, IReadOnlyList<Digest> proof, in Digest root)
    {
        ArgumentNullException.ThrowIfNull(proof);
        if (index < 0 || index >= size)
        {
            return false;
        }

        long node = index;
        long last = size - 1;
        Digest hash = leaf;
        foreach (Digest sibling in proof)
        {
            if (last == 0)
            {
                return false;
            }

            if ((node & 1) == 1 || node == last)
            {
                hash = MerkleHash.Node(sibling, hash);
                Ascend(ref node, ref last, past: (node & 1) == 0);
            }
            else
            {
                hash = MerkleHash.Node(hash, sibling);
            }

            node >>= 1;
            last >>= 1;
        }

        return last == 0 && hash == root;
    }

    /// <summary>Whether a tree is what an earlier one became by appending alone (RFC 9162 §2.1.4.2).</summary>
    /// <param name="firstSize">The earlier tree's number of leaves.</param>
    /// <param name="firstRoot">The earlier tree's root.</param>
    /// <param name="secondSize">The later tree's number of leaves.</param>
    /// <param name="secondRoot">The later tree's root.</param>
    /// <param name="proof">The consistency proof; empty when the sizes are equal, or the earlier tree was empty.</param>
    public static bool VerifyConsistency(long firstSize, in Digest firstRoot, long secondSize, in Digest secondRoot, IReadOnlyList<Digest> proof)
    {
        ArgumentNullException.ThrowIfNull(proof);
        if (firstSize < 0 || firstSize > secondSize)
        {
            return false;
        }

        if (firstSize == 0)
        {
            return proof.Count == 0 && firstRoot == MerkleHash.EmptyRoot;
        }

        if (firstSize == secondSize)
        {
            return proof.Count == 0 && firstRoot == secondRoot;
        }

        // A full tree is its own first node, and is not sent.
        bool isFull = BitOperations.IsPow2(firstSize);
        if (!isFull && proof.Count == 0)
        {
            return false;
        }

        long node = firstSize - 1;
        long last = secondSize - 1;
        Ascend(ref node, ref last, past: (node & 1) == 1);
        Digest first = isFull ? firstRoot : proof[0];
        Digest second = first;
        for (int i = isFull ? 0 : 1; i < proof.Count; i++)
        {
            if (last == 0)
            {
                return false;
            }

            if ((node & 1) == 1 || node == last)
            {
                first = MerkleHash.Node(proof[i], first);
                second = MerkleHash.Node(proof[i], second);
                Ascend(ref node, ref last, past: (node & 1) == 0);
            }
            else
            {
                second = MerkleHash.Node(second, proof[i]);
            }

            node >>= 1;
            last >>= 1;
        }

        return last == 0 && first == firstRoot && second == secondRoot;
    }

    // Goes up while the node is of the kind that has no sibling of its own to hash with: a right child (odd) at the start of
    // a consistency proof, the last node of its level (even) everywhere else.
    private static void Ascend(ref long node, ref long last, bool past)
    {
        if (!past)
        {
            return;
        }

        long kind = node & 1;
        while ((node & 1) == kind && node != 0)
        {
            node >>= 1;
            last >>= 1;
        }
    }
}
