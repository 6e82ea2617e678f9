namespace OcspCluster.Silo.Coherence;

/// <summary>
/// When this silo first saw each row of an issuer's table as it is: a lease was granted before it was seen, so it has ended one lease later. By this silo's own monotonic clock alone. Thread-safe.
/// </summary>
internal sealed class LeaseObservations(string self, long leaseTicks)
{
    private readonly Lock _lock = new();
    private Dictionary<string, (long Number, long FirstSeen)> _rows = [];

    /// <summary>Takes note of the table.</summary>
    /// <param name="rows">All its rows.</param>
    /// <param name="now">A monotonic time after they were read.</param>
    public void Note(IReadOnlyList<LeaseRow> rows, long now)
    {
        lock (_lock)
        {
            Dictionary<string, (long, long)> seen = [];
            foreach (LeaseRow row in rows)
            {
                seen[row.Silo] = _rows.TryGetValue(row.Silo, out (long Number, long FirstSeen) before) && before.Number >= row.Number ? before : (row.Number, now);
            }

            _rows = seen;
        }
    }

    /// <summary>When the lease of a row is over at the latest; <paramref name="latest"/> where nothing better is known.</summary>
    public long EndOf(LeaseRow row, long latest)
    {
        lock (_lock)
        {
            return _rows.TryGetValue(row.Silo, out (long Number, long FirstSeen) seen) && seen.Number == row.Number ? Math.Min(latest, seen.FirstSeen + leaseTicks) : latest;
        }
    }

    /// <summary>The rows of others whose leases are over.</summary>
    public IReadOnlyList<LeaseRow> FindEnded(long now)
    {
        lock (_lock)
        {
            return [.. _rows.Where(row => row.Key != self && now - row.Value.FirstSeen >= leaseTicks).Select(row => new LeaseRow(row.Key, row.Value.Number))];
        }
    }
}
