using System.Globalization;
using OcspCluster.Conformance;
using OcspCluster.Standalone.Audit;
using OcspCluster.Standalone.Storage;

namespace OcspCluster.Standalone.Tests.Crash;

/// <summary>
/// The real host under load of feed and questions, killed over and over: after each start every acknowledged event is there, none twice, none half,
/// the audit accepts the store, and no answer of any round contradicts what was acknowledged in it or before.
/// </summary>
[Collection(LoadTests.Name)]
public sealed class HostCrashTests(ITestOutputHelper output)
{
    /// <summary>The environment variable that makes for more rounds.</summary>
    public const string RoundsVariable = "OCSPCLUSTER_CRASH_ROUNDS";

    private const int Seed = 20_260_615;
    private const int RebuildEvery = 10;

    private const int Killed = 137; // 128 + SIGKILL

    private static readonly TimeSpan s_longestLoad = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan s_beforeTheEnd = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    // As strace shows it: one acknowledged event is eight writes to the log (a header and a page for each of four pages), a flush, and an answer to the feed. A host that
    // ends copies the log's pages to the database, cuts and flushes that, and removes the log.
    private static readonly (Step Step, bool IsAtTheEnd)[] s_steps =
    [
        .. Enumerable.Range(1, 9).Select(n => (new Step("pwrite64", n, Step.Log), false)),
        (new Step("fdatasync", 1, Step.Log), false),
        (new Step("fdatasync", 2, Step.Log), false),
        (new Step("sendto", 1), false),
        (new Step("sendto", 2), false),
        (new Step("pwrite64", 1, Step.Database), true),
        (new Step("pwrite64", 2, Step.Database), true),
        (new Step("pwrite64", 5, Step.Database), true),
        (new Step("ftruncate", 1, Step.Database), true),
        (new Step("fdatasync", 1, Step.Database), true),
        (new Step("unlink", 1, Step.Log), true),
    ];

    [Fact]
    public async Task Kill_AtAnyMoment_LosesNothingAcknowledgedAndLeavesNothingHalf()
    {
        await CrashAsync(RoundsOr(16), (_, _) => null);
    }

    [Fact]
    public async Task Kill_BetweenTwoStepsOfTheWritePath_LosesNothingAcknowledgedAndLeavesNothingHalf()
    {
        await Tracer.SkipUnlessUsableAsync();
        await CrashAsync(RoundsOr(s_steps.Length), (round, random) => round < s_steps.Length || round % 2 == 0 ? s_steps[round % s_steps.Length] : (AnyStep(random), false));
    }

    private static Step AnyStep(Random random) => random.Next(4) switch
    {
        0 => new Step("pwrite64", random.Next(10, 600), Step.Log),
        1 => new Step("fdatasync", random.Next(3, 60), Step.Log),
        2 => new Step("pwrite64", random.Next(1, 60), Step.Database), // a checkpoint under load, where one comes
        _ => new Step("sendto", random.Next(3, 100)),
    };

    private static int RoundsOr(int unlessTold) => Environment.GetEnvironmentVariable(RoundsVariable) is { Length: > 0 } rounds ? int.Parse(rounds, CultureInfo.InvariantCulture) / 2 : unlessTold;

