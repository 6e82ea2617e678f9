using System.CommandLine;
using OcspCluster.Authority;
using OcspCluster.Gateway;
using OcspCluster.Hosting.Configuration;
using OcspCluster.Hosting.Keys;

namespace OcspCluster.Hosting;

/// <summary>The options that every host's command line has, what it makes of them, and the verbs that are the same everywhere.</summary>
internal static class HostCommandLine
{
    /// <summary>The configuration file.</summary>
    public static Option<string?> Config { get; } = new("--config") { Description = "The configuration file, JSON (default: appsettings.json of the working directory, if there)", HelpName = "FILE", Recursive = true };

    /// <summary>The data directory.</summary>
    public static Option<string?> Data { get; } = new("--data") { Description = "The data directory (key Data; default: data)", HelpName = "DIR", Recursive = true };

    /// <summary>The OCSP listener.</summary>
    public static Option<string?> Ocsp { get; } = new("--ocsp") { Description = "Where OCSP is answered (key Ocsp:Url; default: http://127.0.0.1:8080)", HelpName = "URL" };

    /// <summary>The admin listener.</summary>
    public static Option<string?> Admin { get; } = new("--admin") { Description = "Where health is told (key Admin:Url; default: http://127.0.0.1:8081)", HelpName = "URL" };

    /// <summary>Any key.</summary>
    public static Option<string[]> Set { get; } = new("--set") { Description = "Any configuration key, as --set Ocsp:MaxCertIds=8; may be repeated", HelpName = "KEY=VALUE", Recursive = true };

    private static readonly Option<string> s_name = new("--name") { Description = "What you call the key", HelpName = "NAME", Required = true };
    private static readonly Option<string[]> s_scope = new("--scope") { Description = "What it allows: read, feed or operator, for one issuer as feed:ID, for all without; may be repeated", HelpName = "SCOPE", Required = true };
    private static readonly Option<int?> s_days = new("--days") { Description = "How long it is taken (default: for ever)", HelpName = "N" };
    private static readonly Argument<string> s_keyId = new("ID") { Description = "The part of the key before the point" };

    /// <summary>Runs a program.</summary>
    /// <returns>The exit code, one of <see cref="ExitCodes"/>.</returns>
    public static async Task<int> RunAsync(RootCommand root, string[] args)
    {
        ParseResult parsed = root.Parse(args);

        // Signals are the host's: it drains before it ends. Exceptions that nobody expects keep their stack for the bug report.
        int exitCode = await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null, EnableDefaultExceptionHandler = false }).ConfigureAwait(false);
        return parsed.Errors.Count > 0 ? ExitCodes.Configuration : exitCode;
    }

    /// <summary>The verb <c>keys</c>.</summary>
    /// <param name="read">Reads the configuration.</param>
    /// <param name="open">Opens the keys that it names.</param>
    public static Command CreateKeysCommand(Func<ParseResult, Settings> read, Func<Settings, Task<ApiKeyStore>> open)
    {
        Command create = new("create", "Make a key and print it, this once") { s_name, s_scope, s_days };
        Command list = new("list", "Show the keys without their secrets");
        Command revoke = new("revoke", "Revoke a key: it is refused from the next request on") { s_keyId };
        create.SetAction((ParseResult result, CancellationToken _) => GuardAsync(() => KeysRun.CreateAsync(
            () => open(read(result)), result.GetRequiredValue(s_name), result.GetRequiredValue(s_scope), result.GetValue(s_days), Console.Out)));
        list.SetAction((ParseResult result, CancellationToken _) => GuardAsync(() => KeysRun.ListAsync(() => open(read(result)), Console.Out)));
        revoke.SetAction((ParseResult result, CancellationToken _) => GuardAsync(() => KeysRun.RevokeAsync(() => open(read(result)), result.GetRequiredValue(s_keyId), Console.Out)));
        return new Command("keys", "Make, list and revoke keys of the admin API; the responder may run meanwhile") { create, list, revoke };
    }

    /// <summary>The configuration that the command line names, with what it sets itself.</summary>
    /// <param name="result">The command line.</param>
    /// <param name="more">Options of this host alone, each with its key.</param>
    /// <exception cref="ConfigurationException">It cannot be read.</exception>
    public static Settings ReadSettings(ParseResult result, params IEnumerable<(string Key, string? Value)> more)
    {
        Dictionary<string, string?> keys = new(StringComparer.OrdinalIgnoreCase);
        List<ConfigurationProblem> problems = [];
        foreach (string assignment in result.GetValue(Set) ?? [])
        {
            int equals = assignment.IndexOf('=', StringComparison.Ordinal);
            if (equals < 1)
            {
                problems.Add(new("--set", assignment, "is not KEY=VALUE, such as Ocsp:MaxCertIds=8"));
            }
            else
            {
                keys[assignment[..equals]] = assignment[(equals + 1)..];
            }
        }

        foreach ((string key, string? value) in more.Concat([("Data", result.GetValue(Data)), ("Ocsp:Url", result.GetValue(Ocsp)), ("Admin:Url", result.GetValue(Admin))]))
        {
            if (value is not null)
            {
                keys[key] = value;
            }
        }

        return problems.Count > 0 ? throw new ConfigurationException(problems) : Settings.Load(result.GetValue(Config), keys);
    }

    /// <summary>What an operator can mend is told in words, without a stack.</summary>
    public static async Task<int> GuardAsync(Func<Task<int>> run)
    {
        try
        {
            return await run().ConfigureAwait(false);
        }
        catch (ConfigurationException e)
        {
            await Console.Error.WriteLineAsync(e.Message).ConfigureAwait(false);
            return ExitCodes.Configuration;
        }
        catch (Exception e) when (e is RevocationStoreException or HostStartException or ApiKeyStoreException)
        {
            await Console.Error.WriteLineAsync(e.Message).ConfigureAwait(false);
            return ExitCodes.Unavailable;
        }
    }
}
