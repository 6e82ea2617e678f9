using System.Runtime.InteropServices;

namespace OcspCluster.Standalone.Storage;

/// <summary>
/// The calls that are made for every column and parameter of a row: the same of the same library as SQLitePCLRaw's, without counting references to the statement each time, and without telling the collector of a call that
/// takes some nanoseconds. A row of ten columns is thirty such calls. None of them waits, calls back, or looks at anything but the statement; of no statement (0) they say nothing, or misuse.
/// </summary>
internal static class SqliteCalls
{
    [DllImport(SqliteLibrary.BundledName, EntryPoint = "sqlite3_bind_int64", ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [SuppressGCTransition]
    public static extern int BindInt64(nint statement, int parameter, long value);

    [DllImport(SqliteLibrary.BundledName, EntryPoint = "sqlite3_bind_null", ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [SuppressGCTransition]
    public static extern int BindNull(nint statement, int parameter);

    [DllImport(SqliteLibrary.BundledName, EntryPoint = "sqlite3_column_int64", ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [SuppressGCTransition]
    public static extern long ColumnInt64(nint statement, int column);

    [DllImport(SqliteLibrary.BundledName, EntryPoint = "sqlite3_column_type", ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [SuppressGCTransition]
    public static extern int ColumnType(nint statement, int column);
}
