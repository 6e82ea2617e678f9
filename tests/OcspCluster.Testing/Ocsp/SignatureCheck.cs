using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace OcspCluster.Testing;

/// <summary>Verifies signatures by the base class library's keys.</summary>
public static class SignatureCheck
{
    /// <summary>
    /// Whether a signature under an AlgorithmIdentifier is by this key over these octets. False also for an algorithm that it does not take, and for
    /// parameters other than the canonical ones: NULL for RSA, none for ECDSA.
    /// </summary>
    public static bool Verify(byte[] algorithm, byte[] data, byte[] signature, PublicKey key)
    {
        ArgumentNullException.ThrowIfNull(key);
        string oid;
        HashAlgorithmName hash;
        try
        {
            (oid, hash) = ReadAlgorithm(algorithm);
        }
        catch (AsnContentException)
        {
            return false;
        }

        if (hash == default)
        {
            return false;
        }

        if (key.GetRSAPublicKey() is { } rsa)
        {
            using (rsa)
            {
                return rsa.VerifyData(data, signature, hash, oid == OcspOids.RsaPss ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1);
            }
        }

        using ECDsa? ecdsa = key.GetECDsaPublicKey();
        return ecdsa is not null && ecdsa.VerifyData(data, signature, hash, DSASignatureFormat.Rfc3279DerSequence);
    }

    /// <summary>Whether a certificate is signed by the key of another.</summary>
    public static bool IsIssuedBy(X509Certificate2 certificate, X509Certificate2 issuer)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        ArgumentNullException.ThrowIfNull(issuer);
        AsnReader reader = new AsnReader(certificate.RawData, AsnEncodingRules.DER).ReadSequence();
        byte[] tbs = reader.ReadEncodedValue().ToArray();
        byte[] algorithm = reader.ReadEncodedValue().ToArray();
        byte[] signature = reader.ReadBitString(out _);
        return certificate.IssuerName.RawData.AsSpan().SequenceEqual(issuer.SubjectName.RawData) && Verify(algorithm, tbs, signature, issuer.PublicKey);
    }

    private static (string Oid, HashAlgorithmName Hash) ReadAlgorithm(byte[] algorithm)
    {
        AsnReader outer = new(algorithm, AsnEncodingRules.DER);
        AsnReader identifier = outer.ReadSequence();
        outer.ThrowIfNotEmpty();
        string oid = identifier.ReadObjectIdentifier();
        if (oid == OcspOids.RsaPss)
        {
            return (oid, PssHash(identifier));
        }

        if (oid is OcspOids.Sha256WithRsa or OcspOids.Sha384WithRsa or OcspOids.Sha512WithRsa)
        {
            identifier.ReadNull();
        }

        identifier.ThrowIfNotEmpty();
        HashAlgorithmName hash = oid switch
        {
            OcspOids.Sha256WithRsa or OcspOids.EcdsaWithSha256 => HashAlgorithmName.SHA256,
            OcspOids.Sha384WithRsa or OcspOids.EcdsaWithSha384 => HashAlgorithmName.SHA384,
            OcspOids.Sha512WithRsa or OcspOids.EcdsaWithSha512 => HashAlgorithmName.SHA512,
            _ => default,
        };
        return (oid, hash);
    }

    // RSASSA-PSS-params ::= SEQUENCE { hashAlgorithm [0], maskGenAlgorithm [1], saltLength [2], ... }; SHA-1 when [0] is absent, which we refuse.
    private static HashAlgorithmName PssHash(AsnReader identifier)
    {
        AsnReader parameters = identifier.ReadSequence();
        if (!parameters.HasData || parameters.PeekTag().TagValue != 0)
        {
            return default;
        }

        return parameters.ReadSequence(new Asn1Tag(TagClass.ContextSpecific, 0)).ReadSequence().ReadObjectIdentifier() switch
        {
            OcspOids.Sha256 => HashAlgorithmName.SHA256,
            OcspOids.Sha384 => HashAlgorithmName.SHA384,
            OcspOids.Sha512 => HashAlgorithmName.SHA512,
            _ => default,
        };
    }
}
