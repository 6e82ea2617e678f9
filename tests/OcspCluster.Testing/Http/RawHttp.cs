using System.Text;

namespace OcspCluster.Testing;

/// <summary>Requests as octets, and the round trip of one of them on a connection of its own.</summary>
public static class RawHttp
{
    /// <summary>A GET, HEAD or whatever method says, without a body.</summary>
    /// <param name="uri">Where the Host header points.</param>
    /// <param name="method">The method.</param>
    /// <param name="target">The request-target, sent as it is.</param>
    /// <param name="headers">Whole lines without their end.</param>
    public static byte[] Request(Uri uri, string method, string target, params IEnumerable<string> headers)
    {
        ArgumentNullException.ThrowIfNull(uri);
        return Message($"{method} {target} HTTP/1.1", [$"Host: {uri.Authority}", .. headers], []);
    }

    /// <summary>A POST as OCSP clients send it, to the path of the URI.</summary>
    public static byte[] Post(Uri uri, byte[] body, params IEnumerable<string> headers) =>
        PostTo(uri, uri.AbsolutePath, body, ["Content-Type: application/ocsp-request", .. headers]);

    /// <summary>A POST to any target; only Host and Content-Length are added to the headers.</summary>
    public static byte[] PostTo(Uri uri, string target, byte[] body, params IEnumerable<string> headers)
    {
        ArgumentNullException.ThrowIfNull(uri);
        ArgumentNullException.ThrowIfNull(body);
        return Message($"POST {target} HTTP/1.1", [$"Host: {uri.Authority}", $"Content-Length: {body.Length}", .. headers], body);
    }

    /// <summary>Any request line, headers and body.</summary>
    public static byte[] Message(string requestLine, IEnumerable<string> headers, byte[] body) =>
        [.. Encoding.Latin1.GetBytes(string.Join("\r\n", [requestLine, .. headers]) + "\r\n\r\n"), .. body];

    /// <summary>A body in chunks of one size, with the last chunk.</summary>
    public static byte[] Chunked(byte[] body, int chunk)
    {
        ArgumentNullException.ThrowIfNull(body);
        using MemoryStream all = new();
        foreach (byte[] part in body.Chunk(chunk))
        {
            all.Write(Encoding.ASCII.GetBytes($"{part.Length:x}\r\n"));
            all.Write(part);
            all.Write("\r\n"u8);
        }

        all.Write("0\r\n\r\n"u8);
        return all.ToArray();
    }

    /// <summary>Sends one message on a connection of its own and reads its response.</summary>
    public static async Task<RawHttpResponse> SendAsync(Uri uri, byte[] message)
    {
        ArgumentNullException.ThrowIfNull(message);
        using RawHttpConnection connection = await RawHttpConnection.ConnectAsync(uri).ConfigureAwait(false);
        await connection.SendAsync(message).ConfigureAwait(false);
        return await connection.ReadResponseAsync(toHead: message.AsSpan().StartsWith("HEAD "u8)).ConfigureAwait(false);
    }
}
