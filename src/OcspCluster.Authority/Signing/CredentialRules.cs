using OcspCluster.Protocol;

namespace OcspCluster.Authority;

/// <summary>Which of an issuer's credentials signs. Pure, but for the state of the signers that it is given.</summary>
internal static class CredentialRules
{
    /// <summary>
    /// What the client would like best of what we have (RFC 6960 §4.4.7.2.1): the first of its preferences that a credential meets which is valid now. Weak algorithms meet none.
    /// </summary>
    /// <returns>The credential; null when no preference is met, or there is no choice: then the default signs.</returns>
    public static SigningCredential? FindPreferred(IReadOnlyList<SigningCredential> credentials, IReadOnlyList<PreferredSignatureAlgorithm> preferences, DateTimeOffset now)
    {
        if (credentials.Count == 1)
        {
            return null;
        }

        foreach (PreferredSignatureAlgorithm preference in preferences)
        {
            foreach (SigningCredential credential in credentials)
            {
                if (credential.IsValidAt(now) && preference.IsMetBy(credential.Signer.Algorithm, credential.PublicKey.Key))
                {
                    return credential;
                }
            }
        }

        return null;
    }

    /// <summary>The first credential that is valid now and whose signer would be tried; where none would, the first that is valid; null when none is.</summary>
    public static SigningCredential? FindDefault(IReadOnlyList<SigningCredential> credentials, DateTimeOffset now, Func<SigningCredential, bool> wouldTry)
    {
        SigningCredential? valid = null;
        foreach (SigningCredential credential in credentials)
        {
            if (credential.IsValidAt(now))
            {
                if (wouldTry(credential))
                {
                    return credential;
                }

                valid ??= credential;
            }
        }

        return valid;
    }
}
