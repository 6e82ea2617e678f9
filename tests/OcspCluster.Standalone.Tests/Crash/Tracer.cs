using System.Globalization;
using OcspCluster.Standalone.Storage;
using OcspCluster.Testing;

namespace OcspCluster.Standalone.Tests.Crash;

/// <summary>A step of the write path: the nth system call of one thread, on one file of the store or on anything.</summary>
/// <param name="Syscall">Which call.</param>
/// <param name="When">The how manyth of its thread.</param>
/// <param name="File">The file's ending behind <c>revocations.db</c>; null for every file and socket.</param>
internal sealed record Step(string Syscall, int When, string? File = null)
{
    public const string Database = "";
    public const string Log = "-wal";

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Syscall}{(File is null ? "" : " of revocations.db" + File)} #{When}");
}

/// <summary>strace as the hand that kills, or makes a call fail, at a chosen step. With -D the host is our own child, and the tracer is beside it.</summary>
internal static class Tracer
{
    /// <summary>Skips the test where there is no strace, or where it may not trace.</summary>
    public static async Task SkipUnlessUsableAsync()
    {
        ExternalTool? strace = ExternalTool.Find("strace");
        Assert.SkipWhen(strace is null, "This machine has no strace.");
        ToolResult tried = await strace.RunAsync(["-qq", "-o", "/dev/null", "-e", "trace=getpid", "true"]);
        Assert.SkipWhen(tried.ExitCode != 0, $"strace may not trace here: {tried.Error}");
    }

    /// <summary>What is put before a command so that SIGKILL meets it on entering the step: the call is not carried out.</summary>
    public static IReadOnlyList<string> KillAt(Step step, string directory) => Inject(step, directory, "signal=KILL", string.Create(CultureInfo.InvariantCulture, $"when={step.When}"));

    /// <summary>What is put before a command so that the step and as many calls after it as told fail with an error; then the disk is well again.</summary>
    public static IReadOnlyList<string> FailAt(Step step, int calls, string error, string directory) =>
        Inject(step, directory, "error=" + error, string.Create(CultureInfo.InvariantCulture, $"when={step.When}..{step.When + calls - 1}"));

    private static string[] Inject(Step step, string directory, string what, string when) =>
    [
        "strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", $"trace={step.Syscall}", "-e", $"inject={step.Syscall}:{what}:{when}",
        .. step.File is null ? Array.Empty<string>() : ["-P", Path.Combine(directory, SqliteRevocationStore.FileName + step.File)],
    ];
}
