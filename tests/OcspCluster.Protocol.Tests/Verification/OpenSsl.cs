using System.Diagnostics;

namespace OcspCluster.Protocol.Tests.Verification;

/// <summary>A directory of its own in which the openssl command runs, each time for at most half a minute.</summary>
internal sealed class OpenSsl : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("ocsp-verify-");

    public byte[] Read(string file) => File.ReadAllBytes(Path(file));

    public void Write(string file, ReadOnlySpan<byte> content) => File.WriteAllBytes(Path(file), content);

    public void Write(string file, string content) => File.WriteAllText(Path(file), content);

    /// <summary>Runs a command line without quotes in it; fails unless it ends well. Returns what it printed.</summary>
    public string Run(string arguments)
    {
        (int exitCode, string printed) = TryRun(arguments);
        Assert.True(exitCode == 0, $"openssl {arguments}: exit code {exitCode}\n{printed}");
        return printed;
    }

    public (int ExitCode, string Printed) TryRun(string arguments)
    {
        ProcessStartInfo start = new("openssl", arguments.Split(' '))
        {
            WorkingDirectory = _directory.FullName,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(TimeSpan.FromSeconds(30)))
        {
            process.Kill();
            Assert.Fail($"openssl {arguments}: still running after 30 s");
        }

        return (process.ExitCode, output.GetAwaiter().GetResult() + errors.GetAwaiter().GetResult());
    }

    public void Dispose() => _directory.Delete(recursive: true);

    private string Path(string file) => System.IO.Path.Combine(_directory.FullName, file);
}
