namespace OcspCluster.Cli;

/// <summary>What the user can mend, told in a sentence; the process ends with <see cref="ExitCode"/>, without a stack.</summary>
internal sealed class CommandFailure(string message, int exitCode = ExitCode.CouldNotTell) : Exception(message)
{
    public int ExitCode { get; } = exitCode;

    /// <summary>Whether the same may work a little later: nobody answered, or the connection was cut off.</summary>
    public bool IsTransient { get; init; }
}
