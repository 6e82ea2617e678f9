using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using OcspCluster.Authority;

namespace OcspCluster.Gateway;

/// <summary>
/// The journals as far as they are published: what is handed out here, no gateway contradicts any more. Thread-safe.
/// Whoever follows it has a position of his own and reads from the store, so a slow follower costs no memory and loses nothing.
/// </summary>
public sealed class PublishedJournal
{
    private readonly IRevocationStore _store;
    private readonly ConcurrentDictionary<IssuerId, long> _positions;
    private volatile TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Begins with nothing published: somebody tells (<see cref="Advance"/>).</summary>
    internal PublishedJournal(IRevocationStore store)
        : this(store, [])
    {
    }

    private PublishedJournal(IRevocationStore store, ConcurrentDictionary<IssuerId, long> positions)
    {
        _store = store;
        _positions = positions;
    }

    /// <summary>Completes with the next publication of any issuer. Take it before reading, and nothing is missed.</summary>
    public Task Changed => _changed.Task;

    /// <summary>Takes what the store holds as published. Before the first event is taken: a gateway that starts knows nothing older.</summary>
    /// <exception cref="RevocationStoreException">The store cannot be read.</exception>
    public static async Task<PublishedJournal> OpenAsync(IRevocationStore store, IEnumerable<IssuerId> issuers, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(issuers);
        ConcurrentDictionary<IssuerId, long> positions = new();
        foreach (IssuerId issuer in issuers)
        {
            positions[issuer] = await store.GetPositionAsync(issuer, cancellationToken).ConfigureAwait(false);
        }

        return new PublishedJournal(store, positions);
    }

    /// <summary>The last position of an issuer that is published; 0 when none is.</summary>
    public long GetPosition(IssuerId issuer) => _positions.GetValueOrDefault(issuer);

    /// <summary>The last position in the store: the journal that is here goes so far, though the end of it may not be published, or this process may not have heard yet that it is.</summary>
    /// <exception cref="RevocationStoreException">The store cannot be read.</exception>
    internal ValueTask<long> FindEndAsync(IssuerId issuer, CancellationToken cancellationToken) => _store.GetPositionAsync(issuer, cancellationToken);

    /// <summary>The published entries after a position, in order.</summary>
    /// <exception cref="RevocationStoreException">The store cannot be read, or lacks what was published.</exception>
    public async IAsyncEnumerable<JournalEntry> ReadAsync(IssuerId issuer, long after, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        long end = GetPosition(issuer);
        long next = after + 1;
        if (next > end)
        {
            yield break; // who is up to date costs the store nothing
        }

        await foreach (JournalEntry entry in _store.ReadJournalAsync(issuer, after, cancellationToken).ConfigureAwait(false))
        {
            if (entry.Position != next)
            {
                break;
            }

            yield return entry;
            if (next++ == end)
            {
                yield break;
            }
        }

        throw new RevocationStoreException($"The journal of issuer '{issuer}' lacks position {next}, which was published. Run the audit.") { Position = next };
    }

    /// <summary>An issuer's journal is published up to here.</summary>
    internal void Advance(IssuerId issuer, long position)
    {
        if (position <= GetPosition(issuer))
        {
            return;
        }

        _positions.AddOrUpdate(issuer, position, (_, known) => Math.Max(known, position));
        Interlocked.Exchange(ref _changed, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
    }
}

/// <summary>Tells the followers what the gateways have heard: first those that answer, then those that are told.</summary>
public sealed class FollowedPublisher(IResponsePublisher gateways, PublishedJournal journal) : IResponsePublisher
{
    /// <inheritdoc/>
    public async ValueTask PublishThroughAsync(IssuerId issuer, long position)
    {
        await gateways.PublishThroughAsync(issuer, position).ConfigureAwait(false);
        journal.Advance(issuer, position);
    }

    /// <inheritdoc/>
    public async ValueTask PublishAsync(IssuerId issuer, IReadOnlyList<JournalEntry> entries)
    {
        ArgumentNullException.ThrowIfNull(entries);
        await gateways.PublishAsync(issuer, entries).ConfigureAwait(false);
        if (entries.Count > 0)
        {
            journal.Advance(issuer, entries[^1].Position);
        }
    }
}
