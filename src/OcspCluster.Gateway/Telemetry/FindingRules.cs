using System.Globalization;
using OcspCluster.Authority;

namespace OcspCluster.Gateway;

/// <summary>What is wrong by what a process knows of itself. Pure: the same condition has the same findings. docs/OPERATIONS.md has an entry for each code.</summary>
internal static class FindingRules
{
    /// <summary>A backlog that takes longer than this at the pace is told.</summary>
    public static readonly TimeSpan BacklogWarning = TimeSpan.FromMinutes(5);

    /// <summary>A submission that waits longer is told.</summary>
    public static readonly TimeSpan LagWarning = TimeSpan.FromSeconds(5);

    /// <summary>One that waits longer is critical.</summary>
    public static readonly TimeSpan LagCritical = TimeSpan.FromSeconds(30);

    /// <summary>Fewer answers in a minute say nothing about their errors.</summary>
    public const int FewestAnswers = 20;

    private const double ErrorWarning = 0.01;
    private const double ErrorCritical = 0.1;

    /// <summary>All codes that there are.</summary>
    public static IReadOnlyList<string> Codes { get; } =
    [
        "store.unreachable", "store.notDurable", "store.takesNoEvents", "clock.doubtful", "errors.ratio", "feed.lag", "delivery.paused", "delivery.behind", "source.stale", "host.warning",
        "refresh.backlog", "refresh.firstExpiry", "signer.down", "signer.degraded", "responder.ends", "lease.lost", "audit.failed", "audit.checkpoint", "credential.files", "node.silent", "node.lost",
    ];

    /// <summary>The findings, critical ones first.</summary>
    public static IReadOnlyList<Finding> Find(NodeCondition condition) =>
    [
        .. FindOfNode(condition)
            .Concat(condition.Issuers.SelectMany(issuer => FindOfIssuer(issuer, condition.Now)))
            .Concat(condition.Deliveries.Select(OfDelivery))
            .OrderByDescending(finding => finding.Severity),
    ];

    private static IEnumerable<Finding> FindOfNode(NodeCondition condition)
    {
        StoreView store = condition.Store;
        if (!store.IsReachable)
        {
            yield return new("store.unreachable", FindingSeverity.Critical, $"The store cannot be reached: {store.Description}", "See whether it runs and can be reached; answers that are signed go on meanwhile, and it goes on by itself.");
        }
        else if (!store.TakesEvents)
        {
            yield return new("store.takesNoEvents", FindingSeverity.Critical, $"Events cannot be recorded: {store.Description}", "Make room on the disk and see that it may be written; the CA sends its events again, and nothing has to be started anew.");
        }

        if (!store.IsDurable)
        {
            yield return new("store.notDurable", FindingSeverity.Critical, $"What is acknowledged may be lost with the power: {store.Description}", "Have the store flush every write (Redis: appendonly yes, appendfsync always).") { IsShared = true };
        }

        if (condition.Clock is string clock)
        {
            yield return new("clock.doubtful", FindingSeverity.Critical, $"Nothing is signed: {clock}.", "Set the clock right; if it is right, accept it (POST /v1/clock/accept).");
        }

        double ratio = condition.Answers == 0 ? 0 : (double)condition.Failed / condition.Answers;
        if (condition.Answers >= FewestAnswers && ratio > ErrorWarning)
        {
            yield return new(
                "errors.ratio", ratio > ErrorCritical ? FindingSeverity.Critical : FindingSeverity.Warning,
                string.Create(CultureInfo.InvariantCulture, $"{ratio:P1} of the answers of the last minute were tryLater or internalError."),
                "See the other findings and the log: the outcomes in the metrics say why (ocsp.requests, by outcome).");
        }

        if (condition.FeedLag > LagWarning)
        {
            yield return new(
                "feed.lag", condition.FeedLag > LagCritical ? FindingSeverity.Critical : FindingSeverity.Warning,
                string.Create(CultureInfo.InvariantCulture, $"An event has waited {condition.FeedLag.TotalSeconds:F0} s for its acknowledgement."),
                "See whether the store is slow or away; in a cluster, whether a silo that is gone is still a member.");
        }

        foreach (string source in condition.Sources)
        {
            yield return new("source.stale", FindingSeverity.Warning, $"A source of revocations: {source}", "See that it can be fetched and read; it is tried again by itself.", Subject: source[..Math.Min(source.Length, 60)]);
        }

        foreach (string other in condition.Other)
        {
            yield return new("host.warning", FindingSeverity.Warning, other, "The sentence says what to do.", Subject: other[..Math.Min(other.Length, 60)]);
        }
    }

