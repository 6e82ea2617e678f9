namespace OcspCluster.Authority;

/// <summary>Which hashes of an issuer's tree a store keeps.</summary>
public static class MerkleTree
{
    /// <summary>From one stored level to the next: a store keeps the roots of the full subtrees of 2^8, 2^16, 2^24 and 2^32 leaves.</summary>
    public const int StoredLevels = 8;

    /// <summary>How many nodes of one stored level make one of the next.</summary>
    public const int StoredWidth = 1 << StoredLevels;

    /// <summary>The highest level of which hashes are stored; a journal cannot fill more than <see cref="StoredWidth"/> of its nodes.</summary>
    public const int HighestStoredLevel = 32;
}
