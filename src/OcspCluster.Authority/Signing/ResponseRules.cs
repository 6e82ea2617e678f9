using System.Security.Cryptography.X509Certificates;
using OcspCluster.Protocol;

namespace OcspCluster.Authority;

/// <summary>
/// What must hold of the bytes of an answer before anybody is given them (design.md P4): they are read back by the strict reader, say what was meant, are signed by
/// whom they name, and are valid while who signed is. The reader itself refuses times with fractions of seconds and reasons that do not exist.
/// </summary>
/// <param name="Credential">Who signed.</param>
/// <param name="IssuerCertificate">The certificate of the CA whose certificates are answered for.</param>
/// <param name="VerifiesSignature">Whether the signature is verified, or left to the sample.</param>
internal readonly record struct ResponseRules(SigningCredential Credential, X509Certificate2 IssuerCertificate, bool VerifiesSignature)
{
    /// <returns>What is wrong, in a sentence without its full stop; null when nothing is.</returns>
    public string? FindError(ReadOnlyMemory<byte> encoded, ResponseData meant, DateTimeOffset now)
    {
        DecodeOptions options = DecodeOptions.Default with { AcceptRawNonce = meant.Nonce is { IsRaw: true } };
        if (!OcspResponse.TryDecode(encoded, out OcspResponse? response, out DecodeError error, options) || response.Basic is not BasicOcspResponse basic)
        {
            return $"it cannot be read back ({error})";
        }

        ResponseData read = basic.Data;
        if (!read.ResponderId.Equals(Credential.ByKey) && !read.ResponderId.Equals(Credential.ByName))
        {
            return "its ResponderID does not denote the certificate that signed (RFC 6960 §4.2.2.3)";
        }

        if (read.ProducedAt > now || read.Responses.Count != meant.Responses.Count || !Equals(read.Nonce, meant.Nonce) || !AreSame(read.Extensions, meant.Extensions))
        {
            return "its producedAt, extensions or number of answers is another";
        }

        CertificateValidity ofSigner = CertificateValidity.Of(Credential.Certificate), ofIssuer = CertificateValidity.Of(IssuerCertificate);
        if (!ofSigner.Includes(read.ProducedAt) || !ofIssuer.Includes(read.ProducedAt))
        {
            return $"producedAt {read.ProducedAt:u} is outside the validity of the signer's or the issuer's certificate";
        }

        for (int i = 0; i < read.Responses.Count; i++)
        {
            if (FindError(read.Responses[i], meant.Responses[i], read) is string wrong)
            {
                return wrong;
            }
        }

        if (!VerifiesSignature)
        {
            return null;
        }

        SignatureCheck check = Credential.Verifier.Verify(basic.SignatureAlgorithm, Credential.PublicKey, read.Encoded.Span, basic.Signature.Span);
        return check == SignatureCheck.Verified ? null : $"its signature does not verify with the responder certificate ({check})";
    }

    private string? FindError(SingleResponse read, SingleResponse meant, ResponseData response)
    {
        if (!read.CertId.Encoded.Span.SequenceEqual(meant.CertId.Encoded.Span) || read.Status != meant.Status || !AreSame(read.Extensions, meant.Extensions))
        {
            return $"it says {read.Status} of {read.CertId}, where {meant.Status} of {meant.CertId} was meant";
        }

        if (!(read.ThisUpdate <= response.ProducedAt && read.NextUpdate >= response.ProducedAt && read.NextUpdate > read.ThisUpdate))
        {
            return $"thisUpdate {read.ThisUpdate:u}, producedAt {response.ProducedAt:u} and nextUpdate {read.NextUpdate:u} are out of order";
        }

        foreach (X509Certificate2 vouches in (ReadOnlySpan<X509Certificate2>)[Credential.Certificate, IssuerCertificate])
        {
            CertificateValidity validity = CertificateValidity.Of(vouches);
            if (!validity.Includes(read.ThisUpdate) || !validity.Includes(read.NextUpdate.Value))
            {
                return $"thisUpdate {read.ThisUpdate:u} or nextUpdate {read.NextUpdate:u} is outside the validity of '{vouches.Subject}', {vouches.NotBefore.ToUniversalTime():u} to {vouches.NotAfter.ToUniversalTime():u}";
            }
        }

        return FindErrorInReason(read, response);
    }

    private static string? FindErrorInReason(SingleResponse read, ResponseData response)
    {
        DateTimeOffset? invalidityDate;
        try
        {
            _ = ResponseExtensions.ReadArchiveCutoff(read.Extensions);
            invalidityDate = ResponseExtensions.ReadInvalidityDate(read.Extensions);
        }
        catch (OcspFormatException e)
        {
            return $"an extension cannot be read back ({e.Message})";
        }

        if (read.Extensions.Find(ResponseExtensions.CrlReasonOid) is not null)
        {
            return "it has the extension reasonCode: RevokedInfo has a field for the reason (BR 7.3.2)";
        }

        if (read.Status is not CertStatus.RevokedStatus revoked)
        {
            return invalidityDate is null ? null : "it has an invalidity date without a revocation";
        }

        if (revoked.Reason is RevocationReason.RemoveFromCrl or RevocationReason.Unspecified)
        {
            return $"it gives the reason {revoked.Reason}, which is left out or of delta CRLs only (RFC 5280 §5.3.1)";
        }

        return revoked is { Reason: RevocationReason.CertificateHold } && revoked.RevocationTime == DateTimeOffset.UnixEpoch && !ResponseExtensions.HasExtendedRevoke(response.Extensions)
            ? "it says on hold since 1970, as of what was never issued, without the extended revoked definition (RFC 6960 §2.2)"
            : null;
    }

    private static bool AreSame(OcspExtensionCollection read, OcspExtensionCollection meant) =>
        read.Select(extension => (extension.Oid, extension.IsCritical)).SequenceEqual(meant.Select(extension => (extension.Oid, extension.IsCritical)))
        && read.Zip(meant).All(pair => pair.First.Value.Span.SequenceEqual(pair.Second.Value.Span));
}
