using System.Security.Cryptography.X509Certificates;
using static OcspCluster.Protocol.Tests.Verification.Exchange;

namespace OcspCluster.Protocol.Tests.Verification;

public sealed class OcspVerifierAnswerTests
{
    private static readonly OcspNonce s_nonce = OcspNonce.Create(new byte[] { 1, 2, 3 });

    private readonly TestCa _ca = new();

    [Fact]
    public void Verify_GoodRevokedUnknown_AreTheStatus()
    {
        CertStatus revoked = CertStatus.Revoked(TestCa.Now.AddDays(-3), RevocationReason.KeyCompromise);
        CertStatus future = CertStatus.Revoked(TestCa.Now.AddDays(3)); // C25: still revoked

        Assert.Equal(CertStatus.Good, VerifyAnswers(_ca.Answer(CertStatus.Good)).Status);
        Assert.Equal(CertStatus.Unknown, VerifyAnswers(_ca.Answer(CertStatus.Unknown)).Status);
        Assert.Equal(revoked, VerifyAnswers(_ca.Answer(revoked)).Status);
        Assert.Equal(future, VerifyAnswers(_ca.Answer(future)).Status);
        Assert.Equal("'CN=Test CA' says revoked since 2026-03-11 15:09:26Z (KeyCompromise).", VerifyAnswers(_ca.Answer(revoked)).Message);
    }

    [Theory]
    [InlineData(OcspResponseStatus.MalformedRequest)]
    [InlineData(OcspResponseStatus.InternalError)]
    [InlineData(OcspResponseStatus.TryLater)]
    [InlineData(OcspResponseStatus.SigRequired)]
    [InlineData(OcspResponseStatus.Unauthorized)]
    public void Verify_Error_NotSuccessfulAndWhich(OcspResponseStatus status)
    {
        OcspVerificationResult result = _ca.Verify(OcspResponse.FromStatus(status));

        Assert.Equal(OcspVerificationOutcome.NotSuccessful, result.Outcome);
        Assert.Equal(status, result.ResponderError);
        Assert.Null(result.Status);
    }

    [Fact]
    public void Verify_BytesThatAreNoResponse_Malformed()
    {
        byte[] trailing = [.. _ca.Respond(_ca.Good()).Encoded.Span, 0];

        OcspVerificationResult result = OcspVerifier.Verify(trailing, _ca.Asked, _ca.Certificate, Options);

        Assert.Equal(OcspVerificationOutcome.Malformed, result.Outcome);
        Assert.Equal(DecodeError.TrailingData, result.DecodeError);
    }

    [Fact]
    public void Verify_UnknownReason_RevokedUnlessReadStrictly()
    {
        byte[] response = WithReason7(_ca);

        Assert.IsType<CertStatus.RevokedStatus>(OcspVerifier.Verify(response, _ca.Asked, _ca.Certificate, Options).Status);
        Assert.Equal(DecodeError.InvalidReason, OcspVerifier.Verify(response, _ca.Asked, _ca.Certificate, Options with { Decoding = DecodeOptions.Default }).DecodeError);
    }

    [Fact]
    public void Verify_AnswerAboutAnother_CertIdNotAnswered() // C9
    {
        SerialNumber serial = _ca.Asked.SerialNumber;
        X509Certificate2 sameName = new TestCa().Certificate;
        X509Certificate2 sameKey = new TestCa("CN=Other", _ca.Key).Certificate;

        Assert.All(
            new[]
            {
                CertId.Create(_ca.Certificate, SerialNumber.FromInteger(4712)),
                CertId.Create(sameName, serial),
                CertId.Create(sameKey, serial),
                CertId.Create(_ca.Certificate, serial, CertIdHash.Sha256),
            },
            other => Assert.Equal(OcspVerificationOutcome.CertIdNotAnswered, VerifyAnswers(About(other)).Outcome));
    }

    [Fact]
    public void Verify_ParametersNullOrAbsent_AreTheSameCertId()
    {
        CertId absent = CertId.Create(_ca.Certificate, _ca.Asked.SerialNumber, nullParameters: false);

        Assert.True(VerifyAnswers(About(absent)).IsVerified);
    }

    [Fact]
    public void Verify_AmongOtherAnswers_TheOneAskedFor()
    {
        SingleResponse other = new(CertId.Create(_ca.Certificate, SerialNumber.FromInteger(1)), CertStatus.Revoked(TestCa.Now), TestCa.Now);

        Assert.Equal(CertStatus.Good, VerifyAnswers(other, _ca.Good()).Status);
    }

