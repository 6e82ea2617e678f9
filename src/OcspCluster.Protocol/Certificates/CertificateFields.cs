using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace OcspCluster.Protocol;

/// <summary>
/// What verification needs of a certificate (Certificate, RFC 5280 §4.1), read strictly from its DER. Immutable.
/// </summary>
/// <remarks>
/// <see cref="X509Certificate2"/> offers neither the signed bytes nor the signature, verifies nothing without building a chain, and throws
/// late and in many ways on hostile bytes: certificates that come with a message are read here, once, and are good from then on.
/// </remarks>
internal sealed class CertificateFields
{
    private CertificateFields(ReadOnlyMemory<byte> encoded, ReadOnlyMemory<byte> tbsCertificate, Body body, ReadOnlyMemory<byte> signature)
    {
        Encoded = encoded;
        TbsCertificate = tbsCertificate;
        SerialNumber = body.SerialNumber;
        SignatureAlgorithm = body.SignatureAlgorithm;
        Issuer = body.Issuer;
        NotBefore = body.NotBefore;
        NotAfter = body.NotAfter;
        Subject = body.Subject;
        PublicKey = body.PublicKey;
        Extensions = body.Extensions;
        Signature = signature;
    }

    public ReadOnlyMemory<byte> Encoded { get; }

    /// <summary>The exact bytes that the signature covers.</summary>
    public ReadOnlyMemory<byte> TbsCertificate { get; }

    public SerialNumber SerialNumber { get; }

    public AlgorithmIdentifier SignatureAlgorithm { get; }

    public ReadOnlyMemory<byte> Signature { get; }

    public ReadOnlyMemory<byte> Issuer { get; }

    public ReadOnlyMemory<byte> Subject { get; }

    public DateTimeOffset NotBefore { get; }

    public DateTimeOffset NotAfter { get; }

    public PublicKey PublicKey { get; }

    public OcspExtensionCollection Extensions { get; }

    public static CertificateFields? TryDecode(ReadOnlyMemory<byte> encoded) => Der.TryRead(encoded, Read, out _);

