using System.Security.Cryptography.X509Certificates;
using OcspCluster.Client.Tests;
using OcspCluster.Protocol;
using OcspCluster.Testing;

namespace OcspCluster.Cli.Tests;

/// <summary><c>ocspctl check --starttls</c> against servers that begin in the clear.</summary>
public sealed class StartTlsTests
{
    private const string Ldap = "\u0030\u001D\u0002\u0001\u0001\u0077\u0018\u0080\u00161.3.6.1.4.1.1466.20037";

    public static TheoryData<string, string[]> Servers => new()
    {
        { "smtp", ["S:220-mail.example.com\r\n220 ready\r\n", "C:EHLO ocspctl.invalid\r\n", "S:250-mail.example.com\r\n250-SIZE 1000\r\n250 STARTTLS\r\n", "C:STARTTLS\r\n", "S:220 go\r\n"] },
        { "imap", ["S:* OK ready\r\n", "C:a1 STARTTLS\r\n", "S:* CAPABILITY IMAP4rev1\r\na1 OK begin\r\n"] },
        { "pop3", ["S:+OK ready\r\n", "C:STLS\r\n", "S:+OK begin\r\n"] },
        { "ftp", ["S:220 ready\r\n", "C:AUTH TLS\r\n", "S:234 begin\r\n"] },
        { "ldap", ["C:" + Ldap, "S:\u0030\u000C\u0002\u0001\u0001\u0078\u0007\u000A\u0001\u0000\u0004\u0000\u0004\u0000"] },
        { "postgres", ["C:\u0000\u0000\u0000\u0008\u0004\u00D2\u0016\u002F", "S:S"] },
    };

    [Theory]
    [MemberData(nameof(Servers))]
    public async Task Check_ServerThatIsAskedForTls_TellsItsStatus(string protocol, string[] script)
    {
        await using TestResponder responder = new(CertStatus.Revoked(TestAuthority.Now.AddDays(-1), RevocationReason.KeyCompromise));
        await using StartTlsServer server = new(responder.Leaf, responder.Authority.Certificate, script);
        using ScratchDirectory directory = new();
        await File.WriteAllTextAsync(directory.File("ca.pem"), responder.Authority.Certificate.ExportCertificatePem(), TestContext.Current.CancellationToken);

        CommandRun run = await CheckAsync(server, protocol, "--issuer", directory.File("ca.pem"));

        Assert.True(run.ExitCode == ExitCode.Revoked, run.ToString());
        Assert.Contains("keyCompromise", run.Output, StringComparison.Ordinal);
    }

    public static TheoryData<string, string, string[]> Refusals => new()
    {
        { "smtp", "does not offer STARTTLS", ["S:220 ready\r\n", "C:EHLO ocspctl.invalid\r\n", "S:250-SIZE\r\n250 NOSTARTTLS\r\n", "END"] },
        { "smtp", "'554 no' where 220 was due", ["S:554 no\r\n", "END"] },
        { "smtp", "closed the connection", ["S:220", "END"] },
        { "imap", "refuses STARTTLS", ["S:* OK\r\n", "C:a1 STARTTLS\r\n", "S:a1 BAD no\r\n", "END"] },
        { "imap", "no IMAP server", ["S:220 mail\r\n", "END"] },
        { "pop3", "refuses STLS", ["S:+OK\r\n", "C:STLS\r\n", "S:-ERR no\r\n", "END"] },
        { "ldap", "refuses StartTLS with result 2", ["C:" + Ldap, "S:\u0030\u000C\u0002\u0001\u0001\u0078\u0007\u000A\u0001\u0002\u0004\u0000\u0004\u0000", "END"] },
        { "ldap", "no LDAP server", ["S:HTTP/1.1 400\r\n", "END"] },
        { "postgres", "does not offer TLS", ["C:\u0000\u0000\u0000\u0008\u0004\u00D2\u0016\u002F", "S:N", "END"] },
        { "smtp", "a line without an end", ["S:" + new string('2', 5000), "END"] },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task Check_ServerThatDoesNotWant_SaysWhatItSaid(string protocol, string expected, string[] script)
    {
        using TestAuthority authority = TestAuthority.CreateRoot();
        using X509Certificate2 leaf = authority.Issue();
        await using StartTlsServer server = new(leaf, authority.Certificate, script);

        CommandRun run = await CheckAsync(server, protocol);

        Assert.Equal(ExitCode.CouldNotTell, run.ExitCode);
        Assert.Contains(expected, run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("mail.example.com", 25)]
    [InlineData("mail.example.com:587", 587)]
    [InlineData("2001:db8::1", 25)]
    public void Target_WithoutAPort_HasTheProtocols(string text, int port) => Assert.Equal(port, CheckTarget.TryParse(text, StartTls.PortOf(StartTlsProtocol.Smtp))!.Port);

    private static Task<CommandRun> CheckAsync(StartTlsServer server, string protocol, params string[] more) =>
        CommandRun.RunAsync(["check", $"localhost:{server.Port}", "--starttls", protocol, "--allow-private", "--no-proxy", "--timeout", "60", .. more]);
}
