using System.Diagnostics.CodeAnalysis;
using System.Formats.Asn1;
using System.Numerics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace OcspCluster.Protocol;

// A CRL of a million entries is some forty megabytes, and a million objects would be ten times that. The entries are therefore read twice: once by the decoder, which
// keeps nothing of them, so that whoever holds a CertificateList holds one whose every entry is in order; and again, one at a time, by whoever enumerates them.

/// <summary>A certificate revocation list, complete or delta, of version 1 or 2 (CertificateList, RFC 5280 §5.1). Immutable.</summary>
/// <remarks>Indirect CRLs, and those with critical extensions that are not understood, are refused: they say nothing about any certificate to who cannot read them.</remarks>
public sealed class CertificateList
{
    private const string PemLabel = "X509 CRL";

    private readonly ReadOnlyMemory<byte> _revokedCertificates; // the content of the SEQUENCE OF; empty when absent
    private readonly bool _isVersion2;
    private readonly DecodeOptions _options;

    private CertificateList(ReadOnlyMemory<byte> encoded, DecodeOptions options)
    {
        // CertificateList ::= SEQUENCE { tbsCertList TBSCertList, signatureAlgorithm AlgorithmIdentifier, signatureValue BIT STRING }
        Encoded = encoded;
        _options = options;
        AsnReader list = Der.OpenMessage(encoded);
        TbsCertList = list.PeekEncodedValue();
        AsnReader tbs = list.ReadSequence();
        SignatureAlgorithm = AlgorithmIdentifier.Read(list);
        Signature = Der.ReadSignatureBits(list);
        list.End();

        // TBSCertList ::= SEQUENCE { version INTEGER { v2(1) } OPTIONAL, signature AlgorithmIdentifier, issuer Name, thisUpdate Time, nextUpdate Time OPTIONAL,
        //     revokedCertificates SEQUENCE OF SEQUENCE {...} OPTIONAL, crlExtensions [0] EXPLICIT Extensions OPTIONAL -- v2 only }
        _isVersion2 = ReadVersion(tbs);
        if (!AlgorithmIdentifier.Read(tbs).Equals(SignatureAlgorithm))
        {
            throw new AsnContentException("The signature algorithm differs from the signed one (RFC 5280 §5.1.1.2).");
        }

        Issuer = GeneralName.ReadName(tbs);
        ThisUpdate = Der.ReadEitherTime(tbs);
        NextUpdate = HasTime(tbs) ? Der.ReadEitherTime(tbs) : null;
        _revokedCertificates = ReadRevokedCertificates(tbs);
        Extensions = OcspExtensionCollection.ReadOptional(tbs, 0, options);
        tbs.End();
        if (Extensions.Count > 0 && !_isVersion2)
        {
            throw new OcspFormatException(DecodeError.UnsupportedVersion, "Only version 2 has extensions (RFC 5280 §5.1.2.1).");
        }

        CrlNumber = ReadNumber(Oids.CrlNumber);
        BaseCrlNumber = ReadNumber(Oids.DeltaCrlIndicator);
        IssuingDistributionPoint = ExtensionValue.Read(Extensions, Oids.IssuingDistributionPoint, IssuingDistributionPoint.Read);
        AuthorityKeyIdentifier = ReadAuthorityKeyIdentifier();
        CheckExtensions();
        Count = CountEntries();
    }

    /// <summary>The DER.</summary>
    public ReadOnlyMemory<byte> Encoded { get; }

    /// <summary>The octets that are signed.</summary>
    public ReadOnlyMemory<byte> TbsCertList { get; }

    /// <summary>How it is signed.</summary>
    public AlgorithmIdentifier SignatureAlgorithm { get; }

    /// <summary>The signature.</summary>
    public ReadOnlyMemory<byte> Signature { get; }

    /// <summary>1 or 2.</summary>
    public int Version => _isVersion2 ? 2 : 1;

    /// <summary>Who issued it.</summary>
    public X500DistinguishedName Issuer { get; }

    /// <summary>When it was issued.</summary>
    public DateTimeOffset ThisUpdate { get; }

    /// <summary>When the next one will be issued at the latest; null when it does not say, against RFC 5280 §5.1.2.5.</summary>
    public DateTimeOffset? NextUpdate { get; }

    /// <summary>crlExtensions; empty when absent.</summary>
    public OcspExtensionCollection Extensions { get; }

