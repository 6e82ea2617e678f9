using System.Text;
using OcspCluster.Authority;
using OcspCluster.Protocol;

namespace OcspCluster.Standalone.Storage;

/// <summary>One read-only connection and its statements. For one thread at a time.</summary>
internal sealed class StoreReader : IDisposable
{
    private readonly SqliteDatabase _database;
    private readonly IssuerRows _issuerRows;
    private readonly SqliteStatement _findStatus;
    private readonly SqliteStatement _findEvent;
    private readonly SqliteStatement _readJournal;
    private readonly SqliteStatement _readEntry;
    private readonly SqliteStatement _findEarlier;
    private readonly SqliteStatement _listAll;
    private readonly Dictionary<CertificateState, SqliteStatement> _listByState;
    private readonly CursorRows _cursors;
    private readonly Dictionary<IssuerId, long> _issuers = []; // a name's number never changes

    /// <summary>Opens the connection.</summary>
    /// <exception cref="RevocationStoreException">The file cannot be read.</exception>
    public StoreReader(string file)
    {
        _database = SqliteDatabase.Open(file, readOnly: true);
        try
        {
            _database.Execute("PRAGMA cache_size = -8192"); // the rest is in the system's page cache, once for all readers
            _issuerRows = new IssuerRows(_database);
            _findStatus = _database.Prepare($"SELECT {StoreRows.StatusColumns} FROM status WHERE issuer = ? AND serial = ?");
            _findEvent = _database.Prepare($"SELECT {StoreRows.EntryColumns} FROM journal WHERE issuer = ? AND event_id = ?");
            _readJournal = _database.Prepare($"SELECT {StoreRows.EntryColumns} FROM journal WHERE key > ? AND key <= ? ORDER BY key LIMIT ?");
            _readEntry = _database.Prepare($"SELECT {StoreRows.EntryColumns} FROM journal WHERE key = ?");
            _findEarlier = _database.Prepare("SELECT previous FROM earlier WHERE key = ?");
            _listAll = _database.Prepare($"SELECT {StoreRows.StatusColumns}, serial FROM status WHERE issuer = ? AND serial > ? ORDER BY serial LIMIT ?");
            _listByState = Enum.GetValues<CertificateState>().ToDictionary(state => state, state => _database.Prepare(ListByState(state)));
            _cursors = new CursorRows(_database);
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
        IssuerRow? row = _issuerRows.Find(Encoding.UTF8.GetBytes(issuer.ToString()));
        if (row is { } found)
        {
            _issuers.TryAdd(issuer, found.Id);
        }

        return row;
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

    /// <summary>A page of certificates behind a serial number.</summary>
    public List<RecordedCertificate> List(IssuerId issuer, CertificateState? state, SerialNumber after, int limit)
    {
        List<RecordedCertificate> certificates = [];
        if (NumberOf(issuer) is not { } number)
        {
            return certificates;
        }

        SqliteStatement list = state is { } one ? _listByState[one] : _listAll;
        try
        {
            list.Bind(1, number).Bind(2, after.Content).Bind(3, (long)limit);
            while (list.Step())
            {
                ReadOnlySpan<byte> content = list.GetBytes(8);
                SerialNumber serial = SerialNumber.IsMinimal(content)
                    ? SerialNumber.FromContent(content)
                    : throw SqliteFailure.DamagedRow("the serial number of a status", _database.File);
                certificates.Add(new RecordedCertificate(serial, StoreRows.ReadStatus(list, number, serial, _database.File)));
            }

            return certificates;
        }
        finally
        {
            list.Reset();
        }
    }

    /// <summary>The entries of a certificate, newest first: from its status back along the chain in <c>earlier</c>.</summary>
    public List<JournalEntry> FindHistory(IssuerId issuer, SerialNumber serial, int limit)
    {
        List<JournalEntry> entries = [];
        long? key = FindStatus(issuer, serial) is { } status && NumberOf(issuer) is { } number ? StoreRows.Key(number, status.Position) : null;
        while (key is { } at && entries.Count < limit)
        {
            JournalEntry entry = ReadEntry(at, NumberOf(issuer)!.Value);
            if (entry.Event.Serial != serial || (entries.Count > 0 && entry.Position >= entries[^1].Position))
            {
                throw SqliteFailure.DamagedRow($"the history of serial {serial}", _database.File);
            }

            entries.Add(entry);
            key = FindEarlier(at);
        }

        return entries;
    }

    public DeliveryCursor? FindCursor(string receiver, IssuerId issuer) => _cursors.Find(receiver, issuer);

    public void Dispose() => _database.Dispose();

    // The revoked and the held have an index, which SQLite takes only where its condition stands in the query, word for word.
    private static string ListByState(CertificateState state) =>
        $"SELECT {StoreRows.StatusColumns}, serial FROM status {(state == CertificateState.Good ? "" : "INDEXED BY status_not_good ")}" +
        $"WHERE issuer = ? AND state = {(int)state}{(state == CertificateState.Good ? "" : " AND state <> 0")} AND serial > ? ORDER BY serial LIMIT ?";

    private JournalEntry ReadEntry(long key, long issuer)
    {
        try
        {
            return _readEntry.Bind(1, key).Step()
                ? StoreRows.ReadEntry(_readEntry, issuer, _database.File)
                : throw SqliteFailure.DamagedRow($"journal entry {key & StoreRows.MaxPosition} is missing; the status that it made", _database.File);
        }
        finally
        {
            _readEntry.Reset();
        }
    }

    private long? FindEarlier(long key)
    {
        try
        {
            return _findEarlier.Bind(1, key).Step() ? _findEarlier.GetInt64(0) : null;
        }
        finally
        {
            _findEarlier.Reset();
        }
    }

    private long? NumberOf(IssuerId issuer) => _issuers.TryGetValue(issuer, out long number) ? number : FindIssuer(issuer)?.Id;
}
