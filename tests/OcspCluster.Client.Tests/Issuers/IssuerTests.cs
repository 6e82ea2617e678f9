using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using OcspCluster.Protocol;
using OcspCluster.Testing;

namespace OcspCluster.Client.Tests;

/// <summary>How the issuer is found: at hand, or by AIA caIssuers in each of its forms (RFC 5280 §4.2.2.1).</summary>
public sealed class IssuerTests
{
    public static TheoryData<string> Forms => ["DER", "PEM", "PKCS7", "PKCS7 in PEM", "PEM bundle", "base64", "OpenSSL PKCS7"];

    [Theory]
    [MemberData(nameof(Forms))]
    public async Task Issuer_ServedInAnyForm_IsFound(string form)
    {
        using TestAuthority root = TestAuthority.CreateRoot();
        using TestAuthority other = TestAuthority.CreateRoot("Other");
        byte[] file = File(form, root.Certificate, other.Certificate);
        await using LoopbackServer server = new(request => request.Method == "GET" && request.Target == "/ca"
            ? LoopbackReply.Ok(file, "application/octet-stream")
            : LoopbackReply.Ok(root.Respond(OcspRequest.Decode(TestResponder.RequestIn(request)), CertStatus.Good)));
        using X509Certificate2 leaf = root.Issue(new LeafProfile { Responders = [server.Uri], Issuers = [new Uri(server.Uri, "ca")] });
        using OcspClient client = new(TestResponder.Options);

        RevocationVerdict verdict = await client.CheckAsync(leaf);

        Assert.Equal(RevocationStatus.Good, verdict.Status);
        Assert.Equal(root.Certificate, verdict.Issuer);
    }

    [Fact]
    public async Task Issuer_AtHand_IsNotFetched()
    {
        await using TestResponder responder = new();
        using TestAuthority namesake = TestAuthority.CreateRoot(); // the same name: only the signature tells them apart
        using OcspClient byCandidate = new(TestResponder.Options with { FetchIssuers = false });
        using OcspClient byStore = new(TestResponder.Options with { FetchIssuers = false, KnownIssuers = [namesake.Certificate, responder.Authority.Certificate] });

        Assert.Equal(RevocationStatus.Good, (await byCandidate.CheckAsync(responder.Leaf, [namesake.Certificate, responder.Authority.Certificate])).Status);
        Assert.Equal(RevocationStatus.Good, (await byStore.CheckAsync(responder.Leaf)).Status);
        Assert.Equal(RevocationFailure.IssuerNotFound, (await byCandidate.CheckAsync(responder.Leaf)).Failure);
    }

