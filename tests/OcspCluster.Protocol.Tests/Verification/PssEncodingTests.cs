using System.Buffers.Binary;
using System.Numerics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace OcspCluster.Protocol.Tests.Verification;

/// <summary>Signatures by the right key over encoded messages that break one rule of EMSA-PSS-VERIFY each (RFC 8017 §9.1.2).</summary>
public sealed class PssEncodingTests
{
    private const int SaltLength = 5;

    private static readonly byte[] s_data = "to be signed"u8.ToArray();

    private static readonly AlgorithmIdentifier s_algorithm = new("1.2.840.113549.1.1.10",
        Convert.FromHexString("3034A00F300D06096086480165030402010500A11C301A06092A864886F70D010108300D06096086480165030402010500A203020105"));

    [Fact]
    public void Verify_SoundEncoding_Verified()
    {
        using RSA rsa = RSA.Create(2048);

        Assert.Equal(SignatureCheck.Verified, Verify(rsa, Sign(rsa, Encode())));
    }

    [Fact]
    public void Verify_PaddingThatIsNotZero_Wrong()
    {
        using RSA rsa = RSA.Create(2048);

        Assert.Equal(SignatureCheck.Wrong, Verify(rsa, Sign(rsa, Encode(changeDb: db => db[17] = 1))));
    }

    [Fact]
    public void Verify_SeparatorThatIsNotOne_Wrong()
    {
        using RSA rsa = RSA.Create(2048);

        Assert.Equal(SignatureCheck.Wrong, Verify(rsa, Sign(rsa, Encode(changeDb: db => db[^(SaltLength + 1)] = 2))));
    }

    [Fact]
    public void Verify_TrailerThatIsNotBc_Wrong()
    {
        using RSA rsa = RSA.Create(2048);

        Assert.Equal(SignatureCheck.Wrong, Verify(rsa, Sign(rsa, Encode(changeEncoded: encoded => encoded[^1] = 0xCC))));
    }

    [Fact]
    public void Verify_TopBitSet_Wrong()
    {
        using RSA rsa = RSA.Create(2048);
        BigInteger modulus = Unsigned(rsa.ExportParameters(false).Modulus!);
        byte[] encoded;
        do
        {
            encoded = Encode(changeEncoded: octets => octets[0] |= 0x80);
        }
        while (Unsigned(encoded) >= modulus); // the modulus is at least 9/16 of 2^2048, so one in eight random salts will do

        Assert.Equal(SignatureCheck.Wrong, Verify(rsa, Sign(rsa, encoded)));
    }

    [Fact]
    public void Verify_SignaturePlusModulus_Wrong() // the same number modulo n: a second signature that nobody made
    {
        BigInteger room = BigInteger.Pow(2, 2048);
        RSA rsa = RSA.Create(2048);
        while (Unsigned(rsa.ExportParameters(false).Modulus!) > room * 3 / 4) // a small modulus, so that 256 octets have room for the sum
        {
            rsa.Dispose();
            rsa = RSA.Create(2048);
        }

        byte[] signature;
        BigInteger sum;
        do
        {
            signature = Sign(rsa, Encode());
            sum = Unsigned(signature) + Unsigned(rsa.ExportParameters(false).Modulus!);
        }
        while (sum >= room);

        Assert.Equal(SignatureCheck.Verified, Verify(rsa, signature));
        Assert.Equal(SignatureCheck.Wrong, Verify(rsa, ToOctets(sum, signature.Length)));
        rsa.Dispose();
    }

    private static SignatureCheck Verify(RSA rsa, byte[] signature) => OcspSignatureVerifier.Default.Verify(s_algorithm, new PublicKey(rsa), s_data, signature);

    // RSASP1 without any padding
    private static byte[] Sign(RSA rsa, byte[] encoded)
    {
        RSAParameters key = rsa.ExportParameters(includePrivateParameters: true);
        return ToOctets(BigInteger.ModPow(Unsigned(encoded), Unsigned(key.D!), Unsigned(key.Modulus!)), key.Modulus!.Length);
    }

    // EMSA-PSS-ENCODE for 2,048 bits (RFC 8017 §9.1.1), with two places to break it
    private static byte[] Encode(Action<byte[]>? changeDb = null, Action<byte[]>? changeEncoded = null)
    {
        byte[] salt = RandomNumberGenerator.GetBytes(SaltLength);
        byte[] hash = SHA256.HashData([.. new byte[8], .. SHA256.HashData(s_data), .. salt]);
        byte[] db = new byte[256 - hash.Length - 1];
        db[^(SaltLength + 1)] = 1;
        salt.CopyTo(db, db.Length - SaltLength);
        changeDb?.Invoke(db);
        byte[] counter = new byte[4];
        for (int i = 0; i < db.Length; i++)
        {
            BinaryPrimitives.WriteInt32BigEndian(counter, i / hash.Length);
            db[i] ^= SHA256.HashData([.. hash, .. counter])[i % hash.Length];
        }

        db[0] &= 0x7F; // the encoded message has one bit less than the modulus
        byte[] encoded = [.. db, .. hash, 0xBC];
        changeEncoded?.Invoke(encoded);
        return encoded;
    }

    private static BigInteger Unsigned(byte[] octets) => new(octets, isUnsigned: true, isBigEndian: true);

    private static byte[] ToOctets(BigInteger number, int length)
    {
        byte[] minimal = number.ToByteArray(isUnsigned: true, isBigEndian: true);
        return [.. new byte[length - minimal.Length], .. minimal];
    }
}
