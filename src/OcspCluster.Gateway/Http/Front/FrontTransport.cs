using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;

namespace OcspCluster.Gateway;

/// <summary>
/// The way into the OCSP listener on Linux: threads of its own accept connections and answer what lies in the cache, and Kestrel gets the others (docs/decisions/0060). Thread-safe.
/// </summary>
internal sealed partial class FrontTransport : IConnectionListenerFactory, IConnectionListenerFactorySelector, IDisposable
{
    private const int Tcp = 6;
    private const int DeferAccept = 9;

    /// <summary>Descriptors that connections leave to the rest of the process. Without them it fails for good: an assembly that could not be opened once is not looked for again.</summary>
    private const int Reserve = 256;

    private readonly SocketConnectionContextFactory _kestrel;
    private readonly ILogger _log;
    private readonly int _threads;
    private int _count;

    /// <summary>Makes one that listens nowhere.</summary>
    /// <exception cref="PlatformNotSupportedException">This machine is none that it knows.</exception>
    public FrontTransport(PlainAnswers answers, OcspListenerOptions options, ILoggerFactory loggers)
    {
        if (!IsSupported)
        {
            throw new PlatformNotSupportedException($"{nameof(OcspTransport)}.{nameof(OcspTransport.Front)} is for Linux on x64 and arm64.");
        }

        Answers = answers;
        _log = loggers.CreateLogger<OcspListener>();
        long files = SystemCalls.OpenFiles;
        MaxConnections = (int)Math.Min(options.MaxConnections, files - Math.Min(Reserve, files / 2));
        if (MaxConnections < options.MaxConnections)
        {
            LogFewerConnections(files, MaxConnections, options.MaxConnections);
        }

        KeepAliveSeconds = (int)Math.Ceiling(options.KeepAliveTimeout.TotalSeconds);
        _threads = options.Threads > 0 ? options.Threads : Environment.ProcessorCount;
        _kestrel = new SocketConnectionContextFactory(new SocketConnectionFactoryOptions { UnsafePreferInlineScheduling = true }, _log);
    }

    /// <summary>Whether this machine is one that it knows.</summary>
    public static bool IsSupported => SystemCalls.AreKnown;

    /// <summary>Finds and writes answers.</summary>
    public PlainAnswers Answers { get; }

    /// <summary>The most connections at a time, on all addresses, Kestrel's included.</summary>
    public int MaxConnections { get; }

    /// <summary>How long a connection may stay silent.</summary>
    public int KeepAliveSeconds { get; }

    /// <summary>All connections, by their descriptors.</summary>
    public FrontConnections Connections { get; } = new();

    /// <summary>The connections that there are, on all addresses, Kestrel's included.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <inheritdoc/>
    public bool CanBind(EndPoint endpoint) => endpoint is IPEndPoint;

    /// <inheritdoc/>
    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        Socket socket;
        try
        {
            socket = SocketTransportOptions.CreateDefaultBoundListenSocket(endpoint);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            throw new AddressInUseException(e.Message, e);
        }

        try
        {
            // Both are passed on to the connections. Whoever is accepted has sent something, or has been silent for a second: one call instead of three, and one change of thread less.
            socket.NoDelay = true;
            socket.SetRawSocketOption(Tcp, DeferAccept, BitConverter.GetBytes(1));
            socket.Blocking = false;
            socket.Listen(FrontListener.Backlog);
            return ValueTask.FromResult<IConnectionListener>(new FrontListener(this, socket, _threads, _kestrel, _log));
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Counts a connection; false when there are as many as there may be.</summary>
    public bool TryEnter()
    {
        if (Interlocked.Increment(ref _count) <= MaxConnections)
        {
            return true;
        }

        Leave();
        return false;
    }

    /// <summary>Counts a connection that has ended.</summary>
    public void Leave() => Interlocked.Decrement(ref _count);

    /// <inheritdoc/>
    public void Dispose() => _kestrel.Dispose();

    [LoggerMessage(164, LogLevel.Warning, "The limit of open files, {Files}, leaves room for {Most} connections, and Ocsp:MaxConnections is {Wanted}. Raise it (ulimit -n, LimitNOFILE of systemd)")]
    private partial void LogFewerConnections(long files, int most, int wanted);
}
