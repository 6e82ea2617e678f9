using OcspCluster.Authority;
using OcspCluster.Gateway;
using OcspCluster.Protocol;
using OcspCluster.Silo.Coherence;
using Orleans.Concurrency;

namespace OcspCluster.Silo.Certificates;

/// <summary>
/// What a silo's responder is told: by the certificate's actor with one call, wherever that lives; where the actor does not answer in time, by the store. Thread-safe.
/// </summary>
/// <remarks>
/// What was never issued is told by the set of issued serial numbers, or by the store: no actor wakes for it. Without a lease the store is asked first, and only where that is away the actor,
/// whose silo may have a lease.
/// </remarks>
internal sealed partial class ClusterAnswers : ICertificateAnswers
{
    private readonly Func<CertificateKey, ICertificateGrain> _certificates;
    private readonly Func<IRequestSignerGrain> _signers;
    private readonly CoherenceDirectory _coherence;
    private readonly IRevocationStore _store;
    private readonly OcspSiloOptions _options;
    private readonly TimeProvider _clock;
    private readonly ILogger<ClusterAnswers> _log;

    /// <summary>Asks actors.</summary>
    /// <param name="certificates">Where a certificate's actor is reached.</param>
    /// <param name="signers">Where somebody is reached who signs whole requests.</param>
    /// <param name="coherence">What this silo knows.</param>
    /// <param name="store">The store.</param>
    /// <param name="options">Role and deadlines.</param>
    /// <param name="clock">The clock of the deadlines.</param>
    /// <param name="log">Hears of actors that do not answer.</param>
    public ClusterAnswers(
        Func<CertificateKey, ICertificateGrain> certificates,
        Func<IRequestSignerGrain> signers,
        CoherenceDirectory coherence,
        IRevocationStore store,
        OcspSiloOptions options,
        TimeProvider clock,
        ILogger<ClusterAnswers> log)
    {
        _certificates = certificates;
        _signers = signers;
        _coherence = coherence;
        _store = store;
        _options = options;
        _clock = clock;
        _log = log;
        AnswerElsewhere = options.Role == SiloRole.Gateway ? AnswerElsewhereAsync : null;
    }

    /// <inheritdoc/>
    public TimeSpan AbsenceHoldsFor => Timeout.InfiniteTimeSpan; // until it is forgotten

    /// <inheritdoc/>
    public Func<ReadOnlyMemory<byte>, CancellationToken, ValueTask<OcspReply>>? AnswerElsewhere { get; }

    /// <inheritdoc/>
    public bool AreMadeByActors => true;

    private bool SignsHere => _options.Role == SiloRole.Sign;

    /// <inheritdoc/>
    public bool HasLease(IssuerId issuer) => CoherenceOf(issuer).HasLease;

