using System.Collections.Concurrent;
using System.Diagnostics;
using OcspCluster.Protocol;

namespace OcspCluster.Authority;

/// <summary>One certificate as it was asked about, and what is to be said of it.</summary>
/// <param name="CertId">The CertID of the request, which the answer repeats byte for byte.</param>
/// <param name="Answer">What is to be said.</param>
public readonly record struct AnsweredCertId(CertId CertId, CertificateAnswer Answer);

/// <summary>Turns what is to be said into signed answers, each by the credential that suits the client, when its signer has time for it. Thread-safe.</summary>
/// <param name="clock">The clock of all times in answers.</param>
/// <param name="guard">Keeps answers from being signed by a clock that cannot be right; null: the clock is always taken for right.</param>
public sealed partial class ResponseFactory(TimeProvider clock, ClockGuard? guard = null) : IDisposable
{
    // Any bytes that are no message: a signature over them is of no use to anybody.
    private static readonly byte[] s_probe = "OcspCluster asks: does this key sign?"u8.ToArray();

    private readonly ConcurrentDictionary<SigningCredential, SignerQueue> _queues = new(ReferenceEqualityComparer.Instance);
    private readonly SigningMeter _meter = new();
    private Func<SigningCredential, bool>? _wouldTry;
    private long _signatures;

    /// <summary>How many answers were signed here.</summary>
    public long Signatures => Interlocked.Read(ref _signatures);

    /// <summary>How a credential's signer is doing.</summary>
    public SignerState StateOf(SigningCredential credential)
    {
        ArgumentNullException.ThrowIfNull(credential);
        return QueueOf(credential).State;
    }

    /// <summary>What a credential's signer failed of last; null when it never did.</summary>
    public SignerFailure? LastFailureOf(SigningCredential credential)
    {
        ArgumentNullException.ThrowIfNull(credential);
        return QueueOf(credential).LastFailure;
    }

    /// <summary>Who takes over from the default credential before its end; null when nobody does.</summary>
    public static SigningCredential? FindNext(NamedIssuer issuer, SigningCredential current)
    {
        ArgumentNullException.ThrowIfNull(current);
        DateTimeOffset handover = current.NotAfter - issuer.Issuer.Policy.Validity + TimeSpan.FromSeconds(2);
        SigningCredential? next = CredentialRules.FindDefault(issuer.Issuer.CredentialsFor(issuer.Certificate), handover, static _ => true, issuer.Issuer.Policy.Validity);
        return ReferenceEquals(next, current) ? null : next;
    }

    /// <summary>The credential that the client would like best, where there is a choice and it is met by one that is valid now; else null (RFC 6960 §4.4.7).</summary>
    public SigningCredential? FindPreferred(NamedIssuer issuer, IReadOnlyList<PreferredSignatureAlgorithm>? preferences) =>
        preferences is null ? null : CredentialRules.FindPreferred(issuer.Issuer.CredentialsFor(issuer.Certificate), preferences, clock.GetUtcNow(), issuer.Issuer.Policy.Validity);

    /// <summary>The credential that signs for clients that prefer nothing: the first that is valid now and whose signer is not failing; null when none is valid.</summary>
    public SigningCredential? FindDefault(NamedIssuer issuer) =>
        CredentialRules.FindDefault(issuer.Issuer.CredentialsFor(issuer.Certificate), clock.GetUtcNow(), _wouldTry ??= credential => QueueOf(credential).WouldTry, issuer.Issuer.Policy.Validity);

    /// <summary>Signs an answer.</summary>
    /// <param name="issuer">Whose certificates are answered for, and the name by which it was asked.</param>
    /// <param name="answers">What is to be said, at least of one, in the order asked.</param>
    /// <param name="nonce">The nonce to echo, or null.</param>
    /// <param name="preferred">Who is to sign; null for the default.</param>
    /// <param name="cancellationToken">Ends the wait for the signer.</param>
    public async ValueTask<SigningResult> CreateAsync(
        NamedIssuer issuer, IReadOnlyList<AnsweredCertId> answers, OcspNonce? nonce, SigningCredential? preferred, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(answers);
        using Activity? activity = AuthorityActivities.Source.StartActivity("ocsp.sign");
        activity?.SetTag("ocsp.issuer", issuer.Issuer.Id.ToString());
        long? startedAt = _meter.Times ? clock.GetTimestamp() : null;
        SigningResult result = await SignInTurnAsync(issuer, answers, nonce, preferred, cancellationToken).ConfigureAwait(false);
        _meter.Count(issuer.Issuer.Id, result, startedAt is long since ? clock.GetElapsedTime(since) : null);
        if (result.Failure != SigningFailure.None)
        {
            activity.Fail(result.Failure.ToString());
        }

        return result;
    }

