namespace OcspCluster.Testing;

/// <summary>A directory of its own under the temporary one, deleted on dispose.</summary>
public sealed class ScratchDirectory : IDisposable
{
    /// <summary>Makes it.</summary>
    public ScratchDirectory() => Path = Directory.CreateTempSubdirectory("ocspcluster-").FullName;

    /// <summary>Its absolute path.</summary>
    public string Path { get; }

    /// <summary>A path inside it.</summary>
    public string File(string name) => System.IO.Path.Combine(Path, name);

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(Path, recursive: true);
}
