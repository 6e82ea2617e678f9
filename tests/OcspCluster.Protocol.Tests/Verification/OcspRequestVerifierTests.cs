using System.Security.Cryptography.X509Certificates;
using OcspCluster.Testing;

namespace OcspCluster.Protocol.Tests.Verification;

public sealed class OcspRequestVerifierTests
{
    private const string ClientAuth = "1.3.6.1.5.5.7.3.2";

    private static readonly DelegateProfile s_client = new() { Name = "CN=Client", ExtendedKeyUsages = [ClientAuth], HasNoCheck = false };

    private readonly TestCa _ca = new();
    private readonly TestKey _key = TestKey.P256();

    [Theory]
    [MemberData(nameof(TestKey.Kinds), MemberType = typeof(TestKey))]
    public void Verify_TrustedRequestor_Verified(string kind)
    {
        TestKey key = TestKey.Of(kind);
        X509Certificate2 client = _ca.IssueDelegate(key, s_client);

        OcspRequestVerificationResult result = Verifier(requestors: [client]).Verify(Sign(key, client));

        Assert.True(result.IsVerified, result.Message);
        Assert.Equal(client.RawData, result.Signer.RawData);
        Assert.Equal("Signed by 'CN=Client'.", result.Message);
    }

    [Fact]
    public void Verify_TrustedRequestorWhoSendsNoCertificate_Verified()
    {
        X509Certificate2 client = _ca.IssueDelegate(_key, s_client);

        Assert.True(Verifier(requestors: [_ca.Certificate, client]).Verify(Sign(_key, client, certificates: [])).IsVerified);
    }

    [Fact]
    public void Verify_IssuedByTrustedCa_Verified()
    {
        X509Certificate2 client = _ca.IssueDelegate(_key, s_client);
        OcspRequest request = Sign(_key, client, certificates: [[0x30, 0x00], _ca.Certificate.RawData, client.RawData]);

        Assert.True(Verifier(issuers: [new TestCa("CN=Other").Certificate, _ca.Certificate]).Verify(request).IsVerified);
    }

    [Fact]
    public void Verify_Unsigned_NotSigned() =>
        AssertBroken(OcspRequestVerificationOutcome.NotSigned, Verifier(), new OcspRequestBuilder().Add(_ca.Asked).Build());

    [Fact]
    public void Verify_NoCertificateAnywhere_SignerNotFound()
    {
        X509Certificate2 client = _ca.IssueDelegate(_key, s_client);

        AssertBroken(OcspRequestVerificationOutcome.SignerNotFound, Verifier(issuers: [_ca.Certificate]), Sign(_key, client, certificates: []));
        AssertBroken(OcspRequestVerificationOutcome.SignerNotFound, Verifier(issuers: [_ca.Certificate]), Sign(_key, client, certificates: [[0x30, 0x00]]));
    }

    [Fact]
    public void Verify_AnyOctetOfTheSignedPartChanged_NeverVerified()
    {
        X509Certificate2 client = _ca.IssueDelegate(_key, s_client);
        OcspRequest request = Sign(_key, client);
        OcspRequestVerifier verifier = Verifier(requestors: [client]);
        int start = request.Encoded.Span.IndexOf(request.TbsRequest.Span);
        int decoded = 0;
        for (int i = start; i < start + request.TbsRequest.Length; i++)
        {
            byte[] changed = request.Encoded.ToArray();
            changed[i] ^= 0x01;
            if (OcspRequest.TryDecode(changed, out OcspRequest? other, out _))
            {
                decoded++;
                Assert.False(verifier.Verify(other).IsVerified, $"octet {i}");
            }
        }

        Assert.True(decoded > 50, $"only {decoded} changed requests could be read");
    }

    [Fact]
    public void Verify_SignedByAnother_SignatureWrong()
    {
        X509Certificate2 client = _ca.IssueDelegate(_key, s_client);

        AssertBroken(OcspRequestVerificationOutcome.SignatureWrong, Verifier(requestors: [client]), Sign(TestKey.P256(), client));
    }

