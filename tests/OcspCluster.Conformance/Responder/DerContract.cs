using OcspCluster.Testing;
using static OcspCluster.Conformance.Questions;

namespace OcspCluster.Conformance;

/// <summary>What is not DER, or not this structure, is malformedRequest (rules D1–D14).</summary>
public abstract class DerContract(SharedHosts shared) : ResponderContract(shared)
{
    private static readonly RawExtension s_unknown = new("1.2.3.4.5.6", [0x01, 0x02, 0x03]);

    // Every field that an unsigned request can have, but the version.
    private static readonly RawOcspRequest s_full = new RawOcspRequest
    {
        RequestorName = Der.Explicit(4, Issuers.Stranger.Certificate.SubjectName.RawData),
        Requests =
        [
            new RawSingleRequest(AlphaId(Known.Good).Encode(), [s_unknown]),
            new RawSingleRequest(AlphaId(Known.Held, OcspOids.Sha256).Encode()),
        ],
    }.WithNonce(new byte[16]);

    private static readonly DerNode s_tree = DerNode.Parse(s_full.Encode());

    [Fact]
    public async Task D0_TheWellFormedRequest_IsAnswered()
    {
        // All refusals below start from this one: were it refused, they would prove nothing.
        IResponderHost host = await DefaultAsync();
        RawOcspResponse answer = await host.AskAsync(s_full);
        answer.MustAnswer(Issuers.Alpha, AlphaId(Known.Good), AlphaId(Known.Held, OcspOids.Sha256));
        Assert.Equal(s_full.Encode(), s_tree.Encode());
    }

    [Fact]
    public async Task D1_NotAnOcspRequest_MalformedRequest()
    {
        IResponderHost host = await DefaultAsync();
        byte[] request = AskAlpha(Known.Good).Encode();
        await host.MustRefuseAsync([
            ("empty body", []),
            ("one octet", [0x30]),
            ("one zero", [0x00]),
            ("text", "status please"u8.ToArray()),
            ("base64", System.Text.Encoding.ASCII.GetBytes(Convert.ToBase64String(request))),
            ("PEM", System.Text.Encoding.ASCII.GetBytes(System.Security.Cryptography.PemEncoding.WriteString("OCSP REQUEST", request))),
            ("an OCSPResponse", (await host.PostAsync(request)).Body),
            ("an error OCSPResponse", [0x30, 0x03, 0x0A, 0x01, 0x06]),
            ("a certificate", Issuers.Alpha.Certificate.RawData),
            ("a CertID", AlphaId(Known.Good).Encode()),
            ("a TBSRequest", AskAlpha(Known.Good).EncodeTbs()),
        ]);
    }

    [Fact]
    public async Task D2_TrailingOctets_MalformedRequest()
    {
        byte[] request = s_full.Encode();
        await (await DefaultAsync()).MustRefuseAsync([
            ("a zero after the message", [.. request, 0x00]),
            ("a NULL after the message", [.. request, .. Der.Null]),
            ("a second message", [.. request, .. request]),
            ("a line break after the message", [.. request, 0x0D, 0x0A]),
            .. EachNode("a NULL at the end of", node => node.IsConstructed ? Der.Tlv(node.Tag, node.Content.ToArray(), Der.Null) : null),
            .. EachNode("a zero at the end of", node => node.IsConstructed ? Der.Tlv(node.Tag, node.Content.ToArray(), [0x00]) : null),
            .. EachNode("a field [9] at the end of", node => node.IsConstructed ? Der.Tlv(node.Tag, node.Content.ToArray(), Der.Explicit(9, Der.Null)) : null),
        ]);
    }

    [Fact]
    public async Task D3_IndefiniteLengthOrConstructedString_MalformedRequest() => await (await DefaultAsync()).MustRefuseAsync([
        .. EachNode("indefinite length of", node => node.IsConstructed ? [node.Tag, 0x80, .. node.Content, 0x00, 0x00] : null),
        .. EachNode("constructed", node => node.Tag == 0x04 ? Der.Tlv(0x24, Der.OctetString(node.Content.ToArray())) : null),
        .. EachNode("constructed in two parts", node => node.Tag == 0x04 ? Der.Tlv(0x24, Der.OctetString(node.Content[..1].ToArray()), Der.OctetString(node.Content[1..].ToArray())) : null),
    ]);

    [Fact]
    public async Task D4_LengthNotMinimal_MalformedRequest() => await (await DefaultAsync()).MustRefuseAsync([
        .. EachNode("one length octet too many in", node => node.Content.Length < 0x80
            ? [node.Tag, 0x81, (byte)node.Content.Length, .. node.Content]
            : [node.Tag, 0x83, 0x00, (byte)(node.Content.Length >> 8), (byte)node.Content.Length, .. node.Content]),
        .. EachNode("four length octets in", node => [node.Tag, 0x84, 0x00, 0x00, (byte)(node.Content.Length >> 8), (byte)node.Content.Length, .. node.Content]),
        .. EachNode("length octet FF in", node => [node.Tag, 0xFF, .. node.Content]),
        .. EachNode("length octet 80 in", node => [node.Tag, 0x80, .. node.Content]),
    ]);

