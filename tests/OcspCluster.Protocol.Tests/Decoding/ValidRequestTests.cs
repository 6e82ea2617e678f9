using System.Text.Json;

namespace OcspCluster.Protocol.Tests;

/// <summary>A sample of every structure of a request: read, compared with what its maker put in, and written again.</summary>
public class ValidRequestTests
{
    public static TheoryData<string> Valid => Fixture.Files(fixture => fixture is { Kind: "request", IsValid: true });

    public static TheoryData<string> WithFacts => Fixture.Files(fixture => fixture is { Kind: "request", IsValid: true, Facts: not null });

    [Theory]
    [MemberData(nameof(WithFacts))]
    public void Request_Read_HasWhatItsMakerPutIn(string file)
    {
        JsonElement facts = Fixture.Get(file).Facts!.Value;

        Assert.True(OcspRequest.TryDecode(Fixture.Read(file), out OcspRequest? request, out DecodeError error, Fixture.Options));

        Assert.Equal(DecodeError.None, error);
        Assert.Equal(facts.GetProperty("explicitVersion").GetBoolean(), request.HasExplicitVersion);
        Assert.Equal(facts.GetProperty("requestorName").GetString(), request.RequestorName is GeneralName name ? Fixture.Hex(name.Encoded) : null);
        Assert.Equal(facts.GetProperty("nonce").GetString(), request.Nonce is OcspNonce nonce ? Fixture.Hex(nonce.Value) : null);
        Assert.Equal(facts.GetProperty("signatureAlgorithm").GetString(), request.Signature?.Algorithm.Oid);
        Assert.Equal(facts.GetProperty("certificates").GetInt32(), request.Signature?.Certificates.Count ?? 0);
        AssertExtensions(facts, request.Extensions);

        JsonElement[] singles = [.. facts.GetProperty("requests").EnumerateArray()];
        Assert.Equal(singles.Length, request.Requests.Count);
        foreach ((JsonElement expected, SingleRequest actual) in singles.Zip(request.Requests))
        {
            AssertCertId(expected, actual.CertId);
            AssertExtensions(expected, actual.Extensions);
        }
    }

    [Theory]
    [MemberData(nameof(Valid))]
    public void Request_WrittenAgain_HasSameBytes(string file)
    {
        byte[] bytes = Fixture.Read(file);
        OcspRequest request = OcspRequest.Decode(bytes, Fixture.Options);
        OcspRequestBuilder builder = new(request);

        OcspRequest again = request.Signature is null
            ? builder.Build()
            : builder.Sign(new ReplayingSigner(request.Signature.Algorithm, request.Signature.Value, request.TbsRequest), request.Signature.Certificates);

        Assert.Equal(bytes, again.Encoded.ToArray());
        Assert.Equal(bytes, request.Encoded.ToArray());
    }

    [Fact]
    public void AcceptableResponses_Read_AreOids()
    {
        Assert.Equal([AcceptableResponses.Basic], Read("ok-acceptable-responses").AcceptableResponseTypes!);
        Assert.Equal(["1.3.6.1.4.1.99999.4"], Read("ok-acceptable-responses-other").AcceptableResponseTypes!);
        Assert.Empty(Read("ok-acceptable-responses-empty").AcceptableResponseTypes!);
        Assert.Null(Read("ok-one").AcceptableResponseTypes);
    }

    [Fact]
    public void PreferredSignatureAlgorithms_Read_KeepTheirOrder()
    {
        IReadOnlyList<PreferredSignatureAlgorithm> preferences = Read("ok-preferred-signature-algorithms").PreferredSignatureAlgorithms!;

        Assert.Equal(
            [
                new PreferredSignatureAlgorithm(new AlgorithmIdentifier("1.2.840.10045.4.3.2")),
                new PreferredSignatureAlgorithm(AlgorithmIdentifier.WithNull("1.2.840.113549.1.1.11"), AlgorithmIdentifier.WithNull("1.2.840.113549.1.1.1")),
            ],
            preferences);
    }

    [Fact]
    public void ServiceLocator_Read_HasIssuerAndAccess()
    {
        ServiceLocator? full = ServiceLocator.Read(Assert.Single(Read("ok-service-locator").Requests).Extensions);
        ServiceLocator? bare = ServiceLocator.Read(Assert.Single(Read("ok-service-locator-without-locator").Requests).Extensions);

        Assert.Equal(Fixture.Ca.SubjectName.RawData, full!.Issuer.RawData);
        Assert.Equal("3022302006082B060105050730018614" + Convert.ToHexString("http://ocsp.example/"u8), Convert.ToHexString(full.AuthorityInfoAccess.Span));
        Assert.Equal(Fixture.Ca.SubjectName.RawData, bare!.Issuer.RawData);
        Assert.True(bare.AuthorityInfoAccess.IsEmpty);
    }

