using System.Text;
using OcspCluster.Authority;
using OcspCluster.Protocol;

namespace OcspCluster.Standalone.Storage;

/// <summary>One read-only connection and its statements. For one thread at a time.</summary>
internal sealed class StoreReader : IDisposable
{
    private readonly SqliteDatabase _database;
    private readonly SqliteStatement _findIssuer;
    private readonly SqliteStatement _findStatus;
    private readonly SqliteStatement _findEvent;
    private readonly SqliteStatement _readJournal;
    private readonly Dictionary<IssuerId, long> _issuers = []; // a name's number never changes

    /// <summary>Opens the connection.</summary>
    /// <exception cref="RevocationStoreException">The file cannot be read.</exception>
    public StoreReader(string file)
    {
        _database = SqliteDatabase.Open(file, readOnly: true);
        try
        {
            _database.Execute("PRAGMA cache_size = -8192"); // the rest is in the system's page cache, once for all readers
            _findIssuer = _database.Prepare($"SELECT {StoreRows.IssuerColumns} FROM issuer WHERE name = ?");
            _findStatus = _database.Prepare($"SELECT {StoreRows.StatusColumns} FROM status WHERE issuer = ? AND serial = ?");
            _findEvent = _database.Prepare($"SELECT {StoreRows.EntryColumns} FROM journal WHERE issuer = ? AND event_id = ?");
            _readJournal = _database.Prepare($"SELECT {StoreRows.EntryColumns} FROM journal WHERE key > ? AND key <= ? ORDER BY key LIMIT ?");
        }
        catch
        {
            _database.Dispose();
            throw;
        }
    }

    /// <summary>Several reads as of one moment.</summary>
    public T InSnapshot<T>(Func<StoreReader, T> read)
    {
        _database.Execute("BEGIN");
        try
        {
            return read(this);
        }
        finally
        {
            if (_database.IsInTransaction)
            {
                _database.Execute("ROLLBACK");
            }
        }
    }

    public IssuerRow? FindIssuer(IssuerId issuer)
    {
        byte[] name = Encoding.UTF8.GetBytes(issuer.ToString());
        try
        {
            if (!_findIssuer.BindText(1, name).Step())
            {
                return null;
            }

            IssuerRow row = StoreRows.ReadIssuer(_findIssuer, name, _database.File);
            _issuers.TryAdd(issuer, row.Id);
            return row;
        }
        finally
        {
            _findIssuer.Reset();
        }
    }

    public CertificateStatus? FindStatus(IssuerId issuer, SerialNumber serial)
    {
        if (serial.IsEmpty || NumberOf(issuer) is not { } number)
        {
            return null;
        }

        try
        {
            return _findStatus.Bind(1, number).Bind(2, serial.Content).Step()
                ? StoreRows.ReadStatus(_findStatus, number, serial, _database.File)
                : null;
        }
        finally
        {
            _findStatus.Reset();
        }
    }

    public JournalEntry? FindEvent(IssuerId issuer, string eventId)
    {
        if (NumberOf(issuer) is not { } number)
        {
            return null;
        }

        try
        {
            return _findEvent.Bind(1, number).BindText(2, Encoding.UTF8.GetBytes(eventId)).Step()
                ? StoreRows.ReadEntry(_findEvent, number, _database.File)
                : null;
        }
        finally
        {
            _findEvent.Reset();
        }
    }

    /// <summary>Some entries after a position, without gaps.</summary>
    public List<JournalEntry> ReadJournal(IssuerId issuer, long after, int limit)
    {
        List<JournalEntry> entries = [];
        if (NumberOf(issuer) is not { } number || after >= StoreRows.MaxPosition)
        {
            return entries;
        }

        try
        {
            _readJournal.Bind(1, StoreRows.Key(number, Math.Max(after, 0))).Bind(2, StoreRows.Key(number, StoreRows.MaxPosition)).Bind(3, (long)limit);
            while (_readJournal.Step())
            {
                JournalEntry entry = StoreRows.ReadEntry(_readJournal, number, _database.File);
                if (entry.Position != Math.Max(after, 0) + entries.Count + 1)
                {
                    throw SqliteFailure.DamagedEntry(Math.Max(after, 0) + entries.Count + 1, "is missing", _database.File);
                }

                entries.Add(entry);
            }

            return entries;
        }
        finally
        {
            _readJournal.Reset();
        }
    }

    public void Dispose() => _database.Dispose();

    private long? NumberOf(IssuerId issuer) => _issuers.TryGetValue(issuer, out long number) ? number : FindIssuer(issuer)?.Id;
}
