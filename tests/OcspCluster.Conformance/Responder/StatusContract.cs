using OcspCluster.Protocol;
using OcspCluster.Testing;
using static OcspCluster.Conformance.Questions;

namespace OcspCluster.Conformance;

/// <summary>What is said of which serial number (rules R38–R45, R59, R62).</summary>
public abstract class StatusContract(SharedHosts shared) : ResponderContract(shared)
{
    [Fact]
    public async Task R38_Good_OnlyOnceIssued()
    {
        IResponderHost host = await DefaultAsync();
        byte[] serial = TestPki.RandomSerial();
        (await host.AskAsync(AskAlpha(serial))).MustBe(Unauthorized);
        await host.SubmitAsync("alpha", [Events.Issued(serial)]);
        Assert.Equal(RawCertStatus.Good, (await host.AskOneAsync(AlphaId(serial))).Status);
    }

    [Fact]
    public async Task R38_StatusOfOneIssuer_SaysNothingOfAnother()
    {
        IResponderHost host = await DefaultAsync();
        foreach (IssuerSetup issuer in Issuers.All.Issuers)
        {
            RawSingleResponse single = await host.AskOneAsync(RawCertId.For(issuer.Certificate, Known.GoodAtAlphaOnly));
            Assert.Equal(issuer.Id == "alpha" ? RawCertStatus.Good : RawCertStatus.Revoked, single.Status);
        }
    }

    [Fact]
    public async Task R38_InventoryUnknown_UnlistedSerialIsGood()
    {
        IResponderHost host = await OwnAsync(Issuers.AlphaWith(("Inventory", "Unknown")));
        Assert.Equal(RawCertStatus.Good, (await host.AskOneAsync(AlphaId(Known.Unissued))).Status);
        Assert.Equal(RawCertStatus.Revoked, (await host.AskOneAsync(AlphaId(Known.Revoked))).Status);
    }

    [Fact]
    public async Task R39_UnservedIssuer_Unauthorized()
    {
        IResponderHost host = await DefaultAsync();
        foreach (string hash in new[] { OcspOids.Sha1, OcspOids.Sha256 })
        {
            (await host.AskAsync(RawOcspRequest.For(RawCertId.For(Issuers.Stranger.Certificate, Known.Good, hash)))).MustBe(Unauthorized);
        }
    }

    [Fact]
    public async Task R40_UnissuedSerial_WherePolicySaysUnknown_IsUnknown()
    {
        IResponderHost host = await SharedAsync("unknown", Issuers.AlphaWith(("Unissued", "Unknown")));
        RawOcspResponse answer = (await host.AskAsync(AskAlpha(Known.Unissued))).MustAnswer(Issuers.Alpha, AlphaId(Known.Unissued));
        Assert.Equal(RawCertStatus.Unknown, answer.Singles[0].Status);
        Assert.Null(answer.Extensions);

        // And when it is issued after all, the unknown is forgotten at once (RFC 6960 §2.2 and BR 4.9.9).
        byte[] serial = TestPki.RandomSerial();
        Assert.Equal(RawCertStatus.Unknown, (await host.AskOneAsync(AlphaId(serial))).Status);
        await host.SubmitAsync("alpha", [Events.Issued(serial)]);
        Assert.Equal(RawCertStatus.Good, (await host.AskOneAsync(AlphaId(serial))).Status);
    }

    [Fact]
    public async Task R41_UnissuedSerial_ByDefault_Unauthorized()
    {
        IResponderHost host = await DefaultAsync();
        (await host.AskAsync(AskAlpha(Known.Unissued))).MustBe(Unauthorized);
        (await host.AskAsync(AskAlpha(Known.Unissued).WithNonce(new byte[16]))).MustBe(Unauthorized);
        (await host.GetAsync(AskAlpha(Known.Unissued))).Ocsp().MustBe(Unauthorized);
    }

    [Fact]
    public async Task R41_ExpiredCertificate_AfterRetention_Unauthorized()
    {
        IResponderHost host = await OwnAsync(Issuers.AlphaWith());
        byte[] good = [0x70, 0x01];
        byte[] revoked = [0x70, 0x02];
        DateTimeOffset notAfter = host.Clock.GetUtcNow().AddHours(1);
        await host.SubmitAsync("alpha", [Events.Issued(good, notAfter), Events.Issued(revoked, notAfter), Events.Revoked(revoked)]);
        host.Clock.Advance(TimeSpan.FromDays(7));
        Assert.Equal(RawCertStatus.Good, (await host.AskOneAsync(AlphaId(good))).Status);
        Assert.Equal(RawCertStatus.Revoked, (await host.AskOneAsync(AlphaId(revoked))).Status);

        host.Clock.Advance(TimeSpan.FromHours(2));
        (await host.AskAsync(AskAlpha(good))).MustBe(Unauthorized);
        (await host.AskAsync(AskAlpha(revoked))).MustBe(Unauthorized);
        (await host.GetAsync(AskAlpha(good))).Ocsp().MustBe(Unauthorized);
    }

