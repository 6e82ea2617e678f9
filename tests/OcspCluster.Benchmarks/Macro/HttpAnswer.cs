using System.Buffers.Text;

namespace OcspCluster.Benchmarks.Macro;

/// <summary>Where an HTTP response lies in a buffer. It must tell its length, as all do that answer OCSP.</summary>
/// <param name="Status">The status code.</param>
/// <param name="Body">Where its body begins.</param>
/// <param name="Length">Of all of it.</param>
internal readonly record struct HttpAnswer(int Status, int Body, int Length)
{
    /// <summary>Reads the response that a buffer begins with.</summary>
    /// <returns>False when it is not whole yet.</returns>
    /// <exception cref="InvalidDataException">It is none.</exception>
    public static bool TryRead(ReadOnlySpan<byte> buffer, out HttpAnswer answer)
    {
        answer = default;
        int head = buffer.IndexOf("\r\n\r\n"u8);
        if (head < 0)
        {
            return false;
        }

        ReadOnlySpan<byte> fields = buffer[..(head + 2)];
        int at = fields.IndexOf("Content-Length: "u8);
        at = at < 0 ? fields.IndexOf("content-length: "u8) : at; // HAProxy writes names in lower case
        if (!fields.StartsWith("HTTP/1."u8) || at < 0 || !Utf8Parser.TryParse(fields[9..], out int status, out _) || !Utf8Parser.TryParse(fields[(at + 16)..], out int length, out _))
        {
            throw new InvalidDataException("This is no HTTP response with a length: " + System.Text.Encoding.Latin1.GetString(fields));
        }

        answer = new HttpAnswer(status, head + 4, head + 4 + length);
        return buffer.Length >= answer.Length;
    }
}
