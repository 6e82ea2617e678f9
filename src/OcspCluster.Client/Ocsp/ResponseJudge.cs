using System.Security.Cryptography.X509Certificates;
using OcspCluster.Protocol;

namespace OcspCluster.Client;

/// <summary>Verifies responses by <see cref="OcspVerifier"/>, and looks delegated responders without nocheck up in their CRL. Thread-safe.</summary>
/// <param name="options">The client's.</param>
/// <param name="isRevoked">Finds out by CRL alone whether a certificate is revoked: OCSP would ask the responder about itself (RFC 6960 §4.2.2.2.1).</param>
internal sealed class ResponseJudge(OcspClientOptions options, Func<X509Certificate2, X509Certificate2, CheckRun, Task<ResponderRevocation>> isRevoked)
{
    public async Task<OcspVerificationResult> JudgeAsync(ReadOnlyMemory<byte> response, CertId asked, Subject subject, OcspNonce? nonce, CheckRun run)
    {
        OcspVerificationOptions policy = options.Verification;
        byte[]? undecided = null;
        OcspVerificationOptions first = policy with
        {
            Nonce = nonce,
            RequireNonce = nonce is not null && options.Nonce == NonceUse.Required,
            AcceptUncheckedResponder = false,
            CheckResponderRevocation = responder =>
            {
                ResponderRevocation known = policy.CheckResponderRevocation?.Invoke(responder) ?? ResponderRevocation.Unknown;
                undecided = known == ResponderRevocation.Unknown ? responder.RawData : null;
                return known;
            },
        };
        OcspVerificationResult result = OcspVerifier.Verify(response, asked, subject.Issuer, first);
        if (result.Outcome != OcspVerificationOutcome.ResponderRevocationUnknown || undecided is null)
        {
            return result;
        }

        using X509Certificate2 responder = X509CertificateLoader.LoadCertificate(undecided);
        ResponderRevocation found = await isRevoked(responder, subject.Issuer, run).ConfigureAwait(false);
        return OcspVerifier.Verify(response, asked, subject.Issuer, first with
        {
            AcceptUncheckedResponder = policy.AcceptUncheckedResponder,
            CheckResponderRevocation = _ => found,
        });
    }

    /// <summary>What a broken rule means for the verdict.</summary>
    public static RevocationFailure FailureOf(OcspVerificationOutcome outcome) => outcome switch
    {
        OcspVerificationOutcome.Verified => RevocationFailure.None,
        OcspVerificationOutcome.NotSuccessful => RevocationFailure.ResponderError,
        OcspVerificationOutcome.SignatureWrong
            or OcspVerificationOutcome.SignatureAlgorithmTooWeak
            or OcspVerificationOutcome.ResponderNotFound
            or OcspVerificationOutcome.ResponderNotIssuedByIssuer
            or OcspVerificationOutcome.ResponderAlgorithmTooWeak
            or OcspVerificationOutcome.ResponderLacksOcspSigning
            or OcspVerificationOutcome.ResponderLacksDigitalSignature
            or OcspVerificationOutcome.ResponderUnknownCriticalExtension
            or OcspVerificationOutcome.ResponderNotValidNow
            or OcspVerificationOutcome.ResponderNotValidAtProducedAt
            or OcspVerificationOutcome.ResponderRevoked
            or OcspVerificationOutcome.NonceMismatch => RevocationFailure.AnswerForged,
        _ => RevocationFailure.AnswerRefused,
    };

    /// <summary>Whether an answer was right in its time and only is no longer current: nothing that a server or an attacker made up.</summary>
    public static bool IsMerelyOld(OcspVerificationOutcome outcome) => outcome is OcspVerificationOutcome.NextUpdatePassed or OcspVerificationOutcome.TooOld
        or OcspVerificationOutcome.TooOldWithoutNextUpdate;

    /// <summary>The evidence of a verified response.</summary>
    public RevocationEvidence EvidenceOf(OcspVerificationResult result, RevocationSource source, ReadOnlyMemory<byte> answer, CertId asked, OcspNonce? nonce)
    {
        ResponseData data = OcspResponse.Decode(answer, options.Verification.Decoding).Basic!.Data;
        return new RevocationEvidence
        {
            Source = source,
            Answer = answer,
            Signer = result.Signer!,
            Authorization = result.Authorization!.Value,
            ProducedAt = data.ProducedAt,
            ThisUpdate = result.Answer!.ThisUpdate,
            NextUpdate = result.Answer.NextUpdate,
            IsFresh = nonce is not null && nonce.Equals(data.Nonce),
            CertIdHashOid = asked.HashAlgorithm.Oid,
        };
    }
}
