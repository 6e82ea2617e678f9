using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using OcspCluster.Authority;
using OcspCluster.Protocol;

namespace OcspCluster.Standalone.Storage;

/// <summary>
/// The journals, the statuses and the delivery cursors in one SQLite file, <c>revocations.db</c>, with a write-ahead log beside it. One process per directory.
/// </summary>
/// <remarks>
/// Appends are durable when they return (synchronous=FULL) and share a commit with all others that wait. Reads run on the
/// caller's thread, on one of a bounded number of read-only connections, and never wait for the writer.
/// Every row has a checksum: a damaged one is a <see cref="RevocationStoreException"/>, not a status.
/// </remarks>
public sealed class SqliteRevocationStore : IRevocationStore, IDeliveryCursorStore
{
    /// <summary>The database's file name within the data directory.</summary>
    public const string FileName = "revocations.db";

    private const int JournalPage = 1024;

    private readonly DataDirectoryLock _lock;
    private readonly JournalWriter _writer;
    private readonly string _file;
    private readonly ConcurrentBag<StoreReader> _idleReaders = [];
    private readonly int _maxReaders = Math.Max(4, 2 * Environment.ProcessorCount);
    private readonly SemaphoreSlim _readers;
    private int _disposed;

    private SqliteRevocationStore(DataDirectoryLock @lock, string file)
    {
        _lock = @lock;
        _file = file;
        _writer = new JournalWriter(file);
        _readers = new SemaphoreSlim(_maxReaders, _maxReaders);
    }

    /// <summary>Which SQLite runs and where it comes from, for the log.</summary>
    public static string LibraryDescription => SqliteLibrary.Description;

    /// <summary>Why the last append to any journal failed, in words; null when it went through.</summary>
    public string? WriteProblem => _writer.Problem;

    /// <summary>Opens the store of a data directory; creates both where they are missing.</summary>
    /// <exception cref="RevocationStoreException">
    /// Another process uses the directory; the database is a newer version's, damaged, or cannot be written.
    /// </exception>
    public static SqliteRevocationStore Open(string directory)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        directory = Path.GetFullPath(directory);
        try
        {
            Directory.CreateDirectory(directory);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RevocationStoreException($"The data directory '{directory}' cannot be created: {e.Message}", e);
        }

        DataDirectoryLock @lock = DataDirectoryLock.Take(directory);
        try
        {
            return new SqliteRevocationStore(@lock, Path.Combine(directory, FileName));
        }
        catch
        {
            @lock.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public ValueTask<long> GetPositionAsync(IssuerId issuer, CancellationToken cancellationToken) =>
        ReadAsync(reader => reader.FindIssuer(issuer)?.Position ?? 0, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<AppendResult> AppendAsync(IssuerId issuer, long expectedPosition, IReadOnlyList<JournalEntry> entries)
    {
        ArgumentNullException.ThrowIfNull(entries);
        ObjectDisposedException.ThrowIf(_disposed != 0, this);
        ArgumentOutOfRangeException.ThrowIfZero(entries.Count, nameof(entries));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(expectedPosition, StoreRows.MaxPosition - entries.Count);
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
    public ValueTask<CertificateStatus?> FindStatusAsync(IssuerId issuer, SerialNumber serial, CancellationToken cancellationToken) =>
        ReadAsync(reader => reader.FindStatus(issuer, serial), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<CertificateStatus?>> FindStatusesAsync(
        IssuerId issuer, IReadOnlyList<SerialNumber> serials, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(serials);
        return ReadManyAsync(serials, (reader, serial) => reader.FindStatus(issuer, serial), cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<JournalEntry?>> FindEventsAsync(
        IssuerId issuer, IReadOnlyList<string> eventIds, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(eventIds);
        return ReadManyAsync(eventIds, (reader, id) => reader.FindEvent(issuer, id), cancellationToken);
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<JournalEntry> ReadJournalAsync(
        IssuerId issuer, long after, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(after);

        // Page by page: a reader that stays in one transaction would keep the write-ahead log from being reused.
        List<JournalEntry> page;
        do
        {
            long from = after;
            page = await ReadAsync(reader => reader.ReadJournal(issuer, from, JournalPage), cancellationToken).ConfigureAwait(false);
            foreach (JournalEntry entry in page)
            {
                yield return entry;
                after = entry.Position;
            }
        }
        while (page.Count == JournalPage);
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<RecordedCertificate>> ListAsync(
        IssuerId issuer, CertificateState? state, SerialNumber after, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        return ReadAsync<IReadOnlyList<RecordedCertificate>>(pooled => pooled.InSnapshot(reader => reader.List(issuer, state, after, limit)), cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<JournalEntry>> FindHistoryAsync(IssuerId issuer, SerialNumber serial, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        return ReadAsync<IReadOnlyList<JournalEntry>>(pooled => pooled.InSnapshot(reader => reader.FindHistory(issuer, serial, limit)), cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<StatusCounts> CountAsync(IssuerId issuer, CancellationToken cancellationToken) =>
        ReadAsync(reader => reader.FindIssuer(issuer)?.Counts ?? default, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<DeliveryCursor?> FindCursorAsync(string receiver, IssuerId issuer, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(receiver);
        return ReadAsync(reader => reader.FindCursor(receiver, issuer), cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<bool> TryMoveCursorAsync(string receiver, IssuerId issuer, DeliveryCursor? expected, DeliveryCursor next)
    {
        ArgumentException.ThrowIfNullOrEmpty(receiver);
        ArgumentNullException.ThrowIfNull(next);
        ObjectDisposedException.ThrowIf(_disposed != 0, this);
        return _writer.MoveCursorAsync(receiver, issuer, expected, next);
    }

    /// <summary>Finishes what was submitted, folds the write-ahead log into the database, and gives the directory free.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        // Readers first: the last connection to close folds the log in, and only the writer can.
        for (int i = 0; i < _maxReaders; i++)
        {
            await _readers.WaitAsync().ConfigureAwait(false);
        }

        foreach (StoreReader reader in _idleReaders)
        {
            reader.Dispose();
        }

        await Task.Run(_writer.Dispose).ConfigureAwait(false);
        _lock.Dispose();
        _readers.Release(_maxReaders); // who waited for one finds the store disposed
    }

    private ValueTask<IReadOnlyList<TResult>> ReadManyAsync<TKey, TResult>(
        IReadOnlyList<TKey> keys, Func<StoreReader, TKey, TResult> find, CancellationToken cancellationToken) =>
        ReadAsync<IReadOnlyList<TResult>>(
            pooled => pooled.InSnapshot(reader =>
            {
                TResult[] results = new TResult[keys.Count];
                for (int i = 0; i < results.Length; i++)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    results[i] = find(reader, keys[i]);
                }

                return results;
            }),
            cancellationToken);

    private async ValueTask<T> ReadAsync<T>(Func<StoreReader, T> read, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_disposed != 0, this);
        await _readers.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            ObjectDisposedException.ThrowIf(_disposed != 0, this);
            if (!_idleReaders.TryTake(out StoreReader? reader))
            {
                reader = new StoreReader(_file);
            }

            try
            {
                T result = read(reader);
                _idleReaders.Add(reader);
                return result;
            }
            catch (Exception e)
            {
                // After a failure nobody knows what the connection is in the middle of.
                if (e is OperationCanceledException)
                {
                    _idleReaders.Add(reader);
                }
                else
                {
                    reader.Dispose();
                }

                throw;
            }
        }
        finally
        {
            _readers.Release();
        }
    }
}
