using System.Diagnostics;

namespace OcspCluster.Testing;

/// <summary>What a program printed and how it ended.</summary>
public sealed record ToolResult(int ExitCode, string Output, string Error)
{
    /// <summary>Both streams, for a failed test's message.</summary>
    public override string ToString() => $"exit {ExitCode}\n{Output}\n{Error}";
}

/// <summary>A program of the machine, run bounded in time and ended by its process when it does not end itself.</summary>
public sealed class ExternalTool
{
    private readonly string _path;

    private ExternalTool(string path) => _path = path;

    /// <summary>Finds a program by name on the PATH, or by absolute path; null when the machine has none.</summary>
    public static ExternalTool? Find(string program)
    {
        ArgumentNullException.ThrowIfNull(program);
        IEnumerable<string> candidates = Path.IsPathRooted(program)
            ? [program]
            : (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries).Select(directory => Path.Combine(directory, program));
        return candidates.FirstOrDefault(File.Exists) is { } path ? new ExternalTool(path) : null;
    }

    /// <summary>Runs the program with these arguments.</summary>
    /// <exception cref="TimeoutException">It did not end in time and was ended.</exception>
    public async Task<ToolResult> RunAsync(IEnumerable<string> arguments, string? workingDirectory = null, TimeSpan? timeout = null)
    {
        ProcessStartInfo start = new(_path, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = workingDirectory ?? "",
        };
        using Process process = Process.Start(start) ?? throw new InvalidOperationException($"{_path} did not start.");
        process.StandardInput.Close();
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        TimeSpan bound = timeout ?? TimeSpan.FromSeconds(60);
        using CancellationTokenSource late = new(bound);
        try
        {
            await process.WaitForExitAsync(late.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{_path} did not end within {bound}.\n{await output.ConfigureAwait(false)}\n{await error.ConfigureAwait(false)}");
        }

        return new ToolResult(process.ExitCode, await output.ConfigureAwait(false), await error.ConfigureAwait(false));
    }
}
