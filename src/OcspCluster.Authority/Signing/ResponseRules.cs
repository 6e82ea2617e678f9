using OcspCluster.Protocol;

namespace OcspCluster.Authority;

/// <summary>
/// What must hold of the bytes of an answer before anybody is given them (design.md P4): they are read back by the strict reader, say what was meant, are signed by
/// whom they name, and are valid while who signed is.
/// </summary>
internal static class ResponseRules
{
    /// <returns>What is wrong, in a sentence without its full stop; null when nothing is.</returns>
    public static string? FindError(ReadOnlyMemory<byte> encoded, ResponseData meant, SigningCredential credential, DateTimeOffset now)
    {
        DecodeOptions options = meant.Nonce is { IsRaw: true } ? DecodeOptions.Default with { AcceptRawNonce = true } : DecodeOptions.Default;
        if (!OcspResponse.TryDecode(encoded, out OcspResponse? response, out DecodeError error, options) || response.Basic is not BasicOcspResponse basic)
        {
            return $"it cannot be read back ({error})";
        }

        ResponseData read = basic.Data;
        if (!read.ResponderId.Denotes(credential.Certificate))
        {
            return "its ResponderID does not denote the certificate that signed (RFC 6960 §4.2.2.3)";
        }

        if (read.ProducedAt > now || read.Responses.Count != meant.Responses.Count || !Equals(read.Nonce, meant.Nonce))
        {
            return "its producedAt, nonce or number of answers is another";
        }

        for (int i = 0; i < read.Responses.Count; i++)
        {
            if (FindError(read.Responses[i], meant.Responses[i], read.ProducedAt, credential) is string wrong)
            {
                return wrong;
            }
        }

        SignatureCheck check = credential.Verifier.Verify(basic.SignatureAlgorithm, credential.PublicKey, read.Encoded.Span, basic.Signature.Span);
        return check == SignatureCheck.Verified ? null : $"its signature does not verify with the responder certificate ({check})";
    }

    private static string? FindError(SingleResponse read, SingleResponse meant, DateTimeOffset producedAt, SigningCredential credential)
    {
        if (!read.CertId.Encoded.Span.SequenceEqual(meant.CertId.Encoded.Span) || read.Status != meant.Status)
        {
            return $"it says {read.Status} of {read.CertId}, where {meant.Status} of {meant.CertId} was meant";
        }

        bool hasTimes = read.ThisUpdate <= producedAt && read.NextUpdate > read.ThisUpdate && read.NextUpdate <= credential.NotAfter;
        return hasTimes ? null : $"thisUpdate {read.ThisUpdate:u}, producedAt {producedAt:u}, nextUpdate {read.NextUpdate:u} and the signer's end {credential.NotAfter:u} are out of order";
    }
}
