using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.Options;
using OcspCluster.Authority;

namespace OcspCluster.Gateway;

/// <summary><c>POST /v1/issuers/{issuer}/events</c>: a batch is read as a whole and answered as a whole, a stream line by line.</summary>
internal sealed class EventsEndpoint(IssuerDirectory directory, IRevocationAuthority authority, IOptions<AdminApiOptions> options)
{
    private readonly EventFeed _feed = new(authority);

    public async Task<IResult> PostAsync(HttpContext context, string issuer)
    {
        if (directory.Issuers.FirstOrDefault(one => one.Id.ToString() == issuer) is not { } found)
        {
            return AdminProblems.NoSuchIssuer(issuer);
        }

        if (EventBatch.FormOf(context.Request.ContentType) is not { } form)
        {
            context.Response.Headers["Accept-Post"] = EventBatch.MediaTypes;
            return AdminProblems.Create(StatusCodes.Status415UnsupportedMediaType, "This content type is not taken", $"Send one of {EventBatch.MediaTypes}, in UTF-8.");
        }

        return form == EventForm.Lines
            ? await PostStreamAsync(context, found).ConfigureAwait(false)
            : await PostBatchAsync(context, found, form).ConfigureAwait(false);
    }

    private async Task<IResult> PostBatchAsync(HttpContext context, Issuer issuer, EventForm form)
    {
        AdminApiOptions limits = options.Value;
        context.Features.GetRequiredFeature<IHttpMaxRequestBodySizeFeature>().MaxRequestBodySize = limits.MaxBatchBytes;
        EventBatch batch = await EventBatch.ReadAsync(context.Request.Body, form, limits.MaxBatchEvents, context.RequestAborted).ConfigureAwait(false);
        if (batch.Count > limits.MaxBatchEvents)
        {
            return AdminProblems.Create(
                StatusCodes.Status413PayloadTooLarge, "Too many events", $"The batch has {batch.Count} events: {limits.MaxBatchEvents} at most. Send more as application/x-ndjson, which has no limit.");
        }

        if (batch.Problems.Count > 0)
        {
            return AdminProblems.BadEvents(batch.Problems);
        }

        // The caller's cancellation gives up a place in the queue and nothing more: once a turn has begun it goes through.
        IReadOnlyList<EventOutcome> outcomes = await _feed.SubmitAsync(issuer, batch.Events, AdminAccess.CallerOf(context).ToSubmitter(), context.RequestAborted).ConfigureAwait(false);
        context.Response.ContentType = "application/json";
        OutcomeWriter.WriteBatch(context.Response.BodyWriter, outcomes);
        await context.Response.BodyWriter.FlushAsync(CancellationToken.None).ConfigureAwait(false);
        return Results.Empty;
    }

    private async Task<IResult> PostStreamAsync(HttpContext context, Issuer issuer)
    {
        // The stream may be as long and as slow as the sender likes, and the answer may wait until all is sent: the sender is known, and has a rate limit.
        context.Features.GetRequiredFeature<IHttpMaxRequestBodySizeFeature>().MaxRequestBodySize = null;
        if (context.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } requestRate)
        {
            requestRate.MinDataRate = null;
        }

        if (context.Features.Get<IHttpMinResponseDataRateFeature>() is { } responseRate)
        {
            responseRate.MinDataRate = null;
        }

        context.Response.ContentType = "application/x-ndjson";
        await using OutcomeSpool spool = new();
        EventStream stream = new(_feed, issuer, AdminAccess.CallerOf(context).ToSubmitter(), new LineReader(context.Request.BodyReader, options.Value.MaxLineBytes), spool);
        Task copying = spool.CopyToAsync(context.Response.BodyWriter, context.RequestAborted);
        try
        {
            await stream.RunAsync(context.RequestAborted).ConfigureAwait(false);
            await copying.ConfigureAwait(false);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or ConnectionResetException)
        {
            // The sender is gone. What it had sent and we had begun is recorded; it will ask with the same ids.
            await copying.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        return Results.Empty;
    }
}
