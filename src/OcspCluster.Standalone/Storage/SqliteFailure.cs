using OcspCluster.Authority;
using SQLitePCL;

namespace OcspCluster.Standalone.Storage;

/// <summary>SQLite's result codes as what an operator can do about them.</summary>
internal static class SqliteFailure
{
    /// <summary>In <see cref="Exception.Data"/>: whether a row broke a constraint, which fails one append and not the connection.</summary>
    public const string IsConstraintKey = "SQLite constraint";

    private const string IsDamageKey = "SQLite damage";

    /// <summary>The exception for a result code.</summary>
    /// <param name="resultCode">The extended result code.</param>
    /// <param name="detail">SQLite's own words.</param>
    /// <param name="file">The database file.</param>
    public static RevocationStoreException ToException(int resultCode, string detail, string file)
    {
        string advice = (resultCode & 0xFF) switch
        {
            raw.SQLITE_FULL => $"The disk that holds '{file}' is full. Free some space: nothing that was acknowledged is lost, and writing goes on by itself.",
            raw.SQLITE_READONLY => $"'{file}' cannot be written. Check the owner and the permissions of the file and its directory, and that the disk is not mounted read-only.",
            raw.SQLITE_CANTOPEN or raw.SQLITE_PERM or raw.SQLITE_AUTH => $"'{file}' cannot be opened. Check that its directory exists and that this user may read and write it.",
            raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB => Damaged(file),
            raw.SQLITE_BUSY or raw.SQLITE_LOCKED => $"Another program holds a lock on '{file}'. Close it (an SQLite shell, a backup tool), and try again.",
            raw.SQLITE_IOERR => $"Reading or writing '{file}' failed. Check the disk and the kernel's log.",
            raw.SQLITE_NOMEM => $"SQLite ran out of memory on '{file}'. Give the process more memory.",
            _ => $"SQLite could not carry out an operation on '{file}'.",
        };
        RevocationStoreException exception = new($"{advice} (SQLite result code {resultCode}: {detail})");
        exception.Data[IsConstraintKey] = (resultCode & 0xFF) == raw.SQLITE_CONSTRAINT;
        exception.Data[IsDamageKey] = (resultCode & 0xFF) is raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB;
        return exception;
    }

    /// <summary>The exception for a row that is not what was written.</summary>
    public static RevocationStoreException DamagedRow(string what, string file) =>
        new($"{Damaged(file)} ({what} does not match its checksum)");

    /// <summary>The exception for a journal entry that is not what was written, or is not there.</summary>
    public static RevocationStoreException DamagedEntry(long position, string what, string file) =>
        new($"{Damaged(file)} (journal entry {position} {what})") { Position = position };

    /// <summary>The exception for a file that can be done without, and that another version or program wrote.</summary>
    public static RevocationStoreException OtherVersion(string file)
    {
        RevocationStoreException exception = new($"'{file}' is of another version of this program, or another program's. It is made anew.");
        exception.Data[IsDamageKey] = true;
        return exception;
    }

    /// <summary>Whether the file cannot be used as it is, whoever tries.</summary>
    public static bool IsDamage(RevocationStoreException failure) => failure.Data[IsDamageKey] is true;

    private static string Damaged(string file) =>
        $"The database '{file}' is damaged. Stop the service, keep a copy of its directory, check the disk, and restore a backup.";
}
