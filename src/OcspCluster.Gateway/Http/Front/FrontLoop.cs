using System.Collections.Concurrent;

namespace OcspCluster.Gateway;

// One thread of the front
//
//     epoll ─┬─ listening socket ─ accept ─ recv ─┐
//            ├─ connection ──────────────── recv ─┴─ RequestHead, PlainAnswers ─┬─ hit ────────→ one send for all that came at once; with Connection: close the FIN goes with it
//            │                                                                  ├─ miss ───────→ FrontQuestion on a thread of the pool ─ woken ─ send
//            │                                                                  └─ any other ──→ handed on to Kestrel with what was read
//            └─ woken: answers of questions, the end
//
// A connection belongs to one loop. The one that accepts it serves it at once; when it is to be kept, it is given to the loop that has the fewest, and is watched there: edge by edge, so
// that nothing has to be said to the kernel between requests. No other thread touches it from then on.
//
// Nothing here waits for a client. What it has not sent yet is waited for by epoll: a second or two for each request, then Kestrel has it, whose limits are in force from there. What it
// does not take is kept beside the connection, at most some hundred kilobytes, and nothing more is read from it meanwhile. Once a second the loop looks for those that took too long.

/// <summary>A thread that accepts connections and answers from the cache.</summary>
internal sealed partial class FrontLoop : IDisposable
{
    /// <summary>Connections that are accepted before others get their turn.</summary>
    private const int MostAccepts = 64;

    /// <summary>A request takes some microseconds: a thread that waits for its turn behind one that signs, or behind the clients on the same machine, waits longer than it works.</summary>
    private static readonly TimeSpan s_slice = TimeSpan.FromMicroseconds(400);

    private readonly FrontListener _listener;
    private readonly PlainAnswers _answers;
    private readonly FrontConnections _connections;
    private readonly EventPoll _poll;
    private readonly ConcurrentQueue<FrontQuestion> _answered = new();
    private readonly ConcurrentQueue<FrontConnection> _given = new();
    private readonly List<FrontConnection> _mine = [];
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _quiet = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Thread? _thread;
    private int _isWoken;
    private int _count;
    private int _now;
    private int _swept;
    private bool _accepts;

    /// <summary>Makes one that does not run yet.</summary>
    /// <exception cref="IOException">The process or the machine has no descriptors left.</exception>
    public FrontLoop(FrontListener listener, PlainAnswers answers, FrontConnections connections)
    {
        _listener = listener;
        _answers = answers;
        _connections = connections;
        _poll = new EventPoll();
    }

    /// <summary>The connections that it keeps.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Done when nothing is accepted or read any more: what is left is answered.</summary>
    public Task Quiet => _quiet.Task;

    /// <summary>Done when the thread has ended.</summary>
    public Task Ended => _ended.Task;

    /// <summary>Begins.</summary>
    /// <param name="name">The thread's.</param>
    public void Start(string name)
    {
        _thread = new Thread(Run, 256 * 1024) { IsBackground = true, Name = name };
        _thread.Start();
    }

    /// <summary>Gives back what it has, when no loop of the listener runs: one that was ending may have been given a connection by another.</summary>
    public void Dispose()
    {
        _thread?.Join(); // it has said already that it ends
        CloseAll();
        _poll.Dispose();
    }

    /// <summary>Has the thread look at how the listener is. From any thread.</summary>
    public void Wake()
    {
        if (Interlocked.Exchange(ref _isWoken, 1) == 0)
        {
            _poll.Wake();
        }
    }

    /// <summary>Brings the answer to a question. From any thread.</summary>
    public void Post(FrontQuestion answered)
    {
        _answered.Enqueue(answered);
        Wake();
    }

    /// <summary>Gives it a connection that another has accepted, which does not touch it any more.</summary>
    private void Give(FrontConnection connection)
    {
        Own(connection); // it counts from here on: the next one may be somebody else's
        connection.Phase = FrontPhase.Given;
        _given.Enqueue(connection);
        Wake();
    }

    private void Run()
    {
        try
        {
            _swept = _now = Seconds();
            SystemCalls.TakeShortSlices(s_slice);
            TryAccepting();
            while (!IsOver())
            {
                int count = _poll.Wait(1000);
                _now = Seconds();
                for (int i = 0; i < count; i++)
                {
                    PollEvents events = _poll.Read(i, out int descriptor);
                    if (descriptor == _listener.Descriptor)
                    {
                        Accept(MostAccepts);
                    }
                    else if (descriptor == _poll.WakeDescriptor)
                    {
                        OnWoken();
                    }
                    else
                    {
                        OnEvents(_connections[descriptor], events);
                    }
                }

                if (_now != _swept)
                {
                    _swept = _now;
                    Sweep();
                }
            }
        }
        catch (Exception e)
        {
            _listener.LogLoopFailed(e);
            throw; // a mistake of ours: a process that accepts nothing more must not look well
        }
        finally
        {
            CloseAll();
            _quiet.TrySetResult();
            _ended.TrySetResult();
        }
    }

