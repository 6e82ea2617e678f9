using OcspCluster.Benchmarks.Macro;

namespace OcspCluster.Benchmarks;

/// <summary>Runs the tests; or the measurements of <c>./bench.sh</c>, or the bare server that they compare with, when the first argument says so.</summary>
internal static class Program
{
    private static async Task<int> Main(string[] args)
    {
        switch (args)
        {
            case [BareServer.Verb, string answer]:
                await BareServer.RunAsync(answer);
                return 0;
            case ["macro", .. string[] options]:
                return await MacroCommand.RunAsync(options);
            case [Feed.BulkImport.Verb, string events]:
                return await Feed.BulkImport.RunAsync(events);
            case ["feed", .. string[] options]:
                return await Feed.FeedCommand.RunAsync(options);
            case ["scale", .. string[] options]:
                return await Scale.ScaleCommand.RunAsync(options);
            case ["edge", .. string[] options]:
                return await Edge.EdgeCommand.RunAsync(options);
            case ["overload", .. string[] options]:
                return await Overload.OverloadCommand.RunAsync(options);
            case ["micro", .. string[] options]:
                return await Micro.MicroCommand.RunAsync(options);
            default:
                // What xunit.v3's generated entry point does.
                return args.Contains("--server") || args.Contains("--internal-msbuild-node")
                    ? await Xunit.MicrosoftTestingPlatform.TestPlatformTestFramework.RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions)
                    : await Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args);
        }
    }
}
