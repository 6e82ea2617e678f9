using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;
using OcspCluster.Authority;

namespace OcspCluster.Gateway;

/// <summary><c>POST /v1/issuers/{issuer}/bulk</c>: revokes, holds or releases many certificates, listed or by the time of their issuance. The answer is progress, refusals and a summary, one per line.</summary>
internal sealed class BulkEndpoint(IssuerDirectory directory, IRevocationAuthority authority, IRevocationStore store, IOptions<AdminApiOptions> options, TimeProvider clock)
{
    public async Task<IResult> PostAsync(HttpContext context, string issuer)
    {
        if (directory.Issuers.FirstOrDefault(one => one.Id.ToString() == issuer) is not { } found)
        {
            return AdminProblems.NoSuchIssuer(issuer);
        }

        if (BulkRequest.Read(context.Request.Query, clock.GetUtcNow(), out IResult? problem) is not { } request)
        {
            return problem!;
        }

        if (StatusRules.FindFault(request.Event(Protocol.SerialNumber.FromInteger(1)), clock.GetUtcNow()) is { } refusal)
        {
            return AdminProblems.Create(StatusCodes.Status400BadRequest, "Every event would be refused", $"{char.ToUpperInvariant(refusal.ToSentence()[0])}{refusal.ToSentence()[1..]}.");
        }

        string? type = MediaTypeHeaderValue.TryParse(context.Request.ContentType, out MediaTypeHeaderValue? parsed) ? parsed.MediaType.Value?.ToLowerInvariant() : null;
        bool hasBody = context.Request.ContentLength is > 0 || context.Request.Headers.TransferEncoding.Count > 0 || context.Features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: true };
        if (request.IsByTime == hasBody)
        {
            return AdminProblems.Create(
                StatusCodes.Status400BadRequest, "Which certificates?", "Send serial numbers in the body, or issuedFrom and issuedTo without a body: one of the two.", ("field", request.IsByTime ? "issuedFrom" : "serials"));
        }

        IAsyncEnumerable<ImportedSerial>? serials = null;
        if (hasBody && type == "application/json")
        {
            context.Features.GetRequiredFeature<IHttpMaxRequestBodySizeFeature>().MaxRequestBodySize = options.Value.MaxBatchBytes;
            (List<ImportedSerial>? listed, string? fault) = await SerialList.ReadJsonAsync(context.Request.Body, context.RequestAborted).ConfigureAwait(false);
            if (listed is null)
            {
                return AdminProblems.Create(StatusCodes.Status400BadRequest, "The serial numbers cannot be read, and nothing was done", $"The body {fault}.", ("field", "serials"));
            }

            serials = listed.ToAsyncEnumerable();
        }
        else if (hasBody && type != "text/plain")
        {
            context.Response.Headers["Accept-Post"] = "application/json, text/plain";
            return AdminProblems.Create(
                StatusCodes.Status415UnsupportedMediaType, "This content type is not taken", "Send application/json, an array of serial numbers; or text/plain, one serial number per line, which has no limit.");
        }

        return await ImportsEndpoint.AnswerAsync(context, clock, lines =>
        {
            BulkRun run = new(authority, found, store, request, AdminAccess.CallerOf(context).ToSubmitter(), clock, lines);
            serials ??= request.IsByTime ? run.FindIssuedAsync(context.RequestAborted) : SerialList.ReadTextAsync(context.Request.Body, options.Value.MaxLineBytes, context.RequestAborted);
            return run.RunAsync(serials, context.RequestAborted);
        }).ConfigureAwait(false);
    }
}
