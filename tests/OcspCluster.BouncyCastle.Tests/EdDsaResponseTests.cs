using OcspCluster.Protocol;

namespace OcspCluster.BouncyCastle.Tests;

/// <summary>openssl verifies the responses that we sign, and we those that it signs.</summary>
public sealed class EdDsaResponseTests
{
    private static readonly DateTimeOffset s_now = TimeProvider.System.GetUtcNow(); // openssl makes certificates that are valid from now on

    public static TheoryData<string> Algorithms { get; } = ["ED25519", "ED448"];

    [Theory]
    [MemberData(nameof(Algorithms))]
    public void Sign_ResponseOfADelegate_OpenSslVerifiesIt(string algorithm)
    {
        using EdDsaCa ca = new(algorithm);
        using EdDsaSigner signer = ca.ResponderSigner();

        ca.OpenSsl.Write("response.der", Respond(ca, signer, CertStatus.Revoked(s_now.AddDays(-1), RevocationReason.KeyCompromise)).Encoded.Span);
        string printed = ca.OpenSsl.Run("ocsp -issuer ca.pem -cert leaf.pem -CAfile ca.pem -respin response.der");

        Assert.Contains("Response verify OK", printed, StringComparison.Ordinal);
        Assert.Contains("leaf.pem: revoked", printed, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Algorithms))]
    public void Sign_ResponseOfTheIssuer_OpenSslVerifiesIt(string algorithm)
    {
        using EdDsaCa ca = new(algorithm);
        using EdDsaSigner signer = EdDsaSigner.FromPem(ca.OpenSsl.ReadText("ca.key"));
        ResponseData data = new(ResponderId.ByKey(ca.Issuer), s_now, [Answer(ca, CertStatus.Good)]);

        ca.OpenSsl.Write("response.der", OcspResponse.FromBasic(BasicOcspResponse.Sign(data, signer)).Encoded.Span);
        string printed = ca.OpenSsl.Run("ocsp -issuer ca.pem -cert leaf.pem -CAfile ca.pem -respin response.der");

        Assert.Contains("Response verify OK", printed, StringComparison.Ordinal);
        Assert.Contains("leaf.pem: good", printed, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Algorithms))]
    public void Verify_OwnResponse_Verified(string algorithm)
    {
        using EdDsaCa ca = new(algorithm);
        using EdDsaSigner signer = ca.ResponderSigner();

        OcspVerificationResult result = OcspVerifier.Verify(Respond(ca, signer, CertStatus.Good).Encoded, Asked(ca), ca.Issuer, EdDsaCa.Options);

        Assert.True(result.IsVerified, result.Message);
        Assert.Equal(ResponderAuthorization.Delegated, result.Authorization);
        Assert.Equal(ca.Responder.RawData, result.Signer.RawData);
    }

    [Theory]
    [MemberData(nameof(Algorithms))]
    public void Verify_OwnResponseWithoutTheScheme_Unsupported(string algorithm)
    {
        using EdDsaCa ca = new(algorithm);
        using EdDsaSigner signer = ca.ResponderSigner();

        OcspVerificationResult result = OcspVerifier.Verify(Respond(ca, signer, CertStatus.Good).Encoded, Asked(ca), ca.Issuer);

        Assert.Equal(OcspVerificationOutcome.ResponderAlgorithmUnsupported, result.Outcome);
    }

    [Theory]
    [MemberData(nameof(Algorithms))]
    public void Verify_ResponseByOpenSsl_Verified(string algorithm)
    {
        using EdDsaCa ca = new(algorithm);
        CertId revoked = CertId.Create(ca.Issuer, SerialNumber.ParseHex("4712"));
        OcspRequest request = new OcspRequestBuilder().Add(Asked(ca)).Add(revoked).Build();
        ca.OpenSsl.Write("request.der", request.Encoded.Span);

        ca.OpenSsl.Run("ocsp -index index.txt -CA ca.pem -rsigner responder.pem -rkey responder.key -ndays 1 -reqin request.der -respout response.der");
        byte[] response = ca.OpenSsl.Read("response.der");

        OcspVerificationResult good = OcspVerifier.Verify(response, Asked(ca), ca.Issuer, EdDsaCa.Options);
        Assert.True(good.IsVerified, good.Message);
        Assert.Equal(CertStatus.Good, good.Status);
        Assert.IsType<CertStatus.RevokedStatus>(OcspVerifier.Verify(response, revoked, ca.Issuer, EdDsaCa.Options).Status);
    }

    [Theory]
    [MemberData(nameof(Algorithms))]
    public void Verify_ChangedResponse_NeverVerified(string algorithm)
    {
        using EdDsaCa ca = new(algorithm);
        using EdDsaSigner signer = ca.ResponderSigner();
        byte[] encoded = Respond(ca, signer, CertStatus.Good).Encoded.ToArray();
        for (int i = 0; i < encoded.Length; i += 3)
        {
            byte[] changed = [.. encoded];
            changed[i] ^= 0x01;

            Assert.False(OcspVerifier.Verify(changed, Asked(ca), ca.Issuer, EdDsaCa.Options).IsVerified, $"octet {i}");
        }
    }

    private static CertId Asked(EdDsaCa ca) => CertId.Create(ca.Leaf, ca.Issuer);

    private static SingleResponse Answer(EdDsaCa ca, CertStatus status) => new(Asked(ca), status, s_now, s_now.AddDays(1));

    private static OcspResponse Respond(EdDsaCa ca, EdDsaSigner signer, CertStatus status) => OcspResponse.FromBasic(BasicOcspResponse.Sign(
        new ResponseData(ResponderId.ByKey(ca.Responder), TimeProvider.System.GetUtcNow(), [Answer(ca, status)]), signer, ca.Responder.RawDataMemory));
}
