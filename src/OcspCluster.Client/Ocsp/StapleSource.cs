using OcspCluster.Protocol;

namespace OcspCluster.Client;

/// <summary>Judges the response that a server stapled (RFC 6066 §8, RFC 8446 §4.4.2.1). Thread-safe.</summary>
internal sealed class StapleSource(OcspClientOptions options, ResponseJudge judge)
{
    /// <summary>What the staple says; null when there is none that counts.</summary>
    /// <returns>With it, whether it breaks a rule, so that the handshake is to be ended.</returns>
    public async Task<(Finding? Finding, bool IsBad)> JudgeAsync(Subject subject, ReadOnlyMemory<byte> staple, CheckRun run)
    {
        long start = run.Start();
        CertId asked = FindCertId(subject, staple);
        OcspVerificationResult result = await judge.JudgeAsync(staple, asked, subject, nonce: null, run).ConfigureAwait(false);
        bool isBad = !result.IsVerified && !ResponseJudge.IsMerelyOld(result.Outcome);
        run.Add(new RevocationAttempt
        {
            Source = RevocationSource.Stapled,
            Failure = isBad ? RevocationFailure.StapleRefused : ResponseJudge.FailureOf(result.Outcome),
            Message = result.Message,
            Outcome = result.Outcome,
            ResponderError = result.ResponderError,
            Elapsed = run.Since(start),
        });
        return (result.IsVerified ? Finding.Of(result, judge.EvidenceOf(result, RevocationSource.Stapled, staple, asked, nonce: null)) : null, isBad);
    }

    // Nobody asked by a CertID: the server chose its hash. Each that the client knows is a way to name this certificate and no other.
    private CertId FindCertId(Subject subject, ReadOnlyMemory<byte> staple)
    {
        CertIdHash[] hashes = [.. options.CertIdHashes.Union(CertIdHash.All)];
        CertId[] names = [.. hashes.Select(hash => CertId.Create(subject.Issuer, subject.SerialNumber, hash))];
        OcspResponse.TryDecode(staple, out OcspResponse? response, out _, options.Verification.Decoding);
        return names.FirstOrDefault(name => response?.Basic?.Data.Responses.Any(answer => answer.CertId.Equals(name)) == true) ?? names[0];
    }
}
