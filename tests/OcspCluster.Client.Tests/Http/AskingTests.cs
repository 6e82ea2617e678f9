using System.Security.Cryptography.X509Certificates;
using OcspCluster.Protocol;

namespace OcspCluster.Client.Tests;

/// <summary>How a responder is asked: GET or POST, again, and the next one (RFC 6960 appendix A, RFC 9919 §6).</summary>
public sealed class AskingTests
{
    [Fact]
    public async Task Get_OverThousandsOfSerials_IsEscapedSoThatItIsReadBack()
    {
        Uri responder = new("http://ocsp.example/a/");
        using TestAuthority authority = TestAuthority.CreateRoot();
        Random random = new(5);
        for (int i = 0; i < 3000; i++)
        {
            byte[] serial = new byte[20];
            random.NextBytes(serial);
            serial[0] = (byte)(0x40 | (serial[0] & 0x3F));
            byte[] request = new OcspRequestBuilder().Add(CertId.Create(authority.Certificate, SerialNumber.FromContent(serial))).Build().Encoded.ToArray();

            Uri url = OcspUrl.TryCreate(responder, request)!;

            Assert.StartsWith("http://ocsp.example/a/M", url.AbsoluteUri, StringComparison.Ordinal);
            string path = url.PathAndQuery["/a/".Length..];
            Assert.DoesNotContain(path, character => character is '+' or '/' or '=');
            Assert.Equal(request, Convert.FromBase64String(Uri.UnescapeDataString(path)));
        }

        await Task.CompletedTask;
    }

    [Theory]
    [InlineData("http://ocsp.example", "http://ocsp.example/MAA%3D")]
    [InlineData("http://ocsp.example/", "http://ocsp.example/MAA%3D")]
    [InlineData("http://ocsp.example/%41/../b", "http://ocsp.example/b/MAA%3D")]
    [InlineData("http://ocsp.example/x#part", "http://ocsp.example/x/MAA%3D")]
    [InlineData("http://ocsp.example/x?ca=1", null)]
    public void Url_OfAGet_HasOneSlash(string responder, string? expected) => Assert.Equal(expected, OcspUrl.TryCreate(new Uri(responder), [0x30, 0x00])?.AbsoluteUri);

    [Theory]
    [InlineData(OcspMethod.Automatic, 0, "GET")]
    [InlineData(OcspMethod.Automatic, 200, "POST")]
    [InlineData(OcspMethod.Get, 200, "GET")]
    [InlineData(OcspMethod.Post, 0, "POST")]
    public async Task Method_IsByTheLengthOfTheUrl(OcspMethod method, int padding, string expected)
    {
        await using TestResponder responder = new();
        Uri address = new(responder.Uri, new string('a', padding));

        RevocationVerdict verdict = await responder.CheckAsync(TestResponder.Options with { Responders = [address], Method = method });

        Assert.Equal(RevocationStatus.Good, verdict.Status);
        Assert.Equal(expected, Assert.Single(responder.Requests).Method);
    }

    [Fact]
    public async Task Url_Of255Octets_GoesByGetAndOf256ByPost()
    {
        await using TestResponder responder = new();
        OcspRequest request = new OcspRequestBuilder().Add(CertId.Create(responder.Leaf, responder.Authority.Certificate)).Build();
        int own = OcspUrl.TryCreate(responder.Uri, request.Encoded.Span)!.AbsoluteUri.Length;

        foreach ((int length, string method) in new[] { (255, "GET"), (256, "POST") })
        {
            Uri address = new(responder.Uri, new string('a', length - own - 1));
            using OcspClient client = new(TestResponder.Options);
            OcspExchange exchange = await client.SendAsync(request, address);
            Assert.Equal(method, exchange.Method);
            Assert.Equal(OcspResponseStatus.Successful, exchange.Response!.Status);
        }
    }

    [Theory]
    [InlineData(405, false)]
    [InlineData(404, false)]
    [InlineData(200, true)]
    public async Task Get_ThatIsNotUnderstood_IsPosted(int status, bool isMalformedRequest)
    {
        TestResponder? responder = null;
        responder = new(answer: (request, decoded) => request.Method == "POST" ? LoopbackReply.Ok(responder!.Authority.Respond(decoded!, CertStatus.Good))
            : LoopbackReply.Of(status, isMalformedRequest ? OcspResponse.MalformedRequest.Encoded.ToArray() : null));
        await using (responder)
        {
            RevocationVerdict verdict = await responder.CheckAsync();

            Assert.Equal(RevocationStatus.Good, verdict.Status);
            Assert.Equal(["GET", "POST"], responder.Requests.Select(request => request.Method));
        }
    }

