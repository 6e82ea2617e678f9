using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.DependencyInjection;
using OcspCluster.Authority;
using OcspCluster.Conformance;
using OcspCluster.Testing;

namespace OcspCluster.Gateway.Tests;

public sealed class OcspListenerTests : IAsyncLifetime
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
            .AddOcspResponder(ocsp => ocsp.AddIssuer("alpha", Issuers.Alpha.Certificate, responder).UseStatus((_, _) => CertificateStatus.Good))
            .AddOcspListener(options =>
            {
                options.Urls.Add("http://127.0.0.1:0");
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
