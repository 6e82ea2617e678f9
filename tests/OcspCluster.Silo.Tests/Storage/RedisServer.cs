using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace OcspCluster.Silo.Tests.Storage;

/// <summary>
/// A real redis-server on a loopback port of its own, with its files in a scratch directory: durable as the product asks for
/// it, unless a test asks for less. It can be paused, killed, and started again on the same port and directory.
/// </summary>
public sealed class RedisServer : IAsyncDisposable
{
    private const int SigStop = 19;
    private const int SigCont = 18;
    private const int StartAttempts = 5;

    private static readonly TimeSpan s_startTimeout = TimeSpan.FromSeconds(20);

    private readonly DirectoryInfo _directory = Directory.CreateDirectory(Path.Combine(Parent, "ocsp-redis-" + Path.GetRandomFileName()));
    private readonly string[] _arguments;
    private Process? _process;

    private RedisServer(string[] arguments) => _arguments = arguments;

    /// <summary>The port, the same for the life of this object.</summary>
    public int Port { get; private set; }

    /// <summary>Where its files are: in memory for tests, on the disk for measurements.</summary>
    public static string Parent { get; set; } = ParentForTests();

    /// <summary>A configuration string for it.</summary>
    public string Configuration => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{Port}");

    /// <summary>The scratch directory.</summary>
    public string DataDirectory => _directory.FullName;

    /// <summary>The process id.</summary>
    public int ProcessId => _process?.Id ?? throw new InvalidOperationException("It does not run.");

    /// <summary>Why there is none; null when there is one.</summary>
    public static string? WhyNot { get; } = FindProgram() is null ? "redis-server is not installed" : null;

    /// <summary>Starts one, with an append-only file flushed on every write. Skips the test when redis-server is absent.</summary>
    /// <param name="arguments">Further arguments, which win over ours.</param>
    public static async Task<RedisServer> StartAsync(params string[] arguments)
    {
        Assert.SkipWhen(WhyNot is not null, WhyNot ?? "");
        RedisServer server = new(arguments);
        try
        {
            // A port that was free may be taken by the time Redis binds it.
            for (int attempt = 1; ; attempt++)
            {
                server.Port = FreePort();
                if (await server.TryLaunchAsync())
                {
                    return server;
                }

                Assert.True(attempt < StartAttempts, $"redis-server did not start: {server.ReadLog()}");
            }
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts it again after <see cref="Kill"/>.</summary>
    public async Task RestartAsync() => Assert.True(await TryLaunchAsync(), $"redis-server did not start again: {ReadLog()}");

    /// <summary>kill -9, and waits for its end.</summary>
    public void Kill()
    {
        if (_process is { } process)
        {
            process.Kill(); // SIGKILL ends a stopped process, too
            process.WaitForExit(TimeSpan.FromSeconds(10));
            process.Dispose();
            _process = null;
        }
    }

    /// <summary>SIGSTOP: connections stay open and nothing answers.</summary>
    public void Pause() => Signal(SigStop);

    /// <summary>SIGCONT.</summary>
    public void Resume() => Signal(SigCont);

    /// <summary>Sends one command and gives the first line of the answer, over a connection of its own.</summary>
    public async Task<string?> AskAsync(params string[] command)
    {
        using CancellationTokenSource timeout = new(TimeSpan.FromSeconds(5));
        using TcpClient client = new();
        await client.ConnectAsync(IPAddress.Loopback, Port, timeout.Token);
        await using NetworkStream stream = client.GetStream();
        StringBuilder request = new();
        request.Append(CultureInfo.InvariantCulture, $"*{command.Length}\r\n");
        foreach (string word in command)
        {
            request.Append(CultureInfo.InvariantCulture, $"${Encoding.UTF8.GetByteCount(word)}\r\n{word}\r\n");
        }

        await stream.WriteAsync(Encoding.UTF8.GetBytes(request.ToString()), timeout.Token);
        using StreamReader reader = new(stream);
        return await reader.ReadLineAsync(timeout.Token);
    }

    public ValueTask DisposeAsync()
    {
        Kill();
        _directory.Delete(recursive: true);
        return ValueTask.CompletedTask;
    }

    private async Task<bool> TryLaunchAsync()
    {
        ProcessStartInfo start = new(FindProgram()!) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        string[] ours =
        [
            "--port", Port.ToString(CultureInfo.InvariantCulture), "--bind", "127.0.0.1", "--dir", DataDirectory, "--logfile", Path.Combine(DataDirectory, "redis.log"),
            "--appendonly", "yes", "--appendfsync", "always", "--save", "", "--daemonize", "no",
        ];
        foreach (string argument in ours.Concat(_arguments))
        {
            start.ArgumentList.Add(argument);
        }

        _process = Process.Start(start) ?? throw new InvalidOperationException("redis-server did not start.");
        _process.StandardInput.Close();
        long began = Stopwatch.GetTimestamp();
        while (!_process.HasExited && Stopwatch.GetElapsedTime(began) < s_startTimeout)
        {
            try
            {
                // It refuses commands while it loads its files.
                if (await AskAsync("PING") is { } answer && (answer == "+PONG" || answer.StartsWith("-NOAUTH", StringComparison.Ordinal)))
                {
                    return true;
                }
            }
            catch (Exception e) when (e is SocketException or IOException or OperationCanceledException)
            {
            }

            _process.WaitForExit(TimeSpan.FromMilliseconds(20)); // the pause between two attempts
        }

        Kill();
        return false;
    }

    // Dozens of tests flush every write at once, and a common disk then answers some of them after seconds. What is in memory survives kill -9, too; a loss of power no test here can make.
    private static string ParentForTests()
    {
        const string Memory = "/dev/shm";
        return Directory.Exists(Memory) && new DriveInfo(Memory).AvailableFreeSpace > 1L << 30 ? Memory : Path.GetTempPath();
    }

    private void Signal(int signal) => Assert.Equal(0, NativeMethods.Kill(ProcessId, signal));

    private string ReadLog()
    {
        string log = Path.Combine(DataDirectory, "redis.log");
        return File.Exists(log) ? File.ReadAllText(log) : "no log was written";
    }

    private static string? FindProgram() => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .Select(directory => Path.Combine(directory, "redis-server")).FirstOrDefault(File.Exists);

    /// <summary>A port that was free just now.</summary>
    public static int FreePort()
    {
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    private static class NativeMethods
    {
        [System.Runtime.InteropServices.DllImport("libc", EntryPoint = "kill")]
        [System.Runtime.InteropServices.DefaultDllImportSearchPaths(System.Runtime.InteropServices.DllImportSearchPath.SafeDirectories)]
        public static extern int Kill(int processId, int signal);
    }
}
