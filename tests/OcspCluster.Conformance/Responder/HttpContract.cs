using System.Text;
using OcspCluster.Testing;
using static OcspCluster.Conformance.Questions;

namespace OcspCluster.Conformance;

/// <summary>HTTP around the OCSP messages (rules H1, H3, H4, H13–H20).</summary>
public abstract class HttpContract(SharedHosts shared) : ResponderContract(shared)
{
    private static readonly byte[] s_request = AskAlpha(Known.Good).Encode();
    private static readonly string s_target = "/" + GetTarget.Escaped(s_request);

    [Fact]
    public async Task H1_Post_200WithOcspResponse()
    {
        RawHttpResponse response = await (await DefaultAsync()).PostAsync(s_request);
        Assert.Equal("HTTP/1.1 200 OK", response.StatusLine);
        response.Ocsp().MustAnswer(Issuers.Alpha, AlphaId(Known.Good));
    }

    [Fact]
    public async Task H3_ContentType_HasNoParameters()
    {
        IResponderHost host = await DefaultAsync();
        foreach (RawHttpResponse response in new[] { await host.PostAsync(s_request), await host.GetAsync(s_target), await host.PostAsync([]), await host.GetAsync("/MA==") })
        {
            Assert.Equal("application/ocsp-response", response.Header("Content-Type"));
        }
    }

    [Fact]
    public async Task H4_ContentLength_ExactAndNoCodings()
    {
        IResponderHost host = await DefaultAsync();
        string[] offers = ["Accept-Encoding: gzip, deflate, br, zstd", "TE: gzip, trailers"];
        foreach (RawHttpResponse response in new[] { await host.PostAsync(s_request, offers), await host.GetAsync(s_target, offers), await host.PostAsync([0x30], offers) })
        {
            Assert.Equal(response.Body.Length.ToString(System.Globalization.CultureInfo.InvariantCulture), response.Header("Content-Length"));
            Assert.Null(response.Header("Transfer-Encoding"));
            Assert.Null(response.Header("Content-Encoding"));
            response.Ocsp();
        }
    }

    [Fact]
    public async Task H13_OcspErrors_AreHttp200()
    {
        IResponderHost host = await DefaultAsync();
        byte[] unissued = AskAlpha(Known.Unissued).Encode();
        (await host.PostAsync([])).Ocsp().MustBe(MalformedRequest);
        (await host.PostAsync(unissued)).Ocsp().MustBe(Unauthorized);
        (await host.GetAsync("/" + GetTarget.Escaped(unissued))).Ocsp().MustBe(Unauthorized);
        (await host.GetAsync("/MA==")).Ocsp().MustBe(MalformedRequest);
    }

    [Fact]
    public async Task H14_Head_HeadersOfTheGetAndNoBody()
    {
        IResponderHost host = await DefaultAsync();
        foreach (string target in new[] { s_target, "/MA==", "/" + GetTarget.Escaped(AskAlpha(Known.Unissued).Encode()) })
        {
            RawHttpResponse get = await host.GetAsync(target);
            using RawHttpConnection connection = await RawHttpConnection.ConnectAsync(host.OcspUri);
            await connection.SendAsync(RawHttp.Request(host.OcspUri, "HEAD", target));
            RawHttpResponse head = await connection.ReadResponseAsync(toHead: true);
            Assert.Equal(get.StatusLine, head.StatusLine);
            Assert.Equal(Comparable(get), Comparable(head));

            // Had a body come after all, the next response would not begin with a status line.
            await connection.SendAsync(RawHttp.Request(host.OcspUri, "GET", target));
            Assert.Equal(get.Body, (await connection.ReadResponseAsync()).Body);
        }

        static IEnumerable<string> Comparable(RawHttpResponse response) =>
            response.Headers.Where(header => header.Key != "Date").Select(header => $"{header.Key}: {header.Value}").Order(StringComparer.Ordinal);
    }

    [Theory]
    [InlineData("PUT")]
    [InlineData("DELETE")]
    [InlineData("PATCH")]
    [InlineData("OPTIONS")]
    [InlineData("TRACE")]
    [InlineData("PROPFIND")]
    public async Task H15_OtherMethods_405WithAllow(string method)
    {
        IResponderHost host = await DefaultAsync();
        foreach (string target in new[] { s_target, "/ocsp", "/" })
        {
            RawHttpResponse response = await RawHttp.SendAsync(host.OcspUri, RawHttp.Request(host.OcspUri, method, target, "Content-Length: 0"));
            Assert.Equal(405, response.StatusCode);
            Assert.Equal(["GET", "HEAD", "POST"], response.List("Allow").Order(StringComparer.Ordinal));
        }
    }

