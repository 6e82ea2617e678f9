using System.Security.Cryptography.X509Certificates;
using OcspCluster.Protocol;

namespace OcspCluster.Authority;

/// <summary>Which of an issuer's credentials signs. Pure, but for the state of the signers that it is given.</summary>
public static class CredentialRules
{
    /// <summary>How long before its end a certificate that nobody takes over from is warned of.</summary>
    public static readonly TimeSpan WarnAhead = TimeSpan.FromDays(30);

    /// <summary>
    /// What the client would like best of what we have (RFC 6960 §4.4.7.2.1): the first of its preferences that a credential meets which is valid now, and of several that
    /// meet it one that can sign for the full validity. Weak algorithms meet none.
    /// </summary>
    /// <returns>The credential; null when no preference is met, or there is no choice: then the default signs.</returns>
    public static SigningCredential? FindPreferred(
        IReadOnlyList<SigningCredential> credentials, IReadOnlyList<PreferredSignatureAlgorithm> preferences, DateTimeOffset now, TimeSpan validity = default)
    {
        if (credentials.Count == 1)
        {
            return null;
        }

        foreach (PreferredSignatureAlgorithm preference in preferences)
        {
            if (Best(credentials, now, validity, credential => preference.IsMetBy(credential.Signer.Algorithm, credential.PublicKey.Key)) is SigningCredential preferred)
            {
                return preferred;
            }
        }

        return null;
    }

    /// <summary>
    /// Who signs for clients that prefer nothing: the first that is valid now, whose signer would be tried, and whose certificate lasts for the full validity, so that of two
    /// with overlapping validity the next one takes over before the first would have to sign answers cut short. Where none lasts so long, the one that lasts longest; where no
    /// signer would be tried, the same among those that would not; null when none is valid.
    /// </summary>
    public static SigningCredential? FindDefault(
        IReadOnlyList<SigningCredential> credentials, DateTimeOffset now, Func<SigningCredential, bool> wouldTry, TimeSpan validity = default) =>
        Best(credentials, now, validity, wouldTry) ?? Best(credentials, now, validity, static _ => true);

    /// <summary>Whether a certificate lasts for an answer of full validity that is signed now.</summary>
    public static bool Covers(SigningCredential credential, DateTimeOffset now, TimeSpan validity) => credential.NotAfter - now >= validity - TimeSpan.FromSeconds(1);

    /// <summary>Until when answers of full validity can be signed without a gap, by the credentials one after the other; null when none can be signed now.</summary>
    public static DateTimeOffset? CoveredUntil(IReadOnlyList<SigningCredential> credentials, DateTimeOffset now, TimeSpan validity)
    {
        DateTimeOffset at = now;
        DateTimeOffset? until = null;
        while (credentials.Where(credential => credential.IsValidAt(at) && Covers(credential, at, validity)).Select(credential => credential.NotAfter - validity).DefaultIfEmpty(at).Max() is DateTimeOffset next
            && next > at)
        {
            until = at = next;
        }

        return until;
    }

    /// <summary>What ends soon and is not taken over from, in sentences; empty when nothing does within 30 days.</summary>
    public static IEnumerable<string> FindWarnings(Issuer issuer, DateTimeOffset now)
    {
        TimeSpan validity = issuer.Policy.Validity;
        foreach (SigningCredential credential in issuer.Credentials.Where(credential => !credential.IsValidAt(now) && now > credential.NotAfter))
        {
            yield return $"the responder certificate '{credential.Certificate.Subject}' ended at {credential.NotAfter:u}: take it out";
        }

        DateTimeOffset? until = CoveredUntil(issuer.Credentials, now, validity);
        if (until is null)
        {
            yield return issuer.Credentials.Any(credential => credential.IsValidAt(now))
                ? $"no responder certificate lasts for the validity of {validity}: answers are cut short, until {issuer.Credentials.Max(credential => credential.NotAfter):u}; renew it now"
                : $"no responder certificate is valid at {now:u}: nothing can be signed, renew it now";
        }
        else if (until - now < WarnAhead)
        {
            yield return $"after {until:u}, in {(until.Value - now).TotalDays:F0} days, no responder certificate lasts for the validity of {validity}: renew it";
        }

        foreach (X509Certificate2 certificate in issuer.Certificates)
        {
            TimeSpan left = certificate.NotAfter.ToUniversalTime() - now.UtcDateTime;
            if (left < WarnAhead)
            {
                yield return $"the issuer certificate '{certificate.Subject}' ends at {(DateTimeOffset)certificate.NotAfter.ToUniversalTime():u}, in {left.TotalDays:F0} days";
            }
        }
    }

    private static SigningCredential? Best(IReadOnlyList<SigningCredential> credentials, DateTimeOffset now, TimeSpan validity, Func<SigningCredential, bool> isEligible)
    {
        SigningCredential? longest = null;
        foreach (SigningCredential credential in credentials)
        {
            if (!credential.IsValidAt(now) || !isEligible(credential))
            {
                continue;
            }

            if (Covers(credential, now, validity))
            {
                return credential;
            }

            longest = longest is null || credential.NotAfter > longest.NotAfter ? credential : longest;
        }

        return longest;
    }
}
