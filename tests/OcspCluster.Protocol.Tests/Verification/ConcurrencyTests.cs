using System.Security.Cryptography.X509Certificates;

namespace OcspCluster.Protocol.Tests.Verification;

public sealed class ConcurrencyTests
{
    [Theory]
    [InlineData("RSA-SHA256")]
    [InlineData("PSS-SHA256")]
    [InlineData("P256-SHA256")]
    [InlineData("DSA-SHA256")]
    public void OneSignerAndOneCertificate_UsedByEightThreads_EverySignatureVerifies(string kind)
    {
        const int Threads = 8;
        const int ResponsesPerThread = 25;
        TestCa ca = new();
        TestKey key = TestKey.Of(kind);
        X509Certificate2 responder = ca.IssueDelegate(key);
        ResponderId responderId = ResponderId.ByKey(responder);
        using Barrier start = new(Threads);
        int verified = 0;
        List<Exception> failures = [];

        Thread[] threads = [.. Enumerable.Range(0, Threads).Select(number => new Thread(() =>
        {
            try
            {
                start.SignalAndWait();
                for (int i = 0; i < ResponsesPerThread; i++)
                {
                    CertId asked = CertId.Create(ca.Certificate, SerialNumber.FromInteger((number * ResponsesPerThread) + i));
                    SingleResponse answer = new(asked, CertStatus.Good, TestCa.Now, TestCa.Now.AddDays(1));
                    OcspResponse response = Exchange.Respond(key, responderId, [answer], [responder.RawData]);
                    if (OcspVerifier.Verify(response.Encoded, asked, ca.Certificate, Exchange.Options).IsVerified)
                    {
                        Interlocked.Increment(ref verified);
                    }
                }
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                lock (failures)
                {
                    failures.Add(e);
                }
            }
        }))];
        Array.ForEach(threads, thread => thread.Start());

        Assert.All(threads, thread => Assert.True(thread.Join(TimeSpan.FromSeconds(60))));
        Assert.Empty(failures);
        Assert.Equal(Threads * ResponsesPerThread, verified);
    }
}