    private ValueTask<SigningResult> SignInTurnAsync(
        NamedIssuer issuer, IReadOnlyList<AnsweredCertId> answers, OcspNonce? nonce, SigningCredential? preferred, CancellationToken cancellationToken)
    {
        DateTimeOffset now = WholeSecond(clock.GetUtcNow());
        if (FindObstacle(issuer, preferred, now, out SigningCredential? found) is SigningResult obstacle)
        {
            return ValueTask.FromResult(obstacle);
        }

        SigningCredential credential = found!; // without an obstacle there is one
        if (FindTimes(issuer, answers, credential, now) is not Times times)
        {
            return ValueTask.FromResult(SigningResult.News(
                SigningFailure.NoCredential, $"Issuer '{issuer.Issuer.Id}' or its responder certificate has ended or not begun: an answer could not be valid for a second.", credential));
        }

        SignerQueue queue = QueueOf(credential);
        return queue.RunAsync(new Job(this, issuer, answers, nonce, credential, times, queue), static job => job.Factory.Sign(job), cancellationToken);
    }

    /// <summary>Why nothing could be signed now by default, as far as one can tell without trying; null when it would be tried.</summary>
    public SigningResult? FindObstacle(NamedIssuer issuer) => FindObstacle(issuer, preferred: null, WholeSecond(clock.GetUtcNow()), out _);

    /// <summary>Has every credential of an issuer sign a probe, within its deadline, and verifies it with the certificate's key: to be called at start, when an operator looks.</summary>
    /// <returns>What failed, each with the credential and a sentence that names its certificate; empty when all of them sign.</returns>
    public async Task<IReadOnlyList<SigningResult>> SelfTestAsync(Issuer issuer, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(issuer);
        List<SigningResult> failures = [];
        foreach (SigningCredential credential in issuer.Credentials.Where(one => one.Signer.HasKey))
        {
            SigningResult result = await QueueOf(credential).RunAsync(credential, Probe, cancellationToken).ConfigureAwait(false);
            if (result.Failure != SigningFailure.None)
            {
                failures.Add(result);
            }
        }

        return failures;
    }

    /// <summary>Forgets the queue of a credential that is not used any more.</summary>
    public void Retire(SigningCredential credential)
    {
        ArgumentNullException.ThrowIfNull(credential);
        if (_queues.TryRemove(credential, out SignerQueue? queue))
        {
            queue.Dispose();
        }
    }

    /// <summary>Lets the threads of remote signers end. The credentials are their owner's to dispose.</summary>
    public void Dispose()
    {
        foreach (SignerQueue queue in _queues.Values)
        {
            queue.Dispose();
        }

        _meter.Dispose();
    }

    private SigningResult? FindObstacle(NamedIssuer issuer, SigningCredential? preferred, DateTimeOffset now, out SigningCredential? credential)
    {
        credential = null;
        if (guard is not null && guard.State != ClockState.Sound)
        {
            return SigningResult.Consequence(SigningFailure.ClockDoubtful, $"{guard.Problem ?? "the clock was just set right"}.", credential: null);
        }

        credential = preferred?.IsValidAt(now) == true ? preferred : FindDefault(issuer);
        return credential is null
            ? SigningResult.News(SigningFailure.NoCredential, $"No responder certificate of issuer '{issuer.Issuer.Id}' is valid at {now:u}: renew it.", credential: null)
            : credential.Signer.HasKey
                ? null
                : SigningResult.Consequence(SigningFailure.NoCredential, $"The key of '{credential.Certificate.Subject}' is not in this process.", credential);
    }

    private SignerQueue QueueOf(SigningCredential credential) =>
        _queues.TryGetValue(credential, out SignerQueue? queue) ? queue : _queues.GetOrAdd(credential, new SignerQueue(credential, clock));

    private static SigningResult Probe(SigningCredential credential)
    {
        byte[] signature = credential.Signer.Sign(s_probe);
        SignatureCheck check = credential.Verifier.Verify(credential.Signer.Algorithm, credential.PublicKey, s_probe, signature);
        return check == SignatureCheck.Verified
            ? SigningResult.Probed(credential)
            : SigningResult.News(SigningFailure.Wrong, $"What the key of '{credential.Certificate.Subject}' signs does not verify with the certificate ({check}).", credential);
    }

    private static Times? FindTimes(NamedIssuer issuer, IReadOnlyList<AnsweredCertId> answers, SigningCredential credential, DateTimeOffset now)
    {
        IssuerPolicy policy = issuer.Issuer.Policy;
        CertificateValidity ofIssuer = CertificateValidity.Of(issuer.Certificate);
        DateTimeOffset notBefore = Latest(credential.NotBefore, ofIssuer.NotBefore);

        // thisUpdate: known right since then, so not before the newest status was recorded (RFC 6960 §2.4), not before those who vouch for it do, and never ahead of now.
        DateTimeOffset thisUpdate = Latest(now - policy.Backdate, notBefore);
        DateTimeOffset? changesAt = null;
        for (int i = 0; i < answers.Count; i++)
        {
            CertificateAnswer answer = answers[i].Answer;
            if (answer.RecordedAt is DateTimeOffset recordedAt && recordedAt > thisUpdate)
            {
                thisUpdate = recordedAt < now ? WholeSecond(recordedAt) : now;
            }

            changesAt = answer.ChangesAt is DateTimeOffset change && !(changesAt <= change) ? change : changesAt;
        }

        // The interval includes both ends (BR 4.9.9), and ends before the certificates that vouch for it do.
        DateTimeOffset nextUpdate = Earliest(thisUpdate + policy.Validity - TimeSpan.FromSeconds(1), credential.NotAfter, ofIssuer.NotAfter);
        if (nextUpdate <= now || notBefore > now)
        {
            return null;
        }

        return new Times(now, thisUpdate, nextUpdate, RefreshAt(policy, thisUpdate, nextUpdate, changesAt));
    }

