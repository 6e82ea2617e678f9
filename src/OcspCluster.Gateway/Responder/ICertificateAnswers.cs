using OcspCluster.Authority;
using OcspCluster.Protocol;

namespace OcspCluster.Gateway;

/// <summary>What is known of a certificate, and the answer that was signed for it elsewhere.</summary>
/// <param name="Status">The status; null when the issuer never issued this serial, as far as is known.</param>
/// <param name="Made">What was signed from that status, or why nothing could be; null when the responder is to sign by itself.</param>
internal readonly record struct CertificateFinding(CertificateStatus? Status, SigningResult? Made = null);

/// <summary>
/// Who keeps the certificates' statuses and signs for them: this process (<see cref="LocalAnswers"/>), or actors in a cluster.
/// Of all that a responder does this is the part that differs between the hosts. Called concurrently.
/// </summary>
internal interface ICertificateAnswers
{
    /// <summary>As <see cref="ICertificateStatusSource.AbsenceHoldsFor"/>.</summary>
    TimeSpan AbsenceHoldsFor { get; }

    /// <summary>
    /// Whether an answer in the cache may be given without asking, as far as its status may have changed: all that was acknowledged for this issuer has been forgotten by the cache.
    /// Asked on every request, so it must be quick.
    /// </summary>
    bool HasLease(IssuerId issuer);

    /// <summary>Finds a certificate's status and, where another signs, the answer. A <see cref="StatusUnavailableException"/> means that it cannot be known now.</summary>
    /// <param name="issuer">Whose certificate, and by which name it was asked for.</param>
    /// <param name="certId">The CertID, which the answer repeats.</param>
    /// <param name="preferred">Who is to sign; null for the default.</param>
    /// <param name="newerThan">An answer that was produced then is no longer wanted, even if it is right; null when any is welcome.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <remarks>The version of the serial's stripe (<see cref="ResponseCache.VersionOf"/>) is taken before this is called.</remarks>
    ValueTask<CertificateFinding> FindAsync(NamedIssuer issuer, CertId certId, SigningCredential? preferred, DateTimeOffset? newerThan, CancellationToken cancellationToken);

    /// <summary>Finds the statuses of many certificates of one issuer, in the order asked.</summary>
    ValueTask<IReadOnlyList<CertificateStatus?>> FindStatusesAsync(IssuerId issuer, IReadOnlyList<SerialNumber> serials, CancellationToken cancellationToken);

    /// <summary>Whether actors make the answers, wherever they live, and this process's own keys do not.</summary>
    bool AreMadeByActors => false;

    /// <summary>Has a request that needs a signature of its own answered by a process that has the key, where this one has none; null where it has.</summary>
    Func<ReadOnlyMemory<byte>, CancellationToken, ValueTask<OcspReply>>? AnswerElsewhere { get; }
}

/// <summary>Nobody can tell the status now; the same request may be answered later.</summary>
internal sealed class StatusUnavailableException(string message, Exception innerException) : Exception(message, innerException);

/// <summary>The statuses of a source, and this process's own keys.</summary>
internal sealed class LocalAnswers(ICertificateStatusSource source) : ICertificateAnswers
{
    /// <inheritdoc/>
    public TimeSpan AbsenceHoldsFor => source.AbsenceHoldsFor;

    /// <inheritdoc/>
    public bool HasLease(IssuerId issuer) => true;

    /// <inheritdoc/>
    public async ValueTask<CertificateFinding> FindAsync(NamedIssuer issuer, CertId certId, SigningCredential? preferred, DateTimeOffset? newerThan, CancellationToken cancellationToken) =>
        new(await source.FindAsync(issuer.Issuer.Id, certId.SerialNumber, cancellationToken).ConfigureAwait(false));

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<CertificateStatus?>> FindStatusesAsync(IssuerId issuer, IReadOnlyList<SerialNumber> serials, CancellationToken cancellationToken) =>
        source.FindManyAsync(issuer, serials, cancellationToken);

    /// <inheritdoc/>
    public Func<ReadOnlyMemory<byte>, CancellationToken, ValueTask<OcspReply>>? AnswerElsewhere => null;
}
