using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace OcspCluster.Gateway;

/// <summary>How connections come into the OCSP listener.</summary>
public enum OcspTransport
{
    /// <summary><see cref="Front"/> where it is supported (Linux on x64 and arm64), else <see cref="Kestrel"/>.</summary>
    Automatic,

    /// <summary>Threads of the listener's own accept connections and answer what lies in the cache; the others are Kestrel's.</summary>
    Front,

    /// <summary>Kestrel's sockets.</summary>
    Kestrel,
}

/// <summary>Where OCSP is answered, and how much patience clients get.</summary>
public sealed class OcspListenerOptions
{
    /// <summary>The URLs to listen on: <c>http://{address}:{port}</c>; port 0 takes a free one. Default http://127.0.0.1:8080.</summary>
    public IList<string> Urls { get; set; } = [];

    /// <summary>The most connections at a time; further ones are closed at once. 1 to 1,000,000. Default 10,000.</summary>
    public int MaxConnections { get; set; } = 10_000;

    /// <summary>How long a request's headers may take from their first octet on. Default 10 seconds.</summary>
    public TimeSpan HeadersTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a connection may stay silent before and between requests. Default 60 seconds.</summary>
    public TimeSpan KeepAliveTimeout { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>The slowest pace of a request's body, in octets per second, after a grace of 5 seconds. Default 240.</summary>
    public double MinBodyBytesPerSecond { get; set; } = 240;

    /// <summary>How connections come in. Default <see cref="OcspTransport.Automatic"/>.</summary>
    public OcspTransport Transport { get; set; }

    /// <summary>The threads of <see cref="OcspTransport.Front"/> for each address. 0 to 256; 0 is one for each processor. Default 0.</summary>
    public int Threads { get; set; }
}

/// <summary>
/// A Kestrel server of its own for OCSP: relying parties get limits that suit requests of a hundred bytes, and no pipeline between socket and handler.
/// The host's own server keeps the admin listener.
/// </summary>
public sealed class OcspListener : IHostedService, IDisposable
{
    private readonly KestrelServer _server;
    private readonly Application _application;
    private readonly PlainAnswers _answers;
    private readonly FrontTransport? _front;
    private readonly Meter _meter = new("OcspCluster.Listener");
    private int _connections;

    /// <summary>Prepares the server; <see cref="StartAsync"/> binds it.</summary>
    public OcspListener(OcspHttpHandler handler, OcspResponder responder, IOptions<OcspGatewayOptions> gateway, IOptions<OcspListenerOptions> options, TimeProvider clock, IServiceProvider services, ILoggerFactory loggers)
    {
        ArgumentNullException.ThrowIfNull(gateway);
        ArgumentNullException.ThrowIfNull(options);
        _answers = new PlainAnswers(responder, handler, gateway.Value, clock);
        OcspListenerOptions listener = options.Value;
        KestrelServerOptions kestrel = new() { AddServerHeader = false, ApplicationServices = services };
        bool hasFront = listener.Transport == OcspTransport.Front || (listener.Transport == OcspTransport.Automatic && FrontTransport.IsSupported);
        kestrel.Limits.MaxConcurrentConnections = hasFront ? null : listener.MaxConnections; // the front counts all of them
        kestrel.Limits.MaxConcurrentUpgradedConnections = 0;
        kestrel.Limits.RequestHeadersTimeout = listener.HeadersTimeout;
        kestrel.Limits.KeepAliveTimeout = listener.KeepAliveTimeout;
        kestrel.Limits.MinRequestBodyDataRate = new MinDataRate(listener.MinBodyBytesPerSecond, TimeSpan.FromSeconds(5));
        kestrel.Limits.MinResponseDataRate = new MinDataRate(64 * 1024, TimeSpan.FromSeconds(10)); // waits only for who asks on and does not read: single answers are in the socket's buffer at once
        kestrel.Limits.MaxRequestBodySize = null; // the handler's own limit, which answers before it reads
        kestrel.Limits.MaxRequestHeadersTotalSize = 16 * 1024;
        kestrel.Limits.MaxRequestHeaderCount = 64;
        foreach (string url in listener.Urls.Count == 0 ? ["http://127.0.0.1:8080"] : listener.Urls)
        {
            Listen(kestrel, url, Configure);
        }

        _front = hasFront ? new FrontTransport(_answers, listener, loggers) : null;
        _server = new KestrelServer(Options.Create(kestrel), (IConnectionListenerFactory?)_front ?? MakeSockets(loggers), loggers);
        _application = new Application(handler);
        _meter.CreateObservableGauge("ocsp.connections", () => Connections, "{connection}", "Connections to the OCSP listener; no more than Ocsp:MaxConnections");
    }

