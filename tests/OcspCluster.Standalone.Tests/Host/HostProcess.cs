using System.Diagnostics;
using System.Text;

namespace OcspCluster.Standalone.Tests.Host;

/// <summary>The program as an operator starts it: a process of its own. Ended by its id when the test ends, whatever happened.</summary>
internal sealed class HostProcess : IAsyncDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(300); // an import of a million lines on a busy machine

    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly Task<string> _error;
    private Task<string>? _rest;

    private HostProcess(Process process)
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

    /// <summary>Starts it on free ports and returns when it says that it is ready.</summary>
    public static Task<HostProcess> StartAsync(string workingDirectory, params string[] arguments) => StartUnderAsync([], workingDirectory, arguments);

    /// <summary>The same under a program that starts it as itself, such as a tracer that does not stand between us and it.</summary>
    public static async Task<HostProcess> StartUnderAsync(IReadOnlyList<string> wrapper, string workingDirectory, params string[] arguments)
    {
        HostProcess host = Spawn(workingDirectory, null, ["--ocsp", "http://127.0.0.1:0", "--admin", "http://127.0.0.1:0", .. arguments], wrapper);
        using CancellationTokenSource late = new(s_patience);
        while (await host._process.StandardOutput.ReadLineAsync(late.Token) is string line)
        {
            host._output.AppendLine(line);
            if (line == "ready")
            {
                return host;
            }
        }

        (int exitCode, _, string error) = await host.WaitForExitAsync();
        await host.DisposeAsync();
        throw new InvalidOperationException($"The host ended with {exitCode}:\n{host.Output}\n{error}");
    }

    /// <summary>Runs it to its end.</summary>
    public static async Task<(int ExitCode, string Output, string Error)> RunAsync(
        string workingDirectory, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null, IReadOnlyList<string>? wrapper = null)
    {
        await using HostProcess host = Spawn(workingDirectory, environment, arguments, wrapper ?? []);
        return await host.WaitForExitAsync();
    }

    /// <summary>Sends SIGTERM, as a supervisor does.</summary>
    public void Terminate()
    {
        using Process kill = Process.Start("kill", ["-TERM", _process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    /// <summary>Whether it ends, by whatever, before the time is up.</summary>
    public async Task<bool> EndsWithinAsync(TimeSpan time)
    {
        using CancellationTokenSource late = new(time);
        await _process.WaitForExitAsync(late.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return _process.HasExited;
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

    private static HostProcess Spawn(string workingDirectory, IReadOnlyDictionary<string, string>? environment, IEnumerable<string> arguments, IReadOnlyList<string> wrapper)
    {
        string[] command = [.. wrapper, "dotnet", "exec", typeof(StandaloneHost).Assembly.Location, .. arguments];
        ProcessStartInfo start = new(command[0], command[1..])
        {
            WorkingDirectory = workingDirectory,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (string name in start.Environment.Keys.Where(name => name.StartsWith("OCSPCLUSTER_", StringComparison.Ordinal)).ToArray())
        {
            start.Environment.Remove(name); // what the tests were told is not the host's configuration
        }

        foreach ((string name, string value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        return new HostProcess(Process.Start(start) ?? throw new InvalidOperationException("The host did not start."));
    }

    private Uri ListeningUri(string what)
    {
        string mark = $"listening: {what} ";
        return new Uri(Output.Split(Environment.NewLine).First(line => line.StartsWith(mark, StringComparison.Ordinal))[mark.Length..]);
    }
}
