using System.Security.Cryptography.X509Certificates;

namespace OcspCluster.Protocol;

/// <summary>Decides whether a response may be relied on, as RFC 6960 §3.2 asks of an OCSP client. Thread-safe.</summary>
/// <remarks>
/// The rules are checked in this order, and the first that is broken is the outcome: the response is successful; it answers the CertID; the responder
/// that it names is authorised and signed it; its extensions are understood; its nonce is the one sent; it was not produced in the future; and at
/// least one answer for the CertID is current. Whether the issuer's own certificate is trusted, valid and not revoked is for the caller to know.
/// </remarks>
public static class OcspVerifier
{
    /// <summary>Reads and verifies a response.</summary>
    /// <inheritdoc cref="Verify(OcspResponse, CertId, X509Certificate2, OcspVerificationOptions)"/>
    /// <param name="response">The bytes as received.</param>
    /// <param name="asked">The CertID that the request asked about.</param>
    /// <param name="issuer">The certificate of the CA that issued the certificate asked about.</param>
    /// <param name="options">What is asked of the response; the defaults where null.</param>
    public static OcspVerificationResult Verify(ReadOnlyMemory<byte> response, CertId asked, X509Certificate2 issuer, OcspVerificationOptions? options = null)
    {
        options ??= OcspVerificationOptions.Default;
        return OcspResponse.TryDecode(response, out OcspResponse? decoded, out DecodeError error, options.Decoding)
            ? Verify(decoded, asked, issuer, options)
            : OcspVerificationResult.Malformed(error);
    }

    /// <summary>Verifies a response.</summary>
    /// <param name="response">The response.</param>
    /// <param name="asked">The CertID that the request asked about.</param>
    /// <param name="issuer">The certificate of the CA that issued the certificate asked about.</param>
    /// <param name="options">What is asked of the response; the defaults where null.</param>
    /// <returns>The status, or the rule that was broken. Nothing in a response is a reason to throw.</returns>
    /// <exception cref="ArgumentException">
    /// <paramref name="asked"/> names another issuer, a nonce is required but none was sent, or a trusted responder's certificate is not one.
    /// </exception>
    public static OcspVerificationResult Verify(OcspResponse response, CertId asked, X509Certificate2 issuer, OcspVerificationOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(response);
        ArgumentNullException.ThrowIfNull(asked);
        ArgumentNullException.ThrowIfNull(issuer);
        options ??= OcspVerificationOptions.Default;
        CheckArguments(asked, issuer, options);

        if (response.Basic is not BasicOcspResponse basic)
        {
            return OcspVerificationResult.NotSuccessful(response.Status);
        }

        List<SingleResponse> matching = [.. basic.Data.Responses.Where(answer => answer.CertId.Equals(asked))];
        if (matching.Count == 0)
        {
            return OcspVerificationResult.Failed(OcspVerificationOutcome.CertIdNotAnswered, $"No answer in the response is about {asked}.");
        }

        (AuthorizedResponder? responder, BrokenRule? broken) = new ResponderRules(basic, issuer, options).Find();
        return responder is null
            ? OcspVerificationResult.Failed(broken!.Outcome, broken.Message)
            : JudgeAnswers(new AnswerRules(basic.Data, issuer, options), matching, responder);
    }

    // Of several answers, those that are not current do not count; a critical extension of a current one that is not understood spoils all,
    // because it may say that the others are not what they seem; and the strictest of what remains is the status.
    private static OcspVerificationResult JudgeAnswers(AnswerRules rules, List<SingleResponse> matching, AuthorizedResponder responder)
    {
        if (rules.JudgeResponse() is BrokenRule brokenByAll)
        {
            return OcspVerificationResult.Failed(brokenByAll.Outcome, brokenByAll.Message);
        }

        BrokenRule? first = null;
        List<SingleResponse> current = [];
        foreach (SingleResponse answer in matching)
        {
            if (rules.JudgeTimes(answer) is BrokenRule stale)
            {
                first ??= stale;
                continue;
            }

            if (rules.JudgeExtensions(answer) is BrokenRule broken)
            {
                return OcspVerificationResult.Failed(broken.Outcome, broken.Message);
            }

            current.Add(answer);
        }

        return current.Count > 0
            ? OcspVerificationResult.Verified(current.MaxBy(Strictness)!, current, responder.Certificate, responder.Authorization)
            : OcspVerificationResult.Failed(first!.Outcome, first.Message);
    }

    private static int Strictness(SingleResponse answer) => answer.Status switch
    {
        CertStatus.RevokedStatus => 2,
        CertStatus.UnknownStatus => 1,
        _ => 0,
    };

    private static void CheckArguments(CertId asked, X509Certificate2 issuer, OcspVerificationOptions options)
    {
        if (options.RequireNonce && options.Nonce is null)
        {
            throw new ArgumentException("A nonce is required back, but none was sent: set Nonce.", nameof(options));
        }

        // Another issuer's CertID would make its delegates, and its statuses, pass for this issuer's. A hash that .NET lacks is the caller's word.
        if (CertIdHash.All.FirstOrDefault(known => known.Oid == asked.HashAlgorithm.Oid) is CertIdHash hash
            && !CertId.Create(issuer, asked.SerialNumber, hash).Equals(asked))
        {
            throw new ArgumentException($"The CertID does not name the issuer '{issuer.Subject}'.", nameof(asked));
        }
    }
}
