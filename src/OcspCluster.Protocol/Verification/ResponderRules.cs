using System.Security.Cryptography.X509Certificates;

namespace OcspCluster.Protocol;

/// <summary>A rule that was broken, with its evidence.</summary>
internal sealed record BrokenRule(OcspVerificationOutcome Outcome, string Message);

/// <summary>Whose key signed, and why it may.</summary>
internal sealed record AuthorizedResponder(X509Certificate2 Certificate, ResponderAuthorization Authorization);

/// <summary>Finds the responder that ResponderID denotes and judges whether it may speak for the issuer (RFC 6960 §4.2.2.2, §4.2.2.3).</summary>
/// <remarks>
/// The certificate is judged before its key is used: the key of one whom the issuer never certified is never computed with.
/// Only the question whether it is revoked comes last, because it may go to the network.
/// </remarks>
internal sealed class ResponderRules(BasicOcspResponse response, X509Certificate2 issuer, OcspVerificationOptions options)
{
    private readonly DateTimeOffset _now = options.Clock.GetUtcNow();

    /// <summary>The first responder that passes; else the first rule that was broken.</summary>
    public (AuthorizedResponder? Responder, BrokenRule? Broken) Find()
    {
        BrokenRule? first = null;
        foreach (X509Certificate2 configured in options.TrustedResponders)
        {
            CertificateFields certificate = CertificateFields.FromCertificate(configured);
            if (response.Data.ResponderId.Denotes(certificate))
            {
                if ((FindMisuse(certificate) ?? CheckSignature(certificate.PublicKey)) is not BrokenRule broken)
                {
                    return (new AuthorizedResponder(configured, ResponderAuthorization.Configured), null);
                }

                first ??= broken;
            }
        }

        if (response.Data.ResponderId.Denotes(issuer))
        {
            if (CheckSignature(issuer.PublicKey) is not BrokenRule broken)
            {
                return (new AuthorizedResponder(issuer, ResponderAuthorization.Issuer), null);
            }

            first ??= broken;
        }

        foreach (ReadOnlyMemory<byte> encoded in response.Certificates)
        {
            if (CertificateFields.TryDecode(encoded) is CertificateFields certificate && response.Data.ResponderId.Denotes(certificate) && !IsIssuer(certificate)
                && certificate.ToX509Certificate2() is X509Certificate2 delegated)
            {
                if (JudgeDelegate(certificate, delegated) is not BrokenRule broken)
                {
                    return (new AuthorizedResponder(delegated, ResponderAuthorization.Delegated), null);
                }

                delegated.Dispose();
                first ??= broken;
            }
        }

        return (null, first ?? new BrokenRule(
            OcspVerificationOutcome.ResponderNotFound,
            $"The responder '{response.Data.ResponderId}' is neither the issuer nor configured, and the response has no readable certificate of it."));
    }

    // The issuer's certificate, or another one of the same name and key, is judged as the issuer, not as its own delegate.
    private bool IsIssuer(CertificateFields certificate) =>
        certificate.Subject.Span.SequenceEqual(issuer.SubjectName.RawData)
        && certificate.PublicKey.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(issuer.PublicKey.ExportSubjectPublicKeyInfo());

    private BrokenRule? JudgeDelegate(CertificateFields certificate, X509Certificate2 delegated) =>
        FindForeignIssuer(certificate)
        ?? FindMissingPurpose(certificate)
        ?? FindMisuse(certificate)
        ?? CheckSignature(certificate.PublicKey)
        ?? CheckRevocation(certificate, delegated);

