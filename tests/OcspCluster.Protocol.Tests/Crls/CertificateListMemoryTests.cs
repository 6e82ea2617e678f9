using System.Numerics;
using OcspCluster.Testing;

namespace OcspCluster.Protocol.Tests.Crls;

/// <summary>What a reader of a large CRL keeps. It looks at the memory of the whole process, so no other test may run beside it.</summary>
[Collection(Name)]
[CollectionDefinition(Name, DisableParallelization = true)]
public class CertificateListMemoryTests
{
    private const string Name = "memory of the process";
    private static readonly DateTimeOffset s_day = new(2026, 6, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Entries_OfAMillion_AreReadOneAtATime()
    {
        byte[] der = new RawCrl(Testing.TestPki.CreateRoot("crl", TestKey.P256())) { Entries = Enumerable.Range(1, 1_000_000).Select(i => new RawCrlEntry(new BigInteger(i).ToByteArray(isBigEndian: true), s_day)) }.Encode();
        CertificateList list = CertificateList.Decode(der);
        GC.Collect();
        long before = GC.GetTotalMemory(forceFullCollection: true);

        int count = 0;
        long highest = 0;
        foreach (RevokedCertificate entry in list.RevokedCertificates)
        {
            if (++count % 250_000 == 0)
            {
                highest = Math.Max(highest, GC.GetTotalMemory(forceFullCollection: true) - before);
            }
        }

        Assert.Equal((1_000_000, 1_000_000), (list.Count, count));
        Assert.True(highest < 4 << 20, $"{highest} octets are kept while it is read");
    }
}
