using System.Buffers;
using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace OcspCluster.Cli;

/// <summary>What one request came to.</summary>
/// <param name="HttpStatus">The HTTP status.</param>
/// <param name="OcspStatus">The OCSPResponseStatus, 0 successful; −1 when the body is no OCSP response.</param>
/// <param name="Bytes">The octets that came, header included.</param>
internal readonly record struct BenchReply(int HttpStatus, int OcspStatus, int Bytes);

/// <summary>One HTTP/1.1 connection that sends prepared octets and reads as little as tells what came: what it costs is not to be mistaken for what the server costs. Not thread-safe.</summary>
internal sealed class BenchConnection(string host, int port, bool keepsAlive) : IDisposable
{
    private const int MaxReplyBytes = 256 * 1024;

    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(16 * 1024);
    private Socket? _socket;

    /// <summary>How often it was connected.</summary>
    public long Connections { get; private set; }

    /// <summary>Sends, and reads the reply; connects when it is not.</summary>
    public async Task<BenchReply> SendAsync(ReadOnlyMemory<byte> request, CancellationToken cancellationToken)
    {
        try
        {
            Socket socket = _socket ??= await ConnectAsync(cancellationToken).ConfigureAwait(false);
            for (ReadOnlyMemory<byte> rest = request; !rest.IsEmpty;)
            {
                rest = rest[await socket.SendAsync(rest, SocketFlags.None, cancellationToken).ConfigureAwait(false)..];
            }

            (BenchReply reply, bool isOver) = await ReadAsync(socket, cancellationToken).ConfigureAwait(false);
            if (isOver || !keepsAlive)
            {
                Close();
            }

            return reply;
        }
        catch
        {
            Close();
            throw;
        }
    }

    public void Dispose()
    {
        Close();
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
    }

    private void Close()
    {
        _socket?.Dispose();
        _socket = null;
    }

    private async Task<Socket> ConnectAsync(CancellationToken cancellationToken)
    {
        Socket socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(host, port, cancellationToken).ConfigureAwait(false);
            Connections++;
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private async Task<(BenchReply Reply, bool IsOver)> ReadAsync(Socket socket, CancellationToken cancellationToken)
    {
        int length = 0;
        int headerEnd = -1;
        int? bodyLength = null;
        bool isOver = false;
        while (true)
        {
            if (headerEnd >= 0 && bodyLength is int body && length >= headerEnd + body)
            {
                return (Describe(headerEnd, body, length), isOver);
            }

            if (length == _buffer.Length)
            {
                Grow();
            }

            int read = await socket.ReceiveAsync(_buffer.AsMemory(length), SocketFlags.None, cancellationToken).ConfigureAwait(false);
            if (read == 0)
            {
                return headerEnd >= 0 && bodyLength is null // the end of the connection is the end of the body
                    ? (Describe(headerEnd, length - headerEnd, length), true)
                    : throw new IOException(length == 0 ? "the connection was closed without an answer" : "the answer was cut off");
            }

            length += read;
            if (headerEnd < 0 && _buffer.AsSpan(0, length).IndexOf("\r\n\r\n"u8) is >= 0 and var end)
            {
                headerEnd = end + 4;
                string header = Encoding.Latin1.GetString(_buffer, 0, headerEnd);
                if (FieldOf(header, "Transfer-Encoding") is not null)
                {
                    throw new IOException("the server answers with Transfer-Encoding, which this load generator does not read");
                }

                bodyLength = FieldOf(header, "Content-Length") is string text ? int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture) : null;
                isOver = string.Equals(FieldOf(header, "Connection"), "close", StringComparison.OrdinalIgnoreCase);
            }
        }
    }

    private void Grow()
    {
        if (_buffer.Length >= MaxReplyBytes)
        {
            throw new IOException($"the answer has more than {MaxReplyBytes} octets");
        }

        byte[] larger = ArrayPool<byte>.Shared.Rent(_buffer.Length * 2);
        _buffer.CopyTo(larger, 0);
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
    }

    private BenchReply Describe(int headerEnd, int bodyLength, int length)
    {
        ReadOnlySpan<byte> header = _buffer.AsSpan(0, headerEnd);
        int status = header.Length > 12 && header.StartsWith("HTTP/1."u8) && int.TryParse(header[9..12], NumberStyles.None, CultureInfo.InvariantCulture, out int code) ? code : 0;
        return new BenchReply(status, StatusOf(_buffer.AsSpan(headerEnd, bodyLength)), length);
    }

    // OCSPResponse ::= SEQUENCE { responseStatus ENUMERATED, ... }: the length of the SEQUENCE is short, or in one or more octets behind.
    private static int StatusOf(ReadOnlySpan<byte> body)
    {
        if (body.Length < 5 || body[0] != 0x30)
        {
            return -1;
        }

        ReadOnlySpan<byte> content = body[(body[1] < 0x80 ? 2 : 2 + (body[1] & 0x7F))..];
        return content.Length >= 3 && content[0] == 0x0A && content[1] == 1 ? content[2] : -1;
    }

    private static string? FieldOf(string header, string name)
    {
        int start = header.IndexOf("\r\n" + name + ":", StringComparison.OrdinalIgnoreCase);
        if (start < 0)
        {
            return null;
        }

        start += name.Length + 3;
        return header[start..header.IndexOf("\r\n", start, StringComparison.Ordinal)].Trim();
    }
}
