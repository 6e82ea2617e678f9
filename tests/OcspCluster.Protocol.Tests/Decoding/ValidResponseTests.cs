using System.Text.Json;

namespace OcspCluster.Protocol.Tests;

/// <summary>A sample of every structure of a response: read, compared with what its maker put in, and written again.</summary>
public class ValidResponseTests
{
    // Version v1 written out is read and never written (X.690 §11.5).
    public static TheoryData<string> Canonical => Fixture.Files(fixture => fixture is { Kind: "response", IsValid: true, File: not "responses/ok-version-explicit.der" });

    public static TheoryData<string> Answers => Fixture.Files(fixture =>
        fixture is { Kind: "response", IsValid: true, Facts: JsonElement facts } && facts.GetProperty("status").GetInt32() == 0);

    public static TheoryData<string> Errors => Fixture.Files(fixture =>
        fixture is { Kind: "response", IsValid: true, Facts: JsonElement facts } && facts.GetProperty("status").GetInt32() != 0);

    [Theory]
    [MemberData(nameof(Errors))]
    public void Error_ReadAndWritten_IsFiveOctets(string file)
    {
        OcspResponseStatus status = (OcspResponseStatus)Fixture.Get(file).Facts!.Value.GetProperty("status").GetInt32();

        OcspResponse response = OcspResponse.Decode(Fixture.Read(file));

        Assert.Equal(status, response.Status);
        Assert.Null(response.Basic);
        Assert.Equal(Fixture.Read(file), OcspResponse.FromStatus(status).Encoded.ToArray());
    }

    [Theory]
    [MemberData(nameof(Answers))]
    public void Response_Read_HasWhatItsMakerPutIn(string file)
    {
        JsonElement facts = Fixture.Get(file).Facts!.Value;

        Assert.True(OcspResponse.TryDecode(Fixture.Read(file), out OcspResponse? response, out DecodeError error));

        Assert.Equal(DecodeError.None, error);
        Assert.Equal(OcspResponseStatus.Successful, response.Status);
        BasicOcspResponse basic = response.Basic!;
        Assert.Equal(facts.GetProperty("signatureAlgorithm").GetString(), basic.SignatureAlgorithm.Oid);
        Assert.Equal(facts.GetProperty("certificates").GetInt32(), basic.Certificates.Count);

        ResponseData data = basic.Data;
        JsonProperty responder = Assert.Single(facts.GetProperty("responderId").EnumerateObject().ToArray());
        Assert.Equal(responder.Name == "byKey", data.ResponderId.IsByKey);
        Assert.Equal(responder.Value.GetString(), data.ResponderId.IsByKey ? Fixture.Hex(data.ResponderId.KeyHash) : Fixture.Hex(data.ResponderId.Name!.RawData));
        Assert.Equal(Fixture.Time(facts.GetProperty("producedAt")), data.ProducedAt);
        Assert.Equal(facts.GetProperty("nonce").GetString(), data.Nonce is OcspNonce nonce ? Fixture.Hex(nonce.Value) : null);
        ValidRequestTests.AssertExtensions(facts, data.Extensions);

        JsonElement[] singles = [.. facts.GetProperty("responses").EnumerateArray()];
        Assert.Equal(singles.Length, data.Responses.Count);
        foreach ((JsonElement expected, SingleResponse actual) in singles.Zip(data.Responses))
        {
            AssertSingle(expected, actual);
        }
    }

    [Theory]
    [MemberData(nameof(Canonical))]
    public void Response_WrittenAgain_HasSameBytes(string file)
    {
        byte[] bytes = Fixture.Read(file);
        OcspResponse response = OcspResponse.Decode(bytes);
        Assert.Equal(bytes, response.Encoded.ToArray());
        if (response.Basic is not BasicOcspResponse basic)
        {
            Assert.Equal(bytes, OcspResponse.FromStatus(response.Status).Encoded.ToArray());
            return;
        }

        ResponseData data = file.EndsWith("ok-next-before-this.der", StringComparison.Ordinal)
            ? basic.Data // a writer refuses such times
            : new ResponseData(basic.Data.ResponderId, basic.Data.ProducedAt, [.. basic.Data.Responses.Select(WriteAgain)], basic.Data.Extensions);
        BasicOcspResponse again = BasicOcspResponse.Sign(data, new ReplayingSigner(basic.SignatureAlgorithm, basic.Signature, basic.Data.Encoded), basic.Certificates);

        Assert.Equal(bytes, OcspResponse.FromBasic(again).Encoded.ToArray());
    }

