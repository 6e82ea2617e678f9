using System.Buffers;
using System.IO.Pipelines;

namespace OcspCluster.Gateway;

/// <summary>Takes a body apart into lines, with bounded memory: a line that is too long is skipped and told of.</summary>
internal sealed class LineReader(PipeReader body, int maxLineBytes)
{
    private static readonly byte[] s_mark = [0xEF, 0xBB, 0xBF];

    private bool _isSkipping;

    /// <summary>The number of the last line that was read, from 1.</summary>
    public long Line { get; private set; }

    /// <summary>Reads what has come in, and gives every line in it to <paramref name="take"/>: its octets, or null for one that is too long. Empty lines are left out.</summary>
    /// <param name="take">Takes a line, whose octets are valid until it returns.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>False when the body has ended.</returns>
    public async ValueTask<bool> ReadAsync(Action<ReadOnlySequence<byte>?> take, CancellationToken cancellationToken)
    {
        ReadResult result = await body.ReadAsync(cancellationToken).ConfigureAwait(false);
        ReadOnlySequence<byte> rest = result.Buffer;
        while (rest.PositionOf((byte)'\n') is { } end)
        {
            Take(rest.Slice(0, end), take);
            rest = rest.Slice(rest.GetPosition(1, end));
        }

        if (result.IsCompleted)
        {
            Take(rest, take);
            body.AdvanceTo(rest.End);
            return false;
        }

        if (rest.Length > maxLineBytes)
        {
            _isSkipping = true;
            rest = rest.Slice(rest.End);
        }

        body.AdvanceTo(rest.Start, rest.End);
        return true;
    }

    private void Take(ReadOnlySequence<byte> line, Action<ReadOnlySequence<byte>?> take)
    {
        bool isTooLong = _isSkipping || line.Length > maxLineBytes;
        _isSkipping = false;
        Line++;
        if (isTooLong)
        {
            take(null);
            return;
        }

        if (Line == 1 && line.Length >= 3 && line.Slice(0, 3).ToArray().AsSpan().SequenceEqual(s_mark))
        {
            line = line.Slice(3);
        }

        if (!IsBlank(line))
        {
            take(line);
        }
    }

    private static bool IsBlank(ReadOnlySequence<byte> line)
    {
        foreach (ReadOnlyMemory<byte> part in line)
        {
            if (part.Span.ContainsAnyExcept(" \t\r"u8))
            {
                return false;
            }
        }

        return true;
    }
}
