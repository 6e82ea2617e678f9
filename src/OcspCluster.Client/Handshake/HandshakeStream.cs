namespace OcspCluster.Client;

/// <summary>
/// Stands between a connection and its <see cref="System.Net.Security.SslStream"/> and reads the stapled response out of the handshake, which .NET does not hand out.
/// It changes nothing. Not thread-safe beyond what a stream is: one reader and one writer at a time.
/// </summary>
/// <remarks>
/// What it can see, it sees on every platform: in TLS 1.2 and older the server's CertificateStatus is in the clear. In TLS 1.3 it is encrypted, and nothing in .NET
/// gives it out: <see cref="CanSeeStaple"/> is false then. .NET asks for a stapled response by itself on Linux and Windows (status_request in its ClientHello;
/// <see cref="AskedForStaple"/> tells), not on macOS.
/// </remarks>
public sealed class HandshakeStream : Stream
{
    private readonly Stream _connection;
    private readonly HandshakeReader _sent = new();
    private readonly HandshakeReader _received = new();

    /// <summary>Records what goes over a connection.</summary>
    /// <param name="connection">The connection; disposed with this.</param>
    public HandshakeStream(Stream connection)
    {
        ArgumentNullException.ThrowIfNull(connection);
        _connection = connection;
    }

    /// <summary>Whether the client asked for a stapled response.</summary>
    public bool AskedForStaple => _sent.HasStatusRequest;

    /// <summary>Whether a stapled response would have been seen: false in TLS 1.3, and when a session was resumed, in which no certificates are sent.</summary>
    public bool CanSeeStaple => _received.HasCertificate;

    /// <summary>The OCSP response that the server stapled; empty when none was seen.</summary>
    public ReadOnlyMemory<byte> StapledResponse => _received.StapledResponse;

    /// <inheritdoc/>
    public override bool CanRead => _connection.CanRead;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => _connection.CanWrite;

    /// <inheritdoc/>
    public override bool CanTimeout => _connection.CanTimeout;

    /// <inheritdoc/>
    public override int ReadTimeout { get => _connection.ReadTimeout; set => _connection.ReadTimeout = value; }

    /// <inheritdoc/>
    public override int WriteTimeout { get => _connection.WriteTimeout; set => _connection.WriteTimeout = value; }

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override int Read(Span<byte> buffer)
    {
        int read = _connection.Read(buffer);
        _received.Read(buffer[..read]);
        return read;
    }

    /// <inheritdoc/>
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc/>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        int read = await _connection.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        _received.Read(buffer.Span[..read]);
        return read;
    }

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        _sent.Read(buffer);
        _connection.Write(buffer);
    }

    /// <inheritdoc/>
    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc/>
    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        _sent.Read(buffer.Span);
        return _connection.WriteAsync(buffer, cancellationToken);
    }

    /// <inheritdoc/>
    public override void Flush() => _connection.Flush();

    /// <inheritdoc/>
    public override Task FlushAsync(CancellationToken cancellationToken) => _connection.FlushAsync(cancellationToken);

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        await _connection.DisposeAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _connection.Dispose();
        }

        base.Dispose(disposing);
    }
}
