using System.Buffers;
using System.Text.Json;
using System.Threading.Channels;
using OcspCluster.Authority;

namespace OcspCluster.Gateway;

// One task reads and parses lines, another submits them: while one chunk is on its way to the disk the next one is read. The second takes whatever is there, up to
// a sequencer's turn, so a sender that trickles has each event acknowledged by itself, and one that floods has its events committed by thousands. Between them is a
// bounded channel: who sends faster than the disk takes is made to wait by TCP.
//
// A chunk and its answer are bounded so that nothing of them is a large object to the collector. With chunks of 4,096 and their answer in one piece an import made it collect
// everything every half second, and stop those who read meanwhile for 20 to 50 ms each time (docs/decisions/0063).

/// <summary>Events, one per line, from a body of any length: outcomes go out line by line, and a summary when all are done.</summary>
internal sealed class EventStream(EventFeed feed, Issuer issuer, Submitter submitter, LineReader lines, OutcomeSpool spool)
{
    private const int MaxEventsPerChunk = 1024;
    private const int PieceBytes = 48 * 1024; // of the answer

    private readonly Channel<Item> _items = Channel.CreateBounded<Item>(new BoundedChannelOptions(2 * MaxEventsPerChunk) { SingleReader = true, SingleWriter = true });
    private readonly ArrayBufferWriter<byte> _buffer = new();
    private long _events;
    private long _applied;
    private long _duplicate;
    private long _refused;
    private long _malformed;
    private long _position;

    /// <summary>Reads and submits to the end of the body, or to the first event whose outcome is unknown.</summary>
    /// <exception cref="OperationCanceledException">The client is gone.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using CancellationTokenSource ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task reading = ReadAsync(ended.Token);
        try
        {
            await SubmitAsync(cancellationToken).ConfigureAwait(false);
            Write(WriteSummary);
        }
        catch (RevocationStoreException e)
        {
            // What was answered stands; of the lines behind it the sender knows nothing, and the summary is missing.
            Write(writer => WriteError(writer, e.Message));
        }
        finally
        {
            await ended.CancelAsync().ConfigureAwait(false);
            spool.Complete();
            await reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // what it threw, the channel has told
        }
    }

    private async Task ReadAsync(CancellationToken cancellationToken)
    {
        Exception? failure = null;
        try
        {
            List<Item> read = [];
            bool goesOn = true;
            while (goesOn)
            {
                goesOn = await lines.ReadAsync(line => read.Add(Parse(line)), cancellationToken).ConfigureAwait(false);
                foreach (Item item in read)
                {
                    await _items.Writer.WriteAsync(item, cancellationToken).ConfigureAwait(false);
                }

                read.Clear();
            }
        }
        catch (Exception e)
        {
            failure = e;
            throw;
        }
        finally
        {
            _items.Writer.Complete(failure);
        }
    }

    private Item Parse(ReadOnlySequence<byte>? line) =>
        EventReader.TryReadLine(line, out SentEvent? sent, out EventProblem problem) ? new Item(lines.Line, sent, default) : new Item(lines.Line, null, problem);

    private async Task SubmitAsync(CancellationToken cancellationToken)
    {
        List<Item> chunk = new(MaxEventsPerChunk);
        while (await _items.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false))
        {
            while (chunk.Count < MaxEventsPerChunk && _items.Reader.TryRead(out Item item))
            {
                chunk.Add(item);
            }

            SentEvent[] events = [.. chunk.Where(item => item.Sent is not null).Select(item => item.Sent!)];
            IReadOnlyList<EventOutcome> outcomes = events.Length == 0 ? [] : await feed.SubmitAsync(issuer, events, submitter, cancellationToken).ConfigureAwait(false);
            WriteOutcomes(chunk, outcomes);
            chunk.Clear();
        }

        await _items.Reader.Completion.ConfigureAwait(false); // a client that is gone before the end of its body is told nothing, least of all a summary
    }

    private void WriteOutcomes(List<Item> chunk, IReadOnlyList<EventOutcome> outcomes)
    {
        _buffer.ResetWrittenCount();
        using Utf8JsonWriter writer = new(_buffer);
        int next = 0;
        foreach (Item item in chunk)
        {
            if (item.Sent is null)
            {
                _malformed++;
                OutcomeWriter.WriteMalformedLine(writer, item.Line, item.Problem);
            }
            else
            {
                Count(outcomes[next]);
                OutcomeWriter.WriteLine(writer, item.Line, outcomes[next++]);
            }

            EndLine(writer);
            if (_buffer.WrittenCount > PieceBytes)
            {
                spool.Write(_buffer.WrittenSpan.ToArray());
                _buffer.ResetWrittenCount();
            }
        }

        _events += chunk.Count;
        if (_buffer.WrittenCount > 0)
        {
            spool.Write(_buffer.WrittenSpan.ToArray());
        }
    }

    private void Count(EventOutcome outcome)
    {
        _position = Math.Max(_position, outcome.Position);
        switch (outcome.Kind)
        {
            case EventOutcomeKind.Applied:
                _applied++;
                break;
            case EventOutcomeKind.Duplicate:
                _duplicate++;
                break;
            default:
                _refused++;
                break;
        }
    }

    private void Write(Action<Utf8JsonWriter> write)
    {
        _buffer.ResetWrittenCount();
        using Utf8JsonWriter writer = new(_buffer);
        write(writer);
        EndLine(writer);
        spool.Write(_buffer.WrittenSpan.ToArray());
    }

    private void EndLine(Utf8JsonWriter writer)
    {
        writer.Flush();
        _buffer.Write("\n"u8);
        writer.Reset();
    }

    private void WriteSummary(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteStartObject("summary");
        writer.WriteNumber("events", _events);
        writer.WriteNumber("applied", _applied);
        writer.WriteNumber("duplicate", _duplicate);
        writer.WriteNumber("refused", _refused);
        writer.WriteNumber("malformed", _malformed);
        writer.WriteNumber("position", _position);
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private static void WriteError(Utf8JsonWriter writer, string detail)
    {
        writer.WriteStartObject();
        writer.WriteStartObject("error");
        writer.WriteNumber("status", 503);
        writer.WriteString("title", AdminProblems.OutcomeUnknown);
        writer.WriteString("detail", detail);
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    /// <summary>A line: an event, or what is wrong.</summary>
    private readonly record struct Item(long Line, SentEvent? Sent, EventProblem Problem);
}
