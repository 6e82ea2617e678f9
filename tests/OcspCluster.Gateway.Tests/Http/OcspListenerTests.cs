using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using OcspCluster.Authority;
using OcspCluster.Conformance;
using OcspCluster.Testing;

namespace OcspCluster.Gateway.Tests;

/// <summary>What the listener promises whichever way connections come in.</summary>
public abstract class OcspListenerTests(OcspTransport transport) : IAsyncLifetime
{
    private static readonly byte[] s_request = RawOcspRequest.For(RawCertId.For(Issuers.Alpha.Certificate, Known.Good)).Encode();
    private ServiceProvider _services = null!;
    private OcspListener _listener = null!;

    private Uri Uri => _listener.Addresses[0];

    public async ValueTask InitializeAsync()
    {
        X509Certificate2 responder = X509Certificate2.CreateFromPem(Issuers.Alpha.Responder.Certificate.ExportCertificatePem(), Issuers.Alpha.Responder.Key.ToPem());
        _services = new ServiceCollection()
            .AddLogging()
            .AddSingleton<TimeProvider>(new TestClock())
            .AddOcspResponder(ocsp => ocsp.AddIssuer("alpha", Issuers.Alpha.Certificate, responder).UseStatus((_, _) => CertificateStatus.Good with { HoldsFor = Timeout.InfiniteTimeSpan }))
            .AddOcspListener(options =>
            {
                options.Urls.Add("http://127.0.0.1:0");
                options.Transport = transport;
                options.MaxConnections = 20;
                options.HeadersTimeout = TimeSpan.FromSeconds(2);
                options.KeepAliveTimeout = TimeSpan.FromSeconds(2);
            })
            .BuildServiceProvider();
        _listener = _services.GetRequiredService<OcspListener>();
        await _listener.StartAsync(CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        await _listener.StopAsync(CancellationToken.None);
        await _services.DisposeAsync();
    }

    [Fact]
    public async Task Client_ThatStaysSilent_IsEnded()
    {
        using RawHttpConnection silent = await RawHttpConnection.ConnectAsync(Uri);
        await Assert.ThrowsAnyAsync<IOException>(() => silent.ReadResponseAsync()); // ended by the server, within the connection's own bound
    }

    [Fact]
    public async Task Client_ThatSendsHalfAHeader_IsEnded()
    {
        using RawHttpConnection slow = await RawHttpConnection.ConnectAsync(Uri);
        await slow.SendAsync("POST / HTTP/1.1\r\nHost: "u8.ToArray());
        RawHttpResponse timedOut = await slow.ReadResponseAsync();
        Assert.Equal(408, timedOut.StatusCode);
    }

    [Fact]
    public async Task Client_ThatStaysSilentAfterAnAnswer_IsEnded()
    {
        using RawHttpConnection silent = await RawHttpConnection.ConnectAsync(Uri);
        await silent.SendAsync(RawHttp.Post(Uri, s_request));
        Assert.Equal(200, (await silent.ReadResponseAsync()).StatusCode);
        await Assert.ThrowsAnyAsync<IOException>(() => silent.ReadResponseAsync());
    }

    // Three at once, of which the second is signed while the third waits, and the last is not plain: in their order, on one connection.
    [Fact]
    public async Task Requests_SentAtOnce_AreAnsweredInTheirOrder()
    {
        byte[] other = RawOcspRequest.For(RawCertId.For(Issuers.Alpha.Certificate, Known.Revoked)).Encode();
        using RawHttpConnection connection = await RawHttpConnection.ConnectAsync(Uri);
        await connection.SendAsync(RawHttp.Post(Uri, s_request));
        byte[] first = (await connection.ReadResponseAsync()).Body;

        await connection.SendAsync((byte[])[.. RawHttp.Post(Uri, s_request), .. RawHttp.Post(Uri, other), .. RawHttp.Post(Uri, s_request), .. "HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n"u8]);
        Assert.Equal(first, (await connection.ReadResponseAsync()).Body);
        byte[] second = (await connection.ReadResponseAsync()).Body;
        Assert.NotEqual(first, second);
        Assert.True(second.AsSpan().IndexOf(RawCertId.For(Issuers.Alpha.Certificate, Known.Revoked).Encode()) > 0);
        Assert.Equal(first, (await connection.ReadResponseAsync()).Body);
    }

    // The short way and Kestrel's must not be told apart: a condition that is not met sends a request the long way.
    [Fact]
    public async Task Answer_TheShortWayAndTheLong_HasTheSameFields()
    {
        using RawHttpConnection connection = await RawHttpConnection.ConnectAsync(Uri);
        string line = $"GET /{Testing.GetTarget.Escaped(s_request)} HTTP/1.1\r\nHost: a\r\n";
        await connection.SendAsync(line + "\r\n"); // signed
        RawHttpResponse signed = await connection.ReadResponseAsync();
        await connection.SendAsync(line + "\r\n");
        RawHttpResponse plain = await connection.ReadResponseAsync();
        await connection.SendAsync(line + "If-None-Match: \"x\"\r\n\r\n");
        RawHttpResponse kestrels = await connection.ReadResponseAsync();
        string[] fields = ["Content-Type", "Content-Length", "ETag", "Last-Modified", "Expires", "Cache-Control"];
        foreach (RawHttpResponse other in (RawHttpResponse[])[signed, plain])
        {
            Assert.Equal(200, other.StatusCode);
            Assert.Equal(kestrels.Body, other.Body);
            Assert.All(fields, field => Assert.Equal(kestrels.Header(field), other.Header(field)));
            Assert.NotNull(other.Header("Date"));
        }

        await connection.SendAsync(line + $"If-None-Match: {plain.Header("ETag")}\r\n\r\n");
        Assert.Equal(304, (await connection.ReadResponseAsync()).StatusCode);
    }

    [Fact]
    public async Task Connection_ThatTheClientWantsClosed_IsClosedAfterTheAnswer()
    {
        using RawHttpConnection connection = await RawHttpConnection.ConnectAsync(Uri);
        await connection.SendAsync($"GET /{Testing.GetTarget.Escaped(s_request)} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        RawHttpResponse answer = await connection.ReadResponseAsync();
        Assert.Equal("close", answer.Header("Connection"));
        await Assert.ThrowsAnyAsync<IOException>(() => connection.ReadResponseAsync());
    }

    [Fact]
    public async Task Connections_BeyondTheMost_AreEnded_AndRoomComesBack()
    {
        List<RawHttpConnection> connections = [];
        int refused = 0;
        for (int i = 0; i < 40; i++)
        {
            RawHttpConnection connection = await RawHttpConnection.ConnectAsync(Uri);
            connections.Add(connection);
            try
            {
                await connection.SendAsync(RawHttp.Post(Uri, s_request));
                Assert.Equal(200, (await connection.ReadResponseAsync()).StatusCode);
            }
            catch (IOException)
            {
                refused++;
            }
        }

        Assert.Equal(20, refused);
        connections.ForEach(connection => connection.Dispose());
        Assert.True(await AnswersAgainAsync(), "No connection was answered after the others had gone.");
    }

    [Fact]
    public async Task Address_InUse_IsSaidSo()
    {
        OcspListenerOptions options = new() { Transport = transport };
        options.Urls.Add(Uri.AbsoluteUri);
        using OcspListener second = new(
            _services.GetRequiredService<OcspHttpHandler>(),
            _services.GetRequiredService<OcspResponder>(),
            Options.Create(new OcspGatewayOptions()),
            Options.Create(options),
            _services.GetRequiredService<TimeProvider>(),
            _services,
            NullLoggerFactory.Instance);
        IOException inUse = await Assert.ThrowsAsync<IOException>(() => second.StartAsync(CancellationToken.None));
        Assert.Contains("address already in use", inUse.Message, StringComparison.OrdinalIgnoreCase);
        Assert.True(await AnswersAgainAsync());
    }

    private async Task<bool> AnswersAgainAsync()
    {
        for (int i = 0; i < 1000; i++)
        {
            try
            {
                using RawHttpConnection connection = await RawHttpConnection.ConnectAsync(Uri);
                await connection.SendAsync(RawHttp.Post(Uri, s_request));
                return (await connection.ReadResponseAsync()).StatusCode == 200;
            }
            catch (IOException)
            {
                // The server has not seen yet that the others are gone.
            }
        }

        return false;
    }
}

/// <summary>The front, where this machine has it.</summary>
public sealed class AutomaticListenerTests() : OcspListenerTests(OcspTransport.Automatic);

/// <summary>Kestrel's sockets.</summary>
public sealed class KestrelListenerTests() : OcspListenerTests(OcspTransport.Kestrel);
