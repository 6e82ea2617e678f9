using OcspCluster.Authority;

namespace OcspCluster.Standalone.Storage;

/// <summary>Finds issuers by their names over one connection. For one thread at a time.</summary>
/// <remarks>
/// A name that is not found is an issuer without events, or one whose row is damaged, name and all. Taking the second for the first
/// would make each of its certificates one that was never issued, and begin a second journal beside the first. So all rows are
/// looked at then, each against its seal; there are as many as issuers.
/// </remarks>
internal sealed class IssuerRows(SqliteDatabase database)
{
    private readonly SqliteStatement _find = database.Prepare($"SELECT {StoreRows.IssuerColumns} FROM issuer WHERE name = ?");
    private readonly SqliteStatement _list = database.Prepare($"SELECT {StoreRows.IssuerColumns}, name FROM issuer NOT INDEXED ORDER BY id");
    private readonly SqliteStatement _readLastKey = database.Prepare("SELECT max(key) FROM journal");

    /// <summary>Finds an issuer; null when it has no events.</summary>
    /// <exception cref="RevocationStoreException">Its row is damaged; or it was not found, and may be one of those that are.</exception>
    public IssuerRow? Find(ReadOnlySpan<byte> name)
    {
        IssuerRow? row = FindByName(name);
        if (row is not null)
        {
            return row;
        }

        bool isOwnSnapshot = !database.IsInTransaction;
        if (isOwnSnapshot)
        {
            database.Execute("BEGIN"); // an issuer's first events may be committed between two of these reads
        }

        try
        {
            row = FindByName(name);
            if (row is null)
            {
                CheckAll(name);
            }

            return row;
        }
        finally
        {
            if (isOwnSnapshot && database.IsInTransaction)
            {
                database.Execute("ROLLBACK");
            }
        }
    }

    private IssuerRow? FindByName(ReadOnlySpan<byte> name)
    {
        try
        {
            return _find.BindText(1, name).Step() ? StoreRows.ReadIssuer(_find, name, database.File) : null;
        }
        finally
        {
            _find.Reset();
        }
    }

    private void CheckAll(ReadOnlySpan<byte> missed)
    {
        long last = 0;
        try
        {
            while (_list.Step())
            {
                byte[] name = _list.GetBytes(7).ToArray();
                last = StoreRows.ReadIssuer(_list, name, database.File).Id;
                if (missed.SequenceEqual(name))
                {
                    throw SqliteFailure.DamagedRow("the index of the issuers' names", database.File);
                }
            }
        }
        finally
        {
            _list.Reset();
        }

        try
        {
            // Numbers are given in order: a journal of a higher one than the last has lost its issuer's row.
            _readLastKey.Step();
            if (_readLastKey.GetNullableInt64(0) >> StoreRows.PositionBits > last)
            {
                throw SqliteFailure.DamagedRow("an issuer's row is missing, and its journal", database.File);
            }
        }
        finally
        {
            _readLastKey.Reset();
        }
    }
}
