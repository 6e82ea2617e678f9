using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using static OcspCluster.Protocol.Tests.Verification.Exchange;

namespace OcspCluster.Protocol.Tests.Verification;

public sealed class OcspVerifierResponderTests
{
    private const string AnyExtendedKeyUsage = "2.5.29.37.0";
    private const string ServerAuth = "1.3.6.1.5.5.7.3.1";

    private readonly TestCa _ca = new();
    private readonly TestKey _key = TestKey.P256();

    [Theory]
    [MemberData(nameof(TestKey.Kinds), MemberType = typeof(TestKey))]
    public void Verify_IssuerOfEachKindOfKey_Verified(string kind)
    {
        TestCa ca = new(key: TestKey.Of(kind));

        OcspVerificationResult result = ca.Verify(ca.Respond(ca.Good()));

        AssertGood(result, ResponderAuthorization.Issuer, ca.Certificate);
    }

    [Theory]
    [MemberData(nameof(TestKey.Kinds), MemberType = typeof(TestKey))]
    public void Verify_DelegateOfEachKindOfKey_Verified(string kind)
    {
        TestKey key = TestKey.Of(kind);
        TestCa ca = new(key: TestKey.Of(kind, which: 1)); // its kind of key signs the delegate's certificate, too
        X509Certificate2 responder = ca.IssueDelegate(key);

        AssertGood(ca.Verify(ca.Respond(key, responder)), ResponderAuthorization.Delegated, responder);
    }

    [Fact]
    public void Verify_IssuerByName_Verified() =>
        AssertGood(_ca.Verify(Exchange.Respond(_ca.Key, ResponderId.ByName(_ca.Certificate), [_ca.Good()], [])), ResponderAuthorization.Issuer, _ca.Certificate);

    [Fact]
    public void Verify_IssuerWithItsCertificateBesideIt_Verified() =>
        AssertGood(_ca.Verify(Exchange.Respond(_ca.Key, ResponderId.ByName(_ca.Certificate), [_ca.Good()], [_ca.Certificate.RawData])), ResponderAuthorization.Issuer, _ca.Certificate);

    [Fact]
    public void Verify_IssuerKeyUnderAnotherCertificate_Verified() // C14: renewed with the same name and key
    {
        X509Certificate2 renewed = new TestCa(key: _ca.Key).Certificate;

        AssertGood(_ca.Verify(Exchange.Respond(_ca.Key, ResponderId.ByName(renewed), [_ca.Good()], [renewed.RawData])), ResponderAuthorization.Issuer, _ca.Certificate);
    }

    [Fact]
    public void Verify_DelegateByName_Verified()
    {
        X509Certificate2 responder = _ca.IssueDelegate(_key);

        AssertGood(_ca.Verify(Exchange.Respond(_key, ResponderId.ByName(responder), [_ca.Good()], [responder.RawData])), ResponderAuthorization.Delegated, responder);
    }

    [Fact]
    public void Verify_DelegateAmongOtherAndMalformedCertificates_Verified()
    {
        X509Certificate2 responder = _ca.IssueDelegate(_key);
        byte[][] certificates = [[0x30, 0x00], Truncated(responder), _ca.Certificate.RawData, new TestCa("CN=Stranger").Certificate.RawData, responder.RawData];

        AssertGood(_ca.Verify(Exchange.Respond(_key, ResponderId.ByKey(responder), [_ca.Good()], certificates)), ResponderAuthorization.Delegated, responder);
    }

    [Fact]
    public void Verify_SecondOfTwoCertificatesOfTheResponder_Verified()
    {
        X509Certificate2 expired = _ca.IssueDelegate(_key, new DelegateProfile { NotAfter = TimeSpan.FromDays(-2) });
        X509Certificate2 renewed = _ca.IssueDelegate(_key);

        AssertGood(_ca.Verify(Exchange.Respond(_key, ResponderId.ByKey(renewed), [_ca.Good()], [expired.RawData, renewed.RawData])), ResponderAuthorization.Delegated, renewed);
    }

    [Fact]
    public void Verify_DelegateWithoutKeyUsage_Verified()
    {
        X509Certificate2 responder = _ca.IssueDelegate(_key, new DelegateProfile { KeyUsage = null, ExtendedKeyUsages = [ServerAuth, "1.3.6.1.5.5.7.3.9"] });

        AssertGood(_ca.Verify(_ca.Respond(_key, responder)), ResponderAuthorization.Delegated, responder);
    }

