using System.Text;
using OcspCluster.Authority;

namespace OcspCluster.Standalone.Storage;

// From version 1 to 2: who submitted an event, the hash chain, and the tree. Every row of the journal is written anew, some
// pages of rows at a time; all in one transaction, so that a crash leaves version 1 as it was. What is chained is first
// checked against its old checksum: a chain over a damaged row would vouch for the damage.

/// <summary>Chains the journals of a store that was written before there were hashes.</summary>
internal static class JournalChaining
{
    private const int RowsAtOnce = 1000;

    public static void Migrate(SqliteDatabase database)
    {
        database.Execute("""
            ALTER TABLE issuer ADD COLUMN hash BLOB;
            ALTER TABLE journal ADD COLUMN credential TEXT;
            ALTER TABLE journal ADD COLUMN remote_address TEXT;
            ALTER TABLE journal ADD COLUMN hash BLOB;
            CREATE TABLE tree (
                issuer INTEGER NOT NULL,
                level INTEGER NOT NULL,
                node INTEGER NOT NULL,
                hash BLOB NOT NULL,
                PRIMARY KEY (issuer, level, node)
            ) WITHOUT ROWID;
            """);

        List<(byte[] Name, IssuerRow Row)> issuers = ReadIssuers(database);
        TreeWriter tree = new(database);
        SqliteStatement update = database.Prepare("UPDATE issuer SET hash = ?, seal = ? WHERE id = ?");
        foreach ((byte[] name, IssuerRow row) in issuers)
        {
            IssuerRow chained = row with { Head = Chain(database, tree, new IssuerId(Encoding.UTF8.GetString(name)), row) };
            update.Bind(1, chained.Head.ToArray()).Bind(2, StoreRows.SealIssuer(chained, name)).Bind(3, row.Id).Run();
        }
    }

    private static List<(byte[] Name, IssuerRow Row)> ReadIssuers(SqliteDatabase database)
    {
        List<(byte[], IssuerRow)> issuers = [];
        using SqliteStatement rows = database.Prepare("SELECT id, position, good, revoked, held, seal, name FROM issuer ORDER BY id");
        while (rows.Step())
        {
            IssuerRow row = new(rows.GetInt64(0), rows.GetInt64(1), new StatusCounts(rows.GetInt64(2), rows.GetInt64(3), rows.GetInt64(4)), default);
            byte[] name = rows.GetBytes(6).ToArray();
            Seal seal = new();
            seal.Add(row.Id);
            seal.Add(name);
            seal.Add(row.Position);
            seal.Add(row.Counts.Good);
            seal.Add(row.Counts.Revoked);
            seal.Add(row.Counts.Held);
            if (seal.Value != rows.GetInt64(5) || !IssuerId.IsValid(Encoding.UTF8.GetString(name)))
            {
                throw SqliteFailure.DamagedRow("an issuer's row", database.File);
            }

            issuers.Add((name, row));
        }

        return issuers;
    }

    private static Digest Chain(SqliteDatabase database, TreeWriter tree, IssuerId issuer, IssuerRow row)
    {
        using SqliteStatement read = database.Prepare($"SELECT {StoreRows.EntryColumns} FROM journal WHERE key > ? AND key <= ? ORDER BY key LIMIT {RowsAtOnce}");
        using SqliteStatement update = database.Prepare("UPDATE journal SET hash = ?, seal = ? WHERE key = ?");
        Digest head = default;
        long position = 0;
        List<JournalEntry> page;
        do
        {
            // Read first and written then: what a cursor sees of rows that change under it is not defined.
            page = ReadPage(database, read.Bind(1, StoreRows.Key(row.Id, position)).Bind(2, StoreRows.Key(row.Id, StoreRows.MaxPosition)), row.Id, position);
            foreach (JournalEntry entry in page)
            {
                head = JournalHash.Compute(issuer, entry, head);
                long seal = StoreRows.SealEntry(row.Id, entry, Encoding.UTF8.GetBytes(entry.Event.Id), head);
                update.Bind(1, head.ToArray()).Bind(2, seal).Bind(3, StoreRows.Key(row.Id, entry.Position)).Run();
                tree.EntryAppended(row.Id, entry.Position);
            }

            position += page.Count;
        }
        while (page.Count == RowsAtOnce);

        return position == row.Position ? head : throw SqliteFailure.DamagedEntry(position + 1, "is missing", database.File);
    }

    private static List<JournalEntry> ReadPage(SqliteDatabase database, SqliteStatement rows, long issuer, long after)
    {
        List<JournalEntry> page = [];
        while (rows.Step())
        {
            JournalEntry entry = StoreRows.ReadEntryFields(rows, issuer, database.File);
            Seal seal = new();
            StoreRows.SealEntryOfVersion1(ref seal, issuer, entry, rows.GetBytes(1));
            if (seal.Value != rows.GetInt64(18) || entry.Position != after + page.Count + 1)
            {
                throw SqliteFailure.DamagedEntry(after + page.Count + 1, "is missing or does not match its checksum", database.File);
            }

            page.Add(entry);
        }

        rows.Reset();
        return page;
    }
}
