using System.Text.RegularExpressions;

namespace OcspCluster.Architecture.Tests;

/// <summary>docs/RFCS.md says what is implemented and links each rule to its tests: what it links exists, and what is named for a rule is linked.</summary>
public sealed partial class RfcsTests
{
    private static readonly string s_page = Repository.Read("docs/RFCS.md");

    [Fact]
    public void Page_EveryTestItLinks_Exists()
    {
        (string Rule, string Test, string File)[] links = [.. Links()];
        Assert.True(links.Length > 200, $"Only {links.Length} links were found.");
        IEnumerable<string> dead =
            from link in links
            let path = Path.Combine(Repository.Root, "docs", link.File)
            where !File.Exists(path) || !File.ReadAllText(path).Contains($" {link.Rule}_{link.Test}(", StringComparison.Ordinal)
            select $"{link.Rule}_{link.Test} in {link.File}";
        Assert.Empty(dead);
    }

    [Fact]
    public void Page_EveryTestNamedForARule_IsLinked()
    {
        HashSet<string> linked = [.. Links().Select(link => $"{link.Rule}_{link.Test}")];
        IEnumerable<string> missing =
            from path in Directory.EnumerateFiles(Path.Combine(Repository.Root, "tests"), "*.cs", SearchOption.AllDirectories)
            where !path.Contains("/obj/", StringComparison.Ordinal)
            from Match test in NamedForARule().Matches(File.ReadAllText(path))
            where !linked.Contains(test.Groups[1].Value)
            select $"{test.Groups[1].Value} in {Path.GetRelativePath(Repository.Root, path)}";
        Assert.Empty(missing);
    }

    [Fact]
    public void Page_EveryLinkToAFile_LeadsSomewhere()
    {
        IEnumerable<string> dead = from Match link in AnyLink().Matches(s_page)
                                   where !Path.Exists(Path.Combine(Repository.Root, "docs", link.Groups[1].Value))
                                   select link.Groups[1].Value;
        Assert.Empty(dead);
    }

    private static IEnumerable<(string Rule, string Test, string File)> Links() =>
        from row in s_page.Split('\n')
        let rule = Row().Match(row)
        where rule.Success
        from Match link in TestLink().Matches(row)
        select (rule.Groups[1].Value, link.Groups[1].Value, link.Groups[2].Value);

    [GeneratedRegex(@"^\| ([RHDQ]\d+) \|")]
    private static partial Regex Row();

    [GeneratedRegex(@"\[(\w+)\]\((\.\./tests/[^)]+\.cs)\)")]
    private static partial Regex TestLink();

    [GeneratedRegex(@"\]\((\.\.?/[^)#]+)\)")]
    private static partial Regex AnyLink();

    [GeneratedRegex(@"(?:Task|void)\s+([RHDQ][1-9]\d*_\w+)\s*\(")]
    private static partial Regex NamedForARule();
}