    // The machine's, as Kestrel's limits are: what a clock of the host's own says about the patience with clients does not matter.
    private static int Seconds() => (int)(TimeProvider.System.GetTimestamp() / TimeProvider.System.TimestampFrequency);

    private bool IsOver() => _listener.IsAborted || (_listener.IsStopping && _quiet.Task.IsCompleted && Count == 0);

    private void CloseAll()
    {
        _given.Clear();
        FindMine();
        foreach (FrontConnection connection in _mine)
        {
            Close(connection);
        }
    }

    private void OnWoken()
    {
        Volatile.Write(ref _isWoken, 0);
        while (_given.TryDequeue(out FrontConnection? given))
        {
            Keep(given);
        }

        while (_answered.TryDequeue(out FrontQuestion? question))
        {
            if (question.Connection.Question == question)
            {
                Guard(question.Connection, static (loop, connection) => loop.OnAnswered(connection));
            }
        }

        if (_listener.IsStopping && !_quiet.Task.IsCompleted)
        {
            BecomeQuiet();
        }
    }

    // What has come is answered, or handed on while Kestrel still takes it; whoever sent nothing is closed.
    private void BecomeQuiet()
    {
        if (_accepts)
        {
            Accept(FrontListener.Backlog); // what had come when the end did; not all that a flood may send meanwhile
            _poll.TryRemove(_listener.Descriptor);
            _accepts = false;
        }

        FindMine();
        foreach (FrontConnection connection in _mine.Where(connection => connection.Phase == FrontPhase.Reading))
        {
            Guard(connection, static (loop, connection) => loop.Read(connection, toTheEnd: true));
        }

        _quiet.TrySetResult();
    }

    // The listener is watched by all loops, and of those that wait the system wakes one.
    private void TryAccepting()
    {
        if (!_accepts && !_listener.IsStopping)
        {
            _accepts = _poll.TryAdd(_listener.Descriptor, PollEvents.Readable | PollEvents.Exclusive);
        }
    }

    private void Accept(int most)
    {
        for (int i = 0; i < most && _accepts; i++)
        {
            int descriptor = SystemCalls.Accept(_listener.Descriptor, 0, 0, SystemCalls.NonBlockingAndNotInherited);
            if (descriptor >= 0)
            {
                Take(descriptor);
                continue;
            }

            int error = SystemCalls.Error;
            switch (error)
            {
                case SystemCalls.Eagain:
                    return;
                case SystemCalls.Emfile or SystemCalls.Enfile or SystemCalls.Enobufs or SystemCalls.Enomem:
                    // The connection stays where it is and would be told of without end: wait until the next sweep, when others may have ended.
                    _poll.TryRemove(_listener.Descriptor);
                    _accepts = false;
                    _listener.LogCannotAccept(error);
                    return;
                default:
                    break; // that client has gone (ECONNABORTED, and the errors of the network that accept(2) names)
            }
        }
    }

    private void Take(int descriptor)
    {
        if (!_listener.TryEnter())
        {
            _ = SystemCalls.Close(descriptor);
            return;
        }

        Guard(_connections[descriptor], static (loop, connection) => loop.Read(connection, toTheEnd: false));
    }

    private void OnEvents(FrontConnection connection, PollEvents events)
    {
        if (Volatile.Read(ref connection.Loop) != this)
        {
            return; // it ended after the event, and its descriptor is another's
        }

        switch (connection.Phase)
        {
            case FrontPhase.Reading when (events & (PollEvents.PeerEnded | PollEvents.HangUp | PollEvents.Error)) != 0:
                Guard(connection, static (loop, connection) => loop.Read(connection, toTheEnd: true));
                break;
            case FrontPhase.Reading:
                Guard(connection, static (loop, connection) => loop.Read(connection, toTheEnd: false));
                break;
            case FrontPhase.Writing:
                Guard(connection, static (loop, connection) => loop.WriteOn(connection));
                break;
            case FrontPhase.Draining:
                DrainOn(connection);
                break;
            default:
                break; // asking: it is looked at when the answer is there
        }
    }

    // A mistake that one request brings to light costs that connection, and not those beside it.
    private void Guard(FrontConnection connection, Action<FrontLoop, FrontConnection> serve)
    {
        try
        {
            serve(this, connection);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            _output.Clear();
            _listener.LogRequestFailed(e);
            Close(connection);
        }
    }

    private void Sweep()
    {
        TryAccepting();
        FindMine();
        foreach (FrontConnection connection in _mine)
        {
            int waited = _now - connection.Since;
            switch (connection.Phase)
            {
                case FrontPhase.Reading when connection.IsPart && waited > PartTimeout:
                    HandOn(connection);
                    break;
                case FrontPhase.Reading when waited > _listener.KeepAliveSeconds || _listener.IsStopping:
                case FrontPhase.Writing when waited > WriteTimeout:
                case FrontPhase.Draining when waited > DrainTimeout:
                    Close(connection);
                    break;
                default:
                    break;
            }
        }
    }

    private void FindMine()
    {
        _mine.Clear();
        if (Count > 0)
        {
            _connections.CopyTo(_mine, this);
        }
    }
}