    [Fact]
    public async Task Post_CarriesTypeAndLength()
    {
        await using TestResponder responder = new();

        await responder.CheckAsync(TestResponder.Options with { Method = OcspMethod.Post });

        LoopbackRequest request = Assert.Single(responder.Requests);
        Assert.Equal("application/ocsp-request", request.Headers["Content-Type"]);
        Assert.Equal("application/ocsp-response", request.Headers["Accept"]);
        Assert.Equal(request.Body.Length.ToString(System.Globalization.CultureInfo.InvariantCulture), request.Headers["Content-Length"]);
        Assert.DoesNotContain("traceparent", request.Headers.Keys, StringComparer.OrdinalIgnoreCase);
        Assert.DoesNotContain("Cookie", request.Headers.Keys, StringComparer.OrdinalIgnoreCase);
    }

    public static TheoryData<string, int> Transients => new()
    {
        { "503", 2 },
        { "tryLater", 2 },
        { "503 for a second", 2 },
        { "503 for an hour", 1 },
        { "403", 2 }, // a GET that is posted
    };

    [Theory]
    [MemberData(nameof(Transients))]
    public async Task Failure_ThatMayPass_IsTriedAgain(string failure, int requests)
    {
        TestResponder? responder = null;
        responder = new(answer: (_, decoded) => responder!.Requests.Length > 1 ? LoopbackReply.Ok(responder.Authority.Respond(decoded!, CertStatus.Good)) : failure switch
        {
            "503" => LoopbackReply.Of(503),
            "503 for a second" => LoopbackReply.Of(503, null, "Retry-After: 1"),
            "503 for an hour" => LoopbackReply.Of(503, null, "Retry-After: 3600"),
            "tryLater" => LoopbackReply.Ok(OcspResponse.TryLater.Encoded.ToArray()),
            _ => LoopbackReply.Of(403),
        });
        await using (responder)
        {
            RevocationVerdict verdict = await responder.CheckAsync();

            Assert.Equal(requests, responder.Requests.Length);
            Assert.Equal(requests == 2 ? RevocationStatus.Good : RevocationStatus.CouldNotTell, verdict.Status);
        }
    }

    [Theory]
    [InlineData(OcspResponseStatus.Unauthorized, 2)]
    [InlineData(OcspResponseStatus.InternalError, 1)]
    [InlineData(OcspResponseStatus.SigRequired, 1)]
    public async Task ResponderError_IsTold(OcspResponseStatus error, int requests)
    {
        await using TestResponder responder = new(answer: (_, _) => LoopbackReply.Ok(OcspResponse.FromStatus(error).Encoded.ToArray()));

        RevocationVerdict verdict = await responder.CheckAsync();

        Assert.Equal((RevocationStatus.CouldNotTell, RevocationFailure.ResponderError), (verdict.Status, verdict.Failure));
        Assert.All(verdict.Attempts.Where(attempt => attempt.Source == RevocationSource.Ocsp), attempt => Assert.Equal(error, attempt.ResponderError));
        Assert.Equal(requests, responder.Requests.Length); // unauthorized: the next hash is tried
    }

    [Fact]
    public async Task OcspError_UnderAnHttpError_IsRead()
    {
        await using TestResponder responder = new(answer: (_, _) => LoopbackReply.Of(401, OcspResponse.Unauthorized.Encoded.ToArray()));

        RevocationVerdict verdict = await responder.CheckAsync();

        Assert.Equal(RevocationFailure.ResponderError, verdict.Failure);
        Assert.Contains(verdict.Attempts, attempt => attempt is { HttpStatus: 401, ResponderError: OcspResponseStatus.Unauthorized });
    }

    [Fact]
    public async Task SignedAnswer_UnderAnHttpError_IsNotTaken()
    {
        TestResponder? responder = null;
        responder = new(answer: (_, decoded) => LoopbackReply.Of(500, responder!.Authority.Respond(decoded!, CertStatus.Good)));
        await using (responder)
        {
            Assert.Equal(RevocationFailure.Unreachable, (await responder.CheckAsync()).Failure);
        }
    }

    [Fact]
    public async Task SeveralResponders_AreAskedInOrderUntilOneTells()
    {
        await using TestResponder good = new();
        await using LoopbackServer broken = new(_ => LoopbackReply.Of(500));
        await using LoopbackServer last = new(_ => LoopbackReply.Of(500));

        RevocationVerdict verdict = await good.CheckAsync(TestResponder.Options with { Responders = [broken.Uri, good.Uri, last.Uri] });

        Assert.Equal(RevocationStatus.Good, verdict.Status);
        Assert.Equal([broken.Uri, good.Uri], verdict.Attempts.Select(attempt => attempt.Uri));
        Assert.Empty(last.Requests);
    }

