using System.Formats.Asn1;

namespace OcspCluster.Protocol;

/// <summary>The few things that OCSP's DER needs beyond <see cref="AsnReader"/> and <see cref="AsnWriter"/>.</summary>
/// <remarks>
/// <see cref="AsnReader"/> keeps the rules of X.690 for us: DER only, minimal lengths and integers, no constructed strings,
/// and lengths checked against the input before anything is sliced or allocated. It never recurses.
/// </remarks>
internal static class Der
{
    /// <summary>The context-specific constructed tag of an EXPLICIT field.</summary>
    public static Asn1Tag Explicit(int number) => new(TagClass.ContextSpecific, number, isConstructed: true);

    /// <summary>The context-specific primitive tag of an IMPLICIT field of a primitive type.</summary>
    public static Asn1Tag Implicit(int number) => new(TagClass.ContextSpecific, number);

    /// <summary>Whether the next value is the EXPLICIT field of this number.</summary>
    public static bool HasExplicit(this AsnReader reader, int number) => reader.HasData && reader.PeekTag() == Explicit(number);

    /// <summary>Opens an EXPLICIT field.</summary>
    public static AsnReader ReadExplicit(this AsnReader reader, int number) => reader.ReadSequence(Explicit(number));

    /// <summary>Refuses what follows the last known field.</summary>
    public static void End(this AsnReader reader)
    {
        if (reader.HasData)
        {
            throw new OcspFormatException(DecodeError.TrailingData, "Octets follow the last field.");
        }
    }

    /// <summary>Whether octets are the DER of one value, and no more.</summary>
    public static bool IsOneValue(ReadOnlyMemory<byte> encoded) =>
        AsnDecoder.TryReadEncodedValue(encoded.Span, AsnEncodingRules.DER, out _, out _, out _, out int consumed) && consumed == encoded.Length;

    /// <summary>Opens the one SEQUENCE that a whole message is.</summary>
    public static AsnReader OpenMessage(ReadOnlyMemory<byte> encoded)
    {
        AsnReader outer = new(encoded, AsnEncodingRules.DER);
        AsnReader message = outer.ReadSequence();
        outer.End();
        return message;
    }

    /// <summary>Runs a reader over untrusted bytes; the one place where a broken message becomes a named error.</summary>
    public static T? TryRead<T>(ReadOnlyMemory<byte> encoded, Func<ReadOnlyMemory<byte>, T> read, out DecodeError error)
        where T : class
    {
        try
        {
            T value = read(encoded);
            error = DecodeError.None;
            return value;
        }
        catch (OcspFormatException e)
        {
            error = e.Error;
        }
        catch (AsnContentException)
        {
            error = DecodeError.MalformedDer;
        }

        return null;
    }

    /// <summary>Runs a reader over untrusted bytes and throws the documented exception.</summary>
    public static T Read<T>(ReadOnlyMemory<byte> encoded, Func<ReadOnlyMemory<byte>, T> read)
    {
        try
        {
            return read(encoded);
        }
        catch (AsnContentException e)
        {
            throw new OcspFormatException(DecodeError.MalformedDer, "Not the DER of this message: " + e.Message, e);
        }
    }

    // Version ::= INTEGER { v1(0) }, [0] EXPLICIT DEFAULT v1. DER forbids to write the default; Botan does (conformance Q4).
    public static bool ReadExplicitVersion(AsnReader reader)
    {
        if (!reader.HasExplicit(0))
        {
            return false;
        }

        AsnReader field = reader.ReadExplicit(0);
        ReadOnlySpan<byte> version = field.ReadIntegerBytes().Span;
        field.End();
        return version is [0] ? true : throw new OcspFormatException(DecodeError.UnsupportedVersion, "Only version v1 exists.");
    }

    /// <summary>The INTEGER of a serial number or CRL number, any length, kept as octets.</summary>
    public static SerialNumber ReadSerialNumber(AsnReader reader)
    {
        if (reader.PeekTag() != Asn1Tag.Integer)
        {
            throw new AsnContentException("A serial number is an INTEGER.");
        }

        try
        {
            return SerialNumber.FromContent(reader.ReadIntegerBytes().Span);
        }
        catch (AsnContentException e)
        {
            throw new OcspFormatException(DecodeError.InvalidSerialNumber, "The serial number is empty, truncated or not minimally encoded (X.690 §8.3.2).", e);
        }
    }

