namespace OcspCluster.Standalone.Storage;

// Rows of answers that ended are swept up by whoever saves: each batch looks at twice as many rows as it writes, going round. So the file holds at most about half as much again as what is
// kept fresh, and no job runs beside.
//
//     looking ──(the last row was looked at)──→ resting ──(the first of what was seen may have ended)──→ looking, from the beginning
//
// invariant while resting: no row ends before _firstEnd. It is the earliest nextUpdate of all that the round left behind and of all that was saved since it began. A row that is replaced by
// a later one makes it too early, never too late: then a round finds nothing, and a later time.

/// <summary>Deletes rows of answers that ended, some with each batch. For one thread at a time.</summary>
internal sealed class ResponseSweep(SqliteDatabase database)
{
    private const int LeastRows = 64;

    private readonly SqliteStatement _firstEndOf = database.Prepare("SELECT min(next_update) FROM response WHERE id > ? AND id <= ?");
    private readonly SqliteStatement _delete = database.Prepare("DELETE FROM response WHERE id > ? AND id <= ? AND next_update < ?");
    private readonly SqliteStatement _last = database.Prepare("SELECT max(id) FROM response");
    private long _lookedTo;
    private long _firstEnd = long.MaxValue;
    private bool _isResting;

    /// <summary>Whether no row can have ended by then.</summary>
    public bool RestsAt(DateTimeOffset now) => _isResting && now.ToUnixTimeSeconds() <= _firstEnd;

    /// <summary>Hears of a row that was written.</summary>
    public void Saved(long nextUpdate) => _firstEnd = Math.Min(_firstEnd, nextUpdate);

    /// <summary>Looks at some rows, within the transaction of those that were written.</summary>
    public void Run(int written, DateTimeOffset now)
    {
        if (RestsAt(now))
        {
            return;
        }

        if (_isResting)
        {
            (_isResting, _lookedTo, _firstEnd) = (false, 0, long.MaxValue); // what was just written will be looked at, too
        }

        long end = _lookedTo + Math.Max(LeastRows, 2 * written);
        if (FirstEndOf(end) is { } first)
        {
            long seconds = now.ToUnixTimeSeconds();
            if (first < seconds)
            {
                _delete.Bind(1, _lookedTo).Bind(2, end).Bind(3, seconds).Run();
                first = FirstEndOf(end) ?? long.MaxValue;
            }

            _firstEnd = Math.Min(_firstEnd, first);
        }

        _last.Step();
        _isResting = end >= _last.GetInt64(0);
        _last.Reset();
        _lookedTo = end;
    }

    private long? FirstEndOf(long end)
    {
        _firstEndOf.Bind(1, _lookedTo).Bind(2, end).Step();
        long? first = _firstEndOf.GetNullableInt64(0);
        _firstEndOf.Reset();
        return first;
    }
}
