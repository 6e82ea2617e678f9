using System.Text.RegularExpressions;

namespace OcspCluster.Cli.Tests;

/// <summary>One run of a command line, in this process.</summary>
internal sealed partial record CommandRun(int ExitCode, string Output, string Error)
{
    /// <summary>Runs with output in a pipe, or, with a width, on a terminal without colour.</summary>
    public static async Task<CommandRun> RunAsync(IEnumerable<string> args, int? width = null, TimeProvider? clock = null)
    {
        using StringWriter output = new() { NewLine = "\n" };
        using StringWriter error = new() { NewLine = "\n" };
        Screen screen = new(output, error, width, hasColour: false);
        int exitCode = await CommandLine.RunAsync([.. args], screen, clock ?? TimeProvider.System, TestContext.Current.CancellationToken);
        return new CommandRun(exitCode, output.ToString(), error.ToString());
    }

    public static Task<CommandRun> RunAsync(params string[] args) => RunAsync(args, null);

    /// <summary>The output with what differs from run to run replaced, and without the blanks that fill a terminal's lines.</summary>
    public string Stable
    {
        get
        {
            string text = Output;
            text = Moment().Replace(text, "TIME");
            text = Milliseconds().Replace(text, "N ms");
            text = Octets().Replace(text, "N octets");
            text = Port().Replace(text, "$1:PORT");
            text = Hexadecimal().Replace(text, "HEX");
            return TrailingBlanks().Replace(text, "").TrimEnd('\n') + "\n";
        }
    }

    public override string ToString() => $"exit {ExitCode}\n{Output}\n{Error}";

    // The distance is in the tests' own hands, to the hour; what is left of an hour is not.
    [GeneratedRegex(@"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ(?: \((?:in )?\d+ \w+(?: ago)?\))?")]
    private static partial Regex Moment();

    [GeneratedRegex(@"\b\d+ ms")]
    private static partial Regex Milliseconds();

    [GeneratedRegex(@"\b\d+ octets")]
    private static partial Regex Octets();

    [GeneratedRegex(@"(127\.0\.0\.1|localhost):\d+")]
    private static partial Regex Port();

    [GeneratedRegex(@"\b(?=[0-9A-F]*[0-9])[0-9A-F]{16,}\b")]
    private static partial Regex Hexadecimal();

    [GeneratedRegex(@"[ ]+(?=\n)")]
    private static partial Regex TrailingBlanks();
}
