using System.Formats.Asn1;

namespace OcspCluster.Testing;

/// <summary>
/// Writes TLVs octet by octet. What comes out is DER when the parts are; nothing is checked, so that a test can be wrong where it wants to be.
/// </summary>
public static class Der
{
    /// <summary>NULL: <c>05 00</c>.</summary>
    public static byte[] Null => [0x05, 0x00];

    /// <summary>A TLV of one identifier octet and a minimal definite length.</summary>
    public static byte[] Tlv(byte tag, params ReadOnlySpan<byte[]> parts)
    {
        byte[] content = Concat(parts);
        return [tag, .. Length(content.Length), .. content];
    }

    /// <summary>A SEQUENCE.</summary>
    public static byte[] Sequence(params ReadOnlySpan<byte[]> parts) => Tlv(0x30, parts);

    /// <summary>A constructed context-specific tag.</summary>
    public static byte[] Explicit(int number, params ReadOnlySpan<byte[]> parts) => Tlv((byte)(0xA0 | number), parts);

    /// <summary>A primitive context-specific tag.</summary>
    public static byte[] Implicit(int number, params byte[] content) => Tlv((byte)(0x80 | number), content);

    /// <summary>An INTEGER of these content octets, minimal or not.</summary>
    public static byte[] Number(params byte[] content) => Tlv(0x02, content);

    /// <summary>An OCTET STRING.</summary>
    public static byte[] OctetString(params byte[] content) => Tlv(0x04, content);

    /// <summary>A BIT STRING.</summary>
    public static byte[] BitString(byte[] bits, byte unusedBits = 0) => Tlv(0x03, [unusedBits], bits);

    /// <summary>A BOOLEAN: FF or 00.</summary>
    public static byte[] Boolean(bool value) => [0x01, 0x01, value ? (byte)0xFF : (byte)0x00];

    /// <summary>An IA5String-like or time value: a tag and its ASCII text.</summary>
    public static byte[] Text(byte tag, string ascii) => Tlv(tag, System.Text.Encoding.ASCII.GetBytes(ascii));

    /// <summary>An OBJECT IDENTIFIER from its dotted form.</summary>
    public static byte[] Oid(string dotted)
    {
        AsnWriter writer = new(AsnEncodingRules.DER);
        writer.WriteObjectIdentifier(dotted);
        return writer.Encode();
    }

    /// <summary>Minimal definite length octets.</summary>
    public static byte[] Length(int length) => length switch
    {
        < 0x80 => [(byte)length],
        < 0x100 => [0x81, (byte)length],
        < 0x1_0000 => [0x82, (byte)(length >> 8), (byte)length],
        < 0x100_0000 => [0x83, (byte)(length >> 16), (byte)(length >> 8), (byte)length],
        _ => [0x84, (byte)(length >> 24), (byte)(length >> 16), (byte)(length >> 8), (byte)length],
    };

    /// <summary>The parts, one after the other.</summary>
    public static byte[] Concat(params ReadOnlySpan<byte[]> parts)
    {
        int length = 0;
        foreach (byte[] part in parts)
        {
            length += part.Length;
        }

        byte[] all = new byte[length];
        int offset = 0;
        foreach (byte[] part in parts)
        {
            part.CopyTo(all, offset);
            offset += part.Length;
        }

        return all;
    }
}
