using System.Buffers.Binary;
using System.Formats.Asn1;

namespace OcspCluster.Standalone.Storage;

// How an answer lies in its row
//
//     30 …                            the answer as it is
//     01, any                         an answer that begins with 00 or 01, as no OCSPResponse does
//     00, word (8 octets), 30 …       the answer without its end, which is that word: the responder's certificate, 400 to 1,000 octets that all answers of a credential have in common
//
// The row's seal is over the whole answer, so that an end that is not the one that was cut off is found as any other damage is. It is found so as well by versions that do not know of it.

/// <summary>What is kept of an answer's octets, and how they are put together again.</summary>
internal static class AnswerOctets
{
    /// <summary>The octets before an answer whose end is a word.</summary>
    public const int MarkBytes = 1 + sizeof(long);

    private const int LeastShared = 64; // a shorter end is not worth a word

    private const byte SharedMark = 0;
    private const byte PlainMark = 1;

    /// <summary>Where the end begins that other answers have, too, behind the signature; the answer's length when there is none that is worth it.</summary>
    public static int SharedFrom(ReadOnlySpan<byte> encoded)
    {
        // OCSPResponse ::= SEQUENCE { ENUMERATED, [0] SEQUENCE { OID, OCTET STRING { SEQUENCE { tbsResponseData, AlgorithmIdentifier, BIT STRING, [0] certs } } } }
        try
        {
            int at = Open(encoded, 0);
            at = Open(encoded, Open(encoded, Skip(encoded, at)));
            at = Open(encoded, Open(encoded, Skip(encoded, at)));
            at = Skip(encoded, Skip(encoded, Skip(encoded, at)));
            return encoded.Length - at >= LeastShared ? at : encoded.Length;
        }
        catch (Exception e) when (e is AsnContentException or ArgumentOutOfRangeException)
        {
            return encoded.Length; // kept as it is: what it says is of no matter here
        }
    }

    /// <summary>An answer as it is.</summary>
    public static ReadOnlySpan<byte> Whole(ReadOnlySpan<byte> encoded) => encoded is [SharedMark or PlainMark, ..] ? (byte[])[PlainMark, .. encoded] : encoded;

    /// <summary>An answer without its end, which is a word.</summary>
    public static void WithoutEnd(ReadOnlySpan<byte> beginning, long word, Span<byte> stored)
    {
        stored[0] = SharedMark;
        BinaryPrimitives.WriteInt64BigEndian(stored[1..], word);
        beginning.CopyTo(stored[MarkBytes..]);
    }

    /// <summary>The whole answer; null when it cannot be put together.</summary>
    public static byte[]? Join(ReadOnlySpan<byte> stored, Func<long, byte[]?> wordOf)
    {
        switch (stored)
        {
            case [SharedMark, ..]:
                return stored.Length > MarkBytes && wordOf(BinaryPrimitives.ReadInt64BigEndian(stored[1..])) is { } end ? [.. stored[MarkBytes..], .. end] : null;
            case [PlainMark, ..]:
                return stored[1..].ToArray();
            default:
                return stored.ToArray();
        }
    }

    private static int Open(ReadOnlySpan<byte> encoded, int at)
    {
        AsnDecoder.ReadEncodedValue(encoded[at..], AsnEncodingRules.DER, out int content, out _, out _);
        return at + content;
    }

    private static int Skip(ReadOnlySpan<byte> encoded, int at)
    {
        AsnDecoder.ReadEncodedValue(encoded[at..], AsnEncodingRules.DER, out _, out _, out int consumed);
        return at + consumed;
    }
}
