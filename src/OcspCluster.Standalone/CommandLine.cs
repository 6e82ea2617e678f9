using System.CommandLine;
using OcspCluster.Hosting;
using OcspCluster.Hosting.Configuration;
using OcspCluster.Hosting.Keys;
using OcspCluster.Standalone.Audit;
using OcspCluster.Standalone.Import;
using OcspCluster.Standalone.Plan;

namespace OcspCluster.Standalone;

/// <summary>The program's verbs and options.</summary>
internal static class CommandLine
{
    private static readonly Option<string> s_planned = new("--issuer") { Description = "The id of the issuer whose key is measured", HelpName = "ID", Required = true };
    private static readonly Option<long?> s_certificates = new("--certificates") { Description = "How many certificates to plan for (default: those in the store, of a stopped responder)", HelpName = "N" };

    /// <summary>Runs the program.</summary>
    /// <returns>The exit code, one of <see cref="ExitCodes"/>.</returns>
    public static async Task<int> RunAsync(string[] args)
    {
        RootCommand root = new("An OCSP responder in one process on one disk. Without configuration it makes a demo CA and answers for it.")
        {
            HostCommandLine.Config, HostCommandLine.Data, HostCommandLine.Ocsp, HostCommandLine.Admin, HostCommandLine.Set,
        };
        root.Add(ImportCommand.Create(ReadSettings, GuardAsync));
        root.Add(AuditCommand.Create(ReadSettings, GuardAsync));
        Command plan = new("plan", "Measure the key of an issuer, and tell whether it keeps the answers for so many certificates fresh") { s_planned, s_certificates };
        root.Add(plan);
        plan.SetAction((ParseResult result, CancellationToken _) => GuardAsync(() => PlanRun.RunAsync(
            ReadSettings(result), result.GetRequiredValue(s_planned), result.GetValue(s_certificates), Console.Out)));
        root.Add(HostCommandLine.CreateKeysCommand(ReadSettings, settings => Task.FromResult(KeysRun.Open(settings))));
        root.SetAction((ParseResult result, CancellationToken _) => GuardAsync(() => StandaloneRun.RunAsync(ReadSettings(result), Console.Out)));

        return await HostCommandLine.RunAsync(root, ImportCommand.Expand(args)).ConfigureAwait(false);
    }

    private static Settings ReadSettings(ParseResult result) => HostCommandLine.ReadSettings(result);

    private static Task<int> GuardAsync(Func<Task<int>> run) => HostCommandLine.GuardAsync(run);
}
