using System.Text.Json;
using System.Text.RegularExpressions;
using OcspCluster.Testing;

namespace OcspCluster.Gateway.Tests.Telemetry;

/// <summary>What is in deploy/grafana: Prometheus takes it, every alert is tried and has an entry in the runbook, and every metric that is named there exists.</summary>
public sealed partial class AlertRulesTests
{
    private static readonly string s_root = FindRoot();
    private static readonly string s_directory = Path.Combine(s_root, "deploy", "grafana");
    private static readonly string s_alerts = File.ReadAllText(Path.Combine(s_directory, "alerts.yml"));
    private static readonly string s_operations = File.ReadAllText(Path.Combine(s_root, "docs", "OPERATIONS.md"));

    [Theory]
    [InlineData("check rules alerts.yml")]
    [InlineData("check config --syntax-only prometheus.yml")]
    [InlineData("test rules alerts.test.yml")]
    public async Task Promtool_FindsNothingWrong(string command)
    {
        ExternalTool? promtool = ExternalTool.Find("promtool");
        Assert.SkipWhen(promtool is null, "This machine has no promtool (Debian: prometheus).");
        ToolResult result = await promtool.RunAsync(command.Split(' '), s_directory);
        Assert.True(result.ExitCode == 0, result.ToString());
    }

    [Fact]
    public void Alerts_EachOfThem_IsSeenToFireByTheTests()
    {
        string tests = File.ReadAllText(Path.Combine(s_directory, "alerts.test.yml"));
        string[] alerts = [.. Alert().Matches(s_alerts).Select(alert => alert.Groups[1].Value)];
        Assert.True(alerts.Length > 10);
        Assert.All(alerts, alert => Assert.Contains($"alertname=\"{alert}\",alertstate=\"firing\"", tests, StringComparison.Ordinal));
    }

    [Fact]
    public void Alerts_EachOfThem_LeadsToAnEntryOfTheRunbook()
    {
        HashSet<string> anchors = [.. Heading().Matches(s_operations).Select(heading => AnchorOf(heading.Groups[1].Value))];
        string[] links = [.. Runbook().Matches(s_alerts).Select(link => link.Groups[1].Value)];
        Assert.Equal(Alert().Count(s_alerts), links.Length);
        Assert.All(links, link => Assert.Contains(link, anchors));
    }

    [Fact]
    public void Findings_EachCode_HasAnEntryOfTheRunbook_AndNoEntryIsOfAnotherCode()
    {
        IEnumerable<string> entries = Entry().Matches(s_operations).Select(entry => entry.Groups[1].Value).Where(code => code != "process.down"); // which is an alert alone
        Assert.Equal(FindingRules.Codes.Order(StringComparer.Ordinal), entries.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Metrics_NamedByAlertsAndDashboard_AreThoseOfTheDocument()
    {
        HashSet<string> documented = [.. DocumentedMetric().Matches(File.ReadAllText(Path.Combine(s_root, "docs", "METRICS.md"))).Select(metric => metric.Groups[1].Value)];
        using JsonDocument dashboard = JsonDocument.Parse(File.ReadAllText(Path.Combine(s_directory, "dashboard.json")));
        string[] queries =
        [
            .. dashboard.RootElement.GetProperty("panels").EnumerateArray()
                .Where(panel => panel.TryGetProperty("targets", out _))
                .SelectMany(panel => panel.GetProperty("targets").EnumerateArray().Select(target => target.GetProperty("expr").GetString()!)),
        ];
        Assert.True(queries.Length > 20);
        string[] named = [.. queries.Append(s_alerts).SelectMany(text => NamedMetric().Matches(text).Select(metric => metric.Value)).Distinct()];
        Assert.All(named, name => Assert.Contains(HistogramSuffix().Replace(name, ""), documented));
    }

    [Fact]
    public void Outcomes_OfTheDocument_AreAllWaysToAnswer()
    {
        string document = File.ReadAllText(Path.Combine(s_root, "docs", "METRICS.md"));
        string table = document[document.IndexOf("| `answer` | `outcome` |", StringComparison.Ordinal)..];
        Dictionary<string, string> documented = [];
        foreach (Match row in OutcomeRow().Matches(table[..table.IndexOf("\n\n", StringComparison.Ordinal)]).Skip(1)) // the first is of what signed answers say
        {
            foreach (Match outcome in InBackticks().Matches(row.Groups[2].Value))
            {
                documented.Add(outcome.Groups[1].Value, row.Groups[1].Value);
            }
        }

        IEnumerable<int> unsigned = Enumerable.Range(0, RequestTally.ResultCount).Where(result => RequestTally.AnswerOf(result) is not ("good" or "revoked" or "unknown" or "several"));
        Assert.Equal(
            unsigned.Select(result => (RequestTally.NameOf(result), RequestTally.AnswerOf(result))).Order(),
            documented.Select(outcome => (outcome.Key, outcome.Value)).Order());
    }

    // As GitHub makes anchors: small letters, blanks as hyphens, nothing else but letters and digits.
    private static string AnchorOf(string heading) =>
        string.Concat(heading.ToLowerInvariant().Where(c => char.IsAsciiLetterOrDigit(c) || c is ' ' or '-')).Replace(' ', '-');

    private static string FindRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "OcspCluster.sln")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException("These tests read the repository: run them in a checkout of it.");
    }

    [GeneratedRegex(@"- alert: (\w+)")]
    private static partial Regex Alert();

    [GeneratedRegex(@"runbook_url: docs/OPERATIONS\.md#(\S+)")]
    private static partial Regex Runbook();

    [GeneratedRegex("^#+ (.+)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"^### (\w+\.\w+)$", RegexOptions.Multiline)]
    private static partial Regex Entry();

    [GeneratedRegex(@"\| `(ocsp_[a-z_]+)` \|")]
    private static partial Regex DocumentedMetric();

    [GeneratedRegex(@"\bocsp_[a-z_]+\b")]
    private static partial Regex NamedMetric();

    [GeneratedRegex(@"^\| `(\w+)`[^|]* \| ([^|]+) \|$", RegexOptions.Multiline)]
    private static partial Regex OutcomeRow();

    [GeneratedRegex("`([A-Za-z]+)`")]
    private static partial Regex InBackticks();

    [GeneratedRegex("_(bucket|count|sum)$")]
    private static partial Regex HistogramSuffix();
}
