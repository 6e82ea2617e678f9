using System.Text.Json;
using OcspCluster.Testing;

namespace OcspCluster.Benchmarks.Macro;

/// <summary>That <c>./bench.sh</c> measures, and what programs find in its JSON. No figure is judged here.</summary>
public sealed class QuickModeTests
{
    [Fact]
    public async Task Macro_OneShortRound_ReportsEveryField()
    {
        Assert.SkipWhen(ExternalTool.Find("wrk") is null, "This machine has no wrk.");
        using ScratchDirectory directory = new();
        string file = directory.File("report.json");
        Assert.Equal(0, await MacroCommand.RunAsync(["--certificates", "100", "--rounds", "1", "--seconds", "1", "--only", "nginx", "--json", file]));
        JsonElement report = JsonDocument.Parse(await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken)).RootElement;
        Assert.Equal("quick", report.GetProperty("mode").GetString());
        Assert.True(report.GetProperty("isSound").GetBoolean());
        JsonElement[] rows = [.. report.GetProperty("results").EnumerateArray()];
        foreach (string contestant in (string[])["standalone", "bare Kestrel"])
        {
            foreach (string scenario in (string[])["GET", "POST", "GET, one connection each"])
            {
                JsonElement row = Assert.Single(rows, row => row.GetProperty("contestant").GetString() == contestant && row.GetProperty("scenario").GetString() == scenario);
                Assert.True(row.GetProperty("perSecond").GetDouble() > 0);
                Assert.Equal(0, row.GetProperty("wrong").GetInt64());
                Assert.All((string[])["processorMicroseconds", "ratio", "ratioLow", "ratioHigh", "p50", "p99", "p999"], name => Assert.True(row.GetProperty(name).GetDouble() >= 0));
            }
        }

        Assert.True(ExternalTool.Find("nginx") is not null ? rows.Any(row => row.GetProperty("contestant").GetString() == "nginx, files") : report.GetProperty("missing").GetArrayLength() == 1);
    }

    [Theory]
    [InlineData("--rounds")]
    [InlineData("--rounds", "0")]
    [InlineData("--nothing", "1")]
    public async Task Macro_ArgumentsThatAreNone_AreRefused(params string[] arguments) => Assert.Equal(2, await MacroCommand.RunAsync(arguments));
}
