using OcspCluster.Testing;
using static OcspCluster.Conformance.Questions;

namespace OcspCluster.Conformance;

/// <summary>The OCSPRequest around its CertIDs: version, requestorName, signature (rules R1–R7, R60).</summary>
public abstract class RequestContract(SharedHosts shared) : ResponderContract(shared)
{
    private static readonly TestCertificate s_requestor = Issuers.Stranger.IssueLeaf([0x11, 0x22], "Requestor");
    private static readonly TestCertificate s_untrusted = Issuers.Stranger.IssueLeaf([0x11, 0x23], "Untrusted requestor", key: TestKey.Rsa());

    private static readonly byte[] s_requestorName = Der.Explicit(4, s_requestor.Certificate.SubjectName.RawData);

    public static TheoryData<string, string> OtherVersions => new()
    {
        { "v2", Hex(Der.Number(0x01)) },
        { "v3", Hex(Der.Number(0x02)) },
        { "minus one", Hex(Der.Number(0xFF)) },
        { "huge", Hex(Der.Number(0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00)) },
        { "zero in two octets", Hex(Der.Number(0x00, 0x00)) },
        { "no octets", Hex(Der.Number()) },
        { "an OCTET STRING", Hex(Der.OctetString(0x00)) },
        { "nothing", "" },
        { "two numbers", Hex(Der.Concat(Der.Number(0x00), Der.Number(0x00))) },
    };

    public static TheoryData<string, string> GeneralNames => new()
    {
        { "otherName", Hex(Der.Explicit(0, Der.Oid("1.2.3.4"), Der.Explicit(0, Der.Text(0x0C, "x")))) },
        { "rfc822Name", Hex(Der.Text(0x81, "a@example.test")) },
        { "dNSName", Hex(Der.Text(0x82, "example.test")) },
        { "x400Address", Hex(Der.Explicit(3, Der.Sequence())) },
        { "directoryName", Hex(s_requestorName) },
        { "directoryName, empty", Hex(Der.Explicit(4, Der.Sequence())) },
        { "ediPartyName", Hex(Der.Explicit(5, Der.Explicit(1, Der.Text(0x0C, "party")))) },
        { "uniformResourceIdentifier", Hex(Der.Text(0x86, "http://example.test/")) },
        { "iPAddress", Hex(Der.Implicit(7, 127, 0, 0, 1)) },
        { "registeredID", Hex(Der.Implicit(8, 0x2A, 0x03, 0x04)) },
    };

    public static TheoryData<string, string> UndecodableNames => new()
    {
        { "nothing", "" },
        { "a tag that GeneralName has not", Hex(Der.Implicit(9, 1)) },
        { "a universal tag", Hex(Der.Text(0x0C, "x")) },
        { "two names", Hex(Der.Concat(Der.Text(0x82, "a"), Der.Text(0x82, "b"))) },
        { "directoryName without a Name", Hex(Der.Explicit(4, Der.Null)) },
        { "directoryName cut short", "A4023005" },
    };

    [Fact]
    public async Task R1_Version_Absent_IsV1()
    {
        IResponderHost host = await DefaultAsync();
        (await host.AskAsync(AskAlpha(Known.Good))).MustAnswer(Issuers.Alpha, AlphaId(Known.Good));
    }

    [Theory]
    [MemberData(nameof(OtherVersions))]
    public async Task R1_Version_OtherThanV1_MalformedRequest(string name, string version)
    {
        IResponderHost host = await DefaultAsync();
        await host.MustRefuseAsync([(name, (AskAlpha(Known.Good) with { Version = Convert.FromHexString(version) }).Encode())]);
    }

    [Fact]
    public async Task R2_Version_V1WrittenOut_AnsweredAsIfAbsent()
    {
        IResponderHost host = await DefaultAsync();
        RawOcspResponse answer = await host.AskAsync(AskAlpha(Known.Good) with { Version = Der.Number(0x00) });
        answer.MustAnswer(Issuers.Alpha, AlphaId(Known.Good));
        Assert.Null(answer.Extensions);
    }