    [Fact]
    public void Verify_SeveralAnswers_StrictestCurrentOneWins() // C10
    {
        SingleResponse good = _ca.Answer(CertStatus.Good);
        SingleResponse unknown = _ca.Answer(CertStatus.Unknown);
        SingleResponse revoked = _ca.Answer(CertStatus.Revoked(TestCa.Now.AddDays(-1)));
        SingleResponse revokedButExpired = _ca.Answer(CertStatus.Revoked(TestCa.Now.AddDays(-1)), TimeSpan.FromDays(-2), TimeSpan.FromDays(-1));
        SingleResponse goodButExpired = _ca.Answer(CertStatus.Good, TimeSpan.FromDays(-2), TimeSpan.FromDays(-1));

        Assert.Equal(revoked.Status, VerifyAnswers(good, revoked, unknown).Status);
        Assert.Equal(CertStatus.Unknown, VerifyAnswers(good, unknown).Status);
        Assert.Equal(2, VerifyAnswers(good, unknown, goodButExpired).CurrentAnswers.Count);
        Assert.Equal(CertStatus.Good, VerifyAnswers(revokedButExpired, good).Status);
        Assert.Equal(OcspVerificationOutcome.NextUpdatePassed, VerifyAnswers(goodButExpired, revokedButExpired).Outcome);
    }

    [Theory] // at the bounds of the default tolerance of 300 seconds, and one second beyond
    [InlineData(300, 9000, OcspVerificationOutcome.Verified)]
    [InlineData(301, 9000, OcspVerificationOutcome.ThisUpdateInFuture)]
    [InlineData(-9000, -300, OcspVerificationOutcome.Verified)]
    [InlineData(-9000, -301, OcspVerificationOutcome.NextUpdatePassed)]
    [InlineData(0, 0, OcspVerificationOutcome.Verified)]
    [InlineData(-90000000, 90000000, OcspVerificationOutcome.Verified)]
    public void Verify_Times_ByTheirBounds(int thisUpdate, int nextUpdate, OcspVerificationOutcome expected) =>
        Assert.Equal(expected, VerifyAnswers(_ca.Answer(CertStatus.Good, TimeSpan.FromSeconds(thisUpdate), TimeSpan.FromSeconds(nextUpdate))).Outcome);

    [Fact]
    public void Verify_ToleranceOfZero_IsExact()
    {
        OcspVerificationOptions exact = Options with { Tolerance = TimeSpan.Zero };

        Assert.Equal(OcspVerificationOutcome.ThisUpdateInFuture, VerifyAnswers(exact, _ca.Answer(CertStatus.Good, TimeSpan.FromSeconds(1))).Outcome);
        Assert.Equal(OcspVerificationOutcome.NextUpdatePassed, VerifyAnswers(exact, _ca.Answer(CertStatus.Good, nextUpdate: TimeSpan.FromSeconds(-1))).Outcome);
        Assert.True(VerifyAnswers(exact, _ca.Answer(CertStatus.Good, TimeSpan.Zero, TimeSpan.Zero)).IsVerified);
    }

    [Fact]
    public void Verify_NextUpdateBeforeThisUpdate_Broken() // our builder refuses to write it: the two times change places on the wire
    {
        TestKey key = new(_ca.Key.Public, new TimeSwapper(_ca.Key.Signer));
        OcspResponse sound = Exchange.Respond(key, ResponderId.ByKey(_ca.Certificate), [_ca.Answer(CertStatus.Good, TimeSpan.FromSeconds(-10), TimeSpan.FromSeconds(10))], []);
        byte[] swapped = TimeSwapper.Swap(sound.Encoded.Span);

        Assert.Equal(OcspVerificationOutcome.NextUpdateBeforeThisUpdate, OcspVerifier.Verify(swapped, _ca.Asked, _ca.Certificate, Options).Outcome);
    }

    [Theory]
    [InlineData(-300, OcspVerificationOutcome.Verified)]
    [InlineData(-86700, OcspVerificationOutcome.Verified)] // a day and the tolerance
    [InlineData(-86701, OcspVerificationOutcome.TooOldWithoutNextUpdate)]
    public void Verify_NoNextUpdate_ByItsAge(int thisUpdate, OcspVerificationOutcome expected) =>
        Assert.Equal(expected, VerifyAnswers(_ca.AnswerWithoutNextUpdate(TimeSpan.FromSeconds(thisUpdate))).Outcome);

    [Fact]
    public void Verify_NoNextUpdateUnderTheLightweightProfile_Missing()
    {
        OcspVerificationOptions light = Options with { RequireNextUpdate = true };

        Assert.Equal(OcspVerificationOutcome.NextUpdateMissing, VerifyAnswers(light, _ca.AnswerWithoutNextUpdate(TimeSpan.Zero)).Outcome);
        Assert.True(VerifyAnswers(light, _ca.Good()).IsVerified);
    }

