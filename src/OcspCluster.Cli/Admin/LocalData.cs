using System.CommandLine;
using OcspCluster.Authority;
using OcspCluster.Gateway;
using OcspCluster.Hosting;
using OcspCluster.Hosting.Configuration;

namespace OcspCluster.Cli;

/// <summary>What is done to a data directory here, by the host's own code.</summary>
internal static class LocalData
{
    /// <summary>The configuration that --config and --data name.</summary>
    public static Settings ReadSettings(ParseResult parsed, params IEnumerable<KeyValuePair<string, string?>> more) =>
        Settings.Load(parsed.GetValue(AdminSettings.Config), [.. parsed.GetValue(AdminSettings.Data) is string data ? [KeyValuePair.Create("Data", (string?)data)] : Array.Empty<KeyValuePair<string, string?>>(), .. more]);

    /// <summary>What the host's code says is wrong becomes what this tool says.</summary>
    public static async Task<T> GuardAsync<T>(Func<Task<T>> work)
    {
        try
        {
            return await work().ConfigureAwait(false);
        }
        catch (ConfigurationException e)
        {
            throw new CommandFailure(e.Message, ExitCode.Usage);
        }
        catch (Exception e) when (e is RevocationStoreException or HostStartException or ApiKeyStoreException)
        {
            throw new CommandFailure(e.Message);
        }
    }
}
