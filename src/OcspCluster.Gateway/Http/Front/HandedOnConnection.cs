using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;

namespace OcspCluster.Gateway;

/// <summary>A connection that the front gave to Kestrel, with what it had read. It counts until Kestrel is done with it.</summary>
internal sealed class HandedOnConnection : ConnectionContext
{
    private readonly ConnectionContext _connection;
    private readonly FrontListener _listener;
    private int _isDisposed;

    /// <summary>Puts what was read before what comes.</summary>
    public HandedOnConnection(ConnectionContext connection, byte[] unread, FrontListener listener)
    {
        _connection = connection;
        _listener = listener;
        if (unread.Length > 0)
        {
            connection.Transport = new Pipes(new PrefixedReader(unread, connection.Transport.Input), connection.Transport.Output);
        }
    }

    /// <inheritdoc/>
    public override IDuplexPipe Transport
    {
        get => _connection.Transport;
        set => _connection.Transport = value;
    }

    /// <inheritdoc/>
    public override string ConnectionId
    {
        get => _connection.ConnectionId;
        set => _connection.ConnectionId = value;
    }

    /// <inheritdoc/>
    public override IFeatureCollection Features => _connection.Features;

    /// <inheritdoc/>
    public override IDictionary<object, object?> Items
    {
        get => _connection.Items;
        set => _connection.Items = value;
    }

    /// <inheritdoc/>
    public override CancellationToken ConnectionClosed
    {
        get => _connection.ConnectionClosed;
        set => _connection.ConnectionClosed = value;
    }

    /// <inheritdoc/>
    public override EndPoint? LocalEndPoint
    {
        get => _connection.LocalEndPoint;
        set => _connection.LocalEndPoint = value;
    }

    /// <inheritdoc/>
    public override EndPoint? RemoteEndPoint
    {
        get => _connection.RemoteEndPoint;
        set => _connection.RemoteEndPoint = value;
    }

    /// <inheritdoc/>
    public override void Abort(ConnectionAbortedException abortReason) => _connection.Abort(abortReason);

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        await _connection.DisposeAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
        if (Interlocked.Exchange(ref _isDisposed, 1) == 0)
        {
            _listener.Leave();
        }
    }

    private sealed class Pipes(PipeReader input, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input => input;

        public PipeWriter Output => output;
    }
}
