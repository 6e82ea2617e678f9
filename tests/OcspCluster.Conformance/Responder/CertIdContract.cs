using OcspCluster.Testing;
using static OcspCluster.Conformance.Questions;

namespace OcspCluster.Conformance;

/// <summary>CertIDs, one and many: hashes, parameters, serial numbers (rules R8–R19).</summary>
public abstract class CertIdContract(SharedHosts shared) : ResponderContract(shared)
{
    public static TheoryData<string> Hashes => [OcspOids.Sha1, OcspOids.Sha256, OcspOids.Sha384, OcspOids.Sha512];

    [Fact]
    public async Task R8_ManyCertIds_EachAnsweredInOrder()
    {
        IResponderHost host = await DefaultAsync();
        RawCertId[] asked = [AlphaId(Known.Held), AlphaId(Known.Good), AlphaId(Known.Revoked), AlphaId(Known.GoodAtAlphaOnly), AlphaId(Known.Awkward)];
        RawOcspResponse answer = (await host.AskAsync(RawOcspRequest.For(asked))).MustAnswer(Issuers.Alpha, asked);
        Assert.Equal(
            [RawCertStatus.Revoked, RawCertStatus.Good, RawCertStatus.Revoked, RawCertStatus.Good, RawCertStatus.Good],
            answer.Singles.Select(single => single.Status));

        RawCertId[] reversed = [.. asked.Reverse()];
        (await host.AskAsync(RawOcspRequest.For(reversed))).MustAnswer(Issuers.Alpha, reversed);
    }

    [Fact]
    public async Task R9_SameCertIdTwice_Answered()
    {
        IResponderHost host = await DefaultAsync();
        RawOcspResponse answer = (await host.AskAsync(AskAlpha(Known.Revoked, Known.Revoked))).MustBe(Successful);
        Assert.InRange(answer.Singles.Count, 1, 2);
        Assert.All(answer.Singles, single =>
        {
            Assert.Equal(AlphaId(Known.Revoked).Encode(), single.CertId);
            Assert.Equal(RawCertStatus.Revoked, single.Status);
        });
    }

