using OcspCluster.Hosting;
using OcspCluster.Hosting.Configuration;

namespace OcspCluster.Standalone;

/// <summary>The host as a process.</summary>
internal static class StandaloneRun
{
    /// <summary>Runs until it is told to end.</summary>
    public static Task<int> RunAsync(Settings settings, TextWriter output)
    {
        ResponderOptions options = ResponderOptions.Read(settings, TimeProvider.System.GetUtcNow());
        return HostRun.RunAsync(options, async () => await StandaloneHost.StartAsync(options, TimeProvider.System).ConfigureAwait(false), output);
    }
}
