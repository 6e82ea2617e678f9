using System.Numerics;
using OcspCluster.Protocol;
using OcspCluster.Testing;

namespace OcspCluster.Authority.Tests.Import;

public sealed class CrlRulesTests
{
    private static readonly TestPki s_pki = TestPki.CreateRoot("crl rules", TestKey.P256());
    private static readonly DateTimeOffset s_now = new(2026, 6, 15, 12, 0, 0, TimeSpan.Zero);
    private static readonly RawCrl s_crl = new(s_pki) { Number = 5 };
    private static readonly Digest s_other = Digest.Of([1]);

    // Taken before: a complete CRL of that number, and perhaps a delta of a higher one.
    public static TheoryData<int?, int?, int?, int?, string> Sequences => new()
    {
        { null, null, 5, null, "news" },
        { 4, 4, 5, null, "news" },
        { 5, 5, 5, null, "NumberReused" },
        { 6, 6, 5, null, "Older" },
        { 6, 4, 5, null, "nothing new" }, // a delta told it already
        { 5, 4, 5, null, "nothing new" },
        { 7, 5, 5, null, "NumberReused" },
        { 4, 4, null, null, "NumberMissing" },
        { null, null, 5, 4, "BaseMissing" },
        { 3, 3, 5, 4, "BaseMissing" },
        { 4, 4, 5, 4, "news" },
        { 4, 3, 5, 4, "news" }, // the base is below what deltas told since
        { 5, 5, 5, 4, "nothing new" }, // issued together with the complete one
        { 5, 4, 5, 4, "NumberReused" },
        { 6, 6, 5, 4, "Older" },
    };

    [Theory]
    [MemberData(nameof(Sequences))]
    public void Judge_ByNumbers_TakesOnlyWhatRises(int? taken, int? complete, int? number, int? baseNumber, string expected)
    {
        CrlRecord? last = taken is null ? null : Record(taken, complete);

        Assert.Equal(expected, Describe(Judge(s_crl with { Number = number, BaseNumber = baseNumber }, last)));
    }

    [Fact]
    public void Judge_OfTheSameOctets_HasNothingNew()
    {
        CertificateList crl = Decode(s_crl);
        CrlRecord last = Record(5, 5) with { Complete = Digest.Of(crl.Encoded.Span) };

        Assert.Equal(new CrlJudgement(null, false, false), CrlRules.Judge(crl, last.Complete, last, s_now));
    }

    [Fact]
    public void Judge_WithoutNumbers_GoesByThisUpdate()
    {
        RawCrl crl = s_crl with { Number = null };
        CrlRecord last = Record(null, null) with { ThisUpdate = crl.ThisUpdate };

        Assert.Equal("NumberReused", Describe(Judge(crl, last)));
        Assert.Equal("Older", Describe(Judge(crl with { ThisUpdate = crl.ThisUpdate.AddSeconds(-1) }, last)));
        Assert.Equal("news", Describe(Judge(crl with { ThisUpdate = crl.ThisUpdate.AddSeconds(1) }, last)));
    }

    [Fact]
    public void Judge_OfTimes_RefusesByName()
    {
        Assert.Equal("Older", Describe(Judge(s_crl, Record(4, 4) with { ThisUpdate = s_crl.ThisUpdate.AddSeconds(1) })));
        Assert.Equal("NoNextUpdate", Describe(Judge(s_crl with { NextUpdate = null }, null)));
        Assert.Equal("EndsBeforeItBegins", Describe(Judge(s_crl with { NextUpdate = s_crl.ThisUpdate }, null)));
        Assert.Equal("FromTheFuture", Describe(Judge(s_crl with { ThisUpdate = s_now.AddMinutes(6) }, null)));
        Assert.Equal("news", Describe(Judge(s_crl with { ThisUpdate = s_now.AddMinutes(4) }, null)));
        Assert.Equal(new CrlJudgement(null, true, true), Judge(s_crl with { NextUpdate = s_now.AddSeconds(-1) }, null));
        Assert.Equal("AttributeCertificates", Describe(Judge(s_crl with { Scope = Testing.Der.Implicit(5, 0xFF) }, null)));
    }

    [Fact]
    public void FindForgery_OfAnotherName_Key_OrOctet_IsTold()
    {
        TestPki other = TestPki.CreateRoot("other", TestKey.P256());

        Assert.Null(CrlRules.FindForgery(Decode(s_crl), [other.Certificate, s_pki.Certificate]));
        Assert.Equal(CrlRefusal.OtherIssuer, CrlRules.FindForgery(Decode(s_crl), [other.Certificate]));
        Assert.Equal(CrlRefusal.SignatureWrong, CrlRules.FindForgery(Decode(s_crl with { Signer = other.Ca.Key }), [other.Certificate, s_pki.Certificate]));
        Assert.Equal(CrlRefusal.OtherIssuer, CrlRules.FindForgery(Decode(s_crl), []));
    }

    [Fact]
    public void Refusals_All_HaveASentence()
    {
        Assert.All(Enum.GetValues<CrlRefusal>(), refusal => Assert.NotEmpty(refusal.ToSentence()));
    }

    private static CertificateList Decode(RawCrl crl) => CertificateList.Decode(crl.Encode());

    private static CrlJudgement Judge(RawCrl crl, CrlRecord? last) => CrlRules.Judge(Decode(crl), s_other, last, s_now);

    private static string Describe(CrlJudgement judgement) => judgement.Refusal?.ToString() ?? (judgement.IsNews ? "news" : "nothing new");

    private static CrlRecord Record(int? number, int? complete) => new()
    {
        Scope = "",
        Number = number is int one ? new BigInteger(one) : null,
        CompleteNumber = complete is int other ? new BigInteger(other) : null,
        ThisUpdate = s_crl.ThisUpdate.AddDays(-1),
        NextUpdate = s_now,
        TakenAt = s_now,
    };
}
