using System.Collections.Frozen;
using System.Diagnostics;
using Microsoft.Extensions.Logging;
using OcspCluster.Authority;
using OcspCluster.Protocol;

namespace OcspCluster.Gateway;

/// <summary>Answers OCSP requests: bytes in, bytes out, no HTTP. Thread-safe.</summary>
/// <remarks>
/// A request for one certificate without a nonce is answered from the cache; what the cache lacks is signed once and kept. A request with a nonce or for several
/// certificates is signed for itself, within a budget, so that a flood of such requests leaves the cached answers alone.
/// Nobody waits for a signer while an answer that is right is at hand.
/// </remarks>
public sealed partial class OcspResponder
{
    /// <summary>How often a status may change while it is answered before the client is asked to try later.</summary>
    private const int MaxAttempts = 8;

    private readonly IssuerDirectory _directory;
    private readonly ICertificateAnswers _answers;
    private readonly ResponseFactory _factory;
    private readonly ResponseCache _cache;
    private readonly SigningFlights _flights = new();
    private readonly KeptResponses? _kept;
    private readonly FrozenDictionary<IssuerId, OcspRequestVerifier> _requestVerifiers;
    private readonly DecodeOptions _decoding;
    private readonly SigningBudget _nonceBudget;
    private readonly SigningBudget _unissuedBudget;
    private readonly TimeProvider _clock;
    private readonly ILogger<OcspResponder> _log;

    /// <summary>Makes a responder.</summary>
    public OcspResponder(
        IssuerDirectory directory,
        ICertificateStatusSource source,
        ResponseFactory factory,
        ResponseCache cache,
        OcspGatewayOptions options,
        TimeProvider clock,
        ILogger<OcspResponder> log,
        KeptResponses? kept = null)
        : this(directory, new LocalAnswers(source), factory, cache, options, clock, log, kept)
    {
    }

    /// <summary>Makes a responder of a process that asks others.</summary>
    internal OcspResponder(
        IssuerDirectory directory,
        ICertificateAnswers answers,
        ResponseFactory factory,
        ResponseCache cache,
        OcspGatewayOptions options,
        TimeProvider clock,
        ILogger<OcspResponder> log,
        KeptResponses? kept = null)
    {
        ArgumentNullException.ThrowIfNull(directory);
        ArgumentNullException.ThrowIfNull(options);
        _directory = directory;
        _answers = answers;
        _factory = factory;
        _cache = cache;
        _clock = clock;
        _log = log;
        _kept = kept;
        _nonceBudget = new SigningBudget(options.NonceSignaturesPerSecond, clock);
        _unissuedBudget = new SigningBudget(options.UnissuedSignaturesPerSecond, clock);
        _plain = new PlainRequest(directory, cache);
        _requestVerifiers = directory.Issuers
            .Where(issuer => issuer.Policy.SignedRequests != SignedRequestPolicy.Ignore)
            .ToFrozenDictionary(issuer => issuer.Id, issuer => issuer.CreateRequestVerifier(clock));
        _decoding = DecodeOptions.Default with
        {
            MaxCertIds = options.MaxCertIds,
            MaxNonceBytes = directory.Issuers.Select(issuer => issuer.Policy.NonceMaxBytes).DefaultIfEmpty(128).Max(),
            AcceptRawNonce = directory.Issuers.Any(issuer => issuer.Policy.AcceptRawNonce),
        };
    }

