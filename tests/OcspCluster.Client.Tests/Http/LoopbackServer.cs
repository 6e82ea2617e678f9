using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace OcspCluster.Client.Tests;

/// <summary>What a client sent.</summary>
internal sealed record LoopbackRequest(string Method, string Target, IReadOnlyDictionary<string, string> Headers, byte[] Body);

/// <summary>What to send back: octets, and then perhaps nothing for ever.</summary>
internal sealed record LoopbackReply(byte[] Octets)
{
    /// <summary>Sends this again and again after the octets, until the client has enough.</summary>
    public byte[]? Endless { get; init; }

    /// <summary>How long to rest after each octet.</summary>
    public bool Trickles { get; init; }

    /// <summary>Whether the connection stays open, with nothing more on it.</summary>
    public bool Hangs { get; init; }

    public static LoopbackReply Ok(byte[] body, string contentType = "application/ocsp-response", params IEnumerable<string> headers) => Of(200, body, [$"Content-Type: {contentType}", .. headers]);

    public static LoopbackReply Of(int status, byte[]? body = null, params IEnumerable<string> headers) => new([
        .. Head(status, [$"Content-Length: {(body ?? []).Length.ToString(CultureInfo.InvariantCulture)}", .. headers]), .. body ?? []]);

    public static byte[] Head(int status, params IEnumerable<string> headers) =>
        Encoding.Latin1.GetBytes(string.Join("\r\n", [$"HTTP/1.1 {status} X", "Connection: close", .. headers]) + "\r\n\r\n");
}

/// <summary>A web server on 127.0.0.1 that does to each request exactly what a test says, right or wrong. One request for each connection.</summary>
internal sealed class LoopbackServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly Func<LoopbackRequest, LoopbackReply> _answer;
    private readonly Task _accepting;
    private readonly ConcurrentBag<Task> _connections = [];

    public LoopbackServer(Func<LoopbackRequest, LoopbackReply> answer)
    {
        _answer = answer;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public Uri Uri => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/");

    /// <summary>All requests so far, in order.</summary>
    public ConcurrentQueue<LoopbackRequest> Requests { get; } = new();

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _accepting;
        _listener.Dispose();
        await Task.WhenAll(_connections);
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _connections.Add(ServeAsync(await _listener.AcceptTcpClientAsync(_end.Token)));
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    private async Task ServeAsync(TcpClient connection)
    {
        using (connection)
        {
            try
            {
                NetworkStream stream = connection.GetStream();
                if (await ReadAsync(stream, _end.Token) is not LoopbackRequest request)
                {
                    return;
                }

                Requests.Enqueue(request);
                await WriteAsync(stream, _answer(request), _end.Token);
            }
            catch (Exception e) when (e is IOException or OperationCanceledException or SocketException)
            {
                // The client had enough, or the test is over.
            }
        }
    }

    private static async Task WriteAsync(NetworkStream stream, LoopbackReply reply, CancellationToken cancellationToken)
    {
        if (reply.Trickles)
        {
            foreach (byte octet in reply.Octets)
            {
                await stream.WriteAsync(new[] { octet }, cancellationToken);
                await Task.Delay(TimeSpan.FromMilliseconds(20), cancellationToken); // a slow server is what is tested
            }
        }
        else
        {
            await stream.WriteAsync(reply.Octets, cancellationToken);
        }

        while (reply.Endless is not null)
        {
            await stream.WriteAsync(reply.Endless, cancellationToken);
        }

        if (reply.Hangs)
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
        }
    }

    private static async Task<LoopbackRequest?> ReadAsync(NetworkStream stream, CancellationToken cancellationToken)
    {
        List<byte> head = [];
        byte[] octet = new byte[1];
        while (!head.TakeLast(4).SequenceEqual("\r\n\r\n"u8.ToArray()))
        {
            if (await stream.ReadAsync(octet, cancellationToken) == 0)
            {
                return null;
            }

            head.Add(octet[0]);
        }

        string[] lines = Encoding.Latin1.GetString([.. head]).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        string[] first = lines[0].Split(' ');
        Dictionary<string, string> headers = new(StringComparer.OrdinalIgnoreCase);
        foreach (string line in lines[1..])
        {
            string[] parts = line.Split(':', 2);
            headers[parts[0]] = parts[1].Trim();
        }

        byte[] body = new byte[headers.TryGetValue("Content-Length", out string? length) ? int.Parse(length, CultureInfo.InvariantCulture) : 0];
        await stream.ReadExactlyAsync(body, cancellationToken);
        return new LoopbackRequest(first[0], first[1], headers, body);
    }
}
