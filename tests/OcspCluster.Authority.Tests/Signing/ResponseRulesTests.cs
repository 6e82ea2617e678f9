using System.Security.Cryptography.X509Certificates;
using OcspCluster.Protocol;
using OcspCluster.Testing;

namespace OcspCluster.Authority.Tests.Signing;

/// <summary>What may not leave the house: one answer for each rule, broken in that rule alone.</summary>
public sealed class ResponseRulesTests
{
    private static readonly DateTimeOffset s_now = new(2026, 6, 15, 12, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset s_end = s_now.AddDays(30);
    private static readonly TestPki s_ca = TestPki.CreateRoot("Rules CA", TestKey.P256());
    private static readonly TestCertificate s_responder = s_ca.IssueResponder("Rules responder", TestKey.P256(), new ResponderProfile { NotBefore = s_now.AddDays(-1), NotAfter = s_end });
    private static readonly CertId s_certId = CertId.Create(s_ca.Certificate, SerialNumber.ParseHex("1234"));
    private static readonly CertId s_otherId = CertId.Create(s_ca.Certificate, SerialNumber.ParseHex("1235"));

    [Fact]
    public void Answer_ThatIsRight_HasNoError() => Assert.Null(Judge(Data(Single()), Data(Single())));

    [Fact]
    public void Answer_AboutAnother_IsFound() => AssertFound("was meant", Data(Single(certId: s_otherId)), Data(Single()));

    [Fact]
    public void Answer_OfAnotherStatus_IsFound() => AssertFound("was meant", Data(Single()), Data(Single(CertStatus.Revoked(s_now.AddDays(-2)))));

    [Fact]
    public void Answer_OfAnotherNumber_IsFound() => AssertFound("number of answers", Data(Single(), Single(certId: s_otherId)), Data(Single()));

    [Fact]
    public void Answer_WithoutTheNonce_IsFound() =>
        AssertFound("extensions", Data(Single()), new ResponseData(ById, s_now, [Single()], new OcspExtensionCollection([OcspNonce.Create().ToExtension()])));

    [Fact]
    public void Answer_OfAnotherSigner_IsFound()
    {
        ResponseData data = new(ResponderId.ByKey(s_ca.Certificate), s_now, [Single()]);
        AssertFound("ResponderID", data, data);
    }

    [Theory]
    [InlineData(1, 2, "out of order")] // thisUpdate after producedAt
    [InlineData(-48, 24, "outside the validity")] // before the signer began
    [InlineData(0, 24 * 31, "outside the validity")] // beyond the signer's end
    [InlineData(-3, -2, "out of order")] // over already
    [InlineData(0, 0, "out of order")] // no time at all
    public void Answer_OfOtherTimes_IsFound(int thisUpdate, int nextUpdate, string problem)
    {
        ResponseData data = Data(new SingleResponse(s_certId, CertStatus.Good, s_now.AddHours(thisUpdate), s_now.AddHours(nextUpdate)));
        AssertFound(problem, data, data);
    }

    [Fact]
    public void Answer_WithoutNextUpdate_IsFound()
    {
        ResponseData data = Data(new SingleResponse(s_certId, CertStatus.Good, s_now));
        AssertFound("out of order", data, data);
    }

    [Fact]
    public void Answer_BeyondTheEndOfTheIssuer_IsFound()
    {
        ResponseData data = Data(Single());
        X509Certificate2 ended = s_ca.IssueResponder("stands for an issuer that ends today", TestKey.P256(), new ResponderProfile { NotAfter = s_now.AddHours(1) }).Certificate;
        AssertFound("outside the validity", data, data, ended);
    }

    [Fact]
    public void Answer_ProducedLater_IsFound() => AssertFound("producedAt", new ResponseData(ById, s_now.AddSeconds(1), [Single()]), Data(Single()));

    [Fact]
    public void Answer_WithInvalidityDateButGood_IsFound()
    {
        ResponseData data = Data(Single(extensions: ResponseExtensions.InvalidityDate(s_now)));
        AssertFound("without a revocation", data, data);
    }

    [Fact]
    public void Answer_WithAFractionInAnExtension_IsFound()
    {
        OcspExtension fraction = new(ResponseExtensions.ArchiveCutoffOid, (byte[])[0x18, 0x11, .. "20260615120000.5Z"u8]);
        ResponseData data = Data(Single(extensions: fraction));
        AssertFound("cannot be read back", data, data);
    }

    [Fact]
    public void Answer_WithTheReasonTwice_IsFound()
    {
        ResponseData data = Data(Single(CertStatus.Revoked(s_now.AddDays(-2), RevocationReason.Superseded), ResponseExtensions.CrlReason(RevocationReason.Superseded)));
        AssertFound("reasonCode", data, data);
    }

    [Theory]
    [InlineData(RevocationReason.RemoveFromCrl)]
    [InlineData(RevocationReason.Unspecified)]
    public void Answer_WithAReasonThatIsNotGiven_IsFound(RevocationReason reason)
    {
        ResponseData data = Data(Single(new CertStatus.RevokedStatus(s_now.AddDays(-2), reason)));
        AssertFound("gives the reason", data, data);
    }

    [Fact]
    public void Answer_OfWhatWasNeverIssued_WithoutTheDefinition_IsFound()
    {
        CertStatus never = CertStatus.Revoked(DateTimeOffset.UnixEpoch, RevocationReason.CertificateHold);
        AssertFound("extended revoked", Data(Single(never)), Data(Single(never)));
        ResponseData right = new(ById, s_now, [Single(never)], new OcspExtensionCollection([ResponseExtensions.ExtendedRevoke]));
        Assert.Null(Judge(right, right));
    }

    [Fact]
    public void Answer_OfAnotherKey_IsFound_UnlessItIsNotInTheSample()
    {
        using TestKey other = TestKey.P256();
        Assert.Contains("does not verify", Judge(Data(Single()), Data(Single()), key: other)!, StringComparison.Ordinal);
        Assert.Null(Judge(Data(Single()), Data(Single()), key: other, verifiesSignature: false));
        Assert.NotNull(Judge(Data(Single(certId: s_otherId)), Data(Single()), verifiesSignature: false)); // the rest is checked of all
    }

    private static ResponderId ById => ResponderId.ByKey(s_responder.Certificate);

    private static ResponseData Data(params SingleResponse[] singles) => new(ById, s_now, singles);

    private static SingleResponse Single(CertStatus? status = null, OcspExtension? extensions = null, CertId? certId = null) =>
        new(certId ?? s_certId, status ?? CertStatus.Good, s_now.AddHours(-1), s_now.AddDays(4), new OcspExtensionCollection(extensions is null ? [] : [extensions]));

    private static void AssertFound(string problem, ResponseData made, ResponseData meant, X509Certificate2? issuer = null) =>
        Assert.Contains(problem, Judge(made, meant, issuer) ?? "(nothing)", StringComparison.Ordinal);

    private static string? Judge(ResponseData made, ResponseData meant, X509Certificate2? issuer = null, TestKey? key = null, bool verifiesSignature = true)
    {
        using System.Security.Cryptography.ECDsa ecdsa = System.Security.Cryptography.ECDsa.Create();
        ecdsa.ImportFromPem((key ?? s_responder.Key).ToPem());
        using OcspSigner signer = OcspSigner.FromECDsa(ecdsa);
        using SigningCredential credential = new(s_responder.Certificate, signer);
        ReadOnlyMemory<byte> encoded = OcspResponse.FromBasic(BasicOcspResponse.Sign(made, signer, s_responder.Certificate.RawDataMemory)).Encoded;
        return new ResponseRules(credential, issuer ?? s_ca.Certificate, verifiesSignature).FindError(encoded, meant, s_now);
    }
}
