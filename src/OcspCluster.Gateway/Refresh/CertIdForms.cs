using System.Formats.Asn1;
using OcspCluster.Protocol;

namespace OcspCluster.Gateway;

/// <summary>
/// The forms in which the certificates of an issuer are asked about: hash algorithm, its parameters, and the issuer's hashes; all of a CertID but its serial number.
/// A form has a number, so that a million CertIDs need no more than their serial numbers. Thread-safe.
/// </summary>
internal sealed class CertIdForms
{
    private const byte SequenceTag = 0x30;
    private const byte IntegerTag = 0x02;
    private const int ShortLength = 0x80; // below it a length takes one octet (X.690 §8.1.3.4)

    private readonly Lock _lock = new();
    private volatile byte[][] _prefixes = [];

    /// <summary>The number of a CertID's form; null when there are too many.</summary>
    public byte? NumberOf(ReadOnlySpan<byte> certId)
    {
        ReadOnlySpan<byte> prefix = PrefixOf(certId);
        if (Find(_prefixes, prefix) is byte number)
        {
            return number;
        }

        lock (_lock)
        {
            if (Find(_prefixes, prefix) is byte meanwhile)
            {
                return meanwhile;
            }

            if (_prefixes.Length > byte.MaxValue)
            {
                return null;
            }

            _prefixes = [.. _prefixes, prefix.ToArray()];
            return (byte)(_prefixes.Length - 1);
        }
    }

    /// <summary>The DER of the CertID of a form and a serial number.</summary>
    public byte[] Encode(byte number, SerialNumber serial)
    {
        ReadOnlySpan<byte> prefix = _prefixes[number], content = serial.Content;
        int length = prefix.Length + 2 + content.Length;
        if (length >= ShortLength)
        {
            return EncodeLong(prefix, content);
        }

        byte[] encoded = new byte[2 + length];
        (encoded[0], encoded[1]) = (SequenceTag, (byte)length);
        prefix.CopyTo(encoded.AsSpan(2));
        (encoded[2 + prefix.Length], encoded[3 + prefix.Length]) = (IntegerTag, (byte)content.Length);
        content.CopyTo(encoded.AsSpan(4 + prefix.Length));
        return encoded;
    }

    private static byte[] EncodeLong(ReadOnlySpan<byte> prefix, ReadOnlySpan<byte> serial)
    {
        AsnWriter writer = new(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            while (!prefix.IsEmpty)
            {
                AsnDecoder.ReadEncodedValue(prefix, AsnEncodingRules.DER, out _, out _, out int length);
                writer.WriteEncodedValue(prefix[..length]);
                prefix = prefix[length..];
            }

            writer.WriteInteger(serial);
        }

        return writer.Encode();
    }

    // CertID ::= SEQUENCE { hashAlgorithm, issuerNameHash, issuerKeyHash, serialNumber }: the first three elements.
    private static ReadOnlySpan<byte> PrefixOf(ReadOnlySpan<byte> certId)
    {
        AsnDecoder.ReadSequence(certId, AsnEncodingRules.DER, out int offset, out int length, out _);
        ReadOnlySpan<byte> content = certId.Slice(offset, length);
        int prefix = 0;
        for (int i = 0; i < 3; i++)
        {
            AsnDecoder.ReadEncodedValue(content[prefix..], AsnEncodingRules.DER, out _, out _, out int element);
            prefix += element;
        }

        return content[..prefix];
    }

    private static byte? Find(byte[][] prefixes, ReadOnlySpan<byte> prefix)
    {
        for (int i = 0; i < prefixes.Length; i++)
        {
            if (prefix.SequenceEqual(prefixes[i]))
            {
                return (byte)i;
            }
        }

        return null;
    }
}
