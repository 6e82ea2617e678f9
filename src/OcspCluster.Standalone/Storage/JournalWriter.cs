using System.Collections.Concurrent;
using System.Text;
using OcspCluster.Authority;
using OcspCluster.Protocol;

namespace OcspCluster.Standalone.Storage;

// The only connection that writes, on a thread of its own: SQLite has one writer anyway, and blocking on a flush to disk is
// not for the thread pool. Appends queue, and moves of delivery cursors among them; a commit takes all that wait, of whatever
// issuer, up to MaxEntriesPerCommit. So the number of flushes per second bounds the number of commits, not that of appends.
//
// Each append is within a savepoint: one that breaks a constraint takes itself back and leaves the others in the commit.
// After any other failure the transaction is rolled back and its appends fail; after one that may have left the connection
// in doubt, the connection is closed, and the next append opens it anew.
//
// kill -9: a transaction is in the write-ahead log whole and flushed before its appends return; a torn one is without its
// commit frame, and the next open ignores it. Checkpoints copy flushed frames only.

/// <summary>Appends to every issuer's journal and moves delivery cursors, many writes to one commit. Thread-safe.</summary>
internal sealed class JournalWriter : IDisposable
{
    private const int MaxEntriesPerCommit = 16_384;
    private const int MaxQueuedAppends = 4_096;

    private readonly string _file;
    private readonly BlockingCollection<StoreWrite> _queue = new(MaxQueuedAppends);
    private readonly Thread _thread;
    private JournalWriterStatements? _statements; // the writer thread's own, once it runs
    private volatile string? _problem;

    /// <summary>Opens or creates the database, brings its schema up to date, and starts the thread.</summary>
    /// <exception cref="RevocationStoreException">The file cannot be used.</exception>
    public JournalWriter(string file)
    {
        _file = file;
        _statements = JournalWriterStatements.Open(file);
        _thread = new Thread(Write) { IsBackground = true, Name = "journal writer" };
        _thread.Start();
    }

    /// <summary>Why the last commit failed; null when it went through.</summary>
    public string? Problem => _problem;

    /// <summary>Appends; returns when it is on stable storage.</summary>
    public ValueTask<AppendResult> AppendAsync(IssuerId issuer, long expectedPosition, IReadOnlyList<JournalEntry> entries)
    {
        Append append = new(issuer, expectedPosition, entries);
        Enqueue(append);
        return new ValueTask<AppendResult>(append.Completion);
    }

    /// <summary>Moves a delivery cursor; returns when it is on stable storage.</summary>
    public ValueTask<bool> MoveCursorAsync(string receiver, IssuerId issuer, DeliveryCursor? expected, DeliveryCursor next)
    {
        CursorMove move = new(receiver, issuer, expected, next);
        Enqueue(move);
        return new ValueTask<bool>(move.Completion);
    }

    /// <summary>Writes what is queued, and ends.</summary>
    public void Dispose()
    {
        _queue.CompleteAdding();
        _thread.Join();
        _queue.Dispose();
    }

    private void Enqueue(StoreWrite write)
    {
        try
        {
            _queue.Add(write);
        }
        catch (InvalidOperationException)
        {
            throw new ObjectDisposedException(nameof(SqliteRevocationStore));
        }
    }

    private void Write()
    {
        List<StoreWrite> group = [];
        foreach (StoreWrite first in _queue.GetConsumingEnumerable())
        {
            group.Add(first);
            int entries = first.Weight;
            while (entries < MaxEntriesPerCommit && _queue.TryTake(out StoreWrite? next))
            {
                group.Add(next);
                entries += next.Weight;
            }

            Commit(group);
            group.Clear();
        }

        _statements?.Dispose();
    }

    private void Commit(List<StoreWrite> group)
    {
        try
        {
            _statements ??= JournalWriterStatements.Open(_file);
            _statements.Database.Execute("BEGIN IMMEDIATE");
            foreach (StoreWrite write in group)
            {
                write.Carry(_statements);
            }

            _statements.Database.Execute("COMMIT");
        }
        catch (Exception e)
        {
            // Closing the connection rolls back. A statement that failed halfway leaves nothing to reason about then.
            _statements?.Dispose();
            _statements = null;
            RevocationStoreException failure = e as RevocationStoreException
                ?? new RevocationStoreException($"The journal in '{_file}' could not be written: {e.Message}", e);
            _problem = failure.Message;
            group.ForEach(write => write.Fail(failure));
            return;
        }

        _problem = null;
        group.ForEach(write => write.Complete());
    }
}

/// <summary>The writer's connection and its statements.</summary>
internal sealed class JournalWriterStatements : IDisposable
{
    private readonly IssuerRows _issuerRows;
    private readonly SqliteStatement _insertIssuer;
    private readonly SqliteStatement _updateIssuer;
    private readonly SqliteStatement _insertEntry;
    private readonly SqliteStatement _insertStatus;
    private readonly SqliteStatement _findStatus;
    private readonly SqliteStatement _replaceStatus;
    private readonly TreeWriter _tree;
    private readonly SqliteStatement _insertEarlier;

