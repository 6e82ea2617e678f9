using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.Hosting;
using OcspCluster.Authority;

namespace OcspCluster.Gateway;

/// <summary>The overview: now, the last hours, and as a stream. Callers see the issuers within their scopes only.</summary>
internal sealed class OverviewEndpoints(Overview overview, AdminAccess access, IHostApplicationLifetime lifetime, TimeProvider clock)
{
    private const int MaxStreams = 200;
    private const int DefaultWindow = 3600;
    private static readonly TimeSpan s_look = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_stall = TimeSpan.FromSeconds(30);

    private int _streams;

    /// <summary><c>GET /v1/overview</c></summary>
    public async Task<IResult> GetAsync(HttpContext context) =>
        Results.Json(ToView(await overview.ReadAsync(TimeSpan.Zero, context.RequestAborted).ConfigureAwait(false), AdminAccess.CallerOf(context)));

    /// <summary><c>GET /v1/overview/history</c></summary>
    public IResult GetHistory(string? window)
    {
        int seconds = DefaultWindow;
        int longest = (int)OverviewHistory.Length.TotalSeconds;
        if (!string.IsNullOrEmpty(window) && (!int.TryParse(window, NumberStyles.None, CultureInfo.InvariantCulture, out seconds) || seconds < 1 || seconds > longest))
        {
            return AdminProblems.BadParameter("window", $"is not a number of seconds from 1 to {longest}");
        }

        (DateTimeOffset from, IReadOnlyList<OverviewPoint?> points) = overview.History.Read(TimeSpan.FromSeconds(seconds));
        return Results.Json(new HistoryOfOverviewView(
            (int)OverviewHistory.Interval.TotalSeconds,
            from,
            new SeriesView(
                Each(point => point.Requests),
                Each(point => point.Good),
                Each(point => point.Revoked),
                Each(point => point.Requests - point.Good - point.Revoked),
                Each(point => point.P50),
                Each(point => point.P99),
                Each(point => point.Signatures),
                Each(point => point.Backlog),
                Each(point => point.Events))));

        double?[] Each(Func<OverviewPoint, double?> find) => [.. points.Select(point => point is null ? null : Round(find(point)))];
    }

    /// <summary><c>GET /v1/overview/stream</c>: server-sent events, one a second.</summary>
    public async Task<IResult> GetStreamAsync(HttpContext context)
    {
        try
        {
            if (Interlocked.Increment(ref _streams) > MaxStreams)
            {
                context.Response.Headers.RetryAfter = "10";
                return AdminProblems.Create(StatusCodes.Status503ServiceUnavailable, "Too many streams", $"{MaxStreams} streams are open. Ask GET /v1/overview now and then instead.");
            }

            using CancellationTokenSource ended = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
            try
            {
                await StreamAsync(context, ended.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (ended.IsCancellationRequested)
            {
                // He is gone, or we are about to be.
            }

            return Results.Empty;
        }
        finally
        {
            Interlocked.Decrement(ref _streams);
        }
    }

    private async Task StreamAsync(HttpContext context, CancellationToken ended)
    {
        if (context.Features.Get<IHttpMinResponseDataRateFeature>() is { } rate)
        {
            rate.MinDataRate = new MinDataRate(bytesPerSecond: 240, gracePeriod: s_stall); // one that is gone without a word must not stay for ever
        }

        ApiCaller caller = AdminAccess.CallerOf(context);
        context.Response.ContentType = FollowEndpoints.Stream;
        context.Response.Headers.CacheControl = "no-store";
        PipeWriter body = context.Response.BodyWriter;
        body.Write("retry: 1000\n\n"u8);
        using PeriodicTimer timer = new(Overview.Tick, clock);
        long looked = clock.GetTimestamp();
        do
        {
            if (clock.GetElapsedTime(looked) >= s_look)
            {
                looked = clock.GetTimestamp();
                if (!await access.IsStillLetInAsync(context).ConfigureAwait(false))
                {
                    return; // the credential was revoked or has expired since
                }
            }

            OverviewReading reading = await overview.ReadAsync(Overview.Tick / 2, ended).ConfigureAwait(false); // those who watch share one
            body.Write("event: overview\ndata: "u8);
            body.Write(JsonSerializer.SerializeToUtf8Bytes(ToView(reading, caller), JsonSerializerOptions.Web));
            body.Write("\n\n"u8);
            if ((await body.FlushAsync(ended).ConfigureAwait(false)).IsCompleted)
            {
                return;
            }
        }
        while (await timer.WaitForNextTickAsync(ended).ConfigureAwait(false));
    }

    private OverviewView ToView(OverviewReading reading, ApiCaller caller)
    {
        FigureSum sum = reading.Sum;
        Finding[] findings = [.. sum.Findings.Where(finding => finding.Issuer is null || MayRead(finding.Issuer))];
        FindingSeverity? worst = findings.Length == 0 ? null : findings.Max(finding => finding.Severity);
        return new OverviewView(
            reading.At,
            overview.Identity.Name,
            overview.Identity.Role,
            LonelyNode.Version,
            worst is null ? "ok" : NameOf(worst.Value),
            worst is null ? sum.WellSince : findings.Where(finding => finding.Severity == worst).Min(finding => finding.Since),
            [.. findings.Select(finding => new FindingView(finding.Code, NameOf(finding.Severity), finding.Message, finding.Since, finding.Cure, finding.Issuer, finding.Node))],
            new RequestsView(
                Round(sum.RateOf(answer: null)),
                new OutcomesView(
                    Round(sum.RateOf("good")), Round(sum.RateOf("revoked")), Round(sum.RateOf("unknown")), Round(sum.RateOf("unauthorized")), Round(sum.RateOf("tryLater")),
                    Round(sum.RateOf("malformedRequest")), Round(sum.RateOf("internalError")), Round(sum.RateOf("sigRequired")), Round(sum.RateOf("several"))),
                LatencyOf(sum.Latency),
                new SourcesView(Round(sum.RateOf(AnswerSource.Cache)), Round(sum.RateOf(AnswerSource.Kept)), Round(sum.RateOf(AnswerSource.Signer)), Round(sum.RateOf(AnswerSource.Refused)))),
            new SigningView(Round(sum.SignaturesPerSecond), sum.BudgetPerSecond, sum.SigningQueue),
            new RefreshingView(sum.Backlog, sum.FirstExpiry),
            new FeedView(
                Round(sum.EventsPerSecond), LatencyOf(sum.Acknowledgements), Round(sum.StalenessBound), Round(sum.FeedLag),
                [.. sum.Deliveries.Where(delivery => MayRead(delivery.Issuer)).Select(delivery => new DeliveryFigureView(delivery.Name, delivery.Kind, delivery.Issuer, delivery.Position, delivery.Behind, delivery.FailingSince))]),
            [.. reading.Issuers.Where(issuer => MayRead(issuer.Id))],
            sum.Nodes);

        bool MayRead(string issuer) => caller.May(ApiAction.Read, new IssuerId(issuer));
    }

    private static LatencyView LatencyOf(long[] buckets) => new(Round(FixedHistogram.Percentile(buckets, 0.5)), Round(FixedHistogram.Percentile(buckets, 0.99)));

    private static string NameOf(FindingSeverity severity) => severity == FindingSeverity.Critical ? "critical" : "warning";

    // What is shown needs no more, and the stream is shorter.
    private static double Round(double value) => Math.Round(value, value < 1 ? 6 : 2);

    private static double? Round(double? value) => value is double known ? Round(known) : null;
}
