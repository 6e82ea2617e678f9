using System.Text;

namespace OcspCluster.Gateway.Tests;

public sealed class RequestHeadTests
{
    [Fact]
    public void Read_PlainGet_GivesTheTargetAndItsLength()
    {
        byte[] octets = Encoding.Latin1.GetBytes("GET /MFEw%2B HTTP/1.1\r\nHost: ocsp.example\r\nUser-Agent: x\r\nConnection: keep-alive\r\n\r\nGET");
        Assert.Equal(HeadResult.Plain, RequestHead.Read(octets, out RequestHead head));
        Assert.Equal("/MFEw%2B", Encoding.ASCII.GetString(head.Target));
        Assert.False(head.IsPost);
        Assert.False(head.Closes);
        Assert.Equal(octets.Length - 3, head.Length);
    }

    [Fact]
    public void Read_PlainPost_GivesTheBodyAndWhatTheClientWants()
    {
        byte[] octets = Encoding.Latin1.GetBytes("POST / HTTP/1.1\r\nhost: [::1]:80\r\nContent-Length: 3\r\ncontent-type:application/OCSP-request\r\nConnection: Close\r\n\r\nabcd");
        Assert.Equal(HeadResult.Plain, RequestHead.Read(octets, out RequestHead head));
        Assert.True(head.IsPost);
        Assert.True(head.Closes);
        Assert.Equal("abc"u8, head.Body);
        Assert.Equal(octets.Length - 1, head.Length);
    }

    // Each of them is Kestrel's to refuse, to wait for, or to answer in a way of its own.
    [Theory]
    [InlineData("GET /a HTTP/1.1\r\n\r\n")]
    [InlineData("GET /a HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n")]
    [InlineData("GET /a HTTP/1.1\r\nHost:\r\n\r\n")]
    [InlineData("GET /a HTTP/1.1\r\nHost: a/b\r\n\r\n")]
    [InlineData("GET /a HTTP/1.2\r\nHost: a\r\n\r\n")]
    [InlineData("GET /a HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n")]
    [InlineData("GET /a HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n")]
    [InlineData("GET http://a/b HTTP/1.1\r\nHost: a\r\n\r\n")]
    [InlineData("HEAD /a HTTP/1.1\r\nHost: a\r\n\r\n")]
    [InlineData("get /a HTTP/1.1\r\nHost: a\r\n\r\n")]
    [InlineData(" GET /a HTTP/1.1\r\nHost: a\r\n\r\n")]
    [InlineData("GET /a HTTP/1.1\nHost: a\n\n")]
    [InlineData("GET /a HTTP/1.1\r\nHost: a\nX: a\r\n")]
    [InlineData("\r\n")]
    [InlineData("HEA")]
    [InlineData("GET h")]
    [InlineData("POST h")]
    [InlineData("GET /a HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n")]
    [InlineData("GET /a HTTP/1.1\r\nHost: a\r\nX: a\nb\r\n\r\n")]
    [InlineData("GET /a HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n")]
    [InlineData("GET /a HTTP/1.1\r\nHost: a\r\nX: ä\r\n\r\n")]
    [InlineData("GET /a HTTP/1.1\r\nHost: a\r\nX : a\r\n\r\n")]
    [InlineData("GET /a HTTP/1.1\r\nHost: a\r\n X: a\r\n\r\n")]
    [InlineData("GET /a HTTP/1.1\r\nHost: a\r\nX\r\n\r\n")]
    [InlineData("GET /a HTTP/1.1\r\nHost: a\r\n: a\r\n\r\n")]
    [InlineData("GET /a HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("GET /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")]
    [InlineData("GET /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n")]
    [InlineData("GET /a HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\n\r\n")]
    [InlineData("GET /a HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, upgrade\r\n\r\n")]
    [InlineData("GET /a HTTP/1.1\r\nHost: a\r\nIf-None-Match: \"a\"\r\n\r\n")]
    [InlineData("GET /a HTTP/1.1\r\nHost: a\r\nif-modified-since: Mon, 15 Jun 2026 12:00:00 GMT\r\n\r\n")]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\n\r\n")]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nab")]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2, 2\r\n\r\nab")]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +2\r\n\r\nab")]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\nab")]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\nab")]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nab")]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Type: text/plain\r\n\r\nab")]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Encoding: gzip\r\n\r\nab")]
    public void Read_AnythingElse_IsKestrels(string octets) =>
        Assert.Equal(HeadResult.Other, RequestHead.Read(Encoding.Latin1.GetBytes(octets), out _));

    // What was cut off anywhere is no whole request, and nothing is read beyond its end.
    [Theory]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab")]
    [InlineData("GET /a HTTP/1.1\r\nHost: a\r\n\r\n")]
    public void Read_CutOffAnywhere_IsIncomplete(string request)
    {
        byte[] whole = Encoding.Latin1.GetBytes(request);
        Assert.Equal(HeadResult.Plain, RequestHead.Read(whole, out _));
        for (int length = 0; length < whole.Length; length++)
        {
            Assert.Equal(HeadResult.Incomplete, RequestHead.Read(whole.AsSpan(0, length), out _));
        }
    }

    // OpenSSL, GnuTLS and NSS ask so. The Host is theirs to send or not.
    [Theory]
    [InlineData("GET /a HTTP/1.0\r\n\r\n")]
    [InlineData("GET /a HTTP/1.0\r\nHost: a\r\n\r\n")]
    [InlineData("POST / HTTP/1.0\r\nHost: a\r\nContent-Length: 2\r\nConnection: close\r\n\r\nab")]
    public void Read_Http10_ClosesAfterTheAnswer(string octets)
    {
        Assert.Equal(HeadResult.Plain, RequestHead.Read(Encoding.Latin1.GetBytes(octets), out RequestHead head));
        Assert.True(head.Closes);
    }

    [Fact]
    public void Read_MoreFieldsThanUsual_IsKestrels()
    {
        string fields = string.Concat(Enumerable.Repeat("X: a\r\n", 60));
        Assert.Equal(HeadResult.Other, RequestHead.Read(Encoding.Latin1.GetBytes($"GET /a HTTP/1.1\r\nHost: a\r\n{fields}\r\n"), out _));
    }
}
