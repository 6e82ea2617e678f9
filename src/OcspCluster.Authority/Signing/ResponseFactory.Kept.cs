using OcspCluster.Protocol;

namespace OcspCluster.Authority;

public sealed partial class ResponseFactory
{
    /// <summary>
    /// Takes an answer that was kept for one that may be given: when it says what is to be said, by whom it was signed still signs, and it verifies and lies within its times.
    /// That its status is still the one it was made from, the caller sees by <see cref="KeptResponse.Position"/>.
    /// </summary>
    /// <param name="issuer">Whose certificate is answered for, and the name by which it was asked.</param>
    /// <param name="answered">What is to be said of it now.</param>
    /// <param name="kept">The answer that was kept.</param>
    /// <returns>The answer and who signed it; null when it may not be given.</returns>
    public (SignedResponse Response, SigningCredential Credential)? Restore(NamedIssuer issuer, AnsweredCertId answered, KeptResponse kept)
    {
        ArgumentNullException.ThrowIfNull(kept);
        DateTimeOffset now = clock.GetUtcNow();
        if (guard is not null && guard.State != ClockState.Sound)
        {
            return null; // whether it has ended, such a clock cannot tell
        }

        // The answer for a certificate that has ended has an archive cutoff of the moment: it is signed for who asks.
        if (answered.Answer.ArchiveRetention is not null || now > kept.NextUpdate || !kept.CertId.Span.SequenceEqual(answered.CertId.Encoded.Span)
            || FindInUse(issuer, kept) is not SigningCredential credential
            || !OcspResponse.TryDecode(kept.Encoded, out OcspResponse? response, out _)
            || response.Basic?.Data is not { Responses: [{ NextUpdate: DateTimeOffset nextUpdate } single] } data
            || now > nextUpdate
            || !response.Basic.Certificates.Select(certificate => Digest.Of(certificate.Span)).SequenceEqual(issuer.Issuer.IsOwnKey(credential) ? [] : [credential.Fingerprint]))
        {
            return null;
        }

        // Another policy since: its answers are not longer valid than it says.
        IssuerPolicy policy = issuer.Issuer.Policy;
        if (single.ThisUpdate > nextUpdate || nextUpdate - single.ThisUpdate >= policy.Validity || data.ResponderId.IsByKey != (policy.ResponderId == ResponderIdForm.ByKey))
        {
            return null;
        }

        Times times = new(data.ProducedAt, single.ThisUpdate, nextUpdate, RefreshAt(policy, single.ThisUpdate, nextUpdate, answered.Answer.ChangesAt));
        ResponseData meant = new(data.ResponderId, data.ProducedAt, [ToSingleResponse(answered, times)], ToResponseExtensions([answered], nonce: null));
        return new ResponseRules(credential, issuer.Certificate, VerifiesSignature: true).FindError(kept.Encoded, meant, now) is null
            ? (new SignedResponse(kept.Encoded, data.ProducedAt, single.ThisUpdate, nextUpdate, times.RefreshAt, policy.MaxAge, KindOf([answered])), credential)
            : null;
    }

    // Who signed it, if they still sign for this name of the issuer.
    private static SigningCredential? FindInUse(NamedIssuer issuer, KeptResponse kept)
    {
        foreach (SigningCredential credential in issuer.Issuer.CredentialsFor(issuer.Certificate))
        {
            if (credential.Fingerprint == kept.Credential)
            {
                return credential;
            }
        }

        return null;
    }

    private static DateTimeOffset RefreshAt(IssuerPolicy policy, DateTimeOffset thisUpdate, DateTimeOffset nextUpdate, DateTimeOffset? changesAt) => Earliest(
        RefreshRules.DueOnDemandAt(policy, thisUpdate, nextUpdate), nextUpdate, changesAt is DateTimeOffset change ? change + TimeSpan.FromSeconds(1) : nextUpdate);
}
