using System.Formats.Asn1;
using System.Security.Cryptography;

namespace OcspCluster.Protocol;

/// <summary>The AlgorithmIdentifiers of signatures: those that .NET makes, in their canonical form, and what others mean by theirs (RFC 4055, RFC 5758, BR 7.1.3.2).</summary>
internal static class SignatureAlgorithms
{
    public static AlgorithmIdentifier RsaPkcs1(HashAlgorithmName hash) => AlgorithmIdentifier.WithNull(Pick(hash, Oids.Sha256WithRsa, Oids.Sha384WithRsa, Oids.Sha512WithRsa));

    public static AlgorithmIdentifier ECDsa(HashAlgorithmName hash) => new(Pick(hash, Oids.EcdsaWithSha256, Oids.EcdsaWithSha384, Oids.EcdsaWithSha512));

    public static AlgorithmIdentifier Dsa(HashAlgorithmName hash) => new(Pick(hash, Oids.DsaWithSha256, Oids.DsaWithSha384, Oids.DsaWithSha512));

    // RSASSA-PSS-params ::= SEQUENCE { hashAlgorithm [0], maskGenAlgorithm [1], saltLength [2] INTEGER DEFAULT 20, trailerField [3] DEFAULT 1 }
    // The salt is as long as the hash: what RSASignaturePadding.Pss does and BR 7.1.3.2.1 writes byte for byte.
    public static AlgorithmIdentifier RsaPss(HashAlgorithmName hash)
    {
        AlgorithmIdentifier hashAlgorithm = AlgorithmIdentifier.WithNull(Pick(hash, Oids.Sha256, Oids.Sha384, Oids.Sha512));
        AsnWriter writer = new(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            using (writer.PushSequence(Der.Explicit(0)))
            {
                hashAlgorithm.Write(writer);
            }

            using (writer.PushSequence(Der.Explicit(1)))
            using (writer.PushSequence())
            {
                writer.WriteObjectIdentifier(Oids.Mgf1);
                hashAlgorithm.Write(writer);
            }

            using (writer.PushSequence(Der.Explicit(2)))
            {
                writer.WriteInteger(CertIdHash.SizeOf(hashAlgorithm.Oid)!.Value);
            }
        }

        return new AlgorithmIdentifier(Oids.RsaPss, writer.Encode());
    }

    /// <summary>Whether a signature by it proves nothing any more: over MD2, MD5 or SHA-1, which nobody is to be talked down to (RFC 6960 §5.1.1).</summary>
    public static bool IsWeak(AlgorithmIdentifier algorithm) => algorithm.Oid switch
    {
        Oids.Md2WithRsa or Oids.Md5WithRsa or Oids.Sha1WithRsa or Oids.EcdsaWithSha1 or Oids.DsaWithSha1 => true,
        Oids.RsaPss => PssParameters.TryDecode(algorithm.Parameters) is not PssParameters parameters || parameters.Hash == HashAlgorithmName.SHA1,
        _ => false,
    };

    /// <summary>Whether one is what a client means by the other: parameters that it leaves out, or writes as NULL, are any; those of PSS are compared by what they say.</summary>
    public static bool IsMeantBy(AlgorithmIdentifier wanted, AlgorithmIdentifier actual)
    {
        if (wanted.Oid != actual.Oid)
        {
            return false;
        }

        if (wanted.Parameters.IsEmpty || wanted.HasNullParameters)
        {
            return true;
        }

        return actual.Oid == Oids.RsaPss
            ? PssParameters.TryDecode(wanted.Parameters) is PssParameters parameters && parameters == PssParameters.TryDecode(actual.Parameters)
            : wanted.Equals(actual);
    }

    private static string Pick(HashAlgorithmName hash, string sha256, string sha384, string sha512) =>
        hash == HashAlgorithmName.SHA256 ? sha256
        : hash == HashAlgorithmName.SHA384 ? sha384
        : hash == HashAlgorithmName.SHA512 ? sha512
        : throw new ArgumentException($"{hash.Name} is not a hash that signatures are made with: SHA256, SHA384 and SHA512 are.", nameof(hash));
}