    private BrokenRule? FindForeignIssuer(CertificateFields certificate)
    {
        if (!certificate.Issuer.Span.SequenceEqual(issuer.SubjectName.RawData))
        {
            return new(OcspVerificationOutcome.ResponderNotIssuedByIssuer,
                $"The responder's certificate was issued by '{NameText.Of(certificate.Issuer.Span)}', not by '{issuer.Subject}'.");
        }

        return options.SignatureVerifier.Verify(certificate.SignatureAlgorithm, issuer.PublicKey, certificate.TbsCertificate.Span, certificate.Signature.Span) switch
        {
            SignatureCheck.Verified => null,
            SignatureCheck.AlgorithmUnsupported => new(OcspVerificationOutcome.ResponderAlgorithmUnsupported,
                $"The responder's certificate is signed with {certificate.SignatureAlgorithm}, which is not supported."),
            SignatureCheck.AlgorithmTooWeak => new(OcspVerificationOutcome.ResponderAlgorithmTooWeak,
                $"The responder's certificate is signed with {certificate.SignatureAlgorithm} by a key or hash that is too weak."),
            _ => new(OcspVerificationOutcome.ResponderNotIssuedByIssuer, $"The key of '{issuer.Subject}' did not sign the responder's certificate."),
        };
    }

    private static BrokenRule? FindMissingPurpose(CertificateFields certificate) => certificate.HasOcspSigning()
        ? null
        : new(OcspVerificationOutcome.ResponderLacksOcspSigning, "The responder's certificate lacks the extended key usage OCSPSigning.");

    private BrokenRule? FindMisuse(CertificateFields certificate)
    {
        if (!certificate.AllowsDigitalSignature())
        {
            return new(OcspVerificationOutcome.ResponderLacksDigitalSignature, "The key usage of the responder's certificate lacks digitalSignature.");
        }

        if (certificate.FindUnknownCriticalExtension() is string oid)
        {
            return new(OcspVerificationOutcome.ResponderUnknownCriticalExtension, $"The responder's certificate has the critical extension {oid}, which is not understood.");
        }

        if (!certificate.IsValidAt(_now, options.Tolerance))
        {
            return new(OcspVerificationOutcome.ResponderNotValidNow,
                $"The responder's certificate is valid from {certificate.NotBefore:u} to {certificate.NotAfter:u}; now it is {_now:u}.");
        }

        return certificate.IsValidAt(response.Data.ProducedAt, TimeSpan.Zero)
            ? null
            : new(OcspVerificationOutcome.ResponderNotValidAtProducedAt,
                $"The responder's certificate is valid from {certificate.NotBefore:u} to {certificate.NotAfter:u}; the response was produced at {response.Data.ProducedAt:u}.");
    }

    private BrokenRule? CheckSignature(PublicKey key) =>
        options.SignatureVerifier.Verify(response.SignatureAlgorithm, key, response.Data.Encoded.Span, response.Signature.Span) switch
        {
            SignatureCheck.Verified => null,
            SignatureCheck.AlgorithmUnsupported => new(OcspVerificationOutcome.SignatureAlgorithmUnsupported,
                $"The response is signed with {response.SignatureAlgorithm}, or by a key, that is not supported."),
            SignatureCheck.AlgorithmTooWeak => new(OcspVerificationOutcome.SignatureAlgorithmTooWeak,
                $"The response is signed with {response.SignatureAlgorithm} by a key or hash that is too weak."),
            _ => new(OcspVerificationOutcome.SignatureWrong, $"The key of '{response.Data.ResponderId}' did not sign these bytes."),
        };

    private BrokenRule? CheckRevocation(CertificateFields certificate, X509Certificate2 delegated)
    {
        if (certificate.HasNoCheck())
        {
            return null;
        }

        return options.CheckResponderRevocation?.Invoke(delegated) switch
        {
            ResponderRevocation.NotRevoked => null,
            ResponderRevocation.Revoked => new(OcspVerificationOutcome.ResponderRevoked, "The responder's certificate is revoked."),
            _ when options.AcceptUncheckedResponder => null,
            _ => new(OcspVerificationOutcome.ResponderRevocationUnknown,
                "The responder's certificate lacks id-pkix-ocsp-nocheck, and whether it is revoked is not known."),
        };
    }
}