    [Fact]
    public async Task R42_UnissuedSerial_WherePolicySaysRevoked_IsExtendedRevoke()
    {
        IResponderHost host = await SharedAsync("extended", Issuers.AlphaWith(("Unissued", "Revoked")));
        RawOcspResponse answer = (await host.AskAsync(AskAlpha(Known.Unissued))).MustAnswer(Issuers.Alpha, AlphaId(Known.Unissued));
        RawSingleResponse single = answer.Singles[0];
        Assert.Equal("A116" + Convert.ToHexString(Der.Text(0x18, "19700101000000Z")) + "A0030A0106", Convert.ToHexString(single.CertStatus));
        RawExtension extension = Assert.Single(answer.Extensions!);
        Assert.Equal(OcspOids.ExtendedRevoke, extension.Oid);
        Assert.Equal(Der.Null, extension.Value);
        Assert.False(extension.Critical);
        Assert.DoesNotContain(single.Extensions ?? [], one => one.Oid is OcspOids.ExtendedRevoke or OcspOids.CrlReference or OcspOids.InvalidityDate or OcspOids.ReasonCode);
    }

    [Fact]
    public async Task R42_ExtendedRevoke_WithNonce_BothExtensionsOnce()
    {
        IResponderHost host = await SharedAsync("extended", Issuers.AlphaWith(("Unissued", "Revoked")));
        RawOcspResponse answer = (await host.AskAsync(AskAlpha(Known.Unissued).WithNonce([1, 2, 3]))).MustAnswer(Issuers.Alpha, AlphaId(Known.Unissued));
        Assert.Equal([1, 2, 3], answer.Nonce!);
        Assert.Single(answer.Extensions!, extension => extension.Oid == OcspOids.ExtendedRevoke);
        Assert.Equal(2, answer.Extensions!.Count);
    }

    [Fact]
    public async Task R42_ExtendedRevokePolicy_IssuedSerialsAreAsEver()
    {
        IResponderHost host = await SharedAsync("extended", Issuers.AlphaWith(("Unissued", "Revoked")));
        Assert.Equal(RawCertStatus.Good, (await host.AskOneAsync(AlphaId(Known.Good))).Status);
        RawSingleResponse revoked = await host.AskOneAsync(AlphaId(Known.Revoked));
        Assert.Equal(1, revoked.Reason);
        Assert.Equal("20260614090807Z", revoked.RevocationTime);
    }

    [Theory]
    [InlineData(null, null)]
    [InlineData(RevocationReason.Unspecified, null)]
    [InlineData(RevocationReason.KeyCompromise, 1)]
    [InlineData(RevocationReason.CaCompromise, 2)]
    [InlineData(RevocationReason.AffiliationChanged, 3)]
    [InlineData(RevocationReason.Superseded, 4)]
    [InlineData(RevocationReason.CessationOfOperation, 5)]
    [InlineData(RevocationReason.PrivilegeWithdrawn, 9)]
    [InlineData(RevocationReason.AaCompromise, 10)]
    public async Task R43_Reason_AsRecorded_UnspecifiedOmitted(RevocationReason? reason, int? onTheWire)
    {
        IResponderHost host = await DefaultAsync();
        byte[] serial = TestPki.RandomSerial();
        await host.SubmitAsync("alpha", [Events.Issued(serial), Events.Revoked(serial, reason)]);
        RawSingleResponse single = await host.AskOneAsync(AlphaId(serial));
        Assert.Equal(RawCertStatus.Revoked, single.Status);
        Assert.Equal(onTheWire, single.Reason);
    }

    [Fact]
    public async Task R43_ReasonRemoveFromCrl_NeverInAnAnswer()
    {
        IResponderHost host = await DefaultAsync();
        byte[] serial = TestPki.RandomSerial();
        await host.SubmitAsync("alpha", [Events.Issued(serial)]);

        // Refused by an exception or in the outcome; either way it has not happened.
        await Record.ExceptionAsync(() => host.SubmitAsync("alpha", [Events.Revoked(serial, RevocationReason.RemoveFromCrl)]));
        Assert.NotEqual(8, (await host.AskOneAsync(AlphaId(serial))).Reason);
    }

