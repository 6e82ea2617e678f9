using System.Security.Cryptography;
using System.Text;
using OcspCluster.Protocol;

namespace OcspCluster.Client;

/// <summary>Learns statuses from OCSP responders: one after the other, and from each by one CertID hash after the other. Thread-safe.</summary>
internal sealed class OcspSource(OcspClientOptions options, OcspTransport transport, ResponseJudge judge)
{
    private readonly TimeProvider _clock = options.Verification.Clock;

    /// <summary>The first that is good or revoked; else the first unknown; else null, and the run says why.</summary>
    public async Task<Finding?> AskAsync(Subject subject, CheckRun run)
    {
        bool areGiven = options.Responders.Count > 0;
        Uri[] responders = [.. (areGiven ? options.Responders : subject.Addresses.Responders).Take(options.Limits.MaxUris)];
        if (responders.Length == 0)
        {
            run.Fail(RevocationSource.Ocsp, RevocationFailure.NoSource, "The certificate names no OCSP responder.");
        }

        Finding? unknown = null;
        foreach (Uri responder in responders)
        {
            foreach (CertIdHash hash in options.CertIdHashes)
            {
                (Finding? finding, bool mayKnowAnotherHash) = await AskAsync(subject, responder, areGiven, hash, run).ConfigureAwait(false);
                if (finding is { Status: not RevocationStatus.Unknown })
                {
                    return finding;
                }

                unknown ??= finding;
                if (!mayKnowAnotherHash)
                {
                    break;
                }
            }
        }

        return unknown;
    }

    private async Task<(Finding? Finding, bool MayKnowAnotherHash)> AskAsync(Subject subject, Uri responder, bool isGiven, CertIdHash hash, CheckRun run)
    {
        CertId asked = CertId.Create(subject.Issuer, subject.SerialNumber, hash);
        ResponseStore? store = options.Nonce == NonceUse.None && options.Signing is null ? options.Store : null;
        string key = KeyOf(asked, responder);
        StoredResponse? stored = store is null ? null : await store.FindAsync(key, run.Token).ConfigureAwait(false);
        DateTimeOffset now = _clock.GetUtcNow();
        if (stored is not null && now < stored.FreshUntil && await JudgeStoredAsync(stored, asked, subject, responder, run).ConfigureAwait(false) is Finding fresh)
        {
            return (fresh, false);
        }

        bool isUsable = stored is not null && now < stored.UsableUntil;
        OcspNonce? nonce = options.Nonce == NonceUse.None ? null : OcspNonce.Create();
        OcspExchange exchange = await transport.SendAsync(Build(asked, nonce), responder, isGiven, options.Method, isUsable ? stored!.ETag : null, run.Token).ConfigureAwait(false);
        if (exchange.HttpStatus == 304 && isUsable && await JudgeStoredAsync(stored!, asked, subject, responder, run).ConfigureAwait(false) is Finding confirmed)
        {
            await KeepAsync(store!, key, stored!.Body, stored.UsableUntil, exchange.Reply with { ETag = exchange.Reply.ETag ?? stored.ETag }, run).ConfigureAwait(false);
            return (confirmed, false);
        }

        if (!exchange.IsAnswer)
        {
            RevocationFailure failure = exchange.Failure == RevocationFailure.None && exchange.HttpStatus == 200 ? RevocationFailure.AnswerRefused
                : exchange.Failure == RevocationFailure.None ? RevocationFailure.Unreachable : exchange.Failure;
            run.Add(Attempt(exchange, failure, exchange.Message) with { Outcome = failure == RevocationFailure.AnswerRefused ? OcspVerificationOutcome.Malformed : null });

            // Nobody answers, but what was answered before still holds (RFC 6960 §2.4).
            return (isUsable && failure == RevocationFailure.Unreachable ? await JudgeStoredAsync(stored!, asked, subject, responder, run).ConfigureAwait(false) : null, false);
        }

        OcspVerificationResult result = await judge.JudgeAsync(exchange.Body, asked, subject, nonce, run).ConfigureAwait(false);
        run.Add(Attempt(exchange, ResponseJudge.FailureOf(result.Outcome), result.Message) with { Outcome = result.Outcome, ResponderError = result.ResponderError });
        if (!result.IsVerified)
        {
            bool mayKnowAnotherHash = result.ResponderError is OcspResponseStatus.Unauthorized or OcspResponseStatus.MalformedRequest
                || result.Outcome == OcspVerificationOutcome.CertIdNotAnswered;
            return (isUsable && result.ResponderError is OcspResponseStatus.TryLater or OcspResponseStatus.InternalError && stored is not null
                ? await JudgeStoredAsync(stored, asked, subject, responder, run).ConfigureAwait(false)
                : null, mayKnowAnotherHash);
        }

        Finding finding = Finding.Of(result, judge.EvidenceOf(result, RevocationSource.Ocsp, exchange.Body, asked, nonce) with { Uri = responder, Request = exchange.Request.Encoded });
        if (store is not null && finding.Status != RevocationStatus.Unknown && result.Answer.NextUpdate is DateTimeOffset nextUpdate)
        {
            await KeepAsync(store, key, exchange.Body, nextUpdate, exchange.Reply, run).ConfigureAwait(false);
        }

        return (finding, finding.Status == RevocationStatus.Unknown);
    }

    private async Task<Finding?> JudgeStoredAsync(StoredResponse stored, CertId asked, Subject subject, Uri responder, CheckRun run)
    {
        long start = run.Start();
        OcspVerificationResult result = await judge.JudgeAsync(stored.Body, asked, subject, nonce: null, run).ConfigureAwait(false);
        if (!result.IsVerified)
        {
            return null; // a store is nobody's word: asking tells
        }

        run.Add(new RevocationAttempt
        {
            Source = RevocationSource.Ocsp,
            Uri = responder,
            FromStore = true,
            Message = result.Message,
            Outcome = result.Outcome,
            Elapsed = run.Since(start),
        });
        return Finding.Of(result, judge.EvidenceOf(result, RevocationSource.Ocsp, stored.Body, asked, nonce: null) with { Uri = responder, FromStore = true });
    }

    private async Task KeepAsync(ResponseStore store, string key, ReadOnlyMemory<byte> body, DateTimeOffset nextUpdate, HttpReply reply, CheckRun run)
    {
        if (reply.IsStorable)
        {
            await store.SaveAsync(key, Freshness.Entry(body, nextUpdate, reply, _clock.GetUtcNow()), run.Token).ConfigureAwait(false);
        }
    }

    private OcspRequest Build(CertId asked, OcspNonce? nonce)
    {
        OcspRequestBuilder builder = new OcspRequestBuilder { RequestorName = options.Signing?.RequestorName }.Add(asked);
        if (nonce is not null)
        {
            builder.AddNonce(nonce);
        }

        return options.Signing is RequestSigning signing ? builder.Sign(signing.Signer, signing.Certificates) : builder.Build();
    }

    private static RevocationAttempt Attempt(OcspExchange exchange, RevocationFailure failure, string message) => new()
    {
        Source = RevocationSource.Ocsp,
        Uri = exchange.Responder,
        Method = exchange.Method,
        Failure = failure,
        Message = message,
        HttpStatus = exchange.HttpStatus == 0 ? null : exchange.HttpStatus,
        Elapsed = exchange.Elapsed,
    };

    private static string KeyOf(CertId asked, Uri responder) =>
        Convert.ToHexString(SHA256.HashData([.. "ocsp "u8, .. Encoding.UTF8.GetBytes(responder.AbsoluteUri), 0, .. asked.Encoded.Span]));
}
