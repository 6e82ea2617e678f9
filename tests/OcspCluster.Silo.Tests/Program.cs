using System.Globalization;
using OcspCluster.Silo.Tests.Storage;

namespace OcspCluster.Silo.Tests;

/// <summary>Runs the tests; or the measurements, when the first argument says so.</summary>
internal static class Program
{
    private static async Task<int> Main(string[] args)
    {
        if (args.Length > 0 && args[0].StartsWith("measure-", StringComparison.Ordinal))
        {
            RedisServer.Parent = Path.GetTempPath(); // a disk, as it is in earnest
        }

        switch (args)
        {
            case [RedisStoreMeasurements.Verb, string certificates]:
                await RedisStoreMeasurements.RunAsync(int.Parse(certificates, CultureInfo.InvariantCulture));
                return 0;
            case [History.ClusterMeasurements.Verb, string certificates]:
                await History.ClusterMeasurements.RunAsync(int.Parse(certificates, CultureInfo.InvariantCulture));
                return 0;
            case [History.MembershipMeasurements.Verb, string seconds, .. string[] probeTimeout]:
                await History.MembershipMeasurements.RunAsync(TimeSpan.FromSeconds(double.Parse(seconds, CultureInfo.InvariantCulture)), probeTimeout.FirstOrDefault());
                return 0;
            case [Coherence.ActivationMeasurements.Verb, string certificates]:
                await Coherence.ActivationMeasurements.RunAsync(int.Parse(certificates, CultureInfo.InvariantCulture));
                return 0;
            default:
                // What xunit.v3's generated entry point does.
                return args.Contains("--server") || args.Contains("--internal-msbuild-node")
                    ? await Xunit.MicrosoftTestingPlatform.TestPlatformTestFramework.RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions)
                    : await Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args);
        }
    }
}