    /// <summary>Its number, which only rises within one scope; null when it has none (RFC 5280 §5.2.3).</summary>
    public BigInteger? CrlNumber { get; }

    /// <summary>Of a delta CRL the number of the complete one that it continues; null of a complete CRL (deltaCRLIndicator, RFC 5280 §5.2.4).</summary>
    public BigInteger? BaseCrlNumber { get; }

    /// <summary>Whether it tells what changed since another CRL only.</summary>
    public bool IsDelta => BaseCrlNumber is not null;

    /// <summary>Its scope; null when it covers all certificates of its issuer for all reasons.</summary>
    public IssuingDistributionPoint? IssuingDistributionPoint { get; }

    /// <summary>The identifier of the key that signed it; empty when it has none (RFC 5280 §5.2.1).</summary>
    public ReadOnlyMemory<byte> AuthorityKeyIdentifier { get; }

    /// <summary>How many entries it has.</summary>
    public int Count { get; }

    /// <summary>The entries in their order, each read when it is asked for.</summary>
    public IEnumerable<RevokedCertificate> RevokedCertificates
    {
        get
        {
            AsnReader entries = new(_revokedCertificates, AsnEncodingRules.DER);
            while (entries.HasData)
            {
                yield return RevokedCertificate.Read(entries, _isVersion2, _options);
            }
        }
    }

    /// <summary>Reads a CRL in DER.</summary>
    /// <exception cref="OcspFormatException">It is not one as RFC 5280 §5 has it; the exception names the rule.</exception>
    public static CertificateList Decode(ReadOnlyMemory<byte> encoded, DecodeOptions? options = null) =>
        Der.Read(encoded, bytes => new CertificateList(bytes, options ?? DecodeOptions.Default));

    /// <summary>Reads a CRL in DER.</summary>
    /// <returns>False when it is not one as RFC 5280 §5 has it; the error names the rule.</returns>
    public static bool TryDecode(ReadOnlyMemory<byte> encoded, [NotNullWhen(true)] out CertificateList? list, out DecodeError error, DecodeOptions? options = null)
    {
        list = Der.TryRead(encoded, bytes => new CertificateList(bytes, options ?? DecodeOptions.Default), out error);
        return list is not null;
    }

    /// <summary>Gives the DER of a file that is DER or PEM (label <c>X509 CRL</c>, RFC 7468 §6). What has neither form is given back as it is, for the decoder to refuse.</summary>
    public static ReadOnlyMemory<byte> FromFile(ReadOnlyMemory<byte> content)
    {
        ReadOnlySpan<byte> text = content.Span;
        if (text is [0x30, ..])
        {
            return content;
        }

        while (PemEncoding.TryFindUtf8(text, out PemFields pem))
        {
            if (text[pem.Label].SequenceEqual("X509 CRL"u8) || text[pem.Label].SequenceEqual("CRL"u8))
            {
                byte[] der = new byte[pem.DecodedDataLength];
                _ = System.Buffers.Text.Base64.DecodeFromUtf8(text[pem.Base64Data], der, out _, out int written);
                return written == der.Length ? der : content;
            }

            text = text[pem.Location.End..];
        }

        return content;
    }

    /// <summary>The CRL in PEM.</summary>
    public string ToPem() => PemEncoding.WriteString(PemLabel, Encoded.Span);

    /// <summary>Whether a CA issued it.</summary>
    /// <param name="issuer">The CA's certificate.</param>
    /// <param name="verifier">Verifies signatures of the CA's kind.</param>
    public CrlSignatureCheck CheckSignature(X509Certificate2 issuer, OcspSignatureVerifier verifier)
    {
        ArgumentNullException.ThrowIfNull(issuer);
        ArgumentNullException.ThrowIfNull(verifier);
        if (!Issuer.RawData.AsSpan().SequenceEqual(issuer.SubjectName.RawData))
        {
            return CrlSignatureCheck.OtherIssuer;
        }

        if (issuer.Extensions.OfType<X509KeyUsageExtension>().FirstOrDefault() is { } usage && !usage.KeyUsages.HasFlag(X509KeyUsageFlags.CrlSign))
        {
            return CrlSignatureCheck.NoCrlSign;
        }

        return verifier.Verify(SignatureAlgorithm, issuer.PublicKey, TbsCertList.Span, Signature.Span) switch
        {
            SignatureCheck.Verified => CrlSignatureCheck.Verified,
            SignatureCheck.AlgorithmUnsupported => CrlSignatureCheck.AlgorithmUnsupported,
            SignatureCheck.AlgorithmTooWeak => CrlSignatureCheck.AlgorithmTooWeak,
            _ => CrlSignatureCheck.Wrong,
        };
    }

