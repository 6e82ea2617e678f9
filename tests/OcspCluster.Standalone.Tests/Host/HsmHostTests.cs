using System.Security.Cryptography.X509Certificates;
using OcspCluster.Testing;

namespace OcspCluster.Standalone.Tests.Host;

/// <summary>The program with its key in an HSM, as an operator configures it, asked and judged by openssl.</summary>
public sealed class HsmHostTests(SoftHsm hsm) : IClassFixture<SoftHsm>, IDisposable
{
    private static readonly TestPki s_ca = TestPki.CreateRoot("HSM users' CA", TestKey.P256());

    private readonly ScratchDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("rsa:2048", "host-rsa")]
    [InlineData("EC:prime256v1", "host-p256")]
    public async Task Answer_OfTheProgram_IsVerifiedByOpenSsl(string type, string label)
    {
        SkipWithoutHsm();
        string[] settings = Configure(label, s_ca.IssueResponder("HSM " + label, hsm.MakeKey(type, label)));
        await using HostProcess host = await HostProcess.StartAsync(_directory.Path, settings);
        using OpenSsl openssl = new();
        openssl.Write("ca.pem", s_ca.Certificate.ExportCertificatePem());
        string judged = openssl.Run($"ocsp -issuer ca.pem -serial 0x1234 -CAfile ca.pem -url {host.OcspUri}");
        Assert.Contains("Response verify OK", judged, StringComparison.Ordinal);
        Assert.Contains("0x1234: good", judged, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Key_OfAnotherCertificate_StopsTheStart()
    {
        SkipWithoutHsm();
        hsm.MakeKey("EC:prime256v1", "host-other");
        string[] settings = Configure("host-other", s_ca.IssueResponder("not of this key", TestKey.P256()).Certificate);
        (int exitCode, string output, string error) = await HostProcess.RunAsync(_directory.Path, ["--ocsp", "http://127.0.0.1:0", "--admin", "http://127.0.0.1:0", .. settings]);
        Assert.NotEqual(0, exitCode);
        Assert.Contains("does not verify with the certificate", output + error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Key_ThatIsNotThere_StopsTheStart_AndThePinIsNotShown()
    {
        SkipWithoutHsm();
        string[] settings = Configure("nobody", s_ca.IssueResponder("nobody", TestKey.P256()).Certificate);
        (int exitCode, string output, string error) = await HostProcess.RunAsync(_directory.Path, ["--ocsp", "http://127.0.0.1:0", "--admin", "http://127.0.0.1:0", .. settings]);
        Assert.NotEqual(0, exitCode);
        Assert.Contains("Issuers:web:Responder:Pkcs11:Uri", output + error, StringComparison.Ordinal);
        Assert.DoesNotContain(SoftHsm.Pin, output + error, StringComparison.Ordinal);
    }

    private string[] Configure(string label, X509Certificate2 responder)
    {
        string path = _directory.File("responder.json");
        File.WriteAllText(path, $$"""
            {
              "Issuers": {
                "web": {
                  "Certificate": "{{s_ca.Ca.WriteCertificate(_directory.Path, "ca")}}",
                  "Inventory": "Unknown",
                  "Responder": {
                    "Certificate": "{{TestCertificate.WritePem(responder, _directory.Path, "responder")}}",
                    "Pkcs11": { "Uri": "{{SoftHsm.UriOf(label)}}", "PinFile": "{{hsm.PinFile}}", "Module": "{{hsm.Module}}" },
                    "Limits": { "Concurrency": "8", "Deadline": "00:00:10" }
                  }
                }
              }
            }
            """);
        return ["--config", path];
    }

    private void SkipWithoutHsm() => Assert.SkipWhen(hsm.Missing is not null, hsm.Missing ?? "");
}
