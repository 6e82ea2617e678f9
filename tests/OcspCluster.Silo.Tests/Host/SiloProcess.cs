using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace OcspCluster.Silo.Tests.Host;

/// <summary>The program as an operator starts it: a process of its own. Ended by its id when the test ends, whatever happened.</summary>
internal sealed class SiloProcess : IAsyncDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(180); // a busy machine

    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly Task<string> _error;
    private Task<string>? _rest;

    private SiloProcess(Process process)
    {
        _process = process;
        _error = process.StandardError.ReadToEndAsync();
    }

    /// <summary>What it printed until it was ready.</summary>
    public string Output => _output.ToString();

    /// <summary>Its process id.</summary>
    public int ProcessId => _process.Id;

    /// <summary>Where it says that OCSP is answered.</summary>
    public Uri OcspUri => ListeningUri("ocsp");

    /// <summary>Where it says that the operator's endpoints are.</summary>
    public Uri AdminUri => ListeningUri("admin");

    /// <summary>Starts it with free HTTP ports and returns when it says that it is ready.</summary>
    public static async Task<SiloProcess> StartAsync(string workingDirectory, params IEnumerable<string> arguments)
    {
        SiloProcess silo = Spawn(workingDirectory, ["--ocsp", "http://127.0.0.1:0", "--admin", "http://127.0.0.1:0", .. arguments]);
        using CancellationTokenSource late = new(s_patience);
        while (await silo._process.StandardOutput.ReadLineAsync(late.Token) is string line)
        {
            silo._output.AppendLine(line);
            if (line == "ready")
            {
                return silo;
            }
        }

        (int exitCode, _, string error) = await silo.WaitForExitAsync();
        await silo.DisposeAsync();
        throw new InvalidOperationException($"The silo ended with {exitCode}:\n{silo.Output}\n{error}");
    }

    /// <summary>Runs it to its end.</summary>
    public static async Task<(int ExitCode, string Output, string Error)> RunAsync(string workingDirectory, params IEnumerable<string> arguments)
    {
        await using SiloProcess silo = Spawn(workingDirectory, arguments);
        return await silo.WaitForExitAsync();
    }

    /// <summary>Sends SIGTERM, as a supervisor does.</summary>
    public void Terminate()
    {
        using Process kill = Process.Start("kill", ["-TERM", _process.Id.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    /// <summary>kill -9.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        using CancellationTokenSource late = new(s_patience);
        await _process.WaitForExitAsync(late.Token);
    }

    /// <summary>Waits for its end.</summary>
    public async Task<(int ExitCode, string Output, string Error)> WaitForExitAsync()
    {
        _rest ??= _process.StandardOutput.ReadToEndAsync();
        using CancellationTokenSource late = new(s_patience);
        await _process.WaitForExitAsync(late.Token);
        return (_process.ExitCode, _output + await _rest, await _error);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            await KillAsync();
        }

        _process.Dispose();
    }

    private static SiloProcess Spawn(string workingDirectory, IEnumerable<string> arguments)
    {
        ProcessStartInfo start = new("dotnet", ["exec", typeof(Silo.Host.SiloHost).Assembly.Location, .. arguments])
        {
            WorkingDirectory = workingDirectory,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        return new SiloProcess(Process.Start(start) ?? throw new InvalidOperationException("The silo did not start."));
    }

    private Uri ListeningUri(string what)
    {
        string mark = $"listening: {what} ";
        return new Uri(Output.Split(Environment.NewLine).First(line => line.StartsWith(mark, StringComparison.Ordinal))[mark.Length..]);
    }
}
