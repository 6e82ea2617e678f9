using OcspCluster.Authority;

namespace OcspCluster.Hosting.Audit;

/// <summary>The latest signed checkpoint of each issuer: files <c>checkpoints/{issuer}.txt</c> of the data directory.</summary>
public sealed class CheckpointDirectory
{
    /// <summary>The directory's name within the data directory.</summary>
    public const string Name = "checkpoints";

    private const string Extension = ".txt";

    private readonly string _directory;

    /// <summary>Of a data directory.</summary>
    public CheckpointDirectory(string dataDirectory)
    {
        ArgumentException.ThrowIfNullOrEmpty(dataDirectory);
        _directory = Path.Combine(dataDirectory, Name);
    }

    /// <summary>The latest note; null when none was ever written.</summary>
    /// <exception cref="RevocationStoreException">It cannot be read.</exception>
    public string? Read(IssuerId issuer)
    {
        string file = FileOf(issuer);
        try
        {
            return File.Exists(file) ? File.ReadAllText(file) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RevocationStoreException($"'{file}' cannot be read: {e.Message}", e);
        }
    }

    /// <summary>Replaces the latest note. Returns when it is on the disk.</summary>
    /// <exception cref="RevocationStoreException">It cannot be written.</exception>
    public void Write(IssuerId issuer, string note)
    {
        try
        {
            Directory.CreateDirectory(_directory);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RevocationStoreException($"The directory '{_directory}' cannot be created: {e.Message}", e);
        }

        WholeFile.Write(FileOf(issuer), note, mode: null, overwrite: true);
    }

    /// <summary>The issuers that a note was written for.</summary>
    public IReadOnlyList<IssuerId> ListIssuers() => Directory.Exists(_directory)
        ? [.. Directory.EnumerateFiles(_directory, "*" + Extension).Select(Path.GetFileNameWithoutExtension).Where(IssuerId.IsValid).Select(name => new IssuerId(name!))]
        : [];

    private string FileOf(IssuerId issuer) => Path.Combine(_directory, issuer + Extension);
}
