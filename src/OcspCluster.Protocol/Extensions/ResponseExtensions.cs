using System.Formats.Asn1;
using System.Numerics;

namespace OcspCluster.Protocol;

/// <summary>The CRL on which a status was found (CrlID, RFC 6960 §4.4.2). Belongs to a single response.</summary>
/// <param name="Url">Where the CRL is; null when it is not told.</param>
/// <param name="Number">Its CRL number; null when it is not told.</param>
/// <param name="Time">When it was made; null when it is not told.</param>
public sealed record CrlReference(string? Url = null, BigInteger? Number = null, DateTimeOffset? Time = null)
{
    /// <summary>The OID of the extension.</summary>
    public const string ExtensionOid = Oids.OcspCrl;

    /// <summary>The extension that carries it.</summary>
    public OcspExtension ToExtension()
    {
        AsnWriter writer = new(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            if (Url is not null)
            {
                using (writer.PushSequence(Der.Explicit(0)))
                {
                    writer.WriteCharacterString(UniversalTagNumber.IA5String, Url);
                }
            }

            if (Number is BigInteger number)
            {
                using (writer.PushSequence(Der.Explicit(1)))
                {
                    writer.WriteInteger(number);
                }
            }

            if (Time is DateTimeOffset time)
            {
                using (writer.PushSequence(Der.Explicit(2)))
                {
                    Der.WriteTime(writer, time);
                }
            }
        }

        return new OcspExtension(ExtensionOid, writer.Encode());
    }

    /// <summary>Reads it from the extensions of a single response; null when it is not there.</summary>
    /// <exception cref="OcspFormatException">The value is not a CrlID.</exception>
    // CrlID ::= SEQUENCE { crlUrl [0] EXPLICIT IA5String OPTIONAL, crlNum [1] EXPLICIT INTEGER OPTIONAL, crlTime [2] EXPLICIT GeneralizedTime OPTIONAL }
    public static CrlReference? Read(OcspExtensionCollection extensions) =>
        ExtensionValue.Read(extensions, ExtensionOid, static reader =>
        {
            AsnReader sequence = reader.ReadSequence();
            string? url = ReadField(sequence, 0, static field => field.ReadCharacterString(UniversalTagNumber.IA5String));
            BigInteger? number = ReadField<BigInteger?>(sequence, 1, static field => new BigInteger(Der.ReadSerialNumber(field).Content, isBigEndian: true));
            DateTimeOffset? time = ReadField<DateTimeOffset?>(sequence, 2, static field => Der.ReadTime(field));
            sequence.End();
            return new CrlReference(url, number, time);
        });

    private static T? ReadField<T>(AsnReader sequence, int number, Func<AsnReader, T> read)
    {
        if (!sequence.HasExplicit(number))
        {
            return default;
        }

        AsnReader field = sequence.ReadExplicit(number);
        T value = read(field);
        field.End();
        return value;
    }
}

/// <summary>
/// Extensions of responses whose value is a time, a NULL or one of RFC 5280's CRL entry extensions (RFC 6960 §4.4.4, §4.4.5, §4.4.8).
/// </summary>
public static class ResponseExtensions
{
    /// <summary>The OID of the archive cutoff (RFC 6960 §4.4.4).</summary>
    public const string ArchiveCutoffOid = Oids.OcspArchiveCutoff;

    /// <summary>The OID of the invalidity date (RFC 5280 §5.3.2).</summary>
    public const string InvalidityDateOid = Oids.InvalidityDate;

    /// <summary>The OID of the extended revoked definition (RFC 6960 §4.4.8).</summary>
    public const string ExtendedRevokeOid = Oids.OcspExtendedRevoke;

    /// <summary>The OID of the CRL entry extension reasonCode (RFC 5280 §5.3.1).</summary>
    public const string CrlReasonOid = Oids.CrlReason;

    /// <summary>The OID of the CRL entry extension certificateIssuer (RFC 5280 §5.3.3).</summary>
    public const string CertificateIssuerOid = Oids.CertificateIssuer;

