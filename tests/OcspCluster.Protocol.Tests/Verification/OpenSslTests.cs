using System.Security.Cryptography.X509Certificates;
using OcspCluster.Testing;

namespace OcspCluster.Protocol.Tests.Verification;

/// <summary>
/// The judge that shares no code with us: what <c>openssl ocsp</c> signs is verified here, and what is signed here it verifies.
/// The CA has an index of its own: serial 01 valid, 02 revoked, 03 on hold; others are unknown.
/// </summary>
public sealed class OpenSslTests : IDisposable
{
    private const string Delegated = "[v]\nextendedKeyUsage=OCSPSigning\nkeyUsage=digitalSignature\nnoCheck=ignored\n";

    private static readonly DateTimeOffset s_revoked = new(2025, 1, 2, 3, 4, 5, TimeSpan.Zero);

    private readonly OpenSsl _openssl = new();

    public static TheoryData<string, string> Keys { get; } = new()
    {
        { "RSA -pkeyopt rsa_keygen_bits:2048", "" },
        { "RSA -pkeyopt rsa_keygen_bits:2048", "-rsigopt rsa_padding_mode:pss" },
        { "RSA -pkeyopt rsa_keygen_bits:2048", "-rsigopt rsa_padding_mode:pss -rsigopt rsa_pss_saltlen:digest -rmd sha512" },
        { "RSA-PSS -pkeyopt rsa_keygen_bits:2048", "" },
        { "EC -pkeyopt ec_paramgen_curve:P-256", "" },
        { "EC -pkeyopt ec_paramgen_curve:P-384", "-rmd sha384" },
        { "EC -pkeyopt ec_paramgen_curve:P-521", "-rmd sha512 -resp_key_id" },
    };

    [Theory]
    [MemberData(nameof(Keys))]
    public void Verify_ResponseByOpenSsl_Verified(string key, string signing)
    {
        X509Certificate2 issuer = MakeCa(key);

        OcspVerificationResult good = Ask(issuer, "01", signing);
        OcspVerificationResult revoked = Ask(issuer, "02", signing);
        OcspVerificationResult held = Ask(issuer, "03", signing);
        OcspVerificationResult unknown = Ask(issuer, "04", signing);

        Assert.True(good.IsVerified, good.Message);
        Assert.Equal(ResponderAuthorization.Delegated, good.Authorization);
        Assert.Equal(CertStatus.Good, good.Status);
        Assert.Equal(CertStatus.Revoked(s_revoked, RevocationReason.KeyCompromise), revoked.Status);
        Assert.Equal(CertStatus.Revoked(s_revoked, RevocationReason.CertificateHold), held.Status);
        Assert.Equal(CertStatus.Unknown, unknown.Status);
    }

    [Fact]
    public void Verify_ResponseByOpenSslWithAnotherNonce_Mismatch()
    {
        X509Certificate2 issuer = MakeCa("EC -pkeyopt ec_paramgen_curve:P-256");
        CertId asked = CertId.Create(issuer, SerialNumber.ParseHex("01"));
        OcspVerificationOptions options = new() { Nonce = OcspNonce.Create(), RequireNonce = true };

        byte[] echoed = Answer(new OcspRequestBuilder().Add(asked).AddNonce(options.Nonce).Build(), "-ndays 1");
        byte[] other = Answer(new OcspRequestBuilder().Add(asked).AddNonce().Build(), "-ndays 1");
        byte[] none = Answer(new OcspRequestBuilder().Add(asked).Build(), "-ndays 1");

        Assert.Equal(OcspVerificationOutcome.Verified, OcspVerifier.Verify(echoed, asked, issuer, options).Outcome);
        Assert.Equal(OcspVerificationOutcome.NonceMismatch, OcspVerifier.Verify(other, asked, issuer, options).Outcome);
        Assert.Equal(OcspVerificationOutcome.NonceMissing, OcspVerifier.Verify(none, asked, issuer, options).Outcome);
    }

    [Theory]
    [InlineData("DSA-SHA384", "sha384")]
    [InlineData("DSA-SHA512", "sha512")]
    public void OpenSsl_SignatureByUsOfAlgorithmsItsOcspLacks_Verified(string kind, string hash)
    {
        TestKey key = TestKey.Of(kind);
        _openssl.Write("public.der", key.Public.ExportSubjectPublicKeyInfo());
        _openssl.Write("data", "to be signed");
        _openssl.Write("signature", key.Signer.Sign("to be signed"u8));
        _openssl.Run("pkey -pubin -inform DER -in public.der -out public.pem");

        Assert.Contains("Verified OK", _openssl.Run($"dgst -{hash} -verify public.pem -signature signature data"), StringComparison.Ordinal);
    }

    public static TheoryData<string> KindsOfOpenSslOcsp { get; } = [.. TestKey.Kinds.Select(kind => kind.Data).Except(["DSA-SHA384", "DSA-SHA512"])];

