using System.Diagnostics;
using OcspCluster.Testing;
using static OcspCluster.Conformance.Questions;

namespace OcspCluster.Conformance;

/// <summary>Input made to exhaust or to crash: always an answer or a 4xx, soon, from a process that lives (rules D7, D19, D20).</summary>
public abstract class HostileInputContract(SharedHosts shared) : ResponderContract(shared)
{
    [Fact]
    public async Task D7_ThreeThousandLevels_RefusedWithoutAStack()
    {
        IResponderHost host = await DefaultAsync();
        byte[] deep = Nest(3_000, 0x30);
        await host.MustRefuseAsync([
            ("the message", deep),
            ("the request list", Der.Sequence(Der.Sequence(deep))),
            ("tagged levels", Nest(3_000, 0xA0)),
            ("the CertID", new RawOcspRequest { Requests = [new RawSingleRequest(deep)] }.Encode()),
            ("the parameters", RawOcspRequest.For(AlphaId(Known.Good) with { Parameters = deep }).Encode()),
            ("3,000 open indefinite lengths", [.. Enumerable.Repeat(new byte[] { 0x30, 0x80 }, 3_000).SelectMany(level => level)]),
        ]);

        // Where ANY stands, a parser that does not descend may answer.
        RawOcspRequest named = AskAlpha(Known.Good) with { RequestorName = Der.Explicit(0, Der.Oid("1.2.3.4"), Der.Explicit(0, deep)) };
        Assert.True((await host.AskAsync(named)).Status is Successful or MalformedRequest);
        (await host.AskAsync(AskAlpha(Known.Good).With(new RawExtension("1.2.3.4", deep)))).MustBe(Successful);
    }

