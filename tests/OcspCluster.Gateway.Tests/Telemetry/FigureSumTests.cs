namespace OcspCluster.Gateway.Tests.Telemetry;

/// <summary>What the figures of several processes come to.</summary>
public sealed class FigureSumTests
{
    private static readonly DateTimeOffset s_now = new(2026, 6, 15, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Of_TwoProcesses_AddsRatesAndBucketsAndTakesTheWorstOfTheRest()
    {
        FigureSum sum = FigureSum.Of(
            Figures("a", 10, bucket: 3) with { FirstExpiry = s_now.AddHours(5), StalenessBound = 0.2, FeedLag = 1 },
            [("b", Figures("b", 30, bucket: 4) with { FirstExpiry = s_now.AddHours(3), StalenessBound = null, FeedLag = 4 })],
            s_now);
        Assert.Equal(2, sum.Nodes);
        Assert.Equal(40, sum.RateOf("good"));
        Assert.Equal(40, sum.RateOf(AnswerSource.Cache));
        Assert.Equal(2, sum.Latency.Sum());
        Assert.Equal(8, sum.SignaturesPerSecond);
        Assert.Equal(500, sum.BudgetPerSecond);
        Assert.Equal(s_now.AddHours(3), sum.FirstExpiry);
        Assert.Equal((0.2, 4), (sum.StalenessBound!.Value, sum.FeedLag));
        Assert.Empty(sum.Findings);
    }

    [Fact]
    public void Of_AProcessThatIsSilent_TellsThatItsFiguresAreMissing()
    {
        FigureSum sum = FigureSum.Of(Figures("a", 10, 3), [("b", null)], s_now);
        Finding silent = Assert.Single(sum.Findings);
        Assert.Equal(("node.silent", "b", s_now), (silent.Code, silent.Subject, silent.Since));
        Assert.Equal(1, sum.Nodes);
    }

    [Fact]
    public void Of_FindingsOfBoth_NamesWhoFindsThem_AndWhatIsSharedOnceSinceItWasFirstSeen()
    {
        Finding lease = new("lease.lost", FindingSeverity.Warning, "no lease", "wait", "web") { Since = s_now };
        Finding audit = new("audit.failed", FindingSeverity.Critical, "it differs", "look", "web") { IsShared = true, Since = s_now };
        FigureSum sum = FigureSum.Of(
            Figures("a", 0, 0) with { Findings = [lease, audit] },
            [("b", Figures("b", 0, 0) with { Findings = [lease, audit with { Since = s_now.AddMinutes(-1) }] })],
            s_now);
        Assert.Equal([("audit.failed", null, s_now.AddMinutes(-1)), ("lease.lost", "a", s_now), ("lease.lost", "b", s_now)], sum.Findings.Select(finding => (finding.Code, finding.Node, finding.Since)));
    }

    [Fact]
    public void Of_AReceiverThatBothTellOf_TakesWhoIsFurther()
    {
        DeliveryFigures behind = new("siem", "webhook", "web", Position: 3, Behind: 9, FailingSince: null);
        FigureSum sum = FigureSum.Of(Figures("a", 0, 0) with { Deliveries = [behind] }, [("b", Figures("b", 0, 0) with { Deliveries = [behind with { Position = 12, Behind = 0 }] })], s_now);
        Assert.Equal(12, Assert.Single(sum.Deliveries).Position);
    }

    private static NodeFigures Figures(string name, double goodPerSecond, int bucket)
    {
        double[] answers = new double[RequestTally.ResultCount * 4];
        answers[(int)AnswerSource.Cache] = goodPerSecond; // good is the first result
        long[] latency = new long[FixedHistogram.Buckets];
        latency[bucket] = 1;
        return new NodeFigures
        {
            Name = name,
            Role = "silo",
            AnswersPerSecond = answers,
            Latency = latency,
            SignaturesPerSecond = 4,
            BudgetPerSecond = 250,
            SigningQueue = 0,
            EventsPerSecond = 0,
            Acknowledgements = new long[FixedHistogram.Buckets],
            FeedLag = 0,
            Backlog = 0,
            Findings = [],
            WellSince = s_now,
            Deliveries = [],
        };
    }
}
