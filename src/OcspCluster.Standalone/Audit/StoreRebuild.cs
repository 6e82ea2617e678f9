using System.Globalization;
using OcspCluster.Authority;
using OcspCluster.Standalone.Storage;

namespace OcspCluster.Standalone.Audit;

// The journal is the truth; all else in the database (statuses, counts, tree, the index of event ids) is made anew by sending
// the journal once more through the very append that made it, into a new file beside the old one:
//
//   1. lock the directory, fold the old file's write-ahead log in, so that the file alone is the store
//   2. audit's first step over the old journal: a rebuild from a journal that does not verify would vouch for it
//   3. append every entry to rebuild/revocations.db, and take the delivery cursors over: no journal could tell what was delivered
//   4. prove it equal: the same end of each chain, and the whole audit over the new file
//   5. copy the old file to revocations.db.{time}.bak, then rename the new one over it
//
// A crash before the rename leaves the old store as it was, and a rebuild/ that the next rebuild throws away; the rename is one step.

/// <summary>Rebuilds a store from its journal. The service must not run.</summary>
/// <param name="directory">The data directory.</param>
/// <param name="timeProvider">For the backup's name.</param>
/// <param name="progress">Told now and then; may be null.</param>
public sealed class StoreRebuild(string directory, TimeProvider timeProvider, IProgress<AuditProgress>? progress = null)
{
    private const int EntriesPerAppend = 8192;

    private readonly string _file = Path.Combine(directory, SqliteRevocationStore.FileName);
    private readonly string _newDirectory = Path.Combine(directory, "rebuild");

    /// <summary>Rebuilds.</summary>
    /// <returns>The audit of the new store, which took the old one's place; and where the old one is kept.</returns>
    /// <exception cref="RevocationStoreException">
    /// The directory is in use, the journal itself is damaged (the message names the first bad entry), or the disk is full. The store is as it was.
    /// </exception>
    public async Task<(IReadOnlyList<AuditReport> Reports, string BackupFile)> RunAsync(CancellationToken cancellationToken)
    {
        using DataDirectoryLock @lock = DataDirectoryLock.Take(directory);
        FoldLog();
        DeleteLeftOver();
        await CopyJournalsAsync(cancellationToken).ConfigureAwait(false);
        await CopyCursorsAsync().ConfigureAwait(false);
        IReadOnlyList<AuditReport> reports = await ProveEqualAsync(cancellationToken).ConfigureAwait(false);

        string stamp = timeProvider.GetUtcNow().ToString("yyyyMMdd'T'HHmmss.fff'Z'", CultureInfo.InvariantCulture);
        string backup = $"{_file}.{stamp}.bak";
        try
        {
            File.Copy(_file, backup, overwrite: false);
            File.Move(Path.Combine(_newDirectory, SqliteRevocationStore.FileName), _file, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RevocationStoreException($"The rebuilt store could not take the place of '{_file}': {e.Message} The store is as it was.", e);
        }

        DeleteLeftOver();
        return (reports, backup);
    }

    // A log that stays beside the file would be read as the new file's.
    private void FoldLog()
    {
        using (SqliteDatabase database = SqliteDatabase.Open(_file, readOnly: false))
        {
            StoreSchema.Prepare(database);
            database.Execute("PRAGMA wal_checkpoint(TRUNCATE)");
        }

        if (File.Exists(_file + "-wal") && new FileInfo(_file + "-wal").Length > 0)
        {
            throw new RevocationStoreException($"'{_file}-wal' is in use. Close the program that reads '{_file}' (an SQLite shell, a backup tool, an audit), and try again.");
        }
    }

    private void DeleteLeftOver()
    {
        if (Directory.Exists(_newDirectory))
        {
            Directory.Delete(_newDirectory, recursive: true);
        }
    }

    private async Task CopyJournalsAsync(CancellationToken cancellationToken)
    {
        await using SqliteAuditStore old = SqliteAuditStore.Open(directory);
        await using SqliteRevocationStore rebuilt = SqliteRevocationStore.Open(_newDirectory);
        foreach (IssuerId issuer in await old.ListIssuersAsync(cancellationToken).ConfigureAwait(false))
        {
            long position = 0;
            Digest previous = default;
            List<JournalEntry> entries = [];
            await foreach (ChainedEntry chained in old.ReadChainAsync(issuer, 0, cancellationToken).ConfigureAwait(false))
            {
                long expected = position + entries.Count + 1;
                previous = JournalHash.Compute(issuer, chained.Entry, previous);
                if (chained.Entry.Position != expected || chained.Hash != previous)
                {
                    throw SqliteFailure.DamagedEntry(expected, "is missing, or does not follow from the one before: there is nothing sound to rebuild from", _file);
                }

                entries.Add(chained.Entry);
                if (entries.Count == EntriesPerAppend)
                {
                    position = await AppendAsync(rebuilt, issuer, position, entries).ConfigureAwait(false);
                    entries = [];
                    progress?.Report(new AuditProgress(issuer, "rebuild", position));
                }
            }

            if (entries.Count > 0)
            {
                await AppendAsync(rebuilt, issuer, position, entries).ConfigureAwait(false);
            }
        }
    }

    private async Task CopyCursorsAsync()
    {
        using SqliteDatabase old = SqliteDatabase.Open(_file, readOnly: true);
        await using SqliteRevocationStore rebuilt = SqliteRevocationStore.Open(_newDirectory);
        foreach ((string receiver, IssuerId issuer, DeliveryCursor cursor) in CursorRows.ReadAll(old))
        {
            await rebuilt.TryMoveCursorAsync(receiver, issuer, null, cursor).ConfigureAwait(false);
        }
    }

    private static async Task<long> AppendAsync(SqliteRevocationStore store, IssuerId issuer, long position, List<JournalEntry> entries)
    {
        AppendResult result = await store.AppendAsync(issuer, position, entries).ConfigureAwait(false);
        return result.Appended ? result.Position : throw new RevocationStoreException($"The new store's journal of '{issuer}' is at {result.Position} instead of {position}: somebody else writes to it.");
    }

    private async Task<IReadOnlyList<AuditReport>> ProveEqualAsync(CancellationToken cancellationToken)
    {
        await using SqliteAuditStore old = SqliteAuditStore.Open(directory);
        await using SqliteAuditStore rebuilt = SqliteAuditStore.Open(_newDirectory);
        JournalAudit audit = new(rebuilt, verifier: null, progress);
        List<AuditReport> reports = [];
        foreach (IssuerId issuer in await old.ListIssuersAsync(cancellationToken).ConfigureAwait(false))
        {
            JournalHead oldHead = await old.GetHeadAsync(issuer, cancellationToken).ConfigureAwait(false);
            JournalHead newHead = await rebuilt.GetHeadAsync(issuer, cancellationToken).ConfigureAwait(false);
            if (oldHead != newHead)
            {
                throw SqliteFailure.DamagedEntry(Math.Min(oldHead.Position, newHead.Position) + 1, $"is where journal and store part: the store says that the journal of '{issuer}' ends at {oldHead.Position}, and it ends at {newHead.Position}", _file);
            }

            AuditReport report = await audit.VerifyAsync(issuer, checkpointNote: null, cancellationToken).ConfigureAwait(false);
            if (report.FirstFinding is { } finding)
            {
                throw new RevocationStoreException($"The store rebuilt from the journal of '{issuer}' does not verify: {finding}") { Position = finding.Position };
            }

            reports.Add(report);
        }

        return reports;
    }
}