    public static void WriteSerialNumber(AsnWriter writer, SerialNumber serial)
    {
        if (serial.IsEmpty)
        {
            throw new InvalidOperationException("The default serial number has no octets to write.");
        }

        writer.WriteInteger(serial.Content);
    }

    // GeneralizedTime as RFC 5280 §4.1.2.5.2 narrows it: YYYYMMDDHHMMSSZ, no fraction.
    public static DateTimeOffset ReadTime(AsnReader reader)
    {
        if (reader.PeekTag() != Asn1Tag.GeneralizedTime)
        {
            throw new AsnContentException("A GeneralizedTime is expected.");
        }

        bool isFifteenCharacters = reader.PeekContentBytes().Length == 15; // any other length has a fraction, an offset or no seconds
        try
        {
            DateTimeOffset time = reader.ReadGeneralizedTime();
            return isFifteenCharacters ? time : throw new AsnContentException("It is not 15 characters long.");
        }
        catch (AsnContentException e)
        {
            throw new OcspFormatException(DecodeError.InvalidTime, "Not a time of the form YYYYMMDDHHMMSSZ (RFC 5280 §4.1.2.5.2).", e);
        }
    }

    // Time ::= CHOICE { utcTime UTCTime, generalTime GeneralizedTime }; two-digit years are 1950 to 2049
    public static DateTimeOffset ReadEitherTime(AsnReader reader)
    {
        if (reader.PeekTag() != Asn1Tag.UtcTime)
        {
            return ReadTime(reader); // before 2050, too: only who writes is bound to UTCTime there
        }

        try
        {
            return reader.ReadUtcTime(twoDigitYearMax: 2049); // in DER with seconds and Z
        }
        catch (AsnContentException e)
        {
            throw new OcspFormatException(DecodeError.InvalidTime, "Not a time of the form YYMMDDHHMMSSZ (RFC 5280 §4.1.2.5.1).", e);
        }
    }

    /// <summary>The whole second that has begun, in UTC: a time in a status message may be early, never late.</summary>
    public static DateTimeOffset WholeSecond(DateTimeOffset time) =>
        new(time.UtcTicks - (time.UtcTicks % TimeSpan.TicksPerSecond), TimeSpan.Zero);

    public static void WriteTime(AsnWriter writer, DateTimeOffset time) =>
        writer.WriteGeneralizedTime(time, omitFractionalSeconds: true);

    /// <summary>A whole BIT STRING: signatures have no unused bits.</summary>
    public static ReadOnlyMemory<byte> ReadSignatureBits(AsnReader reader)
    {
        byte[] bits = reader.ReadBitString(out int unused);
        return unused == 0 ? bits : throw new AsnContentException("A signature has no unused bits.");
    }

    // certs [0] EXPLICIT SEQUENCE OF Certificate OPTIONAL, beside a signature
    public static IReadOnlyList<ReadOnlyMemory<byte>> ReadCertificates(AsnReader reader, DecodeOptions options)
    {
        if (!reader.HasExplicit(0))
        {
            return [];
        }

        AsnReader field = reader.ReadExplicit(0);
        AsnReader list = field.ReadSequence();
        field.End();
        List<ReadOnlyMemory<byte>> certificates = [];
        while (list.HasData)
        {
            if (certificates.Count == options.MaxCertificates)
            {
                throw new OcspFormatException(DecodeError.MalformedDer, $"More than {options.MaxCertificates} certificates beside a signature.");
            }

            if (list.PeekTag() != Asn1Tag.Sequence)
            {
                throw new AsnContentException("A Certificate is a SEQUENCE.");
            }

            certificates.Add(list.ReadEncodedValue());
        }

        return certificates;
    }

    public static void WriteCertificates(AsnWriter writer, IReadOnlyList<ReadOnlyMemory<byte>> certificates)
    {
        if (certificates.Count == 0)
        {
            return; // an absent field, never an empty SEQUENCE: strict readers refuse one
        }

        using (writer.PushSequence(Explicit(0)))
        using (writer.PushSequence())
        {
            foreach (ReadOnlyMemory<byte> certificate in certificates)
            {
                writer.WriteEncodedValue(certificate.Span);
            }
        }
    }
}
