using OcspCluster.Hosting.Configuration;
using OcspCluster.Testing;

namespace OcspCluster.Standalone.Tests.Configuration;

/// <summary>Certificates and keys that cannot be used, each named by its key and file.</summary>
public sealed class CredentialFileTests : IDisposable
{
    private static readonly DateTimeOffset s_now = new(2026, 7, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly TestPki s_ca = TestPki.CreateRoot("Configured CA", TestKey.P256());
    private static readonly TestPki s_stranger = TestPki.CreateRoot("Stranger CA", TestKey.P256());
    private static readonly TestKey s_key = TestKey.P256();

    private readonly ScratchDirectory _directory = new();
    private readonly Dictionary<string, string?> _keys = [];

    public CredentialFileTests() => Use(s_ca.IssueResponder("responder", s_key));

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("Certificate")]
    [InlineData("Responder:Certificate")]
    [InlineData("Responder:Key")]
    public void File_Missing_IsNamed(string key)
    {
        _keys["Issuers:web:" + key] = _directory.File("missing");
        Refused("Issuers:web:" + key, "there is no file");
    }

    [Theory]
    [InlineData("Certificate", "not a certificate")]
    [InlineData("Responder:Certificate", "not a certificate")]
    [InlineData("Responder:Key", "not PEM")]
    public void File_OfNoise_IsNamed(string key, string problem)
    {
        File.WriteAllText(_directory.File("noise"), "noise");
        _keys["Issuers:web:" + key] = _directory.File("noise");
        Refused("Issuers:web:" + key, problem);
    }

