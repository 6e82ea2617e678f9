using System.Diagnostics;
using OcspCluster.Testing;

namespace OcspCluster.Client.Tests;

/// <summary>This project's responder with its demo CA, as an operator starts it: a process of its own on free ports, for all tests of this assembly. Ended with them.</summary>
internal sealed class StandaloneProcess : IDisposable
{
    private static readonly Lazy<Task<StandaloneProcess>> s_shared = new(StartAsync);

    private readonly ScratchDirectory _directory = new();

    public Uri OcspUri { get; private set; } = null!;

    public static Task<StandaloneProcess> SharedAsync() => s_shared.Value;

    public string File(string name) => _directory.File(name);

    public void Dispose() => _directory.Dispose();

    private static async Task<StandaloneProcess> StartAsync()
    {
        // .../tests/OcspCluster.Client.Tests/bin/{configuration}/{framework}/
        DirectoryInfo output = new(AppContext.BaseDirectory);
        string program = Path.Combine(output.FullName, "../../../../../src/OcspCluster.Standalone/bin", output.Parent!.Name, output.Name, "OcspCluster.Standalone.dll");
        StandaloneProcess host = new();
        Process process = Process.Start(new ProcessStartInfo("dotnet", ["exec", Path.GetFullPath(program), "--ocsp", "http://127.0.0.1:0", "--admin", "http://127.0.0.1:0"])
        {
            WorkingDirectory = host._directory.Path,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        AppDomain.CurrentDomain.ProcessExit += (_, _) =>
        {
            process.Kill();
            process.WaitForExit();
            host.Dispose();
        };
        _ = process.StandardError.ReadToEndAsync();
        using CancellationTokenSource late = new(TimeSpan.FromMinutes(2));
        while (await process.StandardOutput.ReadLineAsync(late.Token) is string line)
        {
            if (line.StartsWith("listening: ocsp ", StringComparison.Ordinal))
            {
                host.OcspUri = new Uri(line["listening: ocsp ".Length..]);
            }
            else if (line == "ready")
            {
                return host;
            }
        }

        throw new InvalidOperationException($"The host ended with {process.ExitCode}.");
    }
}