    [Fact]
    public async Task MoreAddressesThanTheBound_AreNotAsked()
    {
        await using LoopbackServer broken = new(_ => LoopbackReply.Of(404));
        using TestAuthority authority = TestAuthority.CreateRoot();
        using X509Certificate2 leaf = authority.Issue(new LeafProfile { Responders = [.. Enumerable.Range(0, 100).Select(n => new Uri(broken.Uri, $"{n}"))] });
        using OcspClient client = new(TestResponder.Options with { Method = OcspMethod.Post });

        await client.CheckAsync(leaf, authority.Certificate);

        Assert.Equal(4, broken.Requests.Count);
    }

    [Fact]
    public async Task Nonce_SentAndEchoed_ProvesFreshness()
    {
        await using TestResponder responder = new();

        RevocationVerdict verdict = await responder.CheckAsync(TestResponder.Options with { Nonce = NonceUse.Required });
        await responder.CheckAsync(TestResponder.Options with { Nonce = NonceUse.Required });

        Assert.True(verdict.Evidence!.IsFresh);
        OcspNonce?[] nonces = [.. responder.Requests.Select(request => OcspRequest.Decode(TestResponder.RequestIn(request)).Nonce)];
        Assert.All(nonces, nonce => Assert.Equal(32, nonce!.Value.Length));
        Assert.NotEqual(nonces[0], nonces[1]);
    }

    [Theory]
    [InlineData(NonceUse.Sent, false, RevocationFailure.None)]
    [InlineData(NonceUse.Required, false, RevocationFailure.AnswerRefused)]
    [InlineData(NonceUse.Sent, true, RevocationFailure.AnswerForged)]
    public async Task Nonce_MissingOrWrong_IsJudged(NonceUse use, bool isWrong, RevocationFailure failure)
    {
        TestResponder? responder = null;
        responder = new(answer: (_, decoded) => LoopbackReply.Ok(
            responder!.Authority.Respond(TestAuthority.Answer(decoded!.Requests[0].CertId, CertStatus.Good), isWrong ? OcspNonce.Create() : null)));
        await using (responder)
        {
            Assert.Equal(failure, (await responder.CheckAsync(TestResponder.Options with { Nonce = use })).Failure);
        }
    }

    [Fact]
    public async Task Signing_SignsEachRequest()
    {
        await using TestResponder responder = new();
        using X509Certificate2 requestor = responder.Authority.Issue(new LeafProfile { Name = "requestor" });

        RevocationVerdict verdict = await responder.CheckAsync(TestResponder.Options with { Signing = RequestSigning.FromCertificate(requestor) });

        Assert.Equal(RevocationStatus.Good, verdict.Status);
        OcspRequest request = OcspRequest.Decode(TestResponder.RequestIn(Assert.Single(responder.Requests)));
        OcspRequestVerifier verifier = new(new OcspRequestVerificationOptions { TrustedIssuers = [responder.Authority.Certificate] });
        Assert.True(verifier.Verify(request).IsVerified);
    }

    [Fact]
    public async Task Proxy_OnAPrivateAddress_IsUsedForPublicNames()
    {
        await using TestResponder responder = new();
        using X509Certificate2 leaf = responder.Authority.Issue(new LeafProfile { Responders = [new Uri("http://ocsp.example/")] });
        using OcspClient client = new(TestResponder.Options with { PrivateAddresses = PrivateAddressRule.Refuse, Proxy = new System.Net.WebProxy(responder.Uri) });

        RevocationVerdict verdict = await client.CheckAsync(leaf, responder.Authority.Certificate);

        Assert.Equal(RevocationStatus.Good, verdict.Status);
        Assert.StartsWith("http://ocsp.example/M", Assert.Single(responder.Requests).Target, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Proxy_IsNotAskedForPrivateAddresses()
    {
        await using TestResponder responder = new();
        using X509Certificate2 leaf = responder.Authority.Issue(new LeafProfile { Responders = [new Uri("http://169.254.169.254/"), new Uri("http://localhost/")] });
        using OcspClient client = new(TestResponder.Options with { PrivateAddresses = PrivateAddressRule.Refuse, Proxy = new System.Net.WebProxy(responder.Uri) });

        RevocationVerdict verdict = await client.CheckAsync(leaf, responder.Authority.Certificate);

        Assert.Equal(RevocationFailure.AddressRefused, verdict.Failure);
        Assert.Empty(responder.Requests);
    }
}