    /// <summary>
    /// The responder states that it answers <c>revoked</c> for certificates that were never issued. Belongs to the response, not to a single one.
    /// </summary>
    public static OcspExtension ExtendedRevoke { get; } = new(ExtendedRevokeOid, new byte[] { 0x05, 0x00 });

    /// <summary>A certificate that ended after this time is still answered for. Belongs to a single response.</summary>
    public static OcspExtension ArchiveCutoff(DateTimeOffset cutoff) => Time(ArchiveCutoffOid, cutoff);

    /// <summary>The key is known or suspected to be compromised since this time. Belongs to a single response.</summary>
    public static OcspExtension InvalidityDate(DateTimeOffset date) => Time(InvalidityDateOid, date);

    /// <summary>
    /// The CRL entry extension reasonCode in a single response. RevokedInfo has a field for the reason; public CAs must not send both (BR 7.3.2).
    /// </summary>
    public static OcspExtension CrlReason(RevocationReason reason)
    {
        AsnWriter writer = new(AsnEncodingRules.DER);
        Reason.Write(writer, reason);
        return new OcspExtension(CrlReasonOid, writer.Encode());
    }

    /// <summary>The CRL entry extension certificateIssuer, critical in a CRL and so here.</summary>
    public static OcspExtension CertificateIssuer(params IEnumerable<GeneralName> names)
    {
        ArgumentNullException.ThrowIfNull(names);
        AsnWriter writer = new(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            foreach (GeneralName name in names)
            {
                name.Write(writer);
            }
        }

        return new OcspExtension(CertificateIssuerOid, writer.Encode(), critical: true);
    }

    /// <summary>The archive cutoff in these extensions, or null.</summary>
    /// <exception cref="OcspFormatException">The value is not a time.</exception>
    public static DateTimeOffset? ReadArchiveCutoff(OcspExtensionCollection extensions) => ReadTime(extensions, ArchiveCutoffOid);

    /// <summary>The invalidity date in these extensions, or null.</summary>
    /// <exception cref="OcspFormatException">The value is not a time.</exception>
    public static DateTimeOffset? ReadInvalidityDate(OcspExtensionCollection extensions) => ReadTime(extensions, InvalidityDateOid);

    /// <summary>Whether the extended revoked definition is among these extensions.</summary>
    /// <exception cref="OcspFormatException">The value is not NULL.</exception>
    public static bool HasExtendedRevoke(OcspExtensionCollection extensions) =>
        ExtensionValue.Read<object>(extensions, ExtendedRevokeOid, static reader =>
        {
            reader.ReadNull();
            return reader;
        }) is not null;

    /// <summary>The reason in these extensions, or null.</summary>
    /// <exception cref="OcspFormatException">The value is not a CRLReason.</exception>
    public static RevocationReason? ReadCrlReason(OcspExtensionCollection extensions) =>
        ExtensionValue.Read<object>(extensions, CrlReasonOid, static reader => Reason.Read(reader, DecodeOptions.Default)!) is RevocationReason reason ? reason : null;

    /// <summary>The certificate issuer in these extensions, or null.</summary>
    /// <exception cref="OcspFormatException">The value is not GeneralNames.</exception>
    public static IReadOnlyList<GeneralName>? ReadCertificateIssuer(OcspExtensionCollection extensions) =>
        ExtensionValue.Read<IReadOnlyList<GeneralName>>(extensions, CertificateIssuerOid, static reader =>
        {
            AsnReader list = reader.ReadSequence();
            List<GeneralName> names = [];
            while (list.HasData)
            {
                names.Add(GeneralName.Read(list));
            }

            return names.Count > 0 ? names : throw new AsnContentException("GeneralNames has at least one element (RFC 5280 §4.2.1.6).");
        });

    private static OcspExtension Time(string oid, DateTimeOffset time)
    {
        AsnWriter writer = new(AsnEncodingRules.DER);
        Der.WriteTime(writer, time);
        return new OcspExtension(oid, writer.Encode());
    }

    private static DateTimeOffset? ReadTime(OcspExtensionCollection extensions, string oid) =>
        ExtensionValue.Read<object>(extensions, oid, static reader => Der.ReadTime(reader)) is DateTimeOffset time ? time : null;
}
