namespace OcspCluster.Dashboard.Tests;

/// <summary>Runs the tests; or measures the page against a host that runs, when the first argument says so.</summary>
internal static class Program
{
    private static async Task<int> Main(string[] args)
    {
        if (args is ["measure", string url, string keyFile, string processId])
        {
            await PageMeasurements.RunAsync(new Uri(url), (await File.ReadAllTextAsync(keyFile)).Trim(), int.Parse(processId, System.Globalization.CultureInfo.InvariantCulture));
            return 0;
        }

        // What xunit.v3's generated entry point does.
        return args.Contains("--server") || args.Contains("--internal-msbuild-node")
            ? await Xunit.MicrosoftTestingPlatform.TestPlatformTestFramework.RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions)
            : await Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args);
    }
}
