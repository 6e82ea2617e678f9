namespace OcspCluster.Authority;

/// <summary>The outcome of a comparison of one issuer in two stores.</summary>
/// <param name="Issuer">Which.</param>
/// <param name="Entries">How many entries were compared and found equal, digests included.</param>
/// <param name="Certificates">How many certificates' statuses were compared and found equal.</param>
/// <param name="Head">The end of both journals; that of the first store where they differ.</param>
/// <param name="FirstDifference">Where they differ, in words; null when they are equal.</param>
public sealed record StoreEqualityReport(IssuerId Issuer, long Entries, long Certificates, JournalHead Head, string? FirstDifference)
{
    /// <summary>Whether both stores have the same.</summary>
    public bool IsEqual => FirstDifference is null;
}

/// <summary>
/// Compares two stores entry by entry and status by status. That one of them is sound is for its audit to say
/// (<see cref="JournalAudit"/>). Memory is bounded.
/// </summary>
/// <param name="first">A store.</param>
/// <param name="second">Another.</param>
/// <param name="progress">Told now and then; may be null.</param>
public sealed class StoreEquality(IAuditStore first, IAuditStore second, IProgress<AuditProgress>? progress = null)
{
    private const int ProgressEvery = 10_000;

    /// <summary>Compares one issuer.</summary>
    /// <exception cref="RevocationStoreException">One of them cannot be read.</exception>
    public async Task<StoreEqualityReport> ProveAsync(IssuerId issuer, CancellationToken cancellationToken)
    {
        JournalHead head = await first.GetHeadAsync(issuer, cancellationToken).ConfigureAwait(false);
        JournalHead otherHead = await second.GetHeadAsync(issuer, cancellationToken).ConfigureAwait(false);
        (long entries, bool isEqual) = await CompareAsync(
            issuer, "entries", first.ReadChainAsync(issuer, 0, cancellationToken), second.ReadChainAsync(issuer, 0, cancellationToken), cancellationToken).ConfigureAwait(false);
        if (!isEqual)
        {
            return new StoreEqualityReport(issuer, entries, 0, head, $"entry {entries + 1}, or its digest, is not the same in both, or is missing in one");
        }

        if (head != otherHead)
        {
            return new StoreEqualityReport(issuer, entries, 0, head, $"one says that its journal ends at {head.Position} with {head.Hash}, the other at {otherHead.Position} with {otherHead.Hash}");
        }

        (long certificates, isEqual) = await CompareAsync(
            issuer, "statuses", first.ReadStatusesAsync(issuer, cancellationToken), second.ReadStatusesAsync(issuer, cancellationToken), cancellationToken).ConfigureAwait(false);
        if (!isEqual)
        {
            return new StoreEqualityReport(issuer, entries, certificates, head, $"certificate {certificates + 1} in the order of the serials has not the same status in both, or is missing in one");
        }

        StatusCounts counts = await first.CountAsync(issuer, cancellationToken).ConfigureAwait(false);
        StatusCounts otherCounts = await second.CountAsync(issuer, cancellationToken).ConfigureAwait(false);
        string? difference = counts == otherCounts ? null : $"one counts {counts}, the other {otherCounts}";
        return new StoreEqualityReport(issuer, entries, certificates, head, difference);
    }

    private async Task<(long Compared, bool IsEqual)> CompareAsync<T>(
        IssuerId issuer, string phase, IAsyncEnumerable<T> left, IAsyncEnumerable<T> right, CancellationToken cancellationToken)
        where T : IEquatable<T>
    {
        await using IAsyncEnumerator<T> lefts = left.GetAsyncEnumerator(cancellationToken);
        await using IAsyncEnumerator<T> rights = right.GetAsyncEnumerator(cancellationToken);
        for (long compared = 0; ; compared++)
        {
            bool hasLeft = await lefts.MoveNextAsync().ConfigureAwait(false);
            bool hasRight = await rights.MoveNextAsync().ConfigureAwait(false);
            if (!hasLeft || !hasRight)
            {
                return (compared, hasLeft == hasRight);
            }

            if (!lefts.Current.Equals(rights.Current))
            {
                return (compared, false);
            }

            if ((compared + 1) % ProgressEvery == 0)
            {
                progress?.Report(new AuditProgress(issuer, phase, compared + 1));
            }
        }
    }
}
