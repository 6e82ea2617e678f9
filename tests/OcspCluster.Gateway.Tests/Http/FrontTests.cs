using System.Net.Sockets;
using System.Text;
using OcspCluster.Testing;

namespace OcspCluster.Gateway.Tests;

/// <summary>What the front does with connections that do not ask one whole question and wait.</summary>
public sealed class FrontTests
{
    private static void OneThread(OcspListenerOptions options) => options.Threads = 1;

    // One thread, and an answer to somebody else between the parts: so the first part was looked at alone.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Request_CutAnywhere_IsAnswered(bool isPost)
    {
        await using FrontUnderTest test = await FrontUnderTest.StartAsync(OneThread);
        byte[] expected = await test.AskAsync();
        byte[] request = FrontUnderTest.Request(0);
        byte[] octets = isPost ? RawHttp.Post(test.Uri, request) : Encoding.ASCII.GetBytes($"GET /{Testing.GetTarget.Escaped(request)} HTTP/1.1\r\nHost: a\r\n\r\n");
        for (int cut = 1; cut < octets.Length; cut++)
        {
            using RawHttpConnection connection = await RawHttpConnection.ConnectAsync(test.Uri);
            await connection.SendAsync(octets.AsMemory(0, cut));
            await test.AskAsync();
            if (cut % 2 == 0 && cut + 1 < octets.Length) // every other in three parts
            {
                await connection.SendAsync(octets.AsMemory(cut, 1));
                await test.AskAsync();
                await connection.SendAsync(octets.AsMemory(cut + 1));
            }
            else
            {
                await connection.SendAsync(octets.AsMemory(cut));
            }

            Assert.Equal(expected, (await connection.ReadResponseAsync()).Body);
        }
    }

    // Its first letter tells that it is Kestrel's, which has the rest as it comes.
    [Fact]
    public async Task RequestForKestrel_CutAnywhere_IsAnswered()
    {
        await using FrontUnderTest test = await FrontUnderTest.StartAsync(OneThread);
        byte[] expected = await test.AskAsync();
        byte[] octets = Encoding.ASCII.GetBytes($"GET http://a/{Testing.GetTarget.Escaped(FrontUnderTest.Request(0))} HTTP/1.1\r\nHost: a\r\n\r\n");
        for (int cut = 1; cut < octets.Length; cut++)
        {
            using RawHttpConnection connection = await RawHttpConnection.ConnectAsync(test.Uri);
            await connection.SendAsync(octets.AsMemory(0, cut));
            await test.AskAsync();
            await connection.SendAsync(octets.AsMemory(cut));
            Assert.Equal(expected, (await connection.ReadResponseAsync()).Body);
        }
    }

    // Hits, misses, and from the 200th on requests that are not plain: all at once, in their order, on one connection that changes hands on the way.
    [Fact]
    public async Task Requests_ManyAtOnce_AreAnsweredInTheirOrder()
    {
        await using FrontUnderTest test = await FrontUnderTest.StartAsync();
        using MemoryStream all = new();
        for (int i = 0; i < 300; i++)
        {
            byte[] request = FrontUnderTest.Request(i % 3 == 0 ? i : 0);
            all.Write(i >= 200 && i % 50 == 0
                ? Encoding.ASCII.GetBytes($"GET /{Testing.GetTarget.Escaped(request)} HTTP/1.1\r\nHost: a\r\nIf-None-Match: \"x\"\r\n\r\n")
                : RawHttp.Post(test.Uri, request));
        }

        using RawHttpConnection connection = await RawHttpConnection.ConnectAsync(test.Uri);
        Task sending = connection.SendAsync(all.ToArray());
        for (int i = 0; i < 300; i++)
        {
            RawHttpResponse response = await connection.ReadResponseAsync();
            Assert.Equal(200, response.StatusCode);
            Assert.True(response.Body.AsSpan().IndexOf(FrontUnderTest.CertId(i % 3 == 0 ? i : 0).Encode()) > 0, $"Answer {i} is another's.");
        }

        await sending;
        Assert.Equal(1, test.Listener.Connections);
    }

