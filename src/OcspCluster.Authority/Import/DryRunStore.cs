using System.Runtime.CompilerServices;
using OcspCluster.Protocol;

namespace OcspCluster.Authority;

// What was tried is remembered for so long that events which belong together are judged together, and forgotten before it fills the memory: two generations, of which
// the older one goes when the younger is full. A status that is needed again after a quarter of a million others is then the store's, and the count may be off by it.

/// <summary>Takes appends into memory, above a store that it only reads: an import can be tried, and be judged as it would be. For one caller at a time.</summary>
/// <param name="store">The store; null for an empty one. Not disposed where <paramref name="ownsStore"/> is false.</param>
/// <param name="ownsStore">Whether disposing this disposes the store.</param>
public sealed class DryRunStore(IRevocationStore? store, bool ownsStore) : IRevocationStore
{
    private const int MaxGeneration = 250_000;

    private Generation _young = new();
    private Generation _old = new();
    private long? _position;

    /// <inheritdoc/>
    public async ValueTask<long> GetPositionAsync(IssuerId issuer, CancellationToken cancellationToken) =>
        _position ??= store is null ? 0 : await store.GetPositionAsync(issuer, cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    public async ValueTask<AppendResult> AppendAsync(IssuerId issuer, long expectedPosition, IReadOnlyList<JournalEntry> entries)
    {
        long position = await GetPositionAsync(issuer, CancellationToken.None).ConfigureAwait(false);
        if (position != expectedPosition)
        {
            return new AppendResult(false, position);
        }

        ArgumentNullException.ThrowIfNull(entries);
        foreach (JournalEntry entry in entries)
        {
            _young.Statuses[entry.Event.Serial] = entry.Status;
            _young.Events[entry.Event.Id] = entry;
        }

        if (_young.Events.Count >= MaxGeneration)
        {
            _old = _young;
            _young = new Generation();
        }

        _position = entries[^1].Position;
        return new AppendResult(true, entries[^1].Position);
    }

    /// <inheritdoc/>
    public async ValueTask<CertificateStatus?> FindStatusAsync(IssuerId issuer, SerialNumber serial, CancellationToken cancellationToken) =>
        (await FindStatusesAsync(issuer, [serial], cancellationToken).ConfigureAwait(false))[0];

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<CertificateStatus?>> FindStatusesAsync(IssuerId issuer, IReadOnlyList<SerialNumber> serials, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(serials);
        IReadOnlyList<CertificateStatus?> stored = store is null
            ? new CertificateStatus?[serials.Count]
            : await store.FindStatusesAsync(issuer, serials, cancellationToken).ConfigureAwait(false);
        return [.. serials.Select((serial, i) => _young.Statuses.GetValueOrDefault(serial) ?? _old.Statuses.GetValueOrDefault(serial) ?? stored[i])];
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<JournalEntry?>> FindEventsAsync(IssuerId issuer, IReadOnlyList<string> eventIds, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(eventIds);
        IReadOnlyList<JournalEntry?> stored = store is null
            ? new JournalEntry?[eventIds.Count]
            : await store.FindEventsAsync(issuer, eventIds, cancellationToken).ConfigureAwait(false);
        return [.. eventIds.Select((id, i) => _young.Events.GetValueOrDefault(id) ?? _old.Events.GetValueOrDefault(id) ?? stored[i])];
    }

    /// <summary>Of the store below, and of what was tried what is remembered.</summary>
    public async IAsyncEnumerable<JournalEntry> ReadJournalAsync(IssuerId issuer, long after, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (store is not null)
        {
            await foreach (JournalEntry entry in store.ReadJournalAsync(issuer, after, cancellationToken).ConfigureAwait(false))
            {
                yield return entry;
            }
        }

        foreach (JournalEntry entry in _old.Events.Values.Concat(_young.Events.Values).Where(entry => entry.Position > after).OrderBy(entry => entry.Position))
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

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ownsStore && store is not null ? store.DisposeAsync() : ValueTask.CompletedTask;

    /// <summary>An authority that records nothing: it judges events by what is recorded, and by what it was told before.</summary>
    public static IRevocationAuthority CreateAuthority(IssuerId issuer, DryRunStore store, TimeProvider clock) =>
        new LocalRevocationAuthority([new IssuerSequencer(issuer, store, new NobodyToTell(), clock)]);

    private sealed class Generation
    {
        public Dictionary<SerialNumber, CertificateStatus> Statuses { get; } = [];

        public Dictionary<string, JournalEntry> Events { get; } = new(StringComparer.Ordinal);
    }

    /// <summary>Nothing changes, so no answer is old.</summary>
    private sealed class NobodyToTell : IResponsePublisher
    {
        public ValueTask PublishAsync(IssuerId issuer, IReadOnlyList<JournalEntry> entries) => ValueTask.CompletedTask;
    }
}
