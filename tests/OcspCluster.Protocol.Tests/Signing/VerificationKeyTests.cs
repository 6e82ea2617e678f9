using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace OcspCluster.Protocol.Tests.Signing;

public sealed class VerificationKeyTests
{
    private static readonly byte[] s_data = [.. "what was signed"u8];

    [Theory]
    [InlineData("rsa")]
    [InlineData("pss")]
    [InlineData("p256")]
    public async Task Verify_ByManyAtOnce_TellsRightFromWrong(string kind)
    {
        using AsymmetricAlgorithm key = kind == "p256" ? ECDsa.Create(ECCurve.NamedCurves.nistP256) : RSA.Create(2048);
        using OcspSigner signer = key is RSA rsa ? OcspSigner.FromRsa(rsa, padding: kind == "pss" ? RSASignaturePadding.Pss : null) : OcspSigner.FromECDsa((ECDsa)key);
        using VerificationKey verification = new(key is RSA ofRsa ? new PublicKey(ofRsa) : new PublicKey((ECDsa)key));
        byte[] signature = signer.Sign(s_data);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() =>
        {
            for (int i = 0; i < 100; i++)
            {
                Assert.Equal(SignatureCheck.Verified, OcspSignatureVerifier.Default.Verify(signer.Algorithm, verification, s_data, signature));
                Assert.Equal(SignatureCheck.Wrong, OcspSignatureVerifier.Default.Verify(signer.Algorithm, verification, "something else"u8, signature));
            }
        })));
    }

    [Fact]
    public void Verify_ByAnotherAlgorithmInBetween_IsNoConfusion()
    {
        using RSA rsa = RSA.Create(2048);
        using OcspSigner signer = OcspSigner.FromRsa(rsa);
        using VerificationKey verification = new(new PublicKey(rsa));
        byte[] signature = signer.Sign(s_data);
        Assert.Equal(SignatureCheck.Verified, OcspSignatureVerifier.Default.Verify(signer.Algorithm, verification, s_data, signature));
        Assert.Equal(SignatureCheck.Wrong, OcspSignatureVerifier.Default.Verify(new AlgorithmIdentifier("1.2.840.10045.4.3.2"), verification, s_data, signature));
        Assert.Equal(SignatureCheck.Verified, OcspSignatureVerifier.Default.Verify(signer.Algorithm, verification, s_data, signature));
    }

    [Fact]
    public void Verify_AfterDispose_ImportsForThatOnce()
    {
        using RSA rsa = RSA.Create(2048);
        using OcspSigner signer = OcspSigner.FromRsa(rsa);
        VerificationKey verification = new(new PublicKey(rsa));
        byte[] signature = signer.Sign(s_data);
        verification.Dispose();
        Assert.Equal(SignatureCheck.Verified, OcspSignatureVerifier.Default.Verify(signer.Algorithm, verification, s_data, signature));
    }
}