    /// <summary>Reads a certificate that the program itself was given.</summary>
    /// <exception cref="ArgumentException">It is not one by the letter of RFC 5280.</exception>
    public static CertificateFields FromCertificate(X509Certificate2 certificate)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        return TryDecode(certificate.RawDataMemory)
            ?? throw new ArgumentException($"The certificate of '{certificate.Subject}' is not DER as RFC 5280 §4.1 has it.", nameof(certificate));
    }

    /// <summary>The same certificate as .NET has it; null if .NET refuses what was read here.</summary>
    public X509Certificate2? ToX509Certificate2()
    {
        try
        {
            return X509CertificateLoader.LoadCertificate(Encoded.Span);
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    /// <summary>Whether a time lies within the validity period, both ends inclusive (RFC 5280 §4.1.2.5), widened by a tolerance.</summary>
    public bool IsValidAt(DateTimeOffset time, TimeSpan tolerance) => time - NotBefore >= -tolerance && time - NotAfter <= tolerance;

    // Certificate ::= SEQUENCE { tbsCertificate TBSCertificate, signatureAlgorithm AlgorithmIdentifier, signature BIT STRING }
    private static CertificateFields Read(ReadOnlyMemory<byte> encoded)
    {
        AsnReader certificate = Der.OpenMessage(encoded);
        ReadOnlyMemory<byte> tbsCertificate = certificate.PeekEncodedValue();
        Body body = Body.Read(certificate.ReadSequence());
        AlgorithmIdentifier signatureAlgorithm = AlgorithmIdentifier.Read(certificate);
        ReadOnlyMemory<byte> signature = Der.ReadSignatureBits(certificate);
        certificate.End();
        return signatureAlgorithm.Equals(body.SignatureAlgorithm)
            ? new CertificateFields(encoded, tbsCertificate, body, signature)
            : throw new AsnContentException("The signature algorithm differs from the signed one (RFC 5280 §4.1.1.2).");
    }

    /// <summary>The fields of TBSCertificate.</summary>
    private readonly record struct Body(
        SerialNumber SerialNumber,
        AlgorithmIdentifier SignatureAlgorithm,
        ReadOnlyMemory<byte> Issuer,
        DateTimeOffset NotBefore,
        DateTimeOffset NotAfter,
        ReadOnlyMemory<byte> Subject,
        PublicKey PublicKey,
        OcspExtensionCollection Extensions)
    {
        // TBSCertificate ::= SEQUENCE { version [0] EXPLICIT INTEGER { v1(0), v2(1), v3(2) } DEFAULT v1, serialNumber INTEGER,
        //     signature AlgorithmIdentifier, issuer Name, validity SEQUENCE { notBefore Time, notAfter Time }, subject Name,
        //     subjectPublicKeyInfo SubjectPublicKeyInfo, issuerUniqueID [1] IMPLICIT BIT STRING OPTIONAL,
        //     subjectUniqueID [2] IMPLICIT BIT STRING OPTIONAL, extensions [3] EXPLICIT Extensions OPTIONAL }
        public static Body Read(AsnReader tbs)
        {
            int version = ReadVersion(tbs);
            SerialNumber serialNumber = Der.ReadSerialNumber(tbs);
            AlgorithmIdentifier signatureAlgorithm = AlgorithmIdentifier.Read(tbs);
            ReadOnlyMemory<byte> issuer = GeneralName.ReadName(tbs).RawData;
            AsnReader validity = tbs.ReadSequence();
            DateTimeOffset notBefore = Der.ReadEitherTime(validity);
            DateTimeOffset notAfter = Der.ReadEitherTime(validity);
            validity.End();
            ReadOnlyMemory<byte> subject = GeneralName.ReadName(tbs).RawData;
            PublicKey publicKey = ReadPublicKey(tbs);
            SkipUniqueId(tbs, 1);
            SkipUniqueId(tbs, 2);
            OcspExtensionCollection extensions = OcspExtensionCollection.ReadOptional(tbs, 3, DecodeOptions.Default);
            tbs.End();
            return version == 2 || extensions.Count == 0
                ? new Body(serialNumber, signatureAlgorithm, issuer, notBefore, notAfter, subject, publicKey, extensions)
                : throw new AsnContentException("Only version 3 has extensions (RFC 5280 §4.1.2.1).");
        }

        private static int ReadVersion(AsnReader tbs)
        {
            if (!tbs.HasExplicit(0))
            {
                return 0;
            }

            AsnReader field = tbs.ReadExplicit(0);
            ReadOnlySpan<byte> version = field.ReadIntegerBytes().Span;
            field.End();
            return version is [<= 2] ? version[0] : throw new OcspFormatException(DecodeError.UnsupportedVersion, "A certificate is v1, v2 or v3.");
        }

        // SubjectPublicKeyInfo ::= SEQUENCE { algorithm AlgorithmIdentifier, subjectPublicKey BIT STRING }
        private static PublicKey ReadPublicKey(AsnReader tbs)
        {
            AsnReader info = tbs.ReadSequence();
            AlgorithmIdentifier algorithm = AlgorithmIdentifier.Read(info);
            ReadOnlyMemory<byte> bits = Der.ReadSignatureBits(info);
            info.End();
            return new PublicKey(new Oid(algorithm.Oid), algorithm.Parameters.IsEmpty ? null : new AsnEncodedData(algorithm.Parameters.Span), new AsnEncodedData(bits.Span));
        }

        private static void SkipUniqueId(AsnReader tbs, int number)
        {
            if (tbs.HasData && tbs.PeekTag() == Der.Implicit(number))
            {
                _ = tbs.ReadBitString(out _, Der.Implicit(number));
            }
        }
    }
}
