using System.Security.Cryptography.X509Certificates;

namespace OcspCluster.Protocol.Tests;

/// <summary>Signatures that an independent implementation made, verified here.</summary>
public class FixtureSignatureTests
{
    private static readonly OcspSignatureVerifier s_verifier = new() { AcceptSha1 = true };

    public static TheoryData<string> SignedResponses => Fixture.Files(fixture =>
        fixture is { Kind: "response", IsValid: true, Facts: not null } && fixture.Facts.Value.GetProperty("status").GetInt32() == 0 && !fixture.File.Contains("ed25519", StringComparison.Ordinal));

    public static TheoryData<string> CapturedResponses => Fixture.Files(fixture => fixture is { Kind: "response", Facts: null, IsValid: true });

    [Theory]
    [MemberData(nameof(SignedResponses))]
    [MemberData(nameof(CapturedResponses))]
    public void Response_ByAnotherMaker_IsVerified(string file)
    {
        BasicOcspResponse basic = OcspResponse.Decode(Fixture.Read(file)).Basic!;
        X509Certificate2 signer = SignerOf(basic);

        Assert.Equal(SignatureCheck.Verified, s_verifier.Verify(basic.SignatureAlgorithm, signer.PublicKey, basic.Data.Encoded.Span, basic.Signature.Span));

        byte[] changed = basic.Data.Encoded.ToArray();
        changed[^1] ^= 1;
        Assert.Equal(SignatureCheck.Wrong, s_verifier.Verify(basic.SignatureAlgorithm, signer.PublicKey, changed, basic.Signature.Span));
    }

    [Theory]
    [InlineData("rsa")]
    [InlineData("p256")]
    public void Request_ByAnotherMaker_IsVerified(string kind)
    {
        OcspRequest request = OcspRequest.Decode(Fixture.Read($"requests/ok-signed-{kind}.der"));
        using X509Certificate2 requestor = X509CertificateLoader.LoadCertificate(Assert.Single(request.Signature!.Certificates).Span);

        Assert.Equal(
            SignatureCheck.Verified,
            OcspSignatureVerifier.Default.Verify(request.Signature.Algorithm, requestor.PublicKey, request.TbsRequest.Span, request.Signature.Value.Span));
    }

    [Fact]
    public void Response_WithSha1_IsTooWeakByDefault()
    {
        BasicOcspResponse basic = OcspResponse.Decode(Fixture.Read("responses/ok-signed-rsa-sha1.der")).Basic!;

        Assert.Equal(
            SignatureCheck.AlgorithmTooWeak,
            OcspSignatureVerifier.Default.Verify(basic.SignatureAlgorithm, SignerOf(basic).PublicKey, basic.Data.Encoded.Span, basic.Signature.Span));
    }

    [Fact] // The base library has no Ed25519; OcspCluster.BouncyCastle does.
    public void Response_WithEd25519_IsUnsupportedNotWrong()
    {
        BasicOcspResponse basic = OcspResponse.Decode(Fixture.Read("responses/ok-signed-ed25519.der")).Basic!;

        Assert.Equal(
            SignatureCheck.AlgorithmUnsupported,
            OcspSignatureVerifier.Default.Verify(basic.SignatureAlgorithm, SignerOf(basic).PublicKey, basic.Data.Encoded.Span, basic.Signature.Span));
    }

    // By ResponderID among all certificates of the fixtures: what the answer carries does not matter here.
    private static X509Certificate2 SignerOf(BasicOcspResponse basic)
    {
        string[] names = ["ca-rsa", "responder-rsa", "responder-p256", "responder-p384", "responder-p521", "responder-dsa", "responder-ed25519"];
        return names.Select(Fixture.Certificate).Single(basic.Data.ResponderId.Denotes);
    }
}
