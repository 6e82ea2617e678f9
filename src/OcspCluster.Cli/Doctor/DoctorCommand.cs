using System.CommandLine;
using System.Globalization;
using System.Text.Json;

namespace OcspCluster.Cli;

/// <summary>The verb <c>doctor</c>: looks at a responder's configuration, at the responder itself, and at how relying parties reach it.</summary>
internal sealed class DoctorCommand : AdminCommand
{
    private readonly TimeProvider _clock;
    private readonly Option<string[]> _url = new("--url") { Description = "Where relying parties ask, as their certificates say; asked by GET and POST from here; may be repeated", HelpName = "URL" };
    private readonly Option<bool> _strict = new("--strict") { Description = "End with 4 for warnings, too" };
    private readonly Option<bool> _offline = new("--offline") { Description = "Look at configuration and data directory only; no responder is asked" };

    public DoctorCommand(Screen screen, TimeProvider clock)
        : base(screen, "doctor", "Find what is wrong, or will be, with a responder: configuration, clocks, keys, certificates, store, deliveries, and reachability; each with its cure")
    {
        _clock = clock;
        Take([_url, AdminSettings.Config, AdminSettings.Data, _offline, _strict, .. AdminSettings.All]);
    }

    protected override async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        List<Finding> findings = [];
        if (parsed.GetValue(AdminSettings.Config) is not null || parsed.GetValue(AdminSettings.Data) is not null || parsed.GetValue(_offline))
        {
            findings.AddRange(ConfigurationCheckup.Run(parsed, _clock));
        }

        if (!parsed.GetValue(_offline))
        {
            using AdminApi api = AdminSettings.Open(parsed);
            ResponderCheckup responder = new(api, _clock);
            findings.AddRange(await responder.RunAsync(cancellationToken).ConfigureAwait(false));
            Uri[] urls = [.. (parsed.GetValue(_url) ?? []).Select(url => ClientSettings.ReadUrl("--url", url))];
            if (urls.Length == 0)
            {
                findings.Add(Finding.Warning("reachability", "It was not tried as relying parties do.", "Name where they ask, as the certificates' AIA says: --url URL; best from a machine outside."));
            }

            foreach (Uri url in urls)
            {
                findings.AddRange(await new ReachCheckup(url, TimeSpan.FromSeconds(parsed.GetValue(ClientSettings.Timeout)), _clock).RunAsync(responder.Issuers, cancellationToken).ConfigureAwait(false));
            }
        }

        Print(findings, IsJson(parsed));
        return findings.Any(finding => finding.Severity == Severity.Critical || (parsed.GetValue(_strict) && finding.Severity == Severity.Warning)) ? ExitCode.NotDone : ExitCode.Good;
    }

    private void Print(List<Finding> findings, bool isJson)
    {
        if (isJson)
        {
            findings.ForEach(finding => Screen.Output.WriteLine(JsonSerializer.Serialize(finding, CheckJson.Options)));
            return;
        }

        foreach (Finding finding in findings.OrderByDescending(finding => finding.Severity))
        {
            string word = finding.Severity.ToString().ToLowerInvariant();
            if (!Screen.IsTerminal)
            {
                Screen.Output.WriteLine(string.Join('\t', new[] { word, finding.Area, finding.Message, finding.Cure ?? "" }.Select(Printable.Of)));
                continue;
            }

            Screen.Field(word, $"{finding.Area}: {finding.Message}", labelStyle: Styles.OfWord(word));
            if (finding.Cure is string cure)
            {
                Screen.Field("  cure", cure);
            }
        }

        int Count(Severity severity) => findings.Count(finding => finding.Severity == severity);
        if (Screen.IsTerminal)
        {
            Screen.Line(string.Create(CultureInfo.InvariantCulture, $"{Count(Severity.Critical)} critical, {Count(Severity.Warning)} {(Count(Severity.Warning) == 1 ? "warning" : "warnings")}, {Count(Severity.Ok)} well"));
        }
    }
}
