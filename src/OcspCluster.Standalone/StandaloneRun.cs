using System.Runtime.InteropServices;
using OcspCluster.Hosting;
using OcspCluster.Hosting.Configuration;
using OcspCluster.Hosting.Demo;

namespace OcspCluster.Standalone;

/// <summary>The host as a process: starts, tells where it listens, and ends in good order when it is told to.</summary>
internal static class StandaloneRun
{
    /// <summary>Runs until SIGTERM, SIGINT or SIGQUIT.</summary>
    public static async Task<int> RunAsync(Settings settings, TextWriter output)
    {
        ResponderOptions options = ResponderOptions.Read(settings, TimeProvider.System.GetUtcNow());

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

        await using StandaloneHost host = await StandaloneHost.StartAsync(options, TimeProvider.System).ConfigureAwait(false);
        foreach (Uri uri in host.OcspUris)
        {
            await output.WriteLineAsync("listening: ocsp " + uri.GetLeftPart(UriPartial.Authority)).ConfigureAwait(false);
        }

        foreach (Uri uri in host.AdminUris)
        {
            await output.WriteLineAsync("listening: admin " + uri.GetLeftPart(UriPartial.Authority)).ConfigureAwait(false);
        }

        if (host.NewOperatorKeyFile is not null)
        {
            await output.WriteLineAsync("operator key: " + Path.Combine(options.DataDirectoryAsGiven, StandaloneHost.OperatorKeyFileName)).ConfigureAwait(false);
        }

        if (host.Demo is not null)
        {
            await output.WriteAsync(DemoPki.Describe(options.DataDirectoryAsGiven, host.DemoUri)).ConfigureAwait(false);
        }

        await output.WriteLineAsync("ready").ConfigureAwait(false);
        await output.FlushAsync().ConfigureAwait(false);
        await ended.Task.ConfigureAwait(false);
        return ExitCodes.Success;
    }
}
