using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using OcspCluster.Authority;
using OcspCluster.Protocol;

namespace OcspCluster.Standalone.Storage;

// A file of its own, because a database has one writer: the journal's must never wait for this one. Nothing here is flushed
// but by checkpoints (synchronous=NORMAL): a loss of power may cost the last answers, which are signed again, and never leaves
// a torn file. Nothing is opened before it is needed, and a file that is damaged or of another version is made anew: the
// responder starts and answers without it.
// Rows of answers that ended are swept up by whoever saves (ResponseSweep).

/// <summary>Signed answers in one SQLite file, <c>responses.db</c>, beside the revocation store, whose lock on the directory protects it, too. Thread-safe.</summary>
public sealed class SqliteResponseStore : IResponseStore
{
    /// <summary>The database's file name within the data directory.</summary>
    public const string FileName = "responses.db";

    private const int PageRows = 512;

    private readonly string _file;
    private readonly TimeProvider _clock;
    private readonly Lock _writing = new();
    private readonly ConcurrentBag<ResponseReader> _idleReaders = [];
    private ResponseWriter? _writer;
    private int _generation; // of the file: readers of an older one have a file that is gone
    private bool _disposed;

    /// <summary>Takes the file of a data directory, which exists; opens nothing yet.</summary>
    /// <param name="directory">The directory, of which this process has the <see cref="SqliteRevocationStore"/>.</param>
    /// <param name="clock">Tells which answers have ended.</param>
    public SqliteResponseStore(string directory, TimeProvider clock)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        ArgumentNullException.ThrowIfNull(clock);
        _file = Path.Combine(Path.GetFullPath(directory), FileName);
        _clock = clock;
    }

    /// <inheritdoc/>
    public ValueTask SaveAsync(IssuerId issuer, IReadOnlyList<KeptResponse> responses, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(responses);
        return responses.Count == 0 ? ValueTask.CompletedTask : Write(writer => writer.Save(issuer, responses, _clock.GetUtcNow()), cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<KeptResponse>> FindAsync(IssuerId issuer, SerialNumber serial, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return ValueTask.FromResult(Read<IReadOnlyList<KeptResponse>>(reader => reader.Find(issuer, serial), []));
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<KeptResponse> ReadAsync(IssuerId issuer, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await GiveIndexAsync(cancellationToken).ConfigureAwait(false);
        long after = 0;
        ResponsePage page;
        do
        {
            cancellationToken.ThrowIfCancellationRequested();
            long from = after;
            page = Read(reader => reader.ReadPage(issuer, from, PageRows), ResponsePage.Empty);
            foreach (KeptResponse response in page.Responses)
            {
                yield return response;
            }

            after = page.Last;
            await Task.Yield(); // a million rows are not one turn
        }
        while (page.Rows == PageRows);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        lock (_writing)
        {
            _disposed = true;
            while (_idleReaders.TryTake(out ResponseReader? reader))
            {
                reader.Dispose();
            }

            _writer?.Dispose();
            _writer = null;
        }

        return ValueTask.CompletedTask;
    }

    // Who opens a file to write gives it the index that all rows are read by.
    private async ValueTask GiveIndexAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (File.Exists(_file))
            {
                await Write(static _ => { }, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (RevocationStoreException)
        {
            // Then the reading fails as well, or is slow.
        }
    }

    private ValueTask Write(Action<ResponseWriter> write, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_writing)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            try
            {
                write(_writer ??= ResponseWriter.Open(_file));
            }
            catch (RevocationStoreException e)
            {
                // What state the connection is in nobody knows. A damaged file is made anew by the next who writes.
                _writer?.Dispose();
                _writer = null;
                if (SqliteFailure.IsDamage(e))
                {
                    Discard();
                }

                throw;
            }
        }

        return ValueTask.CompletedTask;
    }

    private T Read<T>(Func<ResponseReader, T> read, T none)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        int generation = Volatile.Read(ref _generation);
        if (!_idleReaders.TryTake(out ResponseReader? reader) || reader.Generation != generation)
        {
            reader?.Dispose();
            if (!File.Exists(_file))
            {
                return none; // nothing was ever kept
            }

            if (ResponseReader.TryOpen(_file, generation) is not { } opened)
            {
                return none;
            }

            reader = opened;
        }

        try
        {
            T result = read(reader);
            _idleReaders.Add(reader);
            if (_disposed && _idleReaders.TryTake(out ResponseReader? late))
            {
                late.Dispose();
            }

            return result;
        }
        catch (RevocationStoreException e)
        {
            reader.Dispose();
            if (SqliteFailure.IsDamage(e))
            {
                lock (_writing)
                {
                    if (generation == _generation)
                    {
                        _writer?.Dispose();
                        _writer = null;
                        Discard();
                    }
                }
            }

            throw;
        }
    }

    private void Discard()
    {
        _generation++;
        try
        {
            foreach (string suffix in (ReadOnlySpan<string>)["", "-wal", "-shm"])
            {
                File.Delete(_file + suffix);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Then it is damaged the next time, too: nothing is kept, and everything is answered.
        }
    }
}
