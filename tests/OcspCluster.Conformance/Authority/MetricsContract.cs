using System.Net;
using System.Text.RegularExpressions;
using static OcspCluster.Conformance.Questions;

namespace OcspCluster.Conformance;

/// <summary>What Prometheus scrapes, and that docs/METRICS.md says so.</summary>
public abstract partial class MetricsContract(SharedHosts shared) : AuthorityContract(shared)
{
    /// <summary>Whether the rows for the cluster host are to be there.</summary>
    protected abstract bool IsCluster { get; }

    [Fact]
    public async Task Metrics_OfARunningHost_AreThoseOfTheDocument()
    {
        IAuthorityHost host = await AuthorityAsync();
        (await host.AskAsync(AskAlpha(Known.Good))).MustBe(Successful);
        Assert.Equal(["applied"], (await PostAsync(host, Json("m-" + NewSerial(), NewSerial(), "issued"))).Outcomes);
        Scrape scrape = Scrape.Read(await ReadAsync(host));

        string[] served = [.. scrape.Types.Keys.Where(name => name.StartsWith("ocsp_", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];
        Row[] rows = [.. ReadDocument(IsCluster)];
        Assert.Equal(rows.Select(row => row.Name).Order(StringComparer.Ordinal), served);
        Assert.All(rows, row =>
        {
            Assert.Equal(row.Type, scrape.Types[row.Name]);
            Assert.Equal(row.Description, scrape.Help[row.Name]);
            Assert.All(scrape.LabelsOf(row.Name), labels => Assert.Equal(row.Labels, labels));
        });
    }

    [Fact]
    public async Task Metrics_AreWhatPrometheusReads()
    {
        IAuthorityHost host = await AuthorityAsync();
        (await host.AskAsync(AskAlpha(Known.Good))).MustBe(Successful);
        (await host.AskAsync(AskAlpha(Known.Unissued))).MustBe(Unauthorized);
        ApiAnswer answer = await SendAsync(host, HttpMethod.Get, "/metrics", ReadKey(host));

        Assert.Equal("text/plain", answer.MediaType);
        Assert.Contains("version=0.0.4", answer.Headers["Content-Type"], StringComparison.Ordinal);
        string[] lines = answer.Body.Split('\n');
        Assert.Equal("", lines[^1]); // the last one ends, too
        Assert.All(lines[..^1], line => Assert.Matches(Line(), line));
        Scrape scrape = Scrape.Read(answer.Body);
        Assert.True(scrape.ValueOf("ocsp_requests_total{answer=\"unauthorized\",outcome=\"neverIssued\",source=\"refused\"}") >= 1);
        Assert.Equal(scrape.ValueOf("ocsp_request_duration_seconds_count"), scrape.ValueOf("ocsp_request_duration_seconds_bucket{le=\"+Inf\"}"));
        Assert.Contains(scrape.Types.Keys, name => name.StartsWith("dotnet_gc_", StringComparison.Ordinal)); // System.Runtime
        Assert.DoesNotContain("127.0.0.1", answer.Body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, HttpStatusCode.Unauthorized)]
    [InlineData("feed", HttpStatusCode.Forbidden)]
    [InlineData("read:alpha", HttpStatusCode.Forbidden)] // they are of all issuers
    public async Task Metrics_ForWhoMayNotReadAllIssuers_AreRefused(string? scope, HttpStatusCode status)
    {
        IAuthorityHost host = await AuthorityAsync();
        (await SendAsync(host, HttpMethod.Get, "/metrics", scope is null ? null : host.CreateKey(scope))).MustBeProblem(status);
    }

    [Fact]
    public async Task Metrics_WhereTheyNeedNoKey_AreForAnybodyOnTheAdminListener()
    {
        IAuthorityHost host = await OwnAuthorityAsync(("Admin:MetricsNeedKey", "false"));
        Assert.Equal(HttpStatusCode.OK, (await SendAsync(host, HttpMethod.Get, "/metrics", key: null)).Status);
        (await SendAsync(host, HttpMethod.Get, "/v1/overview", key: null)).MustBeProblem(HttpStatusCode.Unauthorized);
    }

    private static async Task<string> ReadAsync(IAuthorityHost host)
    {
        ApiAnswer answer = await SendAsync(host, HttpMethod.Get, "/metrics", ReadKey(host));
        Assert.True(answer.Status == HttpStatusCode.OK, answer.Body);
        return answer.Body;
    }

    private static IEnumerable<Row> ReadDocument(bool isCluster)
    {
        string document = File.ReadAllText(FindDocument());
        int cluster = document.IndexOf("# The cluster host only", StringComparison.Ordinal);
        return from Match row in DocumentRow().Matches(isCluster ? document : document[..cluster])
               select new Row(
                   row.Groups["name"].Value,
                   row.Groups["type"].Value,
                   row.Groups["labels"].Value.Split(", ", StringSplitOptions.RemoveEmptyEntries),
                   row.Groups["description"].Value);
    }

    private static string FindDocument()
    {
        string? directory = AppContext.BaseDirectory;
        while (directory is not null && !File.Exists(Path.Combine(directory, "OcspCluster.sln")))
        {
            directory = Path.GetDirectoryName(directory);
        }

        return Path.Combine(directory ?? throw new InvalidOperationException("The tests do not run within the repository."), "docs", "METRICS.md");
    }

    [GeneratedRegex("""^\| `ocsp[^`]*` \| `(?<name>[^`]+)` \| (?<type>\w+) \| [^|]* \| (?<labels>[^|]*?) ?\| (?<description>[^|]+?) \|$""", RegexOptions.Multiline)]
    private static partial Regex DocumentRow();

    [GeneratedRegex("""^(# (HELP|TYPE) [a-z_][a-z0-9_]* .*|[a-z_][a-z0-9_]*(\{[a-z_]+="[^"\n]*"(,[a-z_]+="[^"\n]*")*\})? -?[0-9.]+(e[+-][0-9]+)?)$""")]
    private static partial Regex Line();

    private sealed record Row(string Name, string Type, string[] Labels, string Description);

    /// <summary>What was scraped.</summary>
    private sealed partial class Scrape
    {
        private readonly List<(string Series, double Value)> _values = [];

        public Dictionary<string, string> Types { get; } = [];

        public Dictionary<string, string> Help { get; } = [];

        public static Scrape Read(string text)
        {
            Scrape scrape = new();
            foreach (string line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            {
                string[] words = line.Split(' ', 4);
                if (line.StartsWith("# HELP", StringComparison.Ordinal))
                {
                    scrape.Help.Add(words[2], words[3]);
                }
                else if (line.StartsWith("# TYPE", StringComparison.Ordinal))
                {
                    scrape.Types.Add(words[2], words[3]);
                }
                else
                {
                    int space = line.LastIndexOf(' ');
                    scrape._values.Add((line[..space], double.Parse(line[(space + 1)..], System.Globalization.CultureInfo.InvariantCulture)));
                }
            }

            return scrape;
        }

        public double ValueOf(string series) => _values.Single(value => value.Series == series).Value;

        /// <summary>The names of the labels of each series.</summary>
        public IEnumerable<string[]> LabelsOf(string name) =>
            from value in _values
            where SeriesName().Match(value.Series).Groups[1].Value == name
            select LabelName().Matches(value.Series).Select(label => label.Groups[1].Value).Where(label => label != "le").ToArray();

        [GeneratedRegex("^([a-z0-9_]+?)(_bucket|_sum|_count)?(\\{|$)")]
        private static partial Regex SeriesName();

        [GeneratedRegex("[{,]([a-z_]+)=\"")]
        private static partial Regex LabelName();
    }
}
