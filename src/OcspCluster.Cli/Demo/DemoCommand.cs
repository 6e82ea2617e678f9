using System.CommandLine;
using OcspCluster.Hosting.Configuration;
using OcspCluster.Standalone;

namespace OcspCluster.Cli;

/// <summary>The verb <c>demo</c>: the standalone host with its demo CA, in this process.</summary>
internal sealed class DemoCommand : Command
{
    private readonly Option<string> _data = new("--data") { Description = "The data directory; what is in it is used again", HelpName = "DIR", DefaultValueFactory = _ => "data" };
    private readonly Option<string> _ocsp = new("--ocsp") { Description = "Where OCSP is answered; port 0 takes a free one", HelpName = "URL", DefaultValueFactory = _ => "http://127.0.0.1:8080" };
    private readonly Option<string> _admin = new("--admin") { Description = "Where the admin API is; port 0 takes a free one", HelpName = "URL", DefaultValueFactory = _ => "http://127.0.0.1:8081" };

    public DemoCommand(Screen screen)
        : base("demo", "Run a responder with a demo CA here, until Ctrl-C; it prints what to try")
    {
        Add(_data);
        Add(_ocsp);
        Add(_admin);
        SetAction((parsed, _) => CommandLine.GuardAsync(screen, () => LocalData.GuardAsync(async () =>
        {
            // Nothing of a configuration that may lie in the working directory: that would be no demo.
            Settings settings = Settings.FromKeys(
            [
                KeyValuePair.Create("Data", (string?)Path.GetFullPath(parsed.GetRequiredValue(_data))),
                KeyValuePair.Create("Ocsp:Url", (string?)parsed.GetRequiredValue(_ocsp)),
                KeyValuePair.Create("Admin:Url", (string?)parsed.GetRequiredValue(_admin)),
            ]);
            await StandaloneRun.RunAsync(settings, screen.Output).ConfigureAwait(false);
            return ExitCode.Good;
        })));
    }
}
