using OcspCluster.Authority;
using OcspCluster.Protocol;

namespace OcspCluster.Gateway;

/// <summary>Measures how many answers an issuer's key signs, as the scheduler has them signed: each read back and verified.</summary>
internal static class SignerMeasure
{
    private const int Warmup = 20;

    /// <summary>How many octets of an answer are the certificate of its signer; none where the CA signs by itself, and clients have its certificate.</summary>
    public static int CommonBytesOf(Issuer issuer)
    {
        byte[] signer = issuer.Credentials[0].Certificate.RawData;
        return issuer.Certificates.Any(ca => ca.RawData.AsSpan().SequenceEqual(signer)) ? 0 : signer.Length;
    }

    /// <summary>Signs for so long, with as many at once as the signer makes.</summary>
    /// <param name="issuer">Whose key.</param>
    /// <param name="factory">Signs; what else it signs meanwhile waits in the same queue.</param>
    /// <param name="time">How long.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Signatures per second and the octets of an answer, or why nothing was signed.</returns>
    public static async Task<(double PerSecond, int ResponseBytes, string? Failure)> RunAsync(Issuer issuer, ResponseFactory factory, TimeSpan time, TimeProvider clock, CancellationToken cancellationToken)
    {
        NamedIssuer named = new(issuer, issuer.Certificates[0]);
        CertificateAnswer answer = AnswerRules.Decide(issuer.Policy, CertificateStatus.Good, clock.GetUtcNow())!;
        int bytes = 0;
        for (int i = 0; i < Warmup; i++) // code is compiled, sessions are opened
        {
            SigningResult first = await SignAsync(i).ConfigureAwait(false);
            if (first.Response is null)
            {
                return (0, 0, first.Reason);
            }

            bytes = first.Response.Encoded.Length;
        }

        int started = 0;
        int signatures = 0;
        string? failure = null;
        long start = clock.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, issuer.Credentials[0].Concurrency).Select(_ => Task.Run(
            async () =>
            {
                while (failure is null && clock.GetElapsedTime(start) < time)
                {
                    SigningResult result = await SignAsync(Interlocked.Increment(ref started)).ConfigureAwait(false);
                    failure = result.Response is null ? result.Reason : failure;
                    Interlocked.Increment(ref signatures);
                }
            },
            cancellationToken))).ConfigureAwait(false);
        return (signatures / clock.GetElapsedTime(start).TotalSeconds, bytes, failure);

        ValueTask<SigningResult> SignAsync(int number)
        {
            // 16 octets, as most CAs have them
            CertId certId = CertId.Create(issuer.Certificates[0], SerialNumber.FromInteger((System.Numerics.BigInteger.One << 126) + number));
            return factory.CreateAsync(named, [new AnsweredCertId(certId, answer)], nonce: null, preferred: null, cancellationToken);
        }
    }
}
