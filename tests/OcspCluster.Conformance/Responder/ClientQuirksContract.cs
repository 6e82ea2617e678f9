using System.Security.Cryptography;
using OcspCluster.Testing;
using static OcspCluster.Conformance.Questions;

namespace OcspCluster.Conformance;

/// <summary>Requests in the very form of known clients, and what these clients ask of the answer (rules Q1–Q19, Q22).</summary>
public abstract class ClientQuirksContract(SharedHosts shared) : ResponderContract(shared)
{
    [Theory]
    [InlineData(16)] // Q1: OpenSSL
    [InlineData(23)] // Q2: GnuTLS
    [InlineData(0)] // Q11, Q14: Apache and stunnel send none
    public async Task Q1_Q2_Q11_Q14_PostOverHttp10_HostWithoutPort_Answered(int nonceLength)
    {
        IResponderHost host = await DefaultAsync();
        byte[] nonce = RandomNumberGenerator.GetBytes(nonceLength);
        RawOcspRequest request = AskAlpha(Known.Good, Known.Revoked);
        byte[] body = (nonceLength == 0 ? request : request.WithNonce(nonce)).Encode();
        RawHttpResponse response = await RawHttp.SendAsync(host.OcspUri, RawHttp.Message(
            "POST / HTTP/1.0",
            ["Host: 127.0.0.1", "Content-Type: application/ocsp-request", $"Content-Length: {body.Length}"],
            body));
        RawOcspResponse answer = response.Ocsp().MustAnswer(Issuers.Alpha, AlphaId(Known.Good), AlphaId(Known.Revoked));
        Assert.Equal(nonceLength == 0 ? null : nonce, answer.Nonce);
    }

    [Fact]
    public async Task Q3_Nss_GetThenPostAfterAnError_WithAcceptableResponses()
    {
        IResponderHost host = await DefaultAsync();
        byte[] serial = TestPki.RandomSerial();
        RawOcspRequest request = AskAlpha(serial).With(new RawExtension(OcspOids.AcceptableResponses, Der.Sequence(Der.Oid(OcspOids.Basic))));
        byte[] body = request.Encode();
        byte[] get = RawHttp.Message($"GET /{GetTarget.Escaped(body)} HTTP/1.0", ["Host: 127.0.0.1"], []);
        (await RawHttp.SendAsync(host.OcspUri, get)).Ocsp().MustBe(Unauthorized);

        // Between the two the certificate is issued: the error of the GET must not answer the POST.
        await host.SubmitAsync("alpha", [Events.Issued(serial)]);
        byte[] post = RawHttp.Message("POST / HTTP/1.0", ["Host: 127.0.0.1", "Content-Type: application/ocsp-request", $"Content-Length: {body.Length}"], body);
        (await RawHttp.SendAsync(host.OcspUri, post)).Ocsp().MustAnswer(Issuers.Alpha, AlphaId(serial));
        (await RawHttp.SendAsync(host.OcspUri, get)).Ocsp().MustAnswer(Issuers.Alpha, AlphaId(serial));
    }

    [Fact]
    public async Task Q4_Botan_VersionWrittenOut_PostOverHttp10()
    {
        IResponderHost host = await DefaultAsync();
        byte[] body = (AskAlpha(Known.Held) with { Version = Der.Number(0x00) }).Encode();
        RawHttpResponse response = await RawHttp.SendAsync(host.OcspUri, RawHttp.Message(
            "POST / HTTP/1.0",
            ["Host: ocsp.example.test", "Accept: */*", "Cache-Control: no-cache", $"Content-Length: {body.Length}", "Content-Type: application/ocsp-request"],
            body));
        response.Ocsp().MustAnswer(Issuers.Alpha, AlphaId(Known.Held));
    }

    [Fact]
    public async Task Q5_Firefox_DelegateIsInCerts()
    {
        IResponderHost host = await DefaultAsync();
        RawOcspResponse answer = (await host.AskAsync(AskAlpha(Known.Good))).MustAnswer(Issuers.Alpha, AlphaId(Known.Good));
        Assert.Equal(Issuers.Alpha.Responder.Certificate.RawData, answer.Certificates![0]);
    }

    [Fact]
    public async Task Q6_Q13_NoCriticalExtension_InAnyAnswer()
    {
        IResponderHost host = await SharedAsync("extended", Issuers.AlphaWith(("Unissued", "Revoked")));
        DateTimeOffset past = host.Clock.GetUtcNow().AddDays(-1);
        byte[] expired = TestPki.RandomSerial();
        await host.SubmitAsync("alpha", [Events.Issued(expired, past), Events.Revoked(expired) with { InvalidityDate = past }]);
        foreach (byte[] serial in new[] { Known.Good, Known.Revoked, Known.Unissued, expired })
        {
            RawOcspResponse answer = (await host.AskAsync(AskAlpha(serial).WithNonce(new byte[16]))).MustAnswer(Issuers.Alpha, AlphaId(serial));
            Assert.All([.. answer.Extensions!, .. answer.Singles[0].Extensions ?? []], extension => Assert.False(extension.Critical, extension.Oid));
        }
    }

    [Fact]
    public async Task Q7_Windows_ConditionalGetThenPost()
    {
        IResponderHost host = await DefaultAsync();
        string target = "/" + GetTarget.Escaped(AskAlpha(Known.Good).Encode());
        string[] headers = ["Accept: */*", "User-Agent: Microsoft-CryptoAPI/10.0", "Cache-Control: max-age = 7200"];
        RawHttpResponse first = await host.GetAsync(target, headers);
        first.Ocsp().MustAnswer(Issuers.Alpha, AlphaId(Known.Good));
        string[] conditions = [$"If-Modified-Since: {first.Header("Last-Modified")}", $"If-None-Match: {first.Header("ETag")}"];
        Assert.Equal(304, (await host.GetAsync(target, [.. headers, .. conditions])).StatusCode);
        (await host.PostAsync(AskAlpha(Known.Good).Encode(), "User-Agent: Microsoft-CryptoAPI/10.0")).Ocsp().MustBe(Successful);
    }

