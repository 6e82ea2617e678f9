using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using OcspCluster.Protocol;

namespace OcspCluster.Authority;

/// <summary>What must hold of an issuer before it is served: found at start, not by the relying parties.</summary>
/// <remarks>
/// A responder certificate is judged as a relying party will judge it (RFC 6960 §4.2.2.2): issued by that very CA, meant for OCSP, valid, and
/// with the key that signs. Algorithms that a host brings itself (<see cref="OcspSigner"/>) and that are not known here are taken as they are.
/// </remarks>
public static class IssuerRules
{
    // Enough to recognise a signature; what modern relying parties refuse is a warning, for old CAs have old clients.
    private static readonly OcspSignatureVerifier s_lenient = new() { AcceptSha1 = true, MinimumModulusBits = 512 };

    // Any bytes that are no message: a signature over them is of no use to anybody.
    private static readonly byte[] s_probe = "OcspCluster asks: is this the key of that certificate?"u8.ToArray();

    /// <summary>Everything that cannot work, each in a sentence that names what is wrong; empty when the issuer can be served.</summary>
    public static IReadOnlyList<string> FindErrors(Issuer issuer, DateTimeOffset now) => Select(Find(issuer, now), IssuerFindingSeverity.Error);

    /// <summary>What works, but not for every relying party or not for long.</summary>
    public static IReadOnlyList<string> FindWarnings(Issuer issuer, DateTimeOffset now) => Select(Find(issuer, now), IssuerFindingSeverity.Warning);

    /// <summary>Everything that cannot work and everything that deserves a warning. Signs once with each credential whose key is in this process, to see that it is the certificate's.</summary>
    public static IReadOnlyList<IssuerFinding> Find(Issuer issuer, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(issuer);
        List<IssuerFinding> findings = [.. issuer.Policy.FindErrors().Select(error => new IssuerFinding(IssuerFindingSeverity.Error, error))];
        if (issuer.Policy.SignedRequests != SignedRequestPolicy.Ignore && issuer.Requestors.Count == 0)
        {
            findings.Add(new(IssuerFindingSeverity.Error, $"SignedRequests is {issuer.Policy.SignedRequests}, but no Requestors are given: every signed request would be refused"));
        }

        foreach (X509Certificate2 certificate in issuer.Certificates)
        {
            findings.AddRange(FindInIssuerCertificate(issuer, certificate, now));
        }

        // Of several credentials one may be the old one that ends, or the new one that has not begun: what counts is that one serves.
        bool isCovered = issuer.Credentials.Any(credential => FindEnd(issuer, credential, now) is null);
        foreach (SigningCredential credential in issuer.Credentials)
        {
            findings.AddRange(FindInCredential(issuer, credential));
            if (FindEnd(issuer, credential, now) is string end)
            {
                findings.Add(new(isCovered ? IssuerFindingSeverity.Warning : IssuerFindingSeverity.Error, end, credential.Certificate));
            }
        }

        return findings;
    }

    private static IReadOnlyList<string> Select(IEnumerable<IssuerFinding> findings, IssuerFindingSeverity severity) =>
        [.. findings.Where(finding => finding.Severity == severity).Select(finding => finding.Message)];

    private static IEnumerable<IssuerFinding> FindInIssuerCertificate(Issuer issuer, X509Certificate2 certificate, DateTimeOffset now)
    {
        string name = $"the issuer certificate '{certificate.Subject}'";
        if (!certificate.PublicKey.EncodedKeyValue.RawData.AsSpan().SequenceEqual(issuer.Certificates[0].PublicKey.EncodedKeyValue.RawData))
        {
            yield return Error($"the certificates '{issuer.Certificates[0].Subject}' and '{certificate.Subject}' have different keys: make them two issuers", certificate);
        }

        // A version 1 root cannot say that it is a CA; RFC 5280 §6.1.4 (k) leaves it to whoever configures it, and that is us.
        X509BasicConstraintsExtension? constraints = certificate.Extensions.OfType<X509BasicConstraintsExtension>().FirstOrDefault();
        X509KeyUsageExtension? usage = certificate.Extensions.OfType<X509KeyUsageExtension>().FirstOrDefault();
        if ((certificate.Version >= 3 || constraints is not null) && constraints is not { CertificateAuthority: true })
        {
            yield return Error($"{name} is not a CA's (basicConstraints without cA): give the certificate of the CA that issues, not of one that it issued", certificate);
        }
        else if (usage is not null && !usage.KeyUsages.HasFlag(X509KeyUsageFlags.KeyCertSign))
        {
            yield return Error($"{name} is not a CA's (keyUsage without keyCertSign): give the certificate of the CA that issues", certificate);
        }

        if (now > certificate.NotAfter.ToUniversalTime())
        {
            yield return Error($"{name} ended at {(DateTimeOffset)certificate.NotAfter.ToUniversalTime():u}, and it is {now:u}: nothing that it issued is valid any more, take it out", certificate);
        }
    }

