using System.Globalization;
using System.Numerics;
using FsCheck;
using FsCheck.Fluent;
using OcspCluster.Protocol;

namespace OcspCluster.Authority.Tests;

public sealed class RefreshRulesTests
{
    private static readonly DateTimeOffset s_thisUpdate = new(2026, 6, 15, 12, 0, 0, TimeSpan.Zero);

    private static readonly SerialNumber s_serial = SerialNumber.ParseHex("1234");

    private static readonly Config s_config = Config.QuickThrowOnFailure.WithMaxTest(2_000);

    private static readonly Gen<SerialNumber> s_serials =
        from octets in Gen.Choose(0, 255).Select(value => (byte)value).ArrayOf()
        select SerialNumber.FromInteger(new BigInteger([.. octets, 1], isBigEndian: true));

    // Policies that a public issuer may have: every pair of validity and RefreshAt that FindErrors lets pass.
    private static readonly Gen<IssuerPolicy> s_publicPolicies =
        (from minutes in Gen.Choose(8 * 60, 10 * 24 * 60)
         from part in Gen.Choose(100, 950)
         select new IssuerPolicy { Validity = TimeSpan.FromMinutes(minutes), RefreshAt = part / 1000.0 }).Where(policy => !policy.FindErrors().Any());

    [Theory]
    [InlineData(IssuerProfile.Public, "08:00:00", "04:00:00")] // below 16 hours: half of it
    [InlineData(IssuerProfile.Public, "15:59:58", "07:59:59")]
    [InlineData(IssuerProfile.Public, "16:00:00", "07:59:59")] // from 16 hours on: 8 hours before nextUpdate, which is a second before the end
    [InlineData(IssuerProfile.Public, "1.00:00:00", "15:59:59")]
    [InlineData(IssuerProfile.Public, "4.08:00:00", "3.23:59:59")]
    [InlineData(IssuerProfile.Public, "4.08:00:01", "4.00:00:00")] // 4 days after thisUpdate
    [InlineData(IssuerProfile.Public, "10.00:00:00", "4.00:00:00")]
    [InlineData(IssuerProfile.Private, "00:20:00", "00:19:00")]
    [InlineData(IssuerProfile.PublicCaCertificates, "100.00:00:00", "95.00:00:00")]
    public void LatestAt_ByProfileAndInterval(IssuerProfile profile, string validity, string latest) =>
        Assert.Equal(Span(latest), RefreshRules.LatestAt(profile, s_thisUpdate, NextUpdate(Span(validity))) - s_thisUpdate);

    [Theory]
    [InlineData(IssuerProfile.Public, "4.00:00:00", 0.5, "2.00:00:00")]
    [InlineData(IssuerProfile.Public, "16:00:00", 0.5, "07:59:59")] // the rule is a second before the half
    [InlineData(IssuerProfile.Private, "00:10:00", 0.5, "00:05:00")]
    [InlineData(IssuerProfile.Private, "10.00:00:00", 0.9, "9.00:00:00")]
    public void DueOnDemandAt_IsRefreshAtOfTheInterval_WithinTheRules(IssuerProfile profile, string validity, double refreshAt, string due)
    {
        IssuerPolicy policy = new() { Profile = profile, Validity = Span(validity), RefreshAt = refreshAt };
        Assert.Equal(Span(due), RefreshRules.DueOnDemandAt(policy, s_thisUpdate, NextUpdate(policy.Validity)) - s_thisUpdate);
    }

    [Fact]
    public void DueAt_AnswerCutShortByTheSignersEnd_IsDueByWhatIsLeft()
    {
        IssuerPolicy policy = IssuerPolicy.Default;
        DateTimeOffset due = RefreshRules.DueAt(policy, s_serial, s_thisUpdate, NextUpdate(TimeSpan.FromHours(10)));
        Assert.InRange(due, s_thisUpdate.AddHours(4), s_thisUpdate.AddHours(5));
    }

    [Fact]
    public void DueAt_AnyPublicPolicyAndSerial_IsWithinTheBrBoundsAndTheWindow() => Check.One(s_config, Prop.ForAll(s_publicPolicies.ToArbitrary(), s_serials.ToArbitrary(), (policy, serial) =>
    {
        DateTimeOffset nextUpdate = NextUpdate(policy.Validity);
        DateTimeOffset due = RefreshRules.DueAt(policy, serial, s_thisUpdate, nextUpdate);
        DateTimeOffset onDemand = RefreshRules.DueOnDemandAt(policy, s_thisUpdate, nextUpdate);
        bool isWithinBr = policy.Validity < TimeSpan.FromHours(16)
            ? due - s_thisUpdate <= policy.Validity / 2
            : due <= nextUpdate - TimeSpan.FromHours(8) && due - s_thisUpdate <= TimeSpan.FromDays(4);
        return isWithinBr && due <= onDemand && due >= s_thisUpdate + ((onDemand - s_thisUpdate) * (1 - RefreshRules.Spread));
    }));

    [Fact]
    public void DueAt_AnyPrivatePolicyAndSerial_IsAfterThisUpdateAndBeforeNextUpdate() => Check.One(s_config, Prop.ForAll(
        Gen.Choose(120, 366 * 24 * 3600).ToArbitrary(), Gen.Choose(100, 950).ToArbitrary(), s_serials.ToArbitrary(), (seconds, part, serial) =>
        {
            IssuerPolicy policy = new() { Profile = IssuerProfile.Private, Validity = TimeSpan.FromSeconds(seconds), RefreshAt = part / 1000.0, MaxAge = TimeSpan.Zero };
            DateTimeOffset nextUpdate = NextUpdate(policy.Validity);
            DateTimeOffset due = RefreshRules.DueAt(policy, serial, s_thisUpdate, nextUpdate);
            return !policy.FindErrors().Any() && s_thisUpdate < due && due < nextUpdate;
        }));

