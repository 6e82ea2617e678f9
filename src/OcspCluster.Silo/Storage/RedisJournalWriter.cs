using System.Collections.Concurrent;
using System.Globalization;
using OcspCluster.Authority;
using StackExchange.Redis;

namespace OcspCluster.Silo.Storage;

// An append is one script, and Redis runs scripts one at a time: all or nothing, and nobody sees half. Its effects are one
// transaction of the append-only file; of a torn one nothing is loaded after a crash (aof-load-truncated).
//
// Two fences. The expected position, which the caller gives; and the digest of the last entry, from which this process
// computed the new entries' digests. Where the position is right and the digest is not, what this process remembers is of
// another journal (one restored from a backup, say): it reads the journal's end anew and tries once more.
//
// The script cannot compute SHA-256, so the digests come from here, and this process remembers the end of each journal that
// it writes: the last digest, and the leaves of the tree's last tile. It reads them when it does not know them.
//
// A call that timed out may lie in a buffer and be executed later. It carries the position that it was made for: when
// anything was appended meanwhile it is refused, and when nothing was, it is the one append of that position. So a journal
// never gets two entries of one position; whether it got this one is for the position to tell (IssuerSequencer reads it).

/// <summary>Appends to every issuer's journal. Thread-safe.</summary>
internal sealed class RedisJournalWriter(RedisConnection connection, RedisStoreReader reader, DurabilityGate gate, int layout, int replicas)
{
    private readonly ConcurrentDictionary<IssuerId, JournalTip> _tips = new();

    private enum Outcome
    {
        AnotherLayout = -3,
        AnotherHead = -2,
        KnownEvent = -1,
        AnotherPosition = 0,
        Appended = 1,
    }

    /// <summary>Appends; returns when Redis has flushed it.</summary>
    public async ValueTask<AppendResult> AppendAsync(IssuerId issuer, long expectedPosition, IReadOnlyList<JournalEntry> entries)
    {
        await gate.PassAsync(look: false).ConfigureAwait(false);
        if (expectedPosition == 0)
        {
            // Another slot of a Cluster, so not in the script; an issuer without a journal in this set is no harm.
            await connection.RunAsync(
                database => database.SetAddAsync(connection.Keys.Issuers, issuer.ToString(), CommandFlags.DemandMaster),
                $"Issuer '{issuer}' could not be added, so nothing was appended", CancellationToken.None).ConfigureAwait(false);
        }

        for (bool isSecond = false; ; isSecond = true)
        {
            JournalTip tip = await FindTipAsync(issuer, expectedPosition).ConfigureAwait(false);
            if (tip.Position != expectedPosition)
            {
                return new AppendResult(Appended: false, tip.Position);
            }

            (RedisValue[] arguments, JournalTip next) = await PrepareAsync(issuer, tip, entries).ConfigureAwait(false);
            _tips.TryRemove(issuer, out _); // until we know
            (Outcome outcome, long position) = await EvaluateAsync(issuer, arguments).ConfigureAwait(false);
            switch (outcome)
            {
                case Outcome.Appended:
                    _tips[issuer] = next;
                    await WaitForReplicasAsync(issuer, position).ConfigureAwait(false);
                    return new AppendResult(Appended: true, position);
                case Outcome.AnotherPosition:
                    return new AppendResult(Appended: false, position);
                case Outcome.KnownEvent:
                    throw new RevocationStoreException(
                        $"The append to issuer '{issuer}' holds an event id that its journal has already. Find out what became of it, and leave it out.");
                case Outcome.AnotherLayout:
                    throw new RevocationStoreException(
                        $"A newer version of this program has changed the layout of the journal of issuer '{issuer}' in Redis. Nothing was written. Restart this silo with the newer version.");
                case Outcome.AnotherHead when isSecond:
                    throw RedisStoreReader.Damaged($"the end of the journal of issuer '{issuer}' or of its tree");
            }
        }
    }

    private async Task<(Outcome Outcome, long Position)> EvaluateAsync(IssuerId issuer, RedisValue[] arguments)
    {
        RedisKey[] keys = [connection.Keys.Head(issuer), connection.Keys.Of(issuer, "journal"), connection.Keys.Of(issuer, "never")];
        for (bool isSecond = false; ; isSecond = true)
        {
            try
            {
                RedisResult result = await connection.RunAsync(
                    database => database.ScriptEvaluateAsync(gate.AppendDigest, keys, arguments, CommandFlags.DemandMaster),
                    $"The outcome of an append to the journal of issuer '{issuer}' is unknown", CancellationToken.None).ConfigureAwait(false);
                long[] answer = (long[]?)result ?? [];
                return ((Outcome)answer[0], answer[1]);
            }
            catch (RevocationStoreException e) when (!isSecond && e.InnerException is RedisServerException { Message: var message } && message.StartsWith("NOSCRIPT", StringComparison.Ordinal))
            {
                await gate.PassAsync(look: true).ConfigureAwait(false); // a server that was not looked at; it did nothing
            }
        }
    }

