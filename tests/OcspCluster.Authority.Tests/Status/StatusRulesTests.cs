using OcspCluster.Protocol;
using static OcspCluster.Authority.EventKind;
using static OcspCluster.Authority.EventRefusal;
using static OcspCluster.Protocol.RevocationReason;

namespace OcspCluster.Authority.Tests.Status;

public sealed class StatusRulesTests
{
    private static readonly DateTimeOffset s_first = new(2026, 6, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset s_now = new DateTimeOffset(2026, 6, 15, 12, 0, 0, TimeSpan.Zero).AddTicks(7_654_321);
    private static readonly DateTimeOffset s_recorded = s_first.AddMinutes(1);
    private static readonly DateTimeOffset s_notAfter = new(2027, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly SerialNumber s_serial = SerialNumber.ParseHex("1234");

    private static readonly Dictionary<string, CertificateStatus?> s_states = new()
    {
        ["unknown"] = null,
        ["good"] = CertificateStatus.Good with { NotAfter = s_notAfter, RecordedAt = s_recorded },
        ["good, no notAfter"] = CertificateStatus.Good with { RecordedAt = s_recorded },
        ["held"] = CertificateStatus.HeldAt(s_first) with { NotAfter = s_notAfter, RecordedAt = s_recorded },
        ["revoked"] = CertificateStatus.RevokedAt(s_first, Superseded) with { NotAfter = s_notAfter, RecordedAt = s_recorded },
        ["revoked, no notAfter"] = CertificateStatus.RevokedAt(s_first) with { RecordedAt = s_recorded },
        ["compromised"] = CertificateStatus.RevokedAt(s_first, KeyCompromise) with { NotAfter = s_notAfter, RecordedAt = s_recorded },
    };

    private static readonly (string Name, RevocationEvent Event)[] s_events =
    [
        ("issued", Event(Issued) with { NotAfter = s_notAfter }),
        ("issued, no notAfter", Event(Issued)),
        ("revoked", Event(Revoked)),
        ("revoked superseded", Event(Revoked, Superseded)),
        ("revoked unspecified", Event(Revoked, Unspecified)),
        ("compromised", Event(Revoked, KeyCompromise)),
        ("compromised earlier", Event(Revoked, KeyCompromise) with { At = s_first.AddDays(-9) }),
        ("held", Event(Held)),
        ("released", Event(Released)),
        ("released too early", Event(Released) with { At = s_first.AddSeconds(-1) }),
    ];

    // Every state × every event. "Good 2027" is Good with that notAfter; "Revoked 06-01 Superseded" the time and the reason.
    private const string Table = """
        unknown              | issued              | Good 2027-01-01
        unknown              | issued, no notAfter | Good
        unknown              | revoked             | Revoked 06-10
        unknown              | revoked superseded  | Revoked 06-10 Superseded
        unknown              | revoked unspecified | Revoked 06-10
        unknown              | compromised         | Revoked 06-10 KeyCompromise
        unknown              | compromised earlier | Revoked 05-23 KeyCompromise
        unknown              | held                | Held 06-10 CertificateHold
        unknown              | released            | NotHeld
        unknown              | released too early  | NotHeld
        good                 | issued              | AlreadyIssued
        good                 | issued, no notAfter | AlreadyIssued
        good                 | revoked             | Revoked 06-10 2027-01-01
        good                 | revoked superseded  | Revoked 06-10 Superseded 2027-01-01
        good                 | revoked unspecified | Revoked 06-10 2027-01-01
        good                 | compromised         | Revoked 06-10 KeyCompromise 2027-01-01
        good                 | compromised earlier | Revoked 05-23 KeyCompromise 2027-01-01
        good                 | held                | Held 06-10 CertificateHold 2027-01-01
        good                 | released            | NotHeld
        good                 | released too early  | NotHeld
        good, no notAfter    | issued              | Good 2027-01-01
        good, no notAfter    | issued, no notAfter | AlreadyIssued
        good, no notAfter    | revoked             | Revoked 06-10
        good, no notAfter    | revoked superseded  | Revoked 06-10 Superseded
        good, no notAfter    | revoked unspecified | Revoked 06-10
        good, no notAfter    | compromised         | Revoked 06-10 KeyCompromise
        good, no notAfter    | compromised earlier | Revoked 05-23 KeyCompromise
        good, no notAfter    | held                | Held 06-10 CertificateHold
        good, no notAfter    | released            | NotHeld
        good, no notAfter    | released too early  | NotHeld
        held                 | issued              | AlreadyIssued
        held                 | issued, no notAfter | AlreadyIssued
        held                 | revoked             | Revoked 06-01 2027-01-01
        held                 | revoked superseded  | Revoked 06-01 Superseded 2027-01-01
        held                 | revoked unspecified | Revoked 06-01 2027-01-01
        held                 | compromised         | Revoked 06-01 KeyCompromise 2027-01-01
        held                 | compromised earlier | Revoked 05-23 KeyCompromise 2027-01-01
        held                 | held                | AlreadyHeld
        held                 | released            | Good 2027-01-01
        held                 | released too early  | BeforeCurrentState
        revoked              | issued              | AlreadyIssued
        revoked              | issued, no notAfter | AlreadyIssued
        revoked              | revoked             | AlreadyRevoked
        revoked              | revoked superseded  | AlreadyRevoked
        revoked              | revoked unspecified | AlreadyRevoked
        revoked              | compromised         | Revoked 06-01 KeyCompromise 2027-01-01
        revoked              | compromised earlier | Revoked 05-23 KeyCompromise 2027-01-01
        revoked              | held                | AlreadyRevoked
        revoked              | released            | AlreadyRevoked
        revoked              | released too early  | AlreadyRevoked
        revoked, no notAfter | issued              | Revoked 06-01 2027-01-01
        revoked, no notAfter | issued, no notAfter | AlreadyIssued
        revoked, no notAfter | revoked             | AlreadyRevoked
        revoked, no notAfter | revoked superseded  | AlreadyRevoked
        revoked, no notAfter | revoked unspecified | AlreadyRevoked
        revoked, no notAfter | compromised         | Revoked 06-01 KeyCompromise
        revoked, no notAfter | compromised earlier | Revoked 05-23 KeyCompromise
        revoked, no notAfter | held                | AlreadyRevoked
        revoked, no notAfter | released            | AlreadyRevoked
        revoked, no notAfter | released too early  | AlreadyRevoked
        compromised          | issued              | AlreadyIssued
        compromised          | issued, no notAfter | AlreadyIssued
        compromised          | revoked             | AlreadyRevoked
        compromised          | revoked superseded  | AlreadyRevoked
        compromised          | revoked unspecified | AlreadyRevoked
        compromised          | compromised         | AlreadyRevoked
        compromised          | compromised earlier | Revoked 05-23 KeyCompromise 2027-01-01
        compromised          | held                | AlreadyRevoked
        compromised          | released            | AlreadyRevoked
        compromised          | released too early  | AlreadyRevoked
        """;

    public static TheoryData<string, string, string> Rows => [.. Table.Split('\n').Select(line =>
    {
        string[] cells = line.Split('|', StringSplitOptions.TrimEntries);
        return (cells[0], cells[1], cells[2]);
    })];

    [Fact]
    public void Table_HasEveryStateAndEvent() =>
        Assert.Equal(
            s_states.Keys.SelectMany(state => s_events.Select(e => (state, e.Name))).Order(),
            Rows.Select(row => (row.Data.Item1, row.Data.Item2)).Order());

    [Theory]
    [MemberData(nameof(Rows))]
    public void Apply_StateAndEvent_FollowsTheTable(string state, string @event, string expected) =>
        Assert.Equal(expected, Describe(StatusRules.Apply(s_states[state], s_events.Single(e => e.Name == @event).Event, s_now)));

    [Fact]
    public void Apply_NewStatus_IsRecordedAtReceipt()
    {
        StatusChange change = StatusRules.Apply(s_states["good"], Event(Revoked), s_now);

        Assert.Equal(s_now, change.Status!.RecordedAt);
    }

    [Fact]
    public void Apply_NotAfterAdded_ChangesNothingElse()
    {
        CertificateStatus revoked = s_states["revoked, no notAfter"]!;

        StatusChange change = StatusRules.Apply(revoked, Event(Issued) with { NotAfter = s_notAfter }, s_now);

        Assert.Equal(revoked with { NotAfter = s_notAfter }, change.Status);
    }

    [Theory]
    [InlineData(Revoked)]
    [InlineData(Held)]
    public void Apply_TimeWithFraction_IsTruncatedToSeconds(EventKind kind)
    {
        StatusChange change = StatusRules.Apply(null, Event(kind) with { At = s_first.AddTicks(9_999_999).ToOffset(TimeSpan.FromHours(2)) }, s_now);

        Assert.Equal((s_first, TimeSpan.Zero), (change.Status!.RevocationTime!.Value, change.Status.RevocationTime.Value.Offset));
    }

    [Theory]
    [InlineData(Issued, null, true)]
    [InlineData(Issued, Unspecified, false)]
    [InlineData(Issued, KeyCompromise, false)]
    [InlineData(Revoked, null, true)]
    [InlineData(Revoked, Unspecified, true)]
    [InlineData(Revoked, KeyCompromise, true)]
    [InlineData(Revoked, CaCompromise, true)]
    [InlineData(Revoked, AffiliationChanged, true)]
    [InlineData(Revoked, Superseded, true)]
    [InlineData(Revoked, CessationOfOperation, true)]
    [InlineData(Revoked, CertificateHold, false)]
    [InlineData(Revoked, (RevocationReason)7, false)]
    [InlineData(Revoked, RemoveFromCrl, false)]
    [InlineData(Revoked, PrivilegeWithdrawn, true)]
    [InlineData(Revoked, AaCompromise, true)]
    [InlineData(Revoked, (RevocationReason)11, false)]
    [InlineData(Revoked, (RevocationReason)(-1), false)]
    [InlineData(Held, null, true)]
    [InlineData(Held, CertificateHold, true)]
    [InlineData(Held, KeyCompromise, false)]
    [InlineData(Held, Unspecified, false)]
    [InlineData(Released, null, true)]
    [InlineData(Released, RemoveFromCrl, false)]
    public void Apply_Reason_MustBelongToTheKind(EventKind kind, RevocationReason? reason, bool isTaken)
    {
        CertificateStatus? current = kind == Released ? s_states["held"] : null;

        StatusChange change = StatusRules.Apply(current, Event(kind, reason), s_now);

        Assert.Equal(isTaken ? null : ReasonNotAllowed, change.Refusal);
    }

    [Theory]
    [InlineData(Issued)]
    [InlineData(Revoked)]
    [InlineData(Held)]
    [InlineData(Released)]
    public void Apply_FromTheFuture_IsTakenWithinTheToleranceOnly(EventKind kind)
    {
        CertificateStatus? current = kind == Released ? s_states["held"] : null;
        TimeSpan tolerance = TimeSpan.FromMinutes(5);

        Assert.Null(StatusRules.Apply(current, Event(kind) with { At = s_now + tolerance }, s_now).Refusal);
        Assert.Equal(FromTheFuture, StatusRules.Apply(current, Event(kind) with { At = s_now + tolerance + TimeSpan.FromTicks(1) }, s_now).Refusal);
        Assert.Equal(FromTheFuture, StatusRules.Apply(current, Event(kind) with { At = DateTimeOffset.MaxValue }, s_now).Refusal);
        Assert.Equal(FromTheFuture, StatusRules.Apply(current, Event(kind) with { At = s_now.AddTicks(1) }, s_now, TimeSpan.Zero).Refusal);
    }

    [Fact]
    public void Apply_InvalidityDate_IsKeptAndNeverInTheFuture()
    {
        DateTimeOffset date = s_first.AddDays(-30);

        Assert.Equal(date, StatusRules.Apply(null, Event(Revoked) with { InvalidityDate = date }, s_now).Status!.InvalidityDate);
        Assert.Equal(date, StatusRules.Apply(null, Event(Held) with { InvalidityDate = date }, s_now).Status!.InvalidityDate);
        Assert.Equal(FromTheFuture, StatusRules.Apply(null, Event(Revoked) with { InvalidityDate = s_now.AddHours(1) }, s_now).Refusal);
        Assert.Equal(InvalidityDateNotAllowed, StatusRules.Apply(null, Event(Issued) with { InvalidityDate = date }, s_now).Refusal);
        Assert.Equal(InvalidityDateNotAllowed, StatusRules.Apply(s_states["held"], Event(Released) with { InvalidityDate = date }, s_now).Refusal);
    }

    [Fact]
    public void Apply_Release_ForgetsTheHoldAndItsInvalidityDate()
    {
        CertificateStatus held = s_states["held"]! with { InvalidityDate = s_first };

        CertificateStatus released = StatusRules.Apply(held, Event(Released), s_now).Status!;

        Assert.Equal(CertificateStatus.Good with { NotAfter = s_notAfter, RecordedAt = s_now }, released);
    }

    [Fact]
    public void Apply_CompromiseWithInvalidityDate_MovesItBackNeverForward()
    {
        CertificateStatus compromised = s_states["compromised"]!;
        RevocationEvent again = Event(Revoked, KeyCompromise) with { InvalidityDate = s_first.AddDays(-5) };

        CertificateStatus first = StatusRules.Apply(compromised, again, s_now).Status!;

        Assert.Equal((s_first, s_first.AddDays(-5)), (first.RevocationTime, first.InvalidityDate));
        Assert.Equal(s_first.AddDays(-6), StatusRules.Apply(first, again with { InvalidityDate = s_first.AddDays(-6) }, s_now).Status!.InvalidityDate);
        Assert.Equal(AlreadyRevoked, StatusRules.Apply(first, again, s_now).Refusal);
        Assert.Equal(AlreadyRevoked, StatusRules.Apply(first, again with { InvalidityDate = s_first.AddDays(-4) }, s_now).Refusal);
        Assert.Equal(
            s_first.AddDays(-5),
            StatusRules.Apply(first, again with { At = s_first.AddDays(-1), InvalidityDate = s_first.AddDays(-4) }, s_now).Status!.InvalidityDate);
    }

    [Fact]
    public void Apply_MalformedEvents_AreRefused()
    {
        Assert.Equal(Malformed, StatusRules.Apply(null, Event(Revoked) with { Serial = default }, s_now).Refusal);
        Assert.Equal(Malformed, StatusRules.Apply(null, Event((EventKind)4), s_now).Refusal);
        Assert.All(
            new[] { "", null!, new string('x', 201), "\uD800", "a\uDC00b" },
            id => Assert.Equal(Malformed, StatusRules.Apply(null, Event(Revoked) with { Id = id }, s_now).Refusal));
        Assert.Null(StatusRules.Apply(null, Event(Revoked) with { Id = new string('x', 200) }, s_now).Refusal);
    }

    [Fact]
    public void Refusals_EachHasItsOwnSentence()
    {
        string[] sentences = [.. Enum.GetValues<EventRefusal>().Select(refusal => refusal.ToSentence())];

        Assert.Equal(sentences.Length, sentences.Distinct().Count());
        Assert.All(sentences, sentence => Assert.Matches("^[a-z].*[^.]$", sentence));
        Assert.Throws<ArgumentOutOfRangeException>(() => ((EventRefusal)99).ToSentence());
    }

    private static RevocationEvent Event(EventKind kind, RevocationReason? reason = null) =>
        new() { Id = "e", Serial = s_serial, Kind = kind, At = s_first.AddDays(9).AddMilliseconds(600), Reason = reason };

    private static string Describe(StatusChange change) => change.Status is not { } status
        ? $"{change.Refusal}"
        : string.Join(' ', new[] { $"{status.State}", $"{status.RevocationTime:MM-dd}", $"{status.Reason}", $"{status.NotAfter:yyyy-MM-dd}" }.Where(word => word != ""));
}
