using System.Text;
using OcspCluster.Protocol;
using OcspCluster.Testing;
using static OcspCluster.Conformance.Questions;

namespace OcspCluster.Conformance;

/// <summary>The octets of answers: envelope, status, times, ResponderID, certificates, signature (rules R35–R37, R47–R54, D21).</summary>
public abstract class AnswerContract(SharedHosts shared) : ResponderContract(shared)
{
    [Fact]
    public async Task R35_Successful_EnvelopeIsBasic()
    {
        IResponderHost host = await DefaultAsync();
        byte[] answer = (await host.AskAsync(AskAlpha(Known.Good))).MustBe(Successful).Encoded;
        DerNode outer = DerNode.Parse(answer);
        Assert.Equal([0x0A, 0xA0], outer.Children.Select(child => (int)child.Tag));
        Assert.Equal("0A0100", Convert.ToHexString(outer.Children[0].Encode()));
        DerNode responseBytes = Assert.Single(outer.Children[1].Children);
        Assert.Equal("06092B0601050507300101", Convert.ToHexString(responseBytes.Children[0].Encode()));
        Assert.Equal(0x04, responseBytes.Children[1].Tag);
    }

    [Fact]
    public async Task R36_Errors_AreFiveOctets()
    {
        IResponderHost host = await DefaultAsync();
        Assert.Equal("30030A0101", Convert.ToHexString((await host.PostAsync([0x30])).Body));
        Assert.Equal("30030A0106", Convert.ToHexString((await host.PostAsync(AskAlpha(Known.Unissued).Encode())).Body));
    }

    [Fact]
    public async Task R37_CertStatus_Octets()
    {
        IResponderHost host = await DefaultAsync();
        RawOcspResponse answer = await host.AskAsync(AskAlpha(Known.Good, Known.Revoked, Known.Unissued));
        Assert.Equal(
            ["8000", "A116" + Convert.ToHexString(Der.Text(0x18, "20260614090807Z")) + "A0030A0101", "8200"],
            answer.Singles.Select(single => Convert.ToHexString(single.CertStatus)));

        RawSingleResponse withoutReason = await host.AskOneAsync(RawCertId.For(Issuers.Beta.Certificate, Known.GoodAtAlphaOnly));
        Assert.Equal("A111" + Convert.ToHexString(Der.Text(0x18, "20260614090807Z")), Convert.ToHexString(withoutReason.CertStatus));
    }

    [Fact]
    public async Task R47_Times_HaveSecondsAndNoFraction_TruncatedNeverRounded()
    {
        IResponderHost host = await OwnAsync(Issuers.AlphaWith(), new TestClock(new DateTimeOffset(2026, 6, 15, 23, 59, 59, 999, TimeSpan.Zero)));
        byte[] serial = [0x66, 0x01];
        DateTimeOffset at = new(2026, 6, 15, 1, 2, 59, 999, TimeSpan.FromHours(2));
        await host.SubmitAsync("alpha", [Events.Issued(serial), Events.Revoked(serial, RevocationReason.Superseded, at)]);

        RawOcspResponse answer = await host.AskAsync(AskAlpha(serial));
        Assert.Equal("20260614230259Z", answer.Singles[0].RevocationTime);
        Assert.Equal("20260615235959Z", Encoding.ASCII.GetString(answer.ProducedAt.AsSpan(2)));
        Assert.True(answer.Singles[0].ThisUpdateTime <= host.Clock.GetUtcNow());
    }

    [Fact]
    public async Task R48_ThisUpdate_NotAfterProducedAt_NotAfterNow()
    {
        IResponderHost host = await OwnAsync(Issuers.AlphaWith());
        for (int i = 0; i < 6; i++)
        {
            RawOcspResponse answer = await host.AskAsync(AskAlpha(Known.Good));
            Assert.True(answer.Singles[0].ThisUpdateTime <= answer.ProducedAtTime);
            Assert.True(answer.ProducedAtTime <= host.Clock.GetUtcNow());
            host.Clock.Advance(TimeSpan.FromHours(20));
        }
    }

    [Fact]
    public async Task R48_Revoked_ThisUpdateIsNotBeforeTheRevocationWasRecorded()
    {
        IResponderHost host = await OwnAsync(Issuers.AlphaWith());
        await host.AskAsync(AskAlpha(Known.Good));
        host.Clock.Advance(TimeSpan.FromHours(3));
        await host.SubmitAsync("alpha", [Events.Revoked(Known.Good, RevocationReason.KeyCompromise)]);

        RawSingleResponse single = await host.AskOneAsync(AlphaId(Known.Good));
        Assert.Equal(RawCertStatus.Revoked, single.Status);
        Assert.True(single.ThisUpdateTime >= WholeSeconds(host.Clock.GetUtcNow()), $"thisUpdate {single.ThisUpdateTime:O}");
    }