    [Fact]
    public async Task D19_HugeRequests_UnderARaisedCap_AnsweredOrRefusedInLinearTime()
    {
        IResponderHost host = await OwnAsync(Issuers.AlphaWith().With(("Ocsp:MaxRequestBytes", "1048576")));
        byte[] certId = AlphaId(Known.Good).Encode();
        byte[] relativeName = Der.Tlv(0x31, Der.Sequence(Der.Oid("2.5.4.3"), Der.Text(0x0C, "x")));
        byte[] certificate = Issuers.Stranger.Certificate.RawData;
        RawOcspRequest plain = AskAlpha(Known.Good);
        (string Name, RawOcspRequest Request)[] cases =
        [
            ("13,000 CertIDs", plain with { Requests = [.. Enumerable.Repeat(new RawSingleRequest(certId), 13_000)] }),
            ("60,000 extensions", plain with { Extensions = [.. Enumerable.Range(0, 60_000).Select(i => new RawExtension($"1.2.3.{i}", [1]))] }),
            ("60,000 extensions of a single", plain with { Requests = [new RawSingleRequest(certId, [.. Enumerable.Range(0, 60_000).Select(i => new RawExtension($"1.2.3.{i}", [1]))])] }),
            ("a Name of 10,000 RDNs", plain with { RequestorName = Der.Explicit(4, Der.Sequence([.. Enumerable.Repeat(relativeName, 10_000)])) }),
            ("an otherName of 1 MB", plain with { RequestorName = Der.Explicit(0, Der.Oid("1.2.3.4"), Der.Explicit(0, Der.OctetString(new byte[1_040_000]))) }),
            ("1,000 certificates", plain with
            {
                RequestorName = Der.Text(0x82, "a.test"),
                Signature = Der.Sequence(Der.Sequence(Der.Oid(OcspOids.EcdsaWithSha256)), Der.BitString(new byte[64]), Der.Explicit(0, Der.Sequence([.. Enumerable.Repeat(certificate, 1_000)]))),
            }),
            ("a serial of 1 MB", AskAlpha([.. Enumerable.Repeat((byte)0x11, 1_040_000)])),
        ];
        foreach ((string name, RawOcspRequest request) in cases)
        {
            byte[] body = request.Encode();
            Assert.True(body.Length <= 1_048_576, $"{name}: {body.Length} octets");
            long start = Stopwatch.GetTimestamp();
            RawHttpResponse response = await host.PostAsync(body);
            TimeSpan elapsed = Stopwatch.GetElapsedTime(start);
            Assert.True(response.StatusCode == 200 && response.Ocsp().Status is Successful or MalformedRequest or Unauthorized, $"{name}: {response.StatusLine}");
            Assert.True(elapsed < TimeSpan.FromSeconds(5), $"{name} took {elapsed}");
        }

        await host.MustRefuseAsync([(cases[0].Name, cases[0].Request.Encode())]);
        RawOcspRequest overTheCap = plain with { Requests = [.. Enumerable.Repeat(new RawSingleRequest(certId), 100_000)] };
        Assert.Equal(413, (await host.PostAsync(overTheCap.Encode())).StatusCode);
        (await host.AskAsync(plain)).MustAnswer(Issuers.Alpha, AlphaId(Known.Good));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task D20_MutatedPosts_AlwaysAnOcspAnswerOr4xx(int seed)
    {
        IResponderHost host = await DefaultAsync();
        Random random = new(seed);
        byte[][] bodies = [.. Enumerable.Range(0, 2_000).Select(i => Mutate(Corpus()[i % Corpus().Length], random))];
        MustAllBeHarmless(bodies, await host.PostAllAsync(bodies));
        (await host.AskAsync(AskAlpha(Known.Good))).MustAnswer(Issuers.Alpha, AlphaId(Known.Good));
    }

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    public async Task D20_MutatedGets_AlwaysAnOcspAnswerOr4xx(int seed)
    {
        IResponderHost host = await DefaultAsync();
        Random random = new(seed);
        byte[][] messages = [.. Enumerable.Range(0, 1_500).Select(i =>
        {
            byte[] der = Corpus()[i % Corpus().Length];
            string target = i % 2 == 0 ? GetTarget.Mixed(Mutate(der, random), random) : MutateText(GetTarget.Mixed(der, random), random);
            return RawHttp.Request(host.OcspUri, "GET", "/M" + target[1..Math.Min(target.Length, 1_900)]);
        })];
        MustAllBeHarmless(messages, await host.SendAllAsync(messages));
        (await host.AskAsync(AskAlpha(Known.Good))).MustAnswer(Issuers.Alpha, AlphaId(Known.Good));
    }

    private static byte[][] Corpus()
    {
        RawOcspRequest plain = AskAlpha(Known.Good);
        return
        [
            plain.Encode(),
            plain.WithNonce(new byte[16]).Encode(),
            (plain with { Version = Der.Number(0x00) }).Encode(),
            AskAlpha(Known.Good, Known.Revoked, Known.Held).Encode(),
            RawOcspRequest.For(AlphaId(Known.Revoked, OcspOids.Sha256) with { Parameters = null }).Encode(),
            plain.With(new RawExtension(OcspOids.AcceptableResponses, Der.Sequence(Der.Oid(OcspOids.Basic))), new RawExtension("1.2.3.4", [1, 2, 3])).Encode(),
            plain.With(new RawExtension(OcspOids.PreferredSignatureAlgorithms, Der.Sequence(Der.Sequence(Der.Sequence(Der.Oid(OcspOids.EcdsaWithSha256)))))).Encode(),
            (plain with
            {
                RequestorName = Der.Explicit(4, Issuers.Stranger.Certificate.SubjectName.RawData),
                Signature = RawOcspRequest.EncodeSignature(Der.Sequence(Der.Oid(OcspOids.EcdsaWithSha256)), new byte[64], [Issuers.Stranger.Certificate]),
            }).Encode(),
        ];
    }

    private static void MustAllBeHarmless(byte[][] sent, IReadOnlyList<RawHttpResponse> responses)
    {
        Assert.Equal(sent.Length, responses.Count);
        for (int i = 0; i < sent.Length; i++)
        {
            if (responses[i].StatusCode is >= 400 and < 500)
            {
                continue;
            }

            RawOcspResponse answer = responses[i].Ocsp();
            Assert.True(answer.Status is Successful or MalformedRequest or Unauthorized, $"responseStatus {answer.Status} for {Convert.ToHexString(sent[i])}");

            // A mutation must not talk the responder into vouching for what was never issued.
            Assert.All(answer.Singles.Where(single => single.Status == RawCertStatus.Good), single =>
                Assert.True(Known.IsGoodAtAlpha(single.Serial), $"good for {Convert.ToHexString(single.Serial)}"));
        }
    }

    private static byte[] Mutate(byte[] message, Random random)
    {
        List<byte> octets = [.. message];
        for (int i = random.Next(1, 4); i > 0; i--)
        {
            int at = random.Next(octets.Count);
            switch (random.Next(7))
            {
                case 0:
                    octets[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    octets[at] = (byte)random.Next(256);
                    break;
                case 2:
                    octets.Insert(at, (byte)random.Next(256));
                    break;
                case 3:
                    octets.RemoveAt(at);
                    octets.Add((byte)random.Next(256));
                    break;
                case 4:
                    octets.InsertRange(at, octets.Slice(at, Math.Min(octets.Count - at, random.Next(1, 12))));
                    break;
                case 5:
                    octets[at] = random.Next(4) switch { 0 => 0x00, 1 => 0x7F, 2 => 0x80, _ => 0xFF };
                    break;
                default:
                    octets.RemoveRange(at, Math.Min(octets.Count - at - 1, random.Next(1, 12)));
                    octets.Add(0x00);
                    break;
            }
        }

        return [.. octets];
    }

    private static string MutateText(string target, Random random)
    {
        char[] characters = target.ToCharArray();
        for (int i = random.Next(1, 5); i > 0; i--)
        {
            characters[random.Next(1, characters.Length)] = (char)random.Next(0x21, 0x7F);
        }

        return new string(characters);
    }

    private static byte[] Nest(int levels, byte tag)
    {
        // From the inside out, each level's header put before what is there: a list of headers, reversed.
        List<byte[]> headers = [];
        int length = 0;
        for (int i = 0; i < levels; i++)
        {
            byte[] header = [tag, .. Der.Length(length)];
            headers.Add(header);
            length += header.Length;
        }

        headers.Reverse();
        return Der.Concat([.. headers]);
    }
}
