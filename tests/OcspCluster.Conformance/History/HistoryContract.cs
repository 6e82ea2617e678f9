using System.Globalization;

namespace OcspCluster.Conformance;

/// <summary>
/// P1 and P2 of a whole host under load: whatever is asked of whichever gateway at whatever moment, no answer is older than an acknowledged event.
/// A host derives it and says how it is started; it adds nothing.
/// </summary>
public abstract class HistoryContract(ITestOutputHelper output)
{
    /// <summary>The environment variable that makes the run longer, in seconds.</summary>
    public const string SecondsVariable = "OCSPCLUSTER_HISTORY_SECONDS";

    /// <summary>The environment variable that repeats a run.</summary>
    public const string SeedVariable = "OCSPCLUSTER_HISTORY_SEED";

    private static readonly TimeSpan s_broken = TimeSpan.FromSeconds(4);

    /// <summary>What must stay seen once an answer showed it, before its acknowledgement.</summary>
    protected virtual SeenStays SeenStays => SeenStays.Everywhere;

    /// <summary>How long the load lasts where the environment does not say otherwise.</summary>
    protected virtual TimeSpan UsualLength => TimeSpan.FromSeconds(10);

    /// <summary>How long each gateway may take to serve again when the load is over.</summary>
    protected virtual TimeSpan Patience => TimeSpan.FromSeconds(60);

    /// <summary>Starts the host as it is shipped, with Alpha as its issuer.</summary>
    protected abstract Task<IHistoryHost> StartAsync(ResponderSetup setup);

    /// <summary>The same host with the one thing missing that makes P2 true: its gateways do not hear of events.</summary>
    protected abstract Task<IHistoryHost> StartDeafAsync(ResponderSetup setup);

    [Fact]
    public async Task Answers_UnderLoad_AreNeverOlderThanAnAcknowledgedEvent()
    {
        await using IHistoryHost host = await StartAsync(Setup);
        HistoryReport report = await HistoryRun.RunAsync(host, new HistoryLoad { Seed = Seed, SeenStays = SeenStays, Patience = Patience }, Length);
        output.WriteLine(report.ToString());

        Assert.True(report.Violations.Count == 0, report.ToString());
        Assert.True(report.Answered > 1000 && report.Acknowledged > 500 && report.Serials > 100, $"Too little happened to prove anything:\n{report}");
        if (Length >= UsualLength)
        {
            Assert.Empty(host.FindMissedFaults());
        }

        Assert.All(report.Gateways, gateway => Assert.InRange(gateway[QuestionOutcome.Answered], 100, long.MaxValue));
    }

    [Fact]
    public async Task Answers_OfGatewaysThatDoNotHearOfEvents_AreCaught()
    {
        await using IHistoryHost host = await StartDeafAsync(Setup);
        HistoryReport report = await HistoryRun.RunAsync(host, new HistoryLoad { Seed = Seed, SeenStays = SeenStays }, s_broken);
        output.WriteLine(report.ToString());

        Assert.Contains(report.Violations, violation => violation.Kind == HistoryViolationKind.OlderThanAcknowledged);
    }

    private static ResponderSetup Setup => ResponderSetup.Of(Issuers.Alpha).With(("Admin:RequestsPerSecond", "1000000"));

    private TimeSpan Length =>
        Environment.GetEnvironmentVariable(SecondsVariable) is { Length: > 0 } seconds ? TimeSpan.FromSeconds(double.Parse(seconds, CultureInfo.InvariantCulture)) : UsualLength;

    private static int Seed => Environment.GetEnvironmentVariable(SeedVariable) is { Length: > 0 } seed ? int.Parse(seed, CultureInfo.InvariantCulture) : 20_260_615;
}
