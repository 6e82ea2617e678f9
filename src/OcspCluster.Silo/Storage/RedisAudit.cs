using System.Security.Cryptography;
using OcspCluster.Authority;
using StackExchange.Redis;

namespace OcspCluster.Silo.Storage;

/// <summary>The outcome of an audit of a store in Redis.</summary>
/// <param name="Issuers">One report for each issuer.</param>
/// <param name="Structure">What is wrong beyond any one issuer.</param>
public sealed record RedisAuditReport(IReadOnlyList<AuditReport> Issuers, IReadOnlyList<string> Structure)
{
    /// <summary>Whether nothing is wrong.</summary>
    public bool IsAccepted => Structure.Count == 0 && Issuers.All(issuer => issuer.IsAccepted);
}

/// <summary>What an operator does with the journals in Redis: verify, sign, export, import, rebuild. All but a rebuild's switch work beside running silos.</summary>
/// <remarks>The latest signed checkpoint of an issuer is the key <c>checkpoint</c> beside its journal, so that every silo continues it.</remarks>
public static class RedisAudit
{
    private const int EntriesPerAppend = 2048;
    private const int MaxSigningAttempts = 8;

    // A checkpoint never takes the place of one that the signer has not seen: that one may be of more entries.
    private const string ReplaceCheckpoint = """
        if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
        redis.call('SET', KEYS[1], ARGV[2])
        return 1
        """;

    /// <summary>Verifies every issuer's journal and statuses, and compares them with the latest signed checkpoints.</summary>
    /// <param name="connection">Where.</param>
    /// <param name="verifier">The journal's public key; null to leave the checkpoints aside.</param>
    /// <param name="progress">Told now and then; may be null.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="RevocationStoreException">The store cannot be opened at all.</exception>
    public static async Task<RedisAuditReport> VerifyAsync(
        RedisConnection connection, CheckpointVerifier? verifier, IProgress<AuditProgress>? progress, CancellationToken cancellationToken)
    {
        await using RedisAuditStore store = await RedisAuditStore.OpenAsync(connection, cancellationToken).ConfigureAwait(false);
        JournalAudit audit = new(store, verifier, progress);
        List<AuditReport> reports = [];
        foreach (IssuerId issuer in await store.ListIssuersAsync(cancellationToken).ConfigureAwait(false))
        {
            string? note = await ReadCheckpointAsync(connection, issuer, cancellationToken).ConfigureAwait(false);
            reports.Add(await audit.VerifyAsync(issuer, note, cancellationToken).ConfigureAwait(false));
        }

        return new RedisAuditReport(reports, await audit.VerifyStructureAsync(cancellationToken).ConfigureAwait(false));
    }

    /// <summary>Signs a checkpoint of an issuer's journal as it is now, and keeps it as the latest. Any number of silos may do this at once.</summary>
    /// <returns>The note.</returns>
    /// <exception cref="JournalForkException">The journal does not continue what was signed for before.</exception>
    /// <exception cref="RevocationStoreException">The store cannot be used.</exception>
    public static async Task<string> SignAsync(RedisConnection connection, ECDsa key, IssuerId issuer, TimeProvider timeProvider, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(connection);
        JournalNotary notary = new(new CheckpointSigner(key), new CheckpointVerifier(key), timeProvider);
        for (int attempt = 0; attempt < MaxSigningAttempts; attempt++)
        {
            // The note first: what is signed for is then not older than the note.
            string? previous = await ReadCheckpointAsync(connection, issuer, cancellationToken).ConfigureAwait(false);
            await using RedisAuditStore store = await RedisAuditStore.OpenAsync(connection, cancellationToken).ConfigureAwait(false);
            string note = await notary.SignAsync(store, issuer, previous, cancellationToken).ConfigureAwait(false);
            if (note == previous)
            {
                return note;
            }

            RedisResult replaced = await connection.RunAsync(
                database => database.ScriptEvaluateAsync(ReplaceCheckpoint, [CheckpointKey(connection, issuer)], [previous ?? "", note], CommandFlags.DemandMaster),
                $"The checkpoint of issuer '{issuer}' could not be written", cancellationToken).ConfigureAwait(false);
            if ((long)replaced == 1)
            {
                return note;
            }
        }

        throw new RevocationStoreException($"Other silos keep signing checkpoints of issuer '{issuer}'. Nothing is lost; try again.");
    }

