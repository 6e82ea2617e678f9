using Microsoft.AspNetCore.Http;

namespace OcspCluster.Gateway;

/// <summary>Shows where webhooks and purges are, and resumes those that are paused.</summary>
internal sealed class DeliveryEndpoints(Deliveries deliveries, PublishedJournal journal)
{
    /// <summary><c>GET /v1/webhooks</c>.</summary>
    public IResult GetList(HttpContext context)
    {
        ApiCaller caller = AdminAccess.CallerOf(context);
        return Results.Ok(new DeliveryListView([.. deliveries.Lanes.Where(lane => caller.May(ApiAction.Read, lane.Issuer)).Select(ViewOf)]));
    }

    /// <summary><c>POST /v1/webhooks/{name}/issuers/{issuer}/resume</c>: at once, and behind a position where one is given.</summary>
    public async Task<IResult> ResumeAsync(string name, string issuer, string? after, CancellationToken cancellationToken)
    {
        if (deliveries.Lanes.FirstOrDefault(one => one.Receiver.Options.Name == name && one.Issuer.ToString() == issuer) is not { } lane)
        {
            return AdminProblems.Create(StatusCodes.Status404NotFound, "No such receiver", $"There is no webhook or purge '{name}' that follows issuer '{issuer}' here.");
        }

        long position = 0;
        if (!string.IsNullOrEmpty(after) && (!FeedCursor.TryParsePosition(after, out position) || position > journal.GetPosition(lane.Issuer)))
        {
            return AdminProblems.BadParameter("after", $"is not a position of the journal, which ends at {journal.GetPosition(lane.Issuer)}");
        }

        return await lane.ResumeAsync(string.IsNullOrEmpty(after) ? null : position, cancellationToken).ConfigureAwait(false)
            ? Results.NoContent()
            : AdminProblems.Create(StatusCodes.Status409Conflict, "The cursor moved", "A delivery moved it at the same time. Look at it, and try again.");
    }

    private DeliveryView ViewOf(DeliveryLane lane) => DeliveryView.Of(lane, journal.GetPosition(lane.Issuer));
}