    [Fact]
    public void Verify_EverySingleBitOfTheSignedPartChanged_NeverVerified()
    {
        X509Certificate2 responder = _ca.IssueDelegate(_key);
        OcspResponse response = _ca.Respond(_key, responder);
        byte[] encoded = response.Encoded.ToArray();
        int start = encoded.AsSpan().IndexOf(response.Basic!.Data.Encoded.Span);
        for (int i = start; i < start + response.Basic.Data.Encoded.Length; i++)
        {
            byte[] changed = [.. encoded];
            changed[i] ^= (byte)(1 << (i % 8));

            Assert.False(OcspVerifier.Verify(changed, _ca.Asked, _ca.Certificate, Options).IsVerified, $"octet {i}");
        }
    }

    [Fact]
    public void Verify_EveryOctetOfTheCertificateChanged_NeverVerifiedNorThrown()
    {
        X509Certificate2 responder = _ca.IssueDelegate(_key);
        byte[] encoded = _ca.Respond(_key, responder).Encoded.ToArray();
        for (int i = encoded.AsSpan().IndexOf(responder.RawData); i < encoded.Length; i++)
        {
            byte[] changed = [.. encoded];
            changed[i] ^= 0x21;

            Assert.False(OcspVerifier.Verify(changed, _ca.Asked, _ca.Certificate, Options).IsVerified, $"octet {i}");
        }
    }

    [Fact]
    public void Verify_SignedByAnotherKey_SignatureWrong()
    {
        X509Certificate2 responder = _ca.IssueDelegate(_key);

        AssertBroken(OcspVerificationOutcome.SignatureWrong, _ca.Respond(TestKey.P256(), responder));
        AssertBroken(OcspVerificationOutcome.SignatureWrong, Exchange.Respond(_key, ResponderId.ByKey(_ca.Certificate), [_ca.Good()], []));
    }

    [Fact]
    public void Verify_ResponderIdOfNobody_ResponderNotFound() // C12: even though a certificate beside it verifies
    {
        X509Certificate2 responder = _ca.IssueDelegate(_key);

        AssertBroken(OcspVerificationOutcome.ResponderNotFound, Exchange.Respond(_key, ResponderId.ByKey(new byte[20]), [_ca.Good()], [responder.RawData]));
        AssertBroken(OcspVerificationOutcome.ResponderNotFound, Exchange.Respond(_ca.Key, ResponderId.ByName(responder), [_ca.Good()], [_ca.Certificate.RawData]));
    }

    [Fact]
    public void Verify_DelegateWithoutItsCertificate_ResponderNotFound() =>
        AssertBroken(OcspVerificationOutcome.ResponderNotFound, Exchange.Respond(_key, ResponderId.ByKey(_ca.IssueDelegate(_key)), [_ca.Good()], []));

    [Fact]
    public void Verify_DelegateWhoseCertificateIsMalformed_ResponderNotFound()
    {
        X509Certificate2 responder = _ca.IssueDelegate(_key);

        AssertBroken(OcspVerificationOutcome.ResponderNotFound, Exchange.Respond(_key, ResponderId.ByKey(responder), [_ca.Good()], [Truncated(responder)]));
    }

    [Fact]
    public void Verify_Sha1Response_TooWeakUnlessAccepted()
    {
        TestKey key = TestKey.RsaOfSha1();
        OcspResponse response = _ca.Respond(key, _ca.IssueDelegate(key));

        AssertBroken(OcspVerificationOutcome.SignatureAlgorithmTooWeak, response);
        Assert.True(_ca.Verify(response, Options with { SignatureVerifier = new OcspSignatureVerifier { AcceptSha1 = true } }).IsVerified);
    }

    [Fact]
    public void Verify_Sha1Certificate_TooWeakUnlessAccepted()
    {
        TestCa ca = new(key: TestKey.RsaOfSha1());
        OcspResponse response = ca.Respond(_key, ca.IssueDelegate(_key));

        Assert.Equal(OcspVerificationOutcome.ResponderAlgorithmTooWeak, ca.Verify(response).Outcome);
        Assert.True(ca.Verify(response, Options with { SignatureVerifier = new OcspSignatureVerifier { AcceptSha1 = true } }).IsVerified);
    }

    [Fact]
    public void Verify_AlgorithmNobodyKnows_Unsupported()
    {
        using ECDsa odd = ECDsa.Create(ECCurve.CreateFromValue("1.3.132.0.10"));
        TestKey key = TestKey.From(odd);
        TestCa ca = new(key: key);

        AssertBroken(OcspVerificationOutcome.SignatureAlgorithmUnsupported, _ca.Respond(key, _ca.IssueDelegate(key)));
        Assert.Equal(OcspVerificationOutcome.ResponderAlgorithmUnsupported, ca.Verify(ca.Respond(_key, ca.IssueDelegate(_key))).Outcome);
    }

