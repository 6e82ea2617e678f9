using System.Text.Json;
using OcspCluster.Benchmarks.Edge;
using OcspCluster.Benchmarks.Feed;
using OcspCluster.Benchmarks.Overload;
using OcspCluster.Benchmarks.Scale;
using OcspCluster.Testing;

namespace OcspCluster.Benchmarks.Macro;

/// <summary>That <c>./bench.sh</c> measures, and what programs find in its JSON. No figure is judged here.</summary>
public sealed class QuickModeTests
{
    [Fact]
    public async Task Macro_OneShortRound_ReportsEveryField()
    {
        Assert.SkipWhen(ExternalTool.Find("wrk") is null, "This machine has no wrk.");
        JsonElement report = await RunAsync(MacroCommand.RunAsync, "--certificates", "100", "--rounds", "1", "--seconds", "1", "--only", "nginx");
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

    [Fact]
    public async Task Edge_OneShortRound_TellsBothSidesApart()
    {
        Assert.SkipWhen(ExternalTool.Find("wrk") is null || ExternalTool.Find("haproxy") is null, "This machine has no wrk, or no haproxy.");
        JsonElement report = await RunAsync(EdgeCommand.RunAsync, "--certificates", "100", "--rounds", "1", "--seconds", "1", "--only", "haproxy");
        Assert.True(report.GetProperty("isSound").GetBoolean());
        JsonElement row = report.GetProperty("results").EnumerateArray().First(row => row.GetProperty("contestant").GetString() == "HAProxy" && row.GetProperty("scenario").GetString() == "GET, one connection each");
        Assert.True(row.GetProperty("processorMicroseconds").GetDouble() > 0);
        Assert.True(row.GetProperty("behindMicroseconds").GetDouble() > 0);
    }

    [Fact]
    public async Task Overload_OneShortRound_ReportsGoodputAndFloods()
    {
        // On a machine that is busy enough nobody is answered within so short a run: that some were is all that is sure.
        JsonElement report = await RunAsync(OverloadCommand.RunAsync, "--certificates", "100", "--rounds", "1", "--seconds", "0.3");
        Assert.True(report.GetProperty("isSound").GetBoolean());
        JsonElement[] overloads = [.. report.GetProperty("overloads").EnumerateArray()], floods = [.. report.GetProperty("floods").EnumerateArray()];
        Assert.Equal(2, overloads.Length);
        Assert.Contains(overloads, one => one.GetProperty("capacity").GetDouble() > 0 && one.GetProperty("answered").GetDouble() > 0);
        Assert.Equal(6, floods.Length);
        Assert.Contains(floods, one => one.GetProperty("flood").GetDouble() > 0);
        Assert.True(report.GetProperty("megabytesAtMost").GetDouble() > 0);
    }

    [Fact]
    public async Task Scale_TwoSmallSizes_ReportsMemoryAndRates()
    {
        JsonElement report = await RunAsync(ScaleCommand.RunAsync, "--certificates", "12000", "--seconds", "0.2", "--only", "nobody");
        Assert.True(report.GetProperty("isSound").GetBoolean());
        JsonElement[] known = [.. report.GetProperty("known").EnumerateArray()];
        Assert.Equal([10_000, 12_000], known.Select(one => one.GetProperty("known").GetInt32()));
        Assert.All(known, one => Assert.True(one.GetProperty("megabytes").GetDouble() > 0 && one.GetProperty("startSeconds").GetDouble() > 0 && one.GetProperty("unissuedPerSecond").GetDouble() >= 0));
        Assert.True(known[1].GetProperty("statusMicroseconds").GetDouble() > 0);
        Assert.All(report.GetProperty("cached").EnumerateArray().ToArray(), one => Assert.InRange(one.GetProperty("bytesEach").GetDouble(), 300, 460)); // docs/PERFORMANCE.md
    }

    [Fact]
    public async Task Feed_OneShortRound_ReportsEventsBesideTheStoreAndReadsBesideAnImport()
    {
        JsonElement report = await RunAsync(FeedCommand.RunAsync, "--certificates", "100", "--rounds", "1", "--seconds", "0.3", "--only", "nobody");
        Assert.True(report.GetProperty("isSound").GetBoolean());
        Assert.Equal(5, report.GetProperty("rows").GetArrayLength());
        Assert.All(report.GetProperty("rows").EnumerateArray().ToArray(), row => Assert.True(row.GetProperty("perSecond").GetDouble() > 0 && row.GetProperty("ratio").GetDouble() > 0));
        JsonElement[] reads = [.. report.GetProperty("readsBesideImport").EnumerateArray()];
        Assert.Equal(["standalone", "bare Kestrel"], reads.Select(row => row.GetProperty("server").GetString()));
        Assert.All(reads, row => Assert.True(row.GetProperty("importedPerSecond").GetDouble() > 0 && row.GetProperty("ratio").GetDouble() > 0));
    }

    private static async Task<JsonElement> RunAsync(Func<string[], Task<int>> command, params string[] arguments)
    {
        using ScratchDirectory directory = new();
        string file = directory.File("report.json");
        Assert.Equal(0, await command([.. arguments, "--json", file]));
        return JsonDocument.Parse(await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken)).RootElement;
    }

    [Theory]
    [InlineData("--rounds")]
    [InlineData("--rounds", "0")]
    [InlineData("--nothing", "1")]
    public async Task Macro_ArgumentsThatAreNone_AreRefused(params string[] arguments) => Assert.Equal(2, await MacroCommand.RunAsync(arguments));
}
