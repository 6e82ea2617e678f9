using System.Globalization;

namespace OcspCluster.Conformance;

// What a history proves
// =====================
//
// A certificate is a register with one writer: its events follow each other, the next is sent when the last was acknowledged
// (or in one batch, in order). The journal says which events happened, and in which order. So a certificate has the
// statuses 0 (never issued), 1, ..., m; status k is in force from some moment between the sending of event k and its
// acknowledgement on. An event that was never acknowledged, but is in the journal, takes its moment anywhere after its sending.
//
// An answer reads the register at some moment between question and answer. It may show status k when
//   - k is not older than any event that was acknowledged before the question was sent,                       (P2)
//   - k is not older than what an answer showed that was there before the question was sent,                  (once seen, never unseen)
//   - event k was sent before the answer was there,
//   - the answer was not produced before event k was sent: the same `good` from before a hold is not the one after it.
//
// `good` after an issuance and `good` after a release look alike, so an answer may have several k. All demands on later
// answers are lower bounds; therefore giving each answer, in the order of the questions, the least k that it may show is
// right whenever anything is.

/// <summary>Which questions must not be answered as if an event had not happened that another answer showed before it was acknowledged.</summary>
public enum SeenStays
{
    /// <summary>Those to every gateway: the whole is one register (linearizable).</summary>
    Everywhere,

    /// <summary>Those to the gateway that showed it. Until the acknowledgement the others may not have heard.</summary>
    AtEachGateway,
}

/// <summary>Judges a recorded history. Pure: knows only what was sent, what came back, and the journal.</summary>
public sealed class HistoryChecker(RevocationHistory history, HistoryWorkload workload)
{
    private const int MaxViolations = 10_000;

    private readonly List<HistoryViolation> _violations = [];

    /// <summary>How far an event of unknown outcome must stay seen.</summary>
    public SeenStays SeenStays { get; init; } = SeenStays.Everywhere;

