namespace OcspCluster.Gateway;

internal sealed partial class FrontLoop
{
    /// <summary>Octets of a request that is not whole and is waited for here; what has more is Kestrel's.</summary>
    private const int MostUnread = 4 * 1024;

    /// <summary>Octets of answers that are sent before more of them are looked for.</summary>
    private const int MostUnsent = 64 * 1024;

    /// <summary>Seconds that the rest of a request is waited for here.</summary>
    private const int PartTimeout = 1;

    /// <summary>Seconds that a client may take to read some of what was answered.</summary>
    private const int WriteTimeout = 10;

    /// <summary>Seconds that a client may go on to send after its last answer. Whoever closes with unread octets resets the connection, and the answer may be lost (RFC 9112 §9.6).</summary>
    private const int DrainTimeout = 5;

    private const PollEvents ForReading = PollEvents.Readable | PollEvents.PeerEnded | PollEvents.Edge;

    private readonly byte[] _input = GC.AllocateUninitializedArray<byte>(16 * 1024, pinned: true);
    private readonly AnswerBuffer _output = new(MostUnsent + (8 * 1024));

    // Reads until there is no more, and answers. A read that does not fill the buffer has emptied the socket; what comes later is an event of its own, unless the end came with it.
    private void Read(FrontConnection connection, bool toTheEnd)
    {
        while (true)
        {
            int length = connection.Unread.Length;
            int received = (int)SystemCalls.Receive(connection.Descriptor, ref _input[length], _input.Length - length, 0);
            if (received > 0)
            {
                connection.Unread.CopyTo(_input);
                connection.DropUnread();
                length += received;
                if (!Answer(connection, length))
                {
                    return;
                }

                if (toTheEnd || length == _input.Length)
                {
                    continue;
                }

                Keep(connection);
                return;
            }

            int error = received < 0 ? SystemCalls.Error : 0;
            if (error == SystemCalls.Eintr)
            {
                continue;
            }

            if (error == SystemCalls.Eagain)
            {
                Keep(connection);
            }
            else if (received == 0 && length > 0)
            {
                HandOn(connection); // half a request, and no more will come
            }
            else
            {
                Close(connection);
            }

            return;
        }
    }

    // Answers what lies in the input. False when the connection is not to be read any more: it waits for something else, has ended, or is somebody else's.
    private bool Answer(FrontConnection connection, int length)
    {
        bool isStopping = _listener.IsStopping;
        int at = 0;
        while (at < length)
        {
            ReadOnlySpan<byte> rest = _input.AsSpan(at, length - at);
            HeadResult result = RequestHead.Read(rest, out RequestHead head);
            if (result == HeadResult.Incomplete && rest.Length <= MostUnread)
            {
                if (!connection.IsPart)
                {
                    connection.IsPart = true;
                    connection.Since = _now; // of its first octets: more of them gain no time
                }

                connection.KeepUnread(rest);
                return TryFlush(connection);
            }

            if (result != HeadResult.Plain || !_answers.TryAnswer(in head, _output, isStopping, out byte[]? missed))
            {
                connection.KeepUnread(rest);
                if (TryFlush(connection))
                {
                    HandOn(connection);
                }

                return false;
            }

            connection.IsPart = false;
            bool closes = head.Closes || isStopping;
            if (missed is not null)
            {
                connection.KeepUnread(rest); // what was answered before goes first; where it has to wait, this one is looked at again
                if (TryFlush(connection))
                {
                    connection.KeepUnread(rest[head.Length..]);
                    Ask(connection, missed, closes);
                }

                return false;
            }

            at += head.Length;
            if (closes)
            {
                Finish(connection, sendsOn: at < length);
                return false;
            }

            if (_output.Length > MostUnsent)
            {
                connection.KeepUnread(_input.AsSpan(at, length - at));
                if (!TryFlush(connection))
                {
                    return false;
                }

                connection.DropUnread();
            }
        }

        return TryFlush(connection);
    }

    private void Ask(FrontConnection connection, byte[] request, bool closes)
    {
        Own(connection);
        connection.Phase = FrontPhase.Asking;
        connection.Closes = closes;
        connection.Question = new FrontQuestion(this, connection, request, closes, _listener);
        ThreadPool.UnsafeQueueUserWorkItem(connection.Question, preferLocal: false);
    }

    private void OnAnswered(FrontConnection connection)
    {
        AnswerBuffer? found = connection.Question?.Answer;
        connection.Question = null;
        if (found is not { } answer)
        {
            Close(connection);
            return;
        }

        _output.Append(answer.Written);
        if (connection.Closes)
        {
            Finish(connection, sendsOn: !connection.Unread.IsEmpty);
        }
        else if (TryFlush(connection))
        {
            GoOn(connection);
        }
    }

    // What had come before, and then what has come since.
    private void GoOn(FrontConnection connection)
    {
        connection.Phase = FrontPhase.Reading;
        connection.IsPart = false; // it did not have its turn while the client was waited for
        int length = connection.Unread.Length;
        connection.Unread.CopyTo(_input);
        connection.DropUnread();
        if (length == 0 || Answer(connection, length))
        {
            Read(connection, toTheEnd: true);
        }
    }

    // Sends what was written. False when some of it has to wait, or nobody is there to read it.
    private bool TryFlush(FrontConnection connection) => _output.Length == 0 || TrySend(connection, SystemCalls.NoSignal);

