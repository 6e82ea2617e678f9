using System.Buffers;
using System.Buffers.Text;
using System.Text;

namespace OcspCluster.Gateway;

/// <summary>What came of looking at the octets of a connection.</summary>
internal enum HeadResult
{
    /// <summary>A whole request that says nothing unusual.</summary>
    Plain,

    /// <summary>Nothing unusual so far, but it is not whole.</summary>
    Incomplete,

    /// <summary>Kestrel is to judge it: it is unusual, or wrong, or longer than any that is answered here.</summary>
    Other,
}

/// <summary>
/// Reads an HTTP/1.1 or 1.0 request that lies there as a whole and is of the plain kind: GET or POST, one Host, and nothing that would change how it is answered or where the next one
/// begins. Whatever else there is, right or wrong, is for Kestrel: every rule here may only be stricter than HTTP (RFC 9112), never laxer.
/// </summary>
internal ref struct RequestHead
{
    private static readonly SearchValues<byte> s_token = SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8);
    private static readonly SearchValues<byte> s_host = SearchValues.Create("-.:[]_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8);
    private static readonly SearchValues<byte> s_visible = SearchValues.Create([.. Enumerable.Range(0x20, 0x5F).Select(i => (byte)i), (byte)'\t']);

    /// <summary>The most octets of a head that is looked at here.</summary>
    private const int MaxBytes = 8 * 1024;

    private const int MaxFields = 48;

    /// <summary>Whether it is a POST; else it is a GET.</summary>
    public bool IsPost;

    /// <summary>The target as it stands on the request line.</summary>
    public ReadOnlySpan<byte> Target;

    /// <summary>The body of a POST.</summary>
    public ReadOnlySpan<byte> Body;

    /// <summary>Whether the client wants the connection to end with the answer.</summary>
    public bool Closes;

    /// <summary>The octets of head and body.</summary>
    public int Length;

    private bool _isOld;
    private bool _hasHost;
    private int _bodyLength;

    /// <summary>Looks at what has come.</summary>
    /// <param name="octets">All that has come and was not looked at.</param>
    /// <param name="head">The request.</param>
    public static HeadResult Read(ReadOnlySpan<byte> octets, out RequestHead head)
    {
        head = new RequestHead { _bodyLength = -1 };
        int end = octets.IndexOf("\r\n\r\n"u8);
        if (end < 0)
        {
            return octets.Length < MaxBytes && MayBegin(octets) ? HeadResult.Incomplete : HeadResult.Other;
        }

        return end >= MaxBytes || !head.TryRead(octets, end) ? HeadResult.Other
            : octets.Length < head.Length ? HeadResult.Incomplete
            : HeadResult.Plain;
    }

    // What cannot become a request of ours is Kestrel's at once; lines that end with LF alone, too, since who sends them waits for an answer.
    private static bool MayBegin(ReadOnlySpan<byte> octets)
    {
        if (octets.Length < 6)
        {
            return "GET /"u8.StartsWith(octets) || "POST /"u8.StartsWith(octets) || octets.StartsWith("GET /"u8);
        }

        for (int i = octets.IndexOf((byte)'\n'); i >= 0;)
        {
            if (i == 0 || octets[i - 1] != '\r')
            {
                return false;
            }

            int next = octets[(i + 1)..].IndexOf((byte)'\n');
            i = next < 0 ? next : i + 1 + next;
        }

        return octets.StartsWith("GET /"u8) || octets.StartsWith("POST /"u8);
    }

    private bool TryRead(ReadOnlySpan<byte> octets, int end)
    {
        ReadOnlySpan<byte> lines = octets[..(end + 2)];
        int next = lines.IndexOf("\r\n"u8);
        if (!TryReadRequestLine(lines[..next]))
        {
            return false;
        }

        lines = lines[(next + 2)..];
        for (int fields = 0; !lines.IsEmpty; fields++)
        {
            next = lines.IndexOf((byte)'\r');
            if (fields == MaxFields || lines[next + 1] != '\n' || !TryReadField(lines[..next]))
            {
                return false;
            }

            lines = lines[(next + 2)..];
        }

        int body = end + 4;
        if (!(_hasHost || _isOld) || (_bodyLength >= 0) != IsPost)
        {
            return false;
        }

        Length = body + Math.Max(0, _bodyLength);
        Body = octets[body..Math.Min(Length, octets.Length)];
        return true;
    }

    private bool TryReadRequestLine(ReadOnlySpan<byte> line)
    {
        IsPost = line.StartsWith("POST "u8);
        _isOld = Closes = line.EndsWith(" HTTP/1.0"u8); // and most OCSP clients are: what they ask first is the last
        if (!(IsPost || line.StartsWith("GET "u8)) || !(_isOld || line.EndsWith(" HTTP/1.1"u8)))
        {
            return false;
        }

        int start = IsPost ? 5 : 4;
        if (line.Length < start + 10)
        {
            return false;
        }

        Target = line[start..^9];
        return Target[0] == '/'; // its octets are looked at where it is decoded
    }

    private bool TryReadField(ReadOnlySpan<byte> field)
    {
        int colon = field.IndexOf((byte)':');
        if (colon < 1 || field[..colon].ContainsAnyExcept(s_token))
        {
            return false;
        }

        ReadOnlySpan<byte> name = field[..colon];
        ReadOnlySpan<byte> value = field[(colon + 1)..].Trim(" \t"u8);
        return !value.ContainsAnyExcept(s_visible) && (name[0] | 0x20) switch
        {
            'h' when Is(name, "host"u8) => TryTakeHost(value),
            'h' => !Is(name, "http2-settings"u8),
            'c' => TryTakeC(name, value),
            'i' => !(name.Length > 3 && Is(name[..3], "if-"u8)), // a condition
            'e' => !Is(name, "expect"u8),
            't' => !(Is(name, "transfer-encoding"u8) || Is(name, "te"u8) || Is(name, "trailer"u8)),
            'u' => !Is(name, "upgrade"u8),
            _ => true,
        };
    }

    private bool TryTakeHost(ReadOnlySpan<byte> value)
    {
        bool isFirst = !_hasHost;
        _hasHost = true;
        return isFirst && !value.IsEmpty && !value.ContainsAnyExcept(s_host);
    }

    private bool TryTakeC(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        if (Is(name, "connection"u8))
        {
            bool closes = Is(value, "close"u8);
            Closes |= closes;
            return closes || (!_isOld && Is(value, "keep-alive"u8)); // to keep one of HTTP/1.0 takes a word in the answer
        }

        if (Is(name, "content-length"u8))
        {
            bool isFirst = _bodyLength < 0;
            return isFirst && value.Length is > 0 and < 8 && Utf8Parser.TryParse(value, out _bodyLength, out int used) && used == value.Length && !value.ContainsAnyExceptInRange((byte)'0', (byte)'9');
        }

        return Is(name, "content-type"u8) ? Is(value, "application/ocsp-request"u8) : !Is(name, "content-encoding"u8);
    }

    private static bool Is(ReadOnlySpan<byte> text, ReadOnlySpan<byte> lower) => Ascii.EqualsIgnoreCase(text, lower);
}