    [Theory]
    [MemberData(nameof(GeneralNames))]
    public async Task R3_RequestorName_Unsigned_AnsweredAsWithoutIt(string form, string name)
    {
        Assert.NotEmpty(form);
        IResponderHost host = await DefaultAsync();
        RawOcspResponse plain = await host.AskAsync(AskAlpha(Known.Revoked));
        RawOcspResponse named = await host.AskAsync(AskAlpha(Known.Revoked) with { RequestorName = Convert.FromHexString(name) });
        named.MustAnswer(Issuers.Alpha, AlphaId(Known.Revoked));
        Assert.Equal(plain.Singles[0].CertStatus, named.Singles[0].CertStatus);
        Assert.Null(named.Extensions);
    }

    [Theory]
    [MemberData(nameof(UndecodableNames))]
    public async Task R3_RequestorName_Undecodable_MalformedRequest(string form, string name)
    {
        IResponderHost host = await DefaultAsync();
        await host.MustRefuseAsync([(form, (AskAlpha(Known.Good) with { RequestorName = Convert.FromHexString(name) }).Encode())]);
    }

    [Fact]
    public async Task R4_OptionalSignature_VerificationOff_Answered()
    {
        IResponderHost host = await DefaultAsync();
        RawOcspRequest plain = AskAlpha(Known.Good) with { RequestorName = s_requestorName };
        byte[] unknownAlgorithm = Der.Sequence(Der.Oid("1.2.3.4.5"), Der.Null);
        foreach (RawOcspRequest signed in new[]
        {
            plain.SignedBy(s_requestor),
            plain.SignedBy(s_untrusted, enclose: false),
            plain with { Signature = RawOcspRequest.EncodeSignature(unknownAlgorithm, [1, 2, 3], []) },
            plain with { Signature = RawOcspRequest.EncodeSignature(s_requestor.Key.SignatureAlgorithm, new byte[64], []) },
        })
        {
            (await host.AskAsync(signed)).MustAnswer(Issuers.Alpha, AlphaId(Known.Good));
        }
    }

    [Fact]
    public async Task R4_OptionalSignature_JunkCertificates_NeverInternalError()
    {
        IResponderHost host = await DefaultAsync();
        foreach (byte[] certificates in new[] { Der.Sequence(), Der.Sequence(Der.Sequence()), Der.Sequence(Der.OctetString(1, 2, 3)), Der.Sequence(Der.Sequence(Der.Null, Der.Null, Der.Null)) })
        {
            byte[] signature = Der.Sequence(s_requestor.Key.SignatureAlgorithm, Der.BitString(new byte[64]), Der.Explicit(0, certificates));
            RawOcspResponse answer = await host.AskAsync(AskAlpha(Known.Good) with { RequestorName = s_requestorName, Signature = signature });
            Assert.True(answer.Status is Successful or MalformedRequest, $"responseStatus {answer.Status}");
        }
    }

    [Fact]
    public async Task R5_SignedRequest_TrustedAndRight_Answered()
    {
        IResponderHost host = await VerifyingAsync();
        RawOcspRequest request = AskAlpha(Known.Good) with { RequestorName = s_requestorName };
        (await host.AskAsync(request.SignedBy(s_requestor))).MustAnswer(Issuers.Alpha, AlphaId(Known.Good));
        (await host.AskAsync(request.SignedBy(s_requestor, enclose: false))).MustAnswer(Issuers.Alpha, AlphaId(Known.Good));
    }

    [Fact]
    public async Task R5_SignedRequest_SignatureIsOverTheOctetsReceived()
    {
        // Version v1 written out is not DER and is answered all the same (R2): encoding it again would lose it, and the signature with it.
        IResponderHost host = await VerifyingAsync();
        RawOcspRequest request = AskAlpha(Known.Good) with { Version = Der.Number(0x00), RequestorName = s_requestorName };
        (await host.AskAsync(request.SignedBy(s_requestor))).MustAnswer(Issuers.Alpha, AlphaId(Known.Good));
    }

    [Fact]
    public async Task R5_UnsignedRequest_WhereSignaturesAreOnlyVerified_Answered()
    {
        IResponderHost host = await VerifyingAsync();
        (await host.AskAsync(AskAlpha(Known.Good))).MustAnswer(Issuers.Alpha, AlphaId(Known.Good));
    }

    [Fact]
    public async Task R5_SignedRequest_BadSignature_Unauthorized()
    {
        IResponderHost host = await VerifyingAsync();
        RawOcspRequest request = AskAlpha(Known.Good) with { RequestorName = s_requestorName };
        RawOcspRequest other = AskAlpha(Known.Revoked) with { RequestorName = s_requestorName };
        (await host.AskAsync(other with { Signature = request.SignedBy(s_requestor).Signature })).MustBe(Unauthorized);
        byte[] junk = RawOcspRequest.EncodeSignature(s_requestor.Key.SignatureAlgorithm, [1, 2, 3], [s_requestor.Certificate]);
        (await host.AskAsync(request with { Signature = junk })).MustBe(Unauthorized);
    }