    [Theory]
    [InlineData("4.00:00:00")]
    [InlineData("7.00:00:00")]
    [InlineData("08:00:00")]
    public async Task R49_NextUpdate_IsThisUpdatePlusValidityLessOneSecond(string validity)
    {
        IResponderHost host = await OwnAsync(Issuers.AlphaWith(("Validity", validity)));
        foreach (byte[] serial in new[] { Known.Good, Known.Revoked, Known.Held })
        {
            RawSingleResponse single = await host.AskOneAsync(AlphaId(serial));
            Assert.Equal(TimeSpan.Parse(validity, System.Globalization.CultureInfo.InvariantCulture) - TimeSpan.FromSeconds(1), single.NextUpdateTime - single.ThisUpdateTime);
            Assert.Equal("A011180F", Convert.ToHexString(single.NextUpdate!.AsSpan(0, 4)));
        }
    }

    [Fact]
    public async Task R49_NextUpdate_NeverPastTheSignersNotAfter()
    {
        TestClock clock = new();
        DateTimeOffset notAfter = WholeSeconds(clock.GetUtcNow().AddDays(5));
        TestCertificate responder = Issuers.AlphaCa.IssueResponder("Alpha responder of five days", TestKey.P256(), new ResponderProfile { NotAfter = notAfter });
        IResponderHost host = await OwnAsync(ResponderSetup.Of(Issuers.Alpha with { Responder = responder }), clock);
        for (int hours = 0; hours < 5 * 24; hours += 10)
        {
            RawSingleResponse single = await host.AskOneAsync(AlphaId(Known.Good));
            Assert.True(single.NextUpdateTime <= notAfter, $"nextUpdate {single.NextUpdateTime:O}, notAfter {notAfter:O}");
            Assert.True(single.NextUpdateTime > single.ThisUpdateTime);
            clock.Advance(TimeSpan.FromHours(10));
        }
    }

    [Fact]
    public async Task R50_ResponderId_IsByKeySha1OfTheSignersKeyBits()
    {
        IResponderHost host = await DefaultAsync();
        foreach (IssuerSetup issuer in Issuers.All.Issuers)
        {
            RawOcspResponse answer = await host.AskAsync(RawOcspRequest.For(RawCertId.For(issuer.Certificate, Known.Good, OcspOids.Sha256)));
            byte[] keyHash = RawCertId.Hash(OcspOids.Sha1, issuer.Responder.Certificate.PublicKey.EncodedKeyValue.RawData);
            Assert.Equal("A2160414" + Convert.ToHexString(keyHash), Convert.ToHexString(answer.ResponderId));
        }
    }

    [Fact]
    public async Task R50_ResponderId_ByNameIsTheSignersSubject()
    {
        IResponderHost host = await OwnAsync(ResponderSetup.Of(Issuers.Alpha.With(("ResponderId", "ByName")), Issuers.Beta.With(("ResponderId", "ByName"))));
        foreach (IssuerSetup issuer in new[] { Issuers.Alpha, Issuers.Beta })
        {
            RawCertId asked = RawCertId.For(issuer.Certificate, Known.Good);
            RawOcspResponse answer = (await host.AskAsync(RawOcspRequest.For(asked))).MustAnswer(issuer, asked);
            Assert.Equal(Der.Explicit(1, issuer.Responder.Certificate.SubjectName.RawData), answer.ResponderId);
        }
    }

    [Fact]
    public async Task R52_ResponseData_HasNoDefaultsAndNoEmptyLists()
    {
        IResponderHost host = await DefaultAsync();
        RawOcspResponse plain = await host.AskAsync(AskAlpha(Known.Good));
        Assert.Equal([0xA2, 0x18, 0x30], DerNode.Parse(plain.Tbs).Children.Select(child => (int)child.Tag));
        Assert.Equal([0x30, 0x80, 0x18, 0xA0], DerNode.Parse(plain.Tbs).Children[2].Children[0].Children.Select(child => (int)child.Tag));

        RawOcspResponse nonced = await host.AskAsync(AskAlpha(Known.Good).WithNonce(new byte[16]));
        Assert.Equal([0xA2, 0x18, 0x30, 0xA1], DerNode.Parse(nonced.Tbs).Children.Select(child => (int)child.Tag));
        Assert.NotEmpty(nonced.Extensions!);
    }

    [Fact]
    public async Task R53_Certificates_TheDelegateAloneOrNone()
    {
        IResponderHost host = await DefaultAsync();
        foreach (IssuerSetup issuer in Issuers.All.Issuers)
        {
            RawOcspResponse answer = await host.AskAsync(RawOcspRequest.For(RawCertId.For(issuer.Certificate, Known.Good)));
            if (issuer.IsDelegated)
            {
                Assert.Equal(issuer.Responder.Certificate.RawData, Assert.Single(answer.Certificates!));
            }
            else
            {
                Assert.Null(answer.Certificates);
            }
        }
    }

