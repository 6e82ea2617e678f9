using System.Globalization;
using OcspCluster.Authority;

namespace OcspCluster.Standalone.Storage;

// Two files, because a file that is locked against sharing cannot be read on Windows: `store.lock` is locked by the operating
// system for as long as this process lives (flock on Unix), so kill -9 leaves no stale lock behind; `store.pid` tells the
// second process whom to blame, and is believed for that only.

/// <summary>Keeps a second process off a data directory.</summary>
internal sealed class DataDirectoryLock : IDisposable
{
    // What a FileStream that may not share says, by system: ERROR_SHARING_VIOLATION, and flock's EWOULDBLOCK.
    private const int SharingViolation = unchecked((int)0x80070020);
    private const int LinuxWouldBlock = 11;
    private const int BsdWouldBlock = 35;

    private readonly FileStream _lock;
    private readonly string _pidFile;

    private DataDirectoryLock(FileStream @lock, string pidFile)
    {
        _lock = @lock;
        _pidFile = pidFile;
    }

    /// <summary>Takes the directory, which exists.</summary>
    /// <exception cref="RevocationStoreException">Another process has it, or it cannot be written.</exception>
    public static DataDirectoryLock Take(string directory)
    {
        string lockFile = Path.Combine(directory, "store.lock");
        string pidFile = Path.Combine(directory, "store.pid");
        FileStream stream;
        try
        {
            stream = new FileStream(lockFile, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new RevocationStoreException($"'{lockFile}' cannot be written. Check the owner and the permissions of the data directory, and that the disk is not mounted read-only.", e);
        }
        catch (IOException e) when (e.HResult is SharingViolation or LinuxWouldBlock or BsdWouldBlock)
        {
            throw new RevocationStoreException($"The data directory '{directory}' is in use by {DescribeHolder(pidFile)}, which holds '{lockFile}'. One process only may use it: stop that one, or give this one another directory.", e) { IsInUse = true };
        }
        catch (IOException e)
        {
            throw new RevocationStoreException($"'{lockFile}' cannot be opened: {e.Message} Check the data directory and its disk.", e);
        }

        try
        {
            File.WriteAllText(pidFile, Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
            return new DataDirectoryLock(stream, pidFile);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            stream.Dispose();
            throw new RevocationStoreException($"'{pidFile}' cannot be written: {e.Message} Check the permissions of the data directory and the space on its disk.", e);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // Before the lock is given back: afterwards the file may be the next process's.
        try
        {
            File.Delete(_pidFile);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Nobody is locked out by a pid file that stays.
        }

        _lock.Dispose();
    }

    private static string DescribeHolder(string pidFile)
    {
        try
        {
            return int.TryParse(File.ReadAllText(pidFile), NumberStyles.None, CultureInfo.InvariantCulture, out int pid)
                ? $"process {pid}"
                : "another process";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "another process";
        }
    }
}
