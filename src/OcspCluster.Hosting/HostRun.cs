using System.Runtime.InteropServices;
using OcspCluster.Hosting.Configuration;
using OcspCluster.Hosting.Demo;
using OcspCluster.Hosting.Keys;

namespace OcspCluster.Hosting;

/// <summary>A host that runs, as its process sees it. Disposing it ends it in good order.</summary>
internal interface IRunningHost : IAsyncDisposable
{
    /// <summary>The listeners.</summary>
    ResponderApplication Application { get; }

    /// <summary>The file that the first start wrote the operator's key to; null when there were keys already.</summary>
    string? NewOperatorKeyFile { get; }

    /// <summary>Whether it answers for the demo CA.</summary>
    bool IsDemo { get; }
}

/// <summary>A host as a process: starts, tells where it listens, and ends in good order when it is told to.</summary>
internal static class HostRun
{
    /// <summary>Runs until SIGTERM, SIGINT or SIGQUIT.</summary>
    public static async Task<int> RunAsync(ResponderOptions options, Func<Task<IRunningHost>> start, TextWriter output)
    {
        // Registered before anything is opened: a signal during the start ends it as well, right after.
        TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
        void End(PosixSignalContext context)
        {
            context.Cancel = true;
            ended.TrySetResult();
        }

        using PosixSignalRegistration term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, End);
        using PosixSignalRegistration quit = PosixSignalRegistration.Create(PosixSignal.SIGQUIT, End);

        await using IRunningHost host = await start().ConfigureAwait(false);
        await TellAsync(options, host, output).ConfigureAwait(false);
        await ended.Task.ConfigureAwait(false);
        return ExitCodes.Success;
    }

    private static async Task TellAsync(ResponderOptions options, IRunningHost host, TextWriter output)
    {
        foreach (Uri uri in host.Application.OcspUris)
        {
            await output.WriteLineAsync("listening: ocsp " + uri.GetLeftPart(UriPartial.Authority)).ConfigureAwait(false);
        }

        foreach (Uri uri in host.Application.AdminUris)
        {
            await output.WriteLineAsync("listening: admin " + uri.GetLeftPart(UriPartial.Authority)).ConfigureAwait(false);
        }

        if (host.NewOperatorKeyFile is not null)
        {
            await output.WriteLineAsync("operator key: " + Path.Combine(options.DataDirectoryAsGiven, OperatorKey.FileName)).ConfigureAwait(false);
        }

        if (host.IsDemo)
        {
            await output.WriteAsync(DemoPki.Describe(options.DataDirectoryAsGiven, host.Application.OcspUriForClients)).ConfigureAwait(false);
        }

        await output.WriteLineAsync("ready").ConfigureAwait(false);
        await output.FlushAsync().ConfigureAwait(false);
    }
}
