using System.Collections.Frozen;
using Microsoft.Extensions.Logging;
using OcspCluster.Authority;
using OcspCluster.Protocol;

namespace OcspCluster.Gateway;

/// <summary>Answers OCSP requests: bytes in, bytes out, no HTTP. Thread-safe.</summary>
/// <remarks>
/// A request for one certificate without a nonce is answered from the cache; what the cache lacks is signed once and kept. A request with a nonce or for several
/// certificates is signed for itself, within a budget, so that a flood of such requests leaves the cached answers alone.
/// </remarks>
public sealed partial class OcspResponder
{
    /// <summary>How often a status may change while it is answered before the client is asked to try later.</summary>
    private const int MaxAttempts = 8;

    private readonly IssuerDirectory _directory;
    private readonly ICertificateStatusSource _source;
    private readonly ResponseFactory _factory;
    private readonly ResponseCache _cache;
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
        ILogger<OcspResponder> log)
    {
        ArgumentNullException.ThrowIfNull(directory);
        ArgumentNullException.ThrowIfNull(options);
        _directory = directory;
        _source = source;
        _factory = factory;
        _cache = cache;
        _clock = clock;
        _log = log;
        _nonceBudget = new SigningBudget(options.NonceSignaturesPerSecond, clock);
        _unissuedBudget = new SigningBudget(options.UnissuedSignaturesPerSecond, clock);
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
            return await AnswerAsync(decoded, cancellationToken).ConfigureAwait(false);
        }
        catch (SignerUnavailableException e)
        {
            LogSignerUnavailable(e.Message, e);
            return OcspReply.Error(OcspOutcome.SignerUnavailable);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
#pragma warning disable CA1031 // Whatever a status source throws, the client gets an answer and the operator a line in the log (RFC 6960 §2.3).
        catch (Exception e)
#pragma warning restore CA1031
        {
            LogFault(e.Message, e);
            return OcspReply.Error(OcspOutcome.Fault);
        }
    }

    private async ValueTask<OcspReply> AnswerAsync(OcspRequest request, CancellationToken cancellationToken)
    {
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
        return nonce is null && request.Requests.Count == 1
            ? await AnswerFromCacheAsync(served.Value, request.Requests[0].CertId, cancellationToken).ConfigureAwait(false)
            : await AnswerForThisRequestAsync(served.Value, request, nonce, cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<OcspReply> AnswerFromCacheAsync(NamedIssuer issuer, CertId certId, CancellationToken cancellationToken)
    {
        IssuerId id = issuer.Issuer.Id;
        DateTimeOffset now = _clock.GetUtcNow();
        if (_cache.TryGet(id, certId, out CachedResponse? cached) && now < cached.Response.RefreshAt && cached.IsHeld(_clock.GetTimestamp()))
        {
            return OcspReply.Answer(cached.Response);
        }

        for (int attempt = 0; attempt < MaxAttempts; attempt++)
        {
            long version = _cache.VersionOf(id, certId.SerialNumber); // before the status is read
            CertificateStatus? status;
            try
            {
                status = await _source.FindAsync(id, certId.SerialNumber, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e) when (cached is not null && !cancellationToken.IsCancellationRequested)
            {
                LogStatusUnavailable(id, e.Message, e);
                return WithoutStatus(cached, now);
            }

            if (AnswerRules.Decide(issuer.Issuer.Policy, status, now) is not CertificateAnswer answer)
            {
                return OcspReply.Error(status is null ? OcspOutcome.NeverIssued : OcspOutcome.Expired);
            }

            if (status is null && issuer.Issuer.Policy.Inventory == Inventory.Known)
            {
                return _unissuedBudget.TryTake()
                    ? OcspReply.Answer(_factory.Create(issuer, [new AnsweredCertId(certId, answer)], nonce: null))
                    : OcspReply.Error(OcspOutcome.BudgetSpent);
            }

            CachedResponse? stored = _cache.Store(id, certId, version, present => Renew(issuer, certId, status, answer, present));
            if (stored is not null)
            {
                return OcspReply.Answer(stored.Response);
            }
        }

        return OcspReply.Error(OcspOutcome.Contended);
    }

    /// <summary>The answer that is stored, when it says what the status says and is not due; else a new one.</summary>
    private CachedResponse Renew(NamedIssuer issuer, CertId certId, CertificateStatus? status, CertificateAnswer answer, CachedResponse? present)
    {
        DateTimeOffset now = _clock.GetUtcNow();
        bool saysTheSame = present is not null && SaysTheSame(present, status, answer);
        CachedResponse renewed;
        if (saysTheSame && now < present!.Response.RefreshAt)
        {
            renewed = present;
        }
        else
        {
            try
            {
                renewed = new CachedResponse(certId.Encoded.ToArray(), _factory.Create(issuer, [new AnsweredCertId(certId, answer)], nonce: null), status);
            }
            catch (SignerUnavailableException e) when (saysTheSame && now <= present!.Response.NextUpdate)
            {
                LogSignerUnavailable(e.Message, e);
                renewed = present; // right until its nextUpdate (design.md P3)
            }
        }

        TimeSpan holdsFor = status?.HoldsFor ?? _source.AbsenceHoldsFor;
        renewed.HoldUntil(holdsFor < TimeSpan.Zero ? long.MaxValue : _clock.GetTimestamp() + (long)(holdsFor.TotalSeconds * _clock.TimestampFrequency));
        return renewed;
    }

    // An answer for a certificate that has ended since differs from one before: it has an archive cutoff.
    private static bool SaysTheSame(CachedResponse present, CertificateStatus? status, CertificateAnswer answer) =>
        WithoutHold(present.Status) == WithoutHold(status)
        && (answer.ArchiveRetention is null || present.Response.ProducedAt > status?.NotAfter);

    private static CertificateStatus? WithoutHold(CertificateStatus? status) => status is null ? null : status with { HoldsFor = default };

    /// <summary>The status source is out of reach: <c>revoked</c> may be said on, <c>good</c> only while it holds.</summary>
    private OcspReply WithoutStatus(CachedResponse cached, DateTimeOffset now) =>
        now <= cached.Response.NextUpdate && (cached.IsRevoked || cached.IsHeld(_clock.GetTimestamp()))
            ? OcspReply.Answer(cached.Response)
            : OcspReply.Error(OcspOutcome.StatusUnavailable);

    private async ValueTask<OcspReply> AnswerForThisRequestAsync(NamedIssuer issuer, OcspRequest request, OcspNonce? nonce, CancellationToken cancellationToken)
    {
        IssuerId id = issuer.Issuer.Id;
        CertId[] certIds = [.. request.Requests.Select(single => single.CertId)];
        bool[] isServed = [.. certIds.Select(certId => _directory.TryFind(certId, out _))];
        SerialNumber[] serials = [.. certIds.Where((_, i) => isServed[i]).Select(certId => certId.SerialNumber)];
        bool hasBudget = false;

        for (int attempt = 0; attempt < MaxAttempts; attempt++)
        {
            long[] versions = [.. serials.Select(serial => _cache.VersionOf(id, serial))]; // before the statuses are read
            IReadOnlyList<CertificateStatus?> statuses = await _source.FindManyAsync(id, serials, cancellationToken).ConfigureAwait(false);
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
            SignedResponse signed = _factory.Create(issuer, answered, nonce);
            if (versions.AsSpan().SequenceEqual([.. serials.Select(serial => _cache.VersionOf(id, serial))]))
            {
                return OcspReply.Answer(signed);
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
    private partial void LogSignerUnavailable(string reason, Exception exception);

    [LoggerMessage(2, LogLevel.Error, "A request was answered internalError: {Reason}")]
    private partial void LogFault(string reason, Exception exception);

    [LoggerMessage(3, LogLevel.Error, "The status source of issuer {Issuer} is out of reach: {Reason}")]
    private partial void LogStatusUnavailable(IssuerId issuer, string reason, Exception exception);
}