    [Fact]
    public async Task R9_SameCertificateUnderTwoHashes_BothFormsAnswered()
    {
        IResponderHost host = await DefaultAsync();
        RawCertId[] asked = [AlphaId(Known.Good), AlphaId(Known.Good, OcspOids.Sha256)];
        (await host.AskAsync(RawOcspRequest.For(asked))).MustAnswer(Issuers.Alpha, asked);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task R10_ServedAndUnservedIssuer_UnservedIsUnknown(bool servedFirst)
    {
        IResponderHost host = await DefaultAsync();
        RawCertId stranger = RawCertId.For(Issuers.Stranger.Certificate, Known.Good);
        RawCertId[] asked = servedFirst ? [AlphaId(Known.Good), stranger] : [stranger, AlphaId(Known.Good)];
        RawOcspResponse answer = (await host.AskAsync(RawOcspRequest.For(asked))).MustAnswer(Issuers.Alpha, asked);
        RawCertStatus[] expected = servedFirst ? [RawCertStatus.Good, RawCertStatus.Unknown] : [RawCertStatus.Unknown, RawCertStatus.Good];
        Assert.Equal(expected, answer.Singles.Select(single => single.Status));
    }

    [Fact]
    public async Task R10_UnissuedSerialBesideAnswerableOnes_IsUnknown()
    {
        IResponderHost host = await DefaultAsync();
        RawCertId[] asked = [AlphaId(Known.Revoked), AlphaId(Known.Unissued), AlphaId(Known.Good)];
        RawOcspResponse answer = (await host.AskAsync(RawOcspRequest.For(asked))).MustAnswer(Issuers.Alpha, asked);
        Assert.Equal([RawCertStatus.Revoked, RawCertStatus.Unknown, RawCertStatus.Good], answer.Singles.Select(single => single.Status));
    }

    [Fact]
    public async Task R11_TwoServedIssuersOfDifferentSigners_Unauthorized()
    {
        IResponderHost host = await DefaultAsync();
        RawCertId beta = RawCertId.For(Issuers.Beta.Certificate, Known.Good);
        (await host.AskAsync(RawOcspRequest.For(AlphaId(Known.Good), beta))).MustBe(Unauthorized);
        (await host.AskAsync(RawOcspRequest.For(beta, AlphaId(Known.Good)))).MustBe(Unauthorized);
        RawCertId rekeyed = RawCertId.For(Issuers.AlphaRekeyed.Certificate, Known.Good);
        (await host.AskAsync(RawOcspRequest.For(AlphaId(Known.Good), rekeyed))).MustBe(Unauthorized);
    }

    [Fact]
    public async Task R12_CertIdsUpToTheCap_Answered_OneMore_MalformedRequest()
    {
        IResponderHost host = await DefaultAsync();
        byte[][] serials = [.. Enumerable.Range(0, 33).Select(i => new byte[] { 0x40, (byte)i })];
        await host.SubmitAsync(Issuers.Alpha.Id, [.. serials.Select(serial => Events.Issued(serial))]);
        (await host.AskAsync(AskAlpha(serials[..32]))).MustAnswer(Issuers.Alpha, serials[..32].Select(serial => AlphaId(serial)));
        await host.MustRefuseAsync([("33 CertIDs", AskAlpha(serials).Encode())]);
    }

    [Fact]
    public async Task R12_Cap_IsSettable()
    {
        IResponderHost host = await OwnAsync(Issuers.AlphaWith().With(("Ocsp:MaxCertIds", "2")));
        (await host.AskAsync(AskAlpha(Known.Good, Known.Revoked))).MustBe(Successful);
        await host.MustRefuseAsync([("3 CertIDs", AskAlpha(Known.Good, Known.Revoked, Known.Held).Encode())]);
    }

    [Fact]
    public async Task R13_Answer_HasNoMoreSinglesThanWereAsked()
    {
        IResponderHost host = await DefaultAsync();
        for (int count = 1; count <= 4; count++)
        {
            byte[][] serials = [.. new[] { Known.Good, Known.Revoked, Known.Held, Known.Awkward }.Take(count)];
            Assert.Equal(count, (await host.AskAsync(AskAlpha(serials))).MustBe(Successful).Singles.Count);
        }
    }

    [Theory]
    [MemberData(nameof(Hashes))]
    public async Task R14_HashAlgorithm_EachIsAnsweredUnderItsOwnOid(string hash)
    {
        IResponderHost host = await DefaultAsync();
        foreach (IssuerSetup issuer in Issuers.All.Issuers)
        {
            RawCertId asked = RawCertId.For(issuer.Certificate, Known.Revoked, hash);
            RawOcspResponse answer = (await host.AskAsync(RawOcspRequest.For(asked))).MustAnswer(issuer, asked);
            Assert.Equal(RawCertStatus.Revoked, answer.Singles[0].Status);
        }
    }

    [Theory]
    [MemberData(nameof(Hashes))]
    public async Task R15_OneHashRightAndOneWrong_IsNotOurIssuer(string hash)
    {
        IResponderHost host = await DefaultAsync();
        foreach (byte[] serial in new[] { Known.Good, Known.Revoked })
        {
            RawCertId right = AlphaId(serial, hash);
            RawCertId beta = RawCertId.For(Issuers.Beta.Certificate, serial, hash);
            foreach (RawCertId wrong in new[]
            {
                right with { NameHash = new byte[right.NameHash.Length] },
                right with { KeyHash = new byte[right.KeyHash.Length] },
                right with { NameHash = beta.NameHash },
                right with { KeyHash = beta.KeyHash },
                right with { NameHash = right.KeyHash, KeyHash = right.NameHash },
                right with { KeyHash = RawCertId.Hash(hash, Issuers.Alpha.Certificate.PublicKey.ExportSubjectPublicKeyInfo()) },
                right with { KeyHash = RawCertId.Hash(hash, Der.BitString(Issuers.Alpha.Certificate.PublicKey.EncodedKeyValue.RawData)) },
            })
            {
                (await host.AskAsync(RawOcspRequest.For(wrong))).MustBe(Unauthorized);
            }
        }
    }

    [Fact]
    public async Task R15_DigestsOfAnotherAlgorithm_AreNotOurIssuer()
    {
        // SHA-512 digests cut to 32 octets under the OID of SHA-256.
        IResponderHost host = await DefaultAsync();
        RawCertId sha512 = AlphaId(Known.Good, OcspOids.Sha512);
        RawCertId wrong = sha512 with { HashOid = OcspOids.Sha256, NameHash = sha512.NameHash[..32], KeyHash = sha512.KeyHash[..32] };
        (await host.AskAsync(RawOcspRequest.For(wrong))).MustBe(Unauthorized);
    }

    [Fact]
    public async Task R15_OneKeyUnderSeveralNames_EachNameIsServed()
    {
        IResponderHost host = await DefaultAsync();
        Assert.Equal(3, Issuers.Gamma.Certificates.Count);
        foreach (RawCertId asked in Issuers.Gamma.Certificates.Select(certificate => RawCertId.For(certificate, Known.Held)))
        {
            RawOcspResponse answer = (await host.AskAsync(RawOcspRequest.For(asked))).MustAnswer(Issuers.Gamma, asked);
            Assert.Equal(RawCertStatus.Revoked, answer.Singles[0].Status);
        }

        RawCertId[] both = [RawCertId.For(Issuers.Gamma.Certificates[0], Known.Good), RawCertId.For(Issuers.Gamma.Certificates[1], Known.Good)];
        (await host.AskAsync(RawOcspRequest.For(both))).MustAnswer(Issuers.Gamma, both);
    }

    [Theory]
    [MemberData(nameof(Hashes))]
    public async Task R16_AlgorithmParameters_NullAndAbsent_AreEchoedAsAsked(string hash)
    {
        // Asked in turn, so that a cache that forgets the form would give back the other's octets.
        IResponderHost host = await DefaultAsync();
        RawCertId withNull = AlphaId(Known.Good, hash);
        RawCertId absent = withNull with { Parameters = null };
        foreach (RawCertId asked in new[] { withNull, absent, withNull, absent })
        {
            (await host.AskAsync(RawOcspRequest.For(asked))).MustAnswer(Issuers.Alpha, asked);
            (await host.GetAsync(RawOcspRequest.For(asked))).Ocsp().MustAnswer(Issuers.Alpha, asked);
        }

        (await host.AskAsync(RawOcspRequest.For(absent, withNull))).MustAnswer(Issuers.Alpha, absent, withNull);
    }

    [Theory]
    [MemberData(nameof(Hashes))]
    public async Task R16_AlgorithmParameters_AnyOther_MalformedRequest(string hash)
    {
        IResponderHost host = await DefaultAsync();
        await host.MustRefuseAsync(new (string Name, byte[] Parameters)[]
        {
            ("an empty SEQUENCE", Der.Sequence()),
            ("an INTEGER", Der.Number(0x00)),
            ("NULL with content", [0x05, 0x01, 0x00]),
            ("NULL twice", Der.Concat(Der.Null, Der.Null)),
            ("an OID", Der.Oid(OcspOids.Sha1)),
            ("constructed NULL", [0x25, 0x00]),
        }.Select(one => (one.Name, RawOcspRequest.For(AlphaId(Known.Good, hash) with { Parameters = one.Parameters }).Encode())));
    }

    [Theory]
    [InlineData("1.2.3.4")]
    [InlineData("1.2.840.113549.2.5")] // MD5
    [InlineData("1.3.14.3.2.27")] // one beside SHA-1
    public async Task R17_HashAlgorithm_Unknown_UnknownOrUnauthorized(string oid)
    {
        IResponderHost host = await DefaultAsync();
        RawCertId sha1 = AlphaId(Known.Good);
        RawOcspResponse answer = await host.AskAsync(RawOcspRequest.For(sha1 with { HashOid = oid }));
        if (answer.Status == Successful)
        {
            Assert.Equal(RawCertStatus.Unknown, Assert.Single(answer.Singles).Status);
        }
        else
        {
            answer.MustBe(Unauthorized);
        }
    }

    [Theory]
    [MemberData(nameof(Hashes))]
    public async Task R17_DigestLength_NotTheAlgorithms_MalformedRequest(string hash)
    {
        IResponderHost host = await DefaultAsync();
        RawCertId right = AlphaId(Known.Good, hash);
        List<(string, byte[])> cases = [];
        foreach (byte[] wrong in new byte[][] { [], [0x00], right.NameHash[..^1], [.. right.NameHash, 0x00], new byte[hash == OcspOids.Sha1 ? 32 : 20] })
        {
            cases.Add(($"name hash of {wrong.Length}", RawOcspRequest.For(right with { NameHash = wrong }).Encode()));
            cases.Add(($"key hash of {wrong.Length}", RawOcspRequest.For(right with { KeyHash = wrong }).Encode()));
        }

        await host.MustRefuseAsync(cases);
    }

    [Theory]
    [InlineData("00")]
    [InlineData("FF")]
    [InlineData("80")]
    [InlineData("8000000000000000000000000000000000000000")]
    [InlineData("7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF")]
    [InlineData("00FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF")]
    public async Task R18_SerialNumber_ZeroNegativeOrLong_IsUnassigned(string serial)
    {
        IResponderHost host = await DefaultAsync();
        (await host.AskAsync(AskAlpha(Convert.FromHexString(serial)))).MustBe(Unauthorized);
    }

    [Fact]
    public async Task R18_SerialNumber_Of300Octets_IsUnassigned()
    {
        IResponderHost host = await DefaultAsync();
        (await host.AskAsync(AskAlpha([.. Enumerable.Repeat((byte)0x5A, 300)]))).MustBe(Unauthorized);
    }

    [Fact]
    public async Task R18_SerialNumber_ComparedByContentOctets_SignCounts()
    {
        IResponderHost host = await DefaultAsync();
        byte[] minusOne = [0xFF];
        byte[] plus255 = [0x00, 0xFF];
        byte[] zero = [0x00, 0x80];
        byte[] longer = [0x01, .. new byte[39]];
        await host.SubmitAsync(Issuers.Delta.Id, [Events.Issued(minusOne), Events.Issued(plus255), Events.Revoked(plus255), Events.Issued(longer)]);

        foreach ((byte[] serial, RawCertStatus status) in new[] { (minusOne, RawCertStatus.Good), (plus255, RawCertStatus.Revoked), (longer, RawCertStatus.Good) })
        {
            RawCertId asked = RawCertId.For(Issuers.Delta.Certificate, serial);
            Assert.Equal(status, (await host.AskAsync(RawOcspRequest.For(asked))).MustAnswer(Issuers.Delta, asked).Singles[0].Status);
        }

        (await host.AskAsync(RawOcspRequest.For(RawCertId.For(Issuers.Delta.Certificate, zero)))).MustBe(Unauthorized);
    }

    [Theory]
    [InlineData("")]
    [InlineData("0000")]
    [InlineData("0001")]
    [InlineData("007F")]
    [InlineData("0000FF")]
    [InlineData("FFFF")]
    [InlineData("FF80")]
    [InlineData("0011111111111111111111111111111111")]
    public async Task R19_SerialNumber_RedundantOrNoOctets_MalformedRequest(string serial)
    {
        IResponderHost host = await DefaultAsync();
        await host.MustRefuseAsync([(serial, AskAlpha(Convert.FromHexString(serial)).Encode())]);
    }
}