    private bool TrySend(FrontConnection connection, int flags)
    {
        Span<byte> octets = _output.Written;
        int sent = Send(connection, octets, flags);
        if (sent < 0)
        {
            _output.Clear();
            Close(connection);
            return false;
        }

        if (sent < octets.Length)
        {
            connection.KeepUnsent(octets[sent..]);
            Own(connection);
            connection.Phase = FrontPhase.Writing;
            connection.Since = _now;
            _output.Clear();
            Watch(connection, ForReading | PollEvents.Writable);
            return false;
        }

        _output.Clear();
        return true;
    }

    private static int Send(FrontConnection connection, Span<byte> octets, int flags)
    {
        while (true)
        {
            int sent = (int)SystemCalls.Send(connection.Descriptor, ref octets[0], octets.Length, flags);
            if (sent >= 0 || SystemCalls.Error is not (SystemCalls.Eintr or SystemCalls.Eagain))
            {
                return sent;
            }

            if (SystemCalls.Error == SystemCalls.Eagain)
            {
                return 0;
            }
        }
    }

    private void WriteOn(FrontConnection connection)
    {
        Span<byte> octets = connection.Unsent;
        int sent = Send(connection, octets, SystemCalls.NoSignal);
        if (sent < 0)
        {
            Close(connection);
        }
        else if (sent > 0)
        {
            connection.Since = _now;
            if (!connection.HasSent(sent))
            {
                return;
            }

            if (connection.Closes)
            {
                End(connection, sendsOn: !connection.Unread.IsEmpty);
                return;
            }

            Watch(connection, ForReading);
            if (connection.Phase == FrontPhase.Writing)
            {
                GoOn(connection);
            }
        }
    }

    // The last answer: it waits in the kernel for the end, which goes in the same segment.
    private void Finish(FrontConnection connection, bool sendsOn)
    {
        connection.Closes = true;
        if (TrySend(connection, SystemCalls.NoSignal | SystemCalls.More))
        {
            End(connection, sendsOn);
        }
    }

    // Who sent nothing beyond the last request is done: close(2) sends the end behind the answer. Who did would lose the answer by that (RFC 9112 §9.6), and is listened to until it ends.
    private void End(FrontConnection connection, bool sendsOn)
    {
        connection.DropUnread();
        if (!sendsOn && Drain(connection) is Drained.Nothing or Drained.End)
        {
            Close(connection);
            return;
        }

        _ = SystemCalls.Shutdown(connection.Descriptor, SystemCalls.ShutWrite);
        connection.Phase = FrontPhase.Draining;
        connection.Since = _now;
        DrainOn(connection);
    }

    private void DrainOn(FrontConnection connection)
    {
        if (Drain(connection) == Drained.End)
        {
            Close(connection);
        }
        else if (!connection.IsWatched)
        {
            Own(connection);
            Watch(connection, ForReading);
        }
    }

    // Takes what has come and nobody asked for.
    private Drained Drain(FrontConnection connection)
    {
        Drained drained = Drained.Nothing;
        while (true)
        {
            int received = (int)SystemCalls.Receive(connection.Descriptor, ref _input[0], _input.Length, 0);
            if (received > 0)
            {
                drained = Drained.Some;
            }
            else if (received == 0 || SystemCalls.Error is not (SystemCalls.Eagain or SystemCalls.Eintr))
            {
                return Drained.End;
            }
            else if (SystemCalls.Error == SystemCalls.Eagain)
            {
                return drained;
            }
        }
    }

    /// <summary>What came of a connection that was answered for the last time.</summary>
    private enum Drained
    {
        /// <summary>Nothing, up to now.</summary>
        Nothing,

        /// <summary>Octets that nobody asked for; more may follow.</summary>
        Some,

        /// <summary>Its end, by the client or by an error.</summary>
        End,
    }

    // It is waited for, and may be another thread's from here on.
    private void Keep(FrontConnection connection)
    {
        connection.Phase = FrontPhase.Reading;
        if (!connection.IsPart)
        {
            connection.Since = _now;
        }

        if (_listener.IsStopping)
        {
            if (connection.Unread.IsEmpty)
            {
                Close(connection);
            }
            else
            {
                HandOn(connection);
            }
        }
        else if (!connection.IsWatched)
        {
            FrontLoop loop = connection.Loop ?? _listener.FindIdlest(this);
            if (loop == this)
            {
                Own(connection);
                Watch(connection, ForReading);
            }
            else
            {
                loop.Give(connection);
            }
        }
    }

    private void Own(FrontConnection connection)
    {
        if (connection.Loop is null)
        {
            Interlocked.Increment(ref _count);
            connection.Loop = this;
        }
    }

    private void Watch(FrontConnection connection, PollEvents events)
    {
        bool wasWatched = connection.IsWatched;
        connection.IsWatched = true;
        if (!(wasWatched ? _poll.TryModify(connection.Descriptor, events) : _poll.TryAdd(connection.Descriptor, events)))
        {
            Close(connection); // the system has no room to watch it
        }
    }

    private void HandOn(FrontConnection connection)
    {
        int descriptor = connection.Descriptor;
        byte[] unread = connection.Unread.ToArray();
        if (connection.IsWatched)
        {
            _poll.TryRemove(descriptor);
        }

        Forget(connection);
        _listener.HandOn(descriptor, unread);
    }

    private void Close(FrontConnection connection)
    {
        int descriptor = connection.Descriptor;
        Forget(connection);
        _listener.Leave();
        _ = SystemCalls.Close(descriptor);
    }

    // Before the descriptor is closed: it may be another connection's at once.
    private void Forget(FrontConnection connection)
    {
        if (connection.Loop is not null)
        {
            Interlocked.Decrement(ref _count);
        }

        connection.Clear();
    }
}
