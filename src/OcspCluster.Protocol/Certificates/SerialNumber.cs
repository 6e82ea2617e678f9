using System.Numerics;
using System.Security.Cryptography.X509Certificates;

namespace OcspCluster.Protocol;

/// <summary>
/// A certificate's serial number (CertificateSerialNumber, RFC 5280 §4.1.2.2): the content octets of its DER INTEGER.
/// </summary>
/// <remarks>
/// <para>
/// Two serial numbers are equal when their content octets are. Because DER allows one encoding of an integer, that is
/// equality of value: <c>00FF</c> (255) and <c>FF</c> (−1) differ. Zero, negative and long values are legal syntax and
/// occur in the field; they are kept as they are, never normalised.
/// </para>
/// <para>Immutable and thread-safe. The default value has no octets and names no certificate.</para>
/// </remarks>
public readonly struct SerialNumber : IEquatable<SerialNumber>, IComparable<SerialNumber>
{
    private readonly byte[]? _content;

    private SerialNumber(byte[] content) => _content = content;

    /// <summary>The content octets of the INTEGER, big-endian two's complement, without tag and length.</summary>
    public ReadOnlySpan<byte> Content => _content;

    /// <inheritdoc cref="Content"/>
    public ReadOnlyMemory<byte> ContentMemory => _content;

    /// <summary>True for the default value, which names no certificate.</summary>
    public bool IsEmpty => _content is null;

    /// <summary>Takes the content octets of a DER INTEGER.</summary>
    /// <exception cref="ArgumentException">The octets are empty or begin with a redundant 00 or FF (X.690 §8.3.2).</exception>
    public static SerialNumber FromContent(ReadOnlySpan<byte> content) =>
        IsMinimal(content)
            ? new SerialNumber(content.ToArray())
            : throw new ArgumentException("A serial number is a minimally encoded INTEGER of at least one octet (X.690 §8.3.2).", nameof(content));

    /// <summary>Takes the serial number of a certificate.</summary>
    public static SerialNumber FromCertificate(X509Certificate2 certificate)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        return new SerialNumber(certificate.SerialNumberBytes.ToArray());
    }

    /// <summary>Takes the value of an integer.</summary>
    public static SerialNumber FromInteger(BigInteger value) => new(value.ToByteArray(isBigEndian: true));

    /// <summary>
    /// Reads hexadecimal digits as <c>openssl x509 -serial</c>, OpenSSL's <c>index.txt</c> and browsers write them:
    /// the value without sign octet, an optional leading <c>-</c>, colons or blanks between octets.
    /// <c>FF</c> is therefore 255, as it is to every tool that prints serials.
    /// </summary>
    public static bool TryParseHex(ReadOnlySpan<char> text, out SerialNumber serial)
    {
        serial = default;
        text = text.Trim();
        bool negative = text.StartsWith('-');
        if (negative)
        {
            text = text[1..];
        }

        // One digit more, a 0: an odd one is the second of its octet.
        Span<char> digits = text.Length < 512 ? stackalloc char[text.Length + 1] : new char[text.Length + 1];
        digits[0] = '0';
        int count = 1;
        foreach (char c in text)
        {
            if (c is ':' or ' ')
            {
                continue;
            }

            if (!char.IsAsciiHexDigit(c))
            {
                return false;
            }

            digits[count++] = c;
        }

        if (count == 1)
        {
            return false;
        }

        int first = digits[..count].IndexOfAnyExcept('0');
        first = first < 0 ? count - 1 : first;
        bool needsSignOctet = (count - first) % 2 == 0 && digits[first] >= '8'; // the letters follow the digits
        byte[] content = new byte[((count - first + 1) / 2) + (needsSignOctet ? 1 : 0)];
        _ = Convert.FromHexString(digits[(first - ((count - first) % 2))..count], content.AsSpan(needsSignOctet ? 1 : 0), out _, out _);
        serial = negative ? FromInteger(-new BigInteger(content, isBigEndian: true)) : new SerialNumber(content);
        return true;
    }

    /// <inheritdoc cref="TryParseHex"/>
    /// <exception cref="FormatException">The text is not a hexadecimal number.</exception>
    public static SerialNumber ParseHex(ReadOnlySpan<char> text) =>
        TryParseHex(text, out SerialNumber serial) ? serial : throw new FormatException($"'{text}' is not a hexadecimal serial number.");

    /// <summary>Whether the octets are the content of a DER INTEGER: at least one, none redundant (X.690 §8.3.2).</summary>
    public static bool IsMinimal(ReadOnlySpan<byte> content) => content switch
    {
        [] => false,
        [0x00, < 0x80, ..] or [0xFF, >= 0x80, ..] => false,
        _ => true,
    };

    /// <inheritdoc/>
    public bool Equals(SerialNumber other) => Content.SequenceEqual(other.Content);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is SerialNumber other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        HashCode hash = default;
        hash.AddBytes(Content);
        return hash.ToHashCode();
    }

    /// <summary>Orders by the octets, shorter first where one is a prefix of the other: the order of the store's index, not of the values.</summary>
    public int CompareTo(SerialNumber other) => Content.SequenceCompareTo(other.Content);

    /// <summary>Upper-case hexadecimal value, as <see cref="TryParseHex"/> reads it and <c>openssl x509 -serial</c> prints it.</summary>
    public override string ToString()
    {
        if (Content is not [var first, ..])
        {
            return "";
        }

        return first switch
        {
            0x00 when Content.Length > 1 => Convert.ToHexString(Content[1..]),
            < 0x80 => Convert.ToHexString(Content),
            _ => "-" + FromInteger(-new BigInteger(Content, isBigEndian: true)),
        };
    }

    /// <summary>Equality of content octets.</summary>
    public static bool operator ==(SerialNumber left, SerialNumber right) => left.Equals(right);

    /// <summary>Inequality of content octets.</summary>
    public static bool operator !=(SerialNumber left, SerialNumber right) => !left.Equals(right);

    /// <summary>Order of content octets.</summary>
    public static bool operator <(SerialNumber left, SerialNumber right) => left.CompareTo(right) < 0;

    /// <summary>Order of content octets.</summary>
    public static bool operator <=(SerialNumber left, SerialNumber right) => left.CompareTo(right) <= 0;

    /// <summary>Order of content octets.</summary>
    public static bool operator >(SerialNumber left, SerialNumber right) => left.CompareTo(right) > 0;

    /// <summary>Order of content octets.</summary>
    public static bool operator >=(SerialNumber left, SerialNumber right) => left.CompareTo(right) >= 0;
}