    [Theory]
    [InlineData(0)] // in the cache
    [InlineData(1)] // not yet
    public async Task Client_ThatSendsItsEndWithTheRequest_IsAnswered(int number)
    {
        await using FrontUnderTest test = await FrontUnderTest.StartAsync();
        await test.AskAsync();
        using RawHttpConnection connection = await RawHttpConnection.ConnectAsync(test.Uri);
        await connection.SendAsync(RawHttp.Post(test.Uri, FrontUnderTest.Request(number)));
        connection.FinishSending();
        Assert.Equal(200, (await connection.ReadResponseAsync()).StatusCode);
        Assert.Empty(await connection.ReadToEndAsync());
        await test.WaitForConnectionsAsync(0);
    }

    // What comes behind the last request is read away before the end: a connection closed with unread octets is reset, and the answer lost.
    [Theory]
    [InlineData("HTTP/1.1", "Connection: close")]
    [InlineData("HTTP/1.0", "X: a")]
    public async Task Client_ThatSendsOnAfterItsLastRequest_HasItsAnswer(string version, string field)
    {
        await using FrontUnderTest test = await FrontUnderTest.StartAsync();
        byte[] expected = await test.AskAsync();
        byte[] ask = Encoding.ASCII.GetBytes($"GET /{Testing.GetTarget.Escaped(FrontUnderTest.Request(0))} {version}\r\nHost: a\r\n{field}\r\n\r\n");
        for (int i = 0; i < 20; i++)
        {
            using RawHttpConnection connection = await RawHttpConnection.ConnectAsync(test.Uri);
            await connection.SendAsync((byte[])[.. ask, .. ask, .. new byte[20_000]]);
            RawHttpResponse answer = await connection.ReadResponseAsync();
            Assert.Equal("close", answer.Header("Connection"));
            Assert.Equal(expected, answer.Body);
            await connection.SendAsync(new byte[1000]);
            connection.FinishSending();
            Assert.Empty(await connection.ReadToEndAsync());
        }

        await test.WaitForConnectionsAsync(0);
    }

    [Fact]
    public async Task Client_ThatResetsAtAnyTime_LeavesNothing()
    {
        await using FrontUnderTest test = await FrontUnderTest.StartAsync();
        await test.AskAsync();
        byte[] plain = RawHttp.Post(test.Uri, FrontUnderTest.Request(0));
        for (int i = 0; i < 200; i++)
        {
            byte[] sent = (i % 4) switch
            {
                0 => plain[..(i * plain.Length / 200)],
                1 => plain,
                2 => [.. plain, .. RawHttp.Post(test.Uri, FrontUnderTest.Request(i)), .. plain], // it goes while it is signed
                _ => [.. Enumerable.Repeat(plain, 50).SelectMany(one => one)],
            };
            using Socket socket = await test.ConnectAsync();
            await socket.SendAsync(sent);
            socket.LingerState = new LingerOption(true, 0);
            socket.Close();
        }

        await test.AskAsync();
        await test.WaitForConnectionsAsync(0);
    }

    // Answers of megabytes wait for a client that begins to read late; others are answered meanwhile by the same thread, and none of them is lost.
    [Fact]
    public async Task Client_ThatReadsLate_HasAllItsAnswers()
    {
        const int Requests = 60_000; // more octets than the buffers of both sides take
        await using FrontUnderTest test = await FrontUnderTest.StartAsync(OneThread);
        byte[] expected = await test.AskAsync();
        byte[] many = [.. Enumerable.Repeat(RawHttp.Post(test.Uri, FrontUnderTest.Request(0)), 100).SelectMany(one => one)];
        using Socket socket = await test.ConnectAsync();
        socket.SendBufferSize = 64 * 1024;
        int sent = 0;
        Task sending = Task.Run(() =>
        {
            for (int i = 0; i < Requests; i += 100)
            {
                socket.Send(many);
                Interlocked.Add(ref sent, 100);
            }
        });
        for (int before = -1; before != Volatile.Read(ref sent);)
        {
            before = Volatile.Read(ref sent);
            for (int i = 0; i < 50; i++)
            {
                Assert.Equal(expected, await test.AskAsync());
            }
        }

        Assert.True(sent < Requests, "All was taken although nothing was read.");
        byte[] buffer = new byte[256 * 1024];
        int length = await AnswerLengthAsync(test);
        for (long left = (long)length * Requests; left > 0;)
        {
            int received = socket.Receive(buffer);
            Assert.True(received > 0, "It ended.");
            left -= received;
        }

        await sending;
        Assert.Equal(0, socket.Available);
    }

