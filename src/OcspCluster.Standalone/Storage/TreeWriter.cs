using OcspCluster.Authority;

namespace OcspCluster.Standalone.Storage;

// A tree of a million entries has two million hashes, and keeping them all would add half again to the journal. Kept are the
// roots of the full subtrees of 256 entries, of 256 of those, and so on (levels 8, 16, 24, 32): one row in 256 entries. What
// lies between is hashed anew when a proof needs it: at most 256 hashes of each level, whatever the size of the journal.
// The rows have no seal: a wrong one makes a proof that does not verify, and the audit computes them all again.

/// <summary>Keeps the hashes of full subtrees as a journal grows, in the transaction of the append.</summary>
internal sealed class TreeWriter(SqliteDatabase database)
{
    private readonly SqliteStatement _readHashes = database.Prepare("SELECT hash FROM journal WHERE key >= ? AND key <= ? ORDER BY key");
    private readonly SqliteStatement _readNodes = database.Prepare("SELECT hash FROM tree WHERE issuer = ? AND level = ? AND node >= ? AND node < ? ORDER BY node");
    private readonly SqliteStatement _insert = database.Prepare("INSERT INTO tree (issuer, level, node, hash) VALUES (?, ?, ?, ?)");
    private readonly Digest[] _children = new Digest[MerkleTree.StoredWidth];

    /// <summary>Keeps what the entry at this position, which is in the journal now, has made full.</summary>
    public void EntryAppended(long issuer, long position)
    {
        for (int level = MerkleTree.StoredLevels; level <= MerkleTree.HighestStoredLevel && (position & ((1L << level) - 1)) == 0; level += MerkleTree.StoredLevels)
        {
            long node = (position >> level) - 1;
            if (level == MerkleTree.StoredLevels)
            {
                Collect(_readHashes.Bind(1, StoreRows.Key(issuer, position - MerkleTree.StoredWidth + 1)).Bind(2, StoreRows.Key(issuer, position)), isLeaf: true);
            }
            else
            {
                long first = node * MerkleTree.StoredWidth;
                Collect(_readNodes.Bind(1, issuer).Bind(2, (long)(level - MerkleTree.StoredLevels)).Bind(3, first).Bind(4, first + MerkleTree.StoredWidth), isLeaf: false);
            }

            _insert.Bind(1, issuer).Bind(2, (long)level).Bind(3, node).Bind(4, MerkleHash.PerfectRoot(_children).ToArray()).Run();
        }
    }

    private void Collect(SqliteStatement rows, bool isLeaf)
    {
        int count = 0;
        while (rows.Step() && count < _children.Length)
        {
            Digest hash = StoreRows.ReadDigest(rows, 0, "a hash of the journal", database.File);
            _children[count++] = isLeaf ? MerkleHash.Leaf(hash) : hash;
        }

        rows.Reset();
        if (count != _children.Length)
        {
            throw SqliteFailure.DamagedRow("the journal's tree has a gap: what is there", database.File);
        }
    }
}
