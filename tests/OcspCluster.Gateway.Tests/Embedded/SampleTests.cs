using System.Diagnostics;
using System.Text.RegularExpressions;
using OcspCluster.Testing;

namespace OcspCluster.Gateway.Tests;

/// <summary>The README's "In your own program" is samples/EmbeddedResponder to the letter, and OpenSSL gets its answers.</summary>
public sealed partial class SampleTests
{
    private static readonly string s_root = FindRoot();

    [Fact]
    public void Readme_ShowsTheSample_AsItIsCompiled()
    {
        string sample = File.ReadAllText(Path.Combine(s_root, "samples/EmbeddedResponder/Program.cs")).Trim();
        string[] blocks = [.. CodeBlock().Matches(File.ReadAllText(Path.Combine(s_root, "README.md"))).Select(match => match.Groups[1].Value.Trim())];
        Assert.Contains(sample, blocks);
        Assert.InRange(sample.Split('\n').Length, 1, 30);
    }

    [Fact]
    public async Task Sample_AskedByOpenSsl_AnswersFromItsDictionary()
    {
        ExternalTool? openssl = ExternalTool.Find("openssl");
        Assert.SkipWhen(openssl is null, "openssl is not on this machine.");
        using ScratchDirectory scratch = new();
        TestPki ca = TestPki.CreateRoot("Sample CA", TestKey.P256());
        TestCertificate responder = ca.IssueResponder("Sample responder", TestKey.P256());
        TestCertificate.WritePem(ca.Certificate, scratch.Path, "ca");
        responder.WriteCertificate(scratch.Path, "responder");
        responder.WriteKey(scratch.Path, "responder");

        using Process sample = Process.Start(new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "EmbeddedResponder.dll"), "--urls", "http://127.0.0.1:0"])
        {
            WorkingDirectory = scratch.Path,
            RedirectStandardOutput = true,
        })!;
        try
        {
            using CancellationTokenSource late = new(TimeSpan.FromSeconds(60));
            Match address = Match.Empty;
            while (!address.Success && await sample.StandardOutput.ReadLineAsync(late.Token) is string line)
            {
                address = Listening().Match(line);
            }

            Assert.True(address.Success, "The sample ended before it listened.");
            string[] ask = ["ocsp", "-issuer", "ca.pem", "-CAfile", "ca.pem", "-url", address.Groups[1].Value + "/ocsp", "-serial"];
            ToolResult good = await openssl.RunAsync([.. ask, "0x1001"], scratch.Path);
            Assert.Contains("0x1001: good", good.Output, StringComparison.Ordinal);
            Assert.Contains("Response verify OK", good.Error, StringComparison.Ordinal);
            ToolResult revoked = await openssl.RunAsync([.. ask, "0x1002"], scratch.Path);
            Assert.Contains("0x1002: revoked", revoked.Output, StringComparison.Ordinal);
            Assert.Contains("Reason: keyCompromise", revoked.Output, StringComparison.Ordinal);
            ToolResult unissued = await openssl.RunAsync([.. ask, "0x1003"], scratch.Path);
            Assert.Contains("unauthorized (6)", unissued.Output + unissued.Error, StringComparison.Ordinal);
        }
        finally
        {
            sample.Kill(entireProcessTree: true);
            await sample.WaitForExitAsync();
        }
    }

    private static string FindRoot()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "OcspCluster.sln")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? throw new InvalidOperationException("These tests read the README: run them in a checkout.");
    }

    [GeneratedRegex("```csharp\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex CodeBlock();

    [GeneratedRegex(@"Now listening on: (http://127\.0\.0\.1:\d+)")]
    private static partial Regex Listening();
}
