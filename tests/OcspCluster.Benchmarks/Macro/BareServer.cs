using System.Net;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace OcspCluster.Benchmarks.Macro;

/// <summary>
/// What Kestrel costs and nothing more: an <see cref="IHttpApplication{TContext}"/> that answers every request with constant bytes under constant headers. What a responder
/// needs beyond this is its own.
/// </summary>
internal sealed class BareServer(byte[] body) : IHttpApplication<IFeatureCollection>
{
    public const string Verb = "bare";

    private readonly string _entityTag = $"\"{new string('0', 64)}\"";

    /// <summary>Serves until it is told to end; prints its address when it listens.</summary>
    /// <param name="answer">A file with the bytes of the answer.</param>
    public static async Task RunAsync(string answer)
    {
        ServiceProvider services = new ServiceCollection().AddLogging().BuildServiceProvider();
        KestrelServerOptions options = new() { AddServerHeader = false, ApplicationServices = services };
        options.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1);
        using KestrelServer server = new(Options.Create(options), new SocketTransportFactory(Options.Create(new SocketTransportOptions()), NullLoggerFactory.Instance), NullLoggerFactory.Instance);
        await server.StartAsync(new BareServer(await File.ReadAllBytesAsync(answer)), CancellationToken.None);
        Console.WriteLine("listening: " + server.Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.First());
        using ManualResetEventSlim end = new();
        using System.Runtime.InteropServices.PosixSignalRegistration signal = System.Runtime.InteropServices.PosixSignalRegistration.Create(
            System.Runtime.InteropServices.PosixSignal.SIGTERM,
            context =>
            {
                context.Cancel = true;
                end.Set();
            });
        await Task.Run(end.Wait);
    }

    public IFeatureCollection CreateContext(IFeatureCollection contextFeatures) => contextFeatures;

    public Task ProcessRequestAsync(IFeatureCollection context)
    {
        IHttpResponseFeature response = context.GetRequiredFeature<IHttpResponseFeature>();
        response.Headers.ETag = _entityTag;
        response.Headers.LastModified = "Mon, 15 Jun 2026 12:00:00 GMT";
        response.Headers.Expires = "Fri, 19 Jun 2026 11:59:59 GMT";
        response.Headers.CacheControl = "max-age=3600, public, no-transform, must-revalidate";
        response.Headers.ContentType = "application/ocsp-response";
        response.Headers.ContentLength = body.Length;
        return context.GetRequiredFeature<IHttpResponseBodyFeature>().Writer.WriteAsync(body).AsTask();
    }

    public void DisposeContext(IFeatureCollection context, Exception? exception)
    {
    }
}
