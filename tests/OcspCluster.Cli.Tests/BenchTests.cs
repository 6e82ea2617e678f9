using System.Text.Json;
using OcspCluster.Testing;

namespace OcspCluster.Cli.Tests;

/// <summary>The load generator, and its histogram.</summary>
public sealed class BenchTests
{
    [Theory]
    [InlineData("get")]
    [InlineData("post", "--rate", "200")]
    [InlineData("get", "--no-keep-alive")]
    [InlineData("post", "--nonce", "--rate", "200")] // below the budget for nonces
    public async Task Bench_OfThisResponder_IsAnswered(string method, params string[] more)
    {
        await using RunningHost host = await RunningHost.StartAsync();
        CommandRun run = await CommandRun.RunAsync(
            ["bench", host.Ocsp.ToString(), "--issuer", Path.Combine(host.Data, "demo", "ca.pem"), "--serial", await GoodSerialAsync(host), "--method", method, "--duration", "2", "--warmup", "0.2", "--timeout", "60", "--connections", "2", "--json", .. more]);

        Assert.True(run.ExitCode == ExitCode.Good, run.ToString());
        JsonElement json = JsonDocument.Parse(run.Output).RootElement;
        Assert.Equal(json.GetProperty("requests").GetInt64(), json.GetProperty("outcomes").GetProperty("answered").GetInt64());
        Assert.InRange(json.GetProperty("requests").GetInt64(), 1, more.Contains("--rate") ? 401 : long.MaxValue);
        Assert.True(json.GetProperty("latencySeconds").GetProperty("p50").GetDouble() <= json.GetProperty("latencySeconds").GetProperty("max").GetDouble());
        Assert.True(more.Contains("--no-keep-alive") == json.GetProperty("openedConnections").GetInt64() > 2, run.Output);
    }

    [Fact]
    public async Task Bench_OfWhatWasNeverIssued_IsUnauthorizedAndNoFailure()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        CommandRun run = await CommandRun.RunAsync(
            "bench", host.Ocsp.ToString(), "--issuer", Path.Combine(host.Data, "demo", "ca.pem"), "--random", "--duration", "2", "--warmup", "0", "--timeout", "60", "--connections", "2", "--json");

        Assert.True(run.ExitCode == ExitCode.Good, run.ToString());
        Assert.True(JsonDocument.Parse(run.Output).RootElement.GetProperty("outcomes").GetProperty("unauthorized").GetInt64() > 0);
    }

    [Fact]
    public async Task Bench_OfTheWrongPort_FailsAndSaysSo()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        CommandRun run = await CommandRun.RunAsync(
            "bench", host.Admin.ToString(), "--issuer", Path.Combine(host.Data, "demo", "ca.pem"), "--serial", "01", "--duration", "0.2", "--warmup", "0", "--timeout", "60", "--connections", "1");

        Assert.Equal(ExitCode.NotDone, run.ExitCode);
        Assert.Contains("HTTP 404", run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://192.0.2.1/", "--allow-remote")]
    [InlineData("https://127.0.0.1/", "plain http")]
    public async Task Bench_OfAnotherMachine_IsRefused(string url, string expected)
    {
        using ScratchDirectory directory = new();
        await File.WriteAllBytesAsync(directory.File("request"), [0x30, 0x00], TestContext.Current.CancellationToken);
        CommandRun run = await CommandRun.RunAsync("bench", url, "--request", directory.File("request"));

        Assert.Equal(ExitCode.Usage, run.ExitCode);
        Assert.Contains(expected, run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Histogram_OfAnyValues_IsWithinABucket()
    {
        Random random = new(20261121);
        long[] values = [.. Enumerable.Range(0, 20_000).Select(_ => (long)Math.Pow(10, random.NextDouble() * 8))];
        LatencyHistogram first = new();
        LatencyHistogram all = new();
        foreach (long value in values[..7_000])
        {
            first.Add(value);
        }

        foreach (long value in values[7_000..])
        {
            all.Add(value);
        }

        all.Add(first);
        Array.Sort(values);

        Assert.Equal((values.Length, values[0], values[^1]), (all.Count, all.Min, all.Max));
        Assert.Equal(values.Average(), all.Mean, tolerance: 0.001 * values.Average());
        foreach (double percentile in new[] { 0.01, 1, 10, 50, 90, 99, 99.9, 100 })
        {
            long exact = values[(int)Math.Ceiling(percentile / 100 * values.Length) - 1];
            Assert.InRange(all.Percentile(percentile), exact, exact + Math.Max(0, exact / 64));
        }

        Assert.Equal(values.Length, all.Between(-1, 1000) + all.Between(1000, long.MaxValue));
    }

    private static async Task<string> GoodSerialAsync(RunningHost host)
    {
        CommandRun run = await host.RunAsync("status", "--cert", Path.Combine(host.Data, "demo", "good.pem"), "--json");
        return JsonDocument.Parse(run.Output).RootElement.GetProperty("serial").GetString()!;
    }
}