    [Theory]
    [InlineData("otherName", GeneralNameKind.OtherName, null)]
    [InlineData("rfc822Name", GeneralNameKind.Rfc822Name, "who@example")]
    [InlineData("dNSName", GeneralNameKind.DnsName, "client.example")]
    [InlineData("x400Address", GeneralNameKind.X400Address, null)]
    [InlineData("directoryName", GeneralNameKind.DirectoryName, null)]
    [InlineData("ediPartyName", GeneralNameKind.EdiPartyName, null)]
    [InlineData("uniformResourceIdentifier", GeneralNameKind.UniformResourceIdentifier, "https://client.example/")]
    [InlineData("iPAddress", GeneralNameKind.IpAddress, null)]
    [InlineData("registeredID", GeneralNameKind.RegisteredId, null)]
    public void RequestorName_OfEachForm_HasKindAndText(string form, GeneralNameKind kind, string? text)
    {
        GeneralName name = Read("ok-requestor-" + form).RequestorName!;

        Assert.Equal(kind, name.Kind);
        Assert.Equal(text, name.Text);
        Assert.Equal(kind == GeneralNameKind.DirectoryName ? Fixture.Ca.SubjectName.RawData : null, name.DirectoryName?.RawData);
    }

    [Fact]
    public void Nonce_RawWhenAllowed_IsKeptAsItIs()
    {
        OcspRequest request = OcspRequest.Decode(Fixture.Read("requests/r27-nonce-raw.der"), new DecodeOptions { AcceptRawNonce = true });

        Assert.True(request.Nonce!.IsRaw);
        Assert.Equal("808182838485868788898a8b8c8d8e8f", Fixture.Hex(request.Nonce.Value));
        Assert.Equal(Fixture.Read("requests/r27-nonce-raw.der"), new OcspRequestBuilder(request).Build().Encoded.ToArray());
    }

    [Theory]
    [InlineData(32, true)]
    [InlineData(33, false)]
    [InlineData(128, false)]
    public void Nonce_UnderRfc8954_HasAtMost32Octets(int size, bool isAccepted)
    {
        bool isRead = OcspRequest.TryDecode(Fixture.Read($"requests/ok-nonce-{size}.der"), out _, out DecodeError error, new DecodeOptions { MaxNonceBytes = 32 });

        Assert.Equal(isAccepted, isRead);
        Assert.Equal(isAccepted ? DecodeError.None : DecodeError.InvalidNonce, error);
    }

    [Theory]
    [InlineData("requestExtensions")]
    [InlineData("singleRequestExtensions")]
    public void EmptyExtensions_WhenAllowed_AreAbsent(string field)
    {
        OcspRequest request = OcspRequest.Decode(Fixture.Read($"requests/d13-empty-{field}.der"), new DecodeOptions { AcceptEmptyExtensions = true });

        Assert.Empty(field == "requestExtensions" ? request.Extensions : Assert.Single(request.Requests).Extensions);
    }

    internal static void AssertCertId(JsonElement expected, CertId actual)
    {
        Assert.Equal(expected.GetProperty("hashAlgorithm").GetString(), actual.HashAlgorithm.Oid);
        Assert.Equal(expected.GetProperty("parameters").GetString(), actual.HashAlgorithm.HasNullParameters ? "null" : "absent");
        Assert.Equal(expected.GetProperty("issuerNameHash").GetString(), Fixture.Hex(actual.IssuerNameHash));
        Assert.Equal(expected.GetProperty("issuerKeyHash").GetString(), Fixture.Hex(actual.IssuerKeyHash));
        Assert.Equal(expected.GetProperty("serialNumber").GetString(), Convert.ToHexStringLower(actual.SerialNumber.Content));
    }

    internal static void AssertExtensions(JsonElement owner, OcspExtensionCollection actual) => Assert.Equal(
        owner.GetProperty("extensions").EnumerateArray().Select(e => (e.GetProperty("oid").GetString()!, e.GetProperty("critical").GetBoolean(), e.GetProperty("value").GetString()!)),
        actual.Select(e => (e.Oid, e.IsCritical, Fixture.Hex(e.Value))));

    private static OcspRequest Read(string name) => OcspRequest.Decode(Fixture.Read($"requests/{name}.der"));
}
