using System.Runtime.CompilerServices;
using OcspCluster.Authority;
using OcspCluster.Protocol;
using StackExchange.Redis;

namespace OcspCluster.Silo.Storage;

/// <summary>
/// The journals and statuses in Redis, shared by all silos. Thread-safe; any number of processes may have it open, and the
/// fence of an append keeps their journals whole.
/// </summary>
/// <remarks>
/// Appends are durable when they return, as far as <see cref="Durability"/> says, and are refused where it says too little.
/// Every record has a checksum: a damaged one is a <see cref="RevocationStoreException"/>, not a status.
/// The layout is told in <c>docs/decisions/0021-redis-store.md</c>.
/// </remarks>
public sealed class RedisRevocationStore : IRevocationStore
{
    /// <summary>The most entries of one append: a script stops everything else in Redis while it runs.</summary>
    public const int MaxEntriesPerAppend = 4096;

    private const int CertificatesPerLeaf = 64; // at least, as a rule

    private readonly RedisConnection _connection;
    private readonly RedisConnection? _writeConnection;
    private readonly bool _ownsConnection;
    private readonly RedisStoreReader _reader;
    private readonly RedisJournalWriter _writer;
    private readonly DurabilityGate _gate;
    private readonly int _replicas;
    private int _disposed;

    private RedisRevocationStore(
        RedisConnection connection, RedisConnection? writeConnection, bool ownsConnection, DurabilityGate gate, RedisOptions options, RedisSchema schema)
    {
        _connection = connection;
        _writeConnection = writeConnection;
        _ownsConnection = ownsConnection;
        _gate = gate;
        _replicas = options.Replicas;
        _reader = new RedisStoreReader(connection);
        _writer = new RedisJournalWriter(writeConnection ?? connection, _reader, gate, schema.Version, options.Replicas);
    }

    /// <summary>What Redis promises to keep, as it was last seen: at the opening, at most ten seconds before an append, and after every restart of Redis that an append met.</summary>
    public RedisDurability Durability => _gate.Durability;

