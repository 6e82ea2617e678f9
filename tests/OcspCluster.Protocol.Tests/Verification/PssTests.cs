using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using OcspCluster.Testing;

namespace OcspCluster.Protocol.Tests.Verification;

public sealed class PssTests
{
    private const string PssOid = "1.2.840.113549.1.1.10";

    private const string Sha256Algorithm = "300D06096086480165030402010500";
    private const string Sha384Algorithm = "300D06096086480165030402020500";

    private static readonly byte[] s_data = "to be signed"u8.ToArray();

    [Theory]
    [InlineData(2048, 0)]
    [InlineData(2048, 20)]
    [InlineData(2048, 222)] // the longest that fits, and openssl's default
    [InlineData(2049, 222)] // one bit more than whole octets: the encoded message is shorter than the modulus
    [InlineData(2055, 64)]
    public void Verify_SaltOfAnyLengthByOpenSsl_Verified(int keyBits, int saltLength)
    {
        using OpenSsl openssl = new();
        openssl.Run($"genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:{keyBits} -out key.pem");
        openssl.Run("pkey -in key.pem -pubout -outform DER -out public.der");
        openssl.Write("data", s_data);
        openssl.Run($"dgst -sha256 -sign key.pem -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:{saltLength} -out signature data");
        PublicKey key = PublicKey.CreateFromSubjectPublicKeyInfo(openssl.Read("public.der"), out _);
        byte[] signature = openssl.Read("signature");

        Assert.Equal(SignatureCheck.Verified, Verify(Parameters(saltLength: saltLength), key, s_data, signature));
        Assert.Equal(SignatureCheck.Wrong, Verify(Parameters(saltLength: saltLength), key, [.. s_data, 0], signature));
        Assert.Equal(SignatureCheck.Wrong, Verify(Parameters(saltLength: saltLength + 1), key, s_data, signature));
        Assert.Equal(SignatureCheck.Wrong, Verify(Parameters(saltLength: 32), key, s_data, signature));
        for (int i = 0; i < signature.Length; i += 41)
        {
            byte[] changed = [.. signature];
            changed[i] ^= 0x01;
            Assert.Equal(SignatureCheck.Wrong, Verify(Parameters(saltLength: saltLength), key, s_data, changed));
        }
    }

    [Theory]
    [InlineData("")] // nothing at all
    [InlineData("0500")] // NULL
    [InlineData("3034A00F" + Sha256Algorithm + "A11C301A06092A864886F70D010108" + Sha384Algorithm + "A203020120")] // the mask by another hash
    [InlineData("3039A00F" + Sha256Algorithm + "A11C301A06092A864886F70D010108" + Sha256Algorithm + "A203020120A303020101")] // the default trailer written out
    [InlineData("3039A00F" + Sha256Algorithm + "A11C301A06092A864886F70D010108" + Sha256Algorithm + "A203020120A303020102")] // another trailer
    [InlineData("3034A00F" + Sha256Algorithm + "A11C301A06092A864886F70D010108" + Sha256Algorithm + "A2030201FF")] // a salt of -1
    [InlineData("3035A00F" + Sha256Algorithm + "A11C301A06092A864886F70D010108" + Sha256Algorithm + "A20402027FFF")] // a salt no key has room for
    [InlineData("3034A00F" + Sha256Algorithm + "A11C301A06092A864886F70D010109" + Sha256Algorithm + "A203020120")] // not MGF1
    [InlineData("3034A00F300D06092A864886F70D0202050500A11C301A06092A864886F70D010108" + Sha256Algorithm + "A203020120")] // not a hash
    [InlineData("3034A00F" + Sha256Algorithm + "A11C301A06092A864886F70D010108" + Sha256Algorithm + "A20302012000")] // one octet too many
    [InlineData("3080A00F" + Sha256Algorithm + "A11C301A06092A864886F70D010108" + Sha256Algorithm + "A2030201200000")] // indefinite length
    public void Verify_ParametersThatAreNone_Unsupported(string parameters)
    {
        TestKey key = TestKey.Of("PSS-SHA256");

        Assert.Equal(SignatureCheck.AlgorithmUnsupported, Verify(Convert.FromHexString(parameters), key.Public, s_data, key.Signer.Sign(s_data)));
    }

