using OcspCluster.Testing;

namespace OcspCluster.Cli.Tests;

/// <summary>The reference, completion, and the program as a process.</summary>
public sealed class ReferenceTests
{
    [Fact]
    public async Task Reference_Page_IsWhatDocsHave()
    {
        CommandRun run = await CommandRun.RunAsync("reference");

        string page = await File.ReadAllTextAsync(Path.Combine(GoldenText.Repository, "docs", "CLI.md"), TestContext.Current.CancellationToken);
        Assert.True(run.Output == page, "docs/CLI.md is stale: ocspctl reference > docs/CLI.md");
    }

    [Fact]
    public async Task Help_HasNoHiddenVerb()
    {
        CommandRun run = await CommandRun.RunAsync("--help");

        Assert.Equal(ExitCode.Good, run.ExitCode);
        Assert.DoesNotContain("reference", run.Output, StringComparison.Ordinal);
        Assert.Contains("completion", run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ocspctl ", "check")]
    [InlineData("ocspctl check --al", "--allow-private")]
    [InlineData("ocspctl query --hash ", "sha256")]
    [InlineData("ocspctl query --method ", "Post")]
    public async Task Completion_OfALine_IsWhatFits(string line, string expected)
    {
        CommandRun run = await CommandRun.RunAsync($"[suggest:{line.Length}]", line);

        Assert.Equal(ExitCode.Good, run.ExitCode);
        Assert.Contains(expected, run.Output.Split('\n', StringSplitOptions.TrimEntries));
    }

    [Theory]
    [InlineData("bash", "-n")]
    [InlineData("zsh", "-n")]
    [InlineData("fish", "-n")]
    public async Task Completion_Script_IsOneToItsShell(string shell, string check)
    {
        CommandRun run = await CommandRun.RunAsync("completion", shell);
        Assert.Contains("[suggest:", run.Output, StringComparison.Ordinal);
        ExternalTool? tool = ExternalTool.Find(shell);
        Assert.SkipWhen(tool is null, $"This machine has no {shell}.");
        using ScratchDirectory directory = new();
        await File.WriteAllTextAsync(directory.File("script"), run.Output, TestContext.Current.CancellationToken);

        ToolResult result = await tool.RunAsync([check, directory.File("script")]);

        Assert.True(result.ExitCode == 0, result.ToString());
    }

    [Fact]
    public async Task Process_InAPipe_PrintsNoEscapeAndEndsWithTheCode()
    {
        ExternalTool? dotnet = ExternalTool.Find(Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "dotnet" ? path : "dotnet");
        Assert.SkipWhen(dotnet is null, "This machine has no dotnet on its PATH.");

        ToolResult result = await dotnet.RunAsync([Path.Combine(AppContext.BaseDirectory, "ocspctl.dll"), "check", "no-such-host.invalid", "--timeout", "60"], timeout: TimeSpan.FromMinutes(3));

        Assert.True(result.ExitCode == ExitCode.CouldNotTell, result.ToString());
        Assert.StartsWith("no-such-host.invalid:443: could not tell", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', result.Output);
    }

    [Theory]
    [InlineData("CN=plain, O=Österreich", "CN=plain, O=Österreich")]
    [InlineData("a\u001b[31m\nb", "a\\u001B[31m\\u000Ab")]
    [InlineData("a\u202Eb", "a\\u202Eb")]
    public void Printable_Text_HasNothingThatDrivesATerminal(string text, string expected) => Assert.Equal(expected, Printable.Of(text));

    [Theory]
    [InlineData(1, "1 second")]
    [InlineData(119, "119 seconds")]
    [InlineData(7199, "119 minutes")]
    [InlineData(7200, "2 hours")]
    [InlineData(172800, "2 days")]
    public void TimeText_Length_IsInTheGreatestFittingUnit(int seconds, string expected) => Assert.Equal(expected, TimeText.Length(TimeSpan.FromSeconds(seconds)));
}