    // Answers that nobody reads fill the buffers of both sides; then the client has ten seconds. With Kestrel's sockets it has as long as 240 octets a second take.
    [Fact]
    public async Task Client_ThatDoesNotReadItsAnswers_IsEnded()
    {
        Assert.SkipUnless(OcspListener.SupportsFront, "This machine has no front.");
        await using FrontUnderTest test = await FrontUnderTest.StartAsync();
        await test.AskAsync();
        byte[] many = [.. Enumerable.Repeat(RawHttp.Post(test.Uri, FrontUnderTest.Request(0)), 500).SelectMany(one => one)];
        using RawHttpConnection deaf = await RawHttpConnection.ConnectAsync(test.Uri, TimeSpan.FromSeconds(60));
        Exception ended = await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            while (true)
            {
                await deaf.SendAsync(many); // stops when all buffers are full, and fails when the server ends it
            }
        });
        Assert.True(ended is SocketException or IOException, $"It was not ended: {ended}");
        await test.WaitForConnectionsAsync(0);
    }

    [Fact]
    public async Task Connections_TwoThousandAtOnce_AreAnswered()
    {
        await using FrontUnderTest test = await FrontUnderTest.StartAsync();
        byte[] expected = await test.AskAsync();
        List<RawHttpConnection> connections = [];
        try
        {
            for (int i = 0; i < 2000; i++)
            {
                connections.Add(await RawHttpConnection.ConnectAsync(test.Uri));
            }

            for (int round = 0; round < 2; round++)
            {
                await Task.WhenAll(connections.Select(connection => connection.SendAsync(RawHttp.Post(test.Uri, FrontUnderTest.Request(0)))));
                Assert.All(await Task.WhenAll(connections.Select(connection => connection.ReadResponseAsync())), response => Assert.Equal(expected, response.Body));
            }

            Assert.Equal(2000, test.Listener.Connections);
        }
        finally
        {
            connections.ForEach(connection => connection.Dispose());
        }

        await test.WaitForConnectionsAsync(0);
    }

    // Of twenty, ten are Kestrel's: both kinds count, and both make room.
    [Fact]
    public async Task Connections_OfBothKinds_CountTogether()
    {
        await using FrontUnderTest test = await FrontUnderTest.StartAsync(options => options.MaxConnections = 20);
        List<RawHttpConnection> connections = [];
        for (int i = 0; i < 20; i++)
        {
            RawHttpConnection connection = await RawHttpConnection.ConnectAsync(test.Uri);
            connections.Add(connection);
            await connection.SendAsync(i % 2 == 0 ? RawHttp.Post(test.Uri, FrontUnderTest.Request(0)) : "HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n"u8.ToArray());
            await connection.ReadResponseAsync(toHead: i % 2 != 0);
        }

        using (RawHttpConnection refused = await RawHttpConnection.ConnectAsync(test.Uri))
        {
            Assert.Empty(await refused.ReadToEndAsync());
        }

        connections.ForEach(connection => connection.Dispose());
        await test.WaitForConnectionsAsync(0);
        await test.AskAsync();
    }

    // Head and body.
    private static async Task<int> AnswerLengthAsync(FrontUnderTest test)
    {
        using RawHttpConnection connection = await RawHttpConnection.ConnectAsync(test.Uri);
        await connection.SendAsync(RawHttp.Post(test.Uri, FrontUnderTest.Request(0)));
        connection.FinishSending();
        return (await connection.ReadToEndAsync()).Length;
    }
}
