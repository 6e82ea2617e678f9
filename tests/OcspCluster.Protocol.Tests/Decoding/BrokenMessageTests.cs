namespace OcspCluster.Protocol.Tests;

/// <summary>Conformance D, R and C8: one message per broken rule, each with its named outcome.</summary>
public class BrokenMessageTests
{
    public static TheoryData<string> BrokenRequests => Fixture.Files(fixture => fixture is { Kind: "request", Error: not DecodeError.None });

    public static TheoryData<string> BrokenResponses => Fixture.Files(fixture => fixture is { Kind: "response", Error: not DecodeError.None });

    public static TheoryData<string> BrokenExtensionValues => Fixture.Files(fixture => fixture.InvalidExtension is not null);

    [Theory]
    [MemberData(nameof(BrokenRequests))]
    public void Request_Broken_HasNamedOutcome(string file)
    {
        Fixture fixture = Fixture.Get(file);

        Assert.False(OcspRequest.TryDecode(fixture.Bytes, out OcspRequest? request, out DecodeError error, Fixture.Options));

        Assert.Null(request);
        Assert.Equal(fixture.Error, error);
        Assert.Equal(fixture.Error, Assert.Throws<OcspFormatException>(() => OcspRequest.Decode(fixture.Bytes, Fixture.Options)).Error);
    }

    [Theory]
    [MemberData(nameof(BrokenResponses))]
    public void Response_Broken_HasNamedOutcome(string file)
    {
        Fixture fixture = Fixture.Get(file);

        Assert.False(OcspResponse.TryDecode(fixture.Bytes, out OcspResponse? response, out DecodeError error, Fixture.Options));

        Assert.Null(response);
        Assert.Equal(fixture.Error, error);
        Assert.Equal(fixture.Error, Assert.Throws<OcspFormatException>(() => OcspResponse.Decode(fixture.Bytes, Fixture.Options)).Error);
    }

    [Theory]
    [MemberData(nameof(BrokenExtensionValues))]
    public void SingleExtension_BrokenValue_IsInvalidWhenRead(string file)
    {
        Fixture fixture = Fixture.Get(file);
        OcspExtensionCollection extensions = Assert.Single(OcspResponse.Decode(fixture.Bytes).Basic!.Data.Responses).Extensions;

        OcspFormatException exception = Assert.Throws<OcspFormatException>(() => ReadExtension(extensions, fixture.InvalidExtension!));

        Assert.Equal(DecodeError.InvalidExtension, exception.Error);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Message_CutAtAnyOctet_IsRefused(bool isResponse)
    {
        byte[] whole = Fixture.Read(isResponse ? "responses/ok-single-extensions-several.der" : "requests/ok-all-extensions.der");
        for (int length = 0; length < whole.Length; length++)
        {
            ReadOnlyMemory<byte> cut = whole.AsMemory(0, length);
            bool isRead = isResponse ? OcspResponse.TryDecode(cut, out _, out DecodeError error) : OcspRequest.TryDecode(cut, out _, out error);

            Assert.False(isRead);
            Assert.Equal(DecodeError.MalformedDer, error);
        }
    }

    [Fact]
    public void Manifest_EveryDecodeError_HasFixture()
    {
        IEnumerable<DecodeError> covered = Fixture.All.Select(fixture => fixture.Error)
            .Concat(Fixture.All.Any(fixture => fixture.InvalidExtension is not null) ? [DecodeError.InvalidExtension] : [])
            .Distinct();

        Assert.Equal(Enum.GetValues<DecodeError>().Except(Crls.CertificateListTests.Errors).Order(), covered.Order());
    }

    [Fact]
    public void Manifest_EveryFile_HasRow()
    {
        string[] folders = ["requests", "responses", "captured"];
        IEnumerable<string> files = folders
            .SelectMany(folder => Directory.EnumerateFiles(Fixture.PathOf(folder), "*.der").Select(path => $"{folder}/{Path.GetFileName(path)}"));

        Assert.Equal(files.Order(StringComparer.Ordinal), Fixture.All.Select(fixture => fixture.File).Order(StringComparer.Ordinal));
    }

    internal static object? ReadExtension(OcspExtensionCollection extensions, string oid) => oid switch
    {
        CrlReference.ExtensionOid => CrlReference.Read(extensions),
        ServiceLocator.ExtensionOid => ServiceLocator.Read(extensions),
        ResponseExtensions.ArchiveCutoffOid => ResponseExtensions.ReadArchiveCutoff(extensions),
        ResponseExtensions.InvalidityDateOid => ResponseExtensions.ReadInvalidityDate(extensions),
        ResponseExtensions.CrlReasonOid => ResponseExtensions.ReadCrlReason(extensions),
        ResponseExtensions.CertificateIssuerOid => ResponseExtensions.ReadCertificateIssuer(extensions),
        ResponseExtensions.ExtendedRevokeOid => ResponseExtensions.HasExtendedRevoke(extensions),
        _ => throw new ArgumentOutOfRangeException(nameof(oid), oid, "No reader for this extension."),
    };
}