    /// <summary>The latest signed checkpoint of an issuer; null when none was ever made.</summary>
    /// <exception cref="RevocationStoreException">It cannot be read.</exception>
    public static async Task<string?> ReadCheckpointAsync(RedisConnection connection, IssuerId issuer, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(connection);
        return await connection.RunAsync(
            database => database.StringGetAsync(CheckpointKey(connection, issuer), CommandFlags.DemandMaster),
            $"The checkpoint of issuer '{issuer}' could not be read", cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Signs for an issuer's journal as it is now, and writes all of it with that checkpoint.</summary>
    /// <inheritdoc cref="SignAsync"/>
    public static async Task<Checkpoint> ExportAsync(
        RedisConnection connection, ECDsa key, IssuerId issuer, Stream output, TimeProvider timeProvider, CancellationToken cancellationToken)
    {
        string note = await SignAsync(connection, key, issuer, timeProvider, cancellationToken).ConfigureAwait(false);
        Checkpoint checkpoint = new CheckpointVerifier(key).Verify(note) ?? throw new RevocationStoreException("The checkpoint that was just signed does not verify.");
        await using RedisAuditStore store = await RedisAuditStore.OpenAsync(connection, cancellationToken).ConfigureAwait(false);
        await JournalExport.WriteAsync(store, checkpoint, note, output, cancellationToken).ConfigureAwait(false);
        return checkpoint;
    }

    /// <summary>Imports an exported journal, and proves the store by an audit that is held against the export's checkpoint.</summary>
    /// <param name="connection">Where to.</param>
    /// <param name="options">What is asked of Redis.</param>
    /// <param name="export">What <see cref="JournalExport"/> wrote; it can seek.</param>
    /// <param name="verifier">The public key of the journal that was exported.</param>
    /// <param name="timeProvider">The clock.</param>
    /// <param name="progress">Told now and then; may be null.</param>
    /// <param name="cancellationToken">Gives up; import again to go on.</param>
    /// <returns>What was imported, and the audit of the store as it is now.</returns>
    /// <exception cref="RevocationStoreException">The export does not verify, the store has another journal of its issuer, or Redis is not durable.</exception>
    public static async Task<(JournalImportReport Import, AuditReport Audit)> ImportAsync(
        RedisConnection connection, RedisOptions options, Stream export, CheckpointVerifier verifier, TimeProvider timeProvider, IProgress<AuditProgress>? progress,
        CancellationToken cancellationToken)
    {
        await using RedisRevocationStore store = await RedisRevocationStore.OpenAsync(connection, options, timeProvider, cancellationToken).ConfigureAwait(false);
        JournalImportReport import = await new JournalImport(store, verifier, progress).RunAsync(export, cancellationToken).ConfigureAwait(false);
        await using RedisAuditStore audited = await RedisAuditStore.OpenAsync(connection, cancellationToken).ConfigureAwait(false);
        return (import, await new JournalAudit(audited, verifier, progress).VerifyAsync(import.Issuer, import.CheckpointNote, cancellationToken).ConfigureAwait(false));
    }

    /// <summary>
    /// Makes the store anew from its journals under another prefix of keys, and proves it sound and of the same journals. The
    /// silos must not take events meanwhile; to switch, start them with the other prefix.
    /// </summary>
    /// <param name="from">The store whose journals are sound, whatever its statuses and indexes are.</param>
    /// <param name="to">The same or another Redis, with another prefix; empty.</param>
    /// <param name="options">What is asked of that Redis.</param>
    /// <param name="timeProvider">The clock.</param>
    /// <param name="progress">Told now and then; may be null.</param>
    /// <param name="cancellationToken">Gives up. What was written stays under the other prefix, and a second run goes on with it.</param>
    /// <returns>The audit of the new store.</returns>
    /// <exception cref="RevocationStoreException">A journal is damaged, and the message names its first bad entry; or Redis cannot be used. The old store is as it was.</exception>
    public static async Task<IReadOnlyList<AuditReport>> RebuildAsync(
        RedisConnection from, RedisConnection to, RedisOptions options, TimeProvider timeProvider, IProgress<AuditProgress>? progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(from);
        ArgumentNullException.ThrowIfNull(to);
        await using RedisAuditStore old = await RedisAuditStore.OpenAsync(from, cancellationToken).ConfigureAwait(false);
        await using RedisRevocationStore rebuilt = await RedisRevocationStore.OpenAsync(to, options, timeProvider, cancellationToken).ConfigureAwait(false);
        IReadOnlyList<IssuerId> issuers = await old.ListIssuersAsync(cancellationToken).ConfigureAwait(false);
        foreach (IssuerId issuer in issuers)
        {
            await CopyJournalAsync(old, rebuilt, issuer, progress, cancellationToken).ConfigureAwait(false);
        }

        await using RedisAuditStore audited = await RedisAuditStore.OpenAsync(to, cancellationToken).ConfigureAwait(false);
        JournalAudit audit = new(audited, verifier: null, progress);
        List<AuditReport> reports = [];
        foreach (IssuerId issuer in issuers)
        {
            JournalHead oldHead = await old.GetHeadAsync(issuer, cancellationToken).ConfigureAwait(false);
            JournalHead newHead = await audited.GetHeadAsync(issuer, cancellationToken).ConfigureAwait(false);
            AuditReport report = await audit.VerifyAsync(issuer, checkpointNote: null, cancellationToken).ConfigureAwait(false);
            if (oldHead != newHead || report.FirstFinding is not null)
            {
                throw new RevocationStoreException($"The store rebuilt from the journal of '{issuer}' is not its equal: the journal ends at {oldHead.Position}, the new one at {newHead.Position}; {report.FirstFinding}");
            }

            reports.Add(report);
        }

        return reports;
    }

    private static async Task CopyJournalAsync(
        RedisAuditStore old, RedisRevocationStore rebuilt, IssuerId issuer, IProgress<AuditProgress>? progress, CancellationToken cancellationToken)
    {
        long position = await rebuilt.GetPositionAsync(issuer, cancellationToken).ConfigureAwait(false);
        JournalHead head = default;
        List<JournalEntry> entries = [];
        await foreach (ChainedEntry chained in old.ReadChainAsync(issuer, 0, cancellationToken).ConfigureAwait(false))
        {
            Digest digest = JournalHash.Compute(issuer, chained.Entry, head.Hash);
            if (chained.Entry.Position != head.Position + 1 || chained.Hash != digest)
            {
                throw new RevocationStoreException(
                    RedisStoreReader.Damaged($"journal entry {head.Position + 1} of issuer '{issuer}' is missing or does not follow from the one before, so there is nothing sound to rebuild from; it").Message)
                { Position = head.Position + 1 };
            }

            head = new JournalHead(chained.Entry.Position, digest);
            if (head.Position <= position)
            {
                continue; // of a run that was cut off; the heads are compared at the end
            }

            entries.Add(chained.Entry);
            if (entries.Count == EntriesPerAppend)
            {
                await AppendAsync().ConfigureAwait(false);
            }
        }

        if (entries.Count > 0)
        {
            await AppendAsync().ConfigureAwait(false);
        }

        async Task AppendAsync()
        {
            AppendResult result = await rebuilt.AppendAsync(issuer, entries[0].Position - 1, entries).ConfigureAwait(false);
            entries = result.Appended ? [] : throw new RevocationStoreException($"The new journal of '{issuer}' is at {result.Position} instead of {entries[0].Position - 1}: somebody else writes to it.");
            progress?.Report(new AuditProgress(issuer, "rebuild", result.Position));
        }
    }

    private static RedisKey CheckpointKey(RedisConnection connection, IssuerId issuer) => connection.Keys.Of(issuer, "checkpoint");
}
