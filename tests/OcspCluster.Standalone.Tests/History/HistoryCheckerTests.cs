using OcspCluster.Conformance;

namespace OcspCluster.Standalone.Tests.History;

/// <summary>The judge of histories, by histories made by hand: what it must catch, and what it must let pass. Times are in seconds.</summary>
public sealed class HistoryCheckerTests
{
    private static readonly DateTimeOffset s_at = new(2026, 6, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly ShownStatus s_held = ShownStatus.RevokedAt(s_at.AddMinutes(1), ShownStatus.CertificateHold);
    private static readonly ShownStatus s_revoked = ShownStatus.RevokedAt(s_at.AddMinutes(3), reason: 1);

    private readonly RevocationHistory _history = new();
    private readonly HistoryWorkload _workload = new(1, s_at);
    private readonly List<JournalLine> _journal = [];
    private readonly Dictionary<int, ShownStatus> _statuses = [];

    [Fact]
    public void Answers_ThatFollowTheEvents_AreLegal()
    {
        Issued(1, 2);
        Held(3, 4);
        Released(5, 6);
        Revoked(7, 8);
        Answer(0, 0.5, ShownStatus.NotIssued);
        Answer(2.1, 2.2, ShownStatus.Good);
        Answer(4.1, 4.2, s_held);
        Answer(6.1, 6.2, ShownStatus.Good);
        Answer(8.1, 8.2, s_revoked);
        Assert.Empty(Check());
    }

    [Theory] // while an event is under way an answer may show what was before it or what it makes, whichever question was sent first
    [InlineData(2.5, 3.5, true)]
    [InlineData(2.5, 3.5, false)]
    [InlineData(3.1, 3.9, true)]
    [InlineData(3.1, 3.9, false)]
    [InlineData(3.9, 9.0, true)]
    [InlineData(3.9, 9.0, false)]
    public void Answer_WhileAnEventIsUnderWay_MayShowEither(double sent, double answered, bool showsEvent)
    {
        Issued(1, 2);
        Held(3, 4);
        Answer(sent, answered, showsEvent ? s_held : ShownStatus.Good);
        Assert.Empty(Check());
    }

    [Fact]
    public void Answer_OlderThanAnAcknowledgedEvent_IsCaught()
    {
        Issued(1, 2);
        Held(3, 4);
        Answer(4.001, 4.002, ShownStatus.Good);
        HistoryViolation violation = Assert.Single(Check());
        Assert.Equal(HistoryViolationKind.OlderThanAcknowledged, violation.Kind);
        Assert.Contains("asked at 4.001000 s, answered at 4.002000 s: good", violation.Evidence, StringComparison.Ordinal);
        Assert.Contains("acknowledged at 4.000000 s", violation.Evidence, StringComparison.Ordinal);
        Assert.Contains(Convert.ToHexString(_workload.SerialOf(0)), violation.Evidence, StringComparison.Ordinal);
    }

    [Fact]
    public void Answer_NotIssuedAfterTheIssuanceWasAcknowledged_IsCaught()
    {
        Issued(1, 2);
        Answer(3, 4, ShownStatus.NotIssued);
        Assert.Equal(HistoryViolationKind.OlderThanAcknowledged, Assert.Single(Check()).Kind);
    }

    [Fact] // the acknowledgement of a later event is one of those before it, even where theirs got lost
    public void Answer_OlderThanAnEventWhoseSuccessorWasAcknowledged_IsCaught()
    {
        Issued(1, null);
        Held(2, 3);
        Answer(3.1, 3.2, ShownStatus.NotIssued);
        Assert.Equal(HistoryViolationKind.OlderThanAcknowledged, Assert.Single(Check()).Kind);
    }

    [Fact]
    public void Answer_ThatUnseesAnEventUnderWay_IsCaught()
    {
        Issued(1, 2);
        Held(3, 9);
        Answer(4, 5, s_held, gateway: 0);
        Answer(5.1, 5.2, ShownStatus.Good, gateway: 1);
        HistoryViolation violation = Assert.Single(Check());
        Assert.Equal(HistoryViolationKind.Unseen, violation.Kind);
        Assert.Contains("event 2 was shown by gateway 0 at 5.000000 s", violation.Evidence, StringComparison.Ordinal);
    }

    [Fact]
    public void Answer_ThatUnseesWhatAnotherGatewayShowed_IsLegalWhereEachGatewayStandsForItself()
    {
        Issued(1, 2);
        Held(3, 9);
        Answer(4, 5, s_held, gateway: 0);
        Answer(5.1, 5.2, ShownStatus.Good, gateway: 1);
        Assert.Empty(Check(SeenStays.AtEachGateway));

        Answer(5.3, 5.4, ShownStatus.Good, gateway: 0);
        Assert.Equal(HistoryViolationKind.Unseen, Assert.Single(Check(SeenStays.AtEachGateway)).Kind);

        Answer(9.1, 9.2, ShownStatus.Good, gateway: 1); // and nobody after the acknowledgement
        Assert.Contains(Check(SeenStays.AtEachGateway), violation => violation.Kind == HistoryViolationKind.OlderThanAcknowledged);
    }

    [Fact]
    public void Answers_ThatOverlap_MayBeInEitherOrder()
    {
        Issued(1, 2);
        Held(3, 9);
        Answer(4, 6, s_held, gateway: 0);
        Answer(5, 7, ShownStatus.Good, gateway: 1); // asked before the other was there
        Assert.Empty(Check());
    }

    [Fact]
    public void Event_OfUnknownOutcome_MayShowLateButStaysSeen()
    {
        Issued(1, 2);
        Held(3, null);
        Answer(10, 11, ShownStatus.Good);
        Answer(20, 21, s_held);
        Assert.Empty(Check());
        Answer(30, 31, ShownStatus.Good);
        Assert.Equal(HistoryViolationKind.Unseen, Assert.Single(Check()).Kind);
    }

    [Fact]
    public void Event_ShownAndNotInTheJournal_IsCaught()
    {
        Issued(1, 2);
        Answer(4, 5, s_held);
        Held(3, null, isInJournal: false);
        Assert.Equal(HistoryViolationKind.ShownButNotInJournal, Assert.Single(Check()).Kind);
    }

    [Fact]
    public void Event_OfUnknownOutcomeThatDidNotHappen_IsLegal()
    {
        Issued(1, 2);
        Held(3, null, isInJournal: false);
        Answer(10, 11, ShownStatus.Good);
        Assert.Empty(Check());
    }

    [Fact]
    public void Answer_OfBeforeTheEventWasTold_IsCaught()
    {
        Issued(1, 2);
        Answer(2.1, 2.2, s_held);
        Held(3, 4);
        Assert.Equal(HistoryViolationKind.BeforeItWasTold, Assert.Single(Check()).Kind);
    }

    [Fact]
    public void Answer_WithARevocationThatNeverWas_IsCaught()
    {
        Issued(1, 2);
        Answer(3, 4, s_revoked);
        Assert.Equal(HistoryViolationKind.NeverSo, Assert.Single(Check()).Kind);
    }

    [Fact]
    public void Answer_WithAnotherReasonOrTime_IsCaught()
    {
        Issued(1, 2);
        Revoked(3, 4);
        Answer(5, 6, s_revoked with { Reason = 4 });
        Answer(5, 6, s_revoked with { RevocationTime = s_revoked.RevocationTime + 1 });
        Answer(5, 6, s_revoked);
        Assert.Equal([HistoryViolationKind.NeverSo, HistoryViolationKind.NeverSo], Check().Select(violation => violation.Kind));
    }

    [Fact]
    public void Good_OfANeverIssuedCertificate_IsCaught()
    {
        Answer(1, 2, ShownStatus.NotIssued, serial: -1);
        Assert.Empty(Check());
        Answer(3, 4, ShownStatus.Good, serial: -1);
        Assert.Equal(HistoryViolationKind.GoodNeverIssued, Assert.Single(Check()).Kind);
    }

    [Fact] // the good of before a hold, brought out again after the release, looks right and is not
    public void Answer_ProducedBeforeTheEventThatItMustShow_IsCaught()
    {
        Issued(1, 2);
        Held(103, 104);
        Released(203, 204);
        Answer(205, 206, ShownStatus.Good, producedAt: 204);
        Assert.Empty(Check());
        Answer(207, 208, ShownStatus.Good, producedAt: 50);
        Assert.Equal(HistoryViolationKind.OlderThanAcknowledged, Assert.Single(Check()).Kind);
    }

    [Fact]
    public void Journal_WithoutAnAcknowledgedEvent_IsCaught()
    {
        Issued(1, 2, isInJournal: false);
        Assert.Equal(HistoryViolationKind.AcknowledgedAndLost, Assert.Single(Check()).Kind);
    }

    [Fact]
    public void Journal_WithAnEventTwice_IsCaught()
    {
        Issued(1, 2);
        _journal.Add(_journal[0] with { Position = 2 });
        Assert.Equal(HistoryViolationKind.TwiceInJournal, Assert.Single(Check()).Kind);
    }

    [Fact]
    public void Journal_WithAGap_IsCaught()
    {
        Issued(1, 2);
        _journal.Add(new JournalLine(3, "somebody else's", "01", HistoryEventKind.Issued, s_at, null, ShownStatus.Good));
        Assert.Equal(HistoryViolationKind.Gap, Assert.Single(Check()).Kind);
    }

    [Fact]
    public void Journal_WithOtherContent_IsCaught()
    {
        Issued(1, 2);
        JournalLine sound = _journal[0];
        foreach (JournalLine other in new[]
        {
            sound with { Serial = "01" },
            sound with { Kind = HistoryEventKind.Held },
            sound with { At = s_at.AddSeconds(1) },
            sound with { Reason = 1 },
            sound with { Status = s_held },
        })
        {
            _journal[0] = other;
            Assert.Equal(HistoryViolationKind.ContentDiffers, Assert.Single(Check()).Kind);
        }
    }

    [Fact]
    public void Journals_OfTwoGatewaysThatDiffer_AreCaught()
    {
        Issued(1, 2);
        Issued(3, 4, serial: 1);
        IReadOnlyList<JournalLine> other = [_journal[0], _journal[1] with { At = s_at.AddDays(1) }];
        Assert.Equal(HistoryViolationKind.TwoContents, Assert.Single(NewChecker().Check(_journal, other)).Kind);
        Assert.Equal(HistoryViolationKind.TwoContents, Assert.Single(NewChecker().Check(_journal, [_journal[0]])).Kind);
        Assert.Empty(NewChecker().Check(_journal, [.. _journal]));
    }

    [Fact]
    public void Acknowledgement_OfAnotherPosition_IsCaught()
    {
        HistoryEvent told = Issued(1, 2);
        told.NoteAcknowledged(new HistoryAcknowledgement(Ticks(3), Ticks(4), 1, IsDuplicate: true, Position: 1));
        Assert.Empty(Check());
        told.NoteAcknowledged(new HistoryAcknowledgement(Ticks(5), Ticks(6), 1, IsDuplicate: true, Position: 2));
        Assert.Equal(HistoryViolationKind.PositionDiffers, Assert.Single(Check()).Kind);
    }

    [Fact]
    public void Journal_InAnotherOrderThanTheEventsHappened_IsCaught()
    {
        Issued(5, 6, serial: 1);
        Issued(1, 2, serial: 0); // behind it, but acknowledged before the other was sent
        Assert.Equal(HistoryViolationKind.OrderReversed, Assert.Single(Check()).Kind);
    }

    [Fact]
    public void Journal_WithOverlappingEvents_MayHaveEitherOrder()
    {
        Issued(1, 4, serial: 1);
        Issued(0.5, 2, serial: 0);
        Issued(0.1, null, serial: 2);
        Assert.Empty(Check());
    }

    [Fact]
    public void Refusal_OfALegalEvent_IsCaught()
    {
        Issued(1, 2);
        Held(3, null, isInJournal: false).NoteRefused("alreadyHeld");
        Assert.Equal(HistoryViolationKind.Refused, Assert.Single(Check()).Kind);
    }

    [Fact]
    public void Violations_OfSeveralKinds_AreToldInTheOrderInWhichTheyWereSeen()
    {
        Issued(1, 2);
        Answer(9, 10, ShownStatus.NotIssued);
        Answer(5, 6, s_revoked);
        _history.Add(new HistoryViolation(HistoryViolationKind.InvalidAnswer, Ticks(7), "its signature does not verify"));
        Assert.Equal(
            [HistoryViolationKind.NeverSo, HistoryViolationKind.InvalidAnswer, HistoryViolationKind.OlderThanAcknowledged],
            Check().Select(violation => violation.Kind));
    }

    [Fact]
    public void Workload_OfOneSeed_IsTheSameTwice()
    {
        HistoryWorkload again = new(1, s_at);
        Random first = _workload.RandomOf("feeds 0"), second = again.RandomOf("feeds 0");
        for (int i = 0; i < 100; i++)
        {
            Assert.Equal(_workload.SerialOf(i), again.SerialOf(i));
            Assert.Equal(_workload.Next(i, 1, ShownStatus.Good, first).ToString(), again.Next(i, 1, ShownStatus.Good, second).ToString());
        }

        Assert.NotEqual(_workload.SerialOf(0), new HistoryWorkload(2, s_at).SerialOf(0));
        Assert.NotEqual(_workload.RandomOf("feeds 1").Next(), _workload.RandomOf("feeds 0").Next());
    }

    private HistoryEvent Issued(double sent, double? acknowledged, bool isInJournal = true, int serial = 0) => Tell(serial, HistoryEventKind.Issued, 0, null, sent, acknowledged, isInJournal);

    private HistoryEvent Held(double sent, double? acknowledged, bool isInJournal = true) => Tell(0, HistoryEventKind.Held, 1, null, sent, acknowledged, isInJournal);

    private HistoryEvent Released(double sent, double? acknowledged) => Tell(0, HistoryEventKind.Released, 2, null, sent, acknowledged, isInJournal: true);

    private HistoryEvent Revoked(double sent, double? acknowledged) => Tell(0, HistoryEventKind.Revoked, 3, 1, sent, acknowledged, isInJournal: true);

    private HistoryEvent Tell(int serial, HistoryEventKind kind, int minute, int? reason, double sent, double? acknowledged, bool isInJournal)
    {
        HistoryEvent told = new($"{serial}-{minute}", serial, kind, s_at.AddMinutes(minute), reason);
        _history.Add(told);
        told.NoteSent(Ticks(sent));
        if (acknowledged is { } answered)
        {
            told.NoteAcknowledged(new HistoryAcknowledgement(Ticks(sent), Ticks(answered), 0, IsDuplicate: false, _journal.Count + 1));
        }

        if (isInJournal)
        {
            _statuses[serial] = _statuses.GetValueOrDefault(serial).After(told);
            _journal.Add(new JournalLine(_journal.Count + 1, told.Id, Convert.ToHexString(_workload.SerialOf(serial)), kind, told.At, reason, _statuses[serial]));
        }

        return told;
    }

    private void Answer(double sent, double answered, ShownStatus shown, int gateway = 0, int serial = 0, double? producedAt = null) =>
        _history.Add(serial, new HistoryAnswer(Ticks(sent), Ticks(answered), gateway, shown, producedAt is { } at ? _history.ToWallClock(Ticks(at)).ToUnixTimeSeconds() : null));

    private IReadOnlyList<HistoryViolation> Check(SeenStays seenStays = SeenStays.Everywhere) => new HistoryChecker(_history, _workload) { SeenStays = seenStays }.Check(_journal);

    private HistoryChecker NewChecker() => new(_history, _workload);

    private static long Ticks(double seconds) => (long)(seconds * TimeSpan.TicksPerSecond);
}
