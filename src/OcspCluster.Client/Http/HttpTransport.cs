using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace OcspCluster.Client;

/// <summary>
/// HTTP as a relying party can afford it: bounded in octets, redirects and time, and connected to public addresses only, unless allowed. Thread-safe.
/// </summary>
/// <remarks>
/// The address is judged where the connection is made, after the name was resolved and with no second resolution behind it, so a name that resolves to
/// something else every time (DNS rebinding) gains nothing. Addresses that the program named itself have a connection pool of their own: a pooled
/// connection into the private network is never handed to a request for an address that a certificate named.
/// </remarks>
internal sealed class HttpTransport : IDisposable
{
    private readonly OcspClientOptions _options;
    private readonly TimeProvider _clock;
    private readonly HttpMessageInvoker _guarded;
    private readonly HttpMessageInvoker _open;

    public HttpTransport(OcspClientOptions options)
    {
        _options = options;
        _clock = options.Verification.Clock;
        _guarded = new HttpMessageInvoker(CreateHandler(options.PrivateAddresses == PrivateAddressRule.Allow));
        _open = new HttpMessageInvoker(CreateHandler(options.PrivateAddresses != PrivateAddressRule.Refuse));
    }

    public void Dispose()
    {
        _guarded.Dispose();
        _open.Dispose();
    }