    private JournalWriterStatements(SqliteDatabase database)
    {
        Database = database;
        _issuerRows = new IssuerRows(database);
        _insertIssuer = database.Prepare("INSERT INTO issuer (id, name, position, good, revoked, held, hash, seal) VALUES (?, ?, 0, 0, 0, 0, ?, ?)");
        _updateIssuer = database.Prepare("UPDATE issuer SET position = ?, good = ?, revoked = ?, held = ?, hash = ?, seal = ? WHERE id = ?");
        _insertEntry = database.Prepare($"INSERT INTO journal (issuer, {StoreRows.EntryColumns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
        _insertStatus = database.Prepare($"INSERT OR IGNORE INTO status (issuer, serial, {StoreRows.StatusColumns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
        _findStatus = database.Prepare($"SELECT {StoreRows.StatusColumns} FROM status WHERE issuer = ? AND serial = ?");
        _insertEarlier = database.Prepare("INSERT INTO earlier (key, previous) VALUES (?, ?)");
        _replaceStatus = database.Prepare($"REPLACE INTO status (issuer, serial, {StoreRows.StatusColumns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
        _tree = new TreeWriter(database);
        Cursors = new CursorRows(database);
    }

    public SqliteDatabase Database { get; }

    public CursorRows Cursors { get; }

    public static JournalWriterStatements Open(string file)
    {
        SqliteDatabase database = SqliteDatabase.Open(file, readOnly: false);
        try
        {
            StoreSchema.Prepare(database);
            return new JournalWriterStatements(database);
        }
        catch
        {
            database.Dispose();
            throw;
        }
    }

    /// <summary>Carries out one append in the open transaction, or none of it.</summary>
    public void Carry(Append append)
    {
        byte[] name = Encoding.UTF8.GetBytes(append.Issuer.ToString());
        IssuerRow? found = _issuerRows.Find(name);
        long position = found?.Position ?? 0;
        if (position != append.ExpectedPosition)
        {
            append.Resolve(new AppendResult(Appended: false, position));
            return;
        }

        Database.Execute("SAVEPOINT append");
        try
        {
            IssuerRow issuer = found ?? InsertIssuer(name);
            StatusCounts counts = issuer.Counts;
            Digest head = issuer.Head;
            foreach (JournalEntry entry in append.Entries)
            {
                head = JournalHash.Compute(append.Issuer, entry, head);
                StoreRows.BindEntry(_insertEntry, issuer.Id, entry, head);
                _insertEntry.Run();
                ReplaceStatus(issuer.Id, entry, ref counts);
                _tree.EntryAppended(issuer.Id, entry.Position);
            }

            IssuerRow updated = issuer with { Position = position + append.Entries.Count, Counts = counts, Head = head };
            UpdateIssuer(updated, name);
            append.Resolve(new AppendResult(Appended: true, updated.Position));
        }
        catch (RevocationStoreException e) when (e.Data[SqliteFailure.IsConstraintKey] is true)
        {
            Database.Execute("ROLLBACK TO append");
            append.Refuse(new RevocationStoreException(
                $"The append to issuer '{append.Issuer}' holds an event id that its journal has already. Find out what became of it, and leave it out.", e));
        }

        Database.Execute("RELEASE append");
    }

    public void Dispose() => Database.Dispose();

    private IssuerRow InsertIssuer(byte[] name)
    {
        IssuerRow row = new(Database.QueryInt64("SELECT coalesce(max(id), 0) + 1 FROM issuer"), 0, default, default);
        _insertIssuer.Bind(1, row.Id).BindText(2, name).Bind(3, row.Head.ToArray()).Bind(4, StoreRows.SealIssuer(row, name)).Run();
        return row;
    }

    private void UpdateIssuer(in IssuerRow row, byte[] name) => _updateIssuer
        .Bind(1, row.Position).Bind(2, row.Counts.Good).Bind(3, row.Counts.Revoked).Bind(4, row.Counts.Held)
        .Bind(5, row.Head.ToArray()).Bind(6, StoreRows.SealIssuer(row, name)).Bind(7, row.Id).Run();

    // A new certificate, which is what a bulk import is made of, takes one descent of the tree; a known one three.
    private void ReplaceStatus(long issuer, JournalEntry entry, ref StatusCounts counts)
    {
        SerialNumber serial = entry.Event.Serial;
        StoreRows.BindStatus(_insertStatus, issuer, serial, entry.Status);
        _insertStatus.Run();
        if (Database.Changes == 0)
        {
            _findStatus.Bind(1, issuer).Bind(2, serial.Content).Step();
            CertificateStatus old = StoreRows.ReadStatus(_findStatus, issuer, serial, Database.File);
            _findStatus.Reset();
            counts = counts.Add(old.State, -1);
            _insertEarlier.Bind(1, StoreRows.Key(issuer, entry.Position)).Bind(2, StoreRows.Key(issuer, old.Position)).Run();
            StoreRows.BindStatus(_replaceStatus, issuer, serial, entry.Status);
            _replaceStatus.Run();
        }

        counts = counts.Add(entry.Status.State, 1);
    }
}
