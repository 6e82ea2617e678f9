using System.Security.Cryptography.X509Certificates;
using OcspCluster.Client.Tests;

namespace OcspCluster.Cli.Tests;

/// <summary>The admin API over TLS: whom the tool trusts, and who it says that it is.</summary>
public sealed class AdminTlsTests
{
    [Fact]
    public async Task Admin_OfACaOfOnesOwn_IsTrustedByCaFileAlone()
    {
        using TestAuthority authority = TestAuthority.CreateRoot();
        using TestAuthority stranger = TestAuthority.CreateRoot("Stranger");
        await using RunningHost host = await RunningHost.StartWithTlsAsync(authority);
        string root = host.Save("root.pem", authority.Certificate.ExportCertificatePem());
        string other = host.Save("other.pem", stranger.Certificate.ExportCertificatePem());
        string[] anywhere = ["status", "99", "--key-file", host.KeyFile, "--timeout", "60"];
        string[] status = [.. anywhere, "--admin", $"https://localhost:{host.Admin.Port}/"];

        CommandRun untrusted = await CommandRun.RunAsync(status);
        CommandRun wrong = await CommandRun.RunAsync([.. status, "--ca-file", other]);
        CommandRun trusted = await CommandRun.RunAsync([.. status, "--ca-file", root]);
        CommandRun wrongName = await CommandRun.RunAsync([.. anywhere, "--ca-file", root, "--admin", host.Admin.ToString()]);

        Assert.Equal((ExitCode.CouldNotTell, ExitCode.CouldNotTell), (untrusted.ExitCode, wrong.ExitCode));
        Assert.Contains("--ca-file FILE", untrusted.Error, StringComparison.Ordinal);
        Assert.True(trusted.ExitCode == ExitCode.Unknown, trusted.ToString());
        Assert.True(wrongName.ExitCode == ExitCode.CouldNotTell, wrongName.ToString()); // 127.0.0.1 is not in it
    }

    [Fact]
    public async Task ClientCertificate_InPlaceOfAKey_MayFeedAndRead()
    {
        using TestAuthority authority = TestAuthority.CreateRoot();
        await using RunningHost host = await RunningHost.StartWithTlsAsync(authority);
        using X509Certificate2 client = authority.Issue(new LeafProfile { Name = "operator", ExtendedKeyUsage = "1.3.6.1.5.5.7.3.2" });
        string[] asked =
        [
            "--admin", $"https://localhost:{host.Admin.Port}/", "--ca-file", host.Save("root.pem", authority.Certificate.ExportCertificatePem()), "--timeout", "60",
            "--client-cert", host.Save("client.pem", client.ExportCertificatePem()), "--client-key", host.Save("client.key", client.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem()),
        ];

        CommandRun issue = await CommandRun.RunAsync(["issue", "C1", .. asked]);
        CommandRun status = await CommandRun.RunAsync(["status", "C1", .. asked]);
        CommandRun keys = await CommandRun.RunAsync(["keys", "list", .. asked]);

        Assert.True(issue.ExitCode == ExitCode.Good, issue.ToString());
        Assert.True(status.ExitCode == ExitCode.Good && status.Output.Contains("CN=operator", StringComparison.Ordinal), status.ToString());
        Assert.Equal(ExitCode.CouldNotTell, keys.ExitCode);
    }
}
