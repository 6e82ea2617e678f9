using System.Security.Cryptography.X509Certificates;
using OcspCluster.Testing;

namespace OcspCluster.Authority.Tests;

/// <summary>Which of several credentials with overlapping validity signs, and until when there is one.</summary>
public sealed class RolloverTests
{
    private static readonly DateTimeOffset s_now = new(2026, 6, 15, 12, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan s_validity = TimeSpan.FromDays(4);
    private static readonly TestPki s_ca = TestPki.CreateRoot("Rollover CA", TestKey.P256());

    [Theory]
    [InlineData("0..10", "5..20", 5.9, 0)] // the first lasts: it signs, though the next one could
    [InlineData("0..10", "5..20", 6.1, 1)] // answers by the first would be cut short: the next one takes over before
    [InlineData("0..10", "8..20", 7, 0)] // not yet begun: cut short rather than none
    [InlineData("0..10", "8..20", 8, 1)]
    [InlineData("5..20", "0..10", 6.1, 0)] // in whatever order
    [InlineData("5..20", "0..10", 3, 1)]
    [InlineData("0..10", "0..11", 8, 1)] // none lasts: the one that lasts longer
    [InlineData("0..10", "0..11", 10.5, 1)]
    [InlineData("0..10", "0..11", 12, null)]
    public void FindDefault_ByAgeAndWhatIsLeft(string first, string second, double day, int? expected)
    {
        SigningCredential[] credentials = [Credential(first), Credential(second)];
        SigningCredential? found = CredentialRules.FindDefault(credentials, s_now.AddDays(day), _ => true, s_validity);
        Assert.Equal(expected, found is null ? null : Array.IndexOf(credentials, found));
    }

    [Fact]
    public void FindDefault_TheNextOnesSignerFails_TheOldOneSignsOn()
    {
        SigningCredential[] credentials = [Credential("0..10"), Credential("5..20")];
        Assert.Same(credentials[0], CredentialRules.FindDefault(credentials, s_now.AddDays(8), credential => credential == credentials[0], s_validity));
        Assert.Same(credentials[1], CredentialRules.FindDefault(credentials, s_now.AddDays(8), _ => false, s_validity));
    }

    [Fact]
    public void FindDefault_HourByHourThroughARollover_NeverCutsAnAnswerShort()
    {
        SigningCredential[] credentials = [Credential("0..10"), Credential("5..20"), Credential("15..40")];
        for (int hour = 0; hour < 36 * 24 - 1; hour++)
        {
            DateTimeOffset now = s_now.AddHours(hour);
            Assert.True(CredentialRules.FindDefault(credentials, now, _ => true, s_validity)!.NotAfter >= now + s_validity - TimeSpan.FromSeconds(1));
        }
    }

    [Theory]
    [InlineData("0..10", "5..20", 0, 16.0)]
    [InlineData("0..10", "6..20", 0, 16.0)]
    [InlineData("0..10", "7..20", 0, 6.0)] // from day 6 to day 7 answers are cut short
    [InlineData("0..10", "0..8", 0, 6.0)]
    [InlineData("0..10", "5..20", 17, null)]
    public void CoveredUntil_WithoutAGap(string first, string second, double day, double? expected) =>
        Assert.Equal(
            expected is null ? null : s_now.AddDays(expected.Value),
            CredentialRules.CoveredUntil([Credential(first), Credential(second)], s_now.AddDays(day), s_validity));

    [Theory]
    [InlineData("0..100", 0, null)]
    [InlineData("0..100", 66.5, "in 30 days, no responder certificate lasts")]
    [InlineData("0..100", 97, "answers are cut short")]
    [InlineData("1..100", 0, "nothing can be signed")]
    public void FindWarnings_FromThirtyDaysBefore(string validity, double day, string? expected)
    {
        Issuer issuer = new(new IssuerId("a"), [s_ca.Certificate], [Credential(validity)], new IssuerPolicy { Validity = s_validity });
        string[] warnings = [.. CredentialRules.FindWarnings(issuer, s_now.AddDays(day))];
        if (expected is null)
        {
            Assert.Empty(warnings);
        }
        else
        {
            Assert.Contains(expected, Assert.Single(warnings), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void FindWarnings_EndedOneBesideOneThatLasts_IsToBeTakenOut()
    {
        Issuer issuer = new(new IssuerId("a"), [s_ca.Certificate], [Credential("0..10"), Credential("5..200")]);
        Assert.Contains("take it out", Assert.Single(CredentialRules.FindWarnings(issuer, s_now.AddDays(11))), StringComparison.Ordinal);
    }

    private static SigningCredential Credential(string days)
    {
        int[] bounds = [.. days.Split("..").Select(day => int.Parse(day, System.Globalization.CultureInfo.InvariantCulture))];
        TestCertificate responder = s_ca.IssueResponder(days, TestKey.P256(), new ResponderProfile { NotBefore = s_now.AddDays(bounds[0]), NotAfter = s_now.AddDays(bounds[1]) });
        return new SigningCredential(X509Certificate2.CreateFromPem(responder.Certificate.ExportCertificatePem(), responder.Key.ToPem()));
    }
}