    [Fact]
    public async Task Q9_Java_CertIdIsEchoedWithItsParameters()
    {
        // Strict CertID equality, SHA-1 with NULL, GET up to 255 octets and else POST with its Accept header.
        IResponderHost host = await DefaultAsync();
        string[] accept = ["Accept: text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", "User-Agent: Java/17"];
        (await host.GetAsync("/" + GetTarget.Escaped(AskAlpha(Known.Good).Encode()), accept)).Ocsp().MustAnswer(Issuers.Alpha, AlphaId(Known.Good));
        (await host.PostAsync(AskAlpha(Known.Good).Encode(), accept)).Ocsp().MustAnswer(Issuers.Alpha, AlphaId(Known.Good));
    }

    [Fact]
    public async Task Q10_Nginx_GetOverHttp10FullyEscaped_AnswerIsSmall()
    {
        IResponderHost host = await DefaultAsync();
        byte[] body = AskAlpha(Known.Awkward).Encode();
        RawHttpResponse response = await RawHttp.SendAsync(host.OcspUri, RawHttp.Message($"GET /{GetTarget.Escaped(body)} HTTP/1.0", ["Host: 127.0.0.1"], []));
        Assert.Equal("application/ocsp-response", response.Header("Content-Type"));
        Assert.InRange(response.Body.Length, 1, 16_000);
        response.Ocsp().MustAnswer(Issuers.Alpha, AlphaId(Known.Awkward));
    }

    [Fact]
    public async Task Q12_HaProxy_OneSingleAndNextUpdateFarEnough()
    {
        IResponderHost host = await OwnAsync(Issuers.AlphaWith(("Validity", "08:00:00")));
        for (int i = 0; i < 40; i++)
        {
            RawHttpResponse response = await host.GetAsync(AskAlpha(Known.Good));
            RawSingleResponse single = Assert.Single(response.Ocsp().Singles);
            Assert.True(single.NextUpdateTime - host.Clock.GetUtcNow() > TimeSpan.FromMinutes(5), "HAProxy refuses an answer that has five minutes left or less.");
            host.Clock.Advance(TimeSpan.FromMinutes(13));
        }
    }

    [Fact]
    public async Task Q13_Go_FirstCertificateIsTheSigner_GzipOfferedIsNotTaken()
    {
        IResponderHost host = await DefaultAsync();
        RawHttpResponse response = await host.PostAsync(AskAlpha(Known.Good).Encode(), "User-Agent: Go-http-client/1.1", "Accept-Encoding: gzip");
        Assert.Null(response.Header("Content-Encoding"));
        RawOcspResponse answer = response.Ocsp();
        Assert.Single(answer.Singles);
        Assert.Equal(Issuers.Alpha.Responder.Certificate.RawData, answer.Certificates![0]);
    }

    [Fact]
    public async Task Q15_Q17_SmallBuffers_AnswerUnder2KB()
    {
        IResponderHost host = await DefaultAsync();
        Assert.InRange((await host.PostAsync(AskAlpha(Known.Revoked).WithNonce(new byte[32]).Encode())).Body.Length, 1, 2_048);
    }

    [Fact]
    public async Task Q17_Appliances_RawUnescapedGetWithNonce()
    {
        IResponderHost host = await DefaultAsync();
        byte[] nonce = RandomNumberGenerator.GetBytes(16);
        RawHttpResponse response = await host.GetAsync("/" + GetTarget.Raw(AskAlpha(Known.Good).WithNonce(nonce).Encode()));
        Assert.Equal(nonce, response.Ocsp().MustAnswer(Issuers.Alpha, AlphaId(Known.Good)).Nonce);
    }

    [Fact]
    public async Task Q19_Proxies_UnescapeRecaseAndAddSlashes_Answered_MergedSlashesAreRefusedCleanly()
    {
        IResponderHost host = await DefaultAsync();
        byte[] request = AskAlpha(Known.Awkward).Encode();
        string escaped = GetTarget.Escaped(request);
        foreach (string target in new[]
        {
            escaped.Replace("%2F", "/", StringComparison.Ordinal),
            escaped.Replace("%2F", "%2f", StringComparison.Ordinal).Replace("%3D", "%3d", StringComparison.Ordinal),
            "/" + escaped,
            escaped + "/",
            escaped + "?",
        })
        {
            (await host.GetAsync("/" + target)).Ocsp().MustAnswer(Issuers.Alpha, AlphaId(Known.Awkward));
        }

        // Merged slashes are lost octets: no answer can be right, so none may be successful.
        (await host.GetAsync("/" + GetTarget.Raw(request).Replace("//", "/", StringComparison.Ordinal))).Ocsp().MustBe(MalformedRequest);
    }

    [Fact]
    public async Task Q22_SlowClocks_ThisUpdateIsNeverAhead()
    {
        IResponderHost host = await OwnAsync(Issuers.AlphaWith());
        foreach (TimeSpan step in new[] { TimeSpan.Zero, TimeSpan.FromDays(1), TimeSpan.FromDays(3), TimeSpan.FromDays(30) })
        {
            host.Clock.Advance(step);
            foreach (byte[] serial in new[] { Known.Good, Known.Revoked })
            {
                Assert.True((await host.AskOneAsync(AlphaId(serial))).ThisUpdateTime <= host.Clock.GetUtcNow());
            }
        }
    }
}
