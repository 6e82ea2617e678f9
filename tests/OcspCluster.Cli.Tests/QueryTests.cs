using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.RegularExpressions;
using OcspCluster.Client.Tests;
using OcspCluster.Protocol;
using OcspCluster.Testing;

namespace OcspCluster.Cli.Tests;

/// <summary><c>ocspctl query</c> beside <c>openssl ocsp</c>, which reads what it writes and shows the same.</summary>
public sealed partial class QueryTests : IDisposable
{
    private static readonly DateTimeOffset s_revokedAt = new(2026, 5, 4, 3, 2, 1, TimeSpan.Zero);

    private readonly ScratchDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("good", ExitCode.Good)]
    [InlineData("revoked", ExitCode.Revoked)]
    [InlineData("unknown", ExitCode.Unknown)]
    public async Task Query_Certificate_TellsItsStatus(string status, int exitCode)
    {
        await using TestResponder responder = new(StatusOf(status));
        Save(responder);

        CommandRun run = await QueryAsync("--issuer", Path("ca.pem"), "--cert", Path("leaf.pem"));

        Assert.True(run.ExitCode == exitCode, run.ToString());
        GoldenText.Assert("query-" + status, run with { Output = run.Output.Replace(_directory.Path + "/", "", StringComparison.Ordinal) });
    }

    [Theory]
    [InlineData("good")]
    [InlineData("revoked")]
    [InlineData("unknown")]
    public async Task Text_Response_HasTheFieldsThatOpenSslShows(string status)
    {
        await using TestResponder responder = new(StatusOf(status));
        Save(responder);

        CommandRun asked = await QueryAsync("--issuer", Path("ca.pem"), "--cert", Path("leaf.pem"), "--nonce", "sent", "--reqout", Path("request.der"), "--respout", Path("response.der"));
        CommandRun shown = await CommandRun.RunAsync("query", "--reqin", Path("request.der"), "--respin", Path("response.der"), "--text");
        string openssl = await OpenSslAsync("ocsp", "-reqin", Path("request.der"), "-respin", Path("response.der"), "-text", "-noverify");

        Assert.Equal("", asked.Error);
        Assert.Equal(ExitCode.Good, shown.ExitCode);
        string[] expected = FieldsOf(openssl);
        Assert.True(expected.Length > 12, openssl);
        Assert.Equal(expected, FieldsOf(shown.Output));
    }

    [Theory]
    [InlineData(80)]
    [InlineData(120)]
    public async Task Text_OnATerminal_IsNoWiderThanIt(int width)
    {
        await using TestResponder responder = new();
        Save(responder);

        CommandRun run = await CommandRun.RunAsync(
            ["query", "--issuer", Path("ca.pem"), "--cert", Path("leaf.pem"), "--nonce", "sent", "--text", "--allow-private", "--no-proxy", "--timeout", "60"], width);

        Assert.Equal(ExitCode.Good, run.ExitCode);
        Assert.Contains("OCSP Nonce", run.Output, StringComparison.Ordinal);
        Assert.All(run.Output.Split('\n'), line => Assert.InRange(line.Length, 0, width));
    }

    [Fact]
    public void Text_WiderThanATerminal_LosesNothing()
    {
        using TestAuthority authority = TestAuthority.CreateRoot();
        OcspRequest request = new OcspRequestBuilder { RequestorName = GeneralName.FromDnsName(string.Join(' ', Enumerable.Repeat("name", 40)) + new string('x', 200)) }
            .Add(CertId.Create(authority.Certificate, SerialNumber.ParseHex("1"))).AddNonce().Build();
        using StringWriter wide = new();
        using StringWriter narrow = new();

        new MessageText(wide).Write(request);
        new MessageText(narrow, 80).Write(request);

        Assert.All(narrow.ToString().Split('\n'), line => Assert.InRange(line.TrimEnd('\r').Length, 0, 80));
        Assert.Equal(string.Concat(wide.ToString().Where(c => !char.IsWhiteSpace(c))), string.Concat(narrow.ToString().Where(c => !char.IsWhiteSpace(c))));
    }

    [Theory]
    [InlineData("sha1")]
    [InlineData("sha256")]
    [InlineData("sha512")]
    public async Task Request_WithoutNonce_IsOpenSslsOctetForOctet(string hash)
    {
        await using TestResponder responder = new();
        Save(responder);

        CommandRun run = await CommandRun.RunAsync("query", "--issuer", Path("ca.pem"), "--cert", Path("leaf.pem"), "--serial", "0x1001", "--hash", hash, "--reqout", Path("ours.der"), "--url", responder.Uri.OriginalString, "--no-proxy", "--timeout", "60");
        await OpenSslAsync("ocsp", "-no_nonce", "-" + hash, "-issuer", Path("ca.pem"), "-cert", Path("leaf.pem"), "-serial", "0x1001", "-reqout", Path("theirs.der"));

        Assert.Equal(ExitCode.CouldNotTell, run.ExitCode); // the responder answers for the first only
        Assert.Equal(await ReadAsync("theirs.der"), await ReadAsync("ours.der"));
    }

    [Fact]
    public async Task Serial_BelongsToTheIssuerBeforeIt()
    {
        using TestAuthority one = TestAuthority.CreateRoot("One");
        using TestAuthority two = TestAuthority.CreateRoot("Two");
        Write("one.pem", one.Certificate);
        Write("two.pem", two.Certificate);

        CommandRun run = await CommandRun.RunAsync("query", "--issuer", Path("one.pem"), "--serial", "1", "--issuer=" + Path("two.pem"), "--serial", "0A", "--serial=0b:0c", "--reqout", Path("request.der"));

        Assert.Equal(ExitCode.Good, run.ExitCode);
        CertId[] expected = [CertId.Create(one.Certificate, SerialNumber.ParseHex("1")), CertId.Create(two.Certificate, SerialNumber.ParseHex("0A")), CertId.Create(two.Certificate, SerialNumber.ParseHex("0B0C"))];
        Assert.Equal(expected, OcspRequest.Decode(await ReadAsync("request.der")).Requests.Select(request => request.CertId));
    }

    [Fact]
    public async Task Request_MethodHeaderSignatureAndNonce_AreAsTold()
    {
        await using TestResponder responder = new();
        Save(responder);
        using X509Certificate2 requestor = responder.Authority.Issue(new LeafProfile { Name = "requestor" });
        await File.WriteAllTextAsync(Path("requestor.pem"), requestor.ExportCertificatePem() + "\n" + requestor.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem(), TestContext.Current.CancellationToken);

        CommandRun run = await QueryAsync("--issuer", Path("ca.pem"), "--cert", Path("leaf.pem"), "--url", responder.Uri.OriginalString, "--method", "post",
            "--header", "X-One: 1", "--header", "X-Two=2", "--signer", Path("requestor.pem"), "--nonce-value", "0102", "--nonce", "required");

        Assert.True(run.ExitCode == ExitCode.Good, run.ToString());
        LoopbackRequest request = Assert.Single(responder.Requests);
        Assert.Equal("POST", request.Method);
        Assert.Equal(("1", "2"), (request.Headers["X-One"], request.Headers["X-Two"]));
        OcspRequest sent = OcspRequest.Decode(request.Body);
        Assert.Equal("0102", sent.Nonce!.ToString());
        Assert.True(new OcspRequestVerifier(new OcspRequestVerificationOptions { TrustedIssuers = [responder.Authority.Certificate] }).Verify(sent).IsVerified);
    }

    [Fact]
    public async Task Header_GoesToTheNamedResponderAndNotWhereItRedirects()
    {
        await using TestResponder elsewhere = new();
        await using TestResponder responder = new(answer: (request, _) => LoopbackReply.Of(307, null, $"Location: {elsewhere.Uri}{request.Target[(request.Target.LastIndexOf('/') + 1)..]}"));
        Save(elsewhere);

        CommandRun run = await QueryAsync("--issuer", Path("ca.pem"), "--cert", Path("leaf.pem"), "--host", responder.Uri.Authority, "--path", "ocsp", "--header", "X-One: 1");

        Assert.True(run.ExitCode == ExitCode.Good, run.ToString());
        LoopbackRequest first = Assert.Single(responder.Requests);
        Assert.StartsWith("/ocsp/", first.Target, StringComparison.Ordinal);
        Assert.Equal("1", first.Headers["X-One"]);
        Assert.DoesNotContain("X-One", Assert.Single(elsewhere.Requests).Headers.Keys);
    }

    [Fact]
    public async Task Nonce_RequiredAndNotEchoed_CannotTell()
    {
        await using TestResponder responder = new(answer: (_, request) => LoopbackReply.Ok(Current!.Respond(TestAuthority.Answer(request!.Requests[0].CertId, CertStatus.Good))));
        Current = responder.Authority;
        Save(responder);

        CommandRun run = await QueryAsync("--issuer", Path("ca.pem"), "--cert", Path("leaf.pem"), "--nonce", "required");

        Assert.Equal(ExitCode.CouldNotTell, run.ExitCode);
        Assert.Contains("nonce", run.Output, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(ExitCode.Good, (await QueryAsync("--issuer", Path("ca.pem"), "--cert", Path("leaf.pem"), "--nonce", "sent")).ExitCode);
    }

    [Fact]
    public async Task SavedResponse_IsVerifiedWithoutANetwork()
    {
        await using TestResponder responder = new();
        Save(responder);
        using TestAuthority other = TestAuthority.CreateRoot("Other root");
        Write("other.pem", other.Certificate);
        await QueryAsync("--issuer", Path("ca.pem"), "--cert", Path("leaf.pem"), "--respout", Path("response.der"));
        int asked = responder.Requests.Length;
        byte[] bytes = await ReadAsync("response.der");
        bytes[^1] ^= 1;
        await File.WriteAllBytesAsync(Path("forged.der"), bytes, TestContext.Current.CancellationToken);
        string[] sound = ["query", "--issuer", Path("ca.pem"), "--cert", Path("leaf.pem"), "--respin", Path("response.der")];
        string[] forged = ["query", "--issuer", Path("ca.pem"), "--cert", Path("leaf.pem"), "--respin", Path("forged.der")];
        string later = TestAuthority.Now.AddDays(3).ToString("O", CultureInfo.InvariantCulture);

        Assert.Equal(ExitCode.Good, (await CommandRun.RunAsync(sound)).ExitCode);
        Assert.Equal(ExitCode.Good, (await CommandRun.RunAsync("query", "--issuer", Path("ca.pem"), "--respin", Path("response.der"))).ExitCode);
        Assert.Equal(ExitCode.CouldNotTell, (await CommandRun.RunAsync([.. sound, "--at", later])).ExitCode);
        Assert.Equal(ExitCode.Good, (await CommandRun.RunAsync([.. sound, "--at", later, "--tolerance", "864000"])).ExitCode);
        Assert.Equal(ExitCode.CouldNotTell, (await CommandRun.RunAsync([.. sound, "--max-age", "60"])).ExitCode);
        Assert.Equal(ExitCode.Good, (await CommandRun.RunAsync([.. sound, "--ca-file", Path("ca.pem")])).ExitCode);
        Assert.Equal(ExitCode.CouldNotTell, (await CommandRun.RunAsync([.. sound, "--ca-file", Path("other.pem")])).ExitCode);
        Assert.Equal(ExitCode.CouldNotTell, (await CommandRun.RunAsync(forged)).ExitCode);
        CommandRun believed = await CommandRun.RunAsync([.. forged, "--no-verify"]);
        Assert.Equal(ExitCode.Good, believed.ExitCode);
        Assert.Contains("good (not verified)", believed.Output, StringComparison.Ordinal);
        Assert.Equal(asked, responder.Requests.Length);
    }

    [Fact]
    public async Task Json_HasWhatTheScreenHas()
    {
        await using TestResponder responder = new(StatusOf("revoked"));
        Save(responder);

        CommandRun run = await QueryAsync("--issuer", Path("ca.pem"), "--cert", Path("leaf.pem"), "--json");

        JsonElement answer = JsonDocument.Parse(run.Output).RootElement;
        Assert.Equal(("revoked", "keyCompromise", true, "Issuer"), (answer.GetProperty("status").GetString(), answer.GetProperty("revocationReason").GetString(), answer.GetProperty("verified").GetBoolean(), answer.GetProperty("authorization").GetString()));
        Assert.Equal(s_revokedAt, answer.GetProperty("revocationTime").GetDateTimeOffset());
    }

    [Fact]
    public async Task ErrorOfTheResponder_CannotTell()
    {
        await using TestResponder responder = new(answer: (_, _) => LoopbackReply.Ok(OcspResponse.Unauthorized.Encoded.ToArray()));
        Save(responder);

        CommandRun run = await QueryAsync("--issuer", Path("ca.pem"), "--cert", Path("leaf.pem"), "--resp-text");

        Assert.Equal(ExitCode.CouldNotTell, run.ExitCode);
        Assert.Contains("OCSP Response Status: unauthorized (0x6)", run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("query")]
    [InlineData("query", "--serial", "1")]
    [InlineData("query", "--cert", "x", "--header", "X-One: 1")]
    [InlineData("query", "--respin", "x", "--url", "http://127.0.0.1")]
    [InlineData("query", "--reqin", "x", "--cert", "y")]
    [InlineData("query", "--respin", "x", "--json", "--text")]
    [InlineData("query", "--respin", "x", "--at", "yesterday")]
    [InlineData("query", "--respin", "x", "--hash", "md5")]
    public async Task CommandLine_Misuse_IsToldApartFromAStatus(params string[] args)
    {
        CommandRun run = await CommandRun.RunAsync(args);

        Assert.True(run.ExitCode == ExitCode.Usage, run.ToString());
        Assert.StartsWith("ocspctl: ", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task File_ThatIsNone_IsNamed()
    {
        CommandRun run = await CommandRun.RunAsync("query", "--respin", Path("missing.der"), "--text");

        Assert.Equal(ExitCode.CouldNotTell, run.ExitCode);
        Assert.Contains("missing.der' cannot be read", run.Error, StringComparison.Ordinal);
    }

    private TestAuthority? Current { get; set; }

    private static CertStatus StatusOf(string status) => status switch
    {
        "good" => CertStatus.Good,
        "revoked" => CertStatus.Revoked(s_revokedAt, RevocationReason.KeyCompromise),
        _ => CertStatus.Unknown,
    };

    private static Task<CommandRun> QueryAsync(params string[] args) => CommandRun.RunAsync(["query", .. args, "--allow-private", "--no-proxy", "--timeout", "60"]);

    private string Path(string name) => _directory.File(name);

    private Task<byte[]> ReadAsync(string name) => File.ReadAllBytesAsync(Path(name), TestContext.Current.CancellationToken);

    private void Save(TestResponder responder)
    {
        Write("ca.pem", responder.Authority.Certificate);
        Write("leaf.pem", responder.Leaf);
    }

    private void Write(string name, X509Certificate2 certificate) => File.WriteAllText(Path(name), certificate.ExportCertificatePem() + "\n");

    private static async Task<string> OpenSslAsync(params string[] args)
    {
        ExternalTool? openssl = ExternalTool.Find("openssl");
        Assert.SkipWhen(openssl is null, "This machine has no openssl.");
        ToolResult result = await openssl.RunAsync(args);
        Assert.True(result.ExitCode == 0, result.ToString());
        return result.Output;
    }

    // Label and value of each field, whoever shows it: times to the second in UTC, octets without separators, reasons by number.
    private static string[] FieldsOf(string text) =>
    [
        .. from line in text.Split('\n')
           let field = Field().Match(line)
           where field.Success
           let value = field.Groups[2].Value.Trim()
           let time = Time().Match(value)
           select field.Groups[1].Value + "=" + (time.Success ? DateTimeOffset.Parse($"{time.Groups[1].Value} {time.Groups[3].Value} {time.Groups[2].Value} +00:00", CultureInfo.InvariantCulture).ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture)
               : field.Groups[1].Value is "Hash Algorithm" ? value.Replace("-", "", StringComparison.Ordinal).ToLowerInvariant()
               : field.Groups[1].Value is "Serial Number" ? value.TrimStart('0')
               : field.Groups[1].Value is "Revocation Reason" ? value[value.IndexOf('(', StringComparison.Ordinal)..]
               : value),
    ];

    [GeneratedRegex(@"^\s*(OCSP Response Status|Responder Id|Produced At|Hash Algorithm|Issuer Name Hash|Issuer Key Hash|Serial Number|Cert Status|This Update|Next Update|Revocation Time|Revocation Reason): (.+)$")]
    private static partial Regex Field();

    [GeneratedRegex(@"^(\w{3} +\d+) (\d\d:\d\d:\d\d) (\d{4}) GMT$")]
    private static partial Regex Time();
}