    /// <summary>Asks, following redirects.</summary>
    /// <exception cref="OperationCanceledException">The caller's token was cancelled.</exception>
    public async Task<HttpReply> SendAsync(HttpQuestion question, CancellationToken cancellationToken)
    {
        using CancellationTokenSource late = new(question.Timeout, _clock);
        using CancellationTokenSource both = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        try
        {
            return await FollowAsync(question, both.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return HttpReply.Failed(RevocationFailure.Unreachable, $"No whole answer came within {question.Timeout.TotalSeconds:0.###} s.");
        }
        catch (Exception e) when (e is HttpRequestException or IOException or SocketException or UriFormatException or InvalidOperationException)
        {
            cancellationToken.ThrowIfCancellationRequested(); // what a handler throws while it is cancelled is its own matter
            return Find<AddressRefusedException>(e) is { } refused
                ? HttpReply.Failed(RevocationFailure.AddressRefused, refused.Message)
                : HttpReply.Failed(RevocationFailure.Unreachable, Describe(e));
        }
    }

    private async Task<HttpReply> FollowAsync(HttpQuestion question, CancellationToken cancellationToken)
    {
        Uri uri = question.Uri;
        bool isGiven = question.IsGiven;
        for (int redirects = 0; ; redirects++)
        {
            if (FindMisuse(uri) is string misuse)
            {
                return HttpReply.Failed(RevocationFailure.Unreachable, misuse);
            }

            if (!MayBePrivate(isGiven) && IsPrivateLiteral(uri))
            {
                return HttpReply.Failed(RevocationFailure.AddressRefused, RefusalOf(uri.Host));
            }

            using HttpRequestMessage message = CreateMessage(question, uri, isGiven ? _options.Headers : []);
            using HttpResponseMessage response = await (isGiven ? _open : _guarded).SendAsync(message, cancellationToken).ConfigureAwait(false);
            if (!IsRedirect(response.StatusCode))
            {
                return await ReadAsync(response, question.MaxBytes, cancellationToken).ConfigureAwait(false);
            }

            if (redirects == _options.Limits.MaxRedirects)
            {
                return HttpReply.Failed(RevocationFailure.Unreachable, $"More than {_options.Limits.MaxRedirects} redirects.");
            }

            if (response.Headers.Location is not Uri location || (question.Body is not null && response.StatusCode == HttpStatusCode.SeeOther))
            {
                return HttpReply.Failed(RevocationFailure.Unreachable, $"HTTP {(int)response.StatusCode} leads nowhere.");
            }

            uri = location.IsAbsoluteUri ? location : new Uri(uri, location);
            isGiven = false; // whoever redirects is not the program: private addresses are as closed to it as to a certificate
        }
    }

    private static bool IsRedirect(HttpStatusCode status) => status is HttpStatusCode.MovedPermanently or HttpStatusCode.Found or HttpStatusCode.SeeOther
        or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect;

    private static string? FindMisuse(Uri uri)
    {
        if (!uri.IsAbsoluteUri || (uri.Scheme != Uri.UriSchemeHttp && uri.Scheme != Uri.UriSchemeHttps))
        {
            return $"'{uri}' is not an http or https address.";
        }

        return uri.UserInfo.Length > 0 ? "An address with a user name in it is not asked." : null;
    }

    private bool MayBePrivate(bool isGiven) =>
        _options.PrivateAddresses == PrivateAddressRule.Allow || (isGiven && _options.PrivateAddresses == PrivateAddressRule.AllowGiven);

    // Needed beside the check at the connection because a proxy connects elsewhere than it is told to go.
    private static bool IsPrivateLiteral(Uri uri) => IPAddress.TryParse(uri.IdnHost, out IPAddress? address) ? !PublicAddress.Is(address) : uri.IsLoopback;

    private static string RefusalOf(string host) => $"'{host}' leads to a private, loopback or otherwise not public address, which is not allowed.";

    private static HttpRequestMessage CreateMessage(HttpQuestion question, Uri uri, IReadOnlyList<KeyValuePair<string, string>> headers)
    {
        HttpRequestMessage message = new(question.Body is null ? HttpMethod.Get : HttpMethod.Post, uri);
        message.Headers.Accept.ParseAdd(question.Accept);
        foreach ((string name, string value) in headers)
        {
            message.Headers.TryAddWithoutValidation(name, value);
        }

        if (question.ETag is not null)
        {
            message.Headers.TryAddWithoutValidation("If-None-Match", question.ETag);
        }

        if (question.Body is ReadOnlyMemory<byte> body)
        {
            message.Content = new ReadOnlyMemoryContent(body);
            message.Content.Headers.ContentType = new MediaTypeHeaderValue(question.BodyType!);
        }

        return message;
    }

    private async Task<HttpReply> ReadAsync(HttpResponseMessage response, int maxBytes, CancellationToken cancellationToken)
    {
        if (response.Content.Headers.ContentLength > maxBytes)
        {
            return HttpReply.Failed(RevocationFailure.Unreachable, $"The answer has {response.Content.Headers.ContentLength} octets; {maxBytes} are taken.");
        }

        using MemoryStream body = new((int)(response.Content.Headers.ContentLength ?? 2048));
        Stream stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        byte[] buffer = new byte[8192];
        int read;
        while ((read = await stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0)
        {
            if (body.Length + read > maxBytes)
            {
                return HttpReply.Failed(RevocationFailure.Unreachable, $"The answer has more than the {maxBytes} octets that are taken.");
            }

            body.Write(buffer, 0, read);
        }

        return new HttpReply
        {
            Status = (int)response.StatusCode,
            ContentType = response.Content.Headers.ContentType?.ToString(),
            Body = body.ToArray(),
            ETag = response.Headers.ETag?.ToString(),
            IsStorable = response.Headers.CacheControl is not { NoStore: true },
            Lifetime = LifetimeOf(response),
            RetryAfter = RetryAfterOf(response),
        };
    }

    // RFC 9111 §4.2.1: max-age before Expires, less what other caches had it already.
    private TimeSpan? LifetimeOf(HttpResponseMessage response)
    {
        CacheControlHeaderValue? control = response.Headers.CacheControl;
        if (control is { NoCache: true })
        {
            return TimeSpan.Zero;
        }

        if (control?.MaxAge is TimeSpan maxAge)
        {
            return maxAge - (response.Headers.Age ?? TimeSpan.Zero);
        }

        return response.Content.Headers.Expires is DateTimeOffset expires ? expires - (response.Headers.Date ?? _clock.GetUtcNow()) : null;
    }

    private TimeSpan? RetryAfterOf(HttpResponseMessage response) => response.Headers.RetryAfter switch
    {
        { Delta: TimeSpan delta } => delta,
        { Date: DateTimeOffset date } => date - _clock.GetUtcNow(),
        _ => null,
    };

    private SocketsHttpHandler CreateHandler(bool mayBePrivate)
    {
        SocketsHttpHandler handler = new()
        {
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None, // a few octets could become gigabytes
            UseCookies = false,
            Proxy = _options.Proxy,
            UseProxy = _options.Proxy is not null,
            DefaultProxyCredentials = null,
            MaxResponseHeadersLength = 16,
            MaxConnectionsPerServer = 16,
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
            ConnectTimeout = _options.Limits.RequestTimeout,
            ActivityHeadersPropagator = null, // a responder need not learn which program's request made it be asked
            ConnectCallback = (context, cancellationToken) => ConnectAsync(context, mayBePrivate, cancellationToken),
            SslOptions = new SslClientAuthenticationOptions
            {
                // Whoever is asked by https must not make the platform ask others first: what is answered is signed anyhow.
                CertificateChainPolicy = new X509ChainPolicy { DisableCertificateDownloads = true, RevocationMode = X509RevocationMode.NoCheck },
            },
        };
        _options.ConfigureHandler?.Invoke(handler);
        return handler;
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, bool mayBePrivate, CancellationToken cancellationToken)
    {
        DnsEndPoint target = context.DnsEndPoint;
        IPAddress[] addresses = await Dns.GetHostAddressesAsync(target.Host, cancellationToken).ConfigureAwait(false);
        if (!mayBePrivate && !IsProxy(context))
        {
            addresses = Array.FindAll(addresses, PublicAddress.Is);
            if (addresses.Length == 0)
            {
                throw new AddressRefusedException(RefusalOf(target.Host));
            }
        }

        Socket socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(addresses, target.Port, cancellationToken).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private bool IsProxy(SocketsHttpConnectionContext context) =>
        _options.Proxy is IWebProxy proxy
        && context.InitialRequestMessage.RequestUri is Uri uri
        && !proxy.IsBypassed(uri)
        && proxy.GetProxy(uri) is Uri address
        && address.IdnHost == context.DnsEndPoint.Host
        && address.Port == context.DnsEndPoint.Port;

    private static T? Find<T>(Exception exception)
        where T : Exception
    {
        for (Exception? e = exception; e is not null; e = e.InnerException)
        {
            if (e is T found)
            {
                return found;
            }
        }

        return null;
    }

    private static string Describe(Exception e) => e switch
    {
        HttpRequestException { HttpRequestError: HttpRequestError.NameResolutionError } => "The name does not resolve.",
        { InnerException: SocketException inner } => inner.Message,
        HttpRequestException { InnerException: { } inner } => inner.Message,
        _ => e.Message,
    };
}
