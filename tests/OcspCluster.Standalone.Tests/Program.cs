using OcspCluster.Standalone.Tests.Storage;

namespace OcspCluster.Standalone.Tests;

/// <summary>Runs the tests; or is the other process of one of them, or the measurements, when the first argument says so.</summary>
internal static class Program
{
    private static async Task<int> Main(string[] args)
    {
        switch (args)
        {
            case [StoreProcess.WriteVerb, string directory, string round]:
                await StoreProcess.WriteForeverAsync(directory, round);
                return 0;
            case [StoreProcess.HoldVerb, string directory]:
                await StoreProcess.HoldAsync(directory);
                return 0;
            case ["measure-store", string certificates]:
                await StoreMeasurements.RunAsync(int.Parse(certificates, System.Globalization.CultureInfo.InvariantCulture));
                return 0;
            case ["measure-memory", string certificates, .. string[] sample]:
                await Host.MemoryMeasurements.RunAsync(
                    int.Parse(certificates, System.Globalization.CultureInfo.InvariantCulture),
                    sample is [string part] ? double.Parse(part, System.Globalization.CultureInfo.InvariantCulture) : 1);
                return 0;
            case ["measure-telemetry"]:
                await Host.TelemetryMeasurements.RunAsync();
                return 0;
            case ["measure-kept"]:
                await ResponseMeasurements.RunAsync();
                return 0;
            default:
                // What xunit.v3's generated entry point does.
                return args.Contains("--server") || args.Contains("--internal-msbuild-node")
                    ? await Xunit.MicrosoftTestingPlatform.TestPlatformTestFramework.RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions)
                    : await Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args);
        }
    }
}
