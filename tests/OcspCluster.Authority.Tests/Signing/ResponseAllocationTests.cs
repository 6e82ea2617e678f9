using System.Security.Cryptography.X509Certificates;
using OcspCluster.Protocol;
using OcspCluster.Testing;

namespace OcspCluster.Authority.Tests.Signing;

/// <summary>What signing an answer leaves to the collector: allocations are exact, times are not.</summary>
public sealed class ResponseAllocationTests
{
    private const int Answers = 2000;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task PlainAnswer_SignedAndReadBack_AllocatesItsOctets_AndLessThanAKilobyte(double verifySample)
    {
        TestPki ca = TestPki.CreateRoot("Allocation CA", TestKey.P256());
        TestCertificate responder = ca.IssueResponder("Allocation responder", TestKey.P256());
        using X509Certificate2 certificate = X509Certificate2.CreateFromPem(responder.Certificate.ExportCertificatePem(), responder.Key.ToPem());
        using SigningCredential credential = new(certificate);
        Issuer issuer = new(new IssuerId("allocation"), [ca.Certificate], [credential], IssuerPolicy.Default with { VerifySample = verifySample });
        NamedIssuer named = new(issuer, ca.Certificate);
        using ResponseFactory factory = new(TimeProvider.System);
        AnsweredCertId[] answered =
            [new(CertId.Create(ca.Certificate, SerialNumber.ParseHex("1234")), AnswerRules.Decide(issuer.Policy, CertificateStatus.Good, TimeProvider.System.GetUtcNow())!)];

        int length = 0;
        long least = long.MaxValue;
        for (int round = 0; round < 5; round++) // what is made once, and by the first tier of compilation, is in the first ones
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < Answers; i++)
            {
                ValueTask<SigningResult> signing = factory.CreateAsync(named, answered, nonce: null, preferred: null, TestContext.Current.CancellationToken);
                Assert.True(signing.IsCompletedSuccessfully); // a key that is free signs on the caller's thread
                length = (await signing).Response!.Encoded.Length;
            }

            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.InRange(least / Answers, length, length + 1000);
    }
}
