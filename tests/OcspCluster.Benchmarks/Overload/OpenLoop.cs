using System.Diagnostics;
using OcspCluster.Benchmarks.Macro;
using OcspCluster.Gateway;

namespace OcspCluster.Benchmarks.Overload;

/// <summary>
/// Some <see cref="ArrivalStream"/>s against one server, from one thread: it looks at the time, sends for who has arrived, and takes what has come back. It never waits, or, where it shares the processors with the
/// server, until something happens.
/// </summary>
internal sealed class OpenLoop : IDisposable
{
    private readonly int _port;
    private readonly int _poll = Sockets.CreatePoll();
    private readonly List<Connection> _connections = [];
    private readonly List<(ArrivalStream Stream, Stack<Connection> Free)> _streams = [];

    private OpenLoop(int port, IEnumerable<ArrivalStream> streams)
    {
        _port = port;
        foreach (ArrivalStream stream in streams)
        {
            Stack<Connection> free = new();
            for (int i = 0; i < stream.Connections; i++)
            {
                Connection connection = new(_connections.Count, stream);
                _connections.Add(connection);
                free.Push(connection);
            }

            _streams.Add((stream, free));
        }
    }

    /// <summary>Has them come for so long.</summary>
    /// <param name="url">Where to.</param>
    /// <param name="duration">How long.</param>
    /// <param name="processor">The processor that the generator keeps to; null for any.</param>
    /// <param name="streams">Who comes.</param>
    public static Task<IReadOnlyList<StreamResult>> RunAsync(Uri url, TimeSpan duration, int? processor, params ArrivalStream[] streams) => RunAsync(url, duration, processor, isGentle: false, streams);

    /// <summary>Has them come for so long.</summary>
    /// <param name="url">Where to.</param>
    /// <param name="duration">How long.</param>
    /// <param name="processor">The processor that the generator keeps to; null for any.</param>
    /// <param name="isGentle">Whether it waits until something happens, and so leaves the processor to others.</param>
    /// <param name="streams">Who comes.</param>
    public static Task<IReadOnlyList<StreamResult>> RunAsync(Uri url, TimeSpan duration, int? processor, bool isGentle, params ArrivalStream[] streams)
    {
        TaskCompletionSource<IReadOnlyList<StreamResult>> ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Thread thread = new(() =>
        {
            try
            {
                if (processor is int one)
                {
                    Sockets.Pin(one);
                }

                if (isGentle)
                {
                    // How late it looks is no part of what it measures.
                    SystemCalls.TakeShortSlices(TimeSpan.FromMilliseconds(0.1));
                    Sockets.TakePrecedence();
                }

                using OpenLoop loop = new(url.Port, streams);
                ended.SetResult(loop.Run(duration, isGentle));
            }
            catch (Exception e)
            {
                ended.SetException(e);
            }
        })
        {
            IsBackground = true,
            Name = "Open loop",
        };
        thread.Start();
        return ended.Task;
    }

    public void Dispose()
    {
        foreach (Connection connection in _connections)
        {
            Close(connection);
        }

        Sockets.Close(_poll);
    }

    private List<StreamResult> Run(TimeSpan duration, bool isGentle)
    {
        foreach ((ArrivalStream stream, Stack<Connection> free) in _streams)
        {
            foreach (Connection connection in free)
            {
                if (stream.Keeps)
                {
                    _ = TryOpen(connection);
                }
            }
        }

        byte[] events = new byte[16 * 512];
        long start = Stopwatch.GetTimestamp();
        long end = start + (long)(duration.TotalSeconds * Stopwatch.Frequency);
        foreach ((ArrivalStream stream, _) in _streams)
        {
            stream.Begin(start);
        }

        for (long now = start; now < end; now = Stopwatch.GetTimestamp())
        {
            foreach ((ArrivalStream stream, Stack<Connection> free) in _streams)
            {
                stream.Arrive(now);
                for (int i = 0; i < stream.Connections && free.Count > 0 && stream.TryTake(now, out long arrived); i++)
                {
                    Begin(free.Pop(), arrived, now);
                }
            }

            if (isGentle)
            {
                Sockets.Wait(_poll, Math.Min(_streams.Min(one => one.Stream.NextArrival), end) - Stopwatch.GetTimestamp());
            }

            int count = Sockets.Poll(_poll, events);
            for (int i = 0; i < count; i++)
            {
                Continue(_connections[Sockets.NumberOf(events, i)]);
            }
        }

        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        return [.. _streams.Select(one => one.Stream.Result(seconds))];
    }

