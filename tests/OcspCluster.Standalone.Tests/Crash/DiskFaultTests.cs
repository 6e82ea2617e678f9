using System.Net.Http.Headers;
using System.Text.Json;
using OcspCluster.Conformance;
using OcspCluster.Standalone.Audit;
using OcspCluster.Testing;

namespace OcspCluster.Standalone.Tests.Crash;

/// <summary>The disk of the real host is full, read-only or broken for some time, under load: answers go on, nothing is acknowledged that is not kept, and it recovers by itself.</summary>
[Collection(LoadTests.Name)]
public sealed class DiskFaultTests(ITestOutputHelper output)
{
    private static readonly HttpClient s_client = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromSeconds(30) };

    [Theory]
    [InlineData("pwrite64", "ENOSPC", "is full")]
    [InlineData("pwrite64", "EROFS", "failed")]
    [InlineData("pwrite64", "EIO", "failed")]
    [InlineData("fdatasync", "ENOSPC", "failed")]
    [InlineData("fdatasync", "EIO", "failed")]
    public async Task Log_ThatCannotBeWrittenForSomeTime_StopsTheFeedAndNotTheAnswers(string syscall, string error, string told)
    {
        await Tracer.SkipUnlessUsableAsync();
        await using CrashingHost host = new();
        Assert.True(await host.StartAsync(Tracer.FailAt(new Step(syscall, 30, Step.Log), 60, error, host.Data)));
        using HistoryRun run = new(host, new HistoryLoad { Seed = 28, OcspClients = 2, FeedClients = 3, LastQuestions = 500 });

        string? problem = null, warning = null;
        using CancellationTokenSource over = new(TimeSpan.FromSeconds(40));
        Task load = run.LoadAsync(over.Token);
        while (!over.IsCancellationRequested && (warning is null || problem is null || await FindWarningAsync(host) is not null))
        {
            problem ??= await FindProblemAsync(host);
            warning ??= await FindWarningAsync(host);
        }

        await over.CancelAsync();
        await load;
        HistoryReport report = await AssertSoundAsync(run, host);
        output.WriteLine($"{syscall} {error}: {problem} | {warning}\n{report}");
        Assert.Contains(told, problem, StringComparison.Ordinal);
        Assert.Contains("Send the same events with the same ids again", problem, StringComparison.Ordinal);
        Assert.Contains(told, warning, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Disk_ThatIsFull_StopsTheFeedAndNotTheAnswersUntilThereIsSpaceAgain()
    {
        using ScratchDirectory scratch = new();
        string disk = scratch.File("disk");
        Directory.CreateDirectory(disk);
        ExternalTool? mount = ExternalTool.Find("mount");
        Assert.SkipWhen(mount is null || (await mount.RunAsync(["-t", "tmpfs", "-o", "size=64m", "tmpfs", disk])).ExitCode != 0, "This user may not mount a small disk.");
        try
        {
            await using CrashingHost host = new(Path.Combine(disk, "data"));
            Assert.True(await host.StartAsync());
            using HistoryRun run = new(host, new HistoryLoad { Seed = 29, OcspClients = 2, FeedClients = 3, LastQuestions = 500 });
            await run.LoadAsync(TimeSpan.FromMilliseconds(500));

            string ballast = Path.Combine(disk, "ballast");
            long free = new DriveInfo(disk).AvailableFreeSpace;
            await File.WriteAllBytesAsync(ballast, new byte[Math.Max(0, free - 300_000)]);
            string? problem = null, warning = null;
            using CancellationTokenSource over = new(TimeSpan.FromSeconds(40));
            Task load = run.LoadAsync(over.Token);
            while (!over.IsCancellationRequested && (warning is null || problem is null))
            {
                problem ??= await FindProblemAsync(host);
                warning ??= await FindWarningAsync(host);
            }

            File.Delete(ballast);
            while (!over.IsCancellationRequested && await FindWarningAsync(host) is not null)
            {
                await Task.Yield();
            }

            await over.CancelAsync();
            await load;
            HistoryReport report = await AssertSoundAsync(run, host);
            output.WriteLine($"{problem} | {warning}\n{report}");
            Assert.Contains("is full. Free some space", problem, StringComparison.Ordinal);
            Assert.Contains("is full. Free some space", warning, StringComparison.Ordinal);
        }
        finally
        {
            await ExternalTool.Find("umount")!.RunAsync([disk]);
        }
    }

    private static async Task<HistoryReport> AssertSoundAsync(HistoryRun run, CrashingHost host)
    {
        HistoryReport report = await run.FinishAsync(); // every event that failed is taken now
        Assert.True(report.Violations.Count == 0, report.ToString());
        GatewayTally tally = report.Gateways[0];
        Assert.True(tally[QuestionOutcome.Failed] + tally[QuestionOutcome.Error] + tally[QuestionOutcome.TryLater] == 0, $"Not every question was answered:\n{report}");
        Assert.True(tally.FailedSubmissions > 0 && report.Acknowledged == report.Events, report.ToString());
        StoreAuditReport audit = await StoreAudit.VerifyAsync(host.Data, publicKeyFile: null, progress: null, CancellationToken.None);
        Assert.True(audit.IsAccepted, string.Join('\n', audit.Issuers));
        return report;
    }

    // An event that is told while the disk is away: what the feed says of it. One that is taken is of a certificate that the run does not know.
    private static async Task<string?> FindProblemAsync(CrashingHost host)
    {
        string serial = Convert.ToHexString(TestPki.RandomSerial());
        using HttpRequestMessage request = new(HttpMethod.Post, new Uri(host.AdminUri, $"/v1/issuers/{host.Issuer}/events"));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", host.AdminKey);
        request.Content = new StringContent($$"""{"id":"{{serial}}","serial":"{{serial}}","kind":"issued","at":"2026-01-02T03:04:05Z"}""", new MediaTypeHeaderValue("application/json"));
        using HttpResponseMessage response = await s_client.SendAsync(request);
        if (response.IsSuccessStatusCode)
        {
            return null;
        }

        Assert.Equal((503, "application/problem+json"), ((int)response.StatusCode, response.Content.Headers.ContentType?.MediaType));
        Assert.NotNull(response.Headers.RetryAfter);
        return JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement.GetProperty("detail").GetString();
    }

    // Ready, for it answers; and the operator is told.
    private static async Task<string?> FindWarningAsync(CrashingHost host)
    {
        using HttpResponseMessage response = await s_client.GetAsync(new Uri(host.AdminUri, "/health/ready"));
        Assert.Equal(200, (int)response.StatusCode);
        JsonElement[] warnings = [.. JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement.GetProperty("warnings").EnumerateArray()];
        return warnings.Select(warning => warning.GetString()!).FirstOrDefault(warning => warning.StartsWith("events cannot be recorded: ", StringComparison.Ordinal));
    }
}
