using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;
using OcspCluster.Authority;

namespace OcspCluster.Gateway;

/// <summary>OCSP over HTTP (RFC 6960 appendix A, RFC 9919 §6 and §7): target and body in, bytes and headers out. Thread-safe.</summary>
public sealed class OcspHttpHandler
{
    private const string ResponseType = "application/ocsp-response";
    private const string RequestType = "application/ocsp-request";

    private readonly OcspResponder _responder;
    private readonly OcspGatewayOptions _options;
    private readonly IReadOnlyList<string> _prefixes;
    private readonly string _unauthorizedCacheControl;
    private readonly TimeProvider _clock;
    private readonly RequestTally _tally;

    /// <summary>Makes a handler.</summary>
    public OcspHttpHandler(OcspResponder responder, IOptions<OcspGatewayOptions> options, TimeProvider clock, RequestTally? tally = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        _responder = responder;
        _options = options.Value;
        _prefixes = _options.EffectivePathPrefixes;
        _clock = clock;
        _tally = tally ?? new RequestTally(clock);
        _unauthorizedCacheControl = _options.UnauthorizedMaxAge > TimeSpan.Zero
            ? string.Create(CultureInfo.InvariantCulture, $"max-age={(long)_options.UnauthorizedMaxAge.TotalSeconds}, public, no-transform")
            : "no-store";
    }

    /// <summary>Counts what is answered.</summary>
    internal RequestTally Tally => _tally;

    /// <summary>Answers one HTTP request under the configured prefixes.</summary>
    public Task HandleAsync(HttpContext context) => HandleAsync(context, _prefixes);

    internal async Task HandleAsync(HttpContext context, IReadOnlyList<string> prefixes)
    {
        string target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        try
        {
            string method = context.Request.Method;
            if (HttpMethods.IsPost(method))
            {
                await PostAsync(context, target, prefixes).ConfigureAwait(false);
            }
            else if (HttpMethods.IsGet(method) || HttpMethods.IsHead(method))
            {
                await GetAsync(context, target, prefixes).ConfigureAwait(false);
            }
            else
            {
                context.Response.Headers.Allow = "GET, HEAD, POST";
                Refuse(context, StatusCodes.Status405MethodNotAllowed);
            }
        }
        catch (BadHttpRequestException e) // the server found the body too long, too slow or not there
        {
            Refuse(context, e.StatusCode);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The client has gone; there is nobody to answer.
        }
    }

    private async Task GetAsync(HttpContext context, string target, IReadOnlyList<string> prefixes)
    {
        if (target.Length > _options.MaxTargetBytes)
        {
            Refuse(context, StatusCodes.Status414UriTooLong);
            return;
        }

        switch (GetTarget.Split(target, prefixes, out ReadOnlySpan<char> escaped))
        {
            case TargetKind.NotOurs:
                Refuse(context, StatusCodes.Status404NotFound);
                return;
            case TargetKind.Request when GetTarget.TryDecode(escaped, out byte[] request):
                long startedAt = _clock.GetTimestamp();
                OcspReply reply = await _responder.AnswerAsync(request, context.RequestAborted).ConfigureAwait(false);
                await WriteAsync(context, reply, startedAt, isConditional: true).ConfigureAwait(false);
                return;
            default:
                await WriteAsync(context, OcspReply.Error(OcspOutcome.Malformed), _clock.GetTimestamp(), isConditional: false).ConfigureAwait(false);
                return;
        }
    }

    private async Task PostAsync(HttpContext context, string target, IReadOnlyList<string> prefixes)
    {
        if (GetTarget.Split(target, prefixes, out _) != TargetKind.Endpoint)
        {
            Refuse(context, StatusCodes.Status404NotFound);
            return;
        }

        if (!_options.AcceptAnyContentType && !IsRequestType(context.Request.ContentType))
        {
            Refuse(context, StatusCodes.Status415UnsupportedMediaType);
            return;
        }

        if (await ReadBodyAsync(context).ConfigureAwait(false) is not byte[] request)
        {
            context.Response.Headers.Connection = "close"; // what follows on this connection is the rest of a body that nobody reads
            Refuse(context, StatusCodes.Status413PayloadTooLarge);
            return;
        }

        long startedAt = _clock.GetTimestamp(); // not before: how slowly a client sends is not ours to answer for
        OcspReply reply = await _responder.AnswerAsync(request, context.RequestAborted).ConfigureAwait(false);
        await WriteAsync(context, reply, startedAt, isConditional: false).ConfigureAwait(false);
    }

