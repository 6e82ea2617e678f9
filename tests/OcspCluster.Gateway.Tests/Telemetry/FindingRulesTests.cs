using OcspCluster.Authority;

namespace OcspCluster.Gateway.Tests.Telemetry;

/// <summary>What is told of which condition. Everything else of the condition is well.</summary>
public sealed class FindingRulesTests
{
    private static readonly DateTimeOffset s_now = new(2026, 6, 15, 12, 0, 0, TimeSpan.Zero);
    private static readonly StoreView s_store = new("sqlite", IsReachable: true, IsDurable: true, TakesEvents: true, "a disk");

    private static readonly IssuerCondition s_issuer = new(
        new IssuerId("web"), IssuerPolicy.Default, Backlog: 0, SignaturesPerSecond: 100, TimeSpan.FromDays(3), IsResting: false, [new SignerCondition("CN=R", IsFailing: false, null)],
        s_now.AddDays(300), s_now.AddDays(304), HasLease: true, AuditFailure: null, CheckpointProblem: null, []);

    private static readonly NodeCondition s_well = new(s_now, s_store, Clock: null, [s_issuer], [], [], TimeSpan.Zero, Answers: 1000, Failed: 10, []);

    private static IssuerPolicy Policy => IssuerPolicy.Default; // four days, due after half of them

    [Fact]
    public void Find_WhereAllIsWell_IsNothing() => Assert.Empty(FindingRules.Find(s_well));

    [Fact]
    public void Find_OfTheStore_TellsWhatIsWrongWithIt()
    {
        Expect("store.unreachable critical", s_well with { Store = s_store with { IsReachable = false } });
        Expect("store.takesNoEvents critical", s_well with { Store = s_store with { TakesEvents = false } });
        Expect("store.notDurable critical", s_well with { Store = s_store with { IsDurable = false } });
    }

    [Fact]
    public void Find_OfTheClock_IsCritical() => Expect("clock.doubtful critical", s_well with { Clock = "it went back" });

    [Theory]
    [InlineData(1000, 10, "")] // one in a hundred is not yet too many
    [InlineData(1000, 11, "errors.ratio warning")]
    [InlineData(1000, 101, "errors.ratio critical")]
    [InlineData(19, 19, "")] // too few to say
    [InlineData(20, 20, "errors.ratio critical")]
    public void Find_OfErrors_TellsTheirShare(long answers, long failed, string expected) => Expect(expected, s_well with { Answers = answers, Failed = failed });

    [Theory]
    [InlineData(5, "")]
    [InlineData(6, "feed.lag warning")]
    [InlineData(31, "feed.lag critical")]
    public void Find_OfAnEventThatWaits_TellsHowLong(int seconds, string expected) => Expect(expected, s_well with { FeedLag = TimeSpan.FromSeconds(seconds) });

    [Theory]
    [InlineData(30_000, false, 72, "")] // five minutes of work
    [InlineData(30_001, false, 72, "refresh.backlog warning")]
    [InlineData(1, true, 72, "refresh.backlog warning")]
    [InlineData(20_000_000, false, 49, "refresh.backlog critical")] // 55 hours of work for 49 that are left
    public void Find_OfABacklog_ComparesItWithThePaceAndTheTimeThatIsLeft(int backlog, bool isResting, int hoursLeft, string expected) =>
        Expect(expected, Of(s_issuer with { Backlog = backlog, IsResting = isResting, TimeToFirstExpiry = TimeSpan.FromHours(hoursLeft) }));

    [Theory]
    [InlineData(24.1, "")] // due with 48 hours left: half of them
    [InlineData(23.9, "refresh.firstExpiry warning")]
    [InlineData(4.7, "refresh.firstExpiry critical")]
    [InlineData(-1, "refresh.firstExpiry critical")]
    public void Find_OfTheFirstAnswerToEnd_ComparesItWithTheTimeThereWasToSignIt(double hours, string expected)
    {
        Assert.Equal((TimeSpan.FromDays(4), 0.5), (Policy.Validity, Policy.RefreshAt));
        Expect(expected, Of(s_issuer with { TimeToFirstExpiry = TimeSpan.FromHours(hours) }));
    }

    [Fact]
    public void Find_OfSigners_TellsWhetherOneIsLeft()
    {
        SignerCondition failing = new("CN=R", IsFailing: true, "no session");
        SignerCondition working = new("CN=S", IsFailing: false, null);
        Expect("signer.down critical", Of(s_issuer with { Signers = [failing] }));
        Expect("signer.degraded warning", Of(s_issuer with { Signers = [working, failing] }));
        Expect("", Of(s_issuer with { Signers = [] })); // a gateway has no keys
    }

    [Theory]
    [InlineData(26.1, 30.1, "")]
    [InlineData(25.9, 29.9, "responder.ends warning")]
    [InlineData(null, 3.9, "responder.ends critical")]
    [InlineData(null, null, "responder.ends critical")]
    public void Find_OfResponderCertificates_TellsThatTheyEnd(double? coveredDays, double? endDays, string expected) => Expect(expected, Of(s_issuer with
    {
        CoveredUntil = coveredDays is double covered ? s_now.AddDays(covered) : null,
        LastEnd = endDays is double end ? s_now.AddDays(end) : null,
    }));

    [Fact]
    public void Find_OfAnIssuer_TellsTheRest()
    {
        Expect("lease.lost warning", Of(s_issuer with { HasLease = false }));
        Expect("audit.failed critical", Of(s_issuer with { AuditFailure = "position 7 differs" }));
        Expect("audit.checkpoint warning", Of(s_issuer with { CheckpointProblem = "no key" }));
        Expect("credential.files warning", Of(s_issuer with { FileErrors = ["the key is another certificate's"] }));
    }

    [Fact]
    public void Find_OfReceiversAndSources_TellsEach()
    {
        DeliveryCondition behind = new("siem", "webhook", new IssuerId("web"), 12, TimeSpan.FromMinutes(9), PausedBecause: null, "503");
        Expect("delivery.behind warning", s_well with { Deliveries = [behind] });
        Expect("delivery.paused warning", s_well with { Deliveries = [behind with { PausedBecause = "it is gone" }] });
        Expect("source.stale warning", s_well with { Sources = ["its CRL has ended"] });
        Expect("host.warning warning", s_well with { Other = ["the certificate ends"] });
    }

    [Fact]
    public void Find_OfSeveralThings_HasTheCriticalOnesFirstAndACureForEach()
    {
        IReadOnlyList<Finding> findings = FindingRules.Find(Of(s_issuer with { HasLease = false, AuditFailure = "position 7 differs" }) with { Clock = "it went back" });
        Assert.Equal([FindingSeverity.Critical, FindingSeverity.Critical, FindingSeverity.Warning], findings.Select(finding => finding.Severity));
        Assert.All(findings, finding => Assert.False(string.IsNullOrWhiteSpace(finding.Cure)));
        Assert.All(findings, finding => Assert.Contains(finding.Code, FindingRules.Codes));
    }

    private static NodeCondition Of(IssuerCondition issuer) => s_well with { Issuers = [issuer] };

    private static void Expect(string expected, NodeCondition condition) => Assert.Equal(
        expected, string.Join(", ", FindingRules.Find(condition).Select(finding => $"{finding.Code} {finding.Severity.ToString().ToLowerInvariant()}")));
}
