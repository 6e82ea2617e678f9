using OcspCluster.Authority;

namespace OcspCluster.Gateway;

/// <summary>How fresh an issuer's answers are kept. Immutable.</summary>
/// <param name="SignaturesPerSecond">The pace now: the policy's, or that of a re-signing.</param>
/// <param name="Tracked">Answers that are kept fresh.</param>
/// <param name="Backlog">Of them, how many are due and not yet signed.</param>
/// <param name="Untracked">Answers that found no place in the schedule and are signed on demand.</param>
/// <param name="TimeToFirstExpiry">Until the first of the last answers ends; negative when it has, null when there is none.</param>
/// <param name="IsResting">Whether somebody rests because nobody could sign.</param>
/// <param name="IsComplete">Whether all certificates are known that are to be presigned.</param>
/// <param name="Signatures">Answers signed in the background since the start.</param>
internal sealed record RefreshReport(
    int SignaturesPerSecond, int Tracked, int Backlog, long Untracked, TimeSpan? TimeToFirstExpiry, bool IsResting, bool IsComplete, long Signatures);

/// <summary>What operators see of the refreshing, and have done: in this process (<see cref="RefreshSchedulers"/>), or in all silos of a cluster.</summary>
internal interface IRefreshControl
{
    /// <summary>How fresh an issuer's answers are kept.</summary>
    Task<RefreshReport> DescribeAsync(Issuer issuer, CancellationToken cancellationToken);

    /// <summary>What this process has to do of it, at its share of the pace; null where it keeps nothing fresh. Asks nobody.</summary>
    RefreshReport? DescribeOwn(Issuer issuer);

    /// <summary>How far the last re-signing of everything has come; null when there was none.</summary>
    /// <exception cref="RevocationStoreException">It cannot be told now.</exception>
    Task<ResignProgress?> FindResigningAsync(Issuer issuer, CancellationToken cancellationToken);

    /// <summary>Has every answer signed anew.</summary>
    /// <param name="issuer">Whose.</param>
    /// <param name="signaturesPerSecond">Another pace until that is done; null for that of the policy.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="RevocationStoreException">It was not begun, or it is not known whether it was.</exception>
    Task<ResignProgress> ResignAllAsync(Issuer issuer, int? signaturesPerSecond, CancellationToken cancellationToken);
}
