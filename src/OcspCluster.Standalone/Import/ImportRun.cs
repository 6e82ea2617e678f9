using System.Runtime.InteropServices;
using OcspCluster.Authority;
using OcspCluster.Gateway;
using OcspCluster.Hosting;
using OcspCluster.Hosting.Configuration;
using OcspCluster.Hosting.Crls;
using OcspCluster.Standalone.Storage;

namespace OcspCluster.Standalone.Import;

/// <summary>The verb <c>import</c>: a file into the store of a responder that does not run, or through the admin API of one that does.</summary>
internal static class ImportRun
{
    private static readonly TimeSpan s_downloadTimeout = TimeSpan.FromMinutes(10);

    /// <summary>Imports, and tells what was done on the output, and progress and refusals on the error output.</summary>
    public static async Task<int> RunAsync(Settings settings, ImportOrder order, TextWriter output, TextWriter error)
    {
        (string directory, IssuerId issuer) = order.Admin is null ? ResponderOptions.ReadForImport(settings, order.Issuer) : ("", default); // over there they know their issuers
        using CancellationTokenSource interrupted = new();
        void Interrupt(PosixSignalContext context)
        {
            context.Cancel = true;
            interrupted.Cancel();
        }

        using PosixSignalRegistration term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Interrupt);
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Interrupt);
        await using Stream stream = await OpenAsync(order, interrupted.Token).ConfigureAwait(false);
        ImportConsole console = new(error, stream, order.IsDryRun);
        ImportResult done;
        try
        {
            done = order.Admin is null
                ? await ImportIntoStoreAsync(settings, order, directory, issuer, stream, console.Tell, interrupted.Token).ConfigureAwait(false)
                : await RemoteImport.RunAsync(order, stream, console, interrupted.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (interrupted.IsCancellationRequested)
        {
            console.End();
            await error.WriteLineAsync("Interrupted. What was recorded stays; run the import again to go on.").ConfigureAwait(false);
            return ExitCodes.Incomplete;
        }

        console.End();
        return await TellAsync(done, order, output, error).ConfigureAwait(false);
    }

    /// <summary>Imports into the store of a responder that does not run.</summary>
    public static async Task<ImportResult> ImportIntoStoreAsync(
        Settings settings, ImportOrder order, string directory, IssuerId issuer, Stream stream, Action<ImportProgress> tell, CancellationToken cancellationToken)
    {
        await using IRevocationStore store = OpenStore(directory, order.IsDryRun);
        LocalRevocationAuthority authority = new([new IssuerSequencer(issuer, store, new NoGateways(), TimeProvider.System)]);
        FileImport import = new(
            authority, issuer, ResponderOptions.ReadIssuerCertificates(settings, issuer, directory), store, new CrlRecordDirectory(directory), TimeProvider.System)
        {
            IsDryRun = order.IsDryRun,
            OnProgress = tell,
        };
        return await import.RunAsync(order.Form, stream, cancellationToken).ConfigureAwait(false);
    }

    private static async Task<int> TellAsync(ImportResult done, ImportOrder order, TextWriter output, TextWriter error)
    {
        foreach (ImportProblem problem in done.Problems)
        {
            await error.WriteLineAsync(problem.Problem).ConfigureAwait(false);
        }

        if (done.Progress.Problems > done.Problems.Count)
        {
            await error.WriteLineAsync($"… and {done.Progress.Problems - done.Problems.Count:N0} more.").ConfigureAwait(false);
        }

        if (done.Refusal is string refusal)
        {
            await error.WriteLineAsync(refusal).ConfigureAwait(false);
        }

        if (done.Note is string note)
        {
            await error.WriteLineAsync(note).ConfigureAwait(false);
        }

        if (done.Refusal is null)
        {
            await output.WriteLineAsync(Describe(done.Progress, order)).ConfigureAwait(false);
        }

        return done is { Refusal: null, Progress.Problems: 0 } ? ExitCodes.Success : ExitCodes.Incomplete;
    }

    private static string Describe(ImportProgress done, ImportOrder order)
    {
        string lines = order.Form == ImportForm.Crl ? "entries" : "lines";
        string known = order.Form is ImportForm.Index or ImportForm.Crl ? $"{done.Unchanged:N0} certificates were known already" : $"{done.Duplicates:N0} were recorded before";
        return $"{done.Lines:N0} {lines} for issuer '{order.Issuer}': {done.Applied:N0} events {(order.IsDryRun ? "would be recorded" : "recorded")}, {known}, {done.Problems:N0} {lines} not taken."
            + (order.IsDryRun ? " Nothing was changed." : "");
    }

    private static async Task<Stream> OpenAsync(ImportOrder order, CancellationToken cancellationToken)
    {
        if (order.Form == ImportForm.Crl && Uri.TryCreate(order.File, UriKind.Absolute, out Uri? uri) && uri.Scheme is "http" or "https")
        {
            return await DownloadAsync(order, new Uri(order.File), cancellationToken).ConfigureAwait(false);
        }

        try
        {
            return new FileStream(order.File, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException([new(order.Option, order.File, $"cannot be read: {e.Message}")]);
        }
    }

    private static async Task<Stream> DownloadAsync(ImportOrder order, Uri uri, CancellationToken cancellationToken)
    {
        using HttpClient client = new() { Timeout = s_downloadTimeout, MaxResponseContentBufferSize = FileImport.MaxCrlBytes };
        try
        {
            return new MemoryStream(await client.GetByteArrayAsync(uri, cancellationToken).ConfigureAwait(false), writable: false);
        }
        catch (Exception e) when (e is HttpRequestException || (e is TaskCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw new HostStartException($"{order.Option} = {order.File}: the CRL cannot be fetched: {e.Message}", e);
        }
    }

    // A dry run makes nothing, not even an empty database.
    private static IRevocationStore OpenStore(string directory, bool isDryRun)
    {
        try
        {
            return isDryRun && !File.Exists(Path.Combine(directory, SqliteRevocationStore.FileName)) ? new DryRunStore(null, ownsStore: true) : SqliteRevocationStore.Open(directory);
        }
        catch (RevocationStoreException e) when (e.IsInUse)
        {
            throw new RevocationStoreException($"{e.Message} Where that is the responder, import through it: --admin URL (its Admin:Url) --key-file FILE (a key that may feed the issuer).", e) { IsInUse = true };
        }
    }

    /// <summary>No responder runs on this directory, so nobody has an older answer.</summary>
    private sealed class NoGateways : IResponsePublisher
    {
        public ValueTask PublishAsync(IssuerId issuer, IReadOnlyList<JournalEntry> entries) => ValueTask.CompletedTask;
    }
}