    [Theory]
    [MemberData(nameof(KindsOfOpenSslOcsp))]
    public void OpenSsl_ResponseByUs_Verified(string kind)
    {
        TestCa ca = new();
        TestKey key = TestKey.Of(kind);
        X509Certificate2 responder = ca.IssueDelegate(key);
        SingleResponse[] answers = [ca.Answer(CertStatus.Revoked(s_revoked, RevocationReason.Superseded))];

        string delegated = Judge(ca, Exchange.Respond(key, ResponderId.ByKey(responder), answers, [responder.RawData]));
        string direct = Judge(ca, Exchange.Respond(ca.Key, ResponderId.ByName(ca.Certificate), answers, []));

        Assert.All(new[] { delegated, direct }, printed =>
        {
            Assert.Contains("Response verify OK", printed, StringComparison.Ordinal);
            Assert.Contains("4711: revoked", printed, StringComparison.Ordinal);
            Assert.Contains("Reason: superseded", printed, StringComparison.Ordinal);
            Assert.Contains("Revocation Time: Jan  2 03:04:05 2025 GMT", printed, StringComparison.Ordinal);
        });
    }

    [Fact]
    public void Verify_RequestSignedByOpenSsl_Verified()
    {
        X509Certificate2 ca = MakeCa("EC -pkeyopt ec_paramgen_curve:P-256");
        X509Certificate2 client = X509CertificateLoader.LoadCertificate(_openssl.Read("ocsp.der"));
        _openssl.Run("ocsp -issuer ca.pem -serial 1 -signer ocsp.pem -signkey ocsp.key -reqout signed.der");
        OcspRequest request = OcspRequest.Decode(_openssl.Read("signed.der"));

        OcspRequestVerificationResult byIssuer = new OcspRequestVerifier(new OcspRequestVerificationOptions { TrustedIssuers = [ca] }).Verify(request);
        OcspRequestVerificationResult itself = new OcspRequestVerifier(new OcspRequestVerificationOptions { TrustedRequestors = [client] }).Verify(request);

        Assert.True(byIssuer.IsVerified, byIssuer.Message);
        Assert.True(itself.IsVerified, itself.Message);
    }

    public void Dispose() => _openssl.Dispose();

    // A CA and a delegated responder by its side, both with such a key; valid from now on, so these tests run on the system's clock.
    private X509Certificate2 MakeCa(string key)
    {
        _openssl.Write("v.cnf", Delegated + "[req]\ndistinguished_name=dn\n[dn]\n[ca]\nbasicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n");
        _openssl.Write("index.txt", "V\t491231235959Z\t\t01\tunknown\t/CN=one\nR\t491231235959Z\t250102030405Z,keyCompromise\t02\tunknown\t/CN=two\nR\t491231235959Z\t250102030405Z,certificateHold\t03\tunknown\t/CN=three\n");
        _openssl.Run($"genpkey -algorithm {key} -out ca.key");
        _openssl.Run($"genpkey -algorithm {key} -out ocsp.key");
        _openssl.Run("req -x509 -new -key ca.key -subj /CN=openssl-ca -days 30 -config v.cnf -extensions ca -out ca.pem");
        _openssl.Run("req -new -key ocsp.key -subj /CN=openssl-responder -config v.cnf -out ocsp.csr");
        _openssl.Run("x509 -req -in ocsp.csr -CA ca.pem -CAkey ca.key -set_serial 77 -days 30 -extfile v.cnf -extensions v -out ocsp.pem");
        _openssl.Run("x509 -in ocsp.pem -outform DER -out ocsp.der");
        _openssl.Run("x509 -in ca.pem -outform DER -out ca.der");
        return X509CertificateLoader.LoadCertificate(_openssl.Read("ca.der"));
    }

    private OcspVerificationResult Ask(X509Certificate2 issuer, string serial, string signing)
    {
        CertId asked = CertId.Create(issuer, SerialNumber.ParseHex(serial), CertIdHash.Sha256);
        byte[] response = Answer(new OcspRequestBuilder().Add(asked).Build(), $"-ndays 1 {signing}");
        return OcspVerifier.Verify(response, asked, issuer);
    }

    private byte[] Answer(OcspRequest request, string options)
    {
        _openssl.Write("request.der", request.Encoded.Span);
        _openssl.Run($"ocsp -index index.txt -CA ca.pem -rsigner ocsp.pem -rkey ocsp.key -reqin request.der -respout response.der {options}");
        return _openssl.Read("response.der");
    }

    private string Judge(TestCa ca, OcspResponse response)
    {
        _openssl.Write("ca.pem", ca.Certificate.ExportCertificatePem());
        _openssl.Write("response.der", response.Encoded.Span);
        long at = TestCa.Now.ToUnixTimeSeconds();
        return _openssl.Run($"ocsp -issuer ca.pem -serial 4711 -respin response.der -CAfile ca.pem -attime {at} -validity_period 4000000000");
    }
}