    [Fact]
    public async Task R44_Hold_IsRevokedWithReason6_ReleaseIsGood()
    {
        IResponderHost host = await DefaultAsync();
        byte[] serial = TestPki.RandomSerial();
        await host.SubmitAsync("alpha", [Events.Issued(serial), Events.Held(serial)]);
        RawSingleResponse held = await host.AskOneAsync(AlphaId(serial));
        Assert.Equal((RawCertStatus.Revoked, 6, "20260614090807Z"), (held.Status, held.Reason, held.RevocationTime));

        await host.SubmitAsync("alpha", [Events.Released(serial, Known.RevokedAt.AddHours(1))]);
        Assert.Equal(RawCertStatus.Good, (await host.AskOneAsync(AlphaId(serial))).Status);
        Assert.Equal(RawCertStatus.Good, (await host.GetAsync(AskAlpha(serial))).Ocsp().Singles[0].Status);
    }

    [Fact]
    public async Task R45_SingleExtensions_NeverReasonCode_InvalidityDateIsGeneralizedTime()
    {
        IResponderHost host = await DefaultAsync();
        byte[] serial = TestPki.RandomSerial();
        DateTimeOffset invalidity = new(2026, 5, 4, 3, 2, 1, TimeSpan.Zero);
        await host.SubmitAsync("alpha", [Events.Issued(serial), Events.Revoked(serial, RevocationReason.KeyCompromise) with { InvalidityDate = invalidity }]);
        RawSingleResponse single = await host.AskOneAsync(AlphaId(serial));
        Assert.All(single.Extensions ?? [], extension =>
        {
            Assert.Equal(OcspOids.InvalidityDate, extension.Oid);
            Assert.Equal(Der.Text(0x18, "20260504030201Z"), extension.Value);
            Assert.False(extension.Critical);
        });
        Assert.Null((await host.AskOneAsync(AlphaId(Known.Revoked))).Extensions);
    }

    [Fact]
    public async Task R59_ExpiredCertificate_WithinRetention_AnsweredWithArchiveCutoff()
    {
        IResponderHost host = await OwnAsync(Issuers.AlphaWith(("ExpiredRetention", "30.00:00:00")));
        byte[] good = [0x71, 0x01];
        byte[] revoked = [0x71, 0x02];
        DateTimeOffset notAfter = host.Clock.GetUtcNow().AddHours(1);
        await host.SubmitAsync("alpha", [Events.Issued(good, notAfter), Events.Issued(revoked, notAfter), Events.Revoked(revoked)]);
        host.Clock.Advance(TimeSpan.FromDays(9));
        foreach (byte[] serial in new[] { good, revoked })
        {
            RawOcspResponse answer = (await host.AskAsync(AskAlpha(serial))).MustAnswer(Issuers.Alpha, AlphaId(serial));
            RawExtension cutoff = Assert.Single(answer.Singles[0].Extensions!, extension => extension.Oid == OcspOids.ArchiveCutoff);
            Assert.Equal(Der.Text(0x18, answer.ProducedAtTime.AddDays(-30).ToString("yyyyMMddHHmmss'Z'", System.Globalization.CultureInfo.InvariantCulture)), cutoff.Value);
            Assert.False(cutoff.Critical);
        }
    }

    [Fact]
    public async Task R62_AnswerPastItsNextUpdate_IsNeverServed()
    {
        IResponderHost host = await OwnAsync(Issuers.AlphaWith(("Validity", "08:00:00")));
        foreach (TimeSpan step in new[] { TimeSpan.Zero, TimeSpan.FromHours(7.999), TimeSpan.FromSeconds(4), TimeSpan.FromHours(8), TimeSpan.FromDays(3) })
        {
            host.Clock.Advance(step);
            foreach (byte[] serial in new[] { Known.Good, Known.Revoked })
            {
                RawSingleResponse byGet = Assert.Single((await host.GetAsync(AskAlpha(serial))).Ocsp().MustBe(Successful).Singles);
                Assert.True(byGet.NextUpdateTime > host.Clock.GetUtcNow(), $"nextUpdate {byGet.NextUpdateTime:O} served at {host.Clock.GetUtcNow():O}");
                Assert.True((await host.AskOneAsync(AlphaId(serial))).NextUpdateTime > host.Clock.GetUtcNow());
            }
        }
    }
}
