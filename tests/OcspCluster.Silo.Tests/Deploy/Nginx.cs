using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using OcspCluster.Silo.Tests.Host;
using OcspCluster.Testing;

namespace OcspCluster.Silo.Tests.Deploy;

/// <summary>The load balancer of <c>deploy/nginx.conf</c> in front of silos of this machine: the same file but for the addresses and the directories that it writes to. Ended by its id.</summary>
internal sealed class Nginx : IAsyncDisposable
{
    private static readonly string[] s_programs = ["/usr/sbin/nginx", "/usr/local/sbin/nginx", "/usr/bin/nginx"];
    private static readonly string[] s_temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];

    private readonly ScratchDirectory _directory;
    private readonly Process _process;

    private Nginx(ScratchDirectory directory, Process process, string port)
    {
        _directory = directory;
        _process = process;
        Uri = new Uri($"http://127.0.0.1:{port}/");
    }

    /// <summary>Where it answers.</summary>
    public Uri Uri { get; }

    /// <summary>The program; null where it is absent.</summary>
    public static string? Program { get; } = Array.Find(s_programs, File.Exists);

    /// <summary>The file that operators use.</summary>
    public static string ConfigurationFile => Path.Combine(Repository.Root, "deploy", "nginx.conf");

    /// <summary>Its configuration for three silos of this machine.</summary>
    public static string Configure(string directory, string port, IReadOnlyList<Uri> silos)
    {
        string text = File.ReadAllText(ConfigurationFile);
        for (int i = 0; i < 3; i++)
        {
            text = Replace(text, $"silo{i + 1}:8080", silos[i % silos.Count].Authority);
        }

        text = Replace(text, "listen 8080 ", $"listen 127.0.0.1:{port} ");
        text = Replace(text, "http {\n", "http {\n" + string.Concat(s_temporary.Select(name => $"    {name}_temp_path {directory}/{name};\n")));
        string file = Path.Combine(directory, "nginx.conf");
        File.WriteAllText(file, $"pid {directory}/nginx.pid;\ndaemon off;\n" + text);
        return file;
    }

    public static async Task<Nginx> StartAsync(IReadOnlyList<Uri> silos)
    {
        string port = Ports.Next();
        ScratchDirectory directory = new();
        string configuration = Configure(directory.Path, port, silos);
        Process process = Process.Start(new ProcessStartInfo(Program!, ["-p", directory.Path, "-e", directory.File("error.log"), "-c", configuration]))!;
        Nginx nginx = new(directory, process, port);
        long start = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                using TcpClient client = new();
                await client.ConnectAsync(IPAddress.Loopback, int.Parse(port, CultureInfo.InvariantCulture));
                return nginx;
            }
            catch (SocketException)
            {
                Assert.True(!process.HasExited && Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(30), "nginx did not start.");
                process.WaitForExit(TimeSpan.FromMilliseconds(50)); // the pause between two attempts
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            using Process quit = Process.Start("kill", ["-TERM", _process.Id.ToString(CultureInfo.InvariantCulture)]); // the master ends its workers
            await quit.WaitForExitAsync();
            using CancellationTokenSource late = new(TimeSpan.FromSeconds(30));
            await _process.WaitForExitAsync(late.Token);
        }

        _process.Dispose();
        _directory.Dispose();
    }

    private static string Replace(string text, string what, string by)
    {
        Assert.Contains(what, text, StringComparison.Ordinal);
        return text.Replace(what, by, StringComparison.Ordinal);
    }
}

/// <summary>The repository that the tests were built from.</summary>
internal static class Repository
{
    /// <summary>Its root: where the solution is.</summary>
    public static string Root { get; } = Find();

    private static string Find()
    {
        DirectoryInfo? directory = new(AppContext.BaseDirectory);
        while (directory is not null && !File.Exists(Path.Combine(directory.FullName, "OcspCluster.sln")))
        {
            directory = directory.Parent;
        }

        return directory?.FullName ?? throw new InvalidOperationException("The tests run outside of their repository.");
    }
}