    [Fact]
    public void SingleExtensions_Read_HaveTheirValues()
    {
        OcspExtensionCollection several = Extensions("single-extensions-several");

        Assert.Equal(
            new CrlReference("http://crl.example/ca.crl", 0xFF01, new DateTimeOffset(2026, 2, 28, 0, 0, 0, TimeSpan.Zero)),
            CrlReference.Read(several));
        Assert.Equal(new DateTimeOffset(2019, 3, 1, 12, 0, 0, TimeSpan.Zero), ResponseExtensions.ReadArchiveCutoff(several));
        Assert.Equal(new DateTimeOffset(2026, 2, 1, 0, 0, 0, TimeSpan.Zero), ResponseExtensions.ReadInvalidityDate(several));
        Assert.Equal(new CrlReference(), CrlReference.Read(Extensions("single-extension-crl-id-empty")));
        Assert.Equal(RevocationReason.KeyCompromise, ResponseExtensions.ReadCrlReason(Extensions("single-extension-crl-reason")));
        Assert.Equal(
            Fixture.Ca.SubjectName.RawData,
            Assert.Single(ResponseExtensions.ReadCertificateIssuer(Extensions("single-extension-certificate-issuer"))!).DirectoryName!.RawData);
        Assert.True(ResponseExtensions.HasExtendedRevoke(Read("extended-revoke").Extensions));
    }

    [Theory]
    [InlineData("good")]
    public void SingleExtensions_Absent_AreNull(string name)
    {
        OcspExtensionCollection none = Extensions(name);

        Assert.Null(CrlReference.Read(none));
        Assert.Null(ResponseExtensions.ReadArchiveCutoff(none));
        Assert.Null(ResponseExtensions.ReadInvalidityDate(none));
        Assert.Null(ResponseExtensions.ReadCrlReason(none));
        Assert.Null(ResponseExtensions.ReadCertificateIssuer(none));
        Assert.False(ResponseExtensions.HasExtendedRevoke(none));
    }

    [Theory]
    [InlineData("7")]
    [InlineData("11")]
    [InlineData("127")]
    [InlineData("minus1")]
    [InlineData("two-octets-257")]
    public void UnknownReason_WhenAllowed_IsRevokedWithoutReason(string name)
    {
        OcspResponse response = OcspResponse.Decode(Fixture.Read($"responses/d17-reason-{name}.der"), new DecodeOptions { AcceptUnknownReasons = true });

        CertStatus.RevokedStatus revoked = Assert.IsType<CertStatus.RevokedStatus>(Assert.Single(response.Basic!.Data.Responses).Status);
        Assert.Null(revoked.Reason);
    }

    private static void AssertSingle(JsonElement expected, SingleResponse actual)
    {
        ValidRequestTests.AssertCertId(expected, actual.CertId);
        ValidRequestTests.AssertExtensions(expected, actual.Extensions);
        Assert.Equal(Fixture.Time(expected.GetProperty("thisUpdate")), actual.ThisUpdate);
        Assert.Equal(Fixture.Time(expected.GetProperty("nextUpdate")), actual.NextUpdate);
        switch (expected.GetProperty("certStatus").GetString())
        {
            case "good":
                Assert.Same(CertStatus.Good, actual.Status);
                break;
            case "unknown":
                Assert.Same(CertStatus.Unknown, actual.Status);
                break;
            default:
                CertStatus.RevokedStatus revoked = Assert.IsType<CertStatus.RevokedStatus>(actual.Status);
                JsonElement reason = expected.GetProperty("reason");
                Assert.Equal(Fixture.Time(expected.GetProperty("revocationTime")), revoked.RevocationTime);
                Assert.Equal(reason.ValueKind == JsonValueKind.Null ? null : (RevocationReason)reason.GetInt32(), revoked.Reason);
                break;
        }
    }

    private static SingleResponse WriteAgain(SingleResponse single) => new(single.CertId, single.Status, single.ThisUpdate, single.NextUpdate, single.Extensions);

    private static ResponseData Read(string name) => OcspResponse.Decode(Fixture.Read($"responses/ok-{name}.der")).Basic!.Data;

    private static OcspExtensionCollection Extensions(string name) => Assert.Single(Read(name).Responses).Extensions;
}
