using System.Security.Cryptography.X509Certificates;
using OcspCluster.Protocol;

namespace OcspCluster.Client.Tests;

/// <summary>A CA with a responder on loopback that answers as a test says, a certificate that names it, and a client that may ask it.</summary>
internal sealed class TestResponder : IAsyncDisposable
{
    private readonly LoopbackServer _server;

    public TestResponder(CertStatus? status = null, Func<LoopbackRequest, OcspRequest?, LoopbackReply>? answer = null)
    {
        _server = new LoopbackServer(request =>
        {
            OcspRequest.TryDecode(RequestIn(request), out OcspRequest? decoded, out _);
            return answer?.Invoke(request, decoded) ?? LoopbackReply.Ok(Authority.Respond(decoded!, status ?? CertStatus.Good));
        });
        Leaf = Authority.Issue(new LeafProfile { Responders = [_server.Uri] });
    }

    public TestAuthority Authority { get; } = TestAuthority.CreateRoot();

    public X509Certificate2 Leaf { get; }

    public Uri Uri => _server.Uri;

    public LoopbackRequest[] Requests => [.. _server.Requests];

    /// <summary>Options under which loopback may be asked, quickly.</summary>
    public static OcspClientOptions Options { get; } = new()
    {
        PrivateAddresses = PrivateAddressRule.Allow,
        Proxy = null,
        Store = null,
        Limits = new NetworkLimits
        {
            RetryDelay = TimeSpan.FromMilliseconds(1),
            RequestTimeout = TimeSpan.FromSeconds(60), // a busy machine is not what is tested
            TotalTimeout = TimeSpan.FromSeconds(120),
        },
    };

    public async Task<RevocationVerdict> CheckAsync(OcspClientOptions? options = null)
    {
        using OcspClient client = new(options ?? Options);
        return await client.CheckAsync(Leaf, Authority.Certificate);
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        Leaf.Dispose();
        Authority.Dispose();
    }

    /// <summary>The DER in a GET or POST.</summary>
    public static byte[] RequestIn(LoopbackRequest request)
    {
        if (request.Method == "POST")
        {
            return request.Body;
        }

        try
        {
            return Convert.FromBase64String(Uri.UnescapeDataString(request.Target[(request.Target.LastIndexOf('/') + 1)..]));
        }
        catch (FormatException)
        {
            return [];
        }
    }
}