    [Fact]
    public void Verify_Sha1_TooWeakUnlessAccepted()
    {
        TestKey key = TestKey.RsaOfSha1();
        X509Certificate2 client = _ca.IssueDelegate(key, s_client);
        OcspRequestVerificationOptions lenient = new()
        {
            Clock = new TestClock(TestCa.Now),
            TrustedRequestors = [client],
            SignatureVerifier = new OcspSignatureVerifier { AcceptSha1 = true },
        };

        AssertBroken(OcspRequestVerificationOutcome.SignatureAlgorithmTooWeak, Verifier(requestors: [client]), Sign(key, client));
        Assert.True(new OcspRequestVerifier(lenient).Verify(Sign(key, client)).IsVerified);
    }

    [Fact]
    public void Verify_AlgorithmNobodyKnows_Unsupported() // R4: junk must not crash
    {
        TestKey odd = _key with { Signer = new OddSigner() };
        X509Certificate2 client = _ca.IssueDelegate(_key, s_client);

        AssertBroken(OcspRequestVerificationOutcome.SignatureAlgorithmUnsupported, Verifier(requestors: [client]), Sign(odd, client));
    }

    [Fact]
    public void Verify_Stranger_NotTrusted()
    {
        X509Certificate2 client = new TestCa().IssueDelegate(_key, s_client); // a CA of the trusted one's name, with another key
        X509Certificate2 other = _ca.IssueDelegate(TestKey.P256(), s_client);

        AssertBroken(OcspRequestVerificationOutcome.SignerNotTrusted, Verifier(), Sign(_key, client));
        AssertBroken(OcspRequestVerificationOutcome.SignerNotTrusted, Verifier(requestors: [other], issuers: [_ca.Certificate]), Sign(_key, client));
    }

    [Fact]
    public void Verify_IssuedByTrustedCaThatHasExpired_NotTrusted()
    {
        X509Certificate2 client = _ca.IssueDelegate(_key, s_client with { NotAfter = TimeSpan.FromDays(9999) });
        OcspRequestVerificationOptions later = new() { Clock = new TestClock(TestCa.Now.AddYears(2)), TrustedIssuers = [_ca.Certificate] };

        AssertBroken(OcspRequestVerificationOutcome.SignerNotTrusted, new OcspRequestVerifier(later), Sign(_key, client));
    }

    [Theory]
    [InlineData(-600, -301, OcspRequestVerificationOutcome.SignerNotValidNow)]
    [InlineData(301, 600, OcspRequestVerificationOutcome.SignerNotValidNow)]
    [InlineData(-600, -300, OcspRequestVerificationOutcome.Verified)]
    [InlineData(300, 600, OcspRequestVerificationOutcome.Verified)]
    public void Verify_SignerByItsValidity(int notBefore, int notAfter, OcspRequestVerificationOutcome expected)
    {
        X509Certificate2 client = _ca.IssueDelegate(_key, s_client with { NotBefore = TimeSpan.FromSeconds(notBefore), NotAfter = TimeSpan.FromSeconds(notAfter) });

        Assert.Equal(expected, Verifier(requestors: [client]).Verify(Sign(_key, client)).Outcome);
        Assert.Equal(expected, Verifier(issuers: [_ca.Certificate]).Verify(Sign(_key, client)).Outcome);
    }

    [Fact]
    public void Verify_CaBeforeAnExpiredSigner_TellsOfTheSigner()
    {
        X509Certificate2 client = _ca.IssueDelegate(_key, s_client with { NotAfter = TimeSpan.FromDays(-1) });
        byte[][] certificates = [_ca.Certificate.RawData, client.RawData];

        AssertBroken(OcspRequestVerificationOutcome.SignerNotValidNow, Verifier(issuers: [_ca.Certificate]), Sign(_key, client, certificates: certificates));
        AssertBroken(OcspRequestVerificationOutcome.SignerNotValidNow, Verifier(issuers: [_ca.Certificate]), Sign(_key, client, certificates: [.. certificates.Reverse()]));
    }

