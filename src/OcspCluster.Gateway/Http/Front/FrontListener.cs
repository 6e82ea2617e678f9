using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;

namespace OcspCluster.Gateway;

/// <summary>
/// A listening socket and the threads that accept from it and answer from the cache. What they do not answer Kestrel accepts here, with all that was read of it.
/// </summary>
internal sealed partial class FrontListener : IConnectionListener
{
    /// <summary>Connections that may wait to be accepted; the system's own limit (net.core.somaxconn) is 4,096 as a rule.</summary>
    public const int Backlog = 4096;

    private static readonly TimeSpan s_logInterval = TimeSpan.FromMinutes(1);

    private readonly FrontTransport _transport;
    private readonly Socket _socket;
    private readonly FrontLoop[] _loops;
    private readonly SocketConnectionContextFactory _kestrel;
    private readonly ILogger _log;
    private readonly Channel<(int Descriptor, byte[] Unread)> _handedOn = Channel.CreateUnbounded<(int, byte[])>(new UnboundedChannelOptions { SingleReader = true });
    private readonly CancellationTokenSource _aborted = new();
    private readonly CancellationToken _isAborted;
    private CancellationToken _patience;
    private volatile bool _isStopping;
    private long _loggedAt; // 0: never
    private int _isDisposed;

    /// <summary>Listens on a socket that is bound.</summary>
    /// <param name="transport">Which listeners have in common.</param>
    /// <param name="socket">Bound, and not listening yet; the listener's from here on.</param>
    /// <param name="threads">How many threads.</param>
    /// <param name="kestrel">Makes connections of sockets.</param>
    /// <param name="log">Hears of what an operator has to do something about.</param>
    public FrontListener(FrontTransport transport, Socket socket, int threads, SocketConnectionContextFactory kestrel, ILogger log)
    {
        _transport = transport;
        _socket = socket;
        _kestrel = kestrel;
        _log = log;
        _isAborted = _aborted.Token;
        EndPoint = socket.LocalEndPoint!;
        Descriptor = (int)socket.Handle;
        _loops = new FrontLoop[threads];
        try
        {
            for (int i = 0; i < threads; i++)
            {
                _loops[i] = new FrontLoop(this, transport.Answers, transport.Connections);
            }
        }
        catch
        {
            foreach (FrontLoop? loop in _loops)
            {
                loop?.Dispose();
            }

            throw;
        }

        for (int i = 0; i < threads; i++)
        {
            _loops[i].Start($"OCSP {(EndPoint as IPEndPoint)?.Port}/{i}"); // as top -H shows them
        }
    }

    /// <inheritdoc/>
    public EndPoint EndPoint { get; }

    /// <summary>The listening socket's.</summary>
    public int Descriptor { get; }

    /// <summary>Finds and writes answers.</summary>
    public PlainAnswers Answers => _transport.Answers;

    /// <summary>How long a connection may stay silent.</summary>
    public int KeepAliveSeconds => _transport.KeepAliveSeconds;

    /// <summary>Whether nothing more is accepted, and connections end with their next answer.</summary>
    public bool IsStopping => _isStopping;

    /// <summary>Whether they end now.</summary>
    public bool IsAborted => _isAborted.IsCancellationRequested;

    /// <summary>Cancelled when they end now.</summary>
    public CancellationToken Aborted => _isAborted;

    /// <summary>Counts a connection; false when there are as many as there may be.</summary>
    public bool TryEnter()
    {
        if (_transport.TryEnter())
        {
            return true;
        }

        if (MayLog())
        {
            LogTooManyConnections(_transport.MaxConnections);
        }

        return false;
    }

    /// <summary>Counts a connection that has ended.</summary>
    public void Leave() => _transport.Leave();

    /// <summary>The loop that keeps the fewest connections: another than that which asks only where it makes a difference.</summary>
    public FrontLoop FindIdlest(FrontLoop asking)
    {
        FrontLoop idlest = asking;
        int fewest = asking.Count - 1;
        foreach (FrontLoop loop in _loops)
        {
            if (loop.Count < fewest)
            {
                idlest = loop;
                fewest = loop.Count;
            }
        }

        return idlest;
    }

