using System.CommandLine;
using OcspCluster.Authority;
using OcspCluster.Gateway;
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
    private static readonly Option<string?> s_config = new("--config") { Description = "The configuration file, JSON (default: appsettings.json of the working directory, if there)", HelpName = "FILE", Recursive = true };
    private static readonly Option<string?> s_data = new("--data") { Description = "The data directory (key Data; default: data)", HelpName = "DIR", Recursive = true };
    private static readonly Option<string?> s_ocsp = new("--ocsp") { Description = "Where OCSP is answered (key Ocsp:Url; default: http://127.0.0.1:8080)", HelpName = "URL" };
    private static readonly Option<string?> s_admin = new("--admin") { Description = "Where health is told (key Admin:Url; default: http://127.0.0.1:8081)", HelpName = "URL" };
    private static readonly Option<string[]> s_set = new("--set") { Description = "Any configuration key, as --set Ocsp:MaxCertIds=8; may be repeated", HelpName = "KEY=VALUE", Recursive = true };
    private static readonly Option<string> s_issuer = new("--issuer") { Description = "The id of the issuer whose index it is", HelpName = "ID", Required = true };
    private static readonly Option<FileInfo> s_index = new("--index") { Description = "The index.txt of 'openssl ca'", HelpName = "FILE", Required = true };
    private static readonly Option<string> s_planned = new("--issuer") { Description = "The id of the issuer whose key is measured", HelpName = "ID", Required = true };
    private static readonly Option<long?> s_certificates = new("--certificates") { Description = "How many certificates to plan for (default: those in the store, of a stopped responder)", HelpName = "N" };
    private static readonly Option<bool> s_dryRun = new("--dry-run") { Description = "Tell what would be recorded, and record nothing" };

    private static readonly Option<string> s_name = new("--name") { Description = "What you call the key", HelpName = "NAME", Required = true };
    private static readonly Option<string[]> s_scope = new("--scope") { Description = "What it allows: read, feed or operator, for one issuer as feed:ID, for all without; may be repeated", HelpName = "SCOPE", Required = true };
    private static readonly Option<int?> s_days = new("--days") { Description = "How long it is taken (default: for ever)", HelpName = "N" };
    private static readonly Argument<string> s_keyId = new("ID") { Description = "The part of the key before the point" };

    /// <summary>Runs the program.</summary>
    /// <returns>The exit code, one of <see cref="ExitCodes"/>.</returns>
    public static async Task<int> RunAsync(string[] args)
    {
        RootCommand root = new("An OCSP responder in one process on one disk. Without configuration it makes a demo CA and answers for it.") { s_config, s_data, s_ocsp, s_admin, s_set };
        Command import = new("import", "Bring the certificates of an OpenSSL index.txt into the store of a stopped responder; may be run again at any time") { s_issuer, s_index, s_dryRun };
        root.Add(import);
        root.Add(AuditCommand.Create(ReadSettings, GuardAsync));
        Command plan = new("plan", "Measure the key of an issuer, and tell whether it keeps the answers for so many certificates fresh") { s_planned, s_certificates };
        root.Add(plan);
        plan.SetAction((ParseResult result, CancellationToken _) => GuardAsync(() => PlanRun.RunAsync(
            ReadSettings(result), result.GetRequiredValue(s_planned), result.GetValue(s_certificates), Console.Out)));
        Command createKey = new("create", "Make a key and print it, this once") { s_name, s_scope, s_days };
        Command listKeys = new("list", "Show the keys without their secrets");
        Command revokeKey = new("revoke", "Revoke a key: it is refused from the next request on") { s_keyId };
        root.Add(new Command("keys", "Make, list and revoke keys of the admin API; the responder may run meanwhile") { createKey, listKeys, revokeKey });
        createKey.SetAction((ParseResult result, CancellationToken _) => GuardAsync(() => Task.FromResult(KeysRun.Create(
            ReadSettings(result), result.GetRequiredValue(s_name), result.GetRequiredValue(s_scope), result.GetValue(s_days), Console.Out))));
        listKeys.SetAction((ParseResult result, CancellationToken _) => GuardAsync(() => Task.FromResult(KeysRun.List(ReadSettings(result), Console.Out))));
        revokeKey.SetAction((ParseResult result, CancellationToken _) => GuardAsync(() => Task.FromResult(KeysRun.Revoke(ReadSettings(result), result.GetRequiredValue(s_keyId), Console.Out))));
        root.SetAction((ParseResult result, CancellationToken _) => GuardAsync(() => StandaloneRun.RunAsync(ReadSettings(result), Console.Out)));
        import.SetAction((ParseResult result, CancellationToken _) => GuardAsync(() => IndexImportRun.RunAsync(
            ReadSettings(result), result.GetRequiredValue(s_issuer), result.GetRequiredValue(s_index), result.GetValue(s_dryRun), Console.Out, Console.Error)));

        ParseResult parsed = root.Parse(args);

        // Signals are the host's: it drains before it ends. Exceptions that nobody expects keep their stack for the bug report.
        int exitCode = await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null, EnableDefaultExceptionHandler = false }).ConfigureAwait(false);
        return parsed.Errors.Count > 0 ? ExitCodes.Configuration : exitCode;
    }

    private static Settings ReadSettings(ParseResult result)
    {
        Dictionary<string, string?> keys = new(StringComparer.OrdinalIgnoreCase);
        List<ConfigurationProblem> problems = [];
        foreach (string assignment in result.GetValue(s_set) ?? [])
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

        Set("Data", result.GetValue(s_data));
        Set("Ocsp:Url", result.GetValue(s_ocsp));
        Set("Admin:Url", result.GetValue(s_admin));
        return problems.Count > 0 ? throw new ConfigurationException(problems) : Settings.Load(result.GetValue(s_config), keys);

        void Set(string key, string? value)
        {
            if (value is not null)
            {
                keys[key] = value;
            }
        }
    }

    /// <summary>What an operator can mend is told in words, without a stack.</summary>
    private static async Task<int> GuardAsync(Func<Task<int>> run)
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