    [Fact]
    public async Task R54_SignatureAlgorithm_ParametersAreCanonical()
    {
        IResponderHost host = await DefaultAsync();
        foreach ((IssuerSetup issuer, string algorithm) in new[]
        {
            (Issuers.Alpha, "300A06082A8648CE3D040302"),
            (Issuers.Gamma, "300A06082A8648CE3D040303"),
            (Issuers.Beta, "300D06092A864886F70D01010B0500"),
            (Issuers.Delta, "300D06092A864886F70D01010B0500"),
        })
        {
            RawCertId asked = RawCertId.For(issuer.Certificate, Known.Good);
            RawOcspResponse answer = (await host.AskAsync(RawOcspRequest.For(asked))).MustAnswer(issuer, asked);
            Assert.Equal(algorithm, Convert.ToHexString(answer.SignatureAlgorithm));
        }
    }

    [Fact]
    public async Task R54_Signature_OfEveryKindOfAnswer_Verifies()
    {
        IResponderHost host = await DefaultAsync();
        foreach (IssuerSetup issuer in Issuers.All.Issuers)
        {
            RawCertId[] asked = [.. new[] { Known.Good, Known.Revoked, Known.Held, Known.Unissued }.Select(serial => RawCertId.For(issuer.Certificate, serial))];
            (await host.AskAsync(RawOcspRequest.For(asked))).MustAnswer(issuer, asked);
            (await host.AskAsync(RawOcspRequest.For(asked).WithNonce(new byte[20]))).MustAnswer(issuer, asked);
        }
    }

    [Fact]
    public async Task D21_EveryKindOfAnswer_ReencodesByteEqual()
    {
        // Ocsp() makes the comparison for each answer of every contract; here are all kinds in one place.
        IResponderHost host = await SharedAsync("unknowns", ResponderSetup.Of(Issuers.Alpha.With(("Unissued", "Unknown")), Issuers.Beta.With(("Unissued", "Revoked"))));
        foreach (IssuerSetup issuer in new[] { Issuers.Alpha, Issuers.Beta })
        {
            foreach (byte[] serial in new[] { Known.Good, Known.Revoked, Known.Held, Known.Unissued, Known.GoodAtAlphaOnly })
            {
                RawCertId asked = RawCertId.For(issuer.Certificate, serial, OcspOids.Sha512);
                RawOcspResponse answer = (await host.PostAsync(RawOcspRequest.For(asked).WithNonce(new byte[9]).Encode())).Ocsp().MustAnswer(issuer, asked);
                Assert.Equal(answer.Encoded, answer.Reencode());
            }
        }
    }

    [Fact]
    public async Task D21_EveryChangedBit_IsSeenByTheJudge()
    {
        // The proof that the contracts can fail: no bit of an answer may change unnoticed by parse, signature, ResponderID, certificate or re-encoding.
        IResponderHost host = await DefaultAsync();
        foreach (IssuerSetup issuer in new[] { Issuers.Alpha, Issuers.Beta })
        {
            RawCertId asked = RawCertId.For(issuer.Certificate, Known.Revoked);
            byte[] answer = (await host.AskAsync(RawOcspRequest.For(asked).WithNonce(new byte[16]))).MustAnswer(issuer, asked).Encoded;
            Assert.True(IsAccepted(issuer, answer));
            for (int bit = 0; bit < answer.Length * 8; bit++)
            {
                byte[] changed = [.. answer];
                changed[bit / 8] ^= (byte)(1 << (bit % 8));
                Assert.False(IsAccepted(issuer, changed), $"bit {bit % 8} of octet {bit / 8} of {Convert.ToHexString(answer)}");
            }
        }

        static bool IsAccepted(IssuerSetup issuer, byte[] octets)
        {
            try
            {
                RawOcspResponse answer = RawOcspResponse.Parse(octets);
                return answer.Status == Successful
                    && answer.Denotes(issuer.Responder.Certificate)
                    && answer.IsSignedBy(issuer.Responder.Certificate)
                    && answer.Reencode().AsSpan().SequenceEqual(octets)
                    && (issuer.IsDelegated
                        ? answer.Certificates is [byte[] certificate] && certificate.AsSpan().SequenceEqual(issuer.Responder.Certificate.RawData)
                        : answer.Certificates is null);
            }
            catch (InvalidDataException)
            {
                return false;
            }
        }
    }

    private static DateTimeOffset WholeSeconds(DateTimeOffset time) => new(time.Ticks - (time.Ticks % TimeSpan.TicksPerSecond), TimeSpan.Zero);
}