    [Theory]
    [InlineData("Issuers:web:Responder:Pkcs11:Uri", "PinFile", "pin", "is missing")]
    [InlineData("Issuers:web:Responder:Pkcs11:Uri", "Uri", "object=responder", "pkcs11:")]
    [InlineData("Issuers:web:Responder:Pkcs11:Uri", "Uri", "pkcs11:object=responder?pin-value=4711", "PinFile")]
    [InlineData("Issuers:web:Responder:Key", "Uri", "pkcs11:object=responder", "take one of them")]
    public void Pkcs11_ThatCannotWork_IsNamed(string refused, string key, string value, string problem)
    {
        if (!refused.EndsWith(":Key", StringComparison.Ordinal))
        {
            _keys.Remove("Issuers:web:Responder:Key");
        }

        _keys["Issuers:web:Responder:Pkcs11:Engine"] = "nosuch";
        _keys["Issuers:web:Responder:Pkcs11:" + key] = value;
        ConfigurationException refusal = Assert.Throws<ConfigurationException>(() => ResponderOptions.Read(Settings.FromKeys(_keys), s_now));
        Assert.Contains(refusal.Problems, one => one.Key == refused && one.Problem.Contains(problem, StringComparison.Ordinal));
        Assert.DoesNotContain("4711", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Certificate_FileOfAKey_IsNamed()
    {
        _keys["Issuers:web:Certificate"] = _keys["Issuers:web:Responder:Key"];
        Refused("Issuers:web:Certificate", "no certificate, only PRIVATE KEY");
    }

    [Fact]
    public void Key_FileOfACertificate_IsNamed()
    {
        _keys["Issuers:web:Responder:Key"] = _keys["Issuers:web:Certificate"];
        Refused("Issuers:web:Responder:Key", "no private key");
    }

    [Fact]
    public void Key_OfAnotherCertificate_IsRefused()
    {
        Use(s_ca.IssueResponder("responder", s_key) with { Key = TestKey.P256() });
        Refused("Issuers:web:Responder:Certificate", "do not belong together");
    }

    [Fact]
    public void Key_OfAnotherKind_IsRefused()
    {
        Use(s_ca.IssueResponder("responder", s_key) with { Key = TestKey.Rsa() });
        Refused("Issuers:web:Responder:Certificate", "do not belong together");
    }

    [Fact]
    public void Key_EncryptedWithoutPassword_IsRefused()
    {
        _keys["Issuers:web:Responder:Key"] = s_ca.IssueResponder("responder", s_key).WriteKey(_directory.Path, "encrypted", "right");
        Refused("Issuers:web:Responder:Key", "set Password or PasswordFile");
    }

    [Fact]
    public void Key_EncryptedWithAWrongPassword_IsRefusedAndThePasswordIsNotShown()
    {
        _keys["Issuers:web:Responder:Key"] = s_ca.IssueResponder("responder", s_key).WriteKey(_directory.Path, "encrypted", "right");
        _keys["Issuers:web:Responder:Password"] = "wr0ng-secret";
        Assert.DoesNotContain("wr0ng-secret", Refused("Issuers:web:Responder:Key", "the password is wrong").ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Pfx_WithAWrongPassword_IsRefused()
    {
        UsePfx("right", "wrong");
        Refused("Issuers:web:Responder:Pfx", "the password is wrong");
    }

    [Fact]
    public void Pfx_BesideAKey_IsRefused()
    {
        UsePfx("right", "right");
        _keys["Issuers:web:Responder:Key"] = _directory.File("responder.key");
        Refused("Issuers:web:Responder:Pfx", "take one way");
    }

    [Fact]
    public void Responder_WithoutOcspSigning_IsRefused()
    {
        Use(s_ca.IssueResponder("responder", s_key, new ResponderProfile { HasOcspSigning = false }));
        Refused("Issuers:web:Responder:Certificate", "lacks the extended key usage OCSPSigning");
    }

    [Fact]
    public void Responder_OfAnotherCa_IsRefused()
    {
        Use(s_stranger.IssueResponder("responder", s_key));
        Refused("Issuers:web:Responder:Certificate", "was issued by");
    }

    [Fact]
    public void Responder_OfTheCasOtherKey_IsRefused()
    {
        Use(s_ca.Rekeyed(TestKey.P256()).IssueResponder("responder", s_key));
        Refused("Issuers:web:Responder:Certificate", "the issuer's key did not sign it");
    }

    [Fact]
    public void Responder_EndingBeforeNextUpdate_IsRefused()
    {
        Use(s_ca.IssueResponder("responder", s_key, new ResponderProfile { NotAfter = s_now + TimeSpan.FromDays(3) }));
        Refused("Issuers:web:Responder:Certificate", "nextUpdate of an answer signed now would be beyond it");
    }

    [Fact]
    public void Responder_WithoutNoCheck_IsServedWithAWarning()
    {
        Use(s_ca.IssueResponder("responder", s_key, new ResponderProfile { HasNoCheck = false }));
        ResponderOptions options = ResponderOptions.Read(Settings.FromKeys(_keys), s_now);
        Assert.Contains(options.Warnings, warning => warning.Key == "Issuers:web:Responder:Certificate" && warning.Problem.Contains("nocheck", StringComparison.Ordinal));
    }

    [Fact]
    public void Issuer_ThatIsNoCa_IsRefused()
    {
        _keys["Issuers:web:Certificate"] = s_ca.IssueLeaf([0x01, 0x02]).WriteCertificate(_directory.Path, "leaf");
        Assert.Contains(Problems(), problem => problem.Key == "Issuers:web:Certificate" && problem.Problem.Contains("is not a CA's", StringComparison.Ordinal));
    }

    [Fact]
    public void Issuer_WithCertificatesOfTwoKeys_IsRefused()
    {
        _keys["Issuers:web:Certificates:0"] = s_stranger.Ca.WriteCertificate(_directory.Path, "stranger");
        Refused("Issuers:web:Certificates:0", "have different keys");
    }

    private void Use(TestCertificate responder)
    {
        _keys["Issuers:web:Certificate"] = s_ca.Ca.WriteCertificate(_directory.Path, "ca");
        _keys["Issuers:web:Responder:Certificate"] = responder.WriteCertificate(_directory.Path, "responder");
        _keys["Issuers:web:Responder:Key"] = responder.WriteKey(_directory.Path, "responder");
    }

    private void UsePfx(string password, string given)
    {
        _keys.Remove("Issuers:web:Responder:Certificate");
        _keys.Remove("Issuers:web:Responder:Key");
        _keys["Issuers:web:Responder:Pfx"] = s_ca.IssueResponder("responder", s_key).WritePfx(_directory.Path, "responder", password);
        _keys["Issuers:web:Responder:Password"] = given;
    }

    private ConfigurationProblem Refused(string key, string problem)
    {
        ConfigurationProblem only = Assert.Single(Problems());
        Assert.Equal(key, only.Key);
        Assert.Contains(problem, only.Problem, StringComparison.Ordinal);
        return only;
    }

    private IReadOnlyList<ConfigurationProblem> Problems() =>
        Assert.Throws<ConfigurationException>(() => ResponderOptions.Read(Settings.FromKeys(_keys), s_now)).Problems;
}
