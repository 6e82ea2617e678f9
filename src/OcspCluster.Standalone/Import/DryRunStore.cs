using System.Runtime.CompilerServices;
using OcspCluster.Authority;
using OcspCluster.Protocol;

namespace OcspCluster.Standalone.Import;

/// <summary>Takes appends into memory, above a store that it only reads: an import can be tried, and everything be checked as it would be. For one caller at a time.</summary>
internal sealed class DryRunStore(IRevocationStore? store) : IRevocationStore
{
    private readonly Dictionary<SerialNumber, CertificateStatus> _statuses = [];
    private readonly Dictionary<string, JournalEntry> _events = new(StringComparer.Ordinal);
    private long? _position;

    public async ValueTask<long> GetPositionAsync(IssuerId issuer, CancellationToken cancellationToken) =>
        _position ??= store is null ? 0 : await store.GetPositionAsync(issuer, cancellationToken).ConfigureAwait(false);

    public async ValueTask<AppendResult> AppendAsync(IssuerId issuer, long expectedPosition, IReadOnlyList<JournalEntry> entries)
    {
        long position = await GetPositionAsync(issuer, CancellationToken.None).ConfigureAwait(false);
        if (position != expectedPosition)
        {
            return new AppendResult(false, position);
        }

        foreach (JournalEntry entry in entries)
        {
            _statuses[entry.Event.Serial] = entry.Status;
            _events[entry.Event.Id] = entry;
        }

        _position = entries[^1].Position;
        return new AppendResult(true, entries[^1].Position);
    }

    public async ValueTask<CertificateStatus?> FindStatusAsync(IssuerId issuer, SerialNumber serial, CancellationToken cancellationToken) =>
        (await FindStatusesAsync(issuer, [serial], cancellationToken).ConfigureAwait(false))[0];

    public async ValueTask<IReadOnlyList<CertificateStatus?>> FindStatusesAsync(IssuerId issuer, IReadOnlyList<SerialNumber> serials, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(serials);
        IReadOnlyList<CertificateStatus?> stored = store is null
            ? new CertificateStatus?[serials.Count]
            : await store.FindStatusesAsync(issuer, serials, cancellationToken).ConfigureAwait(false);
        return [.. serials.Select((serial, i) => _statuses.GetValueOrDefault(serial) ?? stored[i])];
    }

    public async ValueTask<IReadOnlyList<JournalEntry?>> FindEventsAsync(IssuerId issuer, IReadOnlyList<string> eventIds, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(eventIds);
        IReadOnlyList<JournalEntry?> stored = store is null
            ? new JournalEntry?[eventIds.Count]
            : await store.FindEventsAsync(issuer, eventIds, cancellationToken).ConfigureAwait(false);
        return [.. eventIds.Select((id, i) => _events.GetValueOrDefault(id) ?? stored[i])];
    }

    public async IAsyncEnumerable<JournalEntry> ReadJournalAsync(IssuerId issuer, long after, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (store is not null)
        {
            await foreach (JournalEntry entry in store.ReadJournalAsync(issuer, after, cancellationToken).ConfigureAwait(false))
            {
                yield return entry;
            }
        }

        foreach (JournalEntry entry in _events.Values.Where(entry => entry.Position > after).OrderBy(entry => entry.Position))
        {
            yield return entry;
        }
    }

    /// <summary>Of the store below; what was tried is not listed.</summary>
    public ValueTask<IReadOnlyList<RecordedCertificate>> ListAsync(IssuerId issuer, CertificateState? state, SerialNumber after, int limit, CancellationToken cancellationToken) =>
        store?.ListAsync(issuer, state, after, limit, cancellationToken) ?? ValueTask.FromResult<IReadOnlyList<RecordedCertificate>>([]);

    /// <inheritdoc cref="ListAsync"/>
    public ValueTask<IReadOnlyList<JournalEntry>> FindHistoryAsync(IssuerId issuer, SerialNumber serial, int limit, CancellationToken cancellationToken) =>
        store?.FindHistoryAsync(issuer, serial, limit, cancellationToken) ?? ValueTask.FromResult<IReadOnlyList<JournalEntry>>([]);

    /// <summary>Of the store below; what was tried is not counted.</summary>
    public ValueTask<StatusCounts> CountAsync(IssuerId issuer, CancellationToken cancellationToken) =>
        store?.CountAsync(issuer, cancellationToken) ?? ValueTask.FromResult(default(StatusCounts));

    public ValueTask DisposeAsync() => store?.DisposeAsync() ?? ValueTask.CompletedTask;
}
