using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace OcspCluster.Gateway;

/// <summary>
/// Writes the head of an HTTP answer as octets: the same fields as <see cref="OcspHttpHandler"/> sets. Thread-safe.
/// </summary>
internal sealed class ResponseHead
{
    /// <summary>More than any head takes.</summary>
    public const int MaxBytes = 512;

    private Second _second = new(0);

    /// <summary>Writes the head of an answer from the cache.</summary>
    /// <returns>The octets written.</returns>
    public int Write(Span<byte> destination, in CacheRecord record, DateTimeOffset now, bool closes)
    {
        long seconds = now.ToUnixTimeSeconds();
        ResponseClass @class = record.Class;
        int length = WriteStart(destination, record.Length, seconds, closes);
        Append(destination, ref length, "\r\nETag: \""u8);
        Convert.TryToHexStringLower(record.Digest, destination[length..], out int hex);
        length += hex;
        Append(destination, ref length, "\"\r\nLast-Modified: "u8);
        AppendDate(destination, ref length, record.ProducedAt);
        Append(destination, ref length, "\r\nExpires: "u8);
        AppendDate(destination, ref length, @class.MaxAgeSeconds > 0 ? record.NextUpdate : record.ProducedAt);
        if (@class.MaxAge == TimeSpan.Zero)
        {
            Append(destination, ref length, "\r\nCache-Control: max-age=0, private, no-transform, must-revalidate\r\n\r\n"u8);
            return length;
        }

        // RFC 9919 §7.2: n seconds from now there is still an answer that is valid, and none that is newer was planned.
        long maxAge = Math.Min(@class.MaxAgeSeconds, Math.Min(record.NextUpdate - seconds - 1, record.RefreshAt - seconds));
        Append(destination, ref length, "\r\nCache-Control: max-age="u8);
        AppendNumber(destination, ref length, Math.Max(0, maxAge));
        Append(destination, ref length, ", public, no-transform, must-revalidate\r\n\r\n"u8);
        return length;
    }

    /// <summary>Writes the head of any other answer.</summary>
    /// <returns>The octets written.</returns>
    public int Write(Span<byte> destination, in OcspReply reply, string cacheControl, DateTimeOffset now, bool closes)
    {
        int length = WriteStart(destination, reply.Body.Length, now.ToUnixTimeSeconds(), closes);
        if (reply.Response is { } signed)
        {
            Append(destination, ref length, "\r\nETag: "u8);
            length += Encoding.ASCII.GetBytes(signed.EntityTag, destination[length..]);
            Append(destination, ref length, "\r\nLast-Modified: "u8);
            AppendDate(destination, ref length, signed.ProducedAt.ToUnixTimeSeconds());
            Append(destination, ref length, "\r\nExpires: "u8);
            AppendDate(destination, ref length, (signed.MaxAge > TimeSpan.Zero ? signed.NextUpdate : signed.ProducedAt).ToUnixTimeSeconds());
        }

        Append(destination, ref length, "\r\nCache-Control: "u8);
        length += Encoding.ASCII.GetBytes(cacheControl, destination[length..]);
        Append(destination, ref length, "\r\n\r\n"u8);
        return length;
    }

    private int WriteStart(Span<byte> destination, int bodyLength, long seconds, bool closes)
    {
        int length = 0;
        Append(destination, ref length, "HTTP/1.1 200 OK\r\nContent-Length: "u8);
        AppendNumber(destination, ref length, bodyLength);
        Append(destination, ref length, "\r\nContent-Type: application/ocsp-response\r\nDate: "u8);
        Second second = _second;
        if (second.Number != seconds)
        {
            _second = second = new Second(seconds); // whoever comes later writes the same
        }

        Append(destination, ref length, second.Text);
        if (closes)
        {
            Append(destination, ref length, "\r\nConnection: close"u8);
        }

        return length;
    }

    private static void Append(Span<byte> destination, ref int length, ReadOnlySpan<byte> text)
    {
        text.CopyTo(destination[length..]);
        length += text.Length;
    }

    private static void AppendNumber(Span<byte> destination, ref int length, long number)
    {
        Utf8Formatter.TryFormat(number, destination[length..], out int written);
        length += written;
    }

    private static void AppendDate(Span<byte> destination, ref int length, long seconds)
    {
        DateTimeOffset.FromUnixTimeSeconds(seconds).TryFormat(destination[length..], out int written, "R", CultureInfo.InvariantCulture);
        length += written;
    }

    /// <summary>A second and its date in the form of RFC 9110 §5.6.7. Immutable.</summary>
    private sealed class Second
    {
        public readonly long Number;
        public readonly byte[] Text;

        public Second(long number)
        {
            Number = number;
            Text = Encoding.ASCII.GetBytes(DateTimeOffset.FromUnixTimeSeconds(number).ToString("R", CultureInfo.InvariantCulture));
        }
    }
}