    private void Begin(Connection connection, long arrived, long now)
    {
        connection.Arrived = arrived;
        connection.Sent = now;
        connection.Length = 0;
        connection.IsBusy = true;
        connection.Row = connection.Stream.Write(connection.Request);
        if (connection.Socket < 0 && !TryOpen(connection))
        {
            Break(connection);
        }
        else if (!connection.IsPending)
        {
            Send(connection);
        }
    }

    private void Send(Connection connection)
    {
        if (!Sockets.Send(connection.Socket, connection.Request, connection.Stream.RequestBytes))
        {
            Break(connection);
        }
    }

    private void Continue(Connection connection)
    {
        if (connection.IsPending)
        {
            connection.IsPending = false;
            Sockets.Watch(_poll, connection.Socket, Sockets.Readable, connection.Number, isNew: false);
            if (connection.IsBusy)
            {
                Send(connection);
            }

            return;
        }

        if (connection.Socket < 0)
        {
            return; // it was closed in the same turn
        }

        int read = Sockets.Receive(connection.Socket, connection.Buffer, connection.Length);
        if (read == -1)
        {
            return;
        }

        if (read <= 0)
        {
            Break(connection);
            return;
        }

        connection.Length += read;
        if (!connection.IsBusy || !HttpAnswer.TryRead(connection.Buffer.AsSpan(0, connection.Length), out HttpAnswer answer))
        {
            return;
        }

        ArrivalStream stream = connection.Stream;
        stream.Take(connection.Arrived, connection.Sent, Stopwatch.GetTimestamp(), answer.Status, connection.Buffer.AsMemory(answer.Body, answer.Length - answer.Body), connection.Row);
        Release(connection);
        if (!stream.Keeps)
        {
            Close(connection);
        }
    }

    // A connection that breaks unasked, such as one that was idle for too long, harms nobody.
    private void Break(Connection connection)
    {
        Close(connection);
        if (connection.IsBusy)
        {
            connection.Stream.Break();
            Release(connection);
        }
    }

    private void Release(Connection connection)
    {
        connection.IsBusy = false;
        _streams.Find(one => one.Stream == connection.Stream).Free.Push(connection);
    }

    private bool TryOpen(Connection connection)
    {
        connection.Socket = Sockets.Connect(_port, out bool isPending);
        connection.IsPending = isPending;
        if (connection.Socket < 0)
        {
            return false;
        }

        Sockets.Watch(_poll, connection.Socket, isPending ? Sockets.Writable : Sockets.Readable, connection.Number, isNew: true);
        return true;
    }

    private static void Close(Connection connection)
    {
        if (connection.Socket >= 0)
        {
            Sockets.Close(connection.Socket);
            connection.Socket = -1;
            connection.IsPending = false;
        }
    }

    private sealed class Connection(int number, ArrivalStream stream)
    {
        public int Number => number;

        public ArrivalStream Stream => stream;

        public byte[] Request { get; } = new byte[stream.RequestBytes];

        public byte[] Buffer { get; } = new byte[4096];

        public int Socket { get; set; } = -1;

        public bool IsPending { get; set; }

        public bool IsBusy { get; set; }

        public long Arrived { get; set; }

        public long Sent { get; set; }

        public int Length { get; set; }

        public int Row { get; set; }
    }
}