    // Absent is v1; v1 and v3 are never written.
    private static bool ReadVersion(AsnReader tbs)
    {
        if (tbs.PeekTag() != Asn1Tag.Integer)
        {
            return false;
        }

        return tbs.ReadIntegerBytes().Span is [1] ? true : throw new OcspFormatException(DecodeError.UnsupportedVersion, "A CRL is v1 or v2 (RFC 5280 §5.1.2.1).");
    }

    private static bool HasTime(AsnReader tbs) => tbs.HasData && tbs.PeekTag() is var tag && (tag == Asn1Tag.UtcTime || tag == Asn1Tag.GeneralizedTime);

    private static ReadOnlyMemory<byte> ReadRevokedCertificates(AsnReader tbs)
    {
        if (!tbs.HasData || tbs.PeekTag() != Asn1Tag.Sequence)
        {
            return default;
        }

        ReadOnlyMemory<byte> entries = tbs.PeekContentBytes();
        _ = tbs.ReadSequence();
        return !entries.IsEmpty
            ? entries
            : throw new OcspFormatException(DecodeError.EmptyRevokedCertificates, "revokedCertificates is absent when there are none, never empty (RFC 5280 §5.1.2.6).");
    }

    // CRLNumber ::= INTEGER (0..MAX), at most 20 octets (RFC 5280 §5.2.3); BaseCRLNumber ::= CRLNumber
    private BigInteger? ReadNumber(string oid) => ExtensionValue.Read(Extensions, oid, static value =>
    {
        SerialNumber number = Der.ReadSerialNumber(value);
        return number.Content is [< 0x80, ..] && number.Content.Length <= 20
            ? (object)new BigInteger(number.Content, isBigEndian: true)
            : throw new AsnContentException("A CRL number is not negative, and has at most 20 octets (RFC 5280 §5.2.3).");
    }) as BigInteger?;

    // AuthorityKeyIdentifier ::= SEQUENCE { keyIdentifier [0] IMPLICIT OCTET STRING OPTIONAL, authorityCertIssuer [1], authorityCertSerialNumber [2] }
    private ReadOnlyMemory<byte> ReadAuthorityKeyIdentifier() => ExtensionValue.Read(Extensions, Oids.AuthorityKeyIdentifier, static value =>
    {
        AsnReader identifier = value.ReadSequence();
        return identifier.HasData && identifier.PeekTag() == Der.Implicit(0) ? identifier.ReadOctetString(Der.Implicit(0)) : [];
    });

    private void CheckExtensions()
    {
        foreach (OcspExtension extension in Extensions)
        {
            bool isUnderstood = extension.Oid is Oids.CrlNumber or Oids.DeltaCrlIndicator or Oids.IssuingDistributionPoint or Oids.AuthorityKeyIdentifier
                or Oids.IssuerAltName or Oids.FreshestCrl or Oids.AuthorityInfoAccess; // the last three say where else to look, and change nothing
            if (extension.IsCritical && !isUnderstood)
            {
                throw new OcspFormatException(DecodeError.UnknownCriticalExtension, $"The CRL has the critical extension {extension.Oid}, which is not understood: it must not be used (RFC 5280 §5.2).");
            }
        }

        if (IssuingDistributionPoint is { IsIndirectCrl: true })
        {
            throw new OcspFormatException(DecodeError.IndirectCrl, "The CRL is indirect (indirectCRL, RFC 5280 §5.2.5): its entries may be other issuers' certificates, and it is not taken.");
        }

        if (IsDelta && (CrlNumber is null || BaseCrlNumber >= CrlNumber))
        {
            throw new OcspFormatException(DecodeError.InvalidExtension, "A delta CRL has a number, above that of its base (RFC 5280 §5.2.4).");
        }
    }

    private int CountEntries()
    {
        int count = 0;
        foreach (RevokedCertificate entry in RevokedCertificates)
        {
            if (entry.Reason == RevocationReason.RemoveFromCrl && !IsDelta)
            {
                throw new OcspFormatException(DecodeError.InvalidReason, $"The entry of {entry.SerialNumber} has the reason removeFromCRL, which stands in delta CRLs only (RFC 5280 §5.3.1).");
            }

            count++;
        }

        return count;
    }
}
