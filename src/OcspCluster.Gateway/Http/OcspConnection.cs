using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace OcspCluster.Gateway;

// The short way from socket to answer
//
//     octets ─ RequestHead ─┬─ plain ─ GetTarget/body ─ OcspResponder.TryFindHit ─┬─ hit ──→ head and answer into the socket's buffer, one flush for all that came at once
//                           │                                                     └─ miss ─→ OcspResponder.AnswerAsync ─→ the same
//                           └─ anything else ─→ Kestrel's HTTP, with all octets that were not answered, for the rest of the connection
//
// Kestrel's own way costs some microseconds and 540 octets of garbage a request, and objects of many kilobytes for each connection; a plain request has no use for any of them
// (docs/decisions/0041). What is not whole goes to Kestrel at once, so a client that sends slowly meets Kestrel's limits and no others. What is kept here is what a client can do that
// sends whole requests: stay silent (KeepAliveTimeout), or not read its answers (the pause of the socket's buffer, then WriteTimeout). Kestrel's heartbeat looks at both once a second.

/// <summary>Answers plain requests of one connection, and hands the connection on when another comes.</summary>
internal sealed class OcspConnection
{
    /// <summary>Heartbeats, one a second, that a client may take to read what was answered.</summary>
    private const int WriteTimeout = 10;

    private readonly PlainAnswers _answers;
    private readonly ConnectionContext _connection;
    private readonly int _keepAlive;
    private CancellationToken _closing;
    private volatile Phase _phase;
    private int _beats;

    /// <summary>Serves one connection.</summary>
    /// <param name="answers">Finds and writes answers.</param>
    /// <param name="connection">The connection.</param>
    /// <param name="keepAlive">How long it may stay silent.</param>
    public OcspConnection(PlainAnswers answers, ConnectionContext connection, TimeSpan keepAlive)
    {
        _answers = answers;
        _connection = connection;
        _keepAlive = (int)Math.Ceiling(keepAlive.TotalSeconds);
    }

    private enum Phase
    {
        Reading,
        Answering,
        Writing,
        HandedOn,
    }

    /// <summary>Answers until the connection ends or is not for us any more.</summary>
    /// <returns>Whether Kestrel is to go on with it.</returns>
    public async Task<bool> RunAsync()
    {
        try
        {
            return await AnswerAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or ConnectionAbortedException || (e is OperationCanceledException && _connection.ConnectionClosed.IsCancellationRequested))
        {
            return false; // the client has gone; there is nobody to answer
        }
    }

    private async Task<bool> AnswerAsync()
    {
        _closing = _connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.ConnectionClosedRequested ?? default;
        _connection.Features.Get<IConnectionHeartbeatFeature>()?.OnHeartbeat(static self => ((OcspConnection)self).Beat(), this);
        PipeReader input = _connection.Transport.Input;
        while (true)
        {
            Enter(Phase.Reading);
            ReadResult read = await input.ReadAsync().ConfigureAwait(false);
            ReadOnlySequence<byte> buffer = read.Buffer;
            if (read.IsCanceled || buffer.IsEmpty)
            {
                input.AdvanceTo(buffer.End);
                return false; // silent for too long, or the host ends; or the client has gone
            }

            Enter(Phase.Answering);
            Progress progress = AnswerAll(buffer);
            if (progress.Missed is byte[] request)
            {
                OcspReply reply = await _answers.AnswerAsync(request, _connection.ConnectionClosed).ConfigureAwait(false);
                _answers.Write(_connection.Transport.Output, reply, progress.Closes);
            }

            input.AdvanceTo(buffer.GetPosition(progress.Consumed)); // nothing beyond it counts as looked at: Kestrel, or the next round, finds it at once
            if (progress.HasWritten)
            {
                Enter(Phase.Writing);
                FlushResult flushed = await _connection.Transport.Output.FlushAsync().ConfigureAwait(false);
                if (flushed.IsCompleted || flushed.IsCanceled)
                {
                    return false;
                }
            }

            if (progress.IsForKestrel)
            {
                Enter(Phase.HandedOn);
                return true;
            }

            if (progress.Closes || _closing.IsCancellationRequested || (read.IsCompleted && progress.Consumed == buffer.Length))
            {
                return false;
            }
        }
    }

    // All that came at once, up to the first that is missed, or is not for us.
    private Progress AnswerAll(in ReadOnlySequence<byte> buffer)
    {
        Progress progress = default;
        ReadOnlySpan<byte> octets = buffer.FirstSpan;
        if (!buffer.IsSingleSegment)
        {
            progress.IsForKestrel = true;
            return progress;
        }

        bool closes = _closing.IsCancellationRequested;
        while (!octets.IsEmpty && !progress.Closes && progress.Missed is null)
        {
            if (RequestHead.Read(octets, out RequestHead head) != HeadResult.Plain || !_answers.TryAnswer(in head, _connection.Transport.Output, closes, out progress.Missed))
            {
                progress.IsForKestrel = true;
                return progress;
            }

            progress.Closes = head.Closes || closes;
            progress.HasWritten = true;
            progress.Consumed += head.Length;
            octets = octets[head.Length..];
        }

        return progress;
    }

    private void Enter(Phase phase)
    {
        Volatile.Write(ref _beats, 0);
        _phase = phase;
    }

    private void Beat()
    {
        int beats = Interlocked.Increment(ref _beats);
        switch (_phase)
        {
            case Phase.Reading when beats > _keepAlive || _closing.IsCancellationRequested:
                _connection.Transport.Input.CancelPendingRead();
                break;
            case Phase.Writing when beats > WriteTimeout:
                _connection.Abort(new ConnectionAbortedException("The client does not read its answers."));
                break;
        }
    }

    private struct Progress
    {
        public int Consumed;
        public byte[]? Missed;
        public bool HasWritten;
        public bool IsForKestrel;
        public bool Closes;
    }
}
