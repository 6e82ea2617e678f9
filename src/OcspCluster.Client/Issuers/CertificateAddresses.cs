using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using OcspCluster.Protocol;

namespace OcspCluster.Client;

/// <summary>The addresses in a certificate: of responders, of its issuer, of CRLs (RFC 5280 §4.2.1.13, §4.2.1.15, §4.2.2.1). Immutable.</summary>
/// <remarks>Only http and https are read: a certificate that names LDAP too is not the worse for it. An extension that cannot be read names nothing.</remarks>
public sealed class CertificateAddresses
{
    private const string FreshestCrlOid = "2.5.29.46";
    private const string CrlDistributionPointsOid = "2.5.29.31";
    private const string AuthorityInfoAccessOid = "1.3.6.1.5.5.7.1.1";

    private CertificateAddresses(IReadOnlyList<Uri> responders, IReadOnlyList<Uri> issuers, IReadOnlyList<CrlDistributionPoint> crls, IReadOnlyList<CrlDistributionPoint> freshestCrls)
    {
        Responders = responders;
        Issuers = issuers;
        CrlDistributionPoints = crls;
        FreshestCrls = freshestCrls;
    }

    /// <summary>The responders (AIA id-ad-ocsp), in their order.</summary>
    public IReadOnlyList<Uri> Responders { get; }

    /// <summary>Where the issuer's certificate is (AIA id-ad-caIssuers), in their order.</summary>
    public IReadOnlyList<Uri> Issuers { get; }

    /// <summary>The CRLs (cRLDistributionPoints).</summary>
    public IReadOnlyList<CrlDistributionPoint> CrlDistributionPoints { get; }

    /// <summary>The delta CRLs (freshestCRL).</summary>
    public IReadOnlyList<CrlDistributionPoint> FreshestCrls { get; }

    /// <summary>Reads them.</summary>
    public static CertificateAddresses Read(X509Certificate2 certificate)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        X509Extension? access = certificate.Extensions[AuthorityInfoAccessOid];
        return new CertificateAddresses(
            ReadAccess(access, static aia => aia.EnumerateOcspUris()),
            ReadAccess(access, static aia => aia.EnumerateCAIssuersUris()),
            CrlDistributionPoint.ReadList(certificate.Extensions[CrlDistributionPointsOid]?.RawData),
            CrlDistributionPoint.ReadList(certificate.Extensions[FreshestCrlOid]?.RawData));
    }

    internal static Uri? TryHttp(string? text) =>
        Uri.TryCreate(text, UriKind.Absolute, out Uri? uri) && (uri.Scheme == Uri.UriSchemeHttp || uri.Scheme == Uri.UriSchemeHttps) ? uri : null;

    private static IReadOnlyList<Uri> ReadAccess(X509Extension? extension, Func<X509AuthorityInformationAccessExtension, IEnumerable<string>> select)
    {
        if (extension is null)
        {
            return [];
        }

        try
        {
            X509AuthorityInformationAccessExtension access = extension as X509AuthorityInformationAccessExtension ?? new(extension.RawData, extension.Critical);
            return [.. select(access).Select(TryHttp).OfType<Uri>().Distinct()];
        }
        catch (CryptographicException)
        {
            return [];
        }
    }
}

/// <summary>One place where CRLs for a certificate are (DistributionPoint, RFC 5280 §4.2.1.13). Immutable.</summary>
public sealed class CrlDistributionPoint
{
    private CrlDistributionPoint(IReadOnlyList<GeneralName> names, int? reasons, bool hasOtherIssuer)
    {
        Names = names;
        Uris = [.. names.Where(name => name.Kind == GeneralNameKind.UniformResourceIdentifier).Select(name => CertificateAddresses.TryHttp(name.Text)).OfType<Uri>()];
        Reasons = reasons;
        HasOtherIssuer = hasOtherIssuer;
    }

    /// <summary>The names of the point: different addresses of the same CRL. Empty where it has a name relative to the issuer, which nobody uses.</summary>
    public IReadOnlyList<GeneralName> Names { get; }

    /// <summary>The addresses among them that can be fetched.</summary>
    public IReadOnlyList<Uri> Uris { get; }

    /// <summary>The reasons that its CRL covers, bit n for bit n of ReasonFlags; null: all.</summary>
    public int? Reasons { get; }

    /// <summary>Whether another than the certificate's issuer makes the CRL (cRLIssuer, an indirect CRL).</summary>
    public bool HasOtherIssuer { get; }

    // CRLDistributionPoints ::= SEQUENCE SIZE (1..MAX) OF DistributionPoint
    internal static IReadOnlyList<CrlDistributionPoint> ReadList(byte[]? value)
    {
        if (value is null)
        {
            return [];
        }

        try
        {
            AsnReader list = new AsnReader(value, AsnEncodingRules.DER).ReadSequence();
            List<CrlDistributionPoint> points = [];
            while (list.HasData)
            {
                points.Add(Read(list.ReadSequence()));
            }

            return points;
        }
        catch (Exception e) when (e is AsnContentException or OcspFormatException)
        {
            return [];
        }
    }

    // DistributionPoint ::= SEQUENCE { distributionPoint [0] DistributionPointName OPTIONAL, reasons [1] ReasonFlags OPTIONAL, cRLIssuer [2] GeneralNames OPTIONAL }
    // DistributionPointName ::= CHOICE { fullName [0] GeneralNames, nameRelativeToCRLIssuer [1] RelativeDistinguishedName }
    private static CrlDistributionPoint Read(AsnReader point)
    {
        Asn1Tag first = new(TagClass.ContextSpecific, 0, isConstructed: true);
        Asn1Tag second = new(TagClass.ContextSpecific, 1);
        List<GeneralName> names = [];
        if (point.HasData && point.PeekTag() == first)
        {
            AsnReader name = point.ReadSequence(first);
            if (name.PeekTag() == first)
            {
                AsnReader full = name.ReadSequence(first);
                while (full.HasData)
                {
                    names.Add(GeneralName.Decode(full.ReadEncodedValue()));
                }
            }
        }

        int? reasons = null;
        if (point.HasData && point.PeekTag() == second)
        {
            reasons = ReasonFlags(point.ReadBitString(out _, second));
        }

        bool hasOtherIssuer = point.HasData && point.PeekTag().HasSameClassAndValue(new Asn1Tag(TagClass.ContextSpecific, 2));
        return new CrlDistributionPoint(names, reasons, hasOtherIssuer);
    }

    private static int ReasonFlags(byte[] bits)
    {
        int flags = 0;
        for (int bit = 0; bit < Math.Min(bits.Length * 8, 9); bit++)
        {
            if ((bits[bit / 8] & (0x80 >> (bit % 8))) != 0)
            {
                flags |= 1 << bit;
            }
        }

        return flags;
    }
}
