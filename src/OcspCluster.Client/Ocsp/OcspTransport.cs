using OcspCluster.Protocol;

namespace OcspCluster.Client;

/// <summary>Sends requests to responders: by GET or POST, and again when that may help (RFC 6960 appendix A, RFC 9919 §6). Thread-safe.</summary>
internal sealed class OcspTransport(OcspClientOptions options, HttpTransport http)
{
    private const string RequestType = "application/ocsp-request";
    private const string ResponseType = "application/ocsp-response";

    private readonly TimeProvider _clock = options.Verification.Clock;

    public async Task<OcspExchange> SendAsync(OcspRequest request, Uri responder, bool isGiven, OcspMethod method, string? etag, CancellationToken cancellationToken)
    {
        long start = _clock.GetTimestamp();
        Uri? url = method == OcspMethod.Post ? null : OcspUrl.TryCreate(responder, request.Encoded.Span);
        bool byGet = url is not null && (method == OcspMethod.Get || OcspUrl.IsShort(url));
        OcspExchange exchange = byGet
            ? await RetryAsync(Question(url!, isGiven) with { ETag = etag }, request, responder, cancellationToken).ConfigureAwait(false)
            : await PostAsync(request, responder, isGiven, cancellationToken).ConfigureAwait(false);
        if (byGet && method == OcspMethod.Automatic && WasNotUnderstood(exchange))
        {
            exchange = await PostAsync(request, responder, isGiven, cancellationToken).ConfigureAwait(false);
        }

        return exchange with { Elapsed = _clock.GetElapsedTime(start) };
    }

    private Task<OcspExchange> PostAsync(OcspRequest request, Uri responder, bool isGiven, CancellationToken cancellationToken) =>
        RetryAsync(Question(responder, isGiven) with { Body = request.Encoded, BodyType = RequestType }, request, responder, cancellationToken);

    private HttpQuestion Question(Uri uri, bool isGiven) => new()
    {
        Uri = uri,
        IsGiven = isGiven,
        Accept = ResponseType,
        MaxBytes = options.Limits.MaxResponseBytes,
        Timeout = options.Limits.RequestTimeout,
    };

    // A responder that knows POST only answers a GET with 4xx, a page, or malformedRequest.
    private static bool WasNotUnderstood(OcspExchange exchange) =>
        exchange.Failure == RevocationFailure.None
        && (exchange.Response is null ? exchange.HttpStatus is >= 200 and < 500 and not 304 and not 429 : exchange.Response.Status == OcspResponseStatus.MalformedRequest);

    private async Task<OcspExchange> RetryAsync(HttpQuestion question, OcspRequest request, Uri responder, CancellationToken cancellationToken)
    {
        TimeSpan delay = options.Limits.RetryDelay;
        for (int attempt = 1; ; attempt++)
        {
            HttpReply reply = await http.SendAsync(question, cancellationToken).ConfigureAwait(false);
            OcspExchange exchange = Read(reply, question.Method, request, responder);
            bool mayHelp = reply.IsTransient || exchange.Response?.Status is OcspResponseStatus.TryLater;
            TimeSpan wait = reply.RetryAfter is TimeSpan asked && asked > delay ? asked : delay;
            if (!mayHelp || attempt == options.Limits.MaxAttempts || wait > options.Limits.MaxRetryAfter)
            {
                return exchange;
            }

            await Task.Delay(wait, _clock, cancellationToken).ConfigureAwait(false);
            delay *= 2;
        }
    }

    private OcspExchange Read(HttpReply reply, string method, OcspRequest request, Uri responder)
    {
        OcspResponse? response = null;
        DecodeError error = DecodeError.None;
        string message = reply.Message;
        if (reply.Failure == RevocationFailure.None)
        {
            OcspResponse.TryDecode(reply.Body, out response, out error, options.Verification.Decoding);
            if (reply.Status != 200 || response is null)
            {
                message = $"HTTP {reply.Status}, {reply.ContentType ?? "no Content-Type"}, {reply.Body.Length} octets" + (response is null ? $": not an OCSP response ({error})." : ".");
            }
        }

        return new OcspExchange
        {
            Request = request,
            Responder = responder,
            Method = method,
            Failure = reply.Failure,
            Message = message,
            HttpStatus = reply.Status,
            ContentType = reply.ContentType,
            Body = reply.Body,
            Response = response,
            DecodeError = error,
            Reply = reply,
        };
    }
}
