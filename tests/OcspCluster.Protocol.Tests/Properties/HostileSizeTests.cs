using System.Diagnostics;
using System.Formats.Asn1;

namespace OcspCluster.Protocol.Tests;

/// <summary>Conformance D5, D7, D19: neither a length that lies nor a message that is large costs more than its octets deserve.</summary>
public class HostileSizeTests
{
    // An exception and its stack trace; nothing near the 4 GiB or 9 EiB that the lengths claim.
    private const long RefusalBytes = 32 * 1024;

    public static TheoryData<string> LyingLengths => Fixture.Files(fixture => fixture.Rule is "D4" or "D5" or "D7" && fixture.Error != DecodeError.None);

    [Theory]
    [MemberData(nameof(LyingLengths))]
    public void Length_ThatLies_AllocatesNothingOfIt(string file)
    {
        byte[] bytes = Fixture.Read(file);
        bool isRequest = Fixture.Get(file).Kind == "request";

        Assert.InRange(Allocated(() => Read(bytes, isRequest)), 0, RefusalBytes);
    }

    [Fact]
    public void CertIds_100000_AreRefusedAtTheCap()
    {
        byte[] certId = [.. CertId.Create(Fixture.Ca, SerialNumber.ParseHex("1001")).Encoded.Span];
        byte[] message = Sequence(Sequence(Sequence([.. Enumerable.Repeat(Sequence(certId), 100_000)])));

        Assert.False(OcspRequest.TryDecode(message, out _, out DecodeError error));
        Assert.Equal(DecodeError.TooManyCertIds, error);
        Assert.InRange(Allocated(() => Read(message, isRequest: true)), 0, message.Length);
    }

    [Theory]
    [InlineData(16, true)]
    [InlineData(1_000, false)]
    public void Certificates_Many_AreRefusedAtTheCap(int count, bool isRead)
    {
        byte[][] certificates = [.. Enumerable.Repeat(Fixture.Read("pki/ca-rsa.cert.der"), count)];
        byte[] tbsRequest = OcspRequest.Decode(Fixture.Read("requests/ok-requestor-dNSName.der")).TbsRequest.ToArray();
        byte[] signature = Sequence(Sequence(Oid("1.3.6.1.4.1.99999.5")), [0x03, 0x02, 0x00, 0x01], Explicit(0, Sequence(certificates)));
        byte[] message = Sequence(tbsRequest, Explicit(0, signature));

        Assert.Equal(isRead, OcspRequest.TryDecode(message, out _, out _));
        Assert.InRange(Allocated(() => Read(message, isRequest: true)), 0, RefusalBytes);
    }

    [Fact]
    public void Extensions_100000_AreRefusedAtTheCap()
    {
        byte[][] many = [.. Enumerable.Range(0, 100_000).Select(i => Sequence(Oid("1.3.6.1.4.1.99999." + i), [0x04, 0x00]))];
        byte[] message = Request(Explicit(2, Sequence(many)));

        Assert.False(OcspRequest.TryDecode(message, out _, out _));
        Assert.InRange(Allocated(() => Read(message, isRequest: true)), 0, 4 * RefusalBytes);
    }

    [Theory]
    [InlineData(1_000)]
    [InlineData(10_000)]
    public void Name_ManyRelativeNames_CostsInProportion(int count)
    {
        byte[] relative = Set(Sequence(Oid("2.5.4.3"), [0x0C, 0x01, 0x61]));
        byte[] message = RequestFrom(Explicit(4, Sequence([.. Enumerable.Repeat(relative, count)])));

        Assert.True(OcspRequest.TryDecode(message, out _, out _));
        Assert.InRange(Allocated(() => Read(message, isRequest: true)), 0, (50L * message.Length) + RefusalBytes);
    }

    [Fact]
    public void OtherName_OfAMegabyte_CostsInProportion()
    {
        byte[] value = new byte[1_000_000];
        AsnWriter writer = new(AsnEncodingRules.DER);
        writer.WriteOctetString(value);
        byte[] message = RequestFrom(Explicit(0, Oid("1.3.6.1.4.1.99999.1"), Explicit(0, writer.Encode())));

        Assert.True(OcspRequest.TryDecode(message, out _, out _));
        Assert.InRange(Allocated(() => Read(message, isRequest: true)), 0, (2L * message.Length) + RefusalBytes);
    }

    [Theory]
    [InlineData(0xFF)] // one arc without end
    [InlineData(0x01)] // as many arcs as octets
    public void Oid_OfAMegabyte_IsNoBurden(byte octet)
    {
        byte[] content = new byte[1_000_000];
        Array.Fill(content, octet);
        content[^1] = 0x01;
        byte[] oid = [0x06, 0x83, 0x0F, 0x42, 0x40, .. content];
        byte[] message = Request(Explicit(2, Sequence(Sequence(oid, [0x04, 0x00]))));

        long started = Stopwatch.GetTimestamp();
        Read(message, isRequest: true);

        Assert.InRange(Stopwatch.GetElapsedTime(started).TotalSeconds, 0, 5); // quadratic work would take minutes
        Assert.InRange(Allocated(() => Read(message, isRequest: true)), 0, (20L * message.Length) + RefusalBytes);
    }

    private static void Read(byte[] bytes, bool isRequest)
    {
        if (isRequest)
        {
            OcspRequest.TryDecode(bytes, out _, out _);
        }
        else
        {
            OcspResponse.TryDecode(bytes, out _, out _);
        }
    }

    private static long Allocated(Action action)
    {
        action(); // what is allocated once, by the runtime and by statics, is not the message's doing
        long before = GC.GetAllocatedBytesForCurrentThread();
        action();
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    private static byte[] Request(byte[] extensions) => Sequence(Sequence(
        Sequence(Sequence(CertId.Create(Fixture.Ca, SerialNumber.ParseHex("1001")).Encoded.ToArray())),
        extensions));

    private static byte[] RequestFrom(byte[] generalName) => Sequence(Sequence(
        Explicit(1, generalName),
        Sequence(Sequence(CertId.Create(Fixture.Ca, SerialNumber.ParseHex("1001")).Encoded.ToArray()))));

    private static byte[] Sequence(params byte[][] contents) => Constructed(0x30, contents);

    private static byte[] Set(params byte[][] contents) => Constructed(0x31, contents);

    private static byte[] Explicit(int number, params byte[][] contents) => Constructed((byte)(0xA0 | number), contents);

    // By hand: AsnWriter grows by a constant, so that megabytes of it take a time that grows with their square.
    private static byte[] Constructed(byte tag, byte[][] contents)
    {
        int length = contents.Sum(content => content.Length);
        byte[] header = length switch
        {
            < 0x80 => [tag, (byte)length],
            < 0x100 => [tag, 0x81, (byte)length],
            < 0x10000 => [tag, 0x82, (byte)(length >> 8), (byte)length],
            _ => [tag, 0x83, (byte)(length >> 16), (byte)(length >> 8), (byte)length],
        };
        return [.. header, .. contents.SelectMany(content => content)];
    }

    private static byte[] Oid(string oid)
    {
        AsnWriter writer = new(AsnEncodingRules.DER);
        writer.WriteObjectIdentifier(oid);
        return writer.Encode();
    }
}
