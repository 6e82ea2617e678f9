using System.Security.Cryptography.X509Certificates;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace OcspCluster.Testing;

/// <summary>What a receiver was sent.</summary>
public sealed record ReceivedRequest(string Method, string Target, string Host, IReadOnlyDictionary<string, string> Headers, byte[] Body);

/// <summary>What it answers.</summary>
public sealed record ReceiverAnswer(int Status, params IReadOnlyList<(string Name, string Value)> Headers);

/// <summary>An HTTP server on 127.0.0.1 that keeps what it is sent and answers as a test tells it: the other end of a webhook.</summary>
public sealed class RecordingReceiver : IAsyncDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan s_glance = TimeSpan.FromMilliseconds(50);

    private readonly Channel<ReceivedRequest> _received = Channel.CreateUnbounded<ReceivedRequest>();
    private readonly X509Certificate2? _certificate;
    private WebApplication _app;

    private RecordingReceiver(X509Certificate2? certificate)
    {
        _certificate = certificate;
        _app = Build(0);
    }

    /// <summary>Where it listens.</summary>
    public Uri Uri { get; private set; } = null!;

    /// <summary>How it answers; 204 by default. May take its time: a request is kept before it is answered.</summary>
    public Func<ReceivedRequest, CancellationToken, Task<ReceiverAnswer>> Answer { get; set; } = (_, _) => Task.FromResult(new ReceiverAnswer(204));

    /// <summary>Answers everything with a status.</summary>
    public int Status { set => Answer = (_, _) => Task.FromResult(new ReceiverAnswer(value)); }

    /// <summary>Starts one on a free port; with TLS where there is a certificate.</summary>
    public static async Task<RecordingReceiver> StartAsync(X509Certificate2? certificate = null)
    {
        RecordingReceiver receiver = new(certificate);
        await receiver._app.StartAsync().ConfigureAwait(false);
        receiver.Uri = new Uri(receiver._app.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.Single());
        return receiver;
    }

    /// <summary>Whether something was sent that nobody has read.</summary>
    public bool HasMore => _received.Reader.TryPeek(out _);

    /// <summary>The next request. Where none comes by itself, time passes, a second at a time, until there is one.</summary>
    public async Task<ReceivedRequest> ReadAsync(TestClock? clock = null)
    {
        using CancellationTokenSource late = new(s_patience);
        Task<bool> next = _received.Reader.WaitToReadAsync(late.Token).AsTask();
        while (clock is not null && await Task.WhenAny(next, Task.Delay(s_glance, late.Token)).ConfigureAwait(false) != next)
        {
            clock.Advance(TimeSpan.FromSeconds(1));
        }

        await next.ConfigureAwait(false);
        return _received.Reader.TryRead(out ReceivedRequest? request) ? request : throw new InvalidOperationException("Somebody else read it.");
    }

    /// <summary>Is away: connections are refused.</summary>
    public async Task StopAsync() => await _app.DisposeAsync().ConfigureAwait(false);

    /// <summary>Is back on the same port.</summary>
    public async Task StartAgainAsync()
    {
        _app = Build(Uri.Port);
        await _app.StartAsync().ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        using CancellationTokenSource now = new(TimeSpan.Zero);
        await _app.StopAsync(now.Token).ConfigureAwait(false);
        await _app.DisposeAsync().ConfigureAwait(false);
    }

    private WebApplication Build(int port)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AllowSynchronousIO = false;
            kestrel.Listen(System.Net.IPAddress.Loopback, port, listen => UseTls(listen));
        });
        if (_certificate is not null)
        {
            builder.WebHost.UseKestrelHttpsConfiguration();
        }

        WebApplication app = builder.Build();
        app.Run(HandleAsync);
        return app;
    }

    private void UseTls(ListenOptions listen)
    {
        if (_certificate is not null)
        {
            listen.UseHttps(_certificate);
        }
    }

    private async Task HandleAsync(HttpContext context)
    {
        using MemoryStream body = new();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted).ConfigureAwait(false);
        ReceivedRequest request = new(
            context.Request.Method,
            context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget,
            context.Request.Host.ToString(),
            context.Request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase),
            body.ToArray());
        _received.Writer.TryWrite(request);
        try
        {
            ReceiverAnswer answer = await Answer(request, context.RequestAborted).ConfigureAwait(false);
            context.Response.StatusCode = answer.Status;
            foreach ((string name, string value) in answer.Headers)
            {
                context.Response.Headers[name] = value;
            }
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The caller waits no longer.
        }
    }
}
