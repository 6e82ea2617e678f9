using System.CommandLine;
using OcspCluster.Hosting;
using OcspCluster.Hosting.Configuration;

namespace OcspCluster.Silo.Host;

/// <summary>The program's verbs and options.</summary>
internal static class SiloCommandLine
{
    private static readonly Option<string?> s_redis = new("--redis") { Description = "Where Redis is, as StackExchange.Redis writes it (key Redis:Configuration; default: 127.0.0.1:6379)", HelpName = "HOST:PORT", Recursive = true };
    private static readonly Option<string?> s_siloPort = new("--silo-port") { Description = "The port for the other silos (key Cluster:SiloPort; default: 11111)", HelpName = "PORT" };
    private static readonly Option<string?> s_gatewayPort = new("--gateway-port") { Description = "The port for Orleans clients (key Cluster:GatewayPort; default: 30000; 0 for none)", HelpName = "PORT" };
    private static readonly Option<string?> s_role = new("--role") { Description = "signer, or gateway for a silo without private keys (key Cluster:Role; default: signer)", HelpName = "ROLE" };
    private static readonly Option<string?> s_cluster = new("--cluster") { Description = "The cluster's name (key Cluster:ClusterId; default: ocsp)", HelpName = "NAME" };

    /// <summary>Runs the program.</summary>
    /// <returns>The exit code, one of <see cref="ExitCodes"/>.</returns>
    public static Task<int> RunAsync(string[] args)
    {
        RootCommand root = new("An OCSP responder on as many silos as you start, over one Redis. Without configuration it makes a demo CA and answers for it.")
        {
            s_redis, s_siloPort, s_gatewayPort, s_role, s_cluster,
            HostCommandLine.Config, HostCommandLine.Data, HostCommandLine.Ocsp, HostCommandLine.Admin, HostCommandLine.Set,
        };
        root.Add(HostCommandLine.CreateKeysCommand(ReadSettings, RedisApiKeys.OpenAsync));
        root.SetAction((ParseResult result, CancellationToken _) => HostCommandLine.GuardAsync(() => RunAsync(ReadSettings(result), Console.Out)));
        return HostCommandLine.RunAsync(root, args);
    }

    private static Task<int> RunAsync(Settings settings, TextWriter output)
    {
        SiloHostOptions options = SiloHostOptions.Read(settings, TimeProvider.System.GetUtcNow());
        return HostRun.RunAsync(options.Responder, async () => await SiloHost.StartAsync(options, TimeProvider.System).ConfigureAwait(false), output);
    }

    private static Settings ReadSettings(ParseResult result) => HostCommandLine.ReadSettings(
        result,
        ("Redis:Configuration", result.GetValue(s_redis)),
        ("Cluster:SiloPort", result.GetValue(s_siloPort)),
        ("Cluster:GatewayPort", result.GetValue(s_gatewayPort)),
        ("Cluster:Role", result.GetValue(s_role)),
        ("Cluster:ClusterId", result.GetValue(s_cluster)));
}
