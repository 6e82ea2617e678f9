using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Net.Http.Headers;
using OcspCluster.Authority;

namespace OcspCluster.Gateway;

/// <summary>The event feed out: the journals as pages of lines (NDJSON), or as a stream that goes on (server-sent events).</summary>
internal sealed partial class FollowEndpoints(
    IssuerDirectory directory, PublishedJournal journal, AdminAccess access, IHostApplicationLifetime lifetime, TimeProvider clock, ILogger<FollowEndpoints> log)
{
    public const string Lines = "application/x-ndjson";
    public const string Stream = "text/event-stream";

    private const int DefaultLimit = 1000;
    private const int MaxLimit = 10_000;
    private const int EntriesPerFlush = 500;
    private const int MaxStreams = 1000;

    private static readonly TimeSpan s_heartbeat = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan s_catchUp = TimeSpan.FromSeconds(5); // two leases and a publication
    private static readonly TimeSpan s_stall = TimeSpan.FromMinutes(1);

    private int _streams;

    /// <summary><c>GET /v1/events</c>: all issuers within the caller's scopes.</summary>
    public Task<IResult> GetEventsAsync(HttpContext context, string? after, string? limit)
    {
        ApiCaller caller = AdminAccess.CallerOf(context);
        return GetAsync(context, [.. directory.Issuers.Select(issuer => issuer.Id).Where(issuer => caller.May(ApiAction.Read, issuer)).OrderBy(issuer => issuer.ToString(), StringComparer.Ordinal)], false, after, limit);
    }

    /// <summary><c>GET /v1/issuers/{issuer}/journal</c>: one issuer, whose cursor is its position.</summary>
    public Task<IResult> GetJournalAsync(HttpContext context, string issuer, string? after, string? limit) =>
        directory.Issuers.FirstOrDefault(one => one.Id.ToString() == issuer) is { } found
            ? GetAsync(context, [found.Id], true, after, limit)
            : Task.FromResult(AdminProblems.NoSuchIssuer(issuer));

    private async Task<IResult> GetAsync(HttpContext context, IReadOnlyList<IssuerId> issuers, bool isOneJournal, string? after, string? limit)
    {
        if (ChooseForm(context.Request) is not { } form)
        {
            return AdminProblems.Create(StatusCodes.Status406NotAcceptable, "Not in this form", $"Accept one of {Lines}, {Stream}.");
        }

        string source = "after";
        string? lastEventId = context.Request.Headers["Last-Event-ID"];
        if (form == Stream && !string.IsNullOrEmpty(lastEventId))
        {
            (source, after) = ("Last-Event-ID", lastEventId); // a browser reconnects to the same URL: the header is the later one
        }

        if (ParseCursor(after, issuers, isOneJournal) is not { } cursor)
        {
            return AdminProblems.BadParameter(source, isOneJournal ? "is not a position" : "is not a cursor: issuer:position, several with commas between");
        }

        int count = DefaultLimit;
        if (!string.IsNullOrEmpty(limit) && (!int.TryParse(limit, NumberStyles.None, CultureInfo.InvariantCulture, out count) || count is < 1 or > MaxLimit))
        {
            return AdminProblems.BadParameter("limit", $"is not a number from 1 to {MaxLimit}");
        }

        JournalFollower follower = new(journal, issuers, cursor, isOneJournal);
        if (await follower.FindShorterAsync(context.RequestAborted).ConfigureAwait(false) is var (shorter, end))
        {
            return AdminProblems.Create(
                StatusCodes.Status409Conflict, "The journal ends before", $"The journal of issuer '{shorter}' ends at position {end}, before the cursor: it is not the one that was read. If a backup was restored, read it again from 0.", ("field", source));
        }

        if (form == Lines)
        {
            await follower.WaitWhileAheadAsync(s_catchUp, clock, context.RequestAborted).ConfigureAwait(false); // an empty page would say that there is nothing more; a stream waits by itself
        }

        return form == Stream ? await StreamAsync(context, follower).ConfigureAwait(false) : await SendPageAsync(context, follower, count).ConfigureAwait(false);
    }

    private static FeedCursor? ParseCursor(string? after, IReadOnlyList<IssuerId> issuers, bool isOneJournal)
    {
        if (!isOneJournal || string.IsNullOrEmpty(after))
        {
            return FeedCursor.Parse(after, issuers);
        }

        return FeedCursor.TryParsePosition(after, out long position) ? new FeedCursor { [issuers[0]] = position } : null;
    }

    // Lines for whoever has no wish; what has the higher quality first, and in a tie the stream, which nobody names by accident.
    private static string? ChooseForm(HttpRequest request)
    {
        IList<MediaTypeHeaderValue> accepted = request.GetTypedHeaders().Accept;
        if (accepted.Count == 0)
        {
            return Lines;
        }

        double stream = QualityOf(Stream, exact: true);
        double lines = QualityOf(Lines, exact: false);
        return stream > 0 && stream >= lines ? Stream : lines > 0 ? Lines : null;

        double QualityOf(string type, bool exact) => accepted
            .Where(range => exact ? range.MediaType == type : range.MatchesMediaType(type))
            .Select(range => range.Quality ?? 1)
            .DefaultIfEmpty(0)
            .Max();
    }

    private async Task<IResult> SendPageAsync(HttpContext context, JournalFollower follower, int limit)
    {
        context.Response.ContentType = Lines;
        context.Response.Headers.CacheControl = "no-store";
        PipeWriter body = context.Response.BodyWriter;
        int unflushed = 0;
        try
        {
            await foreach (FollowedEntry entry in follower.ReadAsync(limit, context.RequestAborted).ConfigureAwait(false))
            {
                body.Write(FollowedEventView.ToJson(entry));
                body.Write("\n"u8);
                if (++unflushed == EntriesPerFlush)
                {
                    unflushed = 0;
                    await body.FlushAsync(context.RequestAborted).ConfigureAwait(false);
                }
            }
        }
        catch (RevocationStoreException e) when (context.Response.HasStarted)
        {
            End(context, e);
        }

        return Results.Empty;
    }

    private async Task<IResult> StreamAsync(HttpContext context, JournalFollower follower)
    {
        try
        {
            if (Interlocked.Increment(ref _streams) > MaxStreams)
            {
                context.Response.Headers.RetryAfter = "10";
                return AdminProblems.Create(StatusCodes.Status503ServiceUnavailable, "Too many streams", $"{MaxStreams} streams are open. Read pages of {Lines} instead.");
            }

            using CancellationTokenSource ended = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
            try
            {
                await StreamAsync(context, follower, ended.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (ended.IsCancellationRequested)
            {
                // He is gone, or we are about to be; he comes back with the last id that he saw.
            }
            catch (Exception e) when (e is RevocationStoreException or ObjectDisposedException && context.Response.HasStarted)
            {
                End(context, e);
            }

            return Results.Empty;
        }
        finally
        {
            Interlocked.Decrement(ref _streams);
        }
    }

    private async Task StreamAsync(HttpContext context, JournalFollower follower, CancellationToken ended)
    {
        // A reader may stall for a while, busy with what it got; one that is gone without a word must not stay for ever.
        if (context.Features.Get<IHttpMinResponseDataRateFeature>() is { } rate)
        {
            rate.MinDataRate = new MinDataRate(bytesPerSecond: 240, gracePeriod: s_stall);
        }

        using PeriodicTimer heartbeat = new(s_heartbeat, clock);
        Task<bool> beat = heartbeat.WaitForNextTickAsync(ended).AsTask();
        context.Response.ContentType = Stream;
        context.Response.Headers.CacheControl = "no-store";
        PipeWriter body = context.Response.BodyWriter;
        body.Write("retry: 1000\n\n"u8);
        await body.FlushAsync(ended).ConfigureAwait(false);
        while (true)
        {
            Task changed = follower.Changed;
            int written = 0;
            await foreach (FollowedEntry entry in follower.ReadAsync(EntriesPerFlush, ended).ConfigureAwait(false))
            {
                WriteEvent(body, entry);
                written++;
            }

            // Waits when he reads slower than we write. What he has not read stays in the journal.
            if (written > 0 && (await body.FlushAsync(ended).ConfigureAwait(false)).IsCompleted)
            {
                return;
            }

            if (written < EntriesPerFlush)
            {
                await Task.WhenAny(changed, beat).ConfigureAwait(false);
            }

            if (beat.IsCompleted)
            {
                await beat.ConfigureAwait(false);
                if (!await access.IsStillLetInAsync(context).ConfigureAwait(false))
                {
                    return; // his key was revoked or has expired since
                }

                body.Write(": \n\n"u8);
                await body.FlushAsync(ended).ConfigureAwait(false);
                beat = heartbeat.WaitForNextTickAsync(ended).AsTask();
            }
        }
    }

    private static void WriteEvent(PipeWriter body, FollowedEntry entry)
    {
        body.Write("id: "u8);
        body.Write(Encoding.ASCII.GetBytes(entry.Cursor));
        body.Write("\ndata: "u8);
        body.Write(FollowedEventView.ToJson(entry));
        body.Write("\n\n"u8);
    }

    // What was begun must not look whole.
    private void End(HttpContext context, Exception exception)
    {
        LogCutOff(exception.Message, exception);
        context.Abort();
    }

    [LoggerMessage(82, LogLevel.Error, "A reader of the journal was cut off: {Reason}")]
    private partial void LogCutOff(string reason, Exception exception);
}