    // WAIT speaks of what this connection wrote. Had another server become the primary meanwhile, WAIT would know of no write
    // and be content: so the entry must be at the primary afterwards, too.
    private async Task WaitForReplicasAsync(IssuerId issuer, long position)
    {
        if (replicas == 0)
        {
            return;
        }

        string unknown = string.Create(CultureInfo.InvariantCulture, $"An append to the journal of issuer '{issuer}' is in the primary, and whether {replicas} replicas have it is unknown");
        await connection.WaitForReplicasAsync(connection.Keys.Head(issuer), replicas, unknown).ConfigureAwait(false);
        if ((await reader.ReadHeadAsync(issuer, CancellationToken.None).ConfigureAwait(false)).Position < position)
        {
            throw new RevocationStoreException($"{unknown}: the primary has changed, and the new one does not have it.");
        }
    }

    private async ValueTask<JournalTip> FindTipAsync(IssuerId issuer, long expectedPosition)
    {
        if (_tips.TryGetValue(issuer, out JournalTip? tip) && tip.Position == expectedPosition)
        {
            return tip;
        }

        RedisHead head = await reader.ReadHeadAsync(issuer, CancellationToken.None).ConfigureAwait(false);
        if (head.Position != expectedPosition)
        {
            return new JournalTip(head.Position, head.Hash, []);
        }

        long tileStart = head.Position - (head.Position % MerkleTree.StoredWidth);
        List<ChainedEntry> tile = await reader.ReadJournalAsync(issuer, tileStart, head.Position, MerkleTree.StoredWidth, CancellationToken.None).ConfigureAwait(false);
        return tile.Count == head.Position - tileStart
            ? new JournalTip(head.Position, head.Hash, [.. tile.Select(chained => MerkleHash.Leaf(chained.Hash))])
            : throw RedisStoreReader.Damaged($"the end of the journal of issuer '{issuer}'");
    }

    private async ValueTask<(RedisValue[] Arguments, JournalTip Next)> PrepareAsync(IssuerId issuer, JournalTip tip, IReadOnlyList<JournalEntry> entries)
    {
        RedisValue[] records = new RedisValue[4 * entries.Count];
        SortedDictionary<int, List<Digest>> nodes = [];
        List<Digest> tile = [.. tip.Tile];
        Digest head = tip.Head;
        for (int i = 0; i < entries.Count; i++)
        {
            JournalEntry entry = entries[i];
            head = JournalHash.Compute(issuer, entry, head);
            records[4 * i] = RedisRecords.EventKey(entry.Event.Id);
            records[(4 * i) + 1] = entry.Event.Serial.ContentMemory;
            records[(4 * i) + 2] = RedisRecords.WriteStatus(issuer, entry.Event.Serial, entry.Status);
            records[(4 * i) + 3] = RedisRecords.WriteEntry(issuer, entry, head);
            tile.Add(MerkleHash.Leaf(head));
            if (tile.Count == MerkleTree.StoredWidth)
            {
                await CloseTileAsync(issuer, nodes, tile, entry.Position, tip.Position).ConfigureAwait(false);
                tile.Clear();
            }
        }

        List<RedisValue> arguments =
        [
            reader.Tag(issuer), layout, tip.Position, tip.Position == 0 ? RedisValue.EmptyString : tip.Head.ToArray(), head.ToArray(), entries.Count, nodes.Count,
        ];
        foreach ((int level, List<Digest> made) in nodes)
        {
            byte[] octets = new byte[made.Count * Digest.SizeInBytes];
            for (int i = 0; i < made.Count; i++)
            {
                made[i].CopyTo(octets.AsSpan(i * Digest.SizeInBytes));
            }

            arguments.AddRange([level, (tip.Position >> level) * Digest.SizeInBytes, octets]);
        }

        return ([.. arguments, .. records], new JournalTip(entries[^1].Position, head, [.. tile]));
    }

    // A full tile makes a node of the next level, and where that fills a tile, too, one of the level after.
    private async ValueTask CloseTileAsync(IssuerId issuer, SortedDictionary<int, List<Digest>> nodes, List<Digest> tile, long position, long stored)
    {
        Digest node = MerkleHash.PerfectRoot([.. tile]);
        for (int level = MerkleTree.StoredLevels; ; level += MerkleTree.StoredLevels)
        {
            if (!nodes.TryGetValue(level, out List<Digest>? made))
            {
                nodes.Add(level, made = []);
            }

            made.Add(node);
            int next = level + MerkleTree.StoredLevels;
            if (next > MerkleTree.HighestStoredLevel || (position & ((1L << next) - 1)) != 0)
            {
                return;
            }

            // Of the tile's nodes some are in Redis, and the rest was just made.
            long first = ((position >> next) - 1) * MerkleTree.StoredWidth;
            long inRedis = Math.Clamp((stored >> level) - first, 0, MerkleTree.StoredWidth);
            Digest[] kept = inRedis == 0 ? [] : await reader.ReadTreeAsync(issuer, level, first, inRedis, CancellationToken.None).ConfigureAwait(false);
            Digest[] children = [.. kept, .. made.TakeLast((int)(MerkleTree.StoredWidth - inRedis))];
            node = children.Length == MerkleTree.StoredWidth ? MerkleHash.PerfectRoot(children) : throw RedisStoreReader.Damaged($"the tree of issuer '{issuer}'");
        }
    }
}

/// <summary>The end of a journal: its last position and digest, and the leaves' hashes of the tree's last tile, which is not full. Immutable.</summary>
internal sealed record JournalTip(long Position, Digest Head, Digest[] Tile);
