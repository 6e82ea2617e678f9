using System.Security.Cryptography.X509Certificates;
using OcspCluster.Testing;

namespace OcspCluster.Conformance;

/// <summary>
/// Relying parties that others wrote, against the running host and by the machine's clock: OpenSSL, GnuTLS, Java, pyca/cryptography, .NET
/// (rules Q1, Q2, Q8, Q9, Q18). What the machine lacks is skipped, with its name.
/// </summary>
public abstract class InteropContract(SharedHosts shared) : ResponderContract(shared)
{
    private static readonly TestCertificate s_requestor = Issuers.Stranger.IssueLeaf([0x12, 0x34], "Interoperating requestor");

    public static TheoryData<string> IssuerIds => [.. Issuers.All.Issuers.Select(issuer => issuer.Id)];

    [Theory]
    [MemberData(nameof(IssuerIds))]
    public async Task Q1_OpenSsl_ByDefault_SendsANonceAndVerifies(string id)
    {
        (ExternalTool openssl, IResponderHost host, Files files) = await PrepareAsync("openssl", id);
        using (files)
        {
            ToolResult result = await openssl.RunAsync([.. OpenSslArguments(host.OcspUri, files), "-cert", Path.GetFileName(files.Good), "-cert", Path.GetFileName(files.Revoked)], files.Directory.Path);
            MustSayAll(result);
        }
    }

    [Theory]
    [MemberData(nameof(IssuerIds))]
    public async Task Q1_OpenSsl_Sha256WithoutNonceUnderAPrefix_Verifies(string id)
    {
        (ExternalTool openssl, IResponderHost host, Files files) = await PrepareAsync("openssl", id);
        using (files)
        {
            ToolResult result = await openssl.RunAsync(
                [.. OpenSslArguments(new Uri(host.OcspUri, "ocsp"), files), "-no_nonce", "-sha256", "-cert", Path.GetFileName(files.Good), "-sha256", "-cert", Path.GetFileName(files.Revoked)], files.Directory.Path);
            MustSayAll(result);
        }
    }

