using System.Numerics;

namespace OcspCluster.Authority;

/// <summary>A Merkle tree that only grows: the roots of its full subtrees, at most one of each height, and so its root at any moment. Not thread-safe.</summary>
public sealed class MerkleFrontier
{
    private readonly Digest[] _subtrees = new Digest[64]; // [h] is in use when bit h of Size is set

    /// <summary>How many leaves.</summary>
    public long Size { get; private set; }

    /// <summary>The root (MTH, RFC 6962 §2.1).</summary>
    public Digest Root
    {
        get
        {
            if (Size == 0)
            {
                return MerkleHash.EmptyRoot;
            }

            // From the lowest, which is the rightmost, upwards.
            int height = BitOperations.TrailingZeroCount(Size);
            Digest root = _subtrees[height];
            for (height++; Size >> height != 0; height++)
            {
                if ((Size >> height & 1) != 0)
                {
                    root = MerkleHash.Node(_subtrees[height], root);
                }
            }

            return root;
        }
    }

    /// <summary>Adds a leaf by its hash (<see cref="MerkleHash.Leaf(ReadOnlySpan{byte})"/>).</summary>
    public void Append(in Digest leaf)
    {
        Digest subtree = leaf;
        int height = 0;
        for (; (Size >> height & 1) != 0; height++)
        {
            subtree = MerkleHash.Node(_subtrees[height], subtree);
        }

        _subtrees[height] = subtree;
        Size++;
    }
}
