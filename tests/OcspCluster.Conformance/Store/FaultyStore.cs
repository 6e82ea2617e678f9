using OcspCluster.Authority;
using OcspCluster.Protocol;

namespace OcspCluster.Conformance;

/// <summary>A store whose next appends fail in the way that a test asks for; everything else goes through.</summary>
internal sealed class FaultyStore(IRevocationStore store) : IRevocationStore
{
    /// <summary>Decides about the next append; given the append itself, which it may carry out or not. Then it is gone.</summary>
    public Func<Func<ValueTask<AppendResult>>, ValueTask<AppendResult>>? NextAppend { get; set; }

    /// <summary>How many appends were tried, and of how many entries each.</summary>
    public List<int> Appends { get; } = [];

    /// <summary>Whether reading fails.</summary>
    public bool IsUnreadable { get; set; }

    public ValueTask<AppendResult> AppendAsync(IssuerId issuer, long expectedPosition, IReadOnlyList<JournalEntry> entries)
    {
        Appends.Add(entries.Count);
        if (NextAppend is not { } decide)
        {
            return store.AppendAsync(issuer, expectedPosition, entries);
        }

        NextAppend = null;
        return decide(() => store.AppendAsync(issuer, expectedPosition, entries));
    }

    public ValueTask<long> GetPositionAsync(IssuerId issuer, CancellationToken cancellationToken) =>
        IsUnreadable ? throw new RevocationStoreException("unreadable") : store.GetPositionAsync(issuer, cancellationToken);

    public ValueTask<CertificateStatus?> FindStatusAsync(IssuerId issuer, SerialNumber serial, CancellationToken cancellationToken) =>
        store.FindStatusAsync(issuer, serial, cancellationToken);

    public ValueTask<IReadOnlyList<CertificateStatus?>> FindStatusesAsync(IssuerId issuer, IReadOnlyList<SerialNumber> serials, CancellationToken cancellationToken) =>
        store.FindStatusesAsync(issuer, serials, cancellationToken);

    public ValueTask<IReadOnlyList<JournalEntry?>> FindEventsAsync(IssuerId issuer, IReadOnlyList<string> eventIds, CancellationToken cancellationToken) =>
        store.FindEventsAsync(issuer, eventIds, cancellationToken);

    public IAsyncEnumerable<JournalEntry> ReadJournalAsync(IssuerId issuer, long after, CancellationToken cancellationToken) =>
        store.ReadJournalAsync(issuer, after, cancellationToken);

    public ValueTask<IReadOnlyList<RecordedCertificate>> ListAsync(IssuerId issuer, CertificateState? state, SerialNumber after, int limit, CancellationToken cancellationToken) =>
        store.ListAsync(issuer, state, after, limit, cancellationToken);

    public ValueTask<IReadOnlyList<JournalEntry>> FindHistoryAsync(IssuerId issuer, SerialNumber serial, int limit, CancellationToken cancellationToken) =>
        store.FindHistoryAsync(issuer, serial, limit, cancellationToken);

    public ValueTask<StatusCounts> CountAsync(IssuerId issuer, CancellationToken cancellationToken) => store.CountAsync(issuer, cancellationToken);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask; // the contract's own to dispose
}

/// <summary>Remembers what it was told, and fails or waits when a test says so.</summary>
internal sealed class RecordingPublisher : IResponsePublisher
{
    public List<long> Published { get; } = [];

    public List<int> Rounds { get; } = [];

    /// <summary>The positions up to which everything was published, without its being known what.</summary>
    public List<long> PublishedThrough { get; } = [];

    /// <summary>Decides about the next rounds.</summary>
    public Func<Task>? OnPublish { get; set; }

    public ValueTask PublishThroughAsync(IssuerId issuer, long position)
    {
        PublishedThrough.Add(position);
        return ValueTask.CompletedTask;
    }

    public async ValueTask PublishAsync(IssuerId issuer, IReadOnlyList<JournalEntry> entries)
    {
        if (OnPublish is { } decide)
        {
            await decide();
        }

        Rounds.Add(entries.Count);
        Published.AddRange(entries.Select(entry => entry.Position));
    }
}
