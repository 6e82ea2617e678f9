using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using OcspCluster.Testing;

namespace OcspCluster.Cli.Tests;

/// <summary>What goes on over interruptions: following, importing; and the demo as a process.</summary>
public sealed class InterruptionTests
{
    [Fact]
    public async Task Events_Followed_GoOnOverARestartWithoutGapOrRepetition()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        using WatchedWriter output = new();
        string cursor = host.File("cursor");
        Task<int> following = CommandLine.RunAsync(
            ["events", "--follow", "--after", "demo:5", "--cursor-file", cursor, "--admin", host.Admin.ToString(), "--key-file", host.KeyFile, "--timeout", "60"],
            new Screen(output, TextWriter.Null), TimeProvider.System, stop.Token);

        await host.RunAsync("issue", "A1");
        await output.WaitForLinesAsync(1);
        await host.RestartAsync();
        await host.RunAsync("issue", "A2", "A3");
        await output.WaitForLinesAsync(3);
        await stop.CancelAsync();

        Assert.Equal(ExitCode.Good, await following);
        Assert.Equal(["A1", "A2", "A3"], output.Lines.Select(line => line.Split('\t')[3]));
        Assert.Equal("demo:8\n", await File.ReadAllTextAsync(cursor, TestContext.Current.CancellationToken));
        CommandRun rest = await host.RunAsync("events", "--cursor-file", cursor);
        Assert.Equal("", rest.Output);
    }

    [Fact]
    public async Task Import_ThatFindsNobody_GoesOnWhenTheResponderIsThere()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        string file = host.File("many.csv");
        await File.WriteAllLinesAsync(file, ["serial,kind,at", .. Enumerable.Range(1, 500).Select(i => string.Create(CultureInfo.InvariantCulture, $"B{i:X6},issued,2026-02-01T00:00:00Z"))], TestContext.Current.CancellationToken);
        string[] import = ["import", file, "--issuer", "demo", "--admin", host.Admin.ToString(), "--key-file", host.KeyFile, "--timeout", "60"];
        using StringWriter output = new();
        using WatchedWriter error = new();
        Task<int>? importing = null;

        await host.RestartAsync(async () =>
        {
            importing = CommandLine.RunAsync(import, new Screen(output, error), TimeProvider.System, TestContext.Current.CancellationToken);
            await error.WaitForLinesAsync(1);
        });

        Assert.Equal(ExitCode.Good, await importing!);
        Assert.Contains("500 events recorded", output.ToString(), StringComparison.Ordinal);
        Assert.Contains("Going on in 1 s", error.Lines.First(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Demo_AsAProcess_AnswersUntilItIsEnded()
    {
        using ScratchDirectory directory = new();
        using Process process = Process.Start(new ProcessStartInfo(
            "dotnet", ["exec", Path.Combine(AppContext.BaseDirectory, "ocspctl.dll"), "demo", "--data", directory.File("data"), "--ocsp", "http://127.0.0.1:0", "--admin", "http://127.0.0.1:0"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        try
        {
            _ = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            Dictionary<string, string> listening = [];
            using CancellationTokenSource late = new(TimeSpan.FromMinutes(2));
            while (await process.StandardOutput.ReadLineAsync(late.Token) is string line && line != "ready")
            {
                if (line.StartsWith("listening: ", StringComparison.Ordinal))
                {
                    listening[line.Split(' ')[1]] = line.Split(' ')[2];
                }
            }

            string demo = directory.File("data/demo");
            CommandRun query = await CommandRun.RunAsync("query", "--issuer", Path.Combine(demo, "ca.pem"), "--cert", Path.Combine(demo, "revoked.pem"), "--url", listening["ocsp"], "--no-proxy", "--timeout", "60");
            CommandRun status = await CommandRun.RunAsync("status", "--cert", Path.Combine(demo, "held.pem"), "--admin", listening["admin"], "--key-file", directory.File("data/admin.key"), "--timeout", "60");

            Assert.True(query.ExitCode == ExitCode.Revoked, query.ToString());
            Assert.True(status.ExitCode == ExitCode.Revoked, status.ToString());
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Lines, as they are written, for one who waits for them.</summary>
    private sealed class WatchedWriter : TextWriter
    {
        private readonly ConcurrentQueue<string> _lines = new();
        private readonly StringBuilder _line = new();
        private readonly SemaphoreSlim _written = new(0);
        private int _seen;

        public override Encoding Encoding => Encoding.UTF8;

        public IReadOnlyCollection<string> Lines => _lines;

        public override void Write(char value)
        {
            if (value != '\n')
            {
                _line.Append(value);
                return;
            }

            _lines.Enqueue(_line.ToString().TrimEnd('\r'));
            _line.Clear();
            _written.Release();
        }

        public async Task WaitForLinesAsync(int count)
        {
            for (; _seen < count; _seen++)
            {
                Assert.True(await _written.WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken), $"{_seen} of {count} lines came.");
            }
        }

        protected override void Dispose(bool disposing)
        {
            _written.Dispose();
            base.Dispose(disposing);
        }
    }
}
