using System.Text;
using OcspCluster.Testing;

namespace OcspCluster.Client.Tests.Comparison;

/// <summary>
/// The client's verdicts beside those of OpenSSL, GnuTLS, Java and python3-cryptography on the same several thousand responses. Where they differ, <see cref="Disagreement"/>
/// says why, case by case; what it does not say fails the test.
/// </summary>
public sealed class ComparisonTests(ITestOutputHelper output)
{
    private static readonly string s_programs = Path.Combine(AppContext.BaseDirectory, "Comparison");

    [Theory]
    [InlineData("openssl")]
    [InlineData("ocsptool")]
    [InlineData("java")]
    [InlineData("python")]
    public async Task Verdicts_BesideAnotherProgram_DifferOnlyWhereExplained(string judge)
    {
        ExternalTool tool = FindOrSkip(judge);
        using ScratchDirectory directory = new();
        using ResponseCorpus corpus = new();
        ComparedResponse[] responses = [.. Select(judge, corpus.All())];
        Write(directory, corpus, responses);
        Dictionary<string, string> theirs = await JudgeAsync(judge, tool, directory);
        string[] ours = await JudgeAsync(corpus, responses);

        Assert.True(responses.Length > 2000, $"Only {responses.Length} responses.");
        Assert.Equal(responses.Length, theirs.Count);
        Dictionary<Disagreement, int> explained = [];
        List<string> unexplained = [];
        for (int i = 0; i < responses.Length; i++)
        {
            string their = theirs[FileOf(i)];
            if (their == ours[i].Split(' ')[0])
            {
                continue;
            }

            Assert.False(ours[i] == "good" && their == "revoked", $"{responses[i].Name}: {judge} says revoked, we say good."); // whatever the reason
            if (Disagreement.Find(judge, responses[i], ours[i], their) is Disagreement known)
            {
                explained[known] = explained.GetValueOrDefault(known) + 1;
            }
            else
            {
                unexplained.Add($"{responses[i].Name} ({responses[i].Hash}): we say {ours[i]}, {judge} says {their}: {Convert.ToHexString(responses[i].Response)}");
            }
        }

        output.WriteLine($"{responses.Length} responses; the same verdict on {responses.Length - explained.Values.Sum() - unexplained.Count}");
        foreach ((Disagreement disagreement, int count) in explained.OrderByDescending(pair => pair.Value))
        {
            output.WriteLine($"{count,5} {disagreement.Why}");
        }

        Assert.True(unexplained.Count == 0, $"{unexplained.Count} disagreements that nobody explained:\n{string.Join('\n', unexplained.Take(400))}");
    }

    // Those that are one process for each response get every fourth of the changed ones, unless all are wanted.
    private static IEnumerable<ComparedResponse> Select(string judge, IEnumerable<ComparedResponse> responses) =>
        judge is "java" or "python" || Environment.GetEnvironmentVariable("OCSPCLUSTER_COMPARISON") == "all"
            ? responses
            : responses.Where((response, index) => index % 4 == 0 || response.Family is not ("flipped" or "truncated" or "resigned"));

    // Our verdict, and where it is a refusal the rule: "good", "refused NextUpdatePassed".
    private static async Task<string[]> JudgeAsync(ResponseCorpus corpus, ComparedResponse[] responses)
    {
        using OcspClient client = new(TestResponder.Options with { Sources = [RevocationSource.Stapled] });
        string[] verdicts = new string[responses.Length];
        for (int i = 0; i < responses.Length; i++)
        {
            // An empty staple is none.
            RevocationVerdict verdict = await client.CheckAsync(corpus.Leaf, corpus.Issuer, responses[i].Response.Length == 0 ? new byte[] { 0 } : responses[i].Response);
            verdicts[i] = verdict.Status == RevocationStatus.CouldNotTell
                ? $"refused {verdict.Attempts.Last(attempt => attempt.Source == RevocationSource.Stapled).Outcome}"
                : verdict.Status.ToString().ToLowerInvariant();
        }

        return verdicts;
    }

    private static void Write(ScratchDirectory directory, ResponseCorpus corpus, ComparedResponse[] responses)
    {
        File.WriteAllText(directory.File("ca.pem"), corpus.Issuer.ExportCertificatePem() + "\n");
        File.WriteAllText(directory.File("leaf.pem"), corpus.Leaf.ExportCertificatePem() + "\n");
        StringBuilder manifest = new();
        for (int i = 0; i < responses.Length; i++)
        {
            File.WriteAllBytes(directory.File(FileOf(i)), responses[i].Response);
            manifest.Append(FileOf(i)).Append('\t').Append(responses[i].Hash).Append('\n');
        }

        File.WriteAllText(directory.File("manifest.tsv"), manifest.ToString());
    }

    private static async Task<Dictionary<string, string>> JudgeAsync(string judge, ExternalTool tool, ScratchDirectory directory)
    {
        string[] arguments = judge switch
        {
            "java" => [Path.Combine(s_programs, "Judge.java"), directory.Path],
            "python" => [Path.Combine(s_programs, "judge.py"), directory.Path],
            _ => [Path.Combine(s_programs, "judge.sh"), judge, directory.Path, "manifest.tsv"],
        };
        ToolResult result = await tool.RunAsync(arguments, directory.Path, TimeSpan.FromMinutes(4));
        Assert.True(result.ExitCode == 0, result.ToString());
        return result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('\t')).ToDictionary(fields => fields[0], fields => fields[1]);
    }

    private static ExternalTool FindOrSkip(string judge)
    {
        ExternalTool? tool = ExternalTool.Find(judge switch { "java" => "java", "python" => "/usr/bin/python3", _ => "sh" });
        bool isThere = tool is not null && (judge is "java" or "python" || ExternalTool.Find(judge) is not null);
        if (judge == "python" && isThere)
        {
            isThere = tool!.RunAsync(["-c", "import cryptography.x509.ocsp"]).GetAwaiter().GetResult().ExitCode == 0;
        }

        Assert.SkipWhen(!isThere, $"This machine has no {judge} that could judge.");
        return tool!;
    }

    private static string FileOf(int index) => $"{index:00000}.der";
}
