using System.Buffers.Text;
using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace OcspCluster.Client;

/// <summary>
/// Reads files of certificates, such as AIA caIssuers leads to: one certificate in DER, or a certs-only CMS message in BER or DER (RFC 5280 §4.2.2.1); and, because they are served,
/// PEM and bare base64 of either.
/// </summary>
public static class CertificateFile
{
    private const string SignedDataOid = "1.2.840.113549.1.7.2";

    /// <summary>The certificates in a file; those that .NET cannot read are left out. Nothing in a file is a reason to throw.</summary>
    public static IReadOnlyList<X509Certificate2> Read(ReadOnlyMemory<byte> file, int maxCertificates)
    {
        List<X509Certificate2> certificates = [];
        foreach (ReadOnlyMemory<byte> message in Messages(file))
        {
            foreach (ReadOnlyMemory<byte> encoded in Unwrap(message))
            {
                if (certificates.Count == maxCertificates)
                {
                    return certificates;
                }

                if (TryLoad(encoded) is X509Certificate2 certificate)
                {
                    certificates.Add(certificate);
                }
            }
        }

        return certificates;
    }

    // The octets of each message: those of the file, or what stands in its PEM blocks or base64.
    private static IEnumerable<ReadOnlyMemory<byte>> Messages(ReadOnlyMemory<byte> file)
    {
        if (file.Span is [0x30, ..])
        {
            yield return file;
            yield break;
        }

        string text = Encoding.Latin1.GetString(file.Span);
        int position = 0;
        bool isPem = false;
        while (PemEncoding.TryFind(text.AsSpan(position), out PemFields fields))
        {
            isPem = true;
            if (text.AsSpan(position)[fields.Label] is "CERTIFICATE" or "X509 CERTIFICATE" or "PKCS7" or "CMS")
            {
                yield return Convert.FromBase64String(text[position..][fields.Base64Data]);
            }

            position += fields.Location.End.GetOffset(text.Length - position);
        }

        if (!isPem && Base64.IsValid(text, out int length) && length > 0)
        {
            yield return Convert.FromBase64String(text);
        }
    }

    private static List<ReadOnlyMemory<byte>> Unwrap(ReadOnlyMemory<byte> message)
    {
        try
        {
            AsnReader outer = new AsnReader(message, AsnEncodingRules.BER).ReadSequence();
            return outer.PeekTag().HasSameClassAndValue(Asn1Tag.ObjectIdentifier) ? ReadSignedData(outer) : [message];
        }
        catch (AsnContentException)
        {
            return [];
        }
    }

    // ContentInfo ::= SEQUENCE { contentType OBJECT IDENTIFIER, content [0] EXPLICIT ANY DEFINED BY contentType }
    // SignedData ::= SEQUENCE { version INTEGER, digestAlgorithms SET, encapContentInfo SEQUENCE, certificates [0] IMPLICIT SET OF CertificateChoices OPTIONAL, ... }
    private static List<ReadOnlyMemory<byte>> ReadSignedData(AsnReader contentInfo)
    {
        List<ReadOnlyMemory<byte>> certificates = [];
        if (contentInfo.ReadObjectIdentifier() != SignedDataOid)
        {
            return certificates;
        }

        Asn1Tag first = new(TagClass.ContextSpecific, 0, isConstructed: true);
        AsnReader signedData = contentInfo.ReadSequence(first).ReadSequence();
        signedData.ReadInteger();
        signedData.ReadSetOf();
        signedData.ReadSequence();
        if (signedData.HasData && signedData.PeekTag() == first)
        {
            AsnReader set = signedData.ReadSetOf(first);
            while (set.HasData)
            {
                ReadOnlyMemory<byte> choice = set.ReadEncodedValue();
                if (choice.Span is [0x30, ..])
                {
                    certificates.Add(choice); // the other choices are obsolete kinds, and attribute certificates
                }
            }
        }

        return certificates;
    }

    private static X509Certificate2? TryLoad(ReadOnlyMemory<byte> encoded)
    {
        try
        {
            return X509CertificateLoader.LoadCertificate(encoded.Span);
        }
        catch (CryptographicException)
        {
            return null;
        }
    }
}
