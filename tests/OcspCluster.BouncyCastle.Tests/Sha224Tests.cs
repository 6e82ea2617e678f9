using System.Text;
using OcspCluster.Protocol;

namespace OcspCluster.BouncyCastle.Tests;

public sealed class Sha224Tests
{
    [Theory] // FIPS 180-4's examples
    [InlineData("", "d14a028c2a3a2bc9476102bb288234c415a2b01f828ea62ac5b3e42f")]
    [InlineData("abc", "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7")]
    [InlineData("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "75388b16512776cc5dba5da1fd890150b0c6455cb4f58b1952522525")]
    public void Compute_Examples_AreTheirHashes(string data, string expected) =>
        Assert.Equal(expected, Convert.ToHexStringLower(Sha224.CertIdHash.Compute(Encoding.ASCII.GetBytes(data))));

    [Fact]
    public void CertId_BySha224_IsThatOfOpenSsl()
    {
        using EdDsaCa ca = new("ED25519");
        ca.OpenSsl.Run("ocsp -sha224 -issuer ca.pem -cert leaf.pem -no_nonce -reqout request.der");

        CertId expected = OcspRequest.Decode(ca.OpenSsl.Read("request.der")).Requests[0].CertId;

        Assert.Equal(expected.Encoded.ToArray(), CertId.Create(ca.Leaf, ca.Issuer, Sha224.CertIdHash).Encoded.ToArray());
    }

    [Fact]
    public void Response_BySha224_OpenSslFindsItsAnswer()
    {
        using EdDsaCa ca = new("ED25519");
        using EdDsaSigner signer = ca.ResponderSigner();
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        CertId asked = CertId.Create(ca.Leaf, ca.Issuer, Sha224.CertIdHash);
        ResponseData data = new(ResponderId.ByKey(ca.Responder), now, [new SingleResponse(asked, CertStatus.Good, now, now.AddDays(1))]);
        OcspResponse response = OcspResponse.FromBasic(BasicOcspResponse.Sign(data, signer, ca.Responder.RawDataMemory));
        ca.OpenSsl.Write("response.der", response.Encoded.Span);

        Assert.Contains("leaf.pem: good", ca.OpenSsl.Run("ocsp -sha224 -issuer ca.pem -cert leaf.pem -CAfile ca.pem -respin response.der"), StringComparison.Ordinal);
        Assert.True(OcspVerifier.Verify(response.Encoded, asked, ca.Issuer, EdDsaCa.Options).IsVerified);
    }
}
