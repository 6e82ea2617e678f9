using System.Runtime.CompilerServices;
using OcspCluster.Authority;
using OcspCluster.Protocol;
using OcspCluster.Silo.Coherence;

namespace OcspCluster.Silo.Tests.Coherence;

/// <summary>A journal, its statuses and its leases in memory, as one thing: what Redis is to the silos of a simulated cluster. Thread-safe.</summary>
internal sealed class MemoryStore
{
    private readonly Lock _lock = new();
    private readonly List<JournalEntry> _journal = [];
    private readonly Dictionary<string, long> _leases = [];
    private long _published;

    public long Position
    {
        get
        {
            lock (_lock)
            {
                return _journal.Count;
            }
        }
    }

    public long Published
    {
        get
        {
            lock (_lock)
            {
                return _published;
            }
        }
    }

    public IReadOnlyList<JournalEntry> Journal
    {
        get
        {
            lock (_lock)
            {
                return [.. _journal];
            }
        }
    }

    public IReadOnlyList<LeaseRow> Rows
    {
        get
        {
            lock (_lock)
            {
                return [.. _leases.Select(row => new LeaseRow(row.Key, row.Value))];
            }
        }
    }

    /// <summary>Loses the end of the journal, as a store does that was put back from a backup.</summary>
    public void TruncateTo(int position)
    {
        lock (_lock)
        {
            _journal.RemoveRange(position, _journal.Count - position);
            _published = Math.Min(_published, position);
        }
    }

    public AppendResult Append(long expectedPosition, IReadOnlyList<JournalEntry> entries)
    {
        lock (_lock)
        {
            if (_journal.Count != expectedPosition)
            {
                return new AppendResult(false, _journal.Count);
            }

            _journal.AddRange(entries);
            return new AppendResult(true, _journal.Count);
        }
    }

    public LeaseRenewal Renew(LeaseRow mine, IReadOnlyList<LeaseRow> ended, long published)
    {
        lock (_lock)
        {
            if (_leases.TryGetValue(mine.Silo, out long number) && number >= mine.Number)
            {
                throw new RevocationStoreException("A later renewal was here before this one.");
            }

            _leases[mine.Silo] = mine.Number;
            foreach (LeaseRow row in ended.Where(row => _leases.GetValueOrDefault(row.Silo) == row.Number))
            {
                _leases.Remove(row.Silo);
            }

            _published = Math.Max(_published, published);
            return new LeaseRenewal(_journal.Count, _published, [.. _leases.Select(row => new LeaseRow(row.Key, row.Value))]);
        }
    }

    public void Remove(string silo, long published)
    {
        lock (_lock)
        {
            _published = Math.Max(_published, published);
            _leases.Remove(silo);
        }
    }
}

/// <summary>The store as one silo reaches it, or does not.</summary>
internal sealed class StoreView(MemoryStore store) : IRevocationStore, ILeaseTable
{
    private volatile bool _isAway;

    public bool IsAway { get => _isAway; set => _isAway = value; }

    public async ValueTask<long> GetPositionAsync(IssuerId issuer, CancellationToken cancellationToken) => Reach().Position;

    public async ValueTask<AppendResult> AppendAsync(IssuerId issuer, long expectedPosition, IReadOnlyList<JournalEntry> entries) => Reach().Append(expectedPosition, entries);

    public async ValueTask<CertificateStatus?> FindStatusAsync(IssuerId issuer, SerialNumber serial, CancellationToken cancellationToken) =>
        Reach().Journal.LastOrDefault(entry => entry.Event.Serial == serial)?.Status;

    public async ValueTask<IReadOnlyList<CertificateStatus?>> FindStatusesAsync(IssuerId issuer, IReadOnlyList<SerialNumber> serials, CancellationToken cancellationToken)
    {
        ILookup<SerialNumber, JournalEntry> entries = Reach().Journal.ToLookup(entry => entry.Event.Serial);
        return [.. serials.Select(serial => entries[serial].LastOrDefault()?.Status)];
    }

    public async ValueTask<IReadOnlyList<JournalEntry?>> FindEventsAsync(IssuerId issuer, IReadOnlyList<string> eventIds, CancellationToken cancellationToken)
    {
        ILookup<string, JournalEntry> entries = Reach().Journal.ToLookup(entry => entry.Event.Id);
        return [.. eventIds.Select(id => entries[id].FirstOrDefault())];
    }

    public async IAsyncEnumerable<JournalEntry> ReadJournalAsync(IssuerId issuer, long after, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (JournalEntry entry in Reach().Journal.Skip((int)after))
        {
            yield return entry;
        }
    }

    public async Task<LeaseRenewal> RenewAsync(IssuerId issuer, LeaseRow mine, IReadOnlyList<LeaseRow> ended, long published, CancellationToken cancellationToken) => Reach().Renew(mine, ended, published);

    public async Task<IReadOnlyList<LeaseRow>> ReadAsync(IssuerId issuer, CancellationToken cancellationToken) => Reach().Rows;

    public async Task RemoveAsync(IssuerId issuer, string silo, long published, CancellationToken cancellationToken) => Reach().Remove(silo, published);

    public ValueTask<IReadOnlyList<RecordedCertificate>> ListAsync(IssuerId issuer, CertificateState? state, SerialNumber after, int limit, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<IReadOnlyList<JournalEntry>> FindHistoryAsync(IssuerId issuer, SerialNumber serial, int limit, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<StatusCounts> CountAsync(IssuerId issuer, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private MemoryStore Reach() => IsAway ? throw new RevocationStoreException("The store is away.") : store;
}
