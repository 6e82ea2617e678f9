using System.Runtime.CompilerServices;
using OcspCluster.Authority;
using OcspCluster.Protocol;

namespace OcspCluster.Gateway.Tests;

/// <summary>A journal in memory that is only read, as far as the refresh scheduler reads it.</summary>
internal sealed class DictionaryStore : IRevocationStore
{
    private readonly List<JournalEntry> _journal = [];

    /// <summary>What listing the statuses throws, as where a row is damaged.</summary>
    public RevocationStoreException? ListFailure { get; set; }

    public void Add(SerialNumber serial, CertificateStatus status)
    {
        long position = _journal.Count + 1;
        EventKind kind = status.State == CertificateState.Good ? EventKind.Issued : EventKind.Revoked;
        RevocationEvent @event = new() { Id = position.ToString(System.Globalization.CultureInfo.InvariantCulture), Serial = serial, Kind = kind, At = DateTimeOffset.UnixEpoch };
        _journal.Add(new JournalEntry(position, @event, DateTimeOffset.UnixEpoch, status with { Position = position }));
    }

    public async IAsyncEnumerable<JournalEntry> ReadJournalAsync(IssuerId issuer, long after, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.CompletedTask;
        foreach (JournalEntry entry in _journal.Skip((int)after))
        {
            yield return entry;
        }
    }

    public ValueTask<long> GetPositionAsync(IssuerId issuer, CancellationToken cancellationToken) => ValueTask.FromResult((long)_journal.Count);

    public ValueTask<AppendResult> AppendAsync(IssuerId issuer, long expectedPosition, IReadOnlyList<JournalEntry> entries) => throw new NotSupportedException();

    public ValueTask<CertificateStatus?> FindStatusAsync(IssuerId issuer, SerialNumber serial, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<IReadOnlyList<CertificateStatus?>> FindStatusesAsync(IssuerId issuer, IReadOnlyList<SerialNumber> serials, CancellationToken cancellationToken)
    {
        Dictionary<SerialNumber, CertificateStatus> statuses = [];
        _journal.ForEach(entry => statuses[entry.Event.Serial] = entry.Status);
        return ValueTask.FromResult<IReadOnlyList<CertificateStatus?>>([.. serials.Select(statuses.GetValueOrDefault)]);
    }

    public ValueTask<IReadOnlyList<JournalEntry?>> FindEventsAsync(IssuerId issuer, IReadOnlyList<string> eventIds, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<IReadOnlyList<RecordedCertificate>> ListAsync(IssuerId issuer, CertificateState? state, SerialNumber after, int limit, CancellationToken cancellationToken)
    {
        if (ListFailure is { } failure)
        {
            throw failure;
        }

        Dictionary<SerialNumber, CertificateStatus> statuses = [];
        _journal.ForEach(entry => statuses[entry.Event.Serial] = entry.Status);
        return ValueTask.FromResult<IReadOnlyList<RecordedCertificate>>(
            [.. statuses.Where(one => after.IsEmpty || one.Key.CompareTo(after) > 0).OrderBy(one => one.Key).Take(limit).Select(one => new RecordedCertificate(one.Key, one.Value))]);
    }

    public ValueTask<IReadOnlyList<JournalEntry>> FindHistoryAsync(IssuerId issuer, SerialNumber serial, int limit, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<StatusCounts> CountAsync(IssuerId issuer, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