    private SigningResult Sign(in Job job)
    {
        (_, NamedIssuer issuer, IReadOnlyList<AnsweredCertId> answers, OcspNonce? nonce, SigningCredential credential, Times times, SignerQueue queue) = job;
        IssuerPolicy policy = issuer.Issuer.Policy;
        DateTimeOffset producedAt = Latest(WholeSecond(clock.GetUtcNow()), times.ThisUpdate); // now that the turn has come
        SingleResponse[] singles = new SingleResponse[answers.Count];
        bool forOneRequest = nonce is not null;
        for (int i = 0; i < singles.Length; i++)
        {
            CertificateAnswer answer = answers[i].Answer;
            singles[i] = ToSingleResponse(answers[i], times);
            forOneRequest |= answer.Status is CertStatus.UnknownStatus || answer.IsExtendedRevoke;
        }

        ResponseData data = new(policy.ResponderId == ResponderIdForm.ByKey ? credential.ByKey : credential.ByName, producedAt, singles, ToResponseExtensions(answers, nonce));
        byte[] encoded = OcspResponse.Sign(data, credential.Signer, issuer.Issuer.IsOwnKey(credential) ? [] : credential.Certificates);

        ResponseRules rules = new(credential, issuer.Certificate, VerifiesSignature: queue.IsInSample(policy.VerifySample));
        if (rules.FindError(encoded, data, producedAt) is string error)
        {
            return SigningResult.News(SigningFailure.Wrong, $"What the signer of issuer '{issuer.Issuer.Id}' made is not served: {error}.", credential);
        }

        Interlocked.Increment(ref _signatures);
        return SigningResult.Signed(
            new SignedResponse(encoded, producedAt, times.ThisUpdate, times.NextUpdate, times.RefreshAt, forOneRequest ? TimeSpan.Zero : policy.MaxAge, KindOf(answers)), credential);
    }

    private static AnswerKind KindOf(IReadOnlyList<AnsweredCertId> answers) => answers.Count > 1 ? AnswerKind.Several : answers[0].Answer.Status switch
    {
        CertStatus.GoodStatus => AnswerKind.Good,
        CertStatus.RevokedStatus => AnswerKind.Revoked,
        _ => AnswerKind.Unknown,
    };

    private static SingleResponse ToSingleResponse(AnsweredCertId answered, Times times)
    {
        List<OcspExtension>? extensions = null;
        if (answered.Answer.ArchiveRetention is TimeSpan retention)
        {
            (extensions ??= []).Add(ResponseExtensions.ArchiveCutoff(times.Now - retention));
        }

        if (answered.Answer is { InvalidityDate: DateTimeOffset invalidityDate, Status: CertStatus.RevokedStatus })
        {
            (extensions ??= []).Add(ResponseExtensions.InvalidityDate(invalidityDate));
        }

        return new SingleResponse(answered.CertId, answered.Answer.Status, times.ThisUpdate, times.NextUpdate, extensions is null ? null : new OcspExtensionCollection(extensions));
    }

    private static OcspExtensionCollection ToResponseExtensions(IReadOnlyList<AnsweredCertId> answers, OcspNonce? nonce)
    {
        bool saysNeverIssued = false;
        for (int i = 0; i < answers.Count; i++)
        {
            saysNeverIssued |= answers[i].Answer.IsExtendedRevoke;
        }

        return (nonce, saysNeverIssued) switch
        {
            (null, false) => OcspExtensionCollection.Empty,
            (null, true) => new OcspExtensionCollection([ResponseExtensions.ExtendedRevoke]),
            (not null, false) => new OcspExtensionCollection([nonce.ToExtension()]),
            (not null, true) => new OcspExtensionCollection([nonce.ToExtension(), ResponseExtensions.ExtendedRevoke]),
        };
    }

    private static DateTimeOffset Earliest(DateTimeOffset a, DateTimeOffset b, DateTimeOffset c) => a <= b && a <= c ? a : b <= c ? b : c;

    private static DateTimeOffset Latest(DateTimeOffset a, DateTimeOffset b) => a >= b ? a : b;

    private static DateTimeOffset WholeSecond(DateTimeOffset time) => new(time.UtcTicks - (time.UtcTicks % TimeSpan.TicksPerSecond), TimeSpan.Zero);

    private readonly record struct Job(
        ResponseFactory Factory, NamedIssuer Issuer, IReadOnlyList<AnsweredCertId> Answers, OcspNonce? Nonce, SigningCredential Credential, Times Times, SignerQueue Queue);

    private readonly record struct Times(DateTimeOffset Now, DateTimeOffset ThisUpdate, DateTimeOffset NextUpdate, DateTimeOffset RefreshAt);
}