    [Fact]
    public async Task Q1_OpenSsl_ManySerials_EachAnswered()
    {
        (ExternalTool openssl, IResponderHost host, Files files) = await PrepareAsync("openssl", "alpha");
        using (files)
        {
            byte[][] serials = [.. Enumerable.Range(0, 30).Select(_ => TestPki.RandomSerial())];
            await host.SubmitAsync("alpha", [.. serials.Select(serial => Events.Issued(serial)), .. serials.Where((_, i) => i % 3 == 0).Select(serial => Events.Revoked(serial))]);
            string[] names = [.. serials.Select(serial => "0x" + Convert.ToHexString(serial))];
            ToolResult result = await openssl.RunAsync([.. OpenSslArguments(host.OcspUri, files), .. names.SelectMany(name => new[] { "-serial", name })], files.Directory.Path);
            Assert.Contains("Response verify OK", result.Error, StringComparison.Ordinal);
            Assert.All(names.Index(), one => Assert.Contains($"{one.Item}: {(one.Index % 3 == 0 ? "revoked" : "good")}", result.Output, StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task Q1_OpenSsl_Unissued_UnauthorizedOrUnknown()
    {
        (ExternalTool openssl, IResponderHost host, Files files) = await PrepareAsync("openssl", "alpha");
        using (files)
        {
            string unissued = "0x" + Convert.ToHexString(Known.Unissued);
            ToolResult alone = await openssl.RunAsync([.. OpenSslArguments(host.OcspUri, files), "-serial", unissued], files.Directory.Path);
            Assert.Contains("unauthorized (6)", alone.Output + alone.Error, StringComparison.Ordinal);
            ToolResult beside = await openssl.RunAsync([.. OpenSslArguments(host.OcspUri, files), "-cert", Path.GetFileName(files.Good), "-serial", unissued], files.Directory.Path);
            Assert.Contains($"{unissued}: unknown", beside.Output, StringComparison.Ordinal);
            Assert.Contains("Response verify OK", beside.Error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task R5_OpenSsl_SignedRequest_Verified()
    {
        ExternalTool openssl = FindOrSkip("openssl");
        IssuerSetup alpha = Issuers.Alpha.With(("SignedRequests", "Require")) with { Requestors = [s_requestor.Certificate] };
        IResponderHost host = await SharedAsync("signed", ResponderSetup.Of(alpha), MachineClock());
        using Files files = new(alpha);
        string certificate = s_requestor.WriteCertificate(files.Directory.Path, "requestor");
        string key = s_requestor.WriteKey(files.Directory.Path, "requestor");
        ToolResult signed = await openssl.RunAsync(
            [.. OpenSslArguments(host.OcspUri, files), "-signer", certificate, "-signkey", key, "-cert", Path.GetFileName(files.Good), "-cert", Path.GetFileName(files.Revoked)], files.Directory.Path);
        MustSayAll(signed);
        ToolResult unsigned = await openssl.RunAsync([.. OpenSslArguments(host.OcspUri, files), "-cert", Path.GetFileName(files.Good)], files.Directory.Path);
        Assert.Contains("sigrequired (5)", unsigned.Output + unsigned.Error, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [MemberData(nameof(IssuerIds))]
    public async Task Q2_GnuTls_WithAndWithoutNonce_Verifies(string id)
    {
        (ExternalTool ocsptool, IResponderHost host, Files files) = await PrepareAsync("ocsptool", id);
        using (files)
        {
            // GnuTLS finds a CA that signs itself only by name: told byKey and given no certificate, it has to be told the signer.
            string trust = Issuers.All.Issuers.Single(one => one.Id == id).IsDelegated ? "--load-trust" : "--load-signer";
            foreach (string[] nonce in new string[][] { [], ["--nonce"] })
            {
                foreach ((string certificate, string status) in new[] { (files.Good, "good"), (files.Revoked, "revoked") })
                {
                    ToolResult result = await ocsptool.RunAsync(
                        [$"--ask={host.OcspUri}", "--load-issuer", files.Issuer, "--load-cert", certificate, trust, files.Issuer, .. nonce], files.Directory.Path);
                    string said = result.ToString();
                    Assert.Contains($"Certificate Status: {status}", said, StringComparison.Ordinal);
                    Assert.Contains("Verifying OCSP Response: Success", said, StringComparison.Ordinal);
                    Assert.Equal(nonce.Length > 0, said.Contains("Nonce", StringComparison.Ordinal));
                }
            }
        }
    }

    [Fact]
    public async Task Q9_Java_PkixRevocationChecker_ByGetWithAndWithoutNonce()
    {
        ExternalTool java = FindOrSkip("java");
        IResponderHost host = await MachineClockHostAsync();
        foreach (IssuerSetup issuer in Issuers.All.Issuers)
        {
            using Files files = new(issuer);
            string source = files.Directory.File("Check.java");
            await File.WriteAllTextAsync(source, ForeignPrograms.Java);
            ToolResult result = await java.RunAsync([source, files.Issuer, host.OcspUri.AbsoluteUri, files.Good, files.Revoked], files.Directory.Path, TimeSpan.FromMinutes(2));
            Assert.True(result.ExitCode == 0, result.ToString());
            Assert.Equal(
                ["good.pem without nonce: good", "good.pem with nonce: good", "revoked.pem without nonce: REVOKED", "revoked.pem with nonce: REVOKED"],
                result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        }
    }

    [Fact]
    public async Task Q18_PythonCryptography_ParsesAndVerifies()
    {
        ExternalTool python = FindOrSkip("/usr/bin/python3");
        ToolResult probe = await python.RunAsync(["-c", "import cryptography.x509.ocsp"]);
        Assert.SkipWhen(probe.ExitCode != 0, "This machine's /usr/bin/python3 has no 'cryptography'.");
        IResponderHost host = await MachineClockHostAsync();
        foreach (IssuerSetup issuer in Issuers.All.Issuers)
        {
            using Files files = new(issuer);
            string responder = issuer.Responder.WriteCertificate(files.Directory.Path, "responder");
            ToolResult result = await python.RunAsync(["-c", ForeignPrograms.Python, files.Issuer, responder, host.OcspUri.AbsoluteUri, files.Good, files.Revoked], files.Directory.Path);
            Assert.True(result.ExitCode == 0, result.ToString());
            Assert.Equal(
                ["good.pem SHA1: GOOD None", "good.pem SHA256: GOOD None", "revoked.pem SHA1: REVOKED keyCompromise", "revoked.pem SHA256: REVOKED keyCompromise"],
                result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("ocsp")]
    public async Task Q8_DotNet_X509Chain_GoodAndRevoked(string prefix)
    {
        // The only one that finds the responder by the certificate's own AIA.
        IResponderHost host = await MachineClockHostAsync();
        foreach (bool revoked in new[] { false, true })
        {
            byte[] serial = TestPki.RandomSerial();
            using X509Certificate2 leaf = Issuers.AlphaCa.IssueLeaf(serial, "dotnet.example.test", new Uri(host.OcspUri, prefix)).Certificate;
            await host.SubmitAsync("alpha", [Events.Issued(serial), .. revoked ? new[] { Events.Revoked(serial) } : []]);
            using X509Chain chain = new();
            chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            chain.ChainPolicy.CustomTrustStore.Add(Issuers.Alpha.Certificate);
            chain.ChainPolicy.RevocationMode = X509RevocationMode.Online;
            chain.ChainPolicy.RevocationFlag = X509RevocationFlag.EndCertificateOnly;
            chain.ChainPolicy.UrlRetrievalTimeout = TimeSpan.FromSeconds(15);
            bool trusted = chain.Build(leaf);
            Assert.Equal(revoked ? [X509ChainStatusFlags.Revoked] : [], chain.ChainStatus.Select(status => status.Status));
            Assert.Equal(!revoked, trusted);
        }
    }

    private static TestClock MachineClock() => new(TimeProvider.System.GetUtcNow());

    private Task<IResponderHost> MachineClockHostAsync() => SharedAsync("machine clock", Issuers.All, MachineClock());

    private async Task<(ExternalTool, IResponderHost, Files)> PrepareAsync(string program, string issuer)
    {
        ExternalTool tool = FindOrSkip(program);
        return (tool, await MachineClockHostAsync(), new Files(Issuers.All.Issuers.Single(one => one.Id == issuer)));
    }

    private static ExternalTool FindOrSkip(string program)
    {
        ExternalTool? tool = ExternalTool.Find(program);
        Assert.SkipWhen(tool is null, $"This machine has no '{program}'.");
        return tool!;
    }

    private static IEnumerable<string> OpenSslArguments(Uri uri, Files files) =>
        ["ocsp", "-issuer", files.Issuer, "-CAfile", files.Issuer, "-url", uri.AbsoluteUri, "-timeout", "20"];

    private static void MustSayAll(ToolResult result)
    {
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Contains("Response verify OK", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("WARNING", result.Error, StringComparison.Ordinal);
        Assert.Contains("good.pem: good", result.Output, StringComparison.Ordinal);
        Assert.Contains("revoked.pem: revoked", result.Output, StringComparison.Ordinal);
        Assert.Contains("Reason: keyCompromise", result.Output, StringComparison.Ordinal);
        Assert.Contains("Revocation Time: Jun 14 09:08:07 2026 GMT", result.Output, StringComparison.Ordinal);
    }

    /// <summary>An issuer and two of its certificates as files.</summary>
    private sealed class Files : IDisposable
    {
        public Files(IssuerSetup issuer)
        {
            TestPki ca = Issuers.CaOf(issuer);
            Issuer = TestCertificate.WritePem(issuer.Certificate, Directory.Path, "issuer");
            Good = ca.IssueLeaf(Known.Good, "good").WriteCertificate(Directory.Path, "good");
            Revoked = ca.IssueLeaf(Known.Revoked, "revoked").WriteCertificate(Directory.Path, "revoked");
        }

        public ScratchDirectory Directory { get; } = new();

        public string Issuer { get; }

        public string Good { get; }

        public string Revoked { get; }

        public void Dispose() => Directory.Dispose();
    }
}