    private static IEnumerable<Finding> FindOfIssuer(IssuerCondition issuer, DateTimeOffset now)
    {
        string id = issuer.Id.ToString();
        TimeSpan drain = TimeSpan.FromSeconds((double)issuer.Backlog / Math.Max(1, issuer.SignaturesPerSecond));
        TimeSpan expiry = issuer.TimeToFirstExpiry ?? TimeSpan.MaxValue;
        if (drain > BacklogWarning || (issuer.Backlog > 0 && (issuer.IsResting || drain > expiry)))
        {
            yield return new(
                "refresh.backlog", drain > expiry ? FindingSeverity.Critical : FindingSeverity.Warning,
                string.Create(CultureInfo.InvariantCulture, $"Issuer '{id}': {issuer.Backlog} answers are due and not yet signed, {drain:d\\.hh\\:mm\\:ss} of work at {issuer.SignaturesPerSecond} a second{(issuer.IsResting ? "; nobody can sign now" : "")}."),
                "Raise RefreshSignaturesPerSecond within what the key can do (plan), or mend the signer.", id);
        }

        // Answers are due at a part of their validity; what is left then is the time to get them signed.
        TimeSpan spare = issuer.Policy.Validity * (1 - issuer.Policy.RefreshAt);
        if (expiry < spare / 2)
        {
            yield return new(
                "refresh.firstExpiry", expiry < spare / 10 ? FindingSeverity.Critical : FindingSeverity.Warning,
                expiry < TimeSpan.Zero ? $"Issuer '{id}': answers have ended and are not signed anew." : $"Issuer '{id}': the first answer ends in {expiry:d\\.hh\\:mm\\:ss} and is not signed anew.",
                "See why it is not signed (backlog, signer, clock), and whether other work takes the signatures.", id);
        }

        if (issuer.Signers.Count > 0 && issuer.Signers.Where(signer => signer.IsFailing).ToArray() is { Length: > 0 } failing)
        {
            bool isDown = failing.Length == issuer.Signers.Count;
            yield return new(
                isDown ? "signer.down" : "signer.degraded", isDown ? FindingSeverity.Critical : FindingSeverity.Warning,
                $"Issuer '{id}': {string.Join("; ", failing.Select(signer => $"the key of '{signer.Subject}' does not sign ({signer.LastError})"))}{(isDown ? "; answers that are signed are given until they end" : "; another one signs")}.",
                "See that the HSM or the key's file is there and that its PIN is right; it is tried again by itself.", id);
        }

        if (issuer.LastEnd is null || issuer.CoveredUntil is not DateTimeOffset covered || covered - now < CredentialRules.WarnAhead - issuer.Policy.Validity)
        {
            bool isCritical = issuer.CoveredUntil is null; // no answer of full validity any more: they are cut short, or there are none
            yield return new(
                "responder.ends", isCritical ? FindingSeverity.Critical : FindingSeverity.Warning,
                $"Issuer '{id}': {(issuer.LastEnd is DateTimeOffset end ? $"the responder's certificate ends {end:u} and nobody takes over" : "there is no responder certificate")}{(isCritical ? "; answers cannot have their full validity any more" : "")}.",
                "Have the CA issue the next responder certificate and replace the files; they are read again without a restart.", id);
        }

        if (!issuer.HasLease)
        {
            yield return new(
                "lease.lost", FindingSeverity.Warning, $"Issuer '{id}': this process has no lease, so 'good' from its cache is given only by leave of the store.",
                "See that it reaches the store and that its clock and processor keep up; it takes the lease again by itself.", id);
        }

        if (issuer.AuditFailure is string audit)
        {
            yield return new("audit.failed", FindingSeverity.Critical, $"Issuer '{id}': the journal does not continue what was signed for before: {audit}", "Run 'audit verify', and compare with the checkpoints kept elsewhere; a backup may have been restored.", id) { IsShared = true };
        }

        if (issuer.CheckpointProblem is string checkpoint)
        {
            yield return new("audit.checkpoint", FindingSeverity.Warning, $"Issuer '{id}': no checkpoint was signed: {checkpoint}", "See that journal.key and the store can be read.", id);
        }

        foreach (string error in issuer.FileErrors)
        {
            yield return new("credential.files", FindingSeverity.Warning, $"Issuer '{id}': {error}", "Mend the files; those that were read before sign on until then.", id, error[..Math.Min(error.Length, 60)]);
        }
    }

    private static Finding OfDelivery(DeliveryCondition delivery) => delivery.PausedBecause is string reason
        ? new(
            "delivery.paused", FindingSeverity.Warning, $"{delivery.Kind} '{delivery.Name}', issuer '{delivery.Issuer}': paused, {reason}.",
            "Mend the receiver, then resume it (POST /v1/webhooks/{name}/issuers/{issuer}/resume).", delivery.Issuer.ToString(), delivery.Name)
        : new(
            "delivery.behind", FindingSeverity.Warning,
            string.Create(CultureInfo.InvariantCulture, $"{delivery.Kind} '{delivery.Name}', issuer '{delivery.Issuer}': {delivery.Behind} entries behind, the oldest {delivery.Lag.TotalSeconds:F0} s old; last failure: {delivery.LastFailure ?? "none"}."),
            "See that the receiver answers 2xx and is quick enough; nothing is lost meanwhile.", delivery.Issuer.ToString(), delivery.Name);
}
