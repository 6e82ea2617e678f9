using System.Security.Cryptography.X509Certificates;

namespace OcspCluster.Authority;

/// <summary>What must hold of an issuer before it is served: found at start, not by the relying parties.</summary>
public static class IssuerRules
{
    /// <summary>Everything that cannot work, each in a sentence that names what is wrong; empty when the issuer can be served.</summary>
    public static IReadOnlyList<string> FindErrors(Issuer issuer, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(issuer);
        List<string> errors = [.. issuer.Policy.FindErrors()];
        byte[] key = issuer.Certificates[0].PublicKey.EncodedKeyValue.RawData;
        foreach (X509Certificate2 certificate in issuer.Certificates)
        {
            if (!certificate.PublicKey.EncodedKeyValue.RawData.AsSpan().SequenceEqual(key))
            {
                errors.Add($"the certificates '{issuer.Certificates[0].Subject}' and '{certificate.Subject}' have different keys: make them two issuers");
            }
        }

        if (issuer.Policy.SignedRequests != SignedRequestPolicy.Ignore && issuer.Requestors.Count == 0)
        {
            errors.Add($"SignedRequests is {issuer.Policy.SignedRequests}, but no Requestors are given: every signed request would be refused");
        }

        foreach (SigningCredential credential in issuer.Credentials)
        {
            errors.AddRange(FindCredentialErrors(issuer, credential, now));
        }

        return errors;
    }

    private static IEnumerable<string> FindCredentialErrors(Issuer issuer, SigningCredential credential, DateTimeOffset now)
    {
        string name = $"the responder certificate '{credential.Certificate.Subject}'";
        if (now < credential.NotBefore || now > credential.NotAfter)
        {
            yield return $"{name} is valid from {credential.NotBefore:u} to {credential.NotAfter:u}, and it is {now:u}";
        }
        else if (now + issuer.Policy.Validity > credential.NotAfter)
        {
            yield return $"Validity is {issuer.Policy.Validity}, but {name} ends at {credential.NotAfter:u}: the nextUpdate of an answer signed now would be beyond it";
        }
    }
}
