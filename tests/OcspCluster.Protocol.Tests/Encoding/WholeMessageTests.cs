namespace OcspCluster.Protocol.Tests;

/// <summary>Whole requests and responses, built through the public API, against the fixtures of the same content; and what the builders refuse.</summary>
public class WholeMessageTests
{
    private static readonly CertId s_asked = CertId.Create(Fixture.Ca, SerialNumber.ParseHex("1001"));

    private static readonly Dictionary<string, Func<OcspRequestBuilder>> s_builders = new()
    {
        ["one"] = () => Asking(s_asked),
        ["many"] = () => Asking([.. Enumerable.Range(0x1001, 5).Select(serial => CertId.Create(Fixture.Ca, SerialNumber.FromInteger(serial)))]),
        ["many-hashes"] = () => Asking(s_asked, CertId.Create(Fixture.Ca, s_asked.SerialNumber, CertIdHash.Sha256)),
        ["sha256-absent"] = () => Asking(CertId.Create(Fixture.Ca, s_asked.SerialNumber, CertIdHash.Sha256, nullParameters: false)),
        ["serial-minus129"] = () => Asking(CertId.Create(Fixture.Ca, SerialNumber.FromInteger(-129))),
        ["version-explicit"] = () => new OcspRequestBuilder { WriteVersion = true }.Add(s_asked),
        ["nonce-1"] = () => Asking(s_asked).AddNonce(OcspNonce.Create(Octets(1))),
        ["nonce-32"] = () => Asking(s_asked).AddNonce(OcspNonce.Create(Octets(32))),
        ["nonce-128"] = () => Asking(s_asked).AddNonce(OcspNonce.Create(Octets(128))),
        ["acceptable-responses"] = () => Asking(s_asked).AddExtension(AcceptableResponses.Create(AcceptableResponses.Basic)),
        ["requestor-dNSName"] = () => new OcspRequestBuilder { RequestorName = GeneralName.FromDnsName("client.example") }.Add(s_asked),
        ["requestor-directoryName"] = () => new OcspRequestBuilder { RequestorName = GeneralName.FromDirectoryName(Fixture.Ca.SubjectName) }.Add(s_asked),
        ["service-locator-without-locator"] = () => new OcspRequestBuilder().Add(s_asked, new ServiceLocator(Fixture.Ca.SubjectName).ToExtension()),
        ["extension-unknown-critical"] = () => Asking(s_asked).AddExtension(new OcspExtension("1.3.6.1.4.1.99999.1", new byte[] { 5, 0 }, critical: true)),
    };

    public static TheoryData<string> WithoutSignature => [.. s_builders.Keys];

    [Theory]
    [MemberData(nameof(WithoutSignature))]
    public void Request_Built_HasExpectedOctets(string name) =>
        Assert.Equal(Fixture.Hex(Fixture.Read($"requests/ok-{name}.der")), Fixture.Hex(s_builders[name]().Build().Encoded));

    [Fact] // RSA with PKCS #1 has one signature for one message.
    public void Request_SignedWithRsa_HasExpectedOctets()
    {
        using var requestor = Fixture.CertificateWithKey("requestor-rsa");
        using OcspSigner signer = OcspSigner.FromCertificate(requestor);
        OcspRequestBuilder builder = Asking(s_asked).AddNonce(OcspNonce.Create(Octets(32)));
        builder.RequestorName = GeneralName.FromDirectoryName(Fixture.Ca.SubjectName);

        Assert.Equal(Fixture.Hex(Fixture.Read("requests/ok-signed-rsa.der")), Fixture.Hex(builder.Sign(signer, requestor.RawData).Encoded));
    }

    [Fact]
    public void Response_SignedWithRsa_HasExpectedOctets()
    {
        using var responder = Fixture.CertificateWithKey("responder-rsa");
        using OcspSigner signer = OcspSigner.FromCertificate(responder);
        DateTimeOffset thisUpdate = new(2026, 3, 1, 11, 0, 0, TimeSpan.Zero);
        SingleResponse single = new(s_asked, CertStatus.Good, thisUpdate, thisUpdate.AddDays(7));
        ResponseData data = new(ResponderId.ByKey(responder), thisUpdate.AddHours(1), [single]);

        OcspResponse response = OcspResponse.FromBasic(BasicOcspResponse.Sign(data, signer, responder.RawData));

        Assert.Equal(Fixture.Hex(Fixture.Read("responses/ok-signed-rsa-sha256.der")), Fixture.Hex(response.Encoded));
    }

    [Fact]
    public void Build_NothingAsked_IsRefused() => Assert.Throws<InvalidOperationException>(() => new OcspRequestBuilder().Build());

    [Fact]
    public void Build_SameExtensionTwice_IsRefused() => Assert.Throws<InvalidOperationException>(() => Asking(s_asked).AddNonce().AddNonce().Build());

    [Fact]
    public void Sign_WithoutRequestorName_IsRefused()
    {
        using var requestor = Fixture.CertificateWithKey("requestor-p256");
        using OcspSigner signer = OcspSigner.FromCertificate(requestor);

        Assert.Throws<InvalidOperationException>(() => Asking(s_asked).Sign(signer));
    }

    [Fact]
    public void CertId_OfAnotherIssuer_IsRefused()
    {
        using var responder = Fixture.Certificate("responder-rsa");
        using var subject = Fixture.Certificate("subject-small");

        Assert.Throws<ArgumentException>(() => CertId.Create(subject, responder));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(129)]
    public void Nonce_OfForbiddenLength_IsRefused(int size) => Assert.Throws<ArgumentException>(() => OcspNonce.Create(new byte[size]));

    [Fact]
    public void Nonce_Fresh_Has32OctetsAndDiffers()
    {
        OcspNonce first = OcspNonce.Create();

        Assert.Equal(32, first.Value.Length);
        Assert.NotEqual(first, OcspNonce.Create());
    }

    [Theory]
    [InlineData(RevocationReason.RemoveFromCrl)]
    [InlineData((RevocationReason)7)]
    [InlineData((RevocationReason)11)]
    public void Revoked_ReasonWithoutMeaning_IsRefused(RevocationReason reason) =>
        Assert.Throws<ArgumentException>(() => CertStatus.Revoked(DateTimeOffset.UnixEpoch, reason));

    [Theory]
    [InlineData(OcspResponseStatus.Successful)]
    [InlineData((OcspResponseStatus)4)]
    [InlineData((OcspResponseStatus)7)]
    public void FromStatus_NotAnError_IsRefused(OcspResponseStatus status) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => OcspResponse.FromStatus(status));

    [Fact]
    public void SingleResponse_NextBeforeThis_IsRefused() => Assert.Throws<ArgumentException>(
        () => new SingleResponse(s_asked, CertStatus.Good, DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddSeconds(-1)));

    private static OcspRequestBuilder Asking(params CertId[] certIds)
    {
        OcspRequestBuilder builder = new();
        foreach (CertId certId in certIds)
        {
            builder.Add(certId);
        }

        return builder;
    }

    private static byte[] Octets(int count) => [.. Enumerable.Range(0, count).Select(i => (byte)i)];
}
