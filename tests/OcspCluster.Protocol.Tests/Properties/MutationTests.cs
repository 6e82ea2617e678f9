namespace OcspCluster.Protocol.Tests;

/// <summary>
/// Conformance D20: valid messages, mutated. A reader says yes or no; it throws nothing, and what it read can be looked at and written again.
/// The seed is fixed: a failure names the mutation and comes again.
/// </summary>
public class MutationTests
{
    private const int Mutations = 50_000;

    private static readonly byte[] s_interesting = [0x00, 0x01, 0x02, 0x04, 0x05, 0x06, 0x0A, 0x18, 0x24, 0x30, 0x31, 0x7F, 0x80, 0x81, 0x82, 0x84, 0x88, 0xA0, 0xA1, 0xA2, 0xFE, 0xFF];

    [Fact]
    public void Request_Mutated_IsReadOrRefused()
    {
        int read = Mutate(kind: "request", seed: 6960, bytes =>
        {
            if (!OcspRequest.TryDecode(bytes, out OcspRequest? request, out DecodeError error))
            {
                Assert.NotEqual(DecodeError.None, error);
                return false;
            }

            Assert.Equal(DecodeError.None, error);
            Look(request);
            return true;
        });

        Assert.InRange(read, Mutations / 20, Mutations); // mutants that are still requests: the looking was done
    }

    [Fact]
    public void Response_Mutated_IsReadOrRefused()
    {
        int read = Mutate(kind: "response", seed: 9919, bytes =>
        {
            if (!OcspResponse.TryDecode(bytes, out OcspResponse? response, out DecodeError error))
            {
                Assert.NotEqual(DecodeError.None, error);
                return false;
            }

            Assert.Equal(DecodeError.None, error);
            Look(response);
            return true;
        });

        Assert.InRange(read, Mutations / 20, Mutations);
    }

    /// <summary>The reader that builds no objects takes nothing that the other one refuses, and reads the same; what it leaves to be compared is compared here.</summary>
    [Fact]
    public void PlainResponse_Mutated_IsReadAsTheObjectsAre_OrRefused()
    {
        byte[][] corpus = [.. Fixture.All.Where(fixture => fixture.Kind == "response" && fixture.Error == DecodeError.None).Select(fixture => fixture.Bytes).Where(bytes => PlainResponse.TryRead(bytes, out _))];
        Assert.True(corpus.Length > 5, $"Only {corpus.Length} plain responses among the fixtures.");
        Random random = new(6025);
        int accepted = 0;
        for (int i = 0; i < Mutations; i++)
        {
            byte[] original = corpus[random.Next(corpus.Length)];
            Assert.True(PlainResponse.TryRead(original, out PlainResponse known));
            byte[] mutant = Change(original, corpus, random);
            if (!PlainResponse.TryRead(mutant, out PlainResponse plain) || !plain.ResponderId.SequenceEqual(known.ResponderId) || !plain.CertId.SequenceEqual(known.CertId)
                || !plain.SignatureAlgorithm.SequenceEqual(known.SignatureAlgorithm) || !plain.Certificates.SequenceEqual(known.Certificates))
            {
                continue;
            }

            Assert.True(OcspResponse.TryDecode(mutant, out OcspResponse? response, out DecodeError error), $"{error}: {Convert.ToHexString(mutant)}");
            SingleResponse single = Assert.Single(response.Basic!.Data.Responses);
            Assert.Equal((response.Basic.Data.ProducedAt, single.ThisUpdate, single.NextUpdate, single.Status), (plain.ProducedAt, plain.ThisUpdate, plain.NextUpdate, plain.Status));
            Assert.Empty(single.Extensions);
            Assert.Empty(response.Basic.Data.Extensions);
            Assert.True(response.Basic.Data.Encoded.Span.SequenceEqual(plain.Data));
            Assert.True(response.Basic.Signature.Span.SequenceEqual(plain.Signature));
            Assert.True(response.Basic.Data.ResponderId.Encoded.Span.SequenceEqual(plain.ResponderId));
            accepted++;
        }

        Assert.InRange(accepted, Mutations / 50, Mutations);
    }