    [Fact]
    public async Task R5_SignedRequest_UntrustedSigner_Unauthorized()
    {
        IResponderHost host = await VerifyingAsync();
        RawOcspRequest request = AskAlpha(Known.Good) with { RequestorName = Der.Explicit(4, s_untrusted.Certificate.SubjectName.RawData) };
        (await host.AskAsync(request.SignedBy(s_untrusted))).MustBe(Unauthorized);
    }

    [Fact]
    public async Task R5_SignedRequest_UnknownAlgorithm_Unauthorized()
    {
        IResponderHost host = await VerifyingAsync();
        byte[] signature = RawOcspRequest.EncodeSignature(Der.Sequence(Der.Oid("1.2.3.4.5")), new byte[64], [s_requestor.Certificate]);
        (await host.AskAsync(AskAlpha(Known.Good) with { RequestorName = s_requestorName, Signature = signature })).MustBe(Unauthorized);
    }

    [Fact]
    public async Task R5_SignedRequest_WithoutRequestorName_MalformedRequest()
    {
        IResponderHost host = await VerifyingAsync();
        await host.MustRefuseAsync([("no requestorName", AskAlpha(Known.Good).SignedBy(s_requestor).Encode())]);
    }

    [Fact]
    public async Task R5_SignedRequest_UndecodableBlock_MalformedRequest()
    {
        IResponderHost host = await VerifyingAsync();
        RawOcspRequest request = AskAlpha(Known.Good) with { RequestorName = s_requestorName };
        byte[] whole = request.SignedBy(s_requestor).Signature!;
        await host.MustRefuseAsync([
            ("empty", (request with { Signature = Der.Sequence() }).Encode()),
            ("NULL", (request with { Signature = Der.Null }).Encode()),
            ("no BIT STRING", (request with { Signature = Der.Sequence(s_requestor.Key.SignatureAlgorithm) }).Encode()),
            ("octets after it", (request with { Signature = Der.Concat(whole, Der.Null) }).Encode()),
        ]);
    }

    [Fact]
    public async Task R6_SignatureRequired_Unsigned_SigRequired()
    {
        IssuerSetup alpha = Issuers.Alpha.With(("SignedRequests", "Require")) with { Requestors = [s_requestor.Certificate] };
        IResponderHost host = await SharedAsync("require", ResponderSetup.Of(alpha));
        (await host.AskAsync(AskAlpha(Known.Good))).MustBe(SigRequired);
        RawOcspRequest request = AskAlpha(Known.Good) with { RequestorName = s_requestorName };
        (await host.AskAsync(request.SignedBy(s_requestor))).MustAnswer(Issuers.Alpha, AlphaId(Known.Good));
    }

    [Fact]
    public async Task R7_RequestList_Empty_MalformedRequest()
    {
        IResponderHost host = await DefaultAsync();
        await host.MustRefuseAsync([
            ("empty", new RawOcspRequest().Encode()),
            ("empty with a nonce", new RawOcspRequest().WithNonce(new byte[16]).Encode()),
            ("a Request without CertID", new RawOcspRequest { Requests = [new RawSingleRequest([])] }.Encode()),
        ]);
    }

    [Fact]
    public async Task R60_Request_Undecodable_MalformedRequestByPostAndGet()
    {
        IResponderHost host = await DefaultAsync();
        foreach (byte[] junk in new byte[][] { [0x30, 0x00], [0x30, 0x03, 0x0A, 0x01, 0x00], [0x30, 0x82, 0x10, 0x00], Der.Sequence(Der.Sequence()) })
        {
            (await host.PostAsync(junk)).Ocsp().MustBe(MalformedRequest);
            (await host.GetAsync("/" + GetTarget.Escaped(junk))).Ocsp().MustBe(MalformedRequest);
        }
    }

    private Task<IResponderHost> VerifyingAsync() => SharedAsync(
        "verify",
        ResponderSetup.Of(Issuers.Alpha.With(("SignedRequests", "Verify")) with { Requestors = [s_requestor.Certificate] }));

    private static string Hex(byte[] octets) => Convert.ToHexString(octets);
}
