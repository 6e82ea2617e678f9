using System.Security.Cryptography.X509Certificates;

namespace OcspCluster.Protocol;

/// <summary>
/// Decides whether a signed request comes from a requestor whom a responder trusts (RFC 6960 §4.1.2): its signature over tbsRequest as received, by a
/// certificate that is trusted itself or directly issued by a trusted CA, and valid now. Immutable and thread-safe.
/// </summary>
/// <remarks>
/// A request does not say which certificate signed it. Those that are sent along are tried in their order, then the trusted ones. A certificate must be
/// trusted before its key is used, so no stranger chooses the keys that are computed with. Revocation of requestors is not checked.
/// </remarks>
public sealed class OcspRequestVerifier
{
    private readonly OcspRequestVerificationOptions _options;
    private readonly CertificateFields[] _requestors;
    private readonly CertificateFields[] _issuers;

    /// <summary>Verifies by a policy.</summary>
    /// <exception cref="ArgumentException">A trusted certificate is not one by the letter of RFC 5280.</exception>
    public OcspRequestVerifier(OcspRequestVerificationOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
        _requestors = [.. options.TrustedRequestors.Select(CertificateFields.FromCertificate)];
        _issuers = [.. options.TrustedIssuers.Select(CertificateFields.FromCertificate)];
    }

    /// <summary>Verifies a request.</summary>
    /// <returns>The signer, or the rule that was broken. Nothing in a request is a reason to throw.</returns>
    public OcspRequestVerificationResult Verify(OcspRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (request.Signature is not OcspRequestSignature signature)
        {
            return new(OcspRequestVerificationOutcome.NotSigned, "The request is not signed.");
        }

        OcspRequestVerificationResult? closest = null;
        foreach (CertificateFields candidate in Candidates(signature))
        {
            OcspRequestVerificationResult result = Judge(request, signature, candidate);
            if (result.IsVerified)
            {
                return result;
            }

            closest = Closer(closest, result);
        }

        return closest ?? new(OcspRequestVerificationOutcome.SignerNotFound, "Neither the request nor the policy has a readable certificate of the signer.");
    }

    // A certificate of a trusted CA in the request says nothing about the signer beside it; nor does a trusted requestor who did not sign about one
    // that is a stranger. What is told is the rule that the likeliest signer breaks: a wrong signature says only that somebody else signed.
    private static OcspRequestVerificationResult Closer(OcspRequestVerificationResult? closest, OcspRequestVerificationResult next) =>
        closest is null || (IsAboutAnother(closest.Outcome) && !IsAboutAnother(next.Outcome)) ? next : closest;

    private static bool IsAboutAnother(OcspRequestVerificationOutcome outcome) =>
        outcome is OcspRequestVerificationOutcome.SignatureWrong or OcspRequestVerificationOutcome.SignerNotTrusted;

    private IEnumerable<CertificateFields> Candidates(OcspRequestSignature signature)
    {
        foreach (ReadOnlyMemory<byte> encoded in signature.Certificates)
        {
            if (CertificateFields.TryDecode(encoded) is CertificateFields certificate)
            {
                yield return certificate;
            }
        }

        foreach (CertificateFields requestor in _requestors)
        {
            yield return requestor;
        }
    }

    private OcspRequestVerificationResult Judge(OcspRequest request, OcspRequestSignature signature, CertificateFields signer)
    {
        DateTimeOffset now = _options.Clock.GetUtcNow();
        if (!IsTrusted(signer, now))
        {
            return Refuse(signer, OcspRequestVerificationOutcome.SignerNotTrusted, "is neither a trusted requestor nor directly issued by a trusted CA");
        }

        switch (_options.SignatureVerifier.Verify(signature.Algorithm, signer.PublicKey, request.TbsRequest.Span, signature.Value.Span))
        {
            case SignatureCheck.Verified:
                break;
            case SignatureCheck.AlgorithmUnsupported:
                return Refuse(signer, OcspRequestVerificationOutcome.SignatureAlgorithmUnsupported, $"cannot be checked with {signature.Algorithm}, which is not supported");
            case SignatureCheck.AlgorithmTooWeak:
                return Refuse(signer, OcspRequestVerificationOutcome.SignatureAlgorithmTooWeak, $"signs with {signature.Algorithm} by a key or hash that is too weak");
            default:
                return Refuse(signer, OcspRequestVerificationOutcome.SignatureWrong, "did not sign these bytes");
        }

        if (!signer.IsValidAt(now, _options.Tolerance))
        {
            return Refuse(signer, OcspRequestVerificationOutcome.SignerNotValidNow, $"is valid from {signer.NotBefore:u} to {signer.NotAfter:u}; now it is {now:u}");
        }

        return JudgeUse(request, signer);
    }

    private OcspRequestVerificationResult JudgeUse(OcspRequest request, CertificateFields signer)
    {
        if (!signer.AllowsDigitalSignature())
        {
            return Refuse(signer, OcspRequestVerificationOutcome.SignerLacksDigitalSignature, "has a key usage without digitalSignature");
        }

        if (signer.FindUnknownCriticalExtension() is string oid)
        {
            return Refuse(signer, OcspRequestVerificationOutcome.SignerUnknownCriticalExtension, $"has the critical extension {oid}, which is not understood");
        }

        if (!_options.AcceptOtherRequestorName && (request.RequestorName is not GeneralName name || !signer.IsNamed(name)))
        {
            return Refuse(signer, OcspRequestVerificationOutcome.RequestorNameMismatch, "is not named as requestorName says");
        }

        return signer.ToX509Certificate2() is X509Certificate2 certificate
            ? new(OcspRequestVerificationOutcome.Verified, $"Signed by '{NameText.Of(signer.Subject.Span)}'.", certificate)
            : Refuse(signer, OcspRequestVerificationOutcome.SignerNotFound, "has a certificate that .NET does not read");
    }

    private bool IsTrusted(CertificateFields signer, DateTimeOffset now) =>
        _requestors.Any(trusted => trusted.Encoded.Span.SequenceEqual(signer.Encoded.Span))
        || _issuers.Any(issuer =>
            issuer.Subject.Span.SequenceEqual(signer.Issuer.Span)
            && issuer.IsValidAt(now, _options.Tolerance)
            && _options.SignatureVerifier.Verify(signer.SignatureAlgorithm, issuer.PublicKey, signer.TbsCertificate.Span, signer.Signature.Span) == SignatureCheck.Verified);

    private static OcspRequestVerificationResult Refuse(CertificateFields signer, OcspRequestVerificationOutcome outcome, string what) =>
        new(outcome, $"'{NameText.Of(signer.Subject.Span)}' {what}.");
}
