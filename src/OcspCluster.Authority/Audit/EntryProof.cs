namespace OcspCluster.Authority;

/// <summary>Proves to whoever holds a signed checkpoint that the journal has an event, without the journal. Immutable.</summary>
/// <remarks>
/// The digest of an entry covers the entry and the digest before it (<see cref="JournalHash"/>); the leaf of the tree is that digest (<see cref="MerkleHash"/>); the path
/// leads from the leaf to the root that the checkpoint signs.
/// </remarks>
/// <param name="Entry">The entry and its digest.</param>
/// <param name="Previous">The digest of the entry before; 32 zero octets for the first.</param>
/// <param name="Path">The inclusion path, from the leaf up.</param>
public sealed record EntryProof(ChainedEntry Entry, Digest Previous, IReadOnlyList<Digest> Path)
{
    /// <summary>Reads the entry as it is exported (<see cref="JournalExport"/>).</summary>
    /// <returns>Null when it is no such line.</returns>
    public static EntryProof? Read(byte[] entry, Digest previous, IReadOnlyList<Digest> path) => ExportLine.ReadEntry(entry) is { } chained ? new EntryProof(chained, previous, path) : null;

    /// <summary>Whether the entry is in the journal that a checkpoint was signed for; the checkpoint's signature is <see cref="CheckpointVerifier"/>'s to verify.</summary>
    public bool IsIn(Checkpoint checkpoint)
    {
        ArgumentNullException.ThrowIfNull(checkpoint);
        Digest hash = JournalHash.Compute(checkpoint.Issuer, Entry.Entry, Previous);
        return hash == Entry.Hash
            && Entry.Entry.Position >= 1 && Entry.Entry.Position <= checkpoint.Size
            && MerkleProof.VerifyInclusion(MerkleHash.Leaf(hash), Entry.Entry.Position - 1, checkpoint.Size, Path, checkpoint.Root);
    }
}
