using OcspCluster.Authority;

namespace OcspCluster.Gateway;

/// <summary>What one process knows of itself that may be wrong: the input of <see cref="FindingRules"/>. Immutable.</summary>
/// <param name="Now">When it was looked at.</param>
/// <param name="Store">The store.</param>
/// <param name="Clock">What is wrong with the clock; null when nothing is.</param>
/// <param name="Issuers">Of each issuer.</param>
/// <param name="Deliveries">Webhooks and purges that are paused or behind.</param>
/// <param name="Sources">What is wrong with CRLs that are fetched and indexes that are watched, in sentences.</param>
/// <param name="FeedLag">How long the oldest submission has waited for its acknowledgement.</param>
/// <param name="Answers">Answers of the last minute.</param>
/// <param name="Failed">Of them, tryLater and internalError.</param>
/// <param name="Other">What else is wrong with the host, in sentences.</param>
internal sealed record NodeCondition(
    DateTimeOffset Now,
    StoreView Store,
    string? Clock,
    IReadOnlyList<IssuerCondition> Issuers,
    IReadOnlyList<DeliveryCondition> Deliveries,
    IReadOnlyList<string> Sources,
    TimeSpan FeedLag,
    long Answers,
    long Failed,
    IReadOnlyList<string> Other);

/// <summary>How it stands with one issuer.</summary>
/// <param name="Id">Which.</param>
/// <param name="Policy">How it is answered for.</param>
/// <param name="Backlog">Answers that are due and not yet signed.</param>
/// <param name="SignaturesPerSecond">The pace at which they are signed.</param>
/// <param name="TimeToFirstExpiry">Until the first of the last answers ends; null when there is none.</param>
/// <param name="IsResting">Whether refreshing rests because nobody could sign.</param>
/// <param name="Signers">Those whose key is in this process.</param>
/// <param name="CoveredUntil">Until when answers of full validity can be signed; null when none can.</param>
/// <param name="LastEnd">The end of the responder certificate that ends last.</param>
/// <param name="HasLease">Whether the cache may be believed.</param>
/// <param name="AuditFailure">Why the journal does not continue what was signed for before; null when it does.</param>
/// <param name="CheckpointProblem">Why no checkpoint could be signed; null when one was.</param>
/// <param name="FileErrors">What is wrong with the files of its credentials.</param>
internal sealed record IssuerCondition(
    IssuerId Id,
    IssuerPolicy Policy,
    int Backlog,
    int SignaturesPerSecond,
    TimeSpan? TimeToFirstExpiry,
    bool IsResting,
    IReadOnlyList<SignerCondition> Signers,
    DateTimeOffset? CoveredUntil,
    DateTimeOffset? LastEnd,
    bool HasLease,
    string? AuditFailure,
    string? CheckpointProblem,
    IReadOnlyList<string> FileErrors);

/// <summary>How a signer does.</summary>
/// <param name="Subject">Its certificate's.</param>
/// <param name="IsFailing">Whether it failed so often that it is only probed.</param>
/// <param name="LastError">What failed last.</param>
internal sealed record SignerCondition(string Subject, bool IsFailing, string? LastError);

/// <summary>A receiver in a journal that is paused, or further behind than it may be.</summary>
/// <param name="Name">The receiver's name.</param>
/// <param name="Kind">webhook or purge.</param>
/// <param name="Issuer">Whose journal.</param>
/// <param name="Behind">Entries that are not delivered.</param>
/// <param name="Lag">How old the oldest of them is.</param>
/// <param name="PausedBecause">Why nothing is delivered; null when it is only behind.</param>
/// <param name="LastFailure">What failed last.</param>
internal sealed record DeliveryCondition(string Name, string Kind, IssuerId Issuer, long Behind, TimeSpan Lag, string? PausedBecause, string? LastFailure);
