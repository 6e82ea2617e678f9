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
    private bool _isDisposed;

    private SiloProcess(Process process)
    {
        _process = process;
        ProcessId = process.Id;
        _error = process.StandardError.ReadToEndAsync();
    }

    /// <summary>What it printed until it was ready.</summary>
    public string Output => _output.ToString();

    /// <summary>Its process id.</summary>
    public int ProcessId { get; }

    /// <summary>Where it says that OCSP is answered.</summary>
    public Uri OcspUri => ListeningUri("ocsp");

    /// <summary>Where it says that the operator's endpoints are.</summary>
    public Uri AdminUri => ListeningUri("admin");

    /// <summary>Starts it with free HTTP ports and returns when it says that it is ready.</summary>
    public static async Task<SiloProcess> StartAsync(string workingDirectory, params IEnumerable<string> arguments)
    {
        // Beside all other tests a silo may not get a processor for longer than the default allows (docs/OPERATIONS.md, measure-membership).
        SiloProcess silo = Spawn(workingDirectory, ["--ocsp", "http://127.0.0.1:0", "--admin", "http://127.0.0.1:0", "--set", "Cluster:ProbeTimeout=00:00:01", .. arguments]);
        await silo.WaitUntilReadyAsync();
        return silo;
    }

    /// <summary>Starts it with these arguments and no others, and does not wait.</summary>
    /// <param name="workingDirectory">Where.</param>
    /// <param name="launcher">The program that becomes it, with its arguments, such as <c>ip netns exec</c>; empty for none.</param>
    /// <param name="arguments">Its arguments.</param>
    public static SiloProcess Spawn(string workingDirectory, IReadOnlyList<string> launcher, IEnumerable<string> arguments)
    {
        string[] command = [.. launcher, "dotnet", "exec", typeof(Silo.Host.SiloHost).Assembly.Location, .. arguments];
        ProcessStartInfo start = new(command[0], command[1..])
        {
            WorkingDirectory = workingDirectory,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (string ours in start.Environment.Keys.Where(name => name.StartsWith("OCSPCLUSTER_", StringComparison.Ordinal)).ToArray())
        {
            start.Environment.Remove(ours); // what is said to the tests is no configuration of silos
        }

        return new SiloProcess(Process.Start(start) ?? throw new InvalidOperationException("The silo did not start."));
    }

    /// <summary>Returns when it says that it is ready.</summary>
    /// <exception cref="InvalidOperationException">It ended instead, and is disposed.</exception>
    public async Task WaitUntilReadyAsync()
    {
        using CancellationTokenSource late = new(s_patience);
        while (await _process.StandardOutput.ReadLineAsync(late.Token) is string line)
        {
            _output.AppendLine(line);
            if (line == "ready")
            {
                return;
            }
        }

        (int exitCode, _, string error) = await WaitForExitAsync();
        await DisposeAsync();
        throw new InvalidOperationException($"The silo ended with {exitCode}:\n{Output}\n{error}");
    }

    /// <summary>Runs it to its end.</summary>
    public static async Task<(int ExitCode, string Output, string Error)> RunAsync(string workingDirectory, params IEnumerable<string> arguments)
    {
        await using SiloProcess silo = Spawn(workingDirectory, arguments);
        return await silo.WaitForExitAsync();
    }

    /// <summary>Sends SIGTERM, as a supervisor does.</summary>
    public void Terminate() => Signal("-TERM");

    /// <summary>Sends SIGSTOP: its connections stay open, and it does nothing.</summary>
    public void Pause() => Signal("-STOP");

    /// <summary>Whether it stands still, by what the kernel says.</summary>
    public bool IsStopped
    {
        get
        {
            try
            {
                string stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{ProcessId}/stat"));
                return stat[(stat.LastIndexOf(')') + 2)..].StartsWith('T');
            }
            catch (IOException)
            {
                return false; // it is gone
            }
        }
    }

    /// <summary>Sends SIGKILL, and does not wait.</summary>
    /// <returns>Whether there was a process to send it to.</returns>
    public bool Kill() => Signal("-KILL");

    /// <summary>Sends SIGCONT.</summary>
    public void Resume() => Signal("-CONT");

    /// <summary>Waits for its end, however long that is away.</summary>
    public async Task WaitForExitAsync(CancellationToken cancellationToken)
    {
        _rest ??= _process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        await _process.WaitForExitAsync(cancellationToken);
    }

    private bool Signal(string signal)
    {
        using Process kill = Process.Start("kill", [signal, ProcessId.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
        return kill.ExitCode == 0;
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
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;
        if (!_process.HasExited)
        {
            await KillAsync();
        }

        _process.Dispose();
    }

    private static SiloProcess Spawn(string workingDirectory, IEnumerable<string> arguments) => Spawn(workingDirectory, [], arguments);

    private Uri ListeningUri(string what)
    {
        string mark = $"listening: {what} ";
        return new Uri(Output.Split(Environment.NewLine).First(line => line.StartsWith(mark, StringComparison.Ordinal))[mark.Length..]);
    }
}