    /// <summary>Connects and opens; the connection is closed with the store.</summary>
    /// <inheritdoc cref="OpenAsync(RedisConnection, RedisOptions, TimeProvider, CancellationToken)"/>
    public static async Task<RedisRevocationStore> OpenAsync(RedisOptions options, TimeProvider timeProvider, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        RedisConnection connection = await RedisConnection.OpenAsync(options, timeProvider).ConfigureAwait(false);
        try
        {
            return await OpenAsync(connection, ownsConnection: true, options, timeProvider, RedisSchema.Current, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Opens the store; brings its schema up to date and looks at Redis's settings.</summary>
    /// <param name="connection">A connection, which stays the caller's to close.</param>
    /// <param name="options">What is asked of Redis; the connection's endpoints and prefix stand.</param>
    /// <param name="timeProvider">The clock.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="RevocationStoreException">Redis cannot be reached, or holds a newer version's data.</exception>
    /// <remarks>A Redis that is not durable is no reason to fail: what is there is served, and <see cref="AppendAsync"/> refuses.</remarks>
    public static Task<RedisRevocationStore> OpenAsync(RedisConnection connection, RedisOptions options, TimeProvider timeProvider, CancellationToken cancellationToken) =>
        OpenAsync(connection, ownsConnection: false, options, timeProvider, RedisSchema.Current, cancellationToken);

    internal static async Task<RedisRevocationStore> OpenAsync(
        RedisConnection connection, bool ownsConnection, RedisOptions options, TimeProvider timeProvider, RedisSchema schema, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(connection);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(timeProvider);
        ArgumentOutOfRangeException.ThrowIfNegative(options.Replicas, nameof(options));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.Replicas, 16, nameof(options));
        await schema.PrepareAsync(connection, cancellationToken).ConfigureAwait(false);

        // WAIT holds up all that comes behind it on its connection.
        RedisConnection? writeConnection = options.Replicas > 0 ? await connection.OpenAnotherAsync().ConfigureAwait(false) : null;
        DurabilityGate gate = new(writeConnection ?? connection, options.AcceptLessDurability, timeProvider);
        RedisRevocationStore store = new(connection, writeConnection, ownsConnection, gate, options, schema);
        await gate.LookAsync().ConfigureAwait(false);
        return store;
    }

    /// <summary>The cursors of deliveries, as durable as the journals. They live as long as this store.</summary>
    public RedisDeliveryCursorStore OpenDeliveryCursors()
    {
        ThrowIfDisposed();
        return new RedisDeliveryCursorStore(_writeConnection ?? _connection, _gate, _replicas);
    }

    /// <inheritdoc/>
    public async ValueTask<long> GetPositionAsync(IssuerId issuer, CancellationToken cancellationToken)
    {
        ThrowIfDisposed();
        return (await _reader.ReadHeadAsync(issuer, cancellationToken).ConfigureAwait(false)).Position;
    }

    /// <inheritdoc/>
    /// <param name="issuer">Whose journal.</param>
    /// <param name="expectedPosition">The position that the writer takes for the last one.</param>
    /// <param name="entries">1 to <see cref="MaxEntriesPerAppend"/>.</param>
    public ValueTask<AppendResult> AppendAsync(IssuerId issuer, long expectedPosition, IReadOnlyList<JournalEntry> entries)
    {
        ArgumentNullException.ThrowIfNull(entries);
        ThrowIfDisposed();
        ArgumentOutOfRangeException.ThrowIfZero(entries.Count, nameof(entries));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(entries.Count, MaxEntriesPerAppend, nameof(entries));
        ArgumentOutOfRangeException.ThrowIfNegative(expectedPosition);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(expectedPosition, RedisRecords.MaxPosition - entries.Count);
        for (int i = 0; i < entries.Count; i++)
        {
            JournalEntry entry = entries[i];
            if (entry.Position != expectedPosition + i + 1 || entry.Status.Position != entry.Position || entry.Event.Serial.IsEmpty)
            {
                throw new ArgumentException($"Entry {i} must have position {expectedPosition + i + 1}, in its status too, and a serial number.", nameof(entries));
            }
        }

        return _writer.AppendAsync(issuer, expectedPosition, entries);
    }

    /// <inheritdoc/>
    public async ValueTask<CertificateStatus?> FindStatusAsync(IssuerId issuer, SerialNumber serial, CancellationToken cancellationToken) =>
        (await FindStatusesAsync(issuer, [serial], cancellationToken).ConfigureAwait(false))[0];

    /// <inheritdoc/>
    /// <remarks>Up to 4,096 at a time are of one moment.</remarks>
    public async ValueTask<IReadOnlyList<CertificateStatus?>> FindStatusesAsync(
        IssuerId issuer, IReadOnlyList<SerialNumber> serials, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(serials);
        ThrowIfDisposed();
        RedisValue[] keys = new RedisValue[serials.Count];
        for (int i = 0; i < keys.Length; i++)
        {
            keys[i] = serials[i].ContentMemory;
        }

        byte[]?[] values = await _reader.FindValuesAsync(issuer, "s", keys, cancellationToken).ConfigureAwait(false);
        CertificateStatus?[] statuses = new CertificateStatus?[values.Length];
        for (int i = 0; i < statuses.Length; i++)
        {
            statuses[i] = RedisStoreReader.ToStatus(issuer, serials[i], values[i]);
        }

        return statuses;
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<JournalEntry?>> FindEventsAsync(
        IssuerId issuer, IReadOnlyList<string> eventIds, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(eventIds);
        ThrowIfDisposed();
        return await _reader.FindEventsAsync(issuer, eventIds, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<JournalEntry> ReadJournalAsync(
        IssuerId issuer, long after, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(after);
        ThrowIfDisposed();
        List<ChainedEntry> page;
        do
        {
            page = await _reader.ReadJournalAsync(issuer, after, RedisRecords.MaxPosition, RedisStoreReader.JournalPage, cancellationToken).ConfigureAwait(false);
            foreach (ChainedEntry chained in page)
            {
                if (chained.Entry.Position != after + 1)
                {
                    throw new RevocationStoreException(RedisStoreReader.Damaged($"journal entry {after + 1} of issuer '{issuer}'").Message) { Position = after + 1 };
                }

                yield return chained.Entry;
                after = chained.Entry.Position;
            }
        }
        while (page.Count == RedisStoreReader.JournalPage);
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<RecordedCertificate>> ListAsync(
        IssuerId issuer, CertificateState? state, SerialNumber after, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ThrowIfDisposed();
        string tree = state switch
        {
            CertificateState.Revoked => "r",
            CertificateState.Held => "h",
            _ => "s",
        };
        List<RecordedCertificate> certificates = [];
        ReadOnlyMemory<byte> from = after.ContentMemory;
        while (true)
        {
            int leaves = Math.Clamp((limit - certificates.Count) / CertificatesPerLeaf, 1, RedisStoreReader.MaxLeaves);
            RedisLeaves page = await _reader.ReadLeavesAsync(issuer, tree, from, leaves, cancellationToken).ConfigureAwait(false);
            foreach ((SerialNumber serial, byte[]? value) in page.Certificates)
            {
                if (serial <= after)
                {
                    continue;
                }

                CertificateStatus status = RedisStoreReader.ToStatus(issuer, serial, value) ?? throw RedisStoreReader.Damaged($"the status of serial {serial} of issuer '{issuer}'");
                if (state is not null && status.State != state)
                {
                    continue;
                }

                certificates.Add(new RecordedCertificate(serial, status));
                if (certificates.Count == limit)
                {
                    return certificates;
                }
            }

            if (page.Next is null)
            {
                return certificates;
            }

            from = page.Next;
        }
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<JournalEntry>> FindHistoryAsync(IssuerId issuer, SerialNumber serial, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ThrowIfDisposed();
        return await _reader.ReadHistoryAsync(issuer, serial, limit, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<StatusCounts> CountAsync(IssuerId issuer, CancellationToken cancellationToken)
    {
        ThrowIfDisposed();
        return (await _reader.ReadHeadAsync(issuer, cancellationToken).ConfigureAwait(false)).Counts;
    }

    /// <summary>Begins to go through the serial numbers of an issuer's certificates.</summary>
    internal async ValueTask<SerialWalk> BeginWalkAsync(IssuerId issuer, CancellationToken cancellationToken)
    {
        ThrowIfDisposed();
        return new SerialWalk(_reader, issuer, await _reader.ReadHeadAsync(issuer, cancellationToken).ConfigureAwait(false));
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        _gate.Dispose();
        if (_writeConnection is not null)
        {
            await _writeConnection.DisposeAsync().ConfigureAwait(false);
        }

        if (_ownsConnection)
        {
            await _connection.DisposeAsync().ConfigureAwait(false);
        }
    }

    private void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(_disposed != 0, this);
}
