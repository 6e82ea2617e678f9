namespace OcspCluster.Authority;

// In this order, because each step leans on the one before:
//   1. chain       every position is there, every digest follows; the stored nodes of the tree are what the leaves give
//   2. head        the journal ends where the store says it does
//   3. checkpoint  the journal's first entries are those that were signed for
//   4. statuses    replayed from the entries by the rules, and compared with every row and with the counts
// What a forger who can compute checksums and digests changes in the past is found by step 3, as far back as the checkpoint
// goes; what he changes after the last checkpoint is not, so checkpoints should be made often and kept elsewhere, too.

/// <summary>Proves that a journal is whole and that the statuses are what follows from it; or names the first bad entry. Memory is bounded.</summary>
/// <param name="store">The store, which the audit has for itself.</param>
/// <param name="verifier">The journal's public key; null to leave the checkpoint aside.</param>
/// <param name="progress">Told now and then; may be null.</param>
public sealed class JournalAudit(IAuditStore store, CheckpointVerifier? verifier = null, IProgress<AuditProgress>? progress = null)
{
    private const int ProgressEvery = 10_000;

    /// <summary>Audits one issuer.</summary>
    /// <param name="issuer">Which.</param>
    /// <param name="checkpointNote">The latest signed checkpoint; null when none was ever made.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<AuditReport> VerifyAsync(IssuerId issuer, string? checkpointNote, CancellationToken cancellationToken)
    {
        AuditTally tally = new(issuer);
        try
        {
            Checkpoint? checkpoint = ReadCheckpoint(tally, checkpointNote);
            await VerifyChainAsync(tally, checkpoint, cancellationToken).ConfigureAwait(false);
            if (tally.First is null)
            {
                await VerifyStatusesAsync(tally, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (RevocationStoreException e)
        {
            tally.Add(e.Position ?? (tally.IsChainRead ? null : tally.Entries + 1), AuditFault.Unreadable, e.Message);
        }

        return tally.ToReport();
    }

    /// <summary>What is wrong with the store's files and indexes, beyond any one issuer; empty when nothing is.</summary>
    public async Task<IReadOnlyList<string>> VerifyStructureAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await store.CheckStructureAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (RevocationStoreException e)
        {
            return [e.Message];
        }
    }

    private Checkpoint? ReadCheckpoint(AuditTally tally, string? note)
    {
        if (verifier is null || note is null)
        {
            return null;
        }

        Checkpoint? checkpoint = verifier.Verify(note);
        if (checkpoint?.Issuer != tally.Issuer)
        {
            tally.Add(null, AuditFault.CheckpointInvalid, checkpoint is null
                ? "the checkpoint is malformed or not signed by the journal's key"
                : $"the checkpoint is that of issuer '{checkpoint.Issuer}'");
            return null;
        }

        return tally.Checkpoint = checkpoint;
    }

    private async Task VerifyChainAsync(AuditTally tally, Checkpoint? checkpoint, CancellationToken cancellationToken)
    {
        StoredNodes nodes = new(store, tally);
        Digest previous = default;
        await foreach (ChainedEntry chained in store.ReadChainAsync(tally.Issuer, 0, cancellationToken).ConfigureAwait(false))
        {
            JournalEntry entry = chained.Entry;
            if (entry.Position != tally.Entries + 1)
            {
                tally.Add(tally.Entries + 1, AuditFault.Missing, $"the next entry is {entry.Position}");
                return;
            }

            Digest hash = JournalHash.Compute(tally.Issuer, entry, previous);
            if (hash != chained.Hash)
            {
                tally.Add(entry.Position, AuditFault.HashMismatch, "the entry, or the digest beside it, was changed: they do not belong together");
                return;
            }

            previous = hash;
            tally.Append(MerkleHash.Leaf(hash));
            await nodes.AppendAsync(MerkleHash.Leaf(hash), cancellationToken).ConfigureAwait(false);
            if (tally.Entries == checkpoint?.Size && tally.Root != checkpoint.Root)
            {
                tally.Add(null, AuditFault.CheckpointMismatch, $"the first {checkpoint.Size} entries are not those that were signed for at {checkpoint.Time:u}");
                return;
            }

            Report(tally, "chain", tally.Entries);
        }

        tally.IsChainRead = true;
        await nodes.EndAsync(cancellationToken).ConfigureAwait(false);
        JournalHead head = await store.GetHeadAsync(tally.Issuer, cancellationToken).ConfigureAwait(false);
        if (head != new JournalHead(tally.Entries, previous))
        {
            tally.Add(Math.Min(head.Position, tally.Entries) + 1, AuditFault.HeadMismatch, $"the store says that the journal ends at {head.Position}, and it ends at {tally.Entries}");
        }

        if (checkpoint is not null && (checkpoint.Size > tally.Entries || (checkpoint.Size == 0 && checkpoint.Root != MerkleHash.EmptyRoot)))
        {
            tally.Add(tally.Entries + 1, AuditFault.CheckpointMismatch, $"the checkpoint of {checkpoint.Time:u} was signed for {checkpoint.Size} entries, and there are {tally.Entries}");
        }
    }

    // Both sides come in the order of the serials: a merge.
    private async Task VerifyStatusesAsync(AuditTally tally, CancellationToken cancellationToken)
    {
        StatusCounts counts = default;
        await using IAsyncEnumerator<StoredStatus> stored = store.ReadStatusesAsync(tally.Issuer, cancellationToken).GetAsyncEnumerator(cancellationToken);
        bool hasStored = await stored.MoveNextAsync().ConfigureAwait(false);
        await foreach (ReplayedStatus replayed in JournalReplay
            .ReplayAsync(store.ReadHistoriesAsync(tally.Issuer, cancellationToken), cancellationToken).ConfigureAwait(false))
        {
            while (hasStored && stored.Current.Serial < replayed.Serial)
            {
                tally.Add(stored.Current.Status?.Position, AuditFault.StatusUnfounded, $"there is a status of serial {stored.Current.Serial}, of which no entry speaks");
                hasStored = await stored.MoveNextAsync().ConfigureAwait(false);
            }

            StoredStatus? found = hasStored && stored.Current.Serial == replayed.Serial ? stored.Current : null;
            Compare(tally, replayed, found);
            counts = counts.Add(replayed.Status.State, 1);
            if (found is not null)
            {
                hasStored = await stored.MoveNextAsync().ConfigureAwait(false);
            }

            Report(tally, "statuses", ++tally.Statuses);
        }

        for (; hasStored; hasStored = await stored.MoveNextAsync().ConfigureAwait(false))
        {
            tally.Add(stored.Current.Status?.Position, AuditFault.StatusUnfounded, $"there is a status of serial {stored.Current.Serial}, of which no entry speaks");
        }

        StatusCounts kept = await store.CountAsync(tally.Issuer, cancellationToken).ConfigureAwait(false);
        if (kept != counts)
        {
            tally.Add(null, AuditFault.CountMismatch, $"the store counts {kept}, and the journal gives {counts}");
        }
    }

    private static void Compare(AuditTally tally, ReplayedStatus replayed, StoredStatus? stored)
    {
        long position = replayed.Status.Position;
        if (replayed.Contradiction is { } contradiction)
        {
            tally.Add(contradiction, AuditFault.RuleMismatch, $"the status that it records of serial {replayed.Serial} does not follow from its event");
        }

        if (stored is null)
        {
            tally.Add(position, AuditFault.StatusMissing, $"serial {replayed.Serial} has no status");
        }
        else if (stored.Status != replayed.Status)
        {
            tally.Add(position, AuditFault.StatusMismatch, stored.Status is null
                ? $"the status of serial {replayed.Serial} does not match its checksum"
                : $"the status of serial {replayed.Serial} is not what its entries give");
        }
        else if (!stored.IsFindable)
        {
            tally.Add(position, AuditFault.StatusUnfindable, $"the status of serial {replayed.Serial} is there, and a look-up does not find it");
        }
    }

    private void Report(AuditTally tally, string phase, long done)
    {
        if (done % ProgressEvery == 0)
        {
            progress?.Report(new AuditProgress(tally.Issuer, phase, done));
        }
    }
}

/// <summary>What an audit has seen so far.</summary>
internal sealed class AuditTally(IssuerId issuer)
{
    private readonly MerkleFrontier _tree = new();
    private long _findings;

    public IssuerId Issuer => issuer;

    public long Entries => _tree.Size;

    public Digest Root => _tree.Root;

    public bool IsChainRead { get; set; }

    public long Statuses { get; set; }

    public Checkpoint? Checkpoint { get; set; }

    /// <summary>The finding of the lowest position, and before all others one that has a position.</summary>
    public AuditFinding? First { get; private set; }

    public void Append(in Digest leaf) => _tree.Append(leaf);

    public void Add(long? position, AuditFault fault, string detail)
    {
        _findings++;
        if (First is null || (position ?? long.MaxValue) < (First.Position ?? long.MaxValue))
        {
            First = new AuditFinding(position, fault, detail);
        }
    }

    public AuditReport ToReport() => new(issuer, Entries, Statuses, Root, Checkpoint, First, _findings);
}

/// <summary>Compares the nodes that a store keeps of its tree with what the leaves give.</summary>
internal sealed class StoredNodes(IAuditStore store, AuditTally tally)
{
    private readonly List<Level> _levels = [new Level(0)];

    public async ValueTask AppendAsync(Digest leaf, CancellationToken cancellationToken)
    {
        Digest hash = leaf;
        for (int i = 0; ; i++)
        {
            Level level = _levels[i];
            level.Hashes[level.Count++] = hash;
            if (level.Count < MerkleTree.StoredWidth || level.Height == MerkleTree.HighestStoredLevel)
            {
                return;
            }

            level.Count = 0;
            hash = MerkleHash.PerfectRoot(level.Hashes);
            if (i + 1 == _levels.Count)
            {
                _levels.Add(new Level(level.Height + MerkleTree.StoredLevels));
            }

            await CompareAsync(_levels[i + 1], hash, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>That nothing is stored beyond what the leaves give.</summary>
    public async ValueTask EndAsync(CancellationToken cancellationToken)
    {
        for (int height = MerkleTree.StoredLevels; height <= MerkleTree.HighestStoredLevel; height += MerkleTree.StoredLevels)
        {
            if ((await store.ReadTreeAsync(tally.Issuer, height, tally.Entries >> height, 1, cancellationToken).ConfigureAwait(false)).Count != 0)
            {
                tally.Add(null, AuditFault.TreeMismatch, $"the tree has a node {tally.Entries >> height} of level {height}, for which there are no entries");
            }
        }
    }

    private async ValueTask CompareAsync(Level level, Digest hash, CancellationToken cancellationToken)
    {
        IReadOnlyList<Digest> stored = await store.ReadTreeAsync(tally.Issuer, level.Height, level.Index, 1, cancellationToken).ConfigureAwait(false);
        if (stored.Count != 1 || stored[0] != hash)
        {
            tally.Add((level.Index << level.Height) + 1, AuditFault.TreeMismatch, $"node {level.Index} of level {level.Height} of the tree is not what the entries from here on give");
        }

        level.Index++;
    }

    private sealed class Level(int height)
    {
        public int Height => height;

        public Digest[] Hashes { get; } = new Digest[MerkleTree.StoredWidth];

        public int Count { get; set; }

        public long Index { get; set; }
    }
}
