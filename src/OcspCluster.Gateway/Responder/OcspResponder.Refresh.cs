using OcspCluster.Authority;
using OcspCluster.Protocol;

namespace OcspCluster.Gateway;

/// <summary>What became of an attempt to sign an answer that nobody waits for.</summary>
internal enum RefreshOutcome
{
    /// <summary>A newer answer is in the cache.</summary>
    Signed,

    /// <summary>There is nothing to be said of the certificate any more, or nothing that is kept.</summary>
    NotNeeded,

    /// <summary>Nobody could sign, or has no time now; it would be the same with the next certificate.</summary>
    SignerUnavailable,

    /// <summary>The status could not be read, or changed again and again.</summary>
    Failed,
}

/// <summary>What became of an attempt, and the answer that is in the cache now.</summary>
internal readonly record struct RefreshResult(RefreshOutcome Outcome, SignedResponse? Response = null);

public sealed partial class OcspResponder
{
    /// <summary>Signs a newer answer into the cache before a client asks for it; the one that is there goes on meanwhile, and when it fails.</summary>
    internal async ValueTask<RefreshResult> RefreshAsync(CertId certId, CancellationToken cancellationToken)
    {
        if (!_directory.TryFind(certId, out NamedIssuer? issuer))
        {
            return new RefreshResult(RefreshOutcome.NotNeeded);
        }

        CachedResponse? before = _cache.Peek(issuer.Value.Issuer.Id, certId.SerialNumber, certId.Encoded.Span);
        bool wasAsked = before?.WasAsked == true;
        bool wasMadeDue = before?.IsMadeDue == true;
        try
        {
            if (before is not null)
            {
                before.IsMadeDue = true;
            }

            return await RefreshAsync(issuer.Value, certId, cancellationToken).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // Whatever a status source throws, the scheduler goes on with other certificates.
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
#pragma warning restore CA1031
        {
            LogFault(e.Message, e);
            return new RefreshResult(RefreshOutcome.Failed);
        }
        finally
        {
            if (before is not null)
            {
                before.IsMadeDue = wasMadeDue;
                before.WasAsked = wasAsked; // by clients, not by us
            }
        }
    }

    private async ValueTask<RefreshResult> RefreshAsync(NamedIssuer issuer, CertId certId, CancellationToken cancellationToken)
    {
        IssuerId id = issuer.Issuer.Id;
        for (int attempt = 0; attempt < MaxAttempts; attempt++)
        {
            long version = _cache.VersionOf(id, certId.SerialNumber); // before the status is read
            DateTimeOffset? newerThan = _cache.Peek(id, certId.SerialNumber, certId.Encoded.Span)?.Response.ProducedAt;
            CertificateFinding found = await _answers.FindAsync(issuer, certId, preferred: null, newerThan, cancellationToken).ConfigureAwait(false);
            CertificateStatus? status = found.Status;
            if (status is null || AnswerRules.Decide(issuer.Issuer.Policy, status, _clock.GetUtcNow()) is not CertificateAnswer answer)
            {
                return new RefreshResult(RefreshOutcome.NotNeeded);
            }

            // In one flight with clients that ask for it now: they all get what is signed once.
            Miss miss = new(issuer, certId, Preferred: null, version, status, answer, found.Made);
            SigningFlight flight = await _flights.JoinAsync(miss.Key, () => SignAsync(miss)).WaitAsync(cancellationToken).ConfigureAwait(false);
            if (flight.Failure is not null)
            {
                return new RefreshResult(RefreshOutcome.SignerUnavailable);
            }

            if (flight.Cached is not null && _cache.Hold(id, certId.SerialNumber, version, flight.Cached, HeldUntil(status)))
            {
                flight.Cached.WasAsked = false;
                return new RefreshResult(RefreshOutcome.Signed, flight.Cached.Response);
            }
        }

        return new RefreshResult(RefreshOutcome.Failed);
    }
}