    /// <summary>Whether there is <see cref="OcspTransport.Front"/> on this machine.</summary>
    public static bool SupportsFront => FrontTransport.IsSupported;

    /// <summary>The URLs that are listened on, with the real ports.</summary>
    public IReadOnlyList<Uri> Addresses =>
        [.. _server.Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.Select(address => new Uri(address))];

    /// <summary>The connections that there are.</summary>
    public int Connections => _front?.Count ?? Volatile.Read(ref _connections);

    /// <inheritdoc/>
    /// <exception cref="IOException">An address is in use or not ours.</exception>
    public Task StartAsync(CancellationToken cancellationToken) => _server.StartAsync(_application, cancellationToken);

    /// <summary>Stops accepting, and waits for the requests under way until the token is cancelled.</summary>
    public Task StopAsync(CancellationToken cancellationToken) => _server.StopAsync(cancellationToken);

    /// <inheritdoc/>
    public void Dispose()
    {
        _meter.Dispose();
        _server.Dispose();
        _front?.Dispose();
    }

    // Inline: what a plain request needs is done on the thread that read it. That is a thread of the pool, as before; what is signed may take its time there, others go on.
    // A buffer of 4 KB before there is anything to read spares a call to the system for every request, and costs 40 MB for the most connections there may be by default.
    private static SocketTransportFactory MakeSockets(ILoggerFactory loggers) =>
        new(Options.Create(new SocketTransportOptions { UnsafePreferInlineScheduling = true, WaitForDataBeforeAllocatingBuffer = false, Backlog = 4096 }), loggers);

    private static void Listen(KestrelServerOptions kestrel, string url, Action<ListenOptions> configure)
    {
        Uri uri = new(url);
        if (uri.Scheme != Uri.UriSchemeHttp)
        {
            throw new InvalidOperationException($"'{url}': OCSP is served over plain http (RFC 6960 appendix A; BR 7.1.2.7.7).");
        }

        if (IPAddress.TryParse(uri.IdnHost, out IPAddress? address))
        {
            kestrel.Listen(address, uri.Port, configure);
        }
        else if (uri.IsLoopback)
        {
            kestrel.ListenLocalhost(uri.Port, configure);
        }
        else
        {
            kestrel.ListenAnyIP(uri.Port, configure);
        }
    }

    private void Configure(ListenOptions options)
    {
        options.Protocols = HttpProtocols.Http1;
        TimeSpan keepAlive = options.KestrelServerOptions.Limits.KeepAliveTimeout;
        options.Use(kestrel => async connection =>
        {
            Interlocked.Increment(ref _connections);
            try
            {
                if (await new OcspConnection(_answers, connection, keepAlive).RunAsync().ConfigureAwait(false))
                {
                    await kestrel(connection).ConfigureAwait(false);
                }
            }
            finally
            {
                Interlocked.Decrement(ref _connections);
            }
        });
    }

    private sealed class Application(OcspHttpHandler handler) : IHttpApplication<HttpContext>
    {
        public HttpContext CreateContext(IFeatureCollection contextFeatures) => new DefaultHttpContext(contextFeatures);

        public Task ProcessRequestAsync(HttpContext context) => GatewayActivities.Source.HasListeners() ? TraceAsync(context) : handler.HandleAsync(context);

        public void DisposeContext(HttpContext context, Exception? exception)
        {
        }

        private async Task TraceAsync(HttpContext context)
        {
            using Activity? activity = GatewayActivities.StartRequest();
            await handler.HandleAsync(context).ConfigureAwait(false);
            activity?.SetTag("http.request.method", context.Request.Method).SetTag("http.response.status_code", context.Response.StatusCode);
        }
    }
}
