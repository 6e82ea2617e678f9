namespace OcspCluster.Testing;

/// <summary>The openssl command in a directory of its own.</summary>
public sealed class OpenSsl : IDisposable
{
    private readonly ScratchDirectory _directory = new();
    private readonly ExternalTool _tool = ExternalTool.Find("openssl") ?? throw new InvalidOperationException("These tests need openssl on the PATH.");

    /// <summary>Reads a file of the directory.</summary>
    public byte[] Read(string file) => File.ReadAllBytes(_directory.File(file));

    /// <summary>Reads a text file of the directory.</summary>
    public string ReadText(string file) => File.ReadAllText(_directory.File(file));

    /// <summary>Writes a file into the directory.</summary>
    public void Write(string file, ReadOnlySpan<byte> content) => File.WriteAllBytes(_directory.File(file), content);

    /// <summary>Writes a text file into the directory.</summary>
    public void Write(string file, string content) => File.WriteAllText(_directory.File(file), content);

    /// <summary>Runs openssl with arguments that are separated by blanks and contain none; paths are relative to the directory.</summary>
    /// <returns>What it printed, on both streams.</returns>
    /// <exception cref="InvalidOperationException">It failed.</exception>
    public string Run(string arguments)
    {
        ArgumentNullException.ThrowIfNull(arguments);
        ToolResult result = _tool.RunAsync(arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries), _directory.Path).GetAwaiter().GetResult();
        return result.ExitCode == 0 ? result.Output + result.Error : throw new InvalidOperationException($"openssl {arguments}: {result}");
    }

    /// <inheritdoc/>
    public void Dispose() => _directory.Dispose();
}
