using OcspCluster.Authority;

namespace OcspCluster.Standalone.Storage;

// issuer   one row per issuer: the number that stands for its name, its last position, and the counts of its statuses,
//          kept in the transaction that changes them so that nobody ever counts a million rows; and its last entry's digest.
// journal  key = issuer << 40 | position. An integer key appends to the last page. (A WITHOUT ROWID table on (issuer,
//          position) was 3 % slower and larger in an import of a million.)
// event    the unique index on the event ids. It is 30 % of an import's time and of the file, and what keeps an event
//          from being applied twice.
// status   WITHOUT ROWID: the row is where its key is, one descent per lookup instead of two.
// tree     the hashes of the full subtrees of 2^8, 2^16, 2^24 and 2^32 entries: with them a proof reads some 256 rows of
//          each level instead of the journal (see TreeWriter).
// status_not_good  lists the revoked and the held without passing a million good ones. Issuances, the bulk of every import,
//          do not touch it.
// earlier  leads from an entry to the one before it of the same certificate: with the position in the status it is the
//          certificate's history. An index on the serials would cost every issuance; this costs the second event of a serial.
// delivery how far each receiver (webhook, cache to purge) has been told each issuer's journal. By the issuer's name, because
//          a receiver is somewhere before the issuer's first event.
//
// Instants are UTC ticks (100 ns since year 1); seal is the row's CRC-32C (see Seal).

/// <summary>The tables, and how older ones become today's.</summary>
internal static class StoreSchema
{
    private const int ApplicationId = 0x4F435350; // "OCSP", shown by file(1)

    // The step at index n leads from version n to n + 1, within one transaction for all steps: a crash leaves the old version.
    // Never change one that was released; add one.
    private static readonly Action<SqliteDatabase>[] s_migrations =
    [
        database => database.Execute("""
        CREATE TABLE issuer (
            id INTEGER PRIMARY KEY,
            name TEXT NOT NULL UNIQUE,
            position INTEGER NOT NULL,
            good INTEGER NOT NULL,
            revoked INTEGER NOT NULL,
            held INTEGER NOT NULL,
            seal INTEGER NOT NULL
        );
        CREATE TABLE journal (
            key INTEGER PRIMARY KEY,
            issuer INTEGER NOT NULL,
            event_id TEXT NOT NULL,
            serial BLOB NOT NULL,
            kind INTEGER NOT NULL,
            at INTEGER NOT NULL,
            reason INTEGER,
            invalidity_date INTEGER,
            not_after INTEGER,
            received_at INTEGER NOT NULL,
            state INTEGER NOT NULL,
            state_revocation_time INTEGER,
            state_reason INTEGER,
            state_invalidity_date INTEGER,
            state_not_after INTEGER,
            state_recorded_at INTEGER,
            seal INTEGER NOT NULL
        );
        CREATE UNIQUE INDEX event ON journal (issuer, event_id);
        CREATE TABLE status (
            issuer INTEGER NOT NULL,
            serial BLOB NOT NULL,
            state INTEGER NOT NULL,
            revocation_time INTEGER,
            reason INTEGER,
            invalidity_date INTEGER,
            not_after INTEGER,
            recorded_at INTEGER,
            position INTEGER NOT NULL,
            seal INTEGER NOT NULL,
            PRIMARY KEY (issuer, serial)
        ) WITHOUT ROWID;
        """),
        JournalChaining.Migrate,
        database => database.Execute("""
        CREATE INDEX status_not_good ON status (issuer, state, serial) WHERE state <> 0;
        CREATE TABLE earlier (key INTEGER PRIMARY KEY, previous INTEGER NOT NULL);
        INSERT INTO earlier (key, previous)
            SELECT key, previous FROM (SELECT key, lag(key) OVER (PARTITION BY issuer, serial ORDER BY key) AS previous FROM journal)
            WHERE previous IS NOT NULL ORDER BY key;
        """),
        database => database.Execute("""
        CREATE TABLE delivery (
            receiver TEXT NOT NULL,
            issuer TEXT NOT NULL,
            position INTEGER NOT NULL,
            intended INTEGER NOT NULL,
            holder TEXT,
            held_until INTEGER NOT NULL,
            paused TEXT,
            seal INTEGER NOT NULL,
            PRIMARY KEY (receiver, issuer)
        ) WITHOUT ROWID;
        """),
    ];

    /// <summary>The version that this program writes.</summary>
    public static int Version => s_migrations.Length;

    /// <summary>Makes the database of a writer connection durable, and its tables today's.</summary>
    /// <exception cref="RevocationStoreException">It is another program's, a newer version's, damaged, or cannot be written.</exception>
    public static void Prepare(SqliteDatabase database)
    {
        if (database.IsReadOnly)
        {
            throw SqliteFailure.ToException(SQLitePCL.raw.SQLITE_READONLY, "the file opened read-only", database.File);
        }

        long version = CheckOwner(database);
        string mode = database.QueryText("PRAGMA journal_mode = WAL");
        if (mode != "wal")
        {
            throw new RevocationStoreException($"'{database.File}' cannot use write-ahead logging (SQLite chose '{mode}'). Put the data directory on a local disk: network file systems lack the shared memory that it needs.");
        }

        database.Execute("""
            PRAGMA synchronous = FULL;
            PRAGMA fullfsync = ON;
            PRAGMA checkpoint_fullfsync = ON;
            PRAGMA wal_autocheckpoint = 8000;
            PRAGMA journal_size_limit = 67108864;
            PRAGMA cache_size = -65536;
            """);
        if (version < Version)
        {
            Migrate(database, version);
        }
    }

    /// <summary>Checks that a database that is only read is of today's version.</summary>
    /// <exception cref="RevocationStoreException">It is another program's or another version's.</exception>
    public static void CheckIsCurrent(SqliteDatabase database)
    {
        if (CheckOwner(database) is var version && version != Version)
        {
            throw new RevocationStoreException($"'{database.File}' has schema version {version}, and this program reads version {Version}. Start the service once: it brings the database up to date.");
        }
    }

    private static long CheckOwner(SqliteDatabase database)
    {
        long version = database.QueryInt64("PRAGMA user_version");
        long applicationId = database.QueryInt64("PRAGMA application_id");
        bool isNew = version == 0 && applicationId == 0 && database.QueryInt64("SELECT count(*) FROM sqlite_master") == 0;
        if (!isNew && applicationId != ApplicationId)
        {
            throw new RevocationStoreException($"'{database.File}' is another program's database. Give this one another data directory.");
        }

        return version <= Version
            ? version
            : throw new RevocationStoreException($"'{database.File}' has schema version {version}; this program knows versions up to {Version}. Run the newer program that wrote it, or restore the backup made before the upgrade.");
    }

    private static void Migrate(SqliteDatabase database, long from)
    {
        database.Execute("BEGIN IMMEDIATE");
        try
        {
            for (long version = from; version < Version; version++)
            {
                s_migrations[version](database);
            }

            database.Execute($"PRAGMA application_id = {ApplicationId}; PRAGMA user_version = {Version}; COMMIT");
        }
        catch
        {
            if (database.IsInTransaction)
            {
                database.Execute("ROLLBACK");
            }

            throw;
        }
    }
}