    [Fact]
    public void Noise_IsRefused()
    {
        Random random = new(5280);
        for (int i = 0; i < Mutations; i++)
        {
            byte[] noise = new byte[random.Next(0, 200)];
            random.NextBytes(noise);

            Assert.False(OcspRequest.TryDecode(noise, out _, out _));
            Assert.False(OcspResponse.TryDecode(noise, out _, out _));
        }
    }

    private static int Mutate(string kind, int seed, Func<byte[], bool> read)
    {
        byte[][] corpus = [.. Fixture.All.Where(fixture => fixture.Kind == kind && fixture.Error == DecodeError.None).Select(fixture => fixture.Bytes)];
        Random random = new(seed);
        int accepted = 0;
        for (int i = 0; i < Mutations; i++)
        {
            byte[] mutant = corpus[random.Next(corpus.Length)];
            for (int changes = random.Next(1, 4); changes > 0; changes--)
            {
                mutant = Change(mutant, corpus, random);
            }

            try
            {
                accepted += read(mutant) ? 1 : 0;
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"Mutation {i} of seed {seed}: {Convert.ToHexString(mutant)}", e);
            }
        }

        return accepted;
    }

    private static byte[] Change(byte[] message, byte[][] corpus, Random random)
    {
        if (message.Length == 0)
        {
            return [(byte)random.Next(256)];
        }

        byte[] copy = [.. message];
        int at = random.Next(copy.Length);
        int count = random.Next(0, Math.Min(16, copy.Length - at) + 1);
        switch (random.Next(9))
        {
            case 0:
                copy[at] ^= (byte)(1 << random.Next(8));
                return copy;
            case 1:
                copy[at] = (byte)random.Next(256);
                return copy;
            case 2:
                copy[at] = s_interesting[random.Next(s_interesting.Length)];
                return copy;
            case 3:
                copy[at]++;
                return copy;
            case 4:
                copy[at]--;
                return copy;
            case 5:
                return [.. copy[..at], .. copy[(at + count)..]];
            case 6:
                return [.. copy[..(at + count)], .. copy[at..]];
            case 7:
                return copy[..at];
            default:
                byte[] other = corpus[random.Next(corpus.Length)];
                int from = random.Next(other.Length);
                return [.. copy[..at], .. other[from..Math.Min(other.Length, from + count)], .. copy[at..]];
        }
    }

    private static void Look(OcspRequest request)
    {
        _ = request.RequestorName?.Text;
        _ = request.RequestorName?.DirectoryName?.RawData;
        foreach (SingleRequest single in request.Requests)
        {
            _ = single.CertId.ToString();
            LookAtExtensions(single.Extensions);
        }

        if (request.Signature is null)
        {
            Assert.Equal(request.TbsRequest.ToArray(), new OcspRequestBuilder(request).Build().TbsRequest.ToArray());
        }
    }

    private static void Look(OcspResponse response)
    {
        if (response.Basic is not BasicOcspResponse basic)
        {
            Assert.NotEqual(OcspResponseStatus.Successful, response.Status);
            return;
        }

        Assert.NotEmpty(basic.Data.Responses);
        _ = basic.Data.ResponderId.ToString();
        Assert.True(basic.Data.ResponderId.Equals(basic.Data.ResponderId));
        foreach (SingleResponse single in basic.Data.Responses)
        {
            _ = single.CertId.ToString();
            Assert.Equal(TimeSpan.Zero, single.ThisUpdate.Offset);
            LookAtExtensions(single.Extensions);
        }

        LookAtExtensions(basic.Data.Extensions);
    }

    private static void LookAtExtensions(OcspExtensionCollection extensions)
    {
        foreach (OcspExtension extension in extensions)
        {
            try
            {
                _ = BrokenMessageTests.ReadExtension(extensions, extension.Oid);
            }
            catch (OcspFormatException e)
            {
                Assert.Equal(DecodeError.InvalidExtension, e.Error); // the documented one
            }
            catch (ArgumentOutOfRangeException e) when (e.ParamName == "oid")
            {
                Assert.DoesNotContain(extension.Oid, s_known);
            }
        }
    }

    private static readonly string[] s_known =
    [
        CrlReference.ExtensionOid, ServiceLocator.ExtensionOid, ResponseExtensions.ArchiveCutoffOid, ResponseExtensions.InvalidityDateOid,
        ResponseExtensions.CrlReasonOid, ResponseExtensions.CertificateIssuerOid, ResponseExtensions.ExtendedRevokeOid,
    ];
}
