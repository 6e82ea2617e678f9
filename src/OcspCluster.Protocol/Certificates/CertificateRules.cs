using System.Formats.Asn1;

namespace OcspCluster.Protocol;

/// <summary>What the extensions of a certificate say about its use (RFC 5280 §4.2). A value that cannot be read allows nothing.</summary>
internal static class CertificateRules
{
    // What a verifier of a signer's certificate understands: either looked at here, or without meaning for one that issues nothing.
    private static readonly HashSet<string> s_understood =
    [
        Oids.KeyUsage,
        Oids.ExtendedKeyUsage,
        Oids.BasicConstraints,
        Oids.OcspNoCheck,
        Oids.SubjectKeyIdentifier,
        Oids.AuthorityKeyIdentifier,
        Oids.SubjectAltName,
        Oids.IssuerAltName,
        Oids.CertificatePolicies,
        Oids.CrlDistributionPoints,
        Oids.AuthorityInfoAccess,
    ];

    /// <summary>The first critical extension that nobody here understands, or null.</summary>
    public static string? FindUnknownCriticalExtension(this CertificateFields certificate)
    {
        foreach (OcspExtension extension in certificate.Extensions)
        {
            if (extension.IsCritical && !s_understood.Contains(extension.Oid))
            {
                return extension.Oid;
            }
        }

        return null;
    }

    /// <summary>Whether the key may sign what is neither a certificate nor a CRL: no keyUsage, or one with digitalSignature (RFC 5280 §4.2.1.3).</summary>
    // KeyUsage ::= BIT STRING { digitalSignature (0), ... }
    public static bool AllowsDigitalSignature(this CertificateFields certificate) =>
        certificate.Extensions.Find(Oids.KeyUsage) is not OcspExtension keyUsage
        || TryRead(keyUsage, static reader => reader.ReadBitString(out _) is [>= 0x80, ..]);

    /// <summary>Whether extKeyUsage names OCSPSigning; anyExtendedKeyUsage does not stand for it (RFC 6960 §4.2.2.2).</summary>
    // ExtKeyUsageSyntax ::= SEQUENCE SIZE (1..MAX) OF OBJECT IDENTIFIER
    public static bool HasOcspSigning(this CertificateFields certificate) =>
        certificate.Extensions.Find(Oids.ExtendedKeyUsage) is OcspExtension usages && TryRead(usages, static reader =>
        {
            AsnReader list = reader.ReadSequence();
            bool found = false;
            while (list.HasData)
            {
                found |= list.ReadObjectIdentifier() == Oids.OcspSigning;
            }

            return found;
        });

    /// <summary>Whether its issuer says not to check its revocation for as long as it lives (id-pkix-ocsp-nocheck, RFC 6960 §4.2.2.2.1).</summary>
    // the value SHALL be NULL, but it tells nothing: some CAs leave it empty, and presence is what counts
    public static bool HasNoCheck(this CertificateFields certificate) => certificate.Extensions.Find(Oids.OcspNoCheck) is not null;

    /// <summary>Whether a name is the subject or one of the subjectAltName, byte for byte.</summary>
    // SubjectAltName ::= GeneralNames ::= SEQUENCE SIZE (1..MAX) OF GeneralName
    public static bool IsNamed(this CertificateFields certificate, GeneralName name)
    {
        if (name.DirectoryName is { } directoryName && certificate.Subject.Span.SequenceEqual(directoryName.RawData))
        {
            return true;
        }

        return certificate.Extensions.Find(Oids.SubjectAltName) is OcspExtension names && TryRead(names, reader =>
        {
            AsnReader list = reader.ReadSequence();
            bool found = false;
            while (list.HasData)
            {
                found |= GeneralName.Read(list).Encoded.Span.SequenceEqual(name.Encoded.Span);
            }

            return found;
        });
    }

    private static bool TryRead(OcspExtension extension, Func<AsnReader, bool> read)
    {
        try
        {
            AsnReader reader = new(extension.Value, AsnEncodingRules.DER);
            bool value = read(reader);
            reader.End();
            return value;
        }
        catch (Exception e) when (e is AsnContentException or OcspFormatException)
        {
            return false;
        }
    }
}
