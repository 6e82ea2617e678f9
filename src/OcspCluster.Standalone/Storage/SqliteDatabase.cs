using System.Runtime.CompilerServices;
using System.Text;
using OcspCluster.Authority;
using SQLitePCL;

namespace OcspCluster.Standalone.Storage;

/// <summary>One connection to a database file. For one thread at a time.</summary>
internal sealed class SqliteDatabase : IDisposable
{
    private readonly sqlite3 _handle;
    private readonly List<SqliteStatement> _statements = [];

    private SqliteDatabase(sqlite3 handle, string file)
    {
        _handle = handle;
        File = file;
    }

    /// <summary>The database file.</summary>
    public string File { get; }

    /// <summary>How many rows the last insert, update or delete changed.</summary>
    public int Changes => raw.sqlite3_changes(_handle);

    /// <summary>Whether a transaction is open. SQLite ends one by itself after some errors.</summary>
    public bool IsInTransaction => raw.sqlite3_get_autocommit(_handle) == 0;

    /// <summary>Whether the file, or the way it was opened, forbids writing: SQLite falls back to that silently.</summary>
    public bool IsReadOnly => raw.sqlite3_db_readonly(_handle, "main") == 1;

    /// <summary>Opens a connection.</summary>
    /// <exception cref="RevocationStoreException">The file cannot be opened.</exception>
    public static SqliteDatabase Open(string file, bool readOnly)
    {
        SqliteLibrary.Load();
        int flags = raw.SQLITE_OPEN_NOMUTEX | (readOnly ? raw.SQLITE_OPEN_READONLY : raw.SQLITE_OPEN_READWRITE | raw.SQLITE_OPEN_CREATE);
        int resultCode = raw.sqlite3_open_v2(file, out sqlite3 handle, flags, null);
        SqliteDatabase database = new(handle, file);
        try
        {
            database.ThrowUnlessOk(resultCode);
            database.ThrowUnlessOk(raw.sqlite3_extended_result_codes(handle, 1));
            database.ThrowUnlessOk(raw.sqlite3_busy_timeout(handle, 5000));

            // Both are cheap, and find a malformed page or schema before it is believed.
            database.Execute("PRAGMA cell_size_check = ON");
            database.Execute("PRAGMA trusted_schema = OFF");
            return database;
        }
        catch
        {
            database.Dispose();
            throw;
        }
    }

    /// <summary>Prepares a statement, which lives as long as the connection.</summary>
    public SqliteStatement Prepare(string sql)
    {
        const uint Persistent = 0x01; // SQLITE_PREPARE_PERSISTENT: kept and used often
        ThrowUnlessOk(raw.sqlite3_prepare_v3(_handle, sql, Persistent, out sqlite3_stmt handle));
        SqliteStatement statement = new(this, handle);
        _statements.Add(statement);
        return statement;
    }

    /// <summary>Runs statements that give no rows, or whose rows do not matter.</summary>
    public void Execute(string sql) => ThrowUnlessOk(raw.sqlite3_exec(_handle, sql));

    /// <summary>Runs a statement and takes the first column of its first row.</summary>
    public string QueryText(string sql)
    {
        ThrowUnlessOk(raw.sqlite3_prepare_v2(_handle, sql, out sqlite3_stmt handle));
        using SqliteStatement statement = new(this, handle);
        return statement.Step() ? statement.GetText(0) : "";
    }

    /// <inheritdoc cref="QueryText"/>
    public long QueryInt64(string sql)
    {
        ThrowUnlessOk(raw.sqlite3_prepare_v2(_handle, sql, out sqlite3_stmt handle));
        using SqliteStatement statement = new(this, handle);
        return statement.Step() ? statement.GetInt64(0) : 0;
    }

    /// <exception cref="RevocationStoreException">The result code is an error.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void ThrowUnlessOk(int resultCode)
    {
        if (resultCode is not (raw.SQLITE_OK or raw.SQLITE_ROW or raw.SQLITE_DONE))
        {
            Throw(resultCode);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (SqliteStatement statement in _statements)
        {
            statement.Dispose();
        }

        _handle.Dispose();
    }

    private void Throw(int resultCode) =>
        throw SqliteFailure.ToException(resultCode, raw.sqlite3_errmsg(_handle).utf8_to_string() ?? "", File);
}

/// <summary>A prepared statement. Bind from 1, step, read from 0, reset.</summary>
internal sealed class SqliteStatement(SqliteDatabase database, sqlite3_stmt handle) : IDisposable
{
    private nint _statement = handle.DangerousGetHandle(); // lives until it is disposed of; one thread at a time has it

    public SqliteStatement Bind(int parameter, long value)
    {
        database.ThrowUnlessOk(SqliteCalls.BindInt64(_statement, parameter, value));
        return this;
    }

    public SqliteStatement Bind(int parameter, long? value)
    {
        database.ThrowUnlessOk(value is { } number ? SqliteCalls.BindInt64(_statement, parameter, number) : SqliteCalls.BindNull(_statement, parameter));
        return this;
    }

    public SqliteStatement Bind(int parameter, ReadOnlySpan<byte> blob)
    {
        database.ThrowUnlessOk(raw.sqlite3_bind_blob(handle, parameter, blob));
        return this;
    }

    /// <summary>Binds text by its length, so that U+0000 in it does not end it.</summary>
    public SqliteStatement BindText(int parameter, ReadOnlySpan<byte> utf8)
    {
        database.ThrowUnlessOk(raw.sqlite3_bind_text(handle, parameter, utf8));
        return this;
    }

    /// <summary>Binds a text, or null.</summary>
    public SqliteStatement BindText(int parameter, string? text)
    {
        if (text is not null)
        {
            return BindText(parameter, Encoding.UTF8.GetBytes(text));
        }

        database.ThrowUnlessOk(SqliteCalls.BindNull(_statement, parameter));
        return this;
    }

    /// <summary>Goes to the next row; false when there is none. The statement must be reset after the last.</summary>
    public bool Step()
    {
        int resultCode = raw.sqlite3_step(handle);
        if (resultCode is not (raw.SQLITE_ROW or raw.SQLITE_DONE))
        {
            raw.sqlite3_reset(handle);
            database.ThrowUnlessOk(resultCode);
        }

        return resultCode == raw.SQLITE_ROW;
    }

    /// <summary>Runs a statement that gives no rows.</summary>
    public void Run()
    {
        Step();
        Reset();
    }

    public void Reset() => _ = raw.sqlite3_reset(handle); // its result is the step's, which was looked at

    public long GetInt64(int column) => SqliteCalls.ColumnInt64(_statement, column);

    public long? GetNullableInt64(int column) =>
        SqliteCalls.ColumnType(_statement, column) == raw.SQLITE_NULL ? null : SqliteCalls.ColumnInt64(_statement, column);

    public bool IsNull(int column) => SqliteCalls.ColumnType(_statement, column) == raw.SQLITE_NULL;

    /// <summary>Valid until the next step or reset. Empty when it is null.</summary>
    public ReadOnlySpan<byte> GetBytes(int column) => raw.sqlite3_column_blob(handle, column);

    public string GetText(int column) => Encoding.UTF8.GetString(GetBytes(column));

    public void Dispose()
    {
        _statement = 0;
        handle.Dispose();
    }
}
