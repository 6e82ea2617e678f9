using System.Collections.Concurrent;

namespace OcspCluster.Benchmarks.Macro;

/// <summary>Answers as files under the paths of their requests, for a server of files. In memory where there is room: a million small files are a matter of inodes, not of octets.</summary>
internal sealed class AnswerFiles : IDisposable
{
    private const long BytesPerFile = 6144; // a page, an inode, an entry of a directory, and in one of three cases a directory of its own
    private const string Memory = "/dev/shm";
    private const int OnDisk = 100_000;

    private readonly Workload _work;
    private readonly ConcurrentDictionary<string, bool> _directories = [];
    private volatile bool _isDisposed;

    public AnswerFiles(Workload work)
    {
        _work = work;
        Root = Path.Combine(work.Directory, "files");
    }

    /// <summary>Where they are.</summary>
    public string Root { get; private set; }

    /// <summary>How many of so many there shall be; chooses where they are.</summary>
    public int Room(int wanted)
    {
        if (wanted > OnDisk && Directory.Exists(Memory) && new DriveInfo(Memory).AvailableFreeSpace > 2 * BytesPerFile * wanted && GC.GetGCMemoryInfo().TotalAvailableMemoryBytes > 3 * BytesPerFile * wanted)
        {
            AppDomain.CurrentDomain.ProcessExit += (_, _) => Dispose(); // Ctrl-C, too
            Root = Directory.CreateDirectory(Path.Combine(Memory, "ocspcluster-bench-" + Environment.ProcessId)).FullName;
            return wanted;
        }

        return Math.Min(wanted, OnDisk);
    }

    /// <summary>Writes one. Thread-safe.</summary>
    public void Write(int i, ReadOnlySpan<byte> answer)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        string file = Path.Combine(Root, _work.FilePath(i));
        string directory = Path.GetDirectoryName(file)!;
        if (_directories.TryAdd(directory, true))
        {
            Directory.CreateDirectory(directory);
        }
        else if (!Directory.Exists(directory))
        {
            Directory.CreateDirectory(directory); // another thread is about to
        }

        using FileStream stream = new(file, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        stream.Write(answer);
    }

    public void Dispose()
    {
        _isDisposed = true;
        for (int attempt = 0; attempt < 5 && Root.StartsWith(Memory, StringComparison.Ordinal) && Directory.Exists(Root); attempt++)
        {
            try
            {
                Directory.Delete(Root, recursive: true);
            }
            catch (IOException)
            {
                // Whoever ends the runner while it writes: some files came in between.
            }
        }
    }
}
