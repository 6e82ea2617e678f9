namespace OcspCluster.Gateway;

/// <summary>What a request target says.</summary>
internal enum TargetKind
{
    /// <summary>It is under none of our prefixes.</summary>
    NotOurs,

    /// <summary>It is a prefix alone: a POST belongs here.</summary>
    Endpoint,

    /// <summary>Something follows the prefix: a GET carries its request there.</summary>
    Request,
}

/// <summary>
/// Reads a target as it stood on the request line: <c>{prefix}/{url-encoding of base64 of DER}</c> (RFC 6960 appendix A.1, RFC 9919 §6).
/// </summary>
/// <remarks>
/// <para>
/// Base64 has <c>/</c>, <c>+</c> and <c>=</c>, and clients and proxies escape all, some or none of them, in either case, sometimes twice. So nothing before this
/// may unescape, merge slashes or take <c>+</c> for a blank: one request in 200 contains <c>//</c>, one in four <c>/</c>.
/// </para>
/// <para>
/// Accepted, too: missing padding, the base64url alphabet, blanks for <c>+</c>, line breaks, slashes before and after. Base64 of a SEQUENCE begins with <c>M</c>,
/// so a slash before it is never data; whether one after it is, the length in the DER tells.
/// </para>
/// </remarks>
internal static class GetTarget
{
    private const byte Invalid = 0xFF;
    private const byte Padding = 0xFE;
    private const byte Skip = 0xFD;
    private static readonly byte[] s_values = MakeValues();

    /// <summary>Finds the prefix of a target and what follows it, still escaped.</summary>
    /// <param name="target">The raw target: origin-form, or absolute-form as a proxy is asked.</param>
    /// <param name="prefixes">Without trailing slash, longest first.</param>
    /// <param name="request">What follows the prefix and its slashes.</param>
    public static TargetKind Split(ReadOnlySpan<char> target, IReadOnlyList<string> prefixes, out ReadOnlySpan<char> request)
    {
        request = default;
        if (!target.StartsWith('/'))
        {
            int authority = target.IndexOf("://", StringComparison.Ordinal);
            if (authority < 0)
            {
                return TargetKind.NotOurs; // "*" of OPTIONS, "host:port" of CONNECT
            }

            target = target[(authority + 3)..];
            int path = target.IndexOf('/');
            target = path < 0 ? "/" : target[path..];
        }

        int query = target.IndexOf('?');
        if (query >= 0)
        {
            target = target[..query];
        }

        ReadOnlySpan<char> trimmed = target.TrimStart('/');
        foreach (string prefix in prefixes)
        {
            ReadOnlySpan<char> bare = prefix.AsSpan().TrimStart('/');
            if (!trimmed.StartsWith(bare, StringComparison.Ordinal))
            {
                continue;
            }

            ReadOnlySpan<char> rest = trimmed[bare.Length..];
            if (bare.IsEmpty || rest.IsEmpty || rest[0] == '/')
            {
                request = rest.TrimStart('/');
                return request.IsEmpty ? TargetKind.Endpoint : TargetKind.Request;
            }
        }

        return TargetKind.NotOurs;
    }

    /// <summary>Decodes what follows the prefix into DER; false when it is not base64 in any of the accepted forms.</summary>
    public static bool TryDecode(ReadOnlySpan<char> escaped, out byte[] der)
    {
        der = [];
        byte[] sextets = new byte[escaped.Length];
        if (!TryReadSextets(escaped, sextets, out int count))
        {
            return false;
        }

        count = DropTrailingSlashes(sextets, count);
        if (count % 4 == 1)
        {
            return false;
        }

        der = Pack(sextets.AsSpan(0, count));
        return true;
    }

    private static bool TryReadSextets(ReadOnlySpan<char> escaped, Span<byte> sextets, out int count)
    {
        count = 0;
        bool isPadded = false;
        for (int i = 0; i < escaped.Length;)
        {
            if (!TryUnescape(escaped, ref i, out char c) || c >= s_values.Length)
            {
                return false;
            }

            byte value = s_values[c];
            if (value == Skip)
            {
                continue;
            }

            if (value == Padding)
            {
                isPadded = true;
            }
            else if (value == Invalid || (isPadded && c != '/'))
            {
                return false;
            }
            else if (!isPadded && (count > 0 || c != '/'))
            {
                sextets[count++] = value;
            }
        }

        return true;
    }

    /// <summary>One character, unescaped once or, where the escape itself was escaped (%252B), twice.</summary>
    private static bool TryUnescape(ReadOnlySpan<char> text, ref int position, out char c)
    {
        c = text[position++];
        for (int level = 0; c == '%' && level < 2; level++)
        {
            if (position + 2 > text.Length || !char.IsAsciiHexDigit(text[position]) || !char.IsAsciiHexDigit(text[position + 1]))
            {
                return false;
            }

            c = (char)Convert.FromHexString(text.Slice(position, 2))[0];
            position += 2;
        }

        return true;
    }

    // The header of the SEQUENCE tells how long the request is, and so how many characters it takes.
    private static int DropTrailingSlashes(ReadOnlySpan<byte> sextets, int count)
    {
        const int HeaderSextets = 8; // six octets: tag, and a length of up to five
        ReadOnlySpan<byte> header = Pack(sextets[..Math.Min(count, HeaderSextets)]);
        long total = header switch
        {
            [0x30, < 0x80, ..] => 2 + header[1],
            [0x30, 0x81, _, ..] => 3 + header[2],
            [0x30, 0x82, _, _, ..] => 4 + ((header[2] << 8) | header[3]),
            _ => long.MaxValue,
        };

        byte slash = s_values['/'];
        while (count > 0 && sextets[count - 1] == slash && (long)(count - 1) * 6 / 8 >= total)
        {
            count--;
        }

        return count;
    }

    private static byte[] Pack(ReadOnlySpan<byte> sextets)
    {
        byte[] octets = new byte[sextets.Length * 6 / 8];
        int bits = 0, buffer = 0, length = 0;
        foreach (byte sextet in sextets)
        {
            buffer = ((buffer << 6) | sextet) & 0xFFFF;
            bits += 6;
            if (bits >= 8)
            {
                bits -= 8;
                octets[length++] = (byte)(buffer >> bits);
            }
        }

        return octets;
    }

    private static byte[] MakeValues()
    {
        byte[] values = new byte[128];
        Array.Fill(values, Invalid);
        const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        for (byte i = 0; i < Alphabet.Length; i++)
        {
            values[Alphabet[i]] = i;
        }

        values['-'] = values['+'];
        values['_'] = values['/'];
        values[' '] = values['+']; // a proxy took + for a blank
        values['='] = Padding;
        values['\r'] = values['\n'] = Skip;
        return values;
    }
}
