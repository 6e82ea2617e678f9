using System.Text.Json;
using OcspCluster.Testing;

namespace OcspCluster.Cli.Tests;

/// <summary>What the doctor finds, and what not.</summary>
public sealed class DoctorTests
{
    [Fact]
    public async Task Doctor_OfASoundResponder_FindsNothingCritical()
    {
        await using RunningHost host = await RunningHost.StartAsync();

        CommandRun run = await host.RunAsync("doctor", "--url", host.Ocsp.ToString(), "--data", host.Data);

        Assert.True(run.ExitCode == ExitCode.Good, run.ToString());
        string[][] lines = [.. run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('\t'))];
        Assert.All(lines, line => Assert.Equal("ok", line[0]));
        Assert.Contains(lines, line => line[2].StartsWith("GET for ", StringComparison.Ordinal));
        Assert.Contains(lines, line => line[2].StartsWith("POST for ", StringComparison.Ordinal) && line[2].Contains("revoked", StringComparison.Ordinal));
        Assert.Contains(lines, line => line[2].Contains("'//'", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Doctor_WhoseAddressNobodyAnswers_IsCriticalWithACure()
    {
        await using RunningHost host = await RunningHost.StartAsync();

        CommandRun run = await host.RunAsync("doctor", "--url", "http://127.0.0.1:1/", "--json");

        Assert.Equal(ExitCode.NotDone, run.ExitCode);
        JsonElement[] critical = [.. run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement).Where(line => line.GetProperty("severity").GetString() == "critical")];
        Assert.NotEmpty(critical);
        Assert.All(critical, finding => Assert.Contains("firewall", finding.GetProperty("cure").GetString(), StringComparison.Ordinal));
    }

    [Fact]
    public async Task Doctor_OfAResponderThatIsAway_SaysSo()
    {
        CommandRun run = await CommandRun.RunAsync("doctor", "--admin", "http://127.0.0.1:1", "--key", "a.b");

        Assert.Equal(ExitCode.NotDone, run.ExitCode);
        Assert.StartsWith("critical\tadmin API\t", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Doctor_OfAConfigurationThatCannotWork_NamesEachProblem()
    {
        using ScratchDirectory directory = new();
        await File.WriteAllTextAsync(directory.File("bad.json"), """{"Ocsp":{"Url":"nowhere","MaxCertIds":0},"Misspelt":1}""", TestContext.Current.CancellationToken);

        CommandRun run = await CommandRun.RunAsync("doctor", "--offline", "--config", directory.File("bad.json"));

        Assert.Equal(ExitCode.NotDone, run.ExitCode);
        Assert.True(run.Output.Split('\n').Count(line => line.StartsWith("critical\tconfiguration\t", StringComparison.Ordinal)) >= 2, run.ToString());
    }

    [Fact]
    public async Task Doctor_OfKeysThatOthersMayRead_IsCritical()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no such modes.");
        await using RunningHost host = await RunningHost.StartAsync();
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(host.KeyFile, UnixFileMode.UserRead | UnixFileMode.OtherRead);
        }

        CommandRun run = await CommandRun.RunAsync("doctor", "--offline", "--data", host.Data);

        Assert.Equal(ExitCode.NotDone, run.ExitCode);
        Assert.Contains("chmod 600", run.Output, StringComparison.Ordinal);
    }
}
