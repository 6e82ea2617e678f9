using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using OcspCluster.Testing;

namespace OcspCluster.Client.Tests;

/// <summary>
/// <c>openssl ocsp</c> as a CA's responder, over an index.txt, with a delegated certificate, behind HTTP on 127.0.0.1; and the CA's certificate and CRL beside it. The
/// command answers one request a run: its own server binds all interfaces.
/// </summary>
internal sealed class OpenSslResponder : IAsyncDisposable
{
    private readonly ScratchDirectory _directory = new();
    private readonly ExternalTool _openssl;
    private readonly LoopbackServer _server;
    private readonly Dictionary<string, string> _index = [];
    private readonly Lock _lock = new();

    public OpenSslResponder(TestAuthority authority, X509Certificate2 certificateOfAuthority)
    {
        ExternalTool? openssl = ExternalTool.Find("openssl");
        Assert.SkipWhen(openssl is null, "This machine has no openssl.");
        _openssl = openssl;
        using X509Certificate2 responder = authority.IssueResponder();
        File.WriteAllText(_directory.File("ca.pem"), authority.Certificate.ExportCertificatePem() + "\n");
        File.WriteAllText(_directory.File("responder.pem"), responder.ExportCertificatePem() + "\n");
        File.WriteAllText(_directory.File("responder.key"), responder.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem() + "\n");
        File.WriteAllText(_directory.File("index.txt.attr"), "unique_subject = no\n"); // several certificates of one name
        _server = new LoopbackServer(request => request.Target switch
        {
            "/ca.cer" => LoopbackReply.Ok(certificateOfAuthority.RawData, "application/pkix-cert"),
            _ => LoopbackReply.Ok(Answer(TestResponder.RequestIn(request))),
        });
    }

    public Uri Uri => new(_server.Uri, "ocsp");

    public Uri IssuerUri => new(_server.Uri, "ca.cer");

    public LoopbackRequest[] Requests => [.. _server.Requests];

    /// <summary>Records a certificate in the index: valid, or revoked for keyCompromise.</summary>
    public void Record(X509Certificate2 certificate, bool isRevoked)
    {
        string end = TestAuthority.Now.AddYears(1).ToString("yyMMddHHmmss'Z'", CultureInfo.InvariantCulture);
        string revocation = isRevoked ? TestAuthority.Now.AddDays(-1).ToString("yyMMddHHmmss'Z'", CultureInfo.InvariantCulture) + ",keyCompromise" : "";
        lock (_lock)
        {
            _index[certificate.SerialNumber] = $"{(isRevoked ? 'R' : 'V')}\t{end}\t{revocation}\t{certificate.SerialNumber}\tunknown\t/CN=localhost";
            File.WriteAllLines(_directory.File("index.txt"), _index.Values);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _directory.Dispose();
    }

    private byte[] Answer(byte[] request)
    {
        lock (_lock)
        {
            File.WriteAllBytes(_directory.File("request.der"), request);
            ToolResult result = _openssl.RunAsync(
                ["ocsp", "-index", "index.txt", "-CA", "ca.pem", "-rsigner", "responder.pem", "-rkey", "responder.key", "-reqin", "request.der", "-respout", "response.der", "-ndays", "2"], _directory.Path).GetAwaiter().GetResult();
            Assert.True(result.ExitCode == 0, result.ToString());
            return File.ReadAllBytes(_directory.File("response.der"));
        }
    }
}