    [Theory]
    [InlineData("counted up")]
    [InlineData("random")]
    public void DueAt_AHundredThousandImportedAtOnce_AreEvenlySpread(string serials)
    {
        const int Count = 100_000;
        const int Slots = 50;
        Random random = new(1);
        IssuerPolicy policy = IssuerPolicy.Default;
        DateTimeOffset nextUpdate = NextUpdate(policy.Validity);
        DateTimeOffset end = RefreshRules.DueOnDemandAt(policy, s_thisUpdate, nextUpdate);
        TimeSpan window = (end - s_thisUpdate) * RefreshRules.Spread;
        int[] slots = new int[Slots];
        byte[] octets = new byte[16];
        for (int i = 0; i < Count; i++)
        {
            random.NextBytes(octets);
            SerialNumber serial = SerialNumber.FromInteger(serials == "random" ? new BigInteger(octets, isUnsigned: true) : 1_000_000 + i);
            slots[Math.Min(Slots - 1, (int)((end - RefreshRules.DueAt(policy, serial, s_thisUpdate, nextUpdate)) / window * Slots))]++;
        }

        // 2,000 in each, standard deviation 44: five of those either way.
        Assert.All(slots, slot => Assert.InRange(slot, 1_780, 2_220));
    }

    [Theory] // computed once by another program: a restart must not move due times
    [InlineData("1234", 89)]
    [InlineData("01", 98)]
    [InlineData("4A00FF00AA5566778899AABBCCDDEEFF", 93)]
    public void DueAt_OfASerial_IsTheSameInEveryProcess(string serial, int percent)
    {
        DateTimeOffset due = RefreshRules.DueAt(IssuerPolicy.Default, SerialNumber.ParseHex(serial), s_thisUpdate, NextUpdate(IssuerPolicy.Default.Validity));
        Assert.Equal(percent, (int)Math.Floor((due - s_thisUpdate) / TimeSpan.FromDays(2) * 100));
    }

    [Theory]
    [InlineData(true, true, true, RefreshPriority.NewlyRevoked)]
    [InlineData(true, true, false, RefreshPriority.NewlyRevoked)]
    [InlineData(true, false, true, RefreshPriority.NewlyRevoked)]
    [InlineData(true, false, false, RefreshPriority.NewlyRevoked)]
    [InlineData(false, true, true, RefreshPriority.AboutToExpire)]
    [InlineData(false, true, false, RefreshPriority.AboutToExpire)]
    [InlineData(false, false, true, RefreshPriority.AskedRecently)]
    [InlineData(false, false, false, RefreshPriority.Cold)]
    public void PriorityOf_EveryCase(bool isNewlyRevoked, bool isLate, bool wasAsked, RefreshPriority expected) =>
        Assert.Equal(expected, RefreshRules.PriorityOf(isNewlyRevoked, wasAsked, s_thisUpdate, isLate ? s_thisUpdate : s_thisUpdate.AddSeconds(-1)));

    [Theory]
    [InlineData("4.00:00:00", 0.5, null)]
    [InlineData("08:00:00", 0.5, null)]
    [InlineData("10.00:00:00", 0.4, null)]
    [InlineData("07:59:59", 0.5, "Validity is 07:59:59: 8 hours to 10 days")]
    [InlineData("10.00:00:01", 0.3, "Validity is 10.00:00:01: 8 hours to 10 days")]
    [InlineData("15:59:59", 0.501, "RefreshAt is 0.501: at most 0.5")]
    [InlineData("16:00:00", 0.51, "RefreshAt is 0.51: at most 0.5 with")]
    [InlineData("1.00:00:00", 0.67, "RefreshAt is 0.67: at most 0.666 with")]
    [InlineData("10.00:00:00", 0.5, "RefreshAt is 0.5: at most 0.4 with")]
    public void FindErrors_OfAPublicIssuer_NamesTheBrBound(string validity, double refreshAt, string? error)
    {
        IssuerPolicy policy = new() { Validity = Span(validity), RefreshAt = refreshAt };
        string[] errors = [.. policy.FindErrors()];
        if (error is null)
        {
            Assert.Empty(errors);
        }
        else
        {
            Assert.StartsWith(error, Assert.Single(errors), StringComparison.Ordinal);
            Assert.Contains("BR 4.9.9", errors[0], StringComparison.Ordinal);
            Assert.Empty((policy with { Profile = IssuerProfile.Private }).FindErrors());
        }
    }

    [Fact]
    public void FindErrors_RenewalAfterMoreThanAYear_IsRefusedForCaCertificates()
    {
        IssuerPolicy policy = new() { Profile = IssuerProfile.PublicCaCertificates, Validity = TimeSpan.FromDays(366), RefreshAt = 0.95 };
        Assert.Empty(policy.FindErrors());
        Assert.Contains("12 months", Assert.Single(RefreshRules.FindErrors(policy with { Validity = TimeSpan.FromDays(390) })), StringComparison.Ordinal);
    }

    private static DateTimeOffset NextUpdate(TimeSpan validity) => s_thisUpdate + validity - TimeSpan.FromSeconds(1);

    private static TimeSpan Span(string text) => TimeSpan.Parse(text, CultureInfo.InvariantCulture);
}
