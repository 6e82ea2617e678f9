using System.Formats.Asn1;

namespace OcspCluster.Protocol;

/// <summary>CRLReason on the wire (RFC 5280 §5.3.1).</summary>
internal static class Reason
{
    // CRLReason ::= ENUMERATED { unspecified (0), ..., removeFromCRL (8), privilegeWithdrawn (9), aACompromise (10) } -- 7 is not used
    public static RevocationReason? Read(AsnReader reader, DecodeOptions options)
    {
        ReadOnlySpan<byte> value = reader.ReadEnumeratedBytes().Span;
        if (value is [<= 10 and not 7])
        {
            return (RevocationReason)value[0];
        }

        return options.AcceptUnknownReasons
            ? null
            : throw new OcspFormatException(DecodeError.InvalidReason, $"0x{Convert.ToHexString(value)} is no CRLReason (RFC 5280 §5.3.1).");
    }

    public static void Write(AsnWriter writer, RevocationReason reason)
    {
        if (!Enum.IsDefined(reason))
        {
            throw new ArgumentOutOfRangeException(nameof(reason), reason, "No CRLReason (RFC 5280 §5.3.1).");
        }

        writer.WriteEnumeratedValue(reason);
    }

    public static void Write(ref DerBackWriter writer, RevocationReason reason)
    {
        if (!Enum.IsDefined(reason))
        {
            throw new ArgumentOutOfRangeException(nameof(reason), reason, "No CRLReason (RFC 5280 §5.3.1).");
        }

        writer.Write((byte)reason);
        writer.Write(1);
        writer.Write(DerBackWriter.Enumerated);
    }
}
