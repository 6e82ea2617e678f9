using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using OcspCluster.Protocol;
using OcspCluster.Testing;

namespace OcspCluster.Authority.Tests.Issuers;

/// <summary>One broken rule each, and the sound ones beside them.</summary>
public sealed class IssuerRulesTests
{
    private static readonly DateTimeOffset s_now = new(2026, 7, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly TestPki s_ca = TestPki.CreateRoot("Ruled CA", TestKey.P256());
    private static readonly TestPki s_rsaCa = TestPki.CreateRoot("Ruled RSA CA", TestKey.Rsa());

    [Fact]
    public void Delegate_Sound_HasNeitherErrorsNorWarnings() => Assert.Empty(IssuerRules.Find(Of(s_ca, s_ca.IssueResponder("sound", TestKey.P256())), s_now));

    [Fact]
    public void Delegate_WithAKeyOfAnotherAlgorithmThanTheCas_IsSound() => Assert.Empty(IssuerRules.Find(Of(s_rsaCa, s_rsaCa.IssueResponder("sound", TestKey.P384())), s_now));

    [Fact]
    public void OwnKey_Sound_HasNeitherErrorsNorWarnings() => Assert.Empty(IssuerRules.Find(Of(s_rsaCa, s_rsaCa.Ca), s_now));

    [Fact]
    public void Delegate_OfTheSecondNameOfTheIssuer_IsSound()
    {
        TestPki renamed = s_ca.Renamed("Ruled CA, renamed");
        SigningCredential credential = Credential(renamed.IssueResponder("sound", TestKey.P256()));
        Assert.Empty(IssuerRules.Find(new Issuer(new IssuerId("ca"), [s_ca.Certificate, renamed.Certificate], [credential]), s_now));
    }

    [Fact]
    public void Delegate_WithoutOcspSigning_IsAnError() =>
        AssertError("OCSPSigning", Of(s_ca, s_ca.IssueResponder("bad", TestKey.P256(), new ResponderProfile { HasOcspSigning = false })));

    [Fact]
    public void Delegate_OfAnotherName_IsAnError() => AssertError("was issued by", Of(s_ca, s_rsaCa.IssueResponder("bad", TestKey.P256())));

    [Fact]
    public void Delegate_OfTheSameNameUnderAnotherKey_IsAnError() =>
        AssertError("did not sign it", Of(s_ca, s_ca.Rekeyed(TestKey.P256()).IssueResponder("bad", TestKey.P256())));

    [Fact]
    public void Delegate_OfTheSameNameUnderAKeyOfAnotherKind_IsAnError() =>
        AssertError("did not sign it", Of(s_ca, s_ca.Rekeyed(TestKey.Rsa()).IssueResponder("bad", TestKey.P256())));

    [Fact]
    public void Delegate_WithAnothersKey_IsAnError()
    {
        TestCertificate responder = s_ca.IssueResponder("bad", TestKey.P256());
        SigningCredential credential = new(responder.Certificate, Signer(TestKey.P256()));
        AssertError("do not belong together", new Issuer(new IssuerId("ca"), [s_ca.Certificate], [credential]));
    }

    [Fact]
    public void Delegate_WhoseKeyCannotSign_IsAnError()
    {
        OcspSigner gone = Signer(TestKey.P256());
        TestCertificate responder = s_ca.IssueResponder("bad", TestKey.P256());
        AssertError("cannot sign: the HSM is gone", new Issuer(new IssuerId("ca"), [s_ca.Certificate], [new(responder.Certificate, new BrokenSigner(gone.Algorithm))]));
    }

    [Fact]
    public void Delegate_OfKeyUsageWithoutDigitalSignature_IsAnError() =>
        AssertError("digitalSignature", Of(s_ca, Issue(request => request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyEncipherment, critical: true)))));

    [Fact]
    public void Delegate_WithAnUnknownCriticalExtension_IsAnError() =>
        AssertError("1.2.3.4", Of(s_ca, Issue(request => request.CertificateExtensions.Add(new X509Extension("1.2.3.4", [0x05, 0x00], critical: true)))));

    [Fact]
    public void Delegate_WithoutNoCheck_IsAWarning()
    {
        Issuer issuer = Of(s_ca, s_ca.IssueResponder("careless", TestKey.P256(), new ResponderProfile { HasNoCheck = false }));
        Assert.Empty(IssuerRules.FindErrors(issuer, s_now));
        Assert.Contains("nocheck", Assert.Single(IssuerRules.FindWarnings(issuer, s_now)), StringComparison.Ordinal);
    }

    [Fact]
    public void Delegate_WithAShortRsaKey_IsAWarning()
    {
        Issuer issuer = Of(s_ca, s_ca.IssueResponder("short", TestKey.Rsa(1024)));
        Assert.Empty(IssuerRules.FindErrors(issuer, s_now));
        Assert.Contains("2048 bits", Assert.Single(IssuerRules.FindWarnings(issuer, s_now)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(-10, -1)] // ended
    [InlineData(1, 100)] // not begun
    [InlineData(-10, 3)] // ends before the nextUpdate of an answer signed now
    public void Credential_ThatDoesNotCoverAnAnswer_IsAnError(int fromDays, int toDays) =>
        AssertError("'", Of(s_ca, s_ca.IssueResponder("timed", TestKey.P256(), Valid(fromDays, toDays))));

    [Fact]
    public void Credential_OldBesideNew_IsAWarning()
    {
        Issuer issuer = Of(s_ca, s_ca.IssueResponder("old", TestKey.P256(), Valid(-10, 1)), s_ca.IssueResponder("new", TestKey.P256(), Valid(-1, 100)));
        Assert.Empty(IssuerRules.FindErrors(issuer, s_now));
        Assert.Contains("CN=old", Assert.Single(IssuerRules.FindWarnings(issuer, s_now)), StringComparison.Ordinal);
    }

    [Fact]
    public void IssuerCertificate_OfALeaf_IsAnError()
    {
        TestCertificate leaf = s_ca.IssueLeaf([0x01]);
        AssertError("is not a CA's", new Issuer(new IssuerId("ca"), [leaf.Certificate], [Credential(leaf)]));
    }

    [Fact]
    public void IssuerCertificate_ThatHasEnded_IsAnError() =>
        Assert.Contains(IssuerRules.FindErrors(Of(s_ca, s_ca.Ca), TestPki.NotAfter + TimeSpan.FromDays(1)), error => error.Contains("the issuer certificate", StringComparison.Ordinal));

    [Fact]
    public void IssuerCertificates_OfTwoKeys_AreAnError() =>
        AssertError("different keys", new Issuer(new IssuerId("ca"), [s_ca.Certificate, s_rsaCa.Certificate], [Credential(s_ca.Ca)]));

    [Fact]
    public void Policy_OutOfBounds_IsAnErrorWithoutACertificate()
    {
        Issuer issuer = new(new IssuerId("ca"), [s_ca.Certificate], [Credential(s_ca.Ca)], new IssuerPolicy { RefreshAt = 2 });
        IssuerFinding finding = Assert.Single(IssuerRules.Find(issuer, s_now));
        Assert.Null(finding.Certificate);
        Assert.StartsWith("RefreshAt is 2", finding.Message, StringComparison.Ordinal);
    }

    private static void AssertError(string part, Issuer issuer) => Assert.Contains(part, Assert.Single(IssuerRules.FindErrors(issuer, s_now)), StringComparison.Ordinal);

    private static ResponderProfile Valid(int fromDays, int toDays) => new() { NotBefore = s_now + TimeSpan.FromDays(fromDays), NotAfter = s_now + TimeSpan.FromDays(toDays) };

    private static Issuer Of(TestPki ca, params IEnumerable<TestCertificate> credentials) => new(new IssuerId("ca"), [ca.Certificate], [.. credentials.Select(Credential)]);

    private static SigningCredential Credential(TestCertificate certificate) => new(X509Certificate2.CreateFromPem(certificate.Certificate.ExportCertificatePem(), certificate.Key.ToPem()));

    private static OcspSigner Signer(TestKey key)
    {
        ECDsa ecdsa = ECDsa.Create();
        ecdsa.ImportFromPem(key.ToPem());
        return OcspSigner.FromECDsa(ecdsa);
    }

    // A responder's certificate of this CA but for what a test adds.
    private static TestCertificate Issue(Action<CertificateRequest> add)
    {
        TestKey key = TestKey.P256();
        using ECDsa caKey = ECDsa.Create();
        caKey.ImportFromPem(s_ca.Ca.Key.ToPem());
        CertificateRequest request = new(new X500DistinguishedName("CN=odd"), key.PublicKey, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.9")], critical: false));
        request.CertificateExtensions.Add(new X509Extension("1.3.6.1.5.5.7.48.1.5", [0x05, 0x00], critical: false));
        add(request);
        X509Certificate2 certificate = request.Create(s_ca.Certificate.SubjectName, X509SignatureGenerator.CreateForECDsa(caKey), TestPki.NotBefore, TestPki.NotAfter, [0x01]);
        return new TestCertificate(certificate, key);
    }

    private sealed class BrokenSigner(AlgorithmIdentifier algorithm) : OcspSigner
    {
        public override AlgorithmIdentifier Algorithm => algorithm;

        public override byte[] Sign(ReadOnlySpan<byte> data) => throw new CryptographicException("the HSM is gone");
    }
}
