using OcspCluster.Conformance;
using OcspCluster.Protocol;
using OcspCluster.Testing;

namespace OcspCluster.Standalone.Tests.Host;

/// <summary>Keys and certificates that are replaced on disk under the running program.</summary>
public sealed class CredentialFilesProcessTests
{
    [Fact]
    public async Task Responder_ReplacedOnDisk_SignsWithoutARestart_AndEveryAnswerUntilThenIsTheOldOnes()
    {
        using ScratchDirectory directory = new();
        IReadOnlyDictionary<string, string> keys = ResponderSetup.Of(Issuers.Alpha.With(("Inventory", "Unknown"))).With(("Ocsp:NonceSignaturesPerSecond", "100000")).WriteTo(directory.Path);
        await using HostProcess host = await HostProcess.StartAsync(directory.Path, ["--data", "d", .. keys.SelectMany(key => new[] { "--set", $"{key.Key}={key.Value}" })]);
        using HttpClient client = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromSeconds(30) };
        TestCertificate old = Issuers.Alpha.Responder;
        TestCertificate next = Issuers.CaOf(Issuers.Alpha).IssueResponder("alpha's next responder", TestKey.P256());
        Assert.Equal(old.Certificate, await SignerAsync());

        // Half of what is to come: the certificate without its key, and then half of the key.
        Replace(keys["Issuers:alpha:Responder:Certificate"], next.Certificate.ExportCertificatePem());
        await File.WriteAllTextAsync(keys["Issuers:alpha:Responder:Key"], next.Key.ToPem()[..100]);
        using CancellationTokenSource late = new(TimeSpan.FromMinutes(2));
        while (!(await client.GetStringAsync(new Uri(host.AdminUri, "health/ready"), late.Token)).Contains("Responder:Key", StringComparison.Ordinal))
        {
            Assert.Equal(old.Certificate, await SignerAsync()); // until the watcher has seen it, and after
        }

        Assert.Equal(old.Certificate, await SignerAsync());
        Replace(keys["Issuers:alpha:Responder:Key"], next.Key.ToPem());
        while (!(await SignerAsync()).Equals(next.Certificate))
        {
            late.Token.ThrowIfCancellationRequested();
        }

        Assert.DoesNotContain("Responder:Key", await client.GetStringAsync(new Uri(host.AdminUri, "health/ready"), late.Token), StringComparison.Ordinal);

        // Each time by a signature of the moment, and by one of the two.
        async Task<System.Security.Cryptography.X509Certificates.X509Certificate2> SignerAsync()
        {
            byte[] request = new OcspRequestBuilder().Add(CertId.Create(Issuers.Alpha.Certificate, SerialNumber.FromInteger(77))).AddNonce().Build().Encoded.ToArray();
            RawOcspResponse answer = (await RawHttp.SendAsync(host.OcspUri, RawHttp.Post(host.OcspUri, request))).Ocsp().MustBe(Questions.Successful);
            return Assert.Single(new[] { old.Certificate, next.Certificate }, certificate => answer.Denotes(certificate) && answer.IsSignedBy(certificate));
        }
    }

    private static void Replace(string file, string content)
    {
        File.WriteAllText(file + ".new", content);
        File.Move(file + ".new", file, overwrite: true);
    }
}
