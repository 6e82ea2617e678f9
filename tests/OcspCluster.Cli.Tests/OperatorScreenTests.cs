namespace OcspCluster.Cli.Tests;

/// <summary>The operators' screens on terminals of 80 and 120 columns: nothing is wider, and nothing that is meant to be copied is broken.</summary>
public sealed class OperatorScreenTests
{
    [Theory]
    [InlineData(80)]
    [InlineData(120)]
    public async Task Screens_OfOperators_WrapNothingBadly(int width)
    {
        await using RunningHost host = await RunningHost.StartAsync();
        string revoked = Path.Combine(host.Data, "demo", "revoked.pem");
        await File.WriteAllTextAsync(host.File("list"), "5EED01\n5EED02\n", TestContext.Current.CancellationToken);
        string key = await File.ReadAllTextAsync(host.KeyFile, TestContext.Current.CancellationToken);
        (int ExitCode, string Whole, string[] Args)[] screens =
        [
            (ExitCode.Good, "1 recorded as issued", ["issue", "5EED01"]),
            (ExitCode.Good, "2 revoked", ["revoke", "--list", host.File("list"), "--reason", "superseded", "--id", "screens"]),
            (ExitCode.Revoked, "revoked, keyCompromise", ["status", "--cert", revoked]),
            (ExitCode.Revoked, " would be answered revoked by issuer 'demo'", ["explain", "--cert", revoked]),
            (ExitCode.Good, $"  {"demo:1",-14} issued", ["events"]),
            (ExitCode.Good, key[..16], ["keys", "list"]),
            (ExitCode.Good, "position 3: ", ["audit", "verify", "--journal-key", Path.Combine(host.Data, "journal.pub"), "--position", "3"]),
            (ExitCode.Good, "0 critical, 0 warnings", ["doctor", "--url", host.Ocsp.ToString()]),
        ];
        foreach ((int exitCode, string whole, string[] args) in screens)
        {
            CommandRun run = await host.RunAsync(width, args);

            Assert.True(run.ExitCode == exitCode, run.ToString());
            Assert.All(run.Output.Split('\n'), line => Assert.InRange(line.TrimEnd().Length, 0, width));
            Assert.Contains(whole, run.Output, StringComparison.Ordinal);
        }
    }
}
