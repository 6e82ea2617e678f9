using OcspCluster.Protocol;

namespace OcspCluster.Authority;

/// <summary>Where a responder learns the status of a certificate: our store, or anybody's database. Called concurrently.</summary>
public interface ICertificateStatusSource
{
    /// <summary>
    /// How long the absence of a status holds, in answers for issuers whose inventory is not known; as <see cref="CertificateStatus.HoldsFor"/>. Default zero: ask on every request.
    /// </summary>
    TimeSpan AbsenceHoldsFor => TimeSpan.Zero;

    /// <summary>Finds the status of one certificate.</summary>
    /// <returns>The status; null when the issuer never issued this serial, as far as the source knows.</returns>
    /// <remarks>An exception becomes an unsigned <c>internalError</c> (RFC 6960 §2.3), never an answer.</remarks>
    ValueTask<CertificateStatus?> FindAsync(IssuerId issuer, SerialNumber serial, CancellationToken cancellationToken);

    /// <summary>Finds the statuses of many certificates of one issuer, in the order asked. By default one after the other.</summary>
    async ValueTask<IReadOnlyList<CertificateStatus?>> FindManyAsync(IssuerId issuer, IReadOnlyList<SerialNumber> serials, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(serials);
        CertificateStatus?[] statuses = new CertificateStatus?[serials.Count];
        for (int i = 0; i < statuses.Length; i++)
        {
            statuses[i] = await FindAsync(issuer, serials[i], cancellationToken).ConfigureAwait(false);
        }

        return statuses;
    }
}
