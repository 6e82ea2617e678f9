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

/// <summary>The status of a certificate that is to be signed anew.</summary>
/// <param name="Version">Of the serial's stripe, taken before the status was read: what was signed from a status that is older than a publication is not stored.</param>
/// <param name="ReadAt">When it was asked for, by the monotonic clock.</param>
/// <param name="Finding">What was found.</param>
internal readonly record struct StatusReading(long Version, long ReadAt, CertificateFinding Finding);

/// <summary>The statuses of several certificates that are to be signed anew, in their order; of none where they could not be read together.</summary>
internal readonly record struct StatusLot(long[] Versions, long ReadAt, IReadOnlyList<CertificateStatus?>? Statuses)
{
    /// <summary>That of one of them; null when it is to be read by itself.</summary>
    public StatusReading? At(int index) => Statuses is { } statuses ? new StatusReading(Versions[index], ReadAt, new CertificateFinding(statuses[index])) : null;
}

public sealed partial class OcspResponder
{
    /// <summary>Reads the statuses of certificates of one issuer together. What cannot be read so is left to be read one by one: one damaged row must not hold up the others.</summary>
    internal async ValueTask<StatusLot> ReadStatusesAsync(Issuer issuer, IReadOnlyList<CertId> certIds, CancellationToken cancellationToken)
    {
        long readAt = _clock.GetTimestamp();
        if (certIds.Count < 2 || _answers.AreMadeByActors)
        {
            return new StatusLot([], readAt, Statuses: null);
        }

        SerialNumber[] serials = [.. certIds.Select(certId => certId.SerialNumber)];
        long[] versions = [.. serials.Select(serial => _cache.VersionOf(issuer.Id, serial))]; // before the statuses are read
        try
        {
            IReadOnlyList<CertificateStatus?> statuses = await _answers.FindStatusesAsync(issuer.Id, serials, cancellationToken).ConfigureAwait(false);
            return new StatusLot(versions, readAt, statuses.Count == serials.Length ? statuses : null);
        }
#pragma warning disable CA1031 // Whatever a status source throws: it is asked again for each of them, and what it throws then is told.
        catch (Exception) when (!cancellationToken.IsCancellationRequested)
#pragma warning restore CA1031
        {
            return new StatusLot(versions, readAt, Statuses: null);
        }
    }

    /// <summary>Signs a newer answer into the cache before a client asks for it; the one that is there goes on meanwhile, and when it fails.</summary>
    /// <param name="certId">The CertID.</param>
    /// <param name="read">Its status, where it was read already.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    internal async ValueTask<RefreshResult> RefreshAsync(CertId certId, StatusReading? read, CancellationToken cancellationToken)
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

            return await RefreshAsync(issuer.Value, certId, read, cancellationToken).ConfigureAwait(false);
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

    private async ValueTask<RefreshResult> RefreshAsync(NamedIssuer issuer, CertId certId, StatusReading? read, CancellationToken cancellationToken)
    {
        IssuerId id = issuer.Issuer.Id;
        for (int attempt = 0; attempt < MaxAttempts; attempt++)
        {
            (long version, long readAt, CertificateFinding found) = attempt == 0 && read is { } before ? before : await ReadStatusAsync(issuer, certId, cancellationToken).ConfigureAwait(false);
            CertificateStatus? status = found.Status;
            if (status is null || AnswerRules.Decide(issuer.Issuer.Policy, status, _clock.GetUtcNow()) is not CertificateAnswer answer)
            {
                return new RefreshResult(RefreshOutcome.NotNeeded);
            }

            // In one flight with clients that ask for it now: they all get what is signed once.
            Miss miss = new(issuer, certId, Preferred: null, version, status, answer, found.Made) { HeldUntil = HeldUntil(status, readAt), IsAsked = false };
            Task<SigningFlight> joined = _flights.JoinAsync(miss.Key, () => SignAsync(miss));
            SigningFlight flight = joined.IsCompletedSuccessfully ? joined.Result : await joined.WaitAsync(cancellationToken).ConfigureAwait(false);
            if (flight.Failure is not null)
            {
                return new RefreshResult(RefreshOutcome.SignerUnavailable);
            }

            if (flight.Cached is { } cached && (cached.HeldUntil >= miss.HeldUntil || _cache.Hold(id, certId.SerialNumber, version, cached, miss.HeldUntil)))
            {
                if (cached.WasAsked)
                {
                    cached.WasAsked = false;
                }

                return new RefreshResult(RefreshOutcome.Signed, cached.Response);
            }
        }

        return new RefreshResult(RefreshOutcome.Failed);
    }

    private async ValueTask<StatusReading> ReadStatusAsync(NamedIssuer issuer, CertId certId, CancellationToken cancellationToken)
    {
        IssuerId id = issuer.Issuer.Id;
        long version = _cache.VersionOf(id, certId.SerialNumber); // before the status is read
        long readAt = _clock.GetTimestamp();
        DateTimeOffset? newerThan = _answers.AreMadeByActors ? _cache.Peek(id, certId.SerialNumber, certId.Encoded.Span)?.Response.ProducedAt : null;
        return new StatusReading(version, readAt, await _answers.FindAsync(issuer, certId, preferred: null, newerThan, cancellationToken).ConfigureAwait(false));
    }
}