    [Fact]
    public async Task D5_LengthBeyondTheInput_MalformedRequest() => await (await DefaultAsync()).MustRefuseAsync([
        .. EachNode("one octet too long:", node => [node.Tag, .. Der.Length(node.Content.Length + 1), .. node.Content]),
        .. EachNode("84 FF FF FF FF in", node => [node.Tag, 0x84, 0xFF, 0xFF, 0xFF, 0xFF, .. node.Content]),
        .. EachNode("84 7F FF FF FF in", node => [node.Tag, 0x84, 0x7F, 0xFF, 0xFF, 0xFF, .. node.Content]),
        .. EachNode("eight length octets in", node => [node.Tag, 0x88, 0x80, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, (byte)node.Content.Length, .. node.Content]),
        .. EachNode("eight FF in", node => [node.Tag, 0x88, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, .. node.Content]),
    ]);

    [Fact]
    public async Task D5_TruncationAtEveryOffset_MalformedRequest()
    {
        IResponderHost host = await DefaultAsync();
        byte[] request = s_full.Encode();
        await host.MustRefuseAsync(Enumerable.Range(0, request.Length).Select(length => ($"cut to {length}", request[..length])));
        IEnumerable<byte[]> gets = Enumerable.Range(1, request.Length - 1).Select(length => RawHttp.Request(host.OcspUri, "GET", "/" + GetTarget.Escaped(request[..length])));
        Assert.All(await host.SendAllAsync(gets), response => response.Ocsp().MustBe(MalformedRequest));
    }

    [Fact]
    public async Task D6_WrongTagClassOrForm_MalformedRequest() => await (await DefaultAsync()).MustRefuseAsync([
        .. EachNode("next tag for", node => Der.Tlv((byte)(node.Tag + 1), node.Content.ToArray())),
        .. EachNode("constructed bit of", node => Der.Tlv((byte)(node.Tag ^ 0x20), node.Content.ToArray())),
        .. EachNode("class of", node => Der.Tlv((byte)(node.Tag ^ 0x40), node.Content.ToArray())),
        .. EachNode("context class bit of", node => Der.Tlv((byte)(node.Tag ^ 0x80), node.Content.ToArray())),
        .. EachNode("tag 00 for", node => Der.Tlv(0x00, node.Content.ToArray())),
        .. EachNode("multi-byte tag for", node => [(byte)(node.Tag | 0x1F), (byte)(node.Tag & 0x1F), .. Der.Length(node.Content.Length), .. node.Content]),
        .. EachNode("endless tag for", node => [(byte)(node.Tag | 0x1F), 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F, .. Der.Length(node.Content.Length), .. node.Content]),
    ]);

    [Fact]
    public async Task D8_Integer_EmptyOrRedundant_MalformedRequest()
    {
        List<(string, byte[])> cases = [];
        foreach (byte[] content in new byte[][] { [], [0x00, 0x00], [0x00, 0x7F], [0xFF, 0x80], [0xFF, 0xFF] })
        {
            string name = Convert.ToHexString(content);
            cases.Add(($"serial {name}", AskAlpha(content).Encode()));
            cases.Add(($"version {name}", (AskAlpha(Known.Good) with { Version = Der.Number(content) }).Encode()));
        }

        await (await DefaultAsync()).MustRefuseAsync(cases);
    }

    [Fact]
    public async Task D9_Boolean_OtherThan00OrFF_MalformedRequest_FalseWrittenOut_Accepted()
    {
        IResponderHost host = await DefaultAsync();
        await host.MustRefuseAsync(new byte[][] { [0x01, 0x01, 0x01], [0x01, 0x01, 0x7F], [0x01, 0x00], [0x01, 0x02, 0xFF, 0xFF], [0x21, 0x01, 0xFF] }.SelectMany(boolean =>
        {
            byte[] extensions = Der.Sequence(Der.Sequence(Der.Oid(s_unknown.Oid), boolean, Der.OctetString(s_unknown.Value)));
            return new[]
            {
                ($"request {Convert.ToHexString(boolean)}", (AskAlpha(Known.Good) with { TbsTail = Der.Explicit(2, extensions) }).Encode()),
                ($"single {Convert.ToHexString(boolean)}", Der.Sequence(Der.Sequence(Der.Sequence(Der.Sequence(AlphaId(Known.Good).Encode(), Der.Explicit(0, extensions)))))),
            };
        }));
        (await host.AskAsync(AskAlpha(Known.Good).With(s_unknown with { WritesFalse = true }))).MustAnswer(Issuers.Alpha, AlphaId(Known.Good));
    }

