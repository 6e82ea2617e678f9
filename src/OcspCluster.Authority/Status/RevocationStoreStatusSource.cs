using OcspCluster.Protocol;

namespace OcspCluster.Authority;

/// <summary>
/// The statuses of a store whose every change is published to the caches (<see cref="IResponsePublisher"/>): an answer made from one holds until then.
/// </summary>
public sealed class RevocationStoreStatusSource(IRevocationStore store) : ICertificateStatusSource
{
    /// <inheritdoc/>
    public TimeSpan AbsenceHoldsFor => Timeout.InfiniteTimeSpan;

    /// <inheritdoc/>
    public async ValueTask<CertificateStatus?> FindAsync(IssuerId issuer, SerialNumber serial, CancellationToken cancellationToken) =>
        Holding(await store.FindStatusAsync(issuer, serial, cancellationToken).ConfigureAwait(false));

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<CertificateStatus?>> FindManyAsync(IssuerId issuer, IReadOnlyList<SerialNumber> serials, CancellationToken cancellationToken) =>
        [.. (await store.FindStatusesAsync(issuer, serials, cancellationToken).ConfigureAwait(false)).Select(Holding)];

    private static CertificateStatus? Holding(CertificateStatus? status) => status is null ? null : status with { HoldsFor = Timeout.InfiniteTimeSpan };
}
