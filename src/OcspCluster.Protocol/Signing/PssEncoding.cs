using System.Numerics;
using System.Security.Cryptography;

namespace OcspCluster.Protocol;

/// <summary>
/// RSASSA-PSS-VERIFY (RFC 8017 §8.1.2) for salts that are not as long as the hash: .NET's padding knows no other, and openssl
/// signs with the longest that fits unless told otherwise. Public values only, so nothing here needs constant time.
/// </summary>
internal static class PssEncoding
{
    // A modulus or exponent beyond these is refused unseen, as OpenSSL does: the cost of ModPow is the sender's to choose.
    private const int MaxModulusBits = 16384;
    private const int MaxExponentBytes = 8;

    public static bool Verify(RSAParameters key, PssParameters parameters, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        BigInteger modulus = new(key.Modulus, isUnsigned: true, isBigEndian: true);
        int modulusBits = (int)modulus.GetBitLength();
        if (modulusBits > MaxModulusBits || modulus.IsEven || key.Exponent!.Length > MaxExponentBytes || signature.Length != (modulusBits + 7) / 8)
        {
            return false;
        }

        BigInteger representative = new(signature, isUnsigned: true, isBigEndian: true);
        if (representative >= modulus)
        {
            return false;
        }

        BigInteger message = BigInteger.ModPow(representative, new BigInteger(key.Exponent, isUnsigned: true, isBigEndian: true), modulus);
        byte[] encoded = new byte[(modulusBits + 6) / 8]; // emLen = ceil((modBits - 1) / 8)
        return message.GetByteCount(isUnsigned: true) <= encoded.Length
            && WriteRightAligned(message, encoded)
            && VerifyEncoding(encoded, modulusBits - 1, parameters, data);
    }

    private static bool WriteRightAligned(BigInteger value, Span<byte> destination) =>
        value.TryWriteBytes(destination[(destination.Length - value.GetByteCount(isUnsigned: true))..], out _, isUnsigned: true, isBigEndian: true);

    // EMSA-PSS-VERIFY (RFC 8017 §9.1.2): EM = maskedDB || H || BC, DB = 00..00 01 salt, H = Hash(00 x 8 || Hash(M) || salt)
    private static bool VerifyEncoding(Span<byte> encoded, int encodedBits, PssParameters parameters, ReadOnlySpan<byte> data)
    {
        byte[] dataHash = CryptographicOperations.HashData(parameters.Hash, data);
        int dbLength = encoded.Length - dataHash.Length - 1;
        int paddingLength = dbLength - parameters.SaltLengthBytes - 1;
        if (paddingLength < 0 || encoded[^1] != 0xBC)
        {
            return false;
        }

        Span<byte> db = encoded[..dbLength];
        ReadOnlySpan<byte> hash = encoded.Slice(dbLength, dataHash.Length);
        byte topMask = (byte)(0xFF >> ((8 * encoded.Length) - encodedBits));
        if ((db[0] & ~topMask) != 0)
        {
            return false;
        }

        Unmask(db, hash, parameters.Hash);
        db[0] &= topMask;
        return !db[..paddingLength].ContainsAnyExcept((byte)0)
            && db[paddingLength] == 0x01
            && CryptographicOperations.HashData(parameters.Hash, [.. new byte[8], .. dataHash, .. db[(paddingLength + 1)..]]).AsSpan().SequenceEqual(hash);
    }

    // MGF1 (RFC 8017 §B.2.1), XORed into db
    private static void Unmask(Span<byte> db, ReadOnlySpan<byte> seed, HashAlgorithmName hash)
    {
        Span<byte> input = [.. seed, 0, 0, 0, 0];
        for (int offset = 0, counter = 0; offset < db.Length; counter++)
        {
            System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(input[^4..], counter);
            foreach (byte mask in CryptographicOperations.HashData(hash, input))
            {
                if (offset < db.Length)
                {
                    db[offset++] ^= mask;
                }
            }
        }
    }
}