    [Fact]
    public void Verify_KeyThatMayNotSign_LacksDigitalSignature()
    {
        X509Certificate2 client = _ca.IssueDelegate(_key, s_client with { KeyUsage = X509KeyUsageFlags.KeyEncipherment });

        AssertBroken(OcspRequestVerificationOutcome.SignerLacksDigitalSignature, Verifier(issuers: [_ca.Certificate]), Sign(_key, client));
    }

    [Fact]
    public void Verify_UnknownCriticalExtension_Broken()
    {
        X509Certificate2 client = _ca.IssueDelegate(_key, s_client with { OtherExtensions = [new X509Extension("2.999.5", [5, 0], critical: true)] });

        AssertBroken(OcspRequestVerificationOutcome.SignerUnknownCriticalExtension, Verifier(issuers: [_ca.Certificate]), Sign(_key, client));
    }

    [Fact]
    public void Verify_RequestorName_IsSubjectOrAlternativeName()
    {
        SubjectAlternativeNameBuilder names = new();
        names.AddDnsName("client.example");
        names.AddEmailAddress("client@example.org");
        X509Certificate2 client = _ca.IssueDelegate(_key, s_client with { OtherExtensions = [names.Build()] });
        OcspRequestVerifier verifier = Verifier(issuers: [_ca.Certificate]);

        Assert.True(verifier.Verify(Sign(_key, client, GeneralName.FromDnsName("client.example"))).IsVerified);
        Assert.True(verifier.Verify(Sign(_key, client, GeneralName.FromRfc822Name("client@example.org"))).IsVerified);
        AssertBroken(OcspRequestVerificationOutcome.RequestorNameMismatch, verifier, Sign(_key, client, GeneralName.FromDnsName("other.example")));
        AssertBroken(OcspRequestVerificationOutcome.RequestorNameMismatch, verifier, Sign(_key, client, GeneralName.FromDirectoryName(new X500DistinguishedName("CN=Other"))));
    }

    [Fact]
    public void Verify_OtherRequestorName_TakenWherePolicySaysSo()
    {
        X509Certificate2 client = _ca.IssueDelegate(_key, s_client);
        OcspRequestVerificationOptions lenient = new() { Clock = new TestClock(TestCa.Now), TrustedIssuers = [_ca.Certificate], AcceptOtherRequestorName = true };

        Assert.True(new OcspRequestVerifier(lenient).Verify(Sign(_key, client, GeneralName.FromUri("urn:anyone"))).IsVerified);
    }

    private OcspRequest Sign(TestKey key, X509Certificate2 client, GeneralName? name = null, byte[][]? certificates = null) =>
        new OcspRequestBuilder { RequestorName = name ?? GeneralName.FromDirectoryName(client.SubjectName) }
            .Add(_ca.Asked)
            .Sign(key.Signer, (certificates ?? [client.RawData]).Select(certificate => new ReadOnlyMemory<byte>(certificate)));

    private static OcspRequestVerifier Verifier(X509Certificate2[]? requestors = null, X509Certificate2[]? issuers = null) =>
        new(new OcspRequestVerificationOptions { Clock = new TestClock(TestCa.Now), TrustedRequestors = requestors ?? [], TrustedIssuers = issuers ?? [] });

    private static void AssertBroken(OcspRequestVerificationOutcome expected, OcspRequestVerifier verifier, OcspRequest request)
    {
        OcspRequestVerificationResult result = verifier.Verify(request);
        Assert.Equal(expected, result.Outcome);
        Assert.Null(result.Signer);
        Assert.NotEmpty(result.Message);
    }

    private sealed class OddSigner : OcspSigner
    {
        public override AlgorithmIdentifier Algorithm { get; } = new("2.999.9");

        public override byte[] Sign(ReadOnlySpan<byte> data) => [1];
    }
}
