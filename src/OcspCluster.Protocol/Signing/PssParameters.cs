using System.Formats.Asn1;
using System.Security.Cryptography;

namespace OcspCluster.Protocol;

/// <summary>The parameters of an RSASSA-PSS signature or key (RSASSA-PSS-params, RFC 4055 §3.1). Only what DER allows is read.</summary>
/// <param name="Hash">The hash, which the mask generation function MGF1 uses too.</param>
/// <param name="SaltLengthBytes">How long the salt is.</param>
internal sealed record PssParameters(HashAlgorithmName Hash, int SaltLengthBytes)
{
    /// <summary>The parameters; null when they are not DER, or say anything but MGF1 with the same hash and trailer BC.</summary>
    public static PssParameters? TryDecode(ReadOnlyMemory<byte> encoded) => Der.TryRead(encoded, Read, out _);

    // RSASSA-PSS-params ::= SEQUENCE { hashAlgorithm [0] EXPLICIT HashAlgorithm DEFAULT sha1Identifier,
    //     maskGenAlgorithm [1] EXPLICIT MaskGenAlgorithm DEFAULT mgf1SHA1Identifier, saltLength [2] EXPLICIT INTEGER DEFAULT 20,
    //     trailerField [3] EXPLICIT INTEGER DEFAULT 1 }
    private static PssParameters Read(ReadOnlyMemory<byte> encoded)
    {
        AsnReader parameters = Der.OpenMessage(encoded);
        HashAlgorithmName hash = parameters.HasExplicit(0) ? ReadField(parameters, 0, ReadHash) : HashAlgorithmName.SHA1;
        HashAlgorithmName maskHash = parameters.HasExplicit(1) ? ReadField(parameters, 1, ReadMaskHash) : HashAlgorithmName.SHA1;
        int saltLength = parameters.HasExplicit(2) ? ReadField(parameters, 2, ReadSaltLength) : 20;
        parameters.End(); // a trailerField is an error too: 1 is the only value there is, and DER leaves a default out
        return hash == maskHash
            ? new PssParameters(hash, saltLength)
            : throw new AsnContentException("The mask is generated with another hash, against RFC 4055 §3.1's advice; .NET has no such padding.");
    }

    private static T ReadField<T>(AsnReader parameters, int number, Func<AsnReader, T> read)
    {
        AsnReader field = parameters.ReadExplicit(number);
        T value = read(field);
        field.End();
        return value;
    }

    private static HashAlgorithmName ReadHash(AsnReader reader)
    {
        AlgorithmIdentifier hash = AlgorithmIdentifier.Read(reader);
        if (!hash.Parameters.IsEmpty && !hash.HasNullParameters)
        {
            throw new AsnContentException("A hash algorithm has NULL parameters or none (RFC 4055 §2.1).");
        }

        return hash.Oid switch
        {
            Oids.Sha1 => HashAlgorithmName.SHA1,
            Oids.Sha256 => HashAlgorithmName.SHA256,
            Oids.Sha384 => HashAlgorithmName.SHA384,
            Oids.Sha512 => HashAlgorithmName.SHA512,
            _ => throw new AsnContentException($"{hash.Oid} is not a hash that PSS is verified with."),
        };
    }

    private static HashAlgorithmName ReadMaskHash(AsnReader reader)
    {
        AsnReader mask = reader.ReadSequence();
        string oid = mask.ReadObjectIdentifier();
        HashAlgorithmName hash = oid == Oids.Mgf1 ? ReadHash(mask) : throw new AsnContentException($"{oid} is not MGF1.");
        mask.End();
        return hash;
    }

    private static int ReadSaltLength(AsnReader reader) => reader.TryReadInt32(out int length) && length is >= 0 and <= 2048
        ? length
        : throw new AsnContentException("No salt length that a key of 16,384 bits has room for.");
}
