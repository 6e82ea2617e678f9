using System.Reflection;
using System.Runtime.InteropServices;
using OcspCluster.Hosting.Configuration;
using SQLitePCL;

namespace OcspCluster.Standalone.Storage;

/// <summary>
/// Which SQLite runs. The machine's own where it is newer than the bundled one, which is from 2021: the distribution mends
/// it. A machine that has only the .NET SDK uses the bundled one.
/// </summary>
internal static partial class SqliteLibrary
{
    /// <summary>Set to <c>1</c>, this environment variable keeps to the bundled library.</summary>
    internal const string BundledVariable = Settings.BundledSqliteVariable;

    internal const string BundledName = "e_sqlite3"; // what the provider's P/Invokes ask for

    // Windows' winsqlite3.dll has another calling convention on x86 and an unknown age: there the bundled one is taken.
    private static readonly string[] s_systemNames = OperatingSystem.IsLinux() || OperatingSystem.IsFreeBSD()
        ? ["libsqlite3.so.0", "libsqlite3.so"]
        : OperatingSystem.IsMacOS() ? ["/usr/lib/libsqlite3.dylib"] : [];

    private static readonly Lazy<string> s_description = new(Initialize);

    /// <summary>Version and origin, for the log: <c>SQLite 3.46.1 (system library libsqlite3.so.0)</c>. Loads it on first use.</summary>
    public static string Description => s_description.Value;

    /// <summary>Loads the library. Once per process; later calls are free.</summary>
    public static void Load() => _ = s_description.Value;

    /// <summary>The first of some libraries that is there, safe for threads, and not older than a version.</summary>
    internal static (nint Handle, string Name)? FindSystemLibrary(IReadOnlyList<string> names, int minimumVersion)
    {
        foreach (string name in names)
        {
            if (!NativeLibrary.TryLoad(name, out nint handle))
            {
                continue;
            }

            if (CallInt32(handle, "sqlite3_threadsafe") is > 0 && CallInt32(handle, "sqlite3_libversion_number") >= minimumVersion)
            {
                return (handle, name);
            }

            NativeLibrary.Free(handle);
        }

        return null;
    }

    private static string Initialize()
    {
        bool isBundledWanted = Environment.GetEnvironmentVariable(BundledVariable) == "1";
        const int BundledVersion = 3_035_005; // what SQLitePCLRaw.bundle_e_sqlite3 2.0.6 carries
        (nint Handle, string Name)? system = isBundledWanted ? null : FindSystemLibrary(s_systemNames, BundledVersion);
        Assembly provider = typeof(SQLite3Provider_e_sqlite3).Assembly;
        if (system is { } library)
        {
            NativeLibrary.SetDllImportResolver(provider, (string name, Assembly _, DllImportSearchPath? _) => name == BundledName ? library.Handle : 0);
        }

        // The same library for SqliteCalls.
        nint handle = system?.Handle ?? NativeLibrary.Load(BundledName, provider, searchPath: null);
        NativeLibrary.SetDllImportResolver(typeof(SqliteLibrary).Assembly, (string name, Assembly _, DllImportSearchPath? _) => name == BundledName ? handle : 0);
        raw.SetProvider(new SQLite3Provider_e_sqlite3());
        string version = raw.sqlite3_libversion().utf8_to_string();
        return system is null ? $"SQLite {version} (bundled library)" : $"SQLite {version} (system library {system.Value.Name})";
    }

    private static int? CallInt32(nint handle, string function) =>
        NativeLibrary.TryGetExport(handle, function, out nint address)
            ? Marshal.GetDelegateForFunctionPointer<Int32Function>(address)()
            : null;

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    private delegate int Int32Function();
}
