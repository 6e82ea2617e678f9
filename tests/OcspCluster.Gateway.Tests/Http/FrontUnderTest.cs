using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.DependencyInjection;
using OcspCluster.Authority;
using OcspCluster.Conformance;
using OcspCluster.Testing;

namespace OcspCluster.Gateway.Tests;

/// <summary>A listener with the front (Kestrel's sockets where there is none), whose answers are signed by whoever a test says.</summary>
internal sealed class FrontUnderTest : IAsyncDisposable
{
    private readonly ServiceProvider _services;
    private bool _isStopped;

    private FrontUnderTest(ServiceProvider services)
    {
        _services = services;
        Listener = services.GetRequiredService<OcspListener>();
    }

    public OcspListener Listener { get; }

    public Uri Uri => Listener.Addresses[0];

    /// <summary>Questions about different certificates; each is signed when it is asked first.</summary>
    public static byte[] Request(int number) => RawOcspRequest.For(CertId(number)).Encode();

    public static RawCertId CertId(int number) => RawCertId.For(Issuers.Alpha.Certificate, [0x40, (byte)(number >> 16), (byte)(number >> 8), (byte)number]);

    public static async Task<FrontUnderTest> StartAsync(Action<OcspListenerOptions>? configure = null, Func<CancellationToken, ValueTask>? beforeStatus = null)
    {
        X509Certificate2 responder = X509Certificate2.CreateFromPem(Issuers.Alpha.Responder.Certificate.ExportCertificatePem(), Issuers.Alpha.Responder.Key.ToPem());
        ServiceProvider services = new ServiceCollection()
            .AddLogging()
            .AddSingleton<TimeProvider>(new TestClock())
            .AddOcspResponder(ocsp => ocsp.AddIssuer("alpha", Issuers.Alpha.Certificate, responder).UseStatus(async (_, _, cancellationToken) =>
            {
                await (beforeStatus?.Invoke(cancellationToken) ?? ValueTask.CompletedTask);
                return CertificateStatus.Good with { HoldsFor = Timeout.InfiniteTimeSpan };
            }))
            .AddOcspListener(options =>
            {
                options.Urls.Add("http://127.0.0.1:0");
                options.MaxConnections = 5000;
                options.HeadersTimeout = TimeSpan.FromSeconds(2);
                options.KeepAliveTimeout = TimeSpan.FromSeconds(60);
                configure?.Invoke(options);
            })
            .BuildServiceProvider();
        FrontUnderTest test = new(services);
        await test.Listener.StartAsync(CancellationToken.None);
        return test;
    }

    /// <summary>One question on a connection of its own: whatever one thread was told before it, it has seen when the answer comes.</summary>
    public async Task<byte[]> AskAsync(int number = 0)
    {
        using RawHttpConnection connection = await RawHttpConnection.ConnectAsync(Uri);
        await connection.SendAsync(RawHttp.Post(Uri, Request(number)));
        RawHttpResponse response = await connection.ReadResponseAsync();
        Assert.Equal(200, response.StatusCode);
        return response.Body;
    }

    /// <summary>Waits until there are so many connections.</summary>
    public async Task WaitForConnectionsAsync(int count)
    {
        using CancellationTokenSource late = new(TimeSpan.FromSeconds(30));
        while (Listener.Connections != count)
        {
            Assert.False(late.IsCancellationRequested, $"There are {Listener.Connections} connections and not {count}.");
            await Task.Yield();
        }
    }

    public Task StopAsync(CancellationToken cancellationToken = default)
    {
        _isStopped = true;
        return Listener.StopAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_isStopped)
        {
            await StopAsync();
        }

        await _services.DisposeAsync();
    }

    /// <summary>A socket that is connected, for what <see cref="RawHttpConnection"/> does not do.</summary>
    public async Task<Socket> ConnectAsync()
    {
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveTimeout = 20_000, SendTimeout = 20_000 };
        await socket.ConnectAsync(Uri.Host, Uri.Port);
        return socket;
    }
}
