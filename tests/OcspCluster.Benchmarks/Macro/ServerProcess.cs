using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;

namespace OcspCluster.Benchmarks.Macro;

/// <summary>A server in a process of its own, with the children that it has. Ended by its id.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private static readonly ConcurrentDictionary<int, bool> s_running = new();

    private readonly Process _process;
    private readonly List<string> _errors = [];

    // Who ends the runner (Ctrl-C, a time limit) ends its servers, too.
    static ServerProcess() => AppDomain.CurrentDomain.ProcessExit += (_, _) =>
    {
        foreach (int process in s_running.Keys)
        {
            KillTree(process);
        }
    };

    private ServerProcess(Process process)
    {
        _process = process;
        s_running[process.Id] = true;
    }

    public int Id => _process.Id;

    /// <summary>Starts a program; where a mark is given, waits for a line that begins so, then for a line that is <paramref name="until"/>, and gives the rest of the first.</summary>
    public static async Task<(ServerProcess Server, string Value)> StartAsync(string directory, string program, IEnumerable<string> arguments, string? mark = null, string? until = null)
    {
        ProcessStartInfo start = new(program, arguments) { WorkingDirectory = directory, RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        Process process = Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start.");
        process.StandardInput.Close();
        ServerProcess server = new(process);
        process.ErrorDataReceived += (_, line) =>
        {
            lock (server._errors)
            {
                if (line.Data is not null && server._errors.Count < 50)
                {
                    server._errors.Add(line.Data);
                }
            }
        };
        process.BeginErrorReadLine();
        if (mark is null)
        {
            process.OutputDataReceived += (_, _) => { };
            process.BeginOutputReadLine();
            return (server, "");
        }

        try
        {
            using CancellationTokenSource late = new(TimeSpan.FromMinutes(5));
            string? value = null;
            while (await process.StandardOutput.ReadLineAsync(late.Token) is string line)
            {
                value = line.StartsWith(mark, StringComparison.Ordinal) ? line[mark.Length..] : value;
                if (value is not null && (until is null || line == until))
                {
                    _ = process.StandardOutput.ReadToEndAsync(CancellationToken.None); // whatever it says later must not fill the pipe
                    return (server, value);
                }
            }
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }

        await server.DisposeAsync();
        throw new InvalidOperationException($"{program} ended before it was ready: {server.Errors}");
    }

    public string Errors
    {
        get
        {
            lock (_errors)
            {
                return string.Join('\n', _errors);
            }
        }
    }

    public bool HasEnded => _process.HasExited;

    /// <summary>The processor time of the process and its children, in seconds.</summary>
    public double ProcessorSeconds => Tree(Id).Sum(TicksOf) / 100.0; // USER_HZ is 100 on every Linux that .NET runs on

    /// <summary>The memory that is its own, in bytes, its children's included.</summary>
    public long ResidentBytes => Tree(Id).Sum(ResidentOf);

    public ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            KillTree(Id);
            _process.WaitForExit(TimeSpan.FromSeconds(10)); // of the process; WaitForExitAsync waits for everybody who holds its output, too
        }

        s_running.TryRemove(_process.Id, out _);
        _process.Dispose();
        return ValueTask.CompletedTask;
    }

    // The parent first: nginx and openssl ocsp -multi start a new worker for each that ends.
    private static void KillTree(int process)
    {
        foreach (int child in Tree(process).ToList())
        {
            try
            {
                using Process one = Process.GetProcessById(child);
                one.Kill();
            }
            catch (Exception e) when (e is ArgumentException or InvalidOperationException)
            {
                // It has ended meanwhile.
            }
        }
    }

    private static IEnumerable<int> Tree(int process)
    {
        yield return process;
        string children = $"/proc/{process}/task/{process}/children";
        if (!File.Exists(children))
        {
            yield break;
        }

        foreach (string child in File.ReadAllText(children).Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            foreach (int one in Tree(int.Parse(child, CultureInfo.InvariantCulture)))
            {
                yield return one;
            }
        }
    }

    private static long TicksOf(int process)
    {
        try
        {
            // proc(5): behind the name in parentheses, utime is field 14, stime 15.
            string stat = File.ReadAllText($"/proc/{process}/stat");
            string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return 0; // it has ended
        }
    }

    private static long ResidentOf(int process)
    {
        try
        {
            string? line = File.ReadLines($"/proc/{process}/status").FirstOrDefault(line => line.StartsWith("RssAnon:", StringComparison.Ordinal));
            return line is null ? 0 : long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture) * 1024;
        }
        catch (IOException)
        {
            return 0;
        }
    }
}
