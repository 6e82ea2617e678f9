using System.Security.Cryptography;
using OcspCluster.Testing;

namespace OcspCluster.Conformance;

/// <summary>The issuers of the contracts. Made once per process: RSA keys are slow to make.</summary>
public static class Issuers
{
    private static readonly TestPki s_alpha = TestPki.CreateRoot("Alpha CA", TestKey.P256());
    private static readonly TestPki s_alphaRekeyed = s_alpha.Rekeyed(TestKey.P256());
    private static readonly TestPki s_beta = TestPki.CreateRoot("Beta CA", TestKey.Rsa());
    private static readonly TestPki s_gamma = TestPki.CreateRoot("Gamma CA", TestKey.P384());
    private static readonly TestPki s_delta = TestPki.CreateRoot("Delta CA", TestKey.P256());

    /// <summary>P-256, with a P-256 delegate.</summary>
    public static IssuerSetup Alpha { get; } = Delegated("alpha", s_alpha, TestKey.P256());

    /// <summary>Another delegate of Alpha's, RSA-2048.</summary>
    public static TestCertificate AlphaByRsa { get; } = s_alpha.IssueResponder("alpha responder by RSA", TestKey.Rsa());

    /// <summary>Another delegate of Alpha's, P-384.</summary>
    public static TestCertificate AlphaByP384 { get; } = s_alpha.IssueResponder("alpha responder by P-384", TestKey.P384());

    /// <summary>Alpha's name over a new key, with a delegate of its own.</summary>
    public static IssuerSetup AlphaRekeyed { get; } = Delegated("alpha-rekeyed", s_alphaRekeyed, TestKey.P256());

    /// <summary>RSA-2048; the CA signs itself.</summary>
    public static IssuerSetup Beta { get; } = new() { Id = "beta", Certificates = [s_beta.Certificate], Responder = s_beta.Ca };

    /// <summary>P-384; the CA signs itself. One key under two names, and the first name once more cross-certified by Alpha.</summary>
    public static IssuerSetup Gamma { get; } = new()
    {
        Id = "gamma",
        Certificates = [s_gamma.Certificate, s_gamma.Renamed("Gamma CA under its second name").Certificate, s_alpha.CrossCertify(s_gamma)],
        Responder = s_gamma.Ca,
    };

    /// <summary>P-256, with an RSA-2048 delegate.</summary>
    public static IssuerSetup Delta { get; } = Delegated("delta", s_delta, TestKey.Rsa());

    /// <summary>A CA that no responder here serves.</summary>
    public static TestPki Stranger { get; } = TestPki.CreateRoot("Stranger CA", TestKey.P256());

    /// <summary>The CA of one of these issuers, to issue from.</summary>
    public static TestPki CaOf(IssuerSetup issuer) =>
        new[] { s_alpha, s_alphaRekeyed, s_beta, s_gamma, s_delta }.Single(ca => ca.Certificate.Equals(issuer.Certificate));

    /// <summary>Alpha as a CA, to issue from.</summary>
    public static TestPki AlphaCa => s_alpha;

    /// <summary>Alpha under its second key as a CA, to issue from.</summary>
    public static TestPki AlphaRekeyedCa => s_alphaRekeyed;

    /// <summary>All of them in one responder, with a nonce budget that no test exhausts by accident.</summary>
    public static ResponderSetup All { get; } = ResponderSetup.Of(Alpha, AlphaRekeyed, Beta, Gamma, Delta).With(("Ocsp:NonceSignaturesPerSecond", "1000000"));

    /// <summary>Alpha alone with these settings.</summary>
    public static ResponderSetup AlphaWith(params IEnumerable<(string Key, string Value)> settings) =>
        ResponderSetup.Of(Alpha.With(settings)).With(("Ocsp:NonceSignaturesPerSecond", "1000000"));

    private static IssuerSetup Delegated(string id, TestPki ca, TestKey key) =>
        new() { Id = id, Certificates = [ca.Certificate], Responder = ca.IssueResponder(id + " responder", key) };
}

/// <summary>Serial numbers that every issuer of a seeded host knows, and one that none does.</summary>
public static class Known
{
    /// <summary>Issued, not revoked.</summary>
    public static byte[] Good { get; } = Serial(0x11);

    /// <summary>Revoked for keyCompromise at <see cref="RevokedAt"/>.</summary>
    public static byte[] Revoked { get; } = Serial(0x22);

    /// <summary>Suspended at <see cref="RevokedAt"/>.</summary>
    public static byte[] Held { get; } = Serial(0x33);

    /// <summary>Never issued.</summary>
    public static byte[] Unissued { get; } = Serial(0x44);

    /// <summary>Good at Alpha, revoked at every other issuer.</summary>
    public static byte[] GoodAtAlphaOnly { get; } = Serial(0x55);

    /// <summary>Good; Alpha's SHA-1 request for it has <c>+</c>, <c>//</c> and padding in its base64.</summary>
    public static byte[] Awkward { get; } = FindAwkward(static base64 => base64.Contains("//", StringComparison.Ordinal) && base64.Contains('+') && base64.EndsWith('='));

    /// <summary>Good; the base64 of Alpha's SHA-1 request for it ends in <c>/</c>.</summary>
    public static byte[] EndsInSlash { get; } = FindAwkward(static base64 => base64.EndsWith('/'));

    /// <summary>When the revoked ones were.</summary>
    public static DateTimeOffset RevokedAt { get; } = new(2026, 6, 14, 9, 8, 7, TimeSpan.Zero);

    /// <summary>Whether a serial is good at Alpha.</summary>
    public static bool IsGoodAtAlpha(byte[] serial) =>
        new[] { Good, GoodAtAlphaOnly, Awkward, EndsInSlash }.Any(good => good.AsSpan().SequenceEqual(serial));

    private static byte[] Serial(byte octet) => [.. Enumerable.Repeat(octet, 16)];

    private static byte[] FindAwkward(Func<string, bool> isAwkward)
    {
        while (true)
        {
            byte[] serial = RandomNumberGenerator.GetBytes(RandomNumberGenerator.GetInt32(10, 20));
            serial[0] = 0x31;
            if (isAwkward(Convert.ToBase64String(RawOcspRequest.For(RawCertId.For(Issuers.Alpha.Certificate, serial)).Encode())))
            {
                return serial;
            }
        }
    }
}
