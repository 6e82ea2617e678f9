using System.Collections.Concurrent;
using System.Diagnostics;

namespace OcspCluster.Conformance;

/// <summary>One OCSP question and what came back.</summary>
/// <param name="Sent">When it was sent, in ticks of the history.</param>
/// <param name="Answered">When the whole answer was there.</param>
/// <param name="Gateway">Who was asked.</param>
/// <param name="Shown">What the answer shows.</param>
/// <param name="ProducedAt">producedAt in seconds since 1970; null for an unsigned answer.</param>
public readonly record struct HistoryAnswer(long Sent, long Answered, int Gateway, ShownStatus Shown, long? ProducedAt);

/// <summary>
/// What was told to the feed and what was answered to relying parties, every interval by one monotonic clock. Thread-safe while it grows.
/// Knows nothing of how the answers come about.
/// </summary>
public sealed class RevocationHistory
{
    private readonly ConcurrentDictionary<int, List<HistoryAnswer>> _answers = new();
    private readonly ConcurrentDictionary<string, HistoryEvent> _events = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<HistoryViolation> _seen = new();
    private readonly long _start;
    private readonly DateTimeOffset _startedAt;

    /// <summary>An empty history that begins now.</summary>
    public RevocationHistory(TimeProvider? clock = null)
    {
        _startedAt = (clock ?? TimeProvider.System).GetUtcNow();
        _start = Stopwatch.GetTimestamp();
    }

    /// <summary>Ticks of 100 ns since the history began, by the machine's monotonic clock.</summary>
    public long Now => Stopwatch.GetElapsedTime(_start).Ticks;

    /// <summary>Every event that was sent at least once.</summary>
    public IEnumerable<HistoryEvent> Events => _events.Values;

    /// <summary>Every serial that was asked about, by its number in the workload.</summary>
    public IEnumerable<int> AskedSerials => _answers.Keys;

    /// <summary>What clients found wrong with an answer by itself: its signature, its CertID, its times.</summary>
    public IEnumerable<HistoryViolation> SeenByClients => _seen;

    /// <summary>The wall clock's time of a moment of the history.</summary>
    public DateTimeOffset ToWallClock(long ticks) => _startedAt.AddTicks(ticks);

    /// <summary>The event of an id; null when none of that id was sent.</summary>
    public HistoryEvent? FindEvent(string id) => _events.GetValueOrDefault(id);

    /// <summary>The answers for a serial, in the order in which they were recorded.</summary>
    public IReadOnlyList<HistoryAnswer> AnswersFor(int serial)
    {
        if (!_answers.TryGetValue(serial, out List<HistoryAnswer>? answers))
        {
            return [];
        }

        lock (answers)
        {
            return [.. answers];
        }
    }

    /// <summary>An event is about to be sent for the first time.</summary>
    public void Add(HistoryEvent @event)
    {
        ArgumentNullException.ThrowIfNull(@event);
        if (!_events.TryAdd(@event.Id, @event) && _events[@event.Id] != @event)
        {
            throw new ArgumentException($"Two events of the workload have the id {@event.Id}.", nameof(@event));
        }
    }

    /// <summary>A question was answered.</summary>
    public void Add(int serial, HistoryAnswer answer)
    {
        List<HistoryAnswer> answers = _answers.GetOrAdd(serial, static _ => []);
        lock (answers)
        {
            answers.Add(answer);
        }
    }

    /// <summary>A client found an answer that is wrong by itself.</summary>
    public void Add(HistoryViolation violation) => _seen.Enqueue(violation);
}
