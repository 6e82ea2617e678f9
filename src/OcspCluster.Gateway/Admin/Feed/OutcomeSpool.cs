using System.IO.Pipelines;

namespace OcspCluster.Gateway;

// Many clients send their whole body before they read the first octet of the answer. A server that waits for them to read, while they wait for it to read, waits for ever;
// one that keeps the answer in memory has no bound. What the client does not take yet is therefore kept in memory up to a bound, and beyond it in a temporary file,
// which is unlinked as soon as it is open. Once something is in the file, what follows goes there too until it is read out: order is kept.

/// <summary>The answer to a stream of events, on its way to a client that may read it late. One writer, one reader.</summary>
internal sealed class OutcomeSpool : IAsyncDisposable
{
    private const int MaxBytesInMemory = 1 << 20;
    private const int CopyBytes = 64 * 1024;

    private readonly Lock _gate = new();
    private readonly Queue<byte[]> _memory = new(); // guarded by _gate
    private readonly SemaphoreSlim _news = new(0);
    private long _bytesInMemory; // guarded by _gate
    private FileStream? _file; // guarded by _gate; its positions are explicit
    private long _written; // guarded by _gate
    private long _read; // guarded by _gate
    private bool _isComplete; // guarded by _gate

    /// <summary>Whether some of it went to disk.</summary>
    public bool HasSpilled => _file is not null;

    /// <summary>Adds to the answer; the array is the spool's from now on.</summary>
    public void Write(byte[] bytes)
    {
        lock (_gate)
        {
            if (_written == _read && _bytesInMemory + bytes.Length <= MaxBytesInMemory)
            {
                _memory.Enqueue(bytes);
                _bytesInMemory += bytes.Length;
            }
            else
            {
                _file ??= new FileStream(
                    Path.Combine(Path.GetTempPath(), Path.GetRandomFileName()), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, bufferSize: 0, FileOptions.DeleteOnClose);
                RandomAccess.Write(_file.SafeFileHandle, bytes, _written);
                _written += bytes.Length;
            }
        }

        _news.Release();
    }

    /// <summary>No more comes.</summary>
    public void Complete()
    {
        lock (_gate)
        {
            _isComplete = true;
        }

        _news.Release();
    }

    /// <summary>Gives the answer to the client as it comes in; returns when all is sent, and when the client is gone.</summary>
    public async Task CopyToAsync(PipeWriter destination, CancellationToken cancellationToken)
    {
        while (true)
        {
            byte[]? next = Take(out bool isComplete);
            if (next is not null)
            {
                FlushResult flushed = await destination.WriteAsync(next, cancellationToken).ConfigureAwait(false);
                if (flushed.IsCompleted)
                {
                    return;
                }
            }
            else if (isComplete)
            {
                return;
            }
            else
            {
                await _news.WaitAsync(cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _news.Dispose();
        if (_file is not null)
        {
            await _file.DisposeAsync().ConfigureAwait(false);
        }
    }

    private byte[]? Take(out bool isComplete)
    {
        lock (_gate)
        {
            isComplete = _isComplete;
            if (_memory.TryDequeue(out byte[]? next))
            {
                _bytesInMemory -= next.Length;
                return next;
            }

            if (_read == _written)
            {
                return null;
            }

            byte[] copy = new byte[Math.Min(CopyBytes, _written - _read)];
            int count = RandomAccess.Read(_file!.SafeFileHandle, copy, _read);
            _read += count;
            if (_read == _written)
            {
                _file.SetLength(0);
                _read = _written = 0;
            }

            return copy[..count];
        }
    }
}
