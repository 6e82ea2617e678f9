using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging.Abstractions;
using OcspCluster.Authority;
using OcspCluster.Conformance;
using OcspCluster.Protocol;
using OcspCluster.Testing;

namespace OcspCluster.Gateway.Tests;

/// <summary>Answers by keys that never leave a token, judged by openssl.</summary>
public sealed class Pkcs11SignerTests(SoftHsm hsm) : IClassFixture<SoftHsm>
{
    private static readonly SerialNumber s_serial = SerialNumber.FromInteger(0x1234);

    [Theory]
    [InlineData("rsa:2048", "rsa", "rsaEncryption")]
    [InlineData("EC:prime256v1", "p256", "id-ecPublicKey")]
    public async Task Answer_ByAKeyInTheHsm_IsVerifiedByOpenSsl(string type, string label, string algorithm)
    {
        (OcspResponder responder, SigningCredential credential) = Start(type, label);
        OcspReply reply = await responder.AnswerAsync(ResponderUnderTest.Ask(s_serial), TestContext.Current.CancellationToken);
        Assert.Equal(OcspOutcome.Answered, reply.Outcome);

        using OpenSsl openssl = new();
        openssl.Write("response.der", reply.Body.Span);
        openssl.Write("ca.pem", Issuers.Alpha.Certificate.ExportCertificatePem());
        openssl.Write("responder.pem", credential.Certificate.ExportCertificatePem());
        string judged = openssl.Run("ocsp -respin response.der -issuer ca.pem -serial 0x1234 -CAfile ca.pem -no_nonce");
        Assert.Contains("Response verify OK", judged, StringComparison.Ordinal);
        Assert.Contains("0x1234: good", judged, StringComparison.Ordinal);
        Assert.Contains(algorithm, openssl.Run("x509 -in responder.pem -noout -text"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Answers_ByTheHsmAtOnce_AllVerify()
    {
        (OcspResponder responder, SigningCredential credential) = Start("EC:prime256v1", "busy");
        await Parallel.ForEachAsync(Enumerable.Range(1, 400), new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (number, _) =>
        {
            OcspReply reply = await responder.AnswerAsync(ResponderUnderTest.AskWithNonce(SerialNumber.FromInteger(number)), TestContext.Current.CancellationToken);
            Assert.Equal(OcspOutcome.Answered, reply.Outcome);
            BasicOcspResponse basic = OcspResponse.Decode(reply.Body).Basic!;
            Assert.Equal(
                Protocol.SignatureCheck.Verified,
                OcspSignatureVerifier.Default.Verify(basic.SignatureAlgorithm, credential.Certificate.PublicKey, basic.Data.Encoded.Span, basic.Signature.Span));
        });
    }

    [Fact]
    public void Open_KeyThatIsNotThere_SaysSoWithoutThePin()
    {
        SkipWithoutHsm();
        using TestKey any = TestKey.P256();
        CryptographicException refusal = Assert.Throws<CryptographicException>(() => Pkcs11Signer.Open(
            new Pkcs11Key { Uri = SoftHsm.UriOf("nobody"), PinFile = hsm.PinFile, Module = hsm.Module }, Issuers.AlphaCa.IssueResponder("nobody", any).Certificate));
        Assert.Contains("object=nobody", refusal.Message, StringComparison.Ordinal);
        Assert.Contains(hsm.Module, refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(SoftHsm.Pin, refusal.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task SelfTest_KeyOfAnotherCertificate_IsFound()
    {
        SkipWithoutHsm();
        hsm.MakeKey("EC:prime256v1", "stranger");
        using TestKey other = TestKey.P256();
        X509Certificate2 certificate = Issuers.AlphaCa.IssueResponder("other", other).Certificate;
        using SigningCredential credential = new(certificate, Open("stranger", certificate));
        using ResponseFactory factory = new(TimeProvider.System);
        SigningResult failure = Assert.Single(await factory.SelfTestAsync(new Issuer(ResponderUnderTest.Id, Issuers.Alpha.Certificates, [credential]), TestContext.Current.CancellationToken));
        Assert.Equal(SigningFailure.Wrong, failure.Failure);
        Assert.Contains("does not verify", failure.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_AnotherModule_IsRefusedByName()
    {
        SkipWithoutHsm();
        hsm.MakeKey("EC:prime256v1", "module");
        using TestKey any = TestKey.P256();
        X509Certificate2 certificate = Issuers.AlphaCa.IssueResponder("any", any).Certificate;
        Open("module", certificate).Dispose();
        CryptographicException refusal = Assert.Throws<CryptographicException>(() =>
            Pkcs11Signer.Open(new Pkcs11Key { Uri = SoftHsm.UriOf("module"), PinFile = hsm.PinFile, Module = "/nowhere/other.so" }, certificate));
        Assert.Contains("/nowhere/other.so", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_EngineThatIsNotThere_SaysWhatToInstall()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "OpenSSL is .NET's library on Linux only.");
        using TestKey any = TestKey.P256();
        CryptographicException refusal = Assert.Throws<CryptographicException>(() =>
            Pkcs11Signer.Open(new Pkcs11Key { Uri = SoftHsm.UriOf("any"), Engine = "nosuch" }, Issuers.AlphaCa.IssueResponder("any", any).Certificate));
        Assert.Contains("no engine 'nosuch'", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, "cannot be read")]
    [InlineData("\n", "is empty")]
    public void Open_PinFileThatIsNoPin_SaysSo(string? content, string problem)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "OpenSSL is .NET's library on Linux only.");
        using ScratchDirectory directory = new();
        if (content is not null)
        {
            File.WriteAllText(directory.File("pin"), content);
        }

        using TestKey any = TestKey.P256();
        CryptographicException refusal = Assert.Throws<CryptographicException>(() =>
            Pkcs11Signer.Open(new Pkcs11Key { Uri = SoftHsm.UriOf("any"), PinFile = directory.File("pin") }, Issuers.AlphaCa.IssueResponder("any", any).Certificate));
        Assert.Contains(problem, refusal.Message, StringComparison.Ordinal);
        Assert.Contains(directory.File("pin"), refusal.Message, StringComparison.Ordinal);
    }

    // OpenSSL's own provider opens keys by URI, too: the way through a provider is the same for one that speaks PKCS #11.
    [Fact]
    public async Task Answer_ByAKeyOfAProvider_Verifies()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "OpenSSL is .NET's library on Linux only.");
        using ScratchDirectory directory = new();
        TestCertificate responder = Issuers.AlphaCa.IssueResponder("Of a provider", TestKey.Rsa());
        using Pkcs11Signer signer = Pkcs11Signer.Open(
            new Pkcs11Key { Uri = "file:" + responder.WriteKey(directory.Path, "key"), Provider = "default" }, responder.Certificate, usePss: true);
        using SigningCredential credential = new(responder.Certificate, signer);
        OcspReply reply = await Start(credential).AnswerAsync(ResponderUnderTest.Ask(s_serial), TestContext.Current.CancellationToken);
        RawOcspResponse answer = RawOcspResponse.Parse(reply.Body.ToArray());
        Assert.True(answer.IsSignedBy(responder.Certificate));
    }

    private static OcspResponder Start(SigningCredential credential)
    {
        Issuer issuer = new(ResponderUnderTest.Id, Issuers.Alpha.Certificates, [credential]);
        OcspGatewayOptions options = new();
        return new OcspResponder(
            new IssuerDirectory([issuer]), new TestSource(), new ResponseFactory(TimeProvider.System), new ResponseCache(options.CacheBytes), options, TimeProvider.System, NullLogger<OcspResponder>.Instance);
    }

    private (OcspResponder Responder, SigningCredential Credential) Start(string type, string label)
    {
        SkipWithoutHsm();
        X509Certificate2 certificate = Issuers.AlphaCa.IssueResponder("HSM " + label, hsm.MakeKey(type, label));
        SigningCredential credential = new(certificate, Open(label, certificate));
        return (Start(credential), credential);
    }

    private Pkcs11Signer Open(string label, X509Certificate2 certificate) =>
        Pkcs11Signer.Open(new Pkcs11Key { Uri = SoftHsm.UriOf(label), PinFile = hsm.PinFile, Module = hsm.Module }, certificate);

    private void SkipWithoutHsm() => Assert.SkipWhen(hsm.Missing is not null, hsm.Missing ?? "");
}