    /// <summary>Answers one request.</summary>
    /// <param name="request">The DER of an OCSPRequest; not to be changed until the answer is there.</param>
    /// <param name="cancellationToken">Ends the wait for the status source.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled. Nothing else is thrown: what goes wrong is an answer, too.</exception>
    public async ValueTask<OcspReply> AnswerAsync(ReadOnlyMemory<byte> request, CancellationToken cancellationToken)
    {
        if (!OcspRequest.TryDecode(request, out OcspRequest? decoded, out _, _decoding))
        {
            return OcspReply.Error(OcspOutcome.Malformed);
        }

        try
        {
            return await AnswerAsync(request, decoded, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
        catch (StatusUnavailableException e)
        {
            LogNoStatus(e.Message);
            return OcspReply.Error(OcspOutcome.StatusUnavailable);
        }
#pragma warning disable CA1031 // Whatever a status source throws, the client gets an answer and the operator a line in the log (RFC 6960 §2.3).
        catch (Exception e)
#pragma warning restore CA1031
        {
            LogFault(e.Message, e);
            return OcspReply.Error(OcspOutcome.Fault);
        }
    }

    private async ValueTask<OcspReply> AnswerAsync(ReadOnlyMemory<byte> encoded, OcspRequest request, CancellationToken cancellationToken)
    {
        using Activity? activity = GatewayActivities.Source.StartActivity("ocsp.answer"); // what was before it in the request's time is decoding
        if (HasUnknownCriticalExtension(request))
        {
            return OcspReply.Error(OcspOutcome.UnknownCriticalExtension);
        }

        NamedIssuer? served = null;
        foreach (SingleRequest single in request.Requests)
        {
            if (!_directory.TryFind(single.CertId, out NamedIssuer? issuer))
            {
                continue;
            }

            if (served is not null && served.Value.Issuer != issuer.Value.Issuer)
            {
                return OcspReply.Error(OcspOutcome.SeveralIssuers); // a signer of one CA cannot vouch for the other (RFC 6960 §4.2.2.2)
            }

            served ??= issuer;
        }

        if (served is null)
        {
            return OcspReply.Error(OcspOutcome.IssuerNotServed);
        }

        if (CheckSignature(served.Value.Issuer, request) is OcspOutcome signature)
        {
            return OcspReply.Error(signature);
        }

        IssuerPolicy policy = served.Value.Issuer.Policy;
        OcspNonce? nonce = request.Nonce;
        if (nonce is not null && (nonce.Value.Length > policy.NonceMaxBytes || (nonce.IsRaw && !policy.AcceptRawNonce)))
        {
            return OcspReply.Error(OcspOutcome.NonceRefused);
        }

        if (nonce is null && policy.Nonce == NoncePolicy.Require)
        {
            return OcspReply.Error(OcspOutcome.NonceRequired);
        }

        nonce = policy.Nonce == NoncePolicy.Ignore ? null : nonce;
        SigningCredential? preferred = _factory.FindPreferred(served.Value, request.PreferredSignatureAlgorithms);
        return nonce is null && request.Requests.Count == 1
            ? await AnswerFromCacheAsync(encoded, served.Value, request.Requests[0].CertId, preferred, cancellationToken).ConfigureAwait(false)
            : _answers.AnswerElsewhere is { } elsewhere
                ? await elsewhere(encoded, cancellationToken).ConfigureAwait(false)
                : await AnswerForThisRequestAsync(served.Value, request, nonce, preferred, cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<OcspReply> AnswerFromCacheAsync(
        ReadOnlyMemory<byte> encoded, NamedIssuer issuer, CertId certId, SigningCredential? preferred, CancellationToken cancellationToken)
    {
        IssuerId id = issuer.Issuer.Id;
        CachedResponse? cached = _cache.Find(id, certId, preferred);
        if (cached is not null && !cached.IsDue(_clock.GetUtcNow()) && MayBeGiven(cached, issuer.Issuer))
        {
            return OcspReply.Answer(cached.Response, AnswerSource.Cache);
        }

        for (int attempt = 0; attempt < MaxAttempts; attempt++)
        {
            long version = _cache.VersionOf(id, certId.SerialNumber); // before the status is read
            CertificateFinding found;
            try
            {
                DateTimeOffset? newerThan = cached?.IsMadeDue == true ? cached.Response.ProducedAt : null;
                found = await _answers.FindAsync(issuer, certId, preferred, newerThan, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e) when ((cached ??= _cache.Find(id, certId)) is not null && !cancellationToken.IsCancellationRequested)
            {
                LogStatusUnavailable(id, e.Message, e);
                return WithoutStatus(issuer.Issuer, cached!, _clock.GetUtcNow());
            }

            CertificateStatus? status = found.Status;

            DateTimeOffset now = _clock.GetUtcNow();
            if (AnswerRules.Decide(issuer.Issuer.Policy, status, now) is not CertificateAnswer answer)
            {
                return OcspReply.Error(status is null ? OcspOutcome.NeverIssued : OcspOutcome.Expired);
            }

            if (status is null && _answers.AnswerElsewhere is { } elsewhere)
            {
                return await elsewhere(encoded, cancellationToken).ConfigureAwait(false);
            }

            if (status is null && issuer.Issuer.Policy.Inventory == Inventory.Known)
            {
                return _unissuedBudget.TryTake()
                    ? ToReply(await _factory.CreateAsync(issuer, [new AnsweredCertId(certId, answer)], nonce: null, preferred, cancellationToken).ConfigureAwait(false))
                    : OcspReply.Error(OcspOutcome.BudgetSpent);
            }

            Miss miss = new(issuer, certId, preferred, version, status, answer, found.Made);
            CachedResponse? present = _cache.Find(id, certId, preferred) ?? await FindKeptAsync(miss).ConfigureAwait(false);
            SigningFlight flight = await RenewAsync(miss, present, now, cancellationToken).ConfigureAwait(false);
            if (flight.Cached is not null && _cache.Hold(id, certId.SerialNumber, version, flight.Cached, HeldUntil(status)))
            {
                return OcspReply.Answer(flight.Cached.Response, SourceOf(flight.Cached, present, found, now));
            }

            if (flight.Failure is OcspOutcome failure)
            {
                if (preferred is null)
                {
                    return OcspReply.Error(failure);
                }

                preferred = null; // better an answer by the default key than none by the preferred one
            }
        }

        return OcspReply.Error(OcspOutcome.Contended);
    }

    /// <summary>
    /// The answer that is stored, when it says what the status says and is not due; else a new one. One that is due but right is given as long as the new one takes,
    /// or where none can be signed, until its nextUpdate (design.md P3).
    /// </summary>
    private async ValueTask<SigningFlight> RenewAsync(Miss miss, CachedResponse? present, DateTimeOffset now, CancellationToken cancellationToken)
    {
        bool isRight = present is not null && SaysTheSame(present, miss.Status, miss.Answer) && now <= present.Response.NextUpdate;
        if (isRight && !present!.IsDue(now))
        {
            return new SigningFlight(present, Failure: null);
        }

        Task<SigningFlight> joined = _flights.JoinAsync(miss.Key, () => SignAsync(miss));
        if (isRight && !joined.IsCompleted)
        {
            return new SigningFlight(present, Failure: null);
        }

        SigningFlight flight = await joined.WaitAsync(cancellationToken).ConfigureAwait(false);
        return isRight && flight.Failure is not null ? new SigningFlight(present, Failure: null) : flight;
    }

    /// <summary>The answer that was kept, if it was made from this very status; it is in the cache then.</summary>
    private ValueTask<CachedResponse?> FindKeptAsync(Miss miss) => _kept is null ? default : _kept.RestoreAsync(
        miss.Issuer, new AnsweredCertId(miss.CertId, miss.Answer), miss.Preferred, miss.Status, miss.Key, found => _cache.Store(miss.Issuer.Issuer.Id, miss.CertId.SerialNumber, miss.Version, found));

    /// <summary>Signs the answer that is missed and stores it.</summary>
    private async Task<SigningFlight> SignAsync(Miss miss)
    {
        // The request that began the flight may have missed before the flight ahead of it landed.
        IssuerId id = miss.Issuer.Issuer.Id;
        CertId certId = miss.CertId;
        if (_cache.Find(id, certId, miss.Preferred) is CachedResponse present && SaysTheSame(present, miss.Status, miss.Answer) && !present.IsDue(_clock.GetUtcNow()))
        {
            return new SigningFlight(present, Failure: null);
        }

        // Not with the token of the request that came first: the others wait for it, too.
        SigningResult result = miss.Made
            ?? await _factory.CreateAsync(miss.Issuer, [new AnsweredCertId(certId, miss.Answer)], nonce: null, miss.Preferred, CancellationToken.None).ConfigureAwait(false);
        if (result.Response is not SignedResponse signed)
        {
            return new SigningFlight(Cached: null, ToOutcome(result));
        }

        CachedResponse made = new(certId.Encoded.ToArray(), signed, miss.Status, result.Credential!, isDefault: miss.Preferred is null || ReferenceEquals(result.Credential, _factory.FindDefault(miss.Issuer)))
        {
            HeldUntil = miss.HeldUntil,
            WasAsked = miss.IsAsked,
        };
        return new SigningFlight(_cache.Store(id, certId.SerialNumber, miss.Version, made), Failure: null);
    }

    private long HeldUntil(CertificateStatus? status) => HeldUntil(status, _clock.GetTimestamp());

    private long HeldUntil(CertificateStatus? status, long since)
    {
        TimeSpan holdsFor = status?.HoldsFor ?? _answers.AbsenceHoldsFor;
        return holdsFor < TimeSpan.Zero ? long.MaxValue : since + (long)(holdsFor.TotalSeconds * _clock.TimestampFrequency);
    }

    private OcspReply ToReply(SigningResult result) => result.Response is SignedResponse signed ? OcspReply.Answer(signed, AnswerSource.Signer) : OcspReply.Error(ToOutcome(result));

    private OcspOutcome ToOutcome(SigningResult result)
    {
        if (result.IsNews)
        {
            LogSignerUnavailable(result.Reason, result.Cause);
        }
        else
        {
            LogSignerSpared(result.Reason); // one line for each request of a flood would be another flood
        }

        return result.Failure switch
        {
            SigningFailure.Busy => OcspOutcome.SignerBusy,
            SigningFailure.Failing => OcspOutcome.SignerFailing,
            SigningFailure.ClockDoubtful => OcspOutcome.ClockDoubtful,
            _ => OcspOutcome.SignerUnavailable,
        };
    }

    // An answer for a certificate that has ended since differs from one before: it has an archive cutoff.
    private static bool SaysTheSame(CachedResponse present, CertificateStatus? status, CertificateAnswer answer) =>
        WithoutHold(present.Status) == WithoutHold(status)
        && (answer.ArchiveRetention is null || present.Response.ProducedAt > status?.NotAfter);

    private static CertificateStatus? WithoutHold(CertificateStatus? status) => status is null ? null : status with { HoldsFor = default };

    /// <summary>The status source is out of reach: <c>revoked</c> may be said on, <c>good</c> only while it holds.</summary>
    private OcspReply WithoutStatus(Issuer issuer, CachedResponse cached, DateTimeOffset now) =>
        now <= cached.Response.NextUpdate && (cached.IsRevoked || MayBeGiven(cached, issuer))
            ? OcspReply.Answer(cached.Response, AnswerSource.Cache)
            : OcspReply.Error(OcspOutcome.StatusUnavailable);

    // What an actor told was signed for us where it is no older than the question; times in answers are whole seconds.
    private static AnswerSource SourceOf(CachedResponse given, CachedResponse? present, CertificateFinding found, DateTimeOffset now) =>
        ReferenceEquals(given, present) ? (given.IsKept ? AnswerSource.Kept : AnswerSource.Cache)
        : found.Made is not null && given.Response.ProducedAt < now - TimeSpan.FromSeconds(2) ? AnswerSource.Kept
        : AnswerSource.Signer;

    /// <summary>Whether an answer may be given without its status being read: it holds, and nothing was acknowledged that it does not know of. Revoked for good is always so (design.md P2).</summary>
    private bool MayBeGiven(CachedResponse cached, Issuer issuer) =>
        cached.IsHeld(_clock.GetTimestamp())
        && (cached.IsRevoked || _answers.HasLease(issuer.Id) || issuer.Policy.WithoutLease == WithoutLease.ServeUntilNextUpdate);

    private async ValueTask<OcspReply> AnswerForThisRequestAsync(
        NamedIssuer issuer, OcspRequest request, OcspNonce? nonce, SigningCredential? preferred, CancellationToken cancellationToken)
    {
        IssuerId id = issuer.Issuer.Id;
        CertId[] certIds = [.. request.Requests.Select(single => single.CertId)];
        bool[] isServed = [.. certIds.Select(certId => _directory.TryFind(certId, out _))];
        SerialNumber[] serials = [.. certIds.Where((_, i) => isServed[i]).Select(certId => certId.SerialNumber)];
        bool hasBudget = false;

        for (int attempt = 0; attempt < MaxAttempts; attempt++)
        {
            long[] versions = [.. serials.Select(serial => _cache.VersionOf(id, serial))]; // before the statuses are read
            IReadOnlyList<CertificateStatus?> statuses = await _answers.FindStatusesAsync(id, serials, cancellationToken).ConfigureAwait(false);
            if (statuses.Count != serials.Length)
            {
                throw new InvalidOperationException($"The status source returned {statuses.Count} statuses for {serials.Length} serial numbers.");
            }

            DateTimeOffset now = _clock.GetUtcNow();
            List<CertificateAnswer?> answers = [];
            OcspOutcome? refusal = null;
            for (int i = 0, known = 0; i < certIds.Length; i++)
            {
                CertificateStatus? status = isServed[i] ? statuses[known++] : null;
                CertificateAnswer? answer = isServed[i] ? AnswerRules.Decide(issuer.Issuer.Policy, status, now) : null;
                refusal ??= isServed[i] && answer is null ? (status is null ? OcspOutcome.NeverIssued : OcspOutcome.Expired) : null;
                answers.Add(answer);
            }

            if (answers.TrueForAll(answer => answer is null))
            {
                return OcspReply.Error(refusal ?? OcspOutcome.IssuerNotServed);
            }

            hasBudget = hasBudget || _nonceBudget.TryTake();
            if (!hasBudget)
            {
                return OcspReply.Error(OcspOutcome.BudgetSpent);
            }

            // Beside one that we answer for, what we cannot answer for is unknown (RFC 6960 §2.2): the client gets the rest.
            AnsweredCertId[] answered = [.. certIds.Select((certId, i) => new AnsweredCertId(certId, answers[i] ?? CertificateAnswer.Unknown))];
            SigningResult result = await _factory.CreateAsync(issuer, answered, nonce, preferred, cancellationToken).ConfigureAwait(false);
            if (result.Response is null && preferred is not null)
            {
                preferred = null; // better an answer by the default key than none by the preferred one
                continue;
            }

            if (result.Response is null || versions.AsSpan().SequenceEqual([.. serials.Select(serial => _cache.VersionOf(id, serial))]))
            {
                return ToReply(result);
            }
        }

        return OcspReply.Error(OcspOutcome.Contended);
    }

    // Critical means: refuse what you do not understand. Those that we understand are taken as if they were not critical (conformance R21, R22).
    private static bool HasUnknownCriticalExtension(OcspRequest request) =>
        request.Extensions.Any(extension => extension.IsCritical && extension.Oid is not (OcspNonce.ExtensionOid or AcceptableResponses.ExtensionOid or PreferredSignatureAlgorithm.ExtensionOid))
        || request.Requests.Any(single => single.Extensions.Any(extension => extension.IsCritical && extension.Oid is not ServiceLocator.ExtensionOid));

    private OcspOutcome? CheckSignature(Issuer issuer, OcspRequest request)
    {
        if (!_requestVerifiers.TryGetValue(issuer.Id, out OcspRequestVerifier? verifier))
        {
            return null;
        }

        if (request.Signature is null)
        {
            return issuer.Policy.SignedRequests == SignedRequestPolicy.Require ? OcspOutcome.SignatureRequired : null;
        }

        return verifier.Verify(request).IsVerified ? null : OcspOutcome.SignatureRefused;
    }

    [LoggerMessage(1, LogLevel.Error, "No answer can be signed: {Reason}")]
    private partial void LogSignerUnavailable(string reason, Exception? exception);

    [LoggerMessage(4, LogLevel.Debug, "The signer is not asked: {Reason}")]
    private partial void LogSignerSpared(string reason);

    [LoggerMessage(2, LogLevel.Error, "A request was answered internalError: {Reason}")]
    private partial void LogFault(string reason, Exception exception);

    [LoggerMessage(3, LogLevel.Error, "The status source of issuer {Issuer} is out of reach: {Reason}")]
    private partial void LogStatusUnavailable(IssuerId issuer, string reason, Exception exception);

    [LoggerMessage(5, LogLevel.Warning, "A request was answered tryLater: {Reason}")]
    private partial void LogNoStatus(string reason);

    /// <summary>An answer that the cache lacks, and all that it is made from.</summary>
    private sealed record Miss(NamedIssuer Issuer, CertId CertId, SigningCredential? Preferred, long Version, CertificateStatus? Status, CertificateAnswer Answer, SigningResult? Made)
    {
        /// <summary>Until when the answer may be given without the status being read; 0 where that is said later (<see cref="ResponseCache.Hold"/>).</summary>
        public long HeldUntil { get; init; }

        /// <summary>Whether a client asks for it.</summary>
        public bool IsAsked { get; init; } = true;

        public SigningFlights.Key Key => new(Issuer.Issuer.Id, CertId, Preferred, Version, WithoutHold(Status));
    }
}