    [Fact]
    public void Verify_DelegateOfAnotherCa_NotIssuedByIssuer() =>
        AssertBroken(OcspVerificationOutcome.ResponderNotIssuedByIssuer, _ca.Respond(_key, new TestCa("CN=Sibling").IssueDelegate(_key)));

    [Fact]
    public void Verify_DelegateOfTheSameNameWithAnotherKey_NotIssuedByIssuer() =>
        AssertBroken(OcspVerificationOutcome.ResponderNotIssuedByIssuer, _ca.Respond(_key, new TestCa().IssueDelegate(_key)));

    [Fact]
    public void Verify_DelegateOfAnotherNameWithTheSameKey_NotIssuedByIssuer() =>
        AssertBroken(OcspVerificationOutcome.ResponderNotIssuedByIssuer, _ca.Respond(_key, new TestCa("CN=Other Name", _ca.Key).IssueDelegate(_key)));

    [Fact]
    public void Verify_GrandchildWithTheChainBesideIt_NotIssuedByIssuer()
    {
        TestKey middleKey = TestKey.P256();
        CertificateRequest request = new(new X500DistinguishedName("CN=Middle"), middleKey.Public, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        X509Certificate2 middle = _ca.Create(request, TestCa.Now.AddDays(-9), TestCa.Now.AddDays(9));
        X509Certificate2 grandchild = new TestCa("CN=Middle", middleKey).IssueDelegate(_key);

        AssertBroken(OcspVerificationOutcome.ResponderNotIssuedByIssuer,
            Exchange.Respond(_key, ResponderId.ByKey(grandchild), [_ca.Good()], [grandchild.RawData, middle.RawData]));
    }

    [Theory]
    [InlineData]
    [InlineData(AnyExtendedKeyUsage)]
    [InlineData(ServerAuth)]
    public void Verify_DelegateWithoutOcspSigning_Lacks(params string[] usages) =>
        AssertBroken(OcspVerificationOutcome.ResponderLacksOcspSigning, _ca.Respond(_key, _ca.IssueDelegate(_key, new DelegateProfile { ExtendedKeyUsages = usages })));

    [Theory]
    [InlineData(X509KeyUsageFlags.NonRepudiation)]
    [InlineData(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign)]
    [InlineData(X509KeyUsageFlags.None)]
    public void Verify_DelegateWhoseKeyMayNotSign_LacksDigitalSignature(X509KeyUsageFlags usage) =>
        AssertBroken(OcspVerificationOutcome.ResponderLacksDigitalSignature, _ca.Respond(_key, _ca.IssueDelegate(_key, new DelegateProfile { KeyUsage = usage })));

    [Fact]
    public void Verify_DelegateWithUnknownCriticalExtension_Broken()
    {
        DelegateProfile critical = new() { OtherExtensions = [new X509Extension("2.999.5", [0x05, 0x00], critical: true)] };
        DelegateProfile harmless = new() { OtherExtensions = [new X509Extension("2.999.5", [0x05, 0x00], critical: false)] };

        AssertBroken(OcspVerificationOutcome.ResponderUnknownCriticalExtension, _ca.Respond(_key, _ca.IssueDelegate(_key, critical)));
        Assert.True(_ca.Verify(_ca.Respond(_key, _ca.IssueDelegate(_key, harmless))).IsVerified);
    }

    [Theory]
    [InlineData(-600, -301, OcspVerificationOutcome.ResponderNotValidNow)]
    [InlineData(301, 600, OcspVerificationOutcome.ResponderNotValidNow)]
    [InlineData(-600, -300, OcspVerificationOutcome.Verified)] // within the tolerance; both ends count
    [InlineData(-600, 0, OcspVerificationOutcome.Verified)]
    [InlineData(-400, 600, OcspVerificationOutcome.Verified)]
    [InlineData(-399, 600, OcspVerificationOutcome.ResponderNotValidAtProducedAt)]
    [InlineData(-600, -401, OcspVerificationOutcome.ResponderNotValidNow)]
    public void Verify_DelegateProducedFourHundredSecondsAgo_ByItsValidity(int notBefore, int notAfter, OcspVerificationOutcome expected)
    {
        X509Certificate2 responder = _ca.IssueDelegate(_key, new DelegateProfile { NotBefore = TimeSpan.FromSeconds(notBefore), NotAfter = TimeSpan.FromSeconds(notAfter) });
        OcspResponse response = Exchange.Respond(_key, ResponderId.ByKey(responder), [_ca.Good()], [responder.RawData], producedAt: TimeSpan.FromSeconds(-400));

        Assert.Equal(expected, _ca.Verify(response).Outcome);
    }

    [Fact]
    public void Verify_DelegateWithoutNoCheck_AsPolicyAndItsRevocationSay()
    {
        X509Certificate2 responder = _ca.IssueDelegate(_key, new DelegateProfile { HasNoCheck = false });
        OcspResponse response = _ca.Respond(_key, responder);
        OcspVerificationOptions Checked(ResponderRevocation revocation, bool accept = false) => Options with
        {
            CheckResponderRevocation = certificate => certificate.RawDataMemory.Span.SequenceEqual(responder.RawData) ? revocation : throw new InvalidOperationException("not the responder"),
            AcceptUncheckedResponder = accept,
        };

        AssertBroken(OcspVerificationOutcome.ResponderRevocationUnknown, response);
        AssertBroken(OcspVerificationOutcome.ResponderRevocationUnknown, response, Checked(ResponderRevocation.Unknown));
        AssertBroken(OcspVerificationOutcome.ResponderRevoked, response, Checked(ResponderRevocation.Revoked));
        AssertBroken(OcspVerificationOutcome.ResponderRevoked, response, Checked(ResponderRevocation.Revoked, accept: true));
        Assert.True(_ca.Verify(response, Checked(ResponderRevocation.NotRevoked)).IsVerified);
        Assert.True(_ca.Verify(response, Checked(ResponderRevocation.Unknown, accept: true)).IsVerified);
        Assert.True(_ca.Verify(response, Options with { AcceptUncheckedResponder = true }).IsVerified);
    }

    [Fact]
    public void Verify_DelegateWithNoCheckOrWrongSignature_RevocationNotAskedFor()
    {
        OcspVerificationOptions options = Options with { CheckResponderRevocation = _ => throw new InvalidOperationException("asked") };
        X509Certificate2 withoutNoCheck = _ca.IssueDelegate(_key, new DelegateProfile { HasNoCheck = false });

        Assert.True(_ca.Verify(_ca.Respond(_key, _ca.IssueDelegate(_key)), options).IsVerified);
        AssertBroken(OcspVerificationOutcome.SignatureWrong, _ca.Respond(TestKey.P256(), withoutNoCheck), options);
    }

    [Fact]
    public void Verify_ConfiguredResponder_Verified() // C13: issued by anybody, without extended key usage, its certificate sent along or not
    {
        X509Certificate2 responder = new TestCa("CN=Somebody").IssueDelegate(_key, new DelegateProfile { ExtendedKeyUsages = [], HasNoCheck = false });
        OcspVerificationOptions options = Options with { TrustedResponders = [new TestCa("CN=Unrelated").Certificate, responder] };

        AssertGood(_ca.Verify(Exchange.Respond(_key, ResponderId.ByKey(responder), [_ca.Good()], []), options), ResponderAuthorization.Configured, responder);
        AssertGood(_ca.Verify(_ca.Respond(_key, responder), options), ResponderAuthorization.Configured, responder);
        AssertBroken(OcspVerificationOutcome.ResponderNotIssuedByIssuer, _ca.Respond(_key, responder));
    }

    [Fact]
    public void Verify_ConfiguredResponderThatDidNotSignOrExpired_Broken()
    {
        TestCa other = new("CN=Somebody");
        X509Certificate2 responder = other.IssueDelegate(_key);
        X509Certificate2 expired = other.IssueDelegate(_key, new DelegateProfile { NotAfter = TimeSpan.FromDays(-1) });

        AssertBroken(OcspVerificationOutcome.SignatureWrong, Exchange.Respond(TestKey.P256(), ResponderId.ByKey(responder), [_ca.Good()], []), Options with { TrustedResponders = [responder] });
        AssertBroken(OcspVerificationOutcome.ResponderNotValidNow, Exchange.Respond(_key, ResponderId.ByKey(expired), [_ca.Good()], []), Options with { TrustedResponders = [expired] });
    }

    private static byte[] Truncated(X509Certificate2 certificate) // still one SEQUENCE, but of half the fields
    {
        byte[] encoded = certificate.RawData;
        return [0x30, 0x32, .. encoded.AsSpan(4, 50)];
    }

    private static void AssertGood(OcspVerificationResult result, ResponderAuthorization authorization, X509Certificate2 signer)
    {
        Assert.True(result.IsVerified, result.Message);
        Assert.Equal(CertStatus.Good, result.Status);
        Assert.Equal(authorization, result.Authorization);
        Assert.Equal(signer.RawData, result.Signer.RawData);
    }

    private void AssertBroken(OcspVerificationOutcome expected, OcspResponse response, OcspVerificationOptions? options = null)
    {
        OcspVerificationResult result = _ca.Verify(response, options);
        Assert.Equal(expected, result.Outcome);
        Assert.Null(result.Status);
        Assert.Null(result.Signer);
        Assert.NotEmpty(result.Message);
    }
}
