using System.Formats.Asn1;

namespace OcspCluster.Protocol;

/// <summary>An entry of a CRL (revokedCertificates, RFC 5280 §5.1.2.6, §5.3).</summary>
/// <param name="SerialNumber">The certificate (userCertificate).</param>
/// <param name="RevocationDate">When the CA processed the revocation.</param>
/// <param name="Reason">Why; null when no reason is stated. <see cref="RevocationReason.RemoveFromCrl"/> stands in delta CRLs only.</param>
/// <param name="InvalidityDate">When the key is known or suspected to have been compromised.</param>
public readonly record struct RevokedCertificate(SerialNumber SerialNumber, DateTimeOffset RevocationDate, RevocationReason? Reason = null, DateTimeOffset? InvalidityDate = null)
{
    // SEQUENCE { userCertificate CertificateSerialNumber, revocationDate Time, crlEntryExtensions Extensions OPTIONAL -- v2 only }
    internal static RevokedCertificate Read(AsnReader reader, bool isVersion2, DecodeOptions options)
    {
        AsnReader entry = reader.ReadSequence();
        SerialNumber serialNumber = Der.ReadSerialNumber(entry);
        DateTimeOffset revocationDate = Der.ReadEitherTime(entry);
        if (!entry.HasData)
        {
            return new RevokedCertificate(serialNumber, revocationDate);
        }

        if (!isVersion2)
        {
            throw new OcspFormatException(DecodeError.UnsupportedVersion, "Only version 2 has extensions (RFC 5280 §5.1.2.1).");
        }

        OcspExtensionCollection extensions = OcspExtensionCollection.ReadList(entry, options);
        entry.End();
        foreach (OcspExtension extension in extensions)
        {
            // Also where it is not critical: what it says makes all that follows another CA's.
            if (extension.Oid == Oids.CertificateIssuer)
            {
                throw new OcspFormatException(DecodeError.IndirectCrl, $"The entry of {serialNumber} names another issuer (certificateIssuer, RFC 5280 §5.3.3): indirect CRLs are not taken.");
            }

            if (extension.IsCritical && extension.Oid is not (Oids.CrlReason or Oids.InvalidityDate))
            {
                throw new OcspFormatException(DecodeError.UnknownCriticalExtension, $"The entry of {serialNumber} has the critical extension {extension.Oid}, which is not understood: the CRL must not be used (RFC 5280 §5.3).");
            }
        }

        return new RevokedCertificate(serialNumber, revocationDate, ReadReason(extensions, options), ReadInvalidityDate(extensions));
    }

    private static RevocationReason? ReadReason(OcspExtensionCollection extensions, DecodeOptions options)
    {
        if (extensions.Find(Oids.CrlReason) is not OcspExtension extension)
        {
            return null;
        }

        AsnReader value = new(extension.Value, AsnEncodingRules.DER);
        RevocationReason? reason = Protocol.Reason.Read(value, options);
        value.End();
        return reason is RevocationReason.Unspecified ? null : reason; // written out it says the same (RFC 5280 §5.3.1)
    }

    // InvalidityDate ::= GeneralizedTime
    private static DateTimeOffset? ReadInvalidityDate(OcspExtensionCollection extensions)
    {
        if (extensions.Find(Oids.InvalidityDate) is not OcspExtension extension)
        {
            return null;
        }

        AsnReader value = new(extension.Value, AsnEncodingRules.DER);
        DateTimeOffset date = Der.ReadTime(value);
        value.End();
        return date;
    }
}
