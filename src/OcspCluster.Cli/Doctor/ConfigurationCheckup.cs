using System.CommandLine;
using System.Globalization;
using OcspCluster.Authority;
using OcspCluster.Hosting.Audit;
using OcspCluster.Hosting.Configuration;

namespace OcspCluster.Cli;

/// <summary>Looks at a configuration as the host would read it, and at the data directory.</summary>
internal static class ConfigurationCheckup
{
    private const long LittleSpaceBytes = 1L << 30;
    private const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;
    private static readonly string[] s_secrets = ["admin.key", JournalKeyFile.PrivateFileName, "keys.json"];

    /// <summary>What is found.</summary>
    public static IEnumerable<Finding> Run(ParseResult parsed, TimeProvider clock)
    {
        List<Finding> findings = [];
        try
        {
            Settings settings = LocalData.ReadSettings(parsed);
            ResponderOptions options = ResponderOptions.Read(settings, clock.GetUtcNow());
            findings.Add(Finding.Ok("configuration", options.Issuers.Count == 0
                ? "It can be used; no issuer is configured, so the demo CA would be answered for."
                : $"It can be used: {string.Join(", ", options.Issuers.Select(issuer => issuer.Id))}."));
            findings.AddRange(options.Warnings.Select(warning => Finding.Warning("configuration", warning.ToString(), "Mend it in the configuration; docs/OPERATIONS.md has every key.")));
            foreach (Issuer issuer in options.Issuers)
            {
                findings.AddRange(CredentialRules.FindWarnings(issuer, clock.GetUtcNow()).Select(warning => Finding.Warning($"issuer '{issuer.Id}'", Sentence(warning), "Renew the certificate, and put it in place of the old one; it is picked up without a restart.")));
            }

            findings.AddRange(LookAt(options.DataDirectory));
            foreach (SigningCredential credential in options.Issuers.SelectMany(issuer => issuer.Credentials))
            {
                credential.Dispose();
            }
        }
        catch (ConfigurationException e)
        {
            IEnumerable<string> problems = e.Problems.Count > 0 ? e.Problems.Select(problem => problem.ToString()) : [e.Message];
            findings.AddRange(problems.Select(problem => Finding.Critical("configuration", problem, "The host does not start with it: mend it; docs/OPERATIONS.md has every key.")));
        }

        return findings;
    }

    private static IEnumerable<Finding> LookAt(string directory)
    {
        if (!Directory.Exists(directory))
        {
            yield return Finding.Warning("data directory", $"'{directory}' is not there yet.", "The first start makes it; else name the right one: --data DIR.");
            yield break;
        }

        foreach (string file in s_secrets.Select(name => Path.Combine(directory, name)))
        {
            if (!OperatingSystem.IsWindows() && File.Exists(file) && (File.GetUnixFileMode(file) & Others) != 0)
            {
                yield return Finding.Critical("data directory", $"Others than its owner may use '{file}'.", $"chmod 600 '{file}'; if they may have read it, make a new one.");
            }
        }

        DriveInfo disk = new(directory);
        string free = string.Create(CultureInfo.InvariantCulture, $"{disk.AvailableFreeSpace / 1_000_000_000.0:0.0} GB are free for '{directory}'.");
        yield return disk.AvailableFreeSpace < LittleSpaceBytes
            ? Finding.Warning("data directory", free, "Make room: without any no event is acknowledged (answers go on).")
            : Finding.Ok("data directory", free);
    }

    private static string Sentence(string text) => $"{char.ToUpperInvariant(text[0])}{text[1..]}.";
}
