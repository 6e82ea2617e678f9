using System.Security.Cryptography.X509Certificates;
using OcspCluster.Protocol;

namespace OcspCluster.Authority;

/// <summary>
/// What must hold of the bytes of an answer before anybody is given them (design.md P4): they are read back by a strict reader, say what was meant, are signed by
/// whom they name, and are valid while who signed is. The readers themselves refuse times with fractions of seconds and reasons that do not exist. The plain answer is read without building objects; the rules are the same.
/// </summary>
/// <param name="Credential">Who signed.</param>
/// <param name="IssuerCertificate">The certificate of the CA whose certificates are answered for.</param>
/// <param name="VerifiesSignature">Whether the signature is verified, or left to the sample.</param>
internal readonly record struct ResponseRules(SigningCredential Credential, X509Certificate2 IssuerCertificate, bool VerifiesSignature)
{
    private static readonly DecodeOptions s_withRawNonce = DecodeOptions.Default with { AcceptRawNonce = true };

    private readonly CertificateValidity _ofIssuer = CertificateValidity.Of(IssuerCertificate);

    /// <returns>What is wrong, in a sentence without its full stop; null when nothing is.</returns>
    public string? FindError(ReadOnlyMemory<byte> encoded, ResponseData meant, DateTimeOffset now)
    {
        if (meant is { Extensions.Count: 0, Responses: [{ Extensions.Count: 0 } single] }
            && PlainResponse.TryRead(encoded.Span, out PlainResponse plain) && plain.SignatureAlgorithm.SequenceEqual(Credential.Signer.Algorithm.Encoded.Span))
        {
            return FindError(plain, meant, single, now);
        }

        DecodeOptions options = meant.Nonce is { IsRaw: true } ? s_withRawNonce : DecodeOptions.Default;
        if (!OcspResponse.TryDecode(encoded, out OcspResponse? response, out DecodeError error, options) || response.Basic is not BasicOcspResponse basic)
        {
            return $"it cannot be read back ({error})";
        }

        ResponseData read = basic.Data;
        if (read.Responses.Count != meant.Responses.Count || !Equals(read.Nonce, meant.Nonce) || !AreSame(read.Extensions, meant.Extensions))
        {
            return "its extensions or number of answers is another";
        }

        if (FindErrorOfSigner(read.ResponderId.Encoded.Span, basic.Certificates is [var one, ..] ? one.Span : default, basic.Certificates.Count, read.ProducedAt, meant.ProducedAt, now) is string wrong)
        {
            return wrong;
        }

        for (int i = 0; i < read.Responses.Count; i++)
        {
            if (FindError(read.Responses[i], meant.Responses[i], read) is string found)
            {
                return found;
            }
        }

        return FindErrorInSignature(basic.SignatureAlgorithm, read.Encoded.Span, basic.Signature.Span);
    }

    private string? FindError(PlainResponse read, ResponseData meant, SingleResponse single, DateTimeOffset now) =>
        FindErrorOfSigner(read.ResponderId, read.Certificates, read.Certificates.IsEmpty ? 0 : 1, read.ProducedAt, meant.ProducedAt, now)
        ?? FindErrorInWords(read.CertId, read.Status, single)
        ?? FindErrorInTimes(read.ThisUpdate, read.NextUpdate, single, read.ProducedAt)
        ?? FindErrorInStatus(read.Status, invalidityDate: null, hasExtendedRevoke: false)
        ?? FindErrorInSignature(Credential.Signer.Algorithm, read.Data, read.Signature);

    private string? FindError(SingleResponse read, SingleResponse meant, ResponseData response)
    {
        if (!AreSame(read.Extensions, meant.Extensions))
        {
            return $"the extensions of what it says of {read.CertId} are others than was meant";
        }

        return FindErrorInWords(read.CertId.Encoded.Span, read.Status, meant)
            ?? FindErrorInTimes(read.ThisUpdate, read.NextUpdate, meant, response.ProducedAt)
            ?? FindErrorInReason(read, response);
    }

    private string? FindErrorOfSigner(ReadOnlySpan<byte> responderId, ReadOnlySpan<byte> certificate, int certificates, DateTimeOffset producedAt, DateTimeOffset meant, DateTimeOffset now)
    {
        if (!responderId.SequenceEqual(Credential.ByKey.Encoded.Span) && !responderId.SequenceEqual(Credential.ByName.Encoded.Span))
        {
            return "its ResponderID does not denote the certificate that signed (RFC 6960 §4.2.2.3)";
        }

        if (certificates > 1 || (certificates == 1 && !certificate.SequenceEqual(Credential.Certificates[0].Span)))
        {
            return "the certificate beside it is not the one that signed (RFC 9919 §3.2.2)";
        }

        if (producedAt > now || producedAt != meant)
        {
            return $"its producedAt {producedAt:u} is not {meant:u}, or later than {now:u}";
        }

        return !Credential.Validity.Includes(producedAt) || !_ofIssuer.Includes(producedAt)
            ? $"producedAt {producedAt:u} is outside the validity of the signer's or the issuer's certificate"
            : null;
    }

    private static string? FindErrorInWords(ReadOnlySpan<byte> certId, CertStatus status, SingleResponse meant) =>
        certId.SequenceEqual(meant.CertId.Encoded.Span) && status == meant.Status ? null : $"it says {status} of {Convert.ToHexString(certId)}, where {meant.Status} of {meant.CertId} was meant";

    private string? FindErrorInTimes(DateTimeOffset thisUpdate, DateTimeOffset? nextUpdate, SingleResponse meant, DateTimeOffset producedAt)
    {
        if (thisUpdate != meant.ThisUpdate || nextUpdate != meant.NextUpdate)
        {
            return $"it says so from {thisUpdate:u} to {nextUpdate:u}, where {meant.ThisUpdate:u} to {meant.NextUpdate:u} was meant";
        }

        if (nextUpdate is not DateTimeOffset end || !(thisUpdate <= producedAt && end >= producedAt && end > thisUpdate))
        {
            return $"thisUpdate {thisUpdate:u}, producedAt {producedAt:u} and nextUpdate {nextUpdate:u} are out of order";
        }

        CertificateValidity ofSigner = Credential.Validity, ofIssuer = _ofIssuer;
        if (ofSigner.Includes(thisUpdate) && ofSigner.Includes(end) && ofIssuer.Includes(thisUpdate) && ofIssuer.Includes(end))
        {
            return null;
        }

        X509Certificate2 ends = ofSigner.Includes(thisUpdate) && ofSigner.Includes(end) ? IssuerCertificate : Credential.Certificate;
        return $"thisUpdate {thisUpdate:u} or nextUpdate {end:u} is outside the validity of '{ends.Subject}', {ends.NotBefore.ToUniversalTime():u} to {ends.NotAfter.ToUniversalTime():u}";
    }

    private string? FindErrorInSignature(AlgorithmIdentifier algorithm, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        if (!VerifiesSignature)
        {
            return null;
        }

        SignatureCheck check = Credential.Verifier.Verify(algorithm, Credential.PublicKey, data, signature);
        return check == SignatureCheck.Verified ? null : $"its signature does not verify with the responder certificate ({check})";
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

        return read.Extensions.Find(ResponseExtensions.CrlReasonOid) is not null
            ? "it has the extension reasonCode: RevokedInfo has a field for the reason (BR 7.3.2)"
            : FindErrorInStatus(read.Status, invalidityDate, ResponseExtensions.HasExtendedRevoke(response.Extensions));
    }

    private static string? FindErrorInStatus(CertStatus status, DateTimeOffset? invalidityDate, bool hasExtendedRevoke)
    {
        if (status is not CertStatus.RevokedStatus revoked)
        {
            return invalidityDate is null ? null : "it has an invalidity date without a revocation";
        }

        if (revoked.Reason is RevocationReason.RemoveFromCrl or RevocationReason.Unspecified)
        {
            return $"it gives the reason {revoked.Reason}, which is left out or of delta CRLs only (RFC 5280 §5.3.1)";
        }

        return revoked is { Reason: RevocationReason.CertificateHold } && revoked.RevocationTime == DateTimeOffset.UnixEpoch && !hasExtendedRevoke
            ? "it says on hold since 1970, as of what was never issued, without the extended revoked definition (RFC 6960 §2.2)"
            : null;
    }

    private static bool AreSame(OcspExtensionCollection read, OcspExtensionCollection meant) =>
        read.Select(extension => (extension.Oid, extension.IsCritical)).SequenceEqual(meant.Select(extension => (extension.Oid, extension.IsCritical)))
        && read.Zip(meant).All(pair => pair.First.Value.Span.SequenceEqual(pair.Second.Value.Span));
}