    [Theory]
    [InlineData("Content-Type: application/ocsp-request")]
    [InlineData("content-type: Application/OCSP-Request")]
    [InlineData("Content-Type: application/ocsp-request; charset=utf-8")]
    [InlineData("Content-Type:application/ocsp-request ;x=\"y\"")]
    [InlineData("X-No-Content-Type: absent")]
    public async Task H16_ContentType_OcspRequestInAnyForm_OrAbsent_Answered(string header)
    {
        IResponderHost host = await DefaultAsync();
        RawHttpResponse response = await RawHttp.SendAsync(host.OcspUri, RawHttp.PostTo(host.OcspUri, "/", s_request, header));
        response.Ocsp().MustAnswer(Issuers.Alpha, AlphaId(Known.Good));
    }

    [Theory]
    [InlineData("application/json")]
    [InlineData("text/plain")]
    [InlineData("application/ocsp-response")]
    [InlineData("application/ocsp-requests")]
    [InlineData("application/x-www-form-urlencoded")]
    public async Task H16_ContentType_Another_415UnlessAllowed(string type)
    {
        IResponderHost host = await DefaultAsync();
        byte[] message = RawHttp.PostTo(host.OcspUri, "/", s_request, "Content-Type: " + type);
        Assert.Equal(415, (await RawHttp.SendAsync(host.OcspUri, message)).StatusCode);

        IResponderHost lenient = await SharedAsync("lenient", Issuers.AlphaWith().With(("Ocsp:AcceptAnyContentType", "true")));
        message = RawHttp.PostTo(lenient.OcspUri, "/", s_request, "Content-Type: " + type);
        (await RawHttp.SendAsync(lenient.OcspUri, message)).Ocsp().MustAnswer(Issuers.Alpha, AlphaId(Known.Good));
    }

    [Fact]
    public async Task H17_BodyOverTheCap_RefusedAndConnectionClosed()
    {
        IResponderHost host = await DefaultAsync();
        await MustRefuseAndCloseAsync(host, RawHttp.Post(host.OcspUri, new byte[16_385]));
        await MustRefuseAndCloseAsync(host, RawHttp.Message("POST / HTTP/1.1", ["Host: x", "Content-Type: application/ocsp-request", "Content-Length: 1000000000"], [0x30]));
        await MustRefuseAndCloseAsync(host, RawHttp.Message(
            "POST / HTTP/1.1", ["Host: x", "Content-Type: application/ocsp-request", "Transfer-Encoding: chunked"], RawHttp.Chunked(new byte[40_000], 1_000)));
    }

    [Fact]
    public async Task H17_BodyAtTheCap_IsRead()
    {
        IResponderHost host = await DefaultAsync();
        RawExtension filler = new("1.2.3.4", new byte[15_000]);
        int missing = 16_384 - AskAlpha(Known.Good).With(filler).Encode().Length;
        byte[] body = AskAlpha(Known.Good).With(filler with { Value = new byte[15_000 + missing] }).Encode();
        Assert.Equal(16_384, body.Length);
        (await host.PostAsync(body)).Ocsp().MustAnswer(Issuers.Alpha, AlphaId(Known.Good));
    }

    [Theory]
    [InlineData(2_049)]
    [InlineData(4_000)]
    [InlineData(20_000)]
    public async Task H17_TargetOverTheCap_414(int length)
    {
        IResponderHost host = await DefaultAsync();
        Assert.Equal(414, (await host.GetAsync("/M" + new string('A', length - 2))).StatusCode);
    }