    [Fact]
    public async Task D10_ObjectIdentifier_Malformed_MalformedRequest()
    {
        RawCertId good = AlphaId(Known.Good);
        await (await DefaultAsync()).MustRefuseAsync(new byte[][]
        {
            [0x06, 0x00],
            [0x06, 0x01, 0x80],
            [0x06, 0x02, 0x2A, 0x86],
            [0x06, 0x03, 0x2A, 0x80, 0x01],
            [0x06, 0x02, 0x80, 0x2A],
        }.SelectMany(oid => new[]
        {
            ($"hash {Convert.ToHexString(oid)}", new RawOcspRequest
            {
                Requests = [new RawSingleRequest(Der.Sequence(Der.Sequence(oid, Der.Null), Der.OctetString(good.NameHash), Der.OctetString(good.KeyHash), Der.Number(good.Serial)))],
            }.Encode()),
            ($"extension {Convert.ToHexString(oid)}", (AskAlpha(Known.Good) with { TbsTail = Der.Explicit(2, Der.Sequence(Der.Sequence(oid, Der.OctetString(1)))) }).Encode()),
        }));
    }

    [Fact]
    public async Task D10_ObjectIdentifier_HugeButLegalArc_IsJustAnotherOid()
    {
        IResponderHost host = await DefaultAsync();
        byte[] huge = Der.Tlv(0x06, [0x2A, .. Enumerable.Repeat((byte)0xFF, 40), 0x7F]);
        byte[] extensions = Der.Explicit(2, Der.Sequence(Der.Sequence(huge, Der.OctetString(1))));
        RawOcspResponse answer = await host.AskAsync(AskAlpha(Known.Good) with { TbsTail = extensions });
        Assert.True(answer.Status is Successful or MalformedRequest, $"responseStatus {answer.Status}");
    }

    [Fact]
    public async Task D11_SignatureBitString_BadPadding_MalformedRequest()
    {
        byte[] algorithm = Der.Sequence(Der.Oid(OcspOids.EcdsaWithSha256));
        await (await DefaultAsync()).MustRefuseAsync(new (string Name, byte[] Bits)[]
        {
            ("no octets", [0x03, 0x00]),
            ("8 unused bits", Der.BitString([0xAB, 0x00], 8)),
            ("255 unused bits", Der.BitString([0xAB, 0x00], 255)),
            ("unused bits of nothing", [0x03, 0x01, 0x01]),
            ("non-zero padding", Der.BitString([0xAB, 0x01], 1)),
            ("a signature with unused bits", Der.BitString([0xAB, 0x00], 1)),
        }.Select(one => (one.Name, (AskAlpha(Known.Good) with
        {
            RequestorName = Der.Text(0x82, "a.test"),
            Signature = Der.Sequence(algorithm, one.Bits),
        }).Encode())));
    }

    [Fact]
    public async Task D12_ExtensionTwice_MalformedRequest() => await (await DefaultAsync()).MustRefuseAsync([
        ("unknown, in the request", AskAlpha(Known.Good).With(s_unknown, s_unknown).Encode()),
        ("unknown, with another between", AskAlpha(Known.Good).With(s_unknown, RawExtension.Nonce(new byte[16]), s_unknown with { Value = [] }).Encode()),
        ("unknown, in the single", new RawOcspRequest { Requests = [new RawSingleRequest(AlphaId(Known.Good).Encode(), [s_unknown, s_unknown])] }.Encode()),
    ]);

    [Fact]
    public async Task D13_ExtensionsPresentButEmpty_MalformedRequest() => await (await DefaultAsync()).MustRefuseAsync([
        ("request", (AskAlpha(Known.Good) with { Extensions = [] }).Encode()),
        ("single", new RawOcspRequest { Requests = [new RawSingleRequest(AlphaId(Known.Good).Encode(), [])] }.Encode()),
        ("request, [2] alone", (AskAlpha(Known.Good) with { TbsTail = Der.Explicit(2) }).Encode()),
    ]);

    // Spoils one node of the full request at a time; null leaves a node out. What is inside a GeneralName's Name is not ours to judge: left out as well.
    private static IEnumerable<(string, byte[])> EachNode(string what, Func<DerNode, byte[]?> spoil)
    {
        HashSet<DerNode> insideName = [.. s_tree.SelfAndDescendants().Where(node => node.Tag == 0xA4).SelectMany(node => node.Children.SelectMany(name => name.SelfAndDescendants()))];
        int index = 0;
        foreach (DerNode node in s_tree.SelfAndDescendants())
        {
            index++;
            if (!insideName.Contains(node) && spoil(node) is { } spoilt)
            {
                yield return ($"{what} node {index} (tag {node.Tag:X2}, depth {node.Depth})", s_tree.EncodeWith(node, spoilt));
            }
        }
    }
}