    [Theory]
    [InlineData(-864300, OcspVerificationOutcome.Verified)] // ten days and the tolerance
    [InlineData(-864301, OcspVerificationOutcome.TooOld)]
    public void Verify_MaximumAge_CapsAnswersWithNextUpdate(int thisUpdate, OcspVerificationOutcome expected) =>
        Assert.Equal(expected, VerifyAnswers(Options with { MaximumAge = TimeSpan.FromDays(10) }, _ca.Answer(CertStatus.Good, TimeSpan.FromSeconds(thisUpdate))).Outcome);

    [Theory]
    [InlineData(300, OcspVerificationOutcome.Verified)]
    [InlineData(301, OcspVerificationOutcome.ProducedAtInFuture)]
    public void Verify_ProducedAt_NotInTheFuture(int producedAt, OcspVerificationOutcome expected)
    {
        OcspResponse response = Exchange.Respond(_ca.Key, ResponderId.ByKey(_ca.Certificate), [_ca.Good()], [], producedAt: TimeSpan.FromSeconds(producedAt));

        Assert.Equal(expected, _ca.Verify(response).Outcome);
    }

    [Fact]
    public void Verify_ExtremeTimesAndSettings_NoOverflow()
    {
        SingleResponse eternal = new(_ca.Asked, CertStatus.Good, DateTimeOffset.MinValue, DateTimeOffset.MaxValue);
        OcspVerificationOptions lenient = Options with { Tolerance = TimeSpan.MaxValue, MaximumAge = TimeSpan.MaxValue, MaximumAgeWithoutNextUpdate = TimeSpan.MaxValue };

        Assert.True(VerifyAnswers(eternal).IsVerified);
        Assert.True(VerifyAnswers(lenient, eternal).IsVerified);
        Assert.True(VerifyAnswers(lenient, new SingleResponse(_ca.Asked, CertStatus.Good, DateTimeOffset.MaxValue)).IsVerified);
    }

    [Fact]
    public void Verify_Nonce_ByWhatWasSentAndPolicy() // C22
    {
        OcspResponse with = WithExtensions(s_nonce.ToExtension());
        OcspResponse without = _ca.Respond(_ca.Good());
        OcspVerificationOptions sent = Options with { Nonce = s_nonce };
        OcspVerificationOptions other = Options with { Nonce = OcspNonce.Create(new byte[] { 1, 2, 4 }) };

        Assert.True(_ca.Verify(with).IsVerified);
        Assert.True(_ca.Verify(with, sent).IsVerified);
        Assert.True(_ca.Verify(with, sent with { RequireNonce = true }).IsVerified);
        Assert.True(_ca.Verify(without, sent).IsVerified);
        Assert.Equal(OcspVerificationOutcome.NonceMissing, _ca.Verify(without, sent with { RequireNonce = true }).Outcome);
        Assert.Equal(OcspVerificationOutcome.NonceMismatch, _ca.Verify(with, other).Outcome);
    }

    [Fact]
    public void Verify_ExtensionsOfTheResponse_UnknownCriticalOneBreaks() // C23
    {
        OcspExtension unknown = new("2.999.7", new byte[] { 5, 0 }, critical: true);
        OcspExtension harmless = new("2.999.7", new byte[] { 5, 0 });
        OcspExtension criticalNonce = new(OcspNonce.ExtensionOid, new byte[] { 4, 1, 9 }, critical: true);

        Assert.Equal(OcspVerificationOutcome.UnknownCriticalExtension, _ca.Verify(WithExtensions(unknown)).Outcome);
        Assert.True(_ca.Verify(WithExtensions(harmless, criticalNonce, ResponseExtensions.ExtendedRevoke)).IsVerified);
        Assert.True(_ca.Verify(WithExtensions(unknown), Options with { UnderstoodExtensions = ["2.999.7"] }).IsVerified);
    }

    [Fact]
    public void Verify_ExtensionsOfTheAnswer_UnknownCriticalOneBreaks() // C23
    {
        OcspExtension unknown = new("2.999.7", new byte[] { 5, 0 }, critical: true);
        OcspExtension harmless = new("2.999.7", new byte[] { 5, 0 });
        OcspExtension cutoff = new(ResponseExtensions.ArchiveCutoffOid, ResponseExtensions.ArchiveCutoff(TestCa.Now).Value, critical: true);

        Assert.Equal(OcspVerificationOutcome.UnknownCriticalSingleExtension, VerifyAnswers(_ca.Good(new([unknown]))).Outcome);
        Assert.Equal(OcspVerificationOutcome.UnknownCriticalSingleExtension, VerifyAnswers(_ca.Good(), _ca.Good(new([unknown]))).Outcome);
        Assert.True(VerifyAnswers(_ca.Good(new([harmless, cutoff]))).IsVerified);
        Assert.True(VerifyAnswers(Options with { UnderstoodExtensions = ["2.999.7"] }, _ca.Good(new([unknown]))).IsVerified);
    }

