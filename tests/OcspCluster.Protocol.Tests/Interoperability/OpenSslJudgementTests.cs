using System.Security.Cryptography;
using System.Text;

namespace OcspCluster.Protocol.Tests;

/// <summary>openssl as an independent judge: it reads what we build and verifies what we sign.</summary>
public sealed class OpenSslJudgementTests : IDisposable
{
    private readonly DirectoryInfo _scratch = Directory.CreateTempSubdirectory("ocsp-protocol-");

    public void Dispose() => _scratch.Delete(recursive: true);

    public static TheoryData<string, string, bool> Signers => new()
    {
        { "ca-rsa", "SHA256", false },
        { "responder-rsa", "SHA256", false },
        { "responder-rsa", "SHA384", false },
        { "responder-rsa", "SHA512", false },
        { "responder-rsa", "SHA256", true },
        { "responder-rsa", "SHA384", true },
        { "responder-rsa", "SHA512", true },
        { "responder-p256", "SHA256", false },
        { "responder-p384", "SHA384", false },
        { "responder-p521", "SHA512", false },
        { "responder-dsa", "SHA256", false },
    };

    [Theory]
    [InlineData("sha1")]
    [InlineData("sha256")]
    [InlineData("sha384")]
    [InlineData("sha512")]
    public async Task Request_Built_IsReadByOpenSsl(string hashName)
    {
        CertIdHash hash = CertIdHash.All.Single(candidate => candidate.Name.Replace("-", "", StringComparison.Ordinal).Equals(hashName, StringComparison.OrdinalIgnoreCase));
        OcspNonce nonce = OcspNonce.Create();
        OcspRequest request = new OcspRequestBuilder { RequestorName = GeneralName.FromDnsName("client.example") }
            .Add(CertId.Create(Fixture.Ca, SerialNumber.ParseHex("1001"), hash))
            .Add(CertId.Create(Fixture.Ca, SerialNumber.ParseHex("-7F"), hash))
            .AddNonce(nonce)
            .Build();

        string text = await OpenSslCommand.RunAsync(_scratch, "ocsp", "-reqin", Write("request.der", request.Encoded), "-text");
        text = text.Replace("\\\n", "", StringComparison.Ordinal); // long numbers are folded

        Assert.Contains($"Hash Algorithm: {hashName}", text, StringComparison.Ordinal);
        Assert.Contains($"Issuer Name Hash: {Convert.ToHexString(hash.Compute(Fixture.Ca.SubjectName.RawData))}", text, StringComparison.Ordinal);
        Assert.Contains("Serial Number: 1001", text, StringComparison.Ordinal);
        Assert.Contains("Serial Number: -7F", text, StringComparison.Ordinal);
        Assert.Contains("Requestor Name: DNS:client.example", text, StringComparison.Ordinal);
        Assert.Contains("0420" + nonce, text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("requestor-rsa")]
    [InlineData("requestor-p256")]
    public async Task Request_Signed_IsVerifiedByOpenSsl(string name)
    {
        using var requestor = Fixture.CertificateWithKey(name);
        using OcspSigner signer = OcspSigner.FromCertificate(requestor);
        OcspRequest request = new OcspRequestBuilder { RequestorName = GeneralName.FromDirectoryName(requestor.SubjectName) }
            .Add(CertId.Create(Fixture.Ca, SerialNumber.ParseHex("1001")))
            .Sign(signer, requestor.RawData);
        string key = Write("key.pem", Encoding.ASCII.GetBytes(PemEncoding.WriteString("PUBLIC KEY", requestor.PublicKey.ExportSubjectPublicKeyInfo())));
        string signature = Write("signature", request.Signature!.Value);

        string text = await OpenSslCommand.RunAsync(_scratch, "ocsp", "-reqin", Write("request.der", request.Encoded), "-text");
        string verdict = await OpenSslCommand.RunAsync(_scratch, "dgst", "-sha256", "-verify", key, "-signature", signature, Write("tbs", request.TbsRequest));

        Assert.Contains("Signature Algorithm:", text, StringComparison.Ordinal);
        Assert.Contains("Verified OK", verdict, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Signers))]
    public async Task Response_Signed_IsVerifiedByOpenSsl(string name, string hash, bool usePss)
    {
        using var responder = Fixture.CertificateWithKey(name);
        using OcspSigner signer = OcspSigner.FromCertificate(responder, new HashAlgorithmName(hash), usePss);
        string response = Write("response.der", Answer(ResponderId.ByKey(responder), signer, name == "ca-rsa" ? [] : [responder.RawData]).Encoded);
        string ca = Fixture.PathOf("pki/ca-rsa.cert.pem");

        string verdict = await OpenSslCommand.RunAsync(_scratch, "ocsp", "-respin", response, "-issuer", ca, "-CAfile", ca);

        Assert.Contains("Response verify OK", verdict, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Response_OneOctetChanged_IsRefusedByOpenSsl()
    {
        using var responder = Fixture.CertificateWithKey("responder-p256");
        using OcspSigner signer = OcspSigner.FromCertificate(responder);
        OcspResponse answer = Answer(ResponderId.ByKey(responder), signer, [responder.RawData]);
        byte[] changed = answer.Encoded.ToArray();
        changed[changed.AsSpan().IndexOf(SHA256.HashData(Fixture.Ca.SubjectName.RawData))] ^= 1;
        string ca = Fixture.PathOf("pki/ca-rsa.cert.pem");

        string verdict = await OpenSslCommand.RunAsync(_scratch, "ocsp", "-respin", Write("response.der", changed), "-issuer", ca, "-CAfile", ca);

        Assert.Contains("Response Verify Failure", verdict, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Response_GoodRevokedUnknown_AreToldApartByOpenSsl()
    {
        using var responder = Fixture.CertificateWithKey("responder-p256");
        using OcspSigner signer = OcspSigner.FromCertificate(responder);
        string response = Write("response.der", Answer(ResponderId.ByName(responder), signer, [responder.RawData]).Encoded);
        string ca = Fixture.PathOf("pki/ca-rsa.cert.pem");

        string verdict = await OpenSslCommand.RunAsync(
            _scratch, "ocsp", "-respin", response, "-no_nonce", "-CAfile", ca, "-issuer", ca, "-sha256", "-serial", "0x1001", "-sha256", "-serial", "0x1002", "-sha256", "-serial", "0x1003");

        Assert.Contains("Response verify OK", verdict, StringComparison.Ordinal);
        Assert.Contains("0x1001: good", verdict, StringComparison.Ordinal);
        Assert.Contains("0x1002: revoked", verdict, StringComparison.Ordinal);
        Assert.Contains("Reason: superseded", verdict, StringComparison.Ordinal);
        Assert.Contains("Revocation Time: Feb 15 08:30:00 2026 GMT", verdict, StringComparison.Ordinal);
        Assert.Contains("0x1003: unknown", verdict, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("subject-small")]
    [InlineData("subject-high-bit")]
    [InlineData("subject-20-octets")]
    public async Task SerialNumber_OfCertificate_IsWhatOpenSslPrints(string name)
    {
        using var certificate = Fixture.Certificate(name);

        string printed = await OpenSslCommand.RunAsync(_scratch, "x509", "-noout", "-serial", "-in", Fixture.PathOf($"pki/{name}.cert.pem"));

        Assert.Equal($"serial={SerialNumber.FromCertificate(certificate)}", printed.Trim());
    }

    private static OcspResponse Answer(ResponderId responderId, OcspSigner signer, ReadOnlyMemory<byte>[] certificates)
    {
        DateTimeOffset thisUpdate = TimeProvider.System.GetUtcNow().AddHours(-1); // openssl judges times by its own clock
        SingleResponse Single(string serial, CertStatus status) => new(
            CertId.Create(Fixture.Ca, SerialNumber.ParseHex(serial), CertIdHash.Sha256), status, thisUpdate, thisUpdate.AddDays(7));
        ResponseData data = new(
            responderId,
            thisUpdate.AddHours(1),
            [
                Single("1001", CertStatus.Good),
                Single("1002", CertStatus.Revoked(new DateTimeOffset(2026, 2, 15, 8, 30, 0, TimeSpan.Zero), RevocationReason.Superseded)),
                Single("1003", CertStatus.Unknown),
            ],
            new OcspExtensionCollection([OcspNonce.Create().ToExtension()]));
        return OcspResponse.FromBasic(BasicOcspResponse.Sign(data, signer, certificates));
    }

    private string Write(string name, ReadOnlyMemory<byte> content)
    {
        string path = Path.Combine(_scratch.FullName, name);
        File.WriteAllBytes(path, content.Span);
        return path;
    }
}