    [Fact]
    public async Task Issuer_ServedByAnImpostor_IsNotTaken()
    {
        using TestAuthority root = TestAuthority.CreateRoot();
        using TestAuthority impostor = TestAuthority.CreateRoot();
        await using LoopbackServer server = new(_ => LoopbackReply.Ok(impostor.Certificate.RawData));
        using X509Certificate2 leaf = root.Issue(new LeafProfile { Issuers = [server.Uri] });
        using OcspClient client = new(TestResponder.Options);

        RevocationVerdict verdict = await client.CheckAsync(leaf);

        Assert.Equal(RevocationFailure.IssuerNotFound, verdict.Failure);
        Assert.Contains("did not issue", verdict.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("<html>404</html>")]
    [InlineData("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----")]
    [InlineData("-----BEGIN PKCS7-----\nMAA=\n-----END PKCS7-----")]
    [InlineData("-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----")]
    [InlineData("AAAA")]
    [InlineData("0")]
    public void File_OfAnythingElse_HasNoCertificate(string content) => Assert.Empty(CertificateFile.Read(Encoding.ASCII.GetBytes(content), 16));

    [Fact]
    public void File_CutAtEveryOctet_NeverThrows()
    {
        using TestAuthority root = TestAuthority.CreateRoot();
        foreach (string form in new[] { "DER", "PKCS7", "PEM", "PKCS7 in PEM" })
        {
            byte[] file = File(form, root.Certificate, root.Certificate);
            for (int length = 0; length < file.Length; length++)
            {
                Assert.InRange(CertificateFile.Read(file.AsMemory(0, length), 16).Count, 0, 1);
            }
        }
    }

    [Fact]
    public void File_OfAThousandCertificates_IsReadUpToTheBound()
    {
        using TestAuthority root = TestAuthority.CreateRoot();
        string bundle = string.Concat(Enumerable.Repeat(root.Certificate.ExportCertificatePem() + "\n", 1000));

        Assert.Equal(16, CertificateFile.Read(Encoding.ASCII.GetBytes(bundle), 16).Count);
    }

    [Fact]
    public async Task Chain_ByAia_IsFoundToItsRoot()
    {
        using TestAuthority root = TestAuthority.CreateRoot();
        await using LoopbackServer rootServer = new(_ => LoopbackReply.Ok(root.Certificate.RawData));
        using TestAuthority middle = root.IssueCa("Middle", new LeafProfile { Issuers = [rootServer.Uri] });
        await using LoopbackServer middleServer = new(_ => LoopbackReply.Ok(middle.Certificate.RawData));
        using X509Certificate2 leaf = middle.Issue(new LeafProfile { Issuers = [middleServer.Uri] });
        using OcspClient client = new(TestResponder.Options);

        IReadOnlyList<X509Certificate2> chain = await client.FindChainAsync(leaf);

        Assert.Equal([leaf, middle.Certificate, root.Certificate], chain);
    }

    [Fact]
    public async Task Chain_OfTwoThatCertifiedEachOther_Ends()
    {
        using TestAuthority a = TestAuthority.CreateRoot("A");
        using TestAuthority b = TestAuthority.CreateRoot("B");
        using X509Certificate2 aByB = b.Issue(a.Key, new LeafProfile { Name = "A", IsCa = true });
        using X509Certificate2 bByA = a.Issue(b.Key, new LeafProfile { Name = "B", IsCa = true });
        using X509Certificate2 leaf = a.Issue();
        using OcspClient client = new(TestResponder.Options);

        IReadOnlyList<X509Certificate2> chain = await client.FindChainAsync(leaf, [aByB, bByA]);

        Assert.Equal([leaf, aByB, bByA], chain);
    }

    [Fact]
    public async Task Chain_ThatNeverEnds_IsFollowedUpToTheBound()
    {
        // Each issuer is served by the one below it; there are more than the client follows.
        List<TestAuthority> authorities = [TestAuthority.CreateRoot("0")];
        await using LoopbackServer server = new(request => LoopbackReply.Ok(authorities[int.Parse(request.Target[1..], System.Globalization.CultureInfo.InvariantCulture)].Certificate.RawData));
        for (int i = 1; i <= 12; i++)
        {
            authorities.Add(authorities[^1].IssueCa($"{i}", new LeafProfile { Issuers = [new Uri(server.Uri, $"{i - 1}")] }));
        }

        using OcspClient client = new(TestResponder.Options);

        Assert.Equal(8, (await client.FindChainAsync(authorities[^1].Certificate)).Count);
        Assert.Equal(7, server.Requests.Count);
        authorities.ForEach(authority => authority.Dispose());
    }

    [Fact]
    public async Task CheckChain_RevokedIntermediate_DecidesThoughTheLeafIsGood()
    {
        using TestAuthority root = TestAuthority.CreateRoot();
        TestAuthority? middle = null;
        await using LoopbackServer ofRoot = new(request => LoopbackReply.Ok(root.Respond(OcspRequest.Decode(TestResponder.RequestIn(request)), CertStatus.Revoked(TestAuthority.Now.AddDays(-1), RevocationReason.CaCompromise))));
        await using LoopbackServer ofMiddle = new(request => LoopbackReply.Ok(middle!.Respond(OcspRequest.Decode(TestResponder.RequestIn(request)), CertStatus.Good)));
        middle = root.IssueCa("Middle", new LeafProfile { Responders = [ofRoot.Uri] });
        using X509Certificate2 leaf = middle.Issue(new LeafProfile { Responders = [ofMiddle.Uri] });
        using OcspClient client = new(TestResponder.Options);

        ChainVerdict verdict = await client.CheckChainAsync([leaf, middle.Certificate, root.Certificate]);

        Assert.Equal([RevocationStatus.Good, RevocationStatus.Revoked], verdict.Certificates.Select(one => one.Status));
        Assert.Equal(RevocationStatus.Revoked, verdict.Status);
        Assert.Equal(middle.Certificate, verdict.Decisive.Certificate);
        Assert.False(RevocationPolicy.SoftFail.Accepts(verdict));
        await Assert.ThrowsAsync<ArgumentException>(() => client.CheckChainAsync([root.Certificate]));
        middle.Dispose();
    }

    private static byte[] File(string form, X509Certificate2 issuer, X509Certificate2 other) => form switch
    {
        "DER" => issuer.RawData,
        "PEM" => Encoding.ASCII.GetBytes(issuer.ExportCertificatePem()),
        "PEM bundle" => Encoding.ASCII.GetBytes("# of a CA\n" + other.ExportCertificatePem() + "\n" + issuer.ExportCertificatePem()),
        "base64" => Encoding.ASCII.GetBytes(Convert.ToBase64String(issuer.RawData, Base64FormattingOptions.InsertLineBreaks)),
        "PKCS7" => Pkcs7(other, issuer),
        "PKCS7 in PEM" => Encoding.ASCII.GetBytes(PemEncoding.WriteString("PKCS7", Pkcs7(other, issuer))),
        _ => OpenSslPkcs7(issuer),
    };

    private static byte[] OpenSslPkcs7(X509Certificate2 issuer)
    {
        Assert.SkipWhen(ExternalTool.Find("openssl") is null, "This machine has no openssl.");
        using OpenSsl openssl = new();
        openssl.Write("ca.pem", issuer.ExportCertificatePem() + "\n");
        openssl.Run("crl2pkcs7 -nocrl -certfile ca.pem -outform DER -out ca.p7c");
        return openssl.Read("ca.p7c");
    }

    // certs-only SignedData, of indefinite length as Windows CAs serve it
    private static byte[] Pkcs7(params X509Certificate2[] certificates)
    {
        byte[] signedData = Der.Sequence(Der.Number(1), Der.Tlv(0x31), Der.Sequence(Der.Oid("1.2.840.113549.1.7.1")), Der.Explicit(0, [.. certificates.Select(one => one.RawData)]), Der.Tlv(0x31));
        return [0x30, 0x80, .. Der.Oid("1.2.840.113549.1.7.2"), 0xA0, 0x80, .. signedData, 0, 0, 0, 0];
    }
}
