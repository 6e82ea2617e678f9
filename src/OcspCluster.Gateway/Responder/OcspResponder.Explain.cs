using OcspCluster.Authority;
using OcspCluster.Protocol;

namespace OcspCluster.Gateway;

public sealed partial class OcspResponder
{
    /// <summary>
    /// Tells what a request for one certificate would be answered now, and why. It goes the way of the request (<see cref="AnswerAsync(ReadOnlyMemory{byte}, CancellationToken)"/>) and
    /// stops before each thing that would change something: nothing is signed, stored, or counted as asked for.
    /// </summary>
    internal async ValueTask<Explanation> ExplainAsync(NamedIssuer issuer, CertId certId, bool hasNonce, CancellationToken cancellationToken)
    {
        IssuerPolicy policy = issuer.Issuer.Policy;
        CachedResponse? cached = _cache.Peek(issuer.Issuer.Id, certId.SerialNumber, certId.Encoded.Span);
        Explaining way = new(issuer, certId, cached, _clock.GetUtcNow());
        if (policy.SignedRequests == SignedRequestPolicy.Require)
        {
            way.Say("The issuer answers signed requests only (SignedRequests is Require): this is for one whose signature is trusted; others hear sigRequired.");
        }

        if (!hasNonce && policy.Nonce == NoncePolicy.Require)
        {
            return way.End(AnswerName.Unauthorized, ExplainedSource.Refused, "The issuer requires a nonce (Nonce is Require), and the request has none.");
        }

        bool isForOneRequest = hasNonce && policy.Nonce != NoncePolicy.Ignore;
        if (hasNonce && !isForOneRequest)
        {
            way.Say("The nonce is passed over (Nonce is Ignore): the answer comes without it.");
        }

        if (!isForOneRequest && cached is not null && !cached.IsDue(way.Now) && MayBeGiven(cached, issuer.Issuer))
        {
            way.Status = cached.Status;
            way.SayStatus();
            return way.EndWithCached(ExplainedSource.Cache, "This node's cache has an answer that is not due for renewal, and nothing was acknowledged that it does not know of.");
        }

        try
        {
            way.Status = (await _answers.FindStatusesAsync(issuer.Issuer.Id, [certId.SerialNumber], cancellationToken).ConfigureAwait(false))[0];
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            way.Say($"The status cannot be read now: {e.Message}");
            return cached is not null && !isForOneRequest && way.Now <= cached.Response.NextUpdate && (cached.IsRevoked || MayBeGiven(cached, issuer.Issuer))
                ? way.EndWithCached(ExplainedSource.Cache, "The answer in this node's cache may be given without it.")
                : way.End(AnswerName.TryLater, ExplainedSource.Failed, "Nothing at hand may be given without it.");
        }

        way.SayStatus();
        if (AnswerRules.Decide(policy, way.Status, way.Now) is not CertificateAnswer answer)
        {
            return way.End(AnswerName.Unauthorized, ExplainedSource.Refused, way.Status is null
                ? "The issuer's inventory is known (Inventory is Known), and what it never issued is answered unauthorized (Unissued is Unauthorized)."
                : $"It ended at {way.Status.NotAfter:u}, and the issuer answers for {policy.ExpiredRetention} longer only (ExpiredRetention).");
        }

        way.SayAnswer(answer);
        return isForOneRequest
            ? ExplainSigning(way, answer, "The request has a nonce, so an answer is signed for it alone, within the budget of Ocsp:NonceSignaturesPerSecond.")
            : way.Status is null && policy.Inventory == Inventory.Known
                ? ExplainSigning(way, answer, "What was never issued is answered anew each time, within the budget of Ocsp:UnissuedSignaturesPerSecond.")
                : await ExplainMissAsync(way, answer).ConfigureAwait(false);
    }

