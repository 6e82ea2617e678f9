namespace OcspCluster.Gateway;

/// <summary>The API keys in a file, which is replaced as a whole and read again when it has changed.</summary>
internal sealed class ApiKeyFile(string file) : IApiKeyDocument
{
    private const int MaxLockAttempts = 2000;

    private readonly Lock _gate = new();

    public string Name => $"The file '{file}'";

    public ApiKeyContent Read() => Guard(file, () => new ApiKeyContent(Stamp(), File.Exists(file) ? File.ReadAllBytes(file) : null));

    // One look at the file's entry per request, a few microseconds: a revoked key is refused from the next request on, without a watcher that may miss it.
    public ValueTask<ApiKeyContent> ReadAsync(ApiKeyContent? known, CancellationToken cancellationToken) =>
        ValueTask.FromResult(known is not null && known.Version == Guard(file, Stamp) ? known : Read());

    public void Change(Func<byte[]?, byte[]> change) => Guard(file, () =>
    {
        lock (_gate)
        {
            using FileStream held = HoldLock();
            Replace(file, change(File.Exists(file) ? File.ReadAllBytes(file) : null));
            return true;
        }
    });

    /// <summary>Writes a file that only its owner may read. After a crash it is the old one or the new.</summary>
    /// <exception cref="ApiKeyStoreException">It cannot be written.</exception>
    public static void Replace(string path, byte[] content) => Guard(path, () =>
    {
        string temporary = path + ".new";
        File.Delete(temporary);
        using (FileStream stream = new(temporary, ForOwner(FileMode.CreateNew)))
        {
            stream.Write(content);
            stream.Flush(flushToDisk: true);
        }

        File.Move(temporary, path, overwrite: true);
        DirectoryFlush.Flush(Path.GetDirectoryName(Path.GetFullPath(path))!); // a revoked key must not be back after a loss of power
        return true;
    });

    // Before the content: a change in between is seen by the next look.
    private (long, long) Stamp()
    {
        FileInfo info = new(file);
        return info.Exists ? (info.LastWriteTimeUtc.Ticks, info.Length) : default;
    }

    // The program that makes keys and the host that runs are two processes; none may lose the other's change.
    private FileStream HoldLock()
    {
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                return new FileStream(file + ".lock", ForOwner(FileMode.OpenOrCreate));
            }
            catch (IOException) when (attempt < MaxLockAttempts)
            {
                Thread.Sleep(5); // a lock between processes has nothing to wait on; an operator's command does this, no request
            }
        }
    }

    private static FileStreamOptions ForOwner(FileMode mode)
    {
        FileStreamOptions options = new() { Mode = mode, Access = FileAccess.ReadWrite, Share = FileShare.None };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        return options;
    }

    private static T Guard<T>(string path, Func<T> use)
    {
        try
        {
            return use();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ApiKeyStoreException($"The file '{path}' cannot be used: {e.Message}", e);
        }
    }
}