    /// <inheritdoc/>
    public async ValueTask<CertificateFinding> FindAsync(
        NamedIssuer issuer, CertId certId, SigningCredential? preferred, DateTimeOffset? newerThan, CancellationToken cancellationToken)
    {
        IssuerCoherence coherence = CoherenceOf(issuer.Issuer.Id);
        SerialNumber serial = certId.SerialNumber;
        if (coherence.IsNeverIssued(serial))
        {
            return default;
        }

        if (!coherence.HasLease || coherence.Issued.Position < coherence.Known)
        {
            // The set of issued serial numbers cannot be trusted: the store tells, and that is as good as any actor.
            try
            {
                CertificateStatus? status = await ReadStatusAsync(issuer.Issuer.Id, serial, cancellationToken).ConfigureAwait(false);
                if (status is null || SignsHere)
                {
                    return new CertificateFinding(Holding(status));
                }
            }
            catch (RevocationStoreException e) when (coherence.Issued.MayContain(serial))
            {
                LogStoreAway(issuer.Issuer.Id, e.Message);
            }
            catch (RevocationStoreException e)
            {
                throw new StatusUnavailableException(e.Message, e); // probably never issued: no actor wakes for it
            }
        }

        CertificateQuestion question = new(certId.Encoded.ToArray(), preferred is null ? null : CredentialNames.Of(preferred), newerThan, coherence.Heard);
        try
        {
            CertificateReply reply = await CallAsync(_certificates(new CertificateKey(issuer.Issuer.Id, serial)).AnswerAsync(question), cancellationToken).ConfigureAwait(false);
            if (reply.AsOf < question.MinPosition)
            {
                throw new InvalidOperationException($"The certificate's actor told its status as of position {reply.AsOf}, and was asked for {question.MinPosition}.");
            }

            return ToFinding(issuer, preferred, reply);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            LogActorAway(issuer.Issuer.Id, e.Message);
        }

        try
        {
            return WithoutAnswer(Holding(await ReadStatusAsync(issuer.Issuer.Id, serial, cancellationToken).ConfigureAwait(false)));
        }
        catch (RevocationStoreException e)
        {
            throw new StatusUnavailableException(e.Message, e);
        }
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<CertificateStatus?>> FindStatusesAsync(IssuerId issuer, IReadOnlyList<SerialNumber> serials, CancellationToken cancellationToken)
    {
        IssuerCoherence coherence = CoherenceOf(issuer);
        if (serials.All(coherence.IsNeverIssued))
        {
            return new CertificateStatus?[serials.Count];
        }

        try
        {
            return await _store.FindStatusesAsync(issuer, serials, cancellationToken).AsTask().WaitAsync(_options.CallDeadline, _clock, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is RevocationStoreException or TimeoutException)
        {
            LogStoreAway(issuer, e.Message);
        }

        // The actors that are awake may still know.
        long position = coherence.Heard;
        try
        {
            StatusReply[] replies = await Task.WhenAll(serials.Select(AskActorAsync)).ConfigureAwait(false);
            return [.. replies.Select(reply => reply.Status)];
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new StatusUnavailableException(e.Message, e);
        }

        Task<StatusReply> AskActorAsync(SerialNumber serial) =>
            coherence.Issued.MayContain(serial) ? CallAsync(_certificates(new CertificateKey(issuer, serial)).FindStatusAsync(position), cancellationToken)
            : coherence.IsNeverIssued(serial) ? Task.FromResult(new StatusReply(Status: null, position))
            : throw new RevocationStoreException($"Nobody can tell now whether a certificate of issuer '{issuer}' was issued.");
    }

    private CertificateFinding WithoutAnswer(CertificateStatus? status) =>
        new(status, status is null || SignsHere ? null : SigningResult.Consequence(SigningFailure.Failing, "No silo that signs could be asked.", credential: null));

    private CertificateFinding ToFinding(NamedIssuer issuer, SigningCredential? preferred, CertificateReply reply)
    {
        CertificateStatus? status = Holding(reply.Status);
        if (reply.Response is not null)
        {
            // A credential that this silo has not read yet: the answer is right, and is kept as the one that was asked for.
            SigningCredential credential = CredentialNames.Find(issuer.Issuer, reply.Credential) ?? preferred ?? issuer.Issuer.Credentials[0];
            return new CertificateFinding(status, SigningResult.Signed(reply.Response, credential));
        }

        return reply.Failure == SigningFailure.None
            ? WithoutAnswer(status) // there was nothing to be said by the actor's clock
            : new CertificateFinding(status, SigningResult.Consequence(reply.Failure, reply.Reason, CredentialNames.Find(issuer.Issuer, reply.Credential)));
    }

    private async ValueTask<OcspReply> AnswerElsewhereAsync(ReadOnlyMemory<byte> request, CancellationToken cancellationToken)
    {
        try
        {
            ElsewhereReply reply = await CallAsync(_signers().AnswerAsync(new Immutable<byte[]>(request.ToArray())), cancellationToken).ConfigureAwait(false);
            return reply.Response is null ? OcspReply.Error(reply.Outcome) : OcspReply.Answer(reply.Response, AnswerSource.Signer);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            LogNobodySigns(e.Message);
            return OcspReply.Error(OcspOutcome.SignerFailing);
        }
    }

    private async Task<CertificateStatus?> ReadStatusAsync(IssuerId issuer, SerialNumber serial, CancellationToken cancellationToken)
    {
        try
        {
            return await _store.FindStatusAsync(issuer, serial, cancellationToken).AsTask().WaitAsync(_options.CallDeadline, _clock, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException e)
        {
            throw new RevocationStoreException($"The status of a certificate of issuer '{issuer}' could not be read within {_options.CallDeadline}.", e);
        }
    }

    private Task<T> CallAsync<T>(Task<T> call, CancellationToken cancellationToken)
    {
        call.Ignore(); // when it is given up
        return call.WaitAsync(_options.CallDeadline, _clock, cancellationToken);
    }

    private IssuerCoherence CoherenceOf(IssuerId issuer) => _coherence.Find(issuer)!.Coherence; // the responder has the same issuers

    // Until it is forgotten: every change is published to the caches.
    private static CertificateStatus? Holding(CertificateStatus? status) => status is null ? null : status with { HoldsFor = Timeout.InfiniteTimeSpan };

    [LoggerMessage(150, LogLevel.Debug, "The store of issuer {Issuer} did not tell a status: {Reason}")]
    private partial void LogStoreAway(IssuerId issuer, string reason);

    [LoggerMessage(151, LogLevel.Warning, "A certificate's actor of issuer {Issuer} did not answer; the store is asked: {Reason}")]
    private partial void LogActorAway(IssuerId issuer, string reason);

    [LoggerMessage(152, LogLevel.Warning, "No silo that signs answered a request: {Reason}")]
    private partial void LogNobodySigns(string reason);
}
