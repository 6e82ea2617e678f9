using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace OcspCluster.Gateway;

/// <summary>Calls one receiver. TLS is always verified, redirects are not followed, and no answer is read beyond its headers. Thread-safe.</summary>
internal sealed class DeliveryClient(ReceiverOptions receiver, TimeProvider clock) : IDisposable
{
    private static readonly TimeSpan s_longestRetryAfter = TimeSpan.FromHours(1); // so that a slip of the receiver's pen is not for ever

    private readonly HttpClient _client = new(CreateHandler(receiver)) { Timeout = Timeout.InfiniteTimeSpan };

    /// <summary>Sends a request and judges the answer.</summary>
    /// <param name="request">The request; not disposed.</param>
    /// <param name="alsoSuccess">Statuses beside 2xx that are success.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<DeliveryResult> SendAsync(HttpRequestMessage request, IReadOnlyList<int> alsoSuccess, CancellationToken cancellationToken)
    {
        request.Headers.UserAgent.Add(new ProductInfoHeaderValue("OcspCluster", null));
        using CancellationTokenSource late = new(receiver.Timeout, clock);
        using CancellationTokenSource ended = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        try
        {
            using HttpResponseMessage response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ended.Token).ConfigureAwait(false);
            return response.IsSuccessStatusCode || alsoSuccess.Contains((int)response.StatusCode) ? DeliveryResult.Delivered : Judge(response);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return DeliveryResult.Failed($"no answer within {receiver.Timeout}");
        }
        catch (HttpRequestException e)
        {
            // The outer message of a TLS error says no more than that there was one.
            return DeliveryResult.Failed($"could not be called: {(e.InnerException is AuthenticationException inner ? inner.Message : e.Message)}");
        }
    }

    public void Dispose() => _client.Dispose();

    private static SocketsHttpHandler CreateHandler(ReceiverOptions receiver)
    {
        SocketsHttpHandler handler = new()
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = receiver.Proxy is not null,
            Proxy = receiver.Proxy is null ? null : new WebProxy(receiver.Proxy),
            ConnectTimeout = receiver.Timeout,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5), // the name may lead elsewhere by then
            ActivityHeadersPropagator = null,
        };
        if (receiver.TrustedRoots.Count > 0)
        {
            X509ChainPolicy policy = new() { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            policy.CustomTrustStore.AddRange(receiver.TrustedRoots);
            handler.SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = policy };
        }

        return handler;
    }

    private DeliveryResult Judge(HttpResponseMessage response)
    {
        int status = (int)response.StatusCode;
        RetryConditionHeaderValue? retry = response.Headers.RetryAfter;
        TimeSpan retryAfter = retry?.Delta ?? (retry?.Date - clock.GetUtcNow()) ?? TimeSpan.Zero;
        retryAfter = retryAfter < TimeSpan.Zero ? TimeSpan.Zero : retryAfter > s_longestRetryAfter ? s_longestRetryAfter : retryAfter;
        return status switch
        {
            410 => new DeliveryResult(DeliveryOutcome.Gone, "answered 410: it wants no more"),
            413 => new DeliveryResult(DeliveryOutcome.TooLarge, "answered 413: too much at once", retryAfter),
            >= 300 and < 400 => new DeliveryResult(DeliveryOutcome.Failed, $"answered {status}: redirects are not followed", retryAfter),
            _ => new DeliveryResult(DeliveryOutcome.Failed, $"answered {status}", retryAfter),
        };
    }
}
