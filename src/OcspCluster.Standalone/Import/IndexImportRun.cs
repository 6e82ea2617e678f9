using System.Runtime.InteropServices;
using OcspCluster.Authority;
using OcspCluster.Hosting;
using OcspCluster.Hosting.Configuration;
using OcspCluster.Standalone.Storage;

namespace OcspCluster.Standalone.Import;

/// <summary>The verb <c>import</c>: an OpenSSL index.txt into the store of a responder that does not run.</summary>
internal static class IndexImportRun
{
    /// <summary>Imports, and tells what was done on the output, and progress and refusals on the error output.</summary>
    public static async Task<int> RunAsync(Settings settings, string issuer, FileInfo index, bool isDryRun, TextWriter output, TextWriter error)
    {
        (string directory, IssuerId id) = ResponderOptions.ReadForImport(settings, issuer);
        using FileStream stream = Open(index);
        using CancellationTokenSource interrupted = new();
        void Interrupt(PosixSignalContext context)
        {
            context.Cancel = true;
            interrupted.Cancel();
        }

        using PosixSignalRegistration term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Interrupt);
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Interrupt);

        await using IRevocationStore store = OpenStore(directory, isDryRun);
        IndexImport import = new(new IssuerSequencer(id, store, new NoGateways(), TimeProvider.System), store, TimeProvider.System, progress =>
            error.WriteLine($"{progress.Lines:N0} lines read, {progress.Applied:N0} events {(isDryRun ? "to record" : "recorded")}"));
        ImportProgress done;
        try
        {
            done = await import.RunAsync(stream, interrupted.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            await error.WriteLineAsync("Interrupted. What was recorded stays; run the import again to go on.").ConfigureAwait(false);
            return ExitCodes.Incomplete;
        }

        foreach (ImportProblem problem in import.Problems)
        {
            await error.WriteLineAsync(problem.Problem).ConfigureAwait(false);
        }

        if (done.Problems > import.Problems.Count)
        {
            await error.WriteLineAsync($"… and {done.Problems - import.Problems.Count:N0} more.").ConfigureAwait(false);
        }

        await output.WriteLineAsync(Describe(done, id, isDryRun)).ConfigureAwait(false);
        return done.Problems == 0 ? ExitCodes.Success : ExitCodes.Incomplete;
    }

    private static string Describe(ImportProgress done, IssuerId issuer, bool isDryRun) =>
        $"{done.Lines:N0} lines for issuer '{issuer}': {done.Applied:N0} events {(isDryRun ? "would be recorded" : "recorded")}, {done.Unchanged:N0} certificates were known already, {done.Problems:N0} lines not taken."
        + (isDryRun ? " Nothing was changed." : "");

    private static FileStream Open(FileInfo index)
    {
        try
        {
            return index.OpenRead();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException([new("--index", index.ToString(), $"cannot be read: {e.Message}")]);
        }
    }

    // A dry run makes nothing, not even an empty database.
    private static IRevocationStore OpenStore(string directory, bool isDryRun) => isDryRun
        ? new DryRunStore(File.Exists(Path.Combine(directory, SqliteRevocationStore.FileName)) ? SqliteRevocationStore.Open(directory) : null)
        : SqliteRevocationStore.Open(directory);

    /// <summary>No responder runs on this directory, so nobody has an older answer.</summary>
    private sealed class NoGateways : IResponsePublisher
    {
        public ValueTask PublishAsync(IssuerId issuer, IReadOnlyList<JournalEntry> entries) => ValueTask.CompletedTask;
    }
}
