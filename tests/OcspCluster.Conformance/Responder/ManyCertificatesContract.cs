using OcspCluster.Authority;
using OcspCluster.Protocol;
using OcspCluster.Testing;

namespace OcspCluster.Conformance;

/// <summary>Thousands of random serial numbers: what one hand-picked request does not show of base64 and INTEGERs (rules H32, R18).</summary>
public abstract class ManyCertificatesContract(SharedHosts shared) : ResponderContract(shared)
{
    private const int Count = 10_000;

    [Fact]
    public async Task H32_TenThousandSerials_EachByGetAndByPost_EachAnswerRight()
    {
        Random random = new(32);
        byte[][] serials = RandomSerials(random);
        IResponderHost host = await OwnAsync(Issuers.AlphaWith());
        foreach (int[] batch in Enumerable.Range(0, Count).Chunk(1_000))
        {
            List<RevocationEvent> events = [.. batch.Select(i => Events.Issued(serials[i]))];
            events.AddRange(batch.Where(i => i % 3 == 1).Select(i => Events.Revoked(serials[i], RevocationReason.Superseded)));
            events.AddRange(batch.Where(i => i % 3 == 2 && i % 2 == 0).Select(i => Events.Held(serials[i])));
            await host.SubmitAsync("alpha", events);
        }

        RawCertId[] certIds = [.. serials.Select((serial, i) => AlphaId(serial, i % 5 == 0 ? OcspOids.Sha256 : OcspOids.Sha1) with { Parameters = i % 7 == 0 ? null : Der.Null })];
        byte[][] requests = [.. certIds.Select(certId => RawOcspRequest.For(certId).Encode())];
        string[] targets = [.. requests.Select(request => (random.Next(2) == 0 ? "/" : "/ocsp/") + Spell(request, random))];

        // The set must hold what it is for (counted in plain base64).
        Assert.InRange(requests.Count(request => GetTarget.Raw(request).Contains('/')), Count / 10, Count);
        Assert.InRange(requests.Count(request => GetTarget.Raw(request).Contains("//", StringComparison.Ordinal)), 10, Count);
        Assert.InRange(serials.Count(serial => serial[0] >= 0x80), Count / 10, Count);
        Assert.InRange(serials.Count(serial => serial[0] == 0x00), Count / 10, Count);

        IReadOnlyList<RawHttpResponse> byGet = await host.SendAllAsync(targets.Select(target => RawHttp.Request(host.OcspUri, "GET", target)));
        IReadOnlyList<RawHttpResponse> byPost = await host.PostAllAsync(requests);
        for (int i = 0; i < Count; i++)
        {
            Assert.True(byGet[i].StatusCode == 200 && byGet[i].Body is not [0x30, 0x03, ..], $"{byGet[i].StatusLine} {Convert.ToHexString(byGet[i].Body)} for {targets[i]}");
            RawOcspResponse answer = byGet[i].Ocsp().MustAnswer(Issuers.Alpha, certIds[i]);
            MustBeRight(i, answer.Singles[0]);
            if (!byPost[i].Body.AsSpan().SequenceEqual(byGet[i].Body))
            {
                MustBeRight(i, byPost[i].Ocsp().MustAnswer(Issuers.Alpha, certIds[i]).Singles[0]);
            }
        }

        void MustBeRight(int i, RawSingleResponse single)
        {
            Assert.Equal(serials[i], single.Serial);
            (RawCertStatus, int?) expected = i % 3 == 1 ? (RawCertStatus.Revoked, 4) : i % 3 == 2 && i % 2 == 0 ? (RawCertStatus.Revoked, 6) : (RawCertStatus.Good, null);
            Assert.Equal(expected, (single.Status, single.Reason));
        }
    }

    // Every length from 1 to 20 and every sign: positive, negative, positive with the 00 that a high bit asks for.
    private static byte[][] RandomSerials(Random random)
    {
        Dictionary<string, byte[]> serials = [];
        while (serials.Count < Count)
        {
            byte[] serial = new byte[random.Next(1, 21)];
            random.NextBytes(serial);
            if (random.Next(4) == 0)
            {
                serial = [0x00, .. serial];
            }

            if (serial.Length <= 20 && SerialNumber.IsMinimal(serial))
            {
                serials.TryAdd(Convert.ToHexString(serial), serial);
            }
        }

        return [.. serials.Values];
    }

    private static string Spell(byte[] request, Random random)
    {
        int spelling = random.Next(GetTarget.All.Count + 1);
        return spelling == GetTarget.All.Count ? GetTarget.Mixed(request, random) : GetTarget.All.Values.ElementAt(spelling)(request);
    }
}
