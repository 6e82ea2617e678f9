using System.Buffers;
using System.IO.Pipelines;

namespace OcspCluster.Gateway;

/// <summary>
/// Reads octets that came before, and then those of a pipe. As long as some of the former are left, they stand before the pipe's as a segment of their own; then the pipe is read as it is.
/// </summary>
internal sealed class PrefixedReader(ReadOnlyMemory<byte> prefix, PipeReader pipe) : PipeReader
{
    private ReadOnlyMemory<byte> _prefix = prefix;
    private ReadOnlySequence<byte> _read; // what the last read gave
    private ReadOnlySequence<byte> _piped; // and what of it is the pipe's
    private bool _hasPipe; // whether the pipe was read, because the prefix alone is not enough

    /// <inheritdoc/>
    public override async ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        if (!_prefix.IsEmpty && !_hasPipe)
        {
            return PrefixAlone();
        }

        return With(await pipe.ReadAsync(cancellationToken).ConfigureAwait(false));
    }

    /// <inheritdoc/>
    public override bool TryRead(out ReadResult result)
    {
        if (!_prefix.IsEmpty && !_hasPipe)
        {
            result = PrefixAlone();
            return true;
        }

        if (!pipe.TryRead(out result))
        {
            return false;
        }

        result = With(result);
        return true;
    }

    /// <inheritdoc/>
    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    /// <inheritdoc/>
    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        if (_prefix.IsEmpty)
        {
            pipe.AdvanceTo(consumed, examined);
            return;
        }

        long consumedLength = _read.Slice(0, consumed).Length;
        long examinedLength = _read.Slice(0, examined).Length;
        int length = _prefix.Length;
        _prefix = _prefix[(int)Math.Min(consumedLength, length)..];
        if (_hasPipe)
        {
            pipe.AdvanceTo(_piped.GetPosition(Math.Max(0, consumedLength - length)), _piped.GetPosition(Math.Max(0, examinedLength - length)));
        }
        else
        {
            _hasPipe = examinedLength == length;
        }

        _read = _piped = default;
    }

    /// <inheritdoc/>
    public override void CancelPendingRead() => pipe.CancelPendingRead();

    /// <inheritdoc/>
    public override void Complete(Exception? exception = null) => pipe.Complete(exception);

    /// <inheritdoc/>
    public override ValueTask CompleteAsync(Exception? exception = null) => pipe.CompleteAsync(exception);

    private ReadResult PrefixAlone()
    {
        _read = new ReadOnlySequence<byte>(_prefix);
        return new ReadResult(_read, isCanceled: false, isCompleted: false);
    }

    private ReadResult With(ReadResult piped)
    {
        if (_prefix.IsEmpty)
        {
            return piped;
        }

        _piped = piped.Buffer;
        Segment first = new(_prefix, 0);
        Segment last = first;
        foreach (ReadOnlyMemory<byte> memory in _piped)
        {
            last = last.Append(memory);
        }

        _read = new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
        return new ReadResult(_read, piped.IsCanceled, piped.IsCompleted);
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory, long start)
        {
            Memory = memory;
            RunningIndex = start;
        }

        public Segment Append(ReadOnlyMemory<byte> memory)
        {
            Segment next = new(memory, RunningIndex + Memory.Length);
            Next = next;
            return next;
        }
    }
}
