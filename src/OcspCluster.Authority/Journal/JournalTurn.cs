using OcspCluster.Protocol;

namespace OcspCluster.Authority;

/// <summary>An event and who submitted it.</summary>
internal readonly record struct SubmittedEvent(RevocationEvent Event, Submitter By);

/// <summary>What one turn of a sequencer will append, and what it will answer once that is durable and published.</summary>
internal sealed class JournalTurn
{
    private readonly List<JournalEntry> _entries = [];
    private readonly EventOutcome[] _outcomes;
    private readonly Dictionary<string, JournalEntry> _recorded; // by event id: from the journal, then this turn's own
    private readonly Dictionary<SerialNumber, CertificateStatus> _statuses; // likewise

    private JournalTurn(int events, Dictionary<string, JournalEntry> recorded, Dictionary<SerialNumber, CertificateStatus> statuses)
    {
        _outcomes = new EventOutcome[events];
        _recorded = recorded;
        _statuses = statuses;
        HighestPositionSeen = Math.Max(
            recorded.Count == 0 ? 0 : recorded.Values.Max(entry => entry.Position),
            statuses.Count == 0 ? 0 : statuses.Values.Max(status => status.Position));
    }

    /// <summary>To be appended, in order.</summary>
    public IReadOnlyList<JournalEntry> Entries => _entries;

    /// <summary>One per event, in order.</summary>
    public IReadOnlyList<EventOutcome> Outcomes => _outcomes;

    /// <summary>The highest position among the entries and statuses that were read; above the expected one, the journal has moved.</summary>
    public long HighestPositionSeen { get; }

    /// <summary>Reads what the events meet, and judges them in order.</summary>
    public static async ValueTask<JournalTurn> CheckAsync(
        IRevocationStore store, IssuerId issuer, long position, IReadOnlyList<SubmittedEvent> events, DateTimeOffset now, TimeSpan futureTolerance)
    {
        string[] ids = Distinct(events, e => e.Event.Id, StatusRules.IsEventId, StringComparer.Ordinal);
        SerialNumber[] serials = Distinct(events, e => e.Event.Serial, serial => !serial.IsEmpty, null);
        IReadOnlyList<JournalEntry?> recorded = await store.FindEventsAsync(issuer, ids, CancellationToken.None).ConfigureAwait(false);
        IReadOnlyList<CertificateStatus?> statuses = await store.FindStatusesAsync(issuer, serials, CancellationToken.None).ConfigureAwait(false);

        JournalTurn turn = new(events.Count, ByKey(ids, recorded, StringComparer.Ordinal), ByKey(serials, statuses, null));
        for (int i = 0; i < events.Count; i++)
        {
            turn._outcomes[i] = turn.Judge(events[i], position + turn._entries.Count + 1, now, futureTolerance);
        }

        return turn;
    }

    // In their order. The set has its size from the start: one that grows to it leaves its last tables among the large objects.
    private static TKey[] Distinct<TKey>(IReadOnlyList<SubmittedEvent> events, Func<SubmittedEvent, TKey> keyOf, Func<TKey, bool> isKey, IEqualityComparer<TKey>? comparer)
    {
        HashSet<TKey> seen = new(events.Count, comparer);
        List<TKey> keys = new(events.Count);
        for (int i = 0; i < events.Count; i++)
        {
            TKey key = keyOf(events[i]);
            if (isKey(key) && seen.Add(key))
            {
                keys.Add(key);
            }
        }

        return [.. keys];
    }

    private static Dictionary<TKey, TValue> ByKey<TKey, TValue>(TKey[] keys, IReadOnlyList<TValue?> values, IEqualityComparer<TKey>? comparer)
        where TKey : notnull
        where TValue : class
    {
        Dictionary<TKey, TValue> found = new(keys.Length, comparer);
        for (int i = 0; i < keys.Length; i++)
        {
            if (values[i] is { } value)
            {
                found.Add(keys[i], value);
            }
        }

        return found;
    }

    private EventOutcome Judge(SubmittedEvent submitted, long position, DateTimeOffset now, TimeSpan futureTolerance)
    {
        RevocationEvent @event = submitted.Event;
        if (StatusRules.IsEventId(@event.Id) && _recorded.TryGetValue(@event.Id, out JournalEntry? first))
        {
            return IsSame(first.Event, @event)
                ? EventOutcome.Duplicate(@event.Id, first.Position)
                : EventOutcome.Refused(@event.Id, EventRefusal.IdReused, first.Position);
        }

        CertificateStatus? current = _statuses.GetValueOrDefault(@event.Serial);
        StatusChange change = StatusRules.Apply(current, @event, now, futureTolerance);
        if (change.Status is null)
        {
            return EventOutcome.Refused(@event.Id ?? "", change.Refusal!.Value, current?.Position ?? 0);
        }

        JournalEntry entry = new(position, @event, now, change.Status with { Position = position }) { Submitter = submitted.By };
        _entries.Add(entry);
        _recorded[entry.Event.Id] = entry;
        _statuses[@event.Serial] = entry.Status;
        return EventOutcome.Applied(@event.Id!, position);
    }

    // An id that comes again with another certificate or another revocation is not the same event sent twice, and taking
    // it for that would lose a revocation. The instants may differ: a sender that tries again may well date it anew.
    private static bool IsSame(RevocationEvent first, RevocationEvent again) =>
        first.Serial == again.Serial && first.Kind == again.Kind && StatusRules.Recorded(first.Reason) == StatusRules.Recorded(again.Reason);
}