    /// <summary>The whole body; null when it is longer than allowed, of which no more than the limit is read.</summary>
    private async ValueTask<byte[]?> ReadBodyAsync(HttpContext context)
    {
        if (context.Request.ContentLength > _options.MaxRequestBytes)
        {
            return null;
        }

        PipeReader reader = context.Request.BodyReader;
        while (true)
        {
            ReadResult read = await reader.ReadAsync(context.RequestAborted).ConfigureAwait(false);
            if (read.Buffer.Length > _options.MaxRequestBytes)
            {
                reader.AdvanceTo(read.Buffer.Start);
                return null;
            }

            if (read.IsCompleted)
            {
                byte[] body = read.Buffer.ToArray();
                reader.AdvanceTo(read.Buffer.End);
                return body;
            }

            reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    private static bool IsRequestType(string? contentType)
    {
        ReadOnlySpan<char> type = contentType;
        int parameters = type.IndexOf(';');
        type = (parameters < 0 ? type : type[..parameters]).Trim();
        return type.IsEmpty || type.Equals(RequestType, StringComparison.OrdinalIgnoreCase);
    }

    private void Refuse(HttpContext context, int status)
    {
        _tally.CountRefusal(status);
        if (!context.Response.HasStarted)
        {
            context.Response.StatusCode = status;
            context.Response.ContentLength = 0;
        }
    }

    private ValueTask WriteAsync(HttpContext context, OcspReply reply, long startedAt, bool isConditional)
    {
        _tally.Count(reply, startedAt);
        HttpResponse response = context.Response;
        if (reply.Response is SignedResponse signed)
        {
            DateTimeOffset now = _clock.GetUtcNow();
            response.Headers.ETag = signed.EntityTag;
            response.Headers.LastModified = HeaderUtilities.FormatDate(signed.ProducedAt);
            response.Headers.Expires = HeaderUtilities.FormatDate(signed.MaxAge > TimeSpan.Zero ? signed.NextUpdate : signed.ProducedAt);
            response.Headers.CacheControl = CacheControlOf(reply, now);
            if (isConditional && IsNotModified(context.Request, signed))
            {
                response.StatusCode = StatusCodes.Status304NotModified;
                return ValueTask.CompletedTask;
            }
        }
        else
        {
            response.Headers.CacheControl = CacheControlOf(reply, default);
        }

        response.ContentType = ResponseType;
        response.ContentLength = reply.Body.Length;
        if (HttpMethods.IsHead(context.Request.Method))
        {
            return ValueTask.CompletedTask;
        }

        return new ValueTask(response.BodyWriter.WriteAsync(reply.Body, context.RequestAborted).AsTask());
    }

    /// <summary>How long HTTP caches may keep an answer.</summary>
    internal string CacheControlOf(in OcspReply reply, DateTimeOffset now) => reply switch
    {
        { Response: { } signed } => CacheControl(signed, now),
        { Outcome: OcspOutcome.IssuerNotServed or OcspOutcome.NeverIssued or OcspOutcome.Expired } => _unauthorizedCacheControl,
        _ => "no-store",
    };

    // RFC 9919 §7.2: n seconds from now there is still an answer that is valid, and none that is newer was planned.
    private static string CacheControl(SignedResponse signed, DateTimeOffset now)
    {
        if (signed.MaxAge == TimeSpan.Zero)
        {
            return "max-age=0, private, no-transform, must-revalidate"; // of use to nobody else
        }

        double seconds = Math.Min(signed.MaxAge.TotalSeconds, Math.Min((signed.NextUpdate - now).TotalSeconds - 1, (signed.RefreshAt - now).TotalSeconds));
        return string.Create(CultureInfo.InvariantCulture, $"max-age={(long)Math.Max(0, seconds)}, public, no-transform, must-revalidate");
    }

    // RFC 9110 §13.1.2 and §13.1.3: weak comparison; If-Modified-Since only without If-None-Match.
    private static bool IsNotModified(HttpRequest request, SignedResponse signed)
    {
        if (request.Headers.IfNoneMatch is { Count: > 0 } tags)
        {
            return EntityTagHeaderValue.TryParseList(tags, out IList<EntityTagHeaderValue>? list)
                && list.Any(tag => tag.Tag == "*" || tag.Tag == signed.EntityTag);
        }

        return HeaderUtilities.TryParseDate(request.Headers.IfModifiedSince.ToString(), out DateTimeOffset since) && signed.ProducedAt <= since;
    }
}