    private async Task CrashAsync(int rounds, Func<int, Random, (Step Step, bool IsAtTheEnd)?> choose)
    {
        await using CrashingHost host = new();
        Assert.True(await host.StartAsync());
        using HistoryRun run = new(host, new HistoryLoad { Seed = Seed, OcspClients = 2, FeedClients = 3, LastQuestions = 500 });
        Random random = run.Workload.RandomOf("kills");
        List<JournalLine> journal = [];
        int atTheStep = 0, atTheStart = 0, rebuilt = 0;
        for (int round = 0; round < rounds; round++)
        {
            (Step Step, bool IsAtTheEnd)? chosen = choose(round, random);
            string story = $"Round {round}, killed at {(chosen is { } told ? told.Step : "any moment")}";
            if (chosen is { } at)
            {
                bool isReady = await host.StartAsync(Tracer.KillAt(at.Step, host.Data));
                bool wasKilled = !isReady || await LoadUntilEndAsync(run, host, at.IsAtTheEnd, s_longestLoad);
                atTheStep += wasKilled ? 1 : 0;
                atTheStart += isReady ? 0 : 1;
            }
            else
            {
                await LoadUntilEndAsync(run, host, isToldToEnd: false, TimeSpan.FromMilliseconds(random.Next(30, 900)));
            }

            await host.EndAsync(); // kill -9, where it has not ended yet
            if (round % RebuildEvery == RebuildEvery - 1)
            {
                await AssertRebuildIsEqualAsync(host, story);
                rebuilt++;
            }

            Assert.True(await host.StartAsync());
            IReadOnlyList<JournalLine>? more = await run.ReadJournalAsync(after: journal.Count);
            Assert.NotNull(more);
            journal.AddRange(more);
            IReadOnlyList<HistoryViolation> violations = new HistoryChecker(run.History, run.Workload).CheckJournal(journal);
            Assert.True(violations.Count == 0, $"{story}: {string.Join('\n', violations.Take(3))}");
            StoreAuditReport audit = await StoreAudit.VerifyAsync(host.Data, publicKeyFile: null, progress: null, CancellationToken.None);
            Assert.True(audit.IsAccepted, $"{story}: {string.Join('\n', audit.Structure)}\n{string.Join('\n', audit.Issuers)}");
        }

        HistoryReport report = await run.FinishAsync();
        output.WriteLine($"{rounds} rounds, {atTheStep} killed at their step ({atTheStart} of them before the host was ready), {rebuilt} rebuilt and equal; {report}");
        Assert.True(report.Violations.Count == 0, report.ToString());
        Assert.True(report.Acknowledged > 3 * rounds && report.Answered > 10 * rounds, $"Too little happened to prove anything:\n{report}");
        Assert.True(report.Gateways[0].FailedSubmissions > rounds / 4, $"Hardly a kill met a submission under way:\n{report}");
        Assert.True(choose(0, random) is null || atTheStep > rounds / 2, $"Only {atTheStep} of {rounds} rounds came to their step.");
    }

    // True: it ended by itself, which is to say that the tracer killed it. False: time was up first. The load goes on until it is dead.
    private static async Task<bool> LoadUntilEndAsync(HistoryRun run, CrashingHost host, bool isToldToEnd, TimeSpan longest)
    {
        using CancellationTokenSource dead = new();
        Task load = run.LoadAsync(dead.Token);
        bool endsByItself = await host.Process.EndsWithinAsync(isToldToEnd ? s_beforeTheEnd : longest);
        if (isToldToEnd && !endsByItself)
        {
            host.Process.Terminate(); // and while it ends, the step comes
            endsByItself = await host.Process.EndsWithinAsync(s_patience) && (await host.Process.WaitForExitAsync()).ExitCode == Killed;
        }

        await host.EndAsync();
        await dead.CancelAsync();
        await load;
        return endsByItself;
    }

    private static async Task AssertRebuildIsEqualAsync(CrashingHost host, string story)
    {
        string copy = host.PathOf("rebuilt");
        Directory.CreateDirectory(copy);
        foreach (string file in Directory.GetFiles(host.Data, "*", SearchOption.TopDirectoryOnly))
        {
            File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));
        }

        (IReadOnlyList<Authority.AuditReport> reports, _) = await new StoreRebuild(copy, TimeProvider.System).RunAsync(CancellationToken.None); // it proves that both are equal, or throws
        Assert.All(reports, report => Assert.True(report.IsAccepted, $"{story}: {report}"));
        await using (SqliteRevocationStore store = SqliteRevocationStore.Open(copy))
        {
            await store.AssertAgreesWithJournalAsync(new Authority.IssuerId(host.Issuer));
        }

        Directory.Delete(copy, recursive: true);
    }
}