    [Fact]
    public void Verify_ParametersOfThisTest_AreThoseOfTheSigner() // the broken ones above differ from it in one thing each
    {
        byte[] expected = Convert.FromHexString("3034A00F" + Sha256Algorithm + "A11C301A06092A864886F70D010108" + Sha256Algorithm + "A203020120");

        Assert.Equal(expected, TestKey.Of("PSS-SHA256").Signer.Algorithm.Parameters.ToArray());
        Assert.Equal(expected, Parameters(saltLength: 32));
    }

    [Fact]
    public void Verify_AbsentFields_MeanSha1()
    {
        using RSA rsa = RSA.Create(2048);
        byte[] signature = rsa.SignData(s_data, HashAlgorithmName.SHA1, RSASignaturePadding.Pss);
        AlgorithmIdentifier algorithm = new(PssOid, new byte[] { 0x30, 0x00 });
        OcspSignatureVerifier lenient = new() { AcceptSha1 = true };

        Assert.Equal(SignatureCheck.AlgorithmTooWeak, OcspSignatureVerifier.Default.Verify(algorithm, new PublicKey(rsa), s_data, signature));
        Assert.Equal(SignatureCheck.Verified, lenient.Verify(algorithm, new PublicKey(rsa), s_data, signature));
    }

    [Fact]
    public void Verify_HashParametersAbsent_Verified()
    {
        TestKey key = TestKey.Of("PSS-SHA256");
        byte[] parameters = Convert.FromHexString("3030A00D300B0609608648016503040201A11A301806092A864886F70D010108300B0609608648016503040201A203020120");

        Assert.Equal(SignatureCheck.Verified, Verify(parameters, key.Public, s_data, key.Signer.Sign(s_data)));
    }

    [Fact]
    public void Verify_KeyForPss_BindsPaddingHashAndSalt()
    {
        using RSA rsa = RSA.Create(2048);
        PublicKey free = PssKey(rsa, parameters: null);
        PublicKey bound = PssKey(rsa, Parameters(saltLength: 32));
        byte[] pss256 = rsa.SignData(s_data, HashAlgorithmName.SHA256, RSASignaturePadding.Pss);
        byte[] pkcs1 = rsa.SignData(s_data, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        byte[] pss384 = rsa.SignData(s_data, HashAlgorithmName.SHA384, RSASignaturePadding.Pss);
        AlgorithmIdentifier sha384 = TestKey.Of("PSS-SHA384").Signer.Algorithm;

        Assert.Equal(SignatureCheck.Verified, Verify(Parameters(saltLength: 32), bound, s_data, pss256));
        Assert.Equal(SignatureCheck.Verified, Verify(Parameters(saltLength: 32), free, s_data, pss256));
        Assert.Equal(SignatureCheck.Verified, OcspSignatureVerifier.Default.Verify(sha384, free, s_data, pss384));
        Assert.Equal(SignatureCheck.Wrong, OcspSignatureVerifier.Default.Verify(sha384, bound, s_data, pss384));
        Assert.Equal(SignatureCheck.Wrong, Verify(Parameters(saltLength: 32), PssKey(rsa, Parameters(saltLength: 33)), s_data, pss256));
        Assert.Equal(SignatureCheck.Wrong, Verify(Parameters(saltLength: 32), PssKey(rsa, [0x30, 0x01]), s_data, pss256));
        Assert.Equal(SignatureCheck.Wrong, OcspSignatureVerifier.Default.Verify(TestKey.Of("RSA-SHA256").Signer.Algorithm, free, s_data, pkcs1));
    }

    private static SignatureCheck Verify(byte[] parameters, PublicKey key, byte[] data, byte[] signature) =>
        OcspSignatureVerifier.Default.Verify(new AlgorithmIdentifier(PssOid, parameters), key, data, signature);

    private static PublicKey PssKey(RSA rsa, byte[]? parameters) =>
        new(new Oid(PssOid), parameters is null ? null : new AsnEncodedData(parameters), new AsnEncodedData(rsa.ExportRSAPublicKey()));

    private static byte[] Parameters(int saltLength)
    {
        AsnWriter writer = new(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 0)))
            {
                writer.WriteEncodedValue(Convert.FromHexString(Sha256Algorithm));
            }

            using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 1)))
            using (writer.PushSequence())
            {
                writer.WriteObjectIdentifier("1.2.840.113549.1.1.8");
                writer.WriteEncodedValue(Convert.FromHexString(Sha256Algorithm));
            }

            using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 2)))
            {
                writer.WriteInteger(saltLength);
            }
        }

        return writer.Encode();
    }
}
