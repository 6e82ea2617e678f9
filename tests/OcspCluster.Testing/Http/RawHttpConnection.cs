using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace OcspCluster.Testing;

/// <summary>
/// One TCP connection that sends exactly the octets it is given and reads exactly what comes back. Every operation is bounded in time.
/// Not thread-safe.
/// </summary>
public sealed class RawHttpConnection : IDisposable
{
    /// <summary>The bound unless told otherwise.</summary>
    public static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(20);

    private readonly Socket _socket;
    private readonly TimeSpan _timeout;
    private readonly byte[] _buffer = new byte[65_536];
    private int _start;
    private int _end;

    private RawHttpConnection(Socket socket, TimeSpan timeout)
    {
        _socket = socket;
        _timeout = timeout;
    }

    /// <summary>Connects to the host and port of a URI.</summary>
    /// <param name="uri">The host and port.</param>
    /// <param name="timeout">The bound of every operation.</param>
    /// <param name="from">The address of this machine to come from; null for any.</param>
    public static async Task<RawHttpConnection> ConnectAsync(Uri uri, TimeSpan? timeout = null, IPAddress? from = null)
    {
        ArgumentNullException.ThrowIfNull(uri);
        Socket socket = from is null
            ? new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true }
            : new(from.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        RawHttpConnection connection = new(socket, timeout ?? DefaultTimeout);
        try
        {
            if (from is not null)
            {
                socket.Bind(new IPEndPoint(from, 0));
            }

            using CancellationTokenSource bound = new(connection._timeout);
            await socket.ConnectAsync(uri.Host, uri.Port, bound.Token).ConfigureAwait(false);
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Sends octets.</summary>
    public async Task SendAsync(ReadOnlyMemory<byte> octets)
    {
        using CancellationTokenSource bound = new(_timeout);
        while (!octets.IsEmpty)
        {
            octets = octets[await _socket.SendAsync(octets, SocketFlags.None, bound.Token).ConfigureAwait(false)..];
        }
    }

    /// <summary>Sends ASCII text.</summary>
    public Task SendAsync(string ascii) => SendAsync(Encoding.Latin1.GetBytes(ascii));

    /// <summary>Says that nothing more will be sent (half-close).</summary>
    public void FinishSending() => _socket.Shutdown(SocketShutdown.Send);

    /// <summary>Reads one response.</summary>
    /// <param name="toHead">It answers a HEAD request: there is no body whatever the headers say.</param>
    /// <exception cref="EndOfStreamException">The connection ended before the response did.</exception>
    /// <exception cref="TimeoutException">It did not come in time.</exception>
    public async Task<RawHttpResponse> ReadResponseAsync(bool toHead = false)
    {
        string statusLine = await ReadLineAsync().ConfigureAwait(false);
        List<KeyValuePair<string, string>> headers = await ReadHeadersAsync().ConfigureAwait(false);
        RawHttpResponse response = new(statusLine, headers, []);
        if (toHead || response.StatusCode is < 200 or 204 or 304)
        {
            return response;
        }

        if (response.Header("Transfer-Encoding") is "chunked")
        {
            return response with { Body = await ReadChunksAsync().ConfigureAwait(false) };
        }

        byte[] body = response.Header("Content-Length") is { } length
            ? await ReadExactlyAsync(int.Parse(length, CultureInfo.InvariantCulture)).ConfigureAwait(false)
            : await ReadToEndAsync().ConfigureAwait(false);
        return response with { Body = body };
    }

    /// <summary>Reads until the peer closes. A reset counts as the end.</summary>
    public async Task<byte[]> ReadToEndAsync()
    {
        using MemoryStream all = new();
        do
        {
            all.Write(_buffer, _start, _end - _start);
            _start = _end = 0;
        }
        while (await FillAsync().ConfigureAwait(false));
        return all.ToArray();
    }

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();

    private async Task<List<KeyValuePair<string, string>>> ReadHeadersAsync()
    {
        List<KeyValuePair<string, string>> headers = [];
        while (await ReadLineAsync().ConfigureAwait(false) is { Length: > 0 } line)
        {
            int colon = line.IndexOf(':', StringComparison.Ordinal);
            headers.Add(KeyValuePair.Create(line[..colon], line[(colon + 1)..].Trim()));
        }

        return headers;
    }

    private async Task<byte[]> ReadChunksAsync()
    {
        using MemoryStream body = new();
        while (true)
        {
            int size = int.Parse(await ReadLineAsync().ConfigureAwait(false), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
            body.Write(await ReadExactlyAsync(size).ConfigureAwait(false));
            await ReadLineAsync().ConfigureAwait(false);
            if (size == 0)
            {
                return body.ToArray();
            }
        }
    }

    private async Task<string> ReadLineAsync()
    {
        StringBuilder line = new();
        while (true)
        {
            char octet = (char)(await ReadExactlyAsync(1).ConfigureAwait(false))[0];
            if (octet == '\n')
            {
                return line.ToString().TrimEnd('\r');
            }

            line.Append(octet);
        }
    }

    private async Task<byte[]> ReadExactlyAsync(int count)
    {
        byte[] octets = new byte[count];
        int filled = 0;
        while (filled < count)
        {
            if (_start == _end && !await FillAsync().ConfigureAwait(false))
            {
                throw new EndOfStreamException($"The connection ended after {filled} of {count} octets.");
            }

            int taken = Math.Min(count - filled, _end - _start);
            _buffer.AsSpan(_start, taken).CopyTo(octets.AsSpan(filled));
            _start += taken;
            filled += taken;
        }

        return octets;
    }

    private async Task<bool> FillAsync()
    {
        using CancellationTokenSource bound = new(_timeout);
        try
        {
            _start = 0;
            _end = await _socket.ReceiveAsync(_buffer, SocketFlags.None, bound.Token).ConfigureAwait(false);
            return _end > 0;
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"Nothing came within {_timeout}.");
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
        {
            _end = 0;
            return false;
        }
    }
}
