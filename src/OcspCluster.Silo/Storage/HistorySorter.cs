using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using OcspCluster.Authority;
using OcspCluster.Protocol;

namespace OcspCluster.Silo.Storage;

// An external merge sort: entries are collected until they fill a run, sorted, and written to a temporary file, one run behind
// the other; then all runs are read side by side. A journal that fits into one run touches no disk. Redis could sort by
// walking its certificates, but an audit must not lean on the very index that it audits.

/// <summary>Orders a journal by serial, then by position, in bounded memory. For one caller.</summary>
/// <param name="issuer">Whose journal.</param>
/// <param name="runBytes">How much of it is in memory at a time.</param>
internal sealed class HistorySorter(IssuerId issuer, int runBytes = HistorySorter.DefaultRunBytes) : IAsyncDisposable
{
    /// <summary>64 MiB.</summary>
    public const int DefaultRunBytes = 64 * 1024 * 1024;

    private const int HeaderBytes = sizeof(long) + sizeof(int);
    private const int EntryOverheadBytes = 96; // about what an element costs beside its octets
    private const int ReadBufferBytes = 64 * 1024;

    private readonly List<(SerialNumber Serial, long Position, byte[] Record)> _run = [];
    private readonly List<(long Begin, long End)> _runs = [];
    private FileStream? _file;
    private long _runLength;

    /// <summary>Adds an entry, in any order.</summary>
    public async ValueTask AddAsync(ChainedEntry chained, CancellationToken cancellationToken)
    {
        byte[] record = RedisRecords.WriteEntry(issuer, chained.Entry, chained.Hash);
        _run.Add((chained.Entry.Event.Serial, chained.Entry.Position, record));
        _runLength += record.Length + EntryOverheadBytes;
        if (_runLength >= runBytes)
        {
            await WriteRunAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>All entries, in order. Once.</summary>
    public async IAsyncEnumerable<JournalEntry> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (_file is null)
        {
            SortRun();
            foreach ((_, long position, byte[] record) in _run)
            {
                yield return Read(position, record);
            }

            yield break;
        }

        await WriteRunAsync(cancellationToken).ConfigureAwait(false);
        PriorityQueue<RunReader, (SerialNumber Serial, long Position)> runs = new();
        foreach ((long begin, long end) in _runs)
        {
            RunReader run = new(_file, begin, end);
            if (await run.MoveNextAsync(cancellationToken).ConfigureAwait(false))
            {
                Enqueue(runs, run);
            }
        }

        while (runs.TryDequeue(out RunReader? run, out _))
        {
            yield return run.Current!;
            if (await run.MoveNextAsync(cancellationToken).ConfigureAwait(false))
            {
                Enqueue(runs, run);
            }
        }

        void Enqueue(PriorityQueue<RunReader, (SerialNumber Serial, long Position)> queue, RunReader run)
        {
            run.Current = Read(run.Position, run.Record);
            queue.Enqueue(run, (run.Current.Event.Serial, run.Position));
        }
    }

    public ValueTask DisposeAsync() => _file?.DisposeAsync() ?? ValueTask.CompletedTask;

    private JournalEntry Read(long position, byte[] record) => RedisRecords.ReadEntry(issuer, position, record)?.Entry
        ?? throw new RevocationStoreException("A temporary file of the audit was damaged. Check the disk that holds the directory for temporary files.");

    private void SortRun() => _run.Sort(static (a, b) => (a.Serial, a.Position).CompareTo((b.Serial, b.Position)));

    private async ValueTask WriteRunAsync(CancellationToken cancellationToken)
    {
        SortRun();
        _file ??= new FileStream(
            Path.Combine(Path.GetTempPath(), $"ocspcluster-{Path.GetRandomFileName()}"),
            new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Options = FileOptions.DeleteOnClose | FileOptions.Asynchronous, BufferSize = ReadBufferBytes });
        long begin = _file.Length;
        _file.Seek(begin, SeekOrigin.Begin);
        byte[] header = new byte[HeaderBytes];
        foreach ((_, long position, byte[] record) in _run)
        {
            BinaryPrimitives.WriteInt64LittleEndian(header, position);
            BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(sizeof(long)), record.Length);
            await _file.WriteAsync(header, cancellationToken).ConfigureAwait(false);
            await _file.WriteAsync(record, cancellationToken).ConfigureAwait(false);
        }

        await _file.FlushAsync(cancellationToken).ConfigureAwait(false);
        _runs.Add((begin, _file.Position));
        _run.Clear();
        _runLength = 0;
    }

    /// <summary>Reads one run, a buffer at a time.</summary>
    private sealed class RunReader(FileStream file, long begin, long end)
    {
        private readonly byte[] _buffer = new byte[ReadBufferBytes];
        private long _next = begin;
        private int _from;
        private int _to;

        public JournalEntry? Current { get; set; }

        public long Position { get; private set; }

        public byte[] Record { get; private set; } = [];

        public async ValueTask<bool> MoveNextAsync(CancellationToken cancellationToken)
        {
            if (_next >= end && _from == _to)
            {
                return false;
            }

            byte[] header = await ReadAsync(HeaderBytes, cancellationToken).ConfigureAwait(false);
            Position = BinaryPrimitives.ReadInt64LittleEndian(header);
            Record = await ReadAsync(BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(sizeof(long))), cancellationToken).ConfigureAwait(false);
            return true;
        }

        private async ValueTask<byte[]> ReadAsync(int count, CancellationToken cancellationToken)
        {
            byte[] octets = new byte[count];
            for (int done = 0; done < count;)
            {
                if (_from == _to)
                {
                    _from = 0;
                    _to = await RandomAccess.ReadAsync(file.SafeFileHandle, _buffer.AsMemory(0, (int)Math.Min(_buffer.Length, end - _next)), _next, cancellationToken).ConfigureAwait(false);
                    _next += _to;
                    if (_to == 0)
                    {
                        throw new EndOfStreamException("A temporary file of the audit ends too early.");
                    }
                }

                int part = Math.Min(count - done, _to - _from);
                _buffer.AsSpan(_from, part).CopyTo(octets.AsSpan(done));
                _from += part;
                done += part;
            }

            return octets;
        }
    }
}