    /// <summary>How far the clock that dates answers may be behind ours; null where it is another clock.</summary>
    public TimeSpan? ClockSkew { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Every violation, the first seen first.</summary>
    /// <param name="journals">The journal as each reading of it gave it, from position 1 on; every entry, ours and others'.</param>
    public IReadOnlyList<HistoryViolation> Check(params IReadOnlyList<IReadOnlyList<JournalLine>> journals)
    {
        CheckJournal(journals);
        CheckAnswers(journals[0]);
        return [.. _violations.OrderBy(violation => violation.At)];
    }

    /// <summary>The same of the journal alone.</summary>
    public IReadOnlyList<HistoryViolation> CheckJournal(params IReadOnlyList<IReadOnlyList<JournalLine>> journals)
    {
        ArgumentNullException.ThrowIfNull(journals);
        foreach (HistoryViolation violation in history.SeenByClients)
        {
            Add(violation);
        }

        IReadOnlyList<JournalLine> journal = journals[0];
        foreach (IReadOnlyList<JournalLine> other in journals.Skip(1))
        {
            Compare(journal, other);
        }

        for (int i = 0; i < journal.Count; i++)
        {
            if (journal[i].Position != i + 1)
            {
                Add(HistoryViolationKind.Gap, history.Now, $"the journal has position {journal[i].Position} ({journal[i].Id}) where {i + 1} should be.");
                break;
            }
        }

        CheckEntries(journal);
        CheckEvents(journal);
        return _violations;
    }

    private void Compare(IReadOnlyList<JournalLine> one, IReadOnlyList<JournalLine> other)
    {
        for (int i = 0; i < Math.Min(one.Count, other.Count); i++)
        {
            if (one[i] != other[i])
            {
                Add(HistoryViolationKind.TwoContents, history.Now, $"one gateway has {one[i]}, another {other[i]}.");
            }
        }

        if (one.Count != other.Count)
        {
            Add(HistoryViolationKind.TwoContents, history.Now, $"one gateway's journal has {one.Count} entries, another's {other.Count}, when nothing is under way.");
        }
    }

    private void CheckEntries(IReadOnlyList<JournalLine> journal)
    {
        Dictionary<string, long> positions = new(StringComparer.Ordinal);
        Dictionary<int, ShownStatus> statuses = [];
        HistoryEvent? latestSent = null;
        foreach (JournalLine entry in journal)
        {
            if (!positions.TryAdd(entry.Id, entry.Position))
            {
                Add(HistoryViolationKind.TwiceInJournal, history.Now, $"{entry.Id} is at {positions[entry.Id]} and at {entry.Position}.");
                continue;
            }

            if (history.FindEvent(entry.Id) is not { } told)
            {
                continue; // somebody else's
            }

            ShownStatus status = statuses.GetValueOrDefault(told.Serial).After(told);
            statuses[told.Serial] = status;
            bool isSame = entry.Serial.TrimStart('0') == Convert.ToHexString(workload.SerialOf(told.Serial)).TrimStart('0')
                && (entry.Kind, entry.At, entry.Reason) == (told.Kind, told.At, told.Reason) && entry.Status == status;
            if (!isSame)
            {
                Add(HistoryViolationKind.ContentDiffers, history.Now, $"told was {told}, which makes it {status}; the journal has {entry}.");
            }

            if (latestSent is not null && told.FirstAcknowledged < latestSent.FirstSent)
            {
                Add(
                    HistoryViolationKind.OrderReversed,
                    latestSent.FirstSent,
                    $"{Describe(told)} stands at {entry.Position}, behind {Describe(latestSent)}, which was sent when the former had been acknowledged.");
            }

            latestSent = latestSent is null || told.FirstSent > latestSent.FirstSent ? told : latestSent;
        }
    }

    private void CheckEvents(IReadOnlyList<JournalLine> journal)
    {
        Dictionary<string, long> positions = new(StringComparer.Ordinal);
        foreach (JournalLine entry in journal)
        {
            positions.TryAdd(entry.Id, entry.Position);
        }

        foreach (HistoryEvent told in history.Events)
        {
            if (told.Refusal is not null)
            {
                Add(HistoryViolationKind.Refused, told.FirstSent, $"{Describe(told)} was refused: {told.Refusal}.");
            }

            long? position = positions.TryGetValue(told.Id, out long found) ? found : null;
            if (position is null && told.Acknowledgements.Count > 0)
            {
                Add(HistoryViolationKind.AcknowledgedAndLost, told.FirstAcknowledged, $"{Describe(told)} is not in the journal of {journal.Count} entries.");
                continue;
            }

            foreach (HistoryAcknowledgement acknowledgement in told.Acknowledgements.Where(one => one.Position != position))
            {
                Add(HistoryViolationKind.PositionDiffers, acknowledgement.Answered, $"{Describe(told)} was acknowledged as {acknowledgement}; the journal has it at {position}.");
            }
        }
    }

    private void CheckAnswers(IReadOnlyList<JournalLine> journal)
    {
        Dictionary<int, List<HistoryEvent>> happened = [];
        HashSet<string> ids = new(StringComparer.Ordinal);
        foreach (JournalLine entry in journal)
        {
            if (history.FindEvent(entry.Id) is { } told && ids.Add(entry.Id))
            {
                (happened.TryGetValue(told.Serial, out List<HistoryEvent>? events) ? events : happened[told.Serial] = []).Add(told);
            }
        }

        Dictionary<int, List<HistoryEvent>> missing = history.Events.Where(told => !ids.Contains(told.Id)).GroupBy(told => told.Serial).ToDictionary(group => group.Key, group => group.ToList());
        foreach (int serial in history.AskedSerials)
        {
            CheckSerial(serial, happened.GetValueOrDefault(serial) ?? [], missing.GetValueOrDefault(serial) ?? []);
        }
    }

    private void CheckSerial(int serial, List<HistoryEvent> happened, List<HistoryEvent> missing)
    {
        ShownStatus[] statuses = new ShownStatus[happened.Count + 1];
        long[] acknowledged = new long[happened.Count + 1]; // statuses 0..k are over for questions sent after acknowledged[k + 1]
        acknowledged[^1] = long.MaxValue;
        for (int k = 1; k <= happened.Count; k++)
        {
            statuses[k] = statuses[k - 1].After(happened[k - 1]);
        }

        // Of a later event's acknowledgement an earlier one's follows, even where the answer to the earlier was lost.
        for (int k = happened.Count; k >= 1; k--)
        {
            acknowledged[k] = Math.Min(happened[k - 1].FirstAcknowledged, k == happened.Count ? long.MaxValue : acknowledged[k + 1]);
        }

        PriorityQueue<(int Gateway, int Least, HistoryAnswer Answer), long> underWay = new();
        Dictionary<int, (int Least, HistoryAnswer By)> seen = [];
        foreach (HistoryAnswer answer in history.AnswersFor(serial).OrderBy(answer => answer.Sent))
        {
            while (underWay.TryPeek(out (int Gateway, int Least, HistoryAnswer Answer) before, out long answered) && answered < answer.Sent)
            {
                underWay.Dequeue();
                if (!seen.TryGetValue(before.Gateway, out (int Least, HistoryAnswer By) floor) || floor.Least < before.Least)
                {
                    seen[before.Gateway] = (before.Least, before.Answer);
                }
            }

            int register = SeenStays == SeenStays.Everywhere ? 0 : answer.Gateway;
            int oldest = 0;
            while (oldest < happened.Count && acknowledged[oldest + 1] < answer.Sent)
            {
                oldest++;
            }

            int least = Math.Max(oldest, seen.TryGetValue(register, out (int Least, HistoryAnswer By) shown) ? shown.Least : 0);
            int found = Enumerable.Range(least, statuses.Length - least).FirstOrDefault(k => MayShow(answer, k, statuses, happened), -1);
            if (found >= 0)
            {
                underWay.Enqueue((register, found, answer), answer.Answered);
            }
            else
            {
                Add(Explain(serial, answer, oldest, shown, statuses, happened, missing));
            }
        }
    }

    private bool MayShow(HistoryAnswer answer, int k, ShownStatus[] statuses, List<HistoryEvent> happened) =>
        answer.Shown == statuses[k] && (k == 0 || (happened[k - 1].FirstSent < answer.Answered && !IsProducedBefore(answer, happened[k - 1])));

    // producedAt has no fractions: an answer produced within the second of the sending may be of after it.
    private bool IsProducedBefore(HistoryAnswer answer, HistoryEvent told) =>
        ClockSkew is { } skew && answer.ProducedAt is { } produced
        && DateTimeOffset.FromUnixTimeSeconds(produced + 1) + skew <= history.ToWallClock(told.FirstSent);

    private HistoryViolation Explain(
        int serial, HistoryAnswer answer, int oldest, (int Least, HistoryAnswer By) shown, ShownStatus[] statuses, List<HistoryEvent> happened, List<HistoryEvent> missing)
    {
        int[] alike = [.. Enumerable.Range(0, statuses.Length).Where(k => statuses[k] == answer.Shown)];
        HistoryViolationKind kind =
            serial < 0 && answer.Shown.State == ShownState.Good ? HistoryViolationKind.GoodNeverIssued
            : alike.Length == 0 ? missing.Any(told => Makes(told, answer.Shown)) ? HistoryViolationKind.ShownButNotInJournal : HistoryViolationKind.NeverSo
            : alike.Any(k => k < oldest) ? HistoryViolationKind.OlderThanAcknowledged
            : alike.Any(k => k < shown.Least) ? HistoryViolationKind.Unseen
            : HistoryViolationKind.BeforeItWasTold;
        List<string> lines =
        [
            $"serial #{serial} ({Convert.ToHexString(workload.SerialOf(serial))}): gateway {answer.Gateway}, asked at {HistoryViolation.Seconds(answer.Sent)}, answered at {HistoryViolation.Seconds(answer.Answered)}: {answer.Shown}"
            + (answer.ProducedAt is { } produced ? $", produced at {DateTimeOffset.FromUnixTimeSeconds(produced):u}" : ""),
            .. happened.Select((told, i) => $"  {i + 1}. {Describe(told)}"),
            .. missing.Select(told => $"  not in the journal: {Describe(told)}"),
        ];
        if (kind == HistoryViolationKind.Unseen)
        {
            lines.Add($"  event {shown.Least} was shown by gateway {shown.By.Gateway} at {HistoryViolation.Seconds(shown.By.Answered)}: {shown.By.Shown}");
        }

        return new HistoryViolation(kind, answer.Answered, string.Join('\n', lines));
    }

    private static bool Makes(HistoryEvent told, ShownStatus shown) => told.Kind switch
    {
        HistoryEventKind.Held => shown == ShownStatus.RevokedAt(told.At, ShownStatus.CertificateHold),
        HistoryEventKind.Revoked => shown.State == ShownState.Revoked && shown.Reason == (told.Reason ?? ShownStatus.NoReason),
        _ => shown == ShownStatus.Good,
    };

    private static string Describe(HistoryEvent told) => string.Create(
        CultureInfo.InvariantCulture,
        $"{told}, sent at {HistoryViolation.Seconds(told.FirstSent)}, acknowledged at {HistoryViolation.Seconds(told.FirstAcknowledged)}{string.Concat(told.Acknowledgements.Select(one => $" [gateway {one.Gateway}: {(one.IsDuplicate ? "duplicate of" : "applied at")} {one.Position}]"))}");

    private void Add(HistoryViolationKind kind, long at, string evidence) => Add(new HistoryViolation(kind, at, evidence));

    private void Add(HistoryViolation violation)
    {
        if (_violations.Count < MaxViolations)
        {
            _violations.Add(violation);
        }
    }
}