    [Fact]
    public async Task H17_TargetAtTheCap_IsRead() =>
        (await (await DefaultAsync()).GetAsync("/M" + new string('A', 2_046))).Ocsp().MustBe(MalformedRequest);

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(1000)]
    public async Task H18_ChunkedRequest_Answered(int chunk)
    {
        IResponderHost host = await DefaultAsync();
        RawHttpResponse response = await RawHttp.SendAsync(host.OcspUri, RawHttp.Message(
            "POST / HTTP/1.1",
            [$"Host: {host.OcspUri.Authority}", "Content-Type: application/ocsp-request", "Transfer-Encoding: chunked"],
            RawHttp.Chunked(s_request, chunk)));
        response.Ocsp().MustAnswer(Issuers.Alpha, AlphaId(Known.Good));
    }

    [Fact]
    public async Task H18_ExpectContinue_ContinueThenAnswer()
    {
        IResponderHost host = await DefaultAsync();
        using RawHttpConnection connection = await RawHttpConnection.ConnectAsync(host.OcspUri);
        byte[] message = RawHttp.Post(host.OcspUri, s_request, "Expect: 100-continue");
        await connection.SendAsync(message.AsMemory(0, message.Length - s_request.Length));
        Assert.Equal(100, (await connection.ReadResponseAsync()).StatusCode);
        await connection.SendAsync(s_request);
        (await connection.ReadResponseAsync()).Ocsp().MustAnswer(Issuers.Alpha, AlphaId(Known.Good));
    }

    [Theory]
    [InlineData("")]
    [InlineData("Host: 127.0.0.1")]
    [InlineData("Host: ocsp.example.test")]
    public async Task H19_Http10_AnsweredWithAndWithoutHost(string host)
    {
        IResponderHost responder = await DefaultAsync();
        string[] headers = host.Length == 0 ? [] : [host];
        foreach (byte[] message in new[]
        {
            RawHttp.Message($"GET {s_target} HTTP/1.0", headers, []),
            RawHttp.Message("POST / HTTP/1.0", [.. headers, "Content-Type: application/ocsp-request", $"Content-Length: {s_request.Length}"], s_request),
        })
        {
            using RawHttpConnection connection = await RawHttpConnection.ConnectAsync(responder.OcspUri);
            await connection.SendAsync(message);
            (await connection.ReadResponseAsync()).Ocsp().MustAnswer(Issuers.Alpha, AlphaId(Known.Good));
            Assert.Empty(await connection.ReadToEndAsync());
        }
    }

    [Fact]
    public async Task H19_Http11_HostWithoutPort_Answered_WithoutHost_400()
    {
        IResponderHost host = await DefaultAsync();
        foreach (string name in new[] { "Host: 127.0.0.1", "Host: ocsp.example.test", "Host: ocsp.example.test:80" })
        {
            (await RawHttp.SendAsync(host.OcspUri, RawHttp.Message($"GET {s_target} HTTP/1.1", [name], []))).Ocsp().MustBe(Successful);
        }

        Assert.Equal(400, (await RawHttp.SendAsync(host.OcspUri, RawHttp.Message($"GET {s_target} HTTP/1.1", [], []))).StatusCode);
    }

    [Fact]
    public async Task H19_KeepAliveAndPipelining_AnsweredInOrder()
    {
        IResponderHost host = await DefaultAsync();
        byte[][] serials = [Known.Good, Known.Revoked, Known.Held, Known.Awkward];
        using MemoryStream pipeline = new();
        foreach (byte[] serial in serials)
        {
            byte[] request = AskAlpha(serial).Encode();
            pipeline.Write(RawHttp.Post(host.OcspUri, request));
            pipeline.Write(RawHttp.Request(host.OcspUri, "GET", "/" + GetTarget.Escaped(request)));
        }

        using RawHttpConnection connection = await RawHttpConnection.ConnectAsync(host.OcspUri);
        for (int round = 0; round < 3; round++)
        {
            await connection.SendAsync(pipeline.ToArray());
            foreach (byte[] serial in serials)
            {
                (await connection.ReadResponseAsync()).Ocsp().MustAnswer(Issuers.Alpha, AlphaId(serial));
                (await connection.ReadResponseAsync()).Ocsp().MustAnswer(Issuers.Alpha, AlphaId(serial));
            }
        }
    }

    [Theory]
    [InlineData("*/*")]
    [InlineData("text/html")]
    [InlineData("application/ocsp-response;q=0")]
    [InlineData("nonsense")]
    public async Task H19_Accept_IsIrrelevant(string accept) =>
        (await (await DefaultAsync()).PostAsync(s_request, "Accept: " + accept)).Ocsp().MustBe(Successful);

    [Fact]
    public async Task H20_PlainHttp_NoRedirectNoCookieNoAuthentication()
    {
        IResponderHost host = await DefaultAsync();
        Assert.Equal("http", host.OcspUri.Scheme);
        foreach (RawHttpResponse response in new[] { await host.PostAsync(s_request), await host.GetAsync(s_target), await host.GetAsync("/") })
        {
            Assert.InRange(response.StatusCode, 200, 404);
            Assert.False(response.StatusCode is >= 300 and < 400 or 401, response.StatusLine);
            foreach (string header in new[] { "Location", "Set-Cookie", "WWW-Authenticate", "Strict-Transport-Security" })
            {
                Assert.Empty(response.All(header));
            }
        }
    }

    private static async Task MustRefuseAndCloseAsync(IResponderHost host, byte[] message)
    {
        using RawHttpConnection connection = await RawHttpConnection.ConnectAsync(host.OcspUri);
        await connection.SendAsync(message);
        RawHttpResponse response = await connection.ReadResponseAsync();
        Assert.True(response.StatusCode == 413 || response.Ocsp().Status == MalformedRequest, response.StatusLine + Encoding.Latin1.GetString(response.Body));
        Assert.Empty(await connection.ReadToEndAsync());
    }
}
