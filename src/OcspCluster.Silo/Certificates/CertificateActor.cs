using System.Collections.Concurrent;
using OcspCluster.Authority;
using OcspCluster.Protocol;
using OcspCluster.Silo.Coherence;
using OcspCluster.Silo.Refresh;

namespace OcspCluster.Silo.Certificates;

/// <summary>
/// One certificate's status, and its signed answer for each form of the CertID and each signer. What it remembers is believed by the rules of <see cref="IssuerCoherence"/>; else the store is read.
/// Of many who ask at once one signs. Thread-safe.
/// </summary>
internal sealed class CertificateActor(
    CertificateKey key, IssuerDirectory directory, IssuerCoherence coherence, IRevocationStore store, ResponseFactory factory, KeptAnswers keptAnswers, RefreshFeed? feed, ResignRuns runs, OcspSiloOptions options,
    TimeProvider clock)
{
    /// <summary>The answers that are kept, the oldest going first: as many as the gateway's cache keeps for a certificate.</summary>
    private const int MaxForms = 64;

    private readonly Lock _lock = new();
    private readonly ConcurrentDictionary<Form, Task<SigningResult>> _signing = [];
    private readonly List<Kept> _kept = []; // guarded by _lock
    private Loaded? _loaded; // guarded by _lock

    /// <summary>The status, good as of a position at least.</summary>
    /// <exception cref="RevocationStoreException">What is remembered may not be believed, and the store cannot be read.</exception>
    public async ValueTask<StatusReply> FindStatusAsync(long minPosition)
    {
        // Lease and known before the version (see the essay of IssuerCoherence).
        bool mayBelieve = coherence.HasLease;
        long known = coherence.Known;
        long version = coherence.VersionOf(key.Serial);
        if (mayBelieve && known >= minPosition)
        {
            lock (_lock)
            {
                if (_loaded is { } loaded && loaded.Version == version)
                {
                    return new StatusReply(loaded.Status, known);
                }
            }
        }

        CertificateStatus? status = await ReadStatusAsync().ConfigureAwait(false);
        lock (_lock)
        {
            if (_loaded is null || version >= _loaded.Version)
            {
                _loaded = new Loaded(version, status);
            }
        }

        return new StatusReply(status, Math.Max(known, minPosition)); // read after both were durable
    }

    /// <summary>The status, and the answer that says so.</summary>
    /// <exception cref="RevocationStoreException">What is remembered may not be believed, and the store cannot be read.</exception>
    public async ValueTask<CertificateReply> AnswerAsync(CertificateQuestion question)
    {
        StatusReply found = await FindStatusAsync(question.MinPosition).ConfigureAwait(false);
        CertId certId = CertId.Decode(question.CertId);
        if (found.Status is null || !directory.TryFind(certId, out NamedIssuer? issuer)
            || AnswerRules.Decide(issuer.Value.Issuer.Policy, found.Status, clock.GetUtcNow()) is not CertificateAnswer answer)
        {
            return new CertificateReply(found.Status, found.AsOf, Response: null, Credential: null, SigningFailure.None, ""); // nothing is to be said
        }

        SigningCredential? preferred = CredentialNames.Find(issuer.Value.Issuer, question.Preferred);
        Form form = new(Convert.ToHexStringLower(question.CertId), preferred, found.Status);
        Kept? kept = Find(form, found.Status, answer);
        if (kept is not null && IsCurrent(kept.Response, question, issuer.Value.Issuer.Policy))
        {
            Note(kept.Response, question, issuer.Value.Issuer.Policy);
            return Reply(found, kept);
        }

        // A flight that others began may have found one again that is good enough for them: then the next one is for this question. What was signed since is good enough for all.
        DateTimeOffset askedAt = DateTimeOffset.FromUnixTimeSeconds(clock.GetUtcNow().ToUnixTimeSeconds()); // producedAt knows no parts of a second
        bool isMine;
        SigningResult result;
        do
        {
            Task<SigningResult> flight = SignOnce(form, issuer.Value, certId, answer, question, out isMine);
            result = await flight.ConfigureAwait(false);
        }
        while (!isMine && result.Response is { } joined && joined.ProducedAt < askedAt && !IsCurrent(joined, question, issuer.Value.Issuer.Policy));

        if (result.Response is not SignedResponse signed)
        {
            kept ??= Find(form, found.Status, answer); // one that is due may have been found again
            // One that is due but right is given where none can be signed, until its nextUpdate (design.md P3).
            return kept is not null && clock.GetUtcNow() <= kept.Response.NextUpdate
                ? Reply(found, kept)
                : new CertificateReply(found.Status, found.AsOf, Response: null, CredentialNameOf(result), result.Failure, result.Reason);
        }

        Note(signed, question, issuer.Value.Issuer.Policy);
        return new CertificateReply(found.Status, found.AsOf, signed, CredentialNameOf(result), SigningFailure.None, "");
    }

    // What a client wanted is kept fresh. Each gateway asks once in the life of an answer, so this is little; what is signed for those who prefer another credential is signed on demand.
    private void Note(SignedResponse response, CertificateQuestion question, IssuerPolicy policy)
    {
        if (question is { DueBy: null, Preferred: null })
        {
            feed?.Note(key, question.CertId, policy, response);
        }
    }

    private async Task<CertificateStatus?> ReadStatusAsync()
    {
        using CancellationTokenSource deadline = new(options.CallDeadline, clock);
        try
        {
            return await store.FindStatusAsync(key.Issuer, key.Serial, deadline.Token).AsTask().WaitAsync(options.CallDeadline, clock).ConfigureAwait(false);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            throw new RevocationStoreException($"The status of a certificate of issuer '{key.Issuer}' could not be read within {options.CallDeadline}.", e);
        }
    }

    // A refresh comes before a client finds the answer due; and whoever has one that is not wanted any more wants a newer one.
    private bool IsCurrent(SignedResponse response, CertificateQuestion question, IssuerPolicy policy) =>
        !(response.ProducedAt <= question.NewerThan) && !runs.IsMeant(key.Issuer, response.ProducedAt, clock.GetUtcNow())
        && (question.DueBy is { } dueBy ? AnswerTimes.Of(policy, key.Serial, response).DueAt > dueBy : clock.GetUtcNow() < response.RefreshAt);

    // Of all who want an answer of a form at a time one signs: the refresh, gateways whose entry is due, and gateways that have none. The flight is nobody's request: it goes on when the
    // first who asked has given up.
    private Task<SigningResult> SignOnce(Form form, NamedIssuer issuer, CertId certId, CertificateAnswer answer, CertificateQuestion question, out bool isMine)
    {
        TaskCompletionSource<SigningResult> mine = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Task<SigningResult> joined = _signing.GetOrAdd(form, mine.Task);
        isMine = ReferenceEquals(joined, mine.Task);
        if (isMine)
        {
            _ = SignAsync(form, mine, issuer, new AnsweredCertId(certId, answer), question);
        }

        return joined;
    }

    private async Task SignAsync(Form form, TaskCompletionSource<SigningResult> landing, NamedIssuer issuer, AnsweredCertId answered, CertificateQuestion question)
    {
        try
        {
            SigningResult result = await RestoreAsync(form, issuer, answered, question).ConfigureAwait(false)
                ?? await factory.CreateAsync(issuer, [answered], nonce: null, form.Preferred, CancellationToken.None).ConfigureAwait(false);
            if (result.Response is SignedResponse signed && Keep(new Kept(form, signed, result.Credential!))) // who comes when the flight is over finds it
            {
                keptAnswers.Keep(issuer, key, question.CertId, form.Status, signed, result.Credential!, isDefault: form.Preferred is null);
            }

            _signing.TryRemove(form, out _);
            landing.SetResult(result);
        }
#pragma warning disable CA1031 // It is thrown where the flight is awaited.
        catch (Exception e)
#pragma warning restore CA1031
        {
            _signing.TryRemove(form, out _);
            landing.SetException(e);
            _ = landing.Task.Exception; // looked at, if nobody else does
        }
    }

    // What an activation before has signed, here or in a silo that is gone. Only where this one has nothing from this status.
    private async Task<SigningResult?> RestoreAsync(Form form, NamedIssuer issuer, AnsweredCertId answered, CertificateQuestion question)
    {
        if (Find(form, form.Status, answered.Answer) is not null
            || await keptAnswers.FindAsync(issuer, answered, form.Preferred, form.Status).ConfigureAwait(false) is not var (response, credential))
        {
            return null;
        }

        Keep(new Kept(form, response, credential));
        return IsCurrent(response, question, issuer.Issuer.Policy) ? SigningResult.Signed(response, credential) : null;
    }

    // What was signed from this very status; for a certificate that has ended since, only what has an archive cutoff.
    private Kept? Find(Form form, CertificateStatus status, CertificateAnswer answer)
    {
        lock (_lock)
        {
            return _kept.Find(kept => kept.Form == form && (answer.ArchiveRetention is null || kept.Response.ProducedAt > status.NotAfter));
        }
    }

    // False when it is here already.
    private bool Keep(Kept made)
    {
        lock (_lock)
        {
            if (_kept.Exists(kept => ReferenceEquals(kept.Response, made.Response)))
            {
                return false;
            }

            _kept.RemoveAll(kept => kept.Form.CertId == made.Form.CertId && ReferenceEquals(kept.Form.Preferred, made.Form.Preferred));
            if (_kept.Count == MaxForms)
            {
                _kept.RemoveAt(0);
            }

            _kept.Add(made);
            return true;
        }
    }

    private static CertificateReply Reply(StatusReply found, Kept kept) =>
        new(found.Status, found.AsOf, kept.Response, CredentialNames.Of(kept.Credential), SigningFailure.None, "");

    private static string? CredentialNameOf(SigningResult result) => result.Credential is null ? null : CredentialNames.Of(result.Credential);

    private sealed record Loaded(long Version, CertificateStatus? Status);

    /// <summary>What tells answers apart: the CertID's bytes, who was to sign, and the status that it says.</summary>
    private sealed record Form(string CertId, SigningCredential? Preferred, CertificateStatus Status);

    private sealed record Kept(Form Form, SignedResponse Response, SigningCredential Credential);
}
