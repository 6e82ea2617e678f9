using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.Options;
using OcspCluster.Authority;

namespace OcspCluster.Gateway;

/// <summary><c>POST /v1/issuers/{issuer}/imports</c>: a file of any length, imported as it comes in; the answer is progress, problems and a summary, one per line.</summary>
internal sealed class ImportsEndpoint(
    IssuerDirectory directory, IRevocationAuthority authority, IRevocationStore store, ICrlRecords records, IOptions<AdminApiOptions> options, TimeProvider clock)
{
    public async Task<IResult> PostAsync(HttpContext context, string issuer, string? form, string? dryRun)
    {
        if (directory.Issuers.FirstOrDefault(one => one.Id.ToString() == issuer) is not { } found)
        {
            return AdminProblems.NoSuchIssuer(issuer);
        }

        if (!Enum.GetNames<ImportForm>().Contains(form, StringComparer.OrdinalIgnoreCase))
        {
            return AdminProblems.BadParameter("form", "is none of index, csv, ndjson, crl");
        }

        bool isDryRun = false;
        if (!string.IsNullOrEmpty(dryRun) && !bool.TryParse(dryRun, out isDryRun))
        {
            return AdminProblems.BadParameter("dryRun", "is neither true nor false");
        }

        return await AnswerAsync(context, clock, async lines =>
        {
            FileImport import = new(authority, found.Id, found.Certificates, store, records, clock)
            {
                MaxLineBytes = options.Value.MaxLineBytes,
                Submitter = AdminAccess.CallerOf(context).ToSubmitter(),
                IsDryRun = isDryRun,
                OnProgress = progress => lines.WriteProgress(writer => ProgressLines.WriteCounts(writer, progress)),
            };
            ImportResult result = await import.RunAsync(Enum.Parse<ImportForm>(form!, ignoreCase: true), context.Request.Body, context.RequestAborted).ConfigureAwait(false);
            foreach (ImportProblem problem in result.Problems)
            {
                lines.Write("problem", writer =>
                {
                    writer.WriteNumber("line", problem.Line);
                    writer.WriteString("detail", problem.Problem);
                });
            }

            lines.Write("summary", writer =>
            {
                ProgressLines.WriteCounts(writer, result.Progress);
                writer.WriteBoolean("dryRun", isDryRun);
                writer.WriteString("refusal", result.Refusal);
                writer.WriteString("note", result.Note);
            });
        }).ConfigureAwait(false);
    }

    /// <summary>Answers with lines that are written while the body comes in, however slow the one who sends it is to read them.</summary>
    internal static async Task<IResult> AnswerAsync(HttpContext context, TimeProvider clock, Func<ProgressLines, Task> run)
    {
        // As long and as slow as the sender likes: he is known, and has a rate limit.
        if (context.Features.GetRequiredFeature<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = null; // read-only once a body was read, as a list in JSON is
        }

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
        Task copying = spool.CopyToAsync(context.Response.BodyWriter, context.RequestAborted);
        ProgressLines lines = new(spool, clock);
        try
        {
            await run(lines).ConfigureAwait(false);
            spool.Complete();
            await copying.ConfigureAwait(false);
        }
        catch (RevocationStoreException e)
        {
            lines.WriteFailure(e);
            spool.Complete();
            await copying.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or ConnectionResetException)
        {
            // The sender is gone. What was recorded stays; he will send the same again.
            spool.Complete();
            await copying.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        return Results.Empty;
    }
}