    private static IEnumerable<IssuerFinding> FindInCredential(Issuer issuer, SigningCredential credential)
    {
        X509Certificate2 certificate = credential.Certificate;
        string name = $"the responder certificate '{certificate.Subject}'";
        if (FindInKey(credential, name) is IssuerFinding inKey)
        {
            yield return inKey;
        }

        if (CertificateFields.TryDecode(certificate.RawDataMemory) is not CertificateFields fields)
        {
            yield return Error($"{name} is not DER as RFC 5280 §4.1 has it: relying parties could not read it, have it issued again", certificate);
            yield break;
        }

        if (issuer.IsOwnKey(credential))
        {
            if (!fields.AllowsDigitalSignature())
            {
                yield return Warning($"{name} is the CA's own and its keyUsage lacks digitalSignature: some clients refuse its answers (BR 7.1.2.10.7), a delegated responder avoids that", certificate);
            }

            yield break;
        }

        foreach (IssuerFinding finding in FindInDelegate(issuer, certificate, fields, name))
        {
            yield return finding;
        }
    }

    private static IEnumerable<IssuerFinding> FindInDelegate(Issuer issuer, X509Certificate2 certificate, CertificateFields fields, string name)
    {
        if (!issuer.Certificates.Any(ca => ca.SubjectName.RawData.AsSpan().SequenceEqual(fields.Issuer.Span)))
        {
            yield return Error($"{name} was issued by '{certificate.Issuer}', not by '{issuer.Certificates[0].Subject}': a delegated responder's certificate comes directly from the issuer (RFC 6960 §4.2.2.2)", certificate);
        }
        else
        {
            switch (s_lenient.Verify(fields.SignatureAlgorithm, issuer.Certificates[0].PublicKey, fields.TbsCertificate.Span, fields.Signature.Span))
            {
                case SignatureCheck.Wrong:
                    yield return Error($"{name} bears the issuer's name, but the issuer's key did not sign it: the CA has another key of that name, or the certificate was altered", certificate);
                    break;
                case SignatureCheck.AlgorithmTooWeak:
                    yield return Error($"{name} is signed with {fields.SignatureAlgorithm}, which proves nothing: have it issued again with SHA-256", certificate);
                    break;
                case SignatureCheck.Verified when OcspSignatureVerifier.Default.Verify(fields.SignatureAlgorithm, issuer.Certificates[0].PublicKey, fields.TbsCertificate.Span, fields.Signature.Span) != SignatureCheck.Verified:
                    yield return Warning($"{name} is signed with {fields.SignatureAlgorithm} or by a short key: many clients refuse it, have it issued again with SHA-256", certificate);
                    break;
            }
        }

        if (!fields.HasOcspSigning())
        {
            yield return Error($"{name} lacks the extended key usage OCSPSigning (1.3.6.1.5.5.7.3.9): relying parties refuse its answers (RFC 6960 §4.2.2.2), have it issued with extendedKeyUsage=OCSPSigning", certificate);
        }

        if (!fields.AllowsDigitalSignature())
        {
            yield return Error($"{name} has a keyUsage without digitalSignature: its key may not sign answers (RFC 5280 §4.2.1.3)", certificate);
        }

        if (fields.FindUnknownCriticalExtension() is string oid)
        {
            yield return Error($"{name} has the critical extension {oid}, which relying parties do not understand: they refuse it (RFC 5280 §4.2)", certificate);
        }

        if (!fields.HasNoCheck())
        {
            yield return Warning($"{name} lacks id-pkix-ocsp-nocheck (RFC 6960 §4.2.2.2.1): clients may ask whether it is revoked itself, or refuse its answers", certificate);
        }
    }

    // Whether the key that signs is the certificate's, shown by signing. A remote key may hang: the self-test of ResponseFactory asks it, within a deadline.
    private static IssuerFinding? FindInKey(SigningCredential credential, string name)
    {
        if (credential.Signer.IsRemote || !credential.Signer.HasKey)
        {
            return null;
        }

        X509Certificate2 certificate = credential.Certificate;
        AlgorithmIdentifier algorithm = credential.Signer.Algorithm;
        byte[] signature;
        try
        {
            signature = credential.Signer.Sign(s_probe);
        }
        catch (CryptographicException e)
        {
            return Error($"{name} has a key that cannot sign: {e.Message}", certificate);
        }

        return s_lenient.Verify(algorithm, certificate.PublicKey, s_probe, signature) switch
        {
            SignatureCheck.Wrong => Error($"{name} and its private key do not belong together: what the key signs, the certificate does not verify", certificate),
            SignatureCheck.AlgorithmTooWeak => Error($"{name} has a key too short to prove anything: make a new one", certificate),
            SignatureCheck.Verified when OcspSignatureVerifier.Default.Verify(algorithm, certificate.PublicKey, s_probe, signature) == SignatureCheck.AlgorithmTooWeak =>
                Warning($"{name} has a key of less than {OcspSignatureVerifier.Default.MinimumModulusBits} bits: many clients refuse its answers, make a new one", certificate),
            _ => null,
        };
    }

    private static string? FindEnd(Issuer issuer, SigningCredential credential, DateTimeOffset now)
    {
        string name = $"the responder certificate '{credential.Certificate.Subject}'";
        if (now < credential.NotBefore || now > credential.NotAfter)
        {
            return $"{name} is valid from {credential.NotBefore:u} to {credential.NotAfter:u}, and it is {now:u}";
        }

        return now + issuer.Policy.Validity > credential.NotAfter
            ? $"Validity is {issuer.Policy.Validity}, but {name} ends at {credential.NotAfter:u}: the nextUpdate of an answer signed now would be beyond it, renew the certificate or shorten Validity"
            : null;
    }

    private static IssuerFinding Error(string message, X509Certificate2 certificate) => new(IssuerFindingSeverity.Error, message, certificate);

    private static IssuerFinding Warning(string message, X509Certificate2 certificate) => new(IssuerFindingSeverity.Warning, message, certificate);
}