    /// <summary>Gives a connection to Kestrel.</summary>
    /// <param name="descriptor">Its descriptor, which nobody watches.</param>
    /// <param name="unread">What was read and not answered.</param>
    public void HandOn(int descriptor, byte[] unread)
    {
        if (!_handedOn.Writer.TryWrite((descriptor, unread)))
        {
            Leave(); // the host has ended
            _ = SystemCalls.Close(descriptor);
        }
    }

    /// <inheritdoc/>
    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        while (await _handedOn.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false))
        {
            while (_handedOn.Reader.TryRead(out (int Descriptor, byte[] Unread) next))
            {
                SafeSocketHandle handle = new(next.Descriptor, ownsHandle: true);
                try
                {
                    return new HandedOnConnection(_kestrel.Create(new Socket(handle)), next.Unread, this);
                }
                catch (SocketException)
                {
                    handle.Dispose(); // the client has gone
                    Leave();
                }
            }
        }

        return null;
    }

    /// <summary>Accepts nothing more; what was read is answered.</summary>
    public async ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        _patience = cancellationToken;
        _isStopping = true;
        foreach (FrontLoop loop in _loops)
        {
            loop.Wake();
        }

        await Task.WhenAll(_loops.Select(loop => loop.Quiet)).ConfigureAwait(false);
        _socket.Dispose();
        _handedOn.Writer.TryComplete();
    }

    /// <summary>Waits for the answers that are under way as long as <see cref="UnbindAsync"/> was allowed to, and ends the threads.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0)
        {
            return;
        }

        if (!_isStopping)
        {
            await UnbindAsync(new CancellationToken(canceled: true)).ConfigureAwait(false);
        }

        Task ended = Task.WhenAll(_loops.Select(loop => loop.Ended));
        try
        {
            await ended.WaitAsync(_patience).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            await _aborted.CancelAsync().ConfigureAwait(false);
            foreach (FrontLoop loop in _loops)
            {
                loop.Wake();
            }

            await ended.ConfigureAwait(false);
        }

        foreach (FrontLoop loop in _loops)
        {
            loop.Dispose();
        }

        while (_handedOn.Reader.TryRead(out (int Descriptor, byte[] Unread) left))
        {
            Leave();
            _ = SystemCalls.Close(left.Descriptor);
        }

        _aborted.Dispose();
    }

    /// <summary>Tells that the process may open nothing more.</summary>
    public void LogCannotAccept(int error)
    {
        if (MayLog())
        {
            LogNoDescriptors(new System.ComponentModel.Win32Exception(error).Message);
        }
    }

    [LoggerMessage(160, LogLevel.Error, "A connection cannot be accepted: {Error}. It is tried again every second. Raise the limit of open files (ulimit -n, LimitNOFILE of systemd) above Ocsp:MaxConnections")]
    private partial void LogNoDescriptors(string error);

    [LoggerMessage(161, LogLevel.Warning, "Connections are closed at once: there are {Most}, the most that Ocsp:MaxConnections and the limit of open files allow")]
    private partial void LogTooManyConnections(int most);

    [LoggerMessage(162, LogLevel.Error, "A request could not be answered; its connection was closed")]
    public partial void LogRequestFailed(Exception exception);

    [LoggerMessage(163, LogLevel.Critical, "A thread that accepts connections has failed")]
    public partial void LogLoopFailed(Exception exception);

    // A flood must not be one of lines.
    private bool MayLog()
    {
        long last = Volatile.Read(ref _loggedAt);
        long now = TimeProvider.System.GetTimestamp();
        return (last == 0 || TimeProvider.System.GetElapsedTime(last, now) >= s_logInterval) && Interlocked.CompareExchange(ref _loggedAt, now, last) == last;
    }
}
