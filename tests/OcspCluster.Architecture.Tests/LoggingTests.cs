using System.Text.RegularExpressions;

namespace OcspCluster.Architecture.Tests;

/// <summary>Every line of a log can be told by the number of its event, and none is written past that.</summary>
public sealed partial class LoggingTests
{
    private static readonly (string File, string Text)[] s_sources =
    [
        .. Directory.EnumerateFiles(Path.Combine(Repository.Root, "src"), "*.cs", SearchOption.AllDirectories)
            .Where(path => !path.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
            .Select(path => (Path.GetRelativePath(Repository.Root, path), File.ReadAllText(path))),
    ];

    [Fact]
    public void EventIds_EachOfThem_IsOfOneMessage()
    {
        (string Id, string File)[] messages = [.. from source in s_sources from Match message in Message().Matches(source.Text) select (message.Groups[1].Value, source.File)];
        Assert.True(messages.Length > 50, $"Only {messages.Length} messages were found.");
        Assert.Empty(messages.GroupBy(message => message.Id).Where(same => same.Count() > 1).Select(same => $"{same.Key}: {string.Join(", ", same.Select(message => message.File))}"));
    }

    [Fact]
    public void Messages_WithoutAnEventId_AreNotThere() =>
        Assert.Empty(s_sources.Where(source => Unnumbered().IsMatch(source.Text)).Select(source => source.File));

    [GeneratedRegex(@"\[LoggerMessage\((?:EventId = )?(\d+)")]
    private static partial Regex Message();

    [GeneratedRegex(@"\.Log(Trace|Debug|Information|Warning|Error|Critical)\(")]
    private static partial Regex Unnumbered();
}
