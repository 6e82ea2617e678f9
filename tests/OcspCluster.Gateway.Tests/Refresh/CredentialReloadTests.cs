using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging.Abstractions;
using OcspCluster.Authority;
using OcspCluster.Conformance;
using OcspCluster.Protocol;
using OcspCluster.Testing;

namespace OcspCluster.Gateway.Tests;

public sealed class CredentialReloadTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("reload").FullName;
    private readonly TestClock _clock = new();
    private readonly ResponseFactory _factory;
    private readonly Issuer _issuer;
    private readonly CredentialReload _reload;
    private readonly TestCertificate _first = Issuers.AlphaCa.IssueResponder("first", TestKey.P256());

    public CredentialReloadTests()
    {
        Write(_first);
        _factory = new ResponseFactory(_clock);
        _issuer = new Issuer(new IssuerId("alpha"), Issuers.Alpha.Certificates, Read().Credentials);
        _reload = new CredentialReload(_issuer, [CertificateFile, KeyFile], Read, _factory, _clock, NullLogger.Instance);
    }

    private string CertificateFile => Path.Combine(_directory, "responder.pem");

    private string KeyFile => Path.Combine(_directory, "responder.key");

    public void Dispose()
    {
        _reload.Dispose();
        _factory.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task Replaced_AfterOneInterval_SignsWithoutARestart()
    {
        TestCertificate second = Issuers.AlphaCa.IssueResponder("second", TestKey.P384());
        Write(second);
        Run();
        Assert.Equal(_first.Certificate, await SignerAsync()); // it may still be in the middle of being replaced
        Run();
        Assert.Equal(second.Certificate, await SignerAsync());
        Assert.Equal(1, _reload.Replacements);
        for (int i = 0; i < 20; i++)
        {
            Run(); // the old one is disposed meanwhile, the new one not
        }

        Assert.Equal(second.Certificate, await SignerAsync());
        Assert.Equal(1, _reload.Replacements);
    }

    [Fact]
    public async Task CertificateOfAnotherKey_OldOneSignsOn_UntilTheKeyIsThere()
    {
        TestCertificate second = Issuers.AlphaCa.IssueResponder("second", TestKey.P256());
        second.WriteCertificate(_directory, "responder");
        Run();
        Run();
        Assert.Contains("do not belong together", Assert.Single(_reload.Errors), StringComparison.Ordinal);
        Assert.Equal(_first.Certificate, await SignerAsync());

        second.WriteKey(_directory, "responder");
        Run();
        Run();
        Assert.Empty(_reload.Errors);
        Assert.Equal(second.Certificate, await SignerAsync());
    }

    [Fact]
    public async Task NotTheIssuersResponder_IsRefused_AndGoingBackClearsTheError()
    {
        Write(Issuers.Stranger.IssueResponder("stranger", TestKey.P256()));
        Run();
        Run();
        Assert.NotEmpty(_reload.Errors);
        Assert.Equal(_first.Certificate, await SignerAsync());
        Write(_first);
        Run();
        Assert.Empty(_reload.Errors);
        Assert.Equal(0, _reload.Replacements);
    }

    [Fact]
    public async Task FileGone_OldOneSignsOn_AndItIsTold()
    {
        File.Delete(KeyFile);
        Run();
        Run();
        Assert.Contains("responder.key", Assert.Single(_reload.Errors), StringComparison.Ordinal);
        Assert.Equal(_first.Certificate, await SignerAsync());
    }

    [Fact]
    public void Warnings_FromThirtyDaysBeforeAnswersAreCutShort_UntilItIsRenewed()
    {
        DateTimeOffset end = _clock.GetUtcNow().AddDays(40);
        Write(Issuers.AlphaCa.IssueResponder("ends", TestKey.P256(), new ResponderProfile { NotAfter = end }));
        Run();
        Run();
        Assert.Empty(_reload.Warnings);
        _clock.Advance(TimeSpan.FromDays(5));
        Run();
        Assert.Empty(_reload.Warnings); // 31 days, and 4 of validity
        _clock.Advance(TimeSpan.FromDays(1.5));
        Run();
        Assert.Contains("renew it", Assert.Single(_reload.Warnings), StringComparison.Ordinal);

        Write(_first);
        Run();
        Run();
        Run();
        Assert.Empty(_reload.Warnings);
    }

    private void Run()
    {
        _clock.Advance(CredentialReload.Interval);
        _reload.RunOnce();
    }

    private void Write(TestCertificate responder)
    {
        responder.WriteCertificate(_directory, "responder");
        responder.WriteKey(_directory, "responder");
    }

    private CredentialFilesContent Read()
    {
        try
        {
            ECDsa key = ECDsa.Create();
            key.ImportFromPem(File.ReadAllText(KeyFile));
            X509Certificate2 certificate = X509Certificate2.CreateFromPem(File.ReadAllText(CertificateFile));
            return new CredentialFilesContent([new SigningCredential(certificate, OcspSigner.FromECDsa(key))], []);
        }
        catch (IOException e)
        {
            return new CredentialFilesContent([], [e.Message]);
        }
    }

    // Who signed, as a relying party sees it; and that its signature verifies.
    private async Task<X509Certificate2> SignerAsync()
    {
        CertId certId = CertId.Create(Issuers.Alpha.Certificate, SerialNumber.FromInteger(7));
        AnsweredCertId answered = new(certId, AnswerRules.Decide(_issuer.Policy, CertificateStatus.Good, _clock.GetUtcNow())!);
        SigningResult result = await _factory.CreateAsync(new NamedIssuer(_issuer, Issuers.Alpha.Certificate), [answered], nonce: null, preferred: null, CancellationToken.None);
        BasicOcspResponse basic = OcspResponse.Decode(result.Response!.Encoded).Basic!;
        return X509CertificateLoader.LoadCertificate(basic.Certificates[0].Span);
    }
}
