using System.Formats.Asn1;
using System.Security.Cryptography;

namespace OcspCluster.Protocol.Tests.Signing;

public sealed class ECDsaSignerTests
{
    // Of 600 signatures some have numbers with a high first bit, and some begin with zeros: the encoding must be DER for all, and P-521's is longer than 127 octets.
    [Theory]
    [InlineData("nistP256")]
    [InlineData("nistP384")]
    [InlineData("nistP521")]
    public void Sign_ManyTimes_IsDerThatVerifies(string curve)
    {
        using ECDsa key = ECDsa.Create(ECCurve.CreateFromFriendlyName(curve));
        using OcspSigner signer = OcspSigner.FromECDsa(key, HashAlgorithmName.SHA256);
        byte[] data = new byte[100];
        for (int i = 0; i < 600; i++)
        {
            data[i % data.Length]++;
            byte[] signature = signer.Sign(data);
            AsnReader numbers = new AsnReader(signature, AsnEncodingRules.DER).ReadSequence();
            Assert.True(numbers.ReadInteger().Sign > 0);
            Assert.True(numbers.ReadInteger().Sign > 0);
            numbers.ThrowIfNotEmpty();
            Assert.True(key.VerifyData(data, signature, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));
        }
    }
}
