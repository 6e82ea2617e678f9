using OcspCluster.Testing;

namespace OcspCluster.Conformance;

/// <summary>Connections that say nothing, too little, or too slowly (rules H30, Q20).</summary>
public abstract class ConnectionsContract(SharedHosts shared) : ResponderContract(shared)
{
    private static readonly byte[] s_request = AskAlpha(Known.Good).Encode();

    [Fact]
    public async Task H30_SilentSlowAndHalfOpenConnections_NeverBlockOthers()
    {
        IResponderHost host = await DefaultAsync();
        List<RawHttpConnection> idle = [];
        try
        {
            for (int i = 0; i < 60; i++)
            {
                RawHttpConnection connection = await RawHttpConnection.ConnectAsync(host.OcspUri);
                idle.Add(connection);
                await connection.SendAsync((i % 4) switch
                {
                    0 => "",
                    1 => "POST / HT",
                    2 => "GET /MFEw HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ",
                    _ => "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/ocsp-request\r\nContent-Length: 100\r\n\r\n0",
                });
                if (i % 8 == 3)
                {
                    connection.FinishSending();
                }
            }

            for (int i = 0; i < 50; i++)
            {
                // Each within RawHttpConnection's bound.
                (await host.PostAsync(s_request)).Ocsp().MustAnswer(Issuers.Alpha, AlphaId(Known.Good));
            }
        }
        finally
        {
            idle.ForEach(connection => connection.Dispose());
        }
    }

    [Fact]
    public async Task H30_HeadersOrBodyThatNeverEnd_AreTimedOut()
    {
        // By the machine's clock: a host whose limits stand on its own clock would need a test of its own.
        IResponderHost host = await DefaultAsync();
        TimeSpan bound = TimeSpan.FromSeconds(45);
        string[] beginnings =
        [
            "GET /MFEw HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ",
            "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/ocsp-request\r\nContent-Length: 100\r\n\r\n0",
            "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/ocsp-request\r\nTransfer-Encoding: chunked\r\n\r\n64\r\n0",
        ];
        await Task.WhenAll(beginnings.Select(async beginning =>
        {
            using RawHttpConnection connection = await RawHttpConnection.ConnectAsync(host.OcspUri, bound);
            await connection.SendAsync(beginning);

            // Ends by a close, with or without a 408 before it; a TimeoutException here is the failure.
            byte[] end = await connection.ReadToEndAsync();
            Assert.True(end.Length == 0 || end.AsSpan().StartsWith("HTTP/1.1 4"u8));
        }));
    }

    [Fact]
    public async Task H30_HalfClosedAfterTheRequest_AnsweredOrClosed_NeverHung()
    {
        // Kestrel takes a half-close for a client that is gone, if it sees it before the answer is written: either is right, to wait is not.
        IResponderHost host = await DefaultAsync();
        for (int i = 0; i < 20; i++)
        {
            using RawHttpConnection connection = await RawHttpConnection.ConnectAsync(host.OcspUri);
            await connection.SendAsync(RawHttp.Post(host.OcspUri, s_request));
            connection.FinishSending();
            byte[] end = await connection.ReadToEndAsync();
            Assert.True(end.Length == 0 || end.AsSpan().StartsWith("HTTP/1.1 200 OK"u8));
        }
    }

    [Fact]
    public async Task H30_RequestInSingleOctets_Answered()
    {
        IResponderHost host = await DefaultAsync();
        using RawHttpConnection connection = await RawHttpConnection.ConnectAsync(host.OcspUri);
        foreach (byte octet in RawHttp.Post(host.OcspUri, s_request))
        {
            await connection.SendAsync(new byte[] { octet });
        }

        (await connection.ReadResponseAsync()).Ocsp().MustAnswer(Issuers.Alpha, AlphaId(Known.Good));
    }

    [Fact]
    public async Task H30_ConnectionsBrokenOffInTheMiddle_LeaveTheHostAlone()
    {
        IResponderHost host = await DefaultAsync();
        byte[] message = RawHttp.Post(host.OcspUri, s_request);
        for (int length = 0; length < message.Length; length += 3)
        {
            using RawHttpConnection connection = await RawHttpConnection.ConnectAsync(host.OcspUri);
            await connection.SendAsync(message.AsMemory(0, length));
        }

        (await host.PostAsync(s_request)).Ocsp().MustAnswer(Issuers.Alpha, AlphaId(Known.Good));
    }

    [Fact]
    public async Task Q16_FanOutOfOneEvent_AllAnswered()
    {
        IResponderHost host = await DefaultAsync();
        RawHttpResponse[] responses = await Task.WhenAll(Enumerable.Range(0, 200).Select(i =>
            i % 2 == 0 ? host.PostAsync(s_request) : host.GetAsync("/" + GetTarget.Escaped(s_request))));
        Assert.All(responses, response => response.Ocsp().MustAnswer(Issuers.Alpha, AlphaId(Known.Good)));
    }

    [Fact]
    public async Task Q20_LoadBalancerProbes_CostNothing()
    {
        IResponderHost host = await DefaultAsync();
        for (int i = 0; i < 100; i++)
        {
            using RawHttpConnection connection = await RawHttpConnection.ConnectAsync(host.OcspUri);
        }

        foreach (string method in new[] { "HEAD", "GET" })
        {
            RawHttpResponse probe = await RawHttp.SendAsync(host.OcspUri, RawHttp.Request(host.OcspUri, method, "/"));
            Assert.InRange(probe.StatusCode, 200, 404);
        }

        (await host.PostAsync(s_request)).Ocsp().MustAnswer(Issuers.Alpha, AlphaId(Known.Good));
    }
}
