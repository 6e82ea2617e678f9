using System.Diagnostics;

namespace OcspCluster.Protocol;

/// <summary>
/// Writes DER from its end to its beginning, so that the length of a value is known when its header is written, and nothing is moved or built in between. What is signed on demand is written by it; other messages by
/// <see cref="System.Formats.Asn1.AsnWriter"/>, which costs some microseconds and says more when it is used wrongly.
/// </summary>
/// <remarks>A room that is too small is an <see cref="ArgumentOutOfRangeException"/>, never a message that is cut off.</remarks>
internal ref struct DerBackWriter(Span<byte> room)
{
    public const byte BitString = 0x03;
    public const byte OctetString = 0x04;
    public const byte Enumerated = 0x0A;
    public const byte GeneralizedTime = 0x18;
    public const byte Sequence = 0x30;

    /// <summary>The most octets that a header has.</summary>
    public const int MaxHeaderBytes = 6;

    private readonly Span<byte> _room = room;
    private int _start = room.Length;

    /// <summary>What was written.</summary>
    public readonly ReadOnlySpan<byte> Written => _room[_start..];

    /// <summary>Where the content ends that is written next.</summary>
    public readonly int Mark => _start;

    /// <summary>The tag of an EXPLICIT field, or of an IMPLICIT one of a constructed type.</summary>
    public static byte Constructed(int number) => (byte)(0xA0 | number);

    /// <summary>The tag of an IMPLICIT field of a primitive type.</summary>
    public static byte Primitive(int number) => (byte)(0x80 | number);

    /// <summary>Octets as they are.</summary>
    public void Write(ReadOnlySpan<byte> octets)
    {
        _start -= octets.Length;
        octets.CopyTo(_room[_start..]);
    }

    /// <summary>One octet.</summary>
    public void Write(byte octet) => _room[--_start] = octet;

    /// <summary>The header of the value whose content was written since the mark.</summary>
    public void WriteHeader(byte tag, int mark)
    {
        int length = mark - _start;
        if (length < 0x80)
        {
            Write((byte)length);
        }
        else
        {
            int count = 0;
            for (; length != 0; length >>= 8, count++)
            {
                Write((byte)length);
            }

            Write((byte)(0x80 | count));
        }

        Write(tag);
    }

    /// <summary>YYYYMMDDHHMMSSZ (RFC 5280 §4.1.2.5.2).</summary>
    public void WriteTime(DateTimeOffset time)
    {
        DateTime utc = time.UtcDateTime;
        utc.Deconstruct(out int year, out int month, out int day);
        Write((byte)'Z');
        WriteTwoDigits(utc.Second);
        WriteTwoDigits(utc.Minute);
        WriteTwoDigits(utc.Hour);
        WriteTwoDigits(day);
        WriteTwoDigits(month);
        WriteTwoDigits(year % 100);
        WriteTwoDigits(year / 100);
        Write(15);
        Write(GeneralizedTime);
    }

    private void WriteTwoDigits(int number)
    {
        Debug.Assert(number is >= 0 and <= 99, "Years have four digits.");
        Write((byte)('0' + (number % 10)));
        Write((byte)('0' + (number / 10)));
    }
}