    private async ValueTask<Explanation> ExplainMissAsync(Explaining way, CertificateAnswer answer)
    {
        CachedResponse? kept = way.Cached is null && _kept is not null
            ? await _kept.PeekAsync(way.Issuer, new AnsweredCertId(way.CertId, answer), way.Status).ConfigureAwait(false)
            : null;
        CachedResponse? present = way.Cached ?? kept;
        ExplainedSource source = way.Cached is null ? ExplainedSource.Kept : ExplainedSource.Cache;
        way.Cached = present;
        string place = source == ExplainedSource.Cache ? "this node's cache" : "the store of kept answers";
        bool isRight = present is not null && SaysTheSame(present, way.Status, answer) && way.Now <= present.Response.NextUpdate;
        if (isRight && !present!.IsDue(way.Now))
        {
            return way.EndWithCached(source, $"The answer in {place} says what the status says, and is not due for renewal.");
        }

        way.Say(present is null ? "There is no answer at hand for this form of the CertID."
            : isRight ? $"The answer in {place} is right and due for renewal since {present.Response.RefreshAt:u}{(present.IsMadeDue ? ", or made due by an operator" : "")}; it is given where no newer one can be signed at once."
            : way.Now > present.Response.NextUpdate ? $"The answer in {place} ended at {present.Response.NextUpdate:u}."
            : $"The answer in {place} was made from an older status (position {present.Position}).");
        Explanation signing = ExplainSigning(way, answer, "A new one is signed and kept in the cache.");
        return isRight && signing.Source == ExplainedSource.Failed ? way.EndWithCached(source, "So the one at hand is given on, until its nextUpdate.") : signing;
    }

    private Explanation ExplainSigning(Explaining way, CertificateAnswer answer, string reason)
    {
        way.Say(reason);
        if (_answers.AreMadeByActors)
        {
            way.Signer = _factory.FindDefault(way.Issuer);
            return way.End(AnswerName.Of(answer.Status), ExplainedSource.Actor, "In the cluster that is for the certificate's actor, or for another silo that has the key; what it keeps itself is not asked here.");
        }

        if (_factory.FindObstacle(way.Issuer) is SigningResult obstacle)
        {
            return way.End(AnswerName.Of(obstacle.Failure), ExplainedSource.Failed, $"Nothing can be signed now: {obstacle.Reason}");
        }

        SigningCredential credential = _factory.FindDefault(way.Issuer)!;
        SignerState signer = _factory.StateOf(credential);
        if (signer.IsFailing)
        {
            return way.End(AnswerName.TryLater, ExplainedSource.Failed, $"Nothing can be signed now: {_factory.LastFailureOf(credential)?.Reason}");
        }

        if (signer.Waiting > 0)
        {
            way.Say($"{signer.Waiting} signatures wait for the key of '{credential.Certificate.Subject}' already.");
        }

        way.Signer = credential;
        return way.End(AnswerName.Of(answer.Status), ExplainedSource.Signed);
    }

    /// <summary>The way of one request, as far as it has gone.</summary>
    private sealed class Explaining(NamedIssuer issuer, CertId certId, CachedResponse? cached, DateTimeOffset now)
    {
        private readonly List<string> _because = [];

        public NamedIssuer Issuer { get; } = issuer;

        public CertId CertId { get; } = certId;

        public DateTimeOffset Now { get; } = now;

        public CachedResponse? Cached { get; set; } = cached;

        public CertificateStatus? Status { get; set; }

        public SigningCredential? Signer { get; set; }

        public void Say(string sentence) => _because.Add(sentence);

        public void SayStatus() => Say(Status switch
        {
            null => "Nothing was recorded of this serial number.",
            { State: CertificateState.Revoked } => $"It was revoked at {Status.RevocationTime:u}{(Status.Reason is { } reason ? $" for {reason.ToName()}" : "")}{AtPosition()}.",
            { State: CertificateState.Held } => $"It is on hold since {Status.RevocationTime:u}{AtPosition()}; an answer says revoked, certificateHold.",
            _ => $"It was issued and is not revoked{AtPosition()}.",
        });

        public void SayAnswer(CertificateAnswer answer)
        {
            if (Status is null)
            {
                Say(answer.IsExtendedRevoke ? "What the issuer never issued is answered revoked since 1970, with the extended revoked definition (Unissued is Revoked)."
                    : answer.Status is CertStatus.UnknownStatus ? "What the issuer never issued is answered unknown (Unissued is Unknown)."
                    : "Only the issuer's revoked certificates are known (Inventory is Unknown), so that is good.");
            }
            else if (answer.ArchiveRetention is TimeSpan retention)
            {
                Say($"It ended at {Status.NotAfter:u}; the issuer answers for {retention} longer (ExpiredRetention), with an archive cutoff.");
            }
        }

        public Explanation EndWithCached(ExplainedSource source, string reason)
        {
            Signer = Cached!.Credential;
            CertStatus said = OcspResponse.Decode(Cached.Response.Encoded).Basic!.Data.Responses[0].Status;
            return End(AnswerName.Of(said), source, reason);
        }

        public Explanation End(string answer, ExplainedSource source, string? reason = null)
        {
            if (reason is not null)
            {
                Say(reason);
            }

            return new Explanation(answer, source, _because, Status, Signer, Cached);
        }

        private string AtPosition() => Status!.Position > 0 ? $" (position {Status.Position})" : "";
    }
}