    [Fact]
    public void Verify_CertificateIssuer_MustBeTheIssuer()
    {
        OcspExtension own = ResponseExtensions.CertificateIssuer(GeneralName.FromDirectoryName(_ca.Certificate.SubjectName));
        OcspExtension foreign = ResponseExtensions.CertificateIssuer(GeneralName.FromDirectoryName(new X500DistinguishedName("CN=Other")));
        OcspExtension broken = new(ResponseExtensions.CertificateIssuerOid, new byte[] { 5, 0 }, critical: true);

        Assert.True(VerifyAnswers(_ca.Good(new([own]))).IsVerified);
        Assert.Equal(OcspVerificationOutcome.UnknownCriticalSingleExtension, VerifyAnswers(_ca.Good(new([foreign]))).Outcome);
        Assert.Equal(OcspVerificationOutcome.UnknownCriticalSingleExtension, VerifyAnswers(_ca.Good(new([broken]))).Outcome);
    }

    [Fact]
    public void Verify_CallersMistakes_Throw()
    {
        OcspResponse response = _ca.Respond(_ca.Good());

        Assert.Throws<ArgumentException>(() => OcspVerifier.Verify(response, _ca.Asked, new TestCa().Certificate, Options));
        Assert.Throws<ArgumentException>(() => _ca.Verify(response, Options with { RequireNonce = true }));
        Assert.Throws<ArgumentOutOfRangeException>(() => Options with { Tolerance = TimeSpan.FromTicks(-1) });
        Assert.Throws<ArgumentOutOfRangeException>(() => Options with { MaximumAge = TimeSpan.FromTicks(-1) });
    }

    private OcspVerificationResult VerifyAnswers(params SingleResponse[] answers) => VerifyAnswers(Options, answers);

    private OcspVerificationResult VerifyAnswers(OcspVerificationOptions options, params SingleResponse[] answers) => _ca.Verify(_ca.Respond(answers), options);

    private OcspResponse WithExtensions(params OcspExtension[] extensions) =>
        Exchange.Respond(_ca.Key, ResponderId.ByKey(_ca.Certificate), [_ca.Good()], [], new OcspExtensionCollection(extensions));

    private static SingleResponse About(CertId certId) => new(certId, CertStatus.Good, TestCa.Now, TestCa.Now.AddDays(1));

    // Reason 7 has no name: our builder refuses it, so keyCompromise is changed into it and the changed bytes are signed.
    private static byte[] WithReason7(TestCa ca)
    {
        TestKey key = new(ca.Key.Public, new ReasonChanger(ca.Key.Signer));
        OcspResponse response = Exchange.Respond(key, ResponderId.ByKey(ca.Certificate), [ca.Answer(CertStatus.Revoked(TestCa.Now, RevocationReason.KeyCompromise))], []);
        return ReasonChanger.Change(response.Encoded.Span);
    }

    private sealed class ReasonChanger(OcspSigner signer) : OcspSigner
    {
        public override AlgorithmIdentifier Algorithm => signer.Algorithm;

        public override byte[] Sign(ReadOnlySpan<byte> data) => signer.Sign(Change(data));

        public static byte[] Change(ReadOnlySpan<byte> encoded)
        {
            byte[] changed = encoded.ToArray();
            changed[encoded.IndexOf((ReadOnlySpan<byte>)[0xA0, 0x03, 0x0A, 0x01, 0x01]) + 4] = 7;
            return changed;
        }
    }

    private sealed class TimeSwapper(OcspSigner signer) : OcspSigner
    {
        public override AlgorithmIdentifier Algorithm => signer.Algorithm;

        public override byte[] Sign(ReadOnlySpan<byte> data) => signer.Sign(Swap(data));

        // thisUpdate is the GeneralizedTime right before [0] { GeneralizedTime nextUpdate }
        public static byte[] Swap(ReadOnlySpan<byte> encoded)
        {
            byte[] swapped = encoded.ToArray();
            int nextUpdate = encoded.IndexOf((ReadOnlySpan<byte>)[0xA0, 0x11, 0x18, 0x0F]) + 4;
            int thisUpdate = nextUpdate - 4 - 15;
            encoded.Slice(thisUpdate, 15).CopyTo(swapped.AsSpan(nextUpdate));
            encoded.Slice(nextUpdate, 15).CopyTo(swapped.AsSpan(thisUpdate));
            return swapped;
        }
    }
}
