using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;

namespace OcspCluster.Benchmarks.Macro;

// The host of a cluster. This project does not reference it, for its packages are not in every registry: it is started as operators start it, where it was built.
internal sealed partial record Contestant
{
    public const string SiloName = "silo";

    // All of them are sent to it and asked for once: that is an actor each.
    private const int SiloCertificates = 10_000;

    /// <summary>Where <c>dotnet build -c Cluster src/OcspCluster.Silo</c> puts it; null when it was not built.</summary>
    public static string? FindSilo(string? folder)
    {
        for (DirectoryInfo? above = new(AppContext.BaseDirectory); folder is null && above is not null; above = above.Parent)
        {
            folder = File.Exists(Path.Combine(above.FullName, "OcspCluster.sln")) ? Path.Combine(above.FullName, "src", "OcspCluster.Silo", "bin", "Cluster", "net10.0") : null;
        }

        string? program = folder is null ? null : Path.GetFullPath(Path.Combine(folder, "OcspCluster.Silo.dll"));
        return File.Exists(program) ? program : null;
    }

    /// <summary>A silo over a Redis of its own, durable as it asks for it, with the first of the workload's certificates in its cache.</summary>
    public static async Task<Contestant> SiloAsync(Workload work, string program)
    {
        int known = Math.Min(work.Count, SiloCertificates);
        string data = Directory.CreateDirectory(Path.Combine(work.Directory, "silo")).FullName;
        (ServerProcess redis, int port) = await RedisAsync(data);
        Contestant? silo = null;
        try
        {
            silo = await SiloAsync(work, program, port, FreePort(), data);
            await TellAsync(silo, [.. Enumerable.Range(0, known).Select(i => Convert.ToHexString(work.Serial(i)))]);
            await Warming.AskAllAsync(silo.Url, work, known, (_, _) => { });
            return silo with { Certificates = known, Others = [redis] };
        }
        catch
        {
            await redis.DisposeAsync();
            if (silo is not null)
            {
                await silo.DisposeAsync();
            }

            throw;
        }
    }

    /// <summary>A silo over a Redis that runs; it is told nothing.</summary>
    /// <param name="work">The workload.</param>
    /// <param name="program">The silo's assembly.</param>
    /// <param name="redis">Redis's port.</param>
    /// <param name="siloPort">The silo's own. One that is started again has the same, or the new one waits for the old one's end to be noticed.</param>
    /// <param name="data">Its directory.</param>
    public static async Task<Contestant> SiloAsync(Workload work, string program, int redis, int siloPort, string data)
    {
        int admin = FreePort();
        (ServerProcess server, string url) = await ServerProcess.StartAsync(
            work.Directory,
            "dotnet",
            [
                "exec", program, "--redis", Text($"127.0.0.1:{redis}"), "--silo-port", Text($"{siloPort}"), "--gateway-port", "0", "--data", data,
                "--ocsp", "http://127.0.0.1:0", "--admin", Text($"http://127.0.0.1:{admin}"), "--set", "Admin:RequestsPerSecond=1000000", .. IssuerOf(work),
            ],
            "listening: ocsp ",
            "ready");
        string key = (await File.ReadAllTextAsync(Path.Combine(data, "admin.key"))).Trim();
        return new Contestant(SiloName, server, new Uri(url), TakesPost: true, KeepsConnections: true, 0, IsConstant: false) { IsOurs = true, Admin = Local(admin), AdminKey = key };
    }

    /// <summary>A Redis that flushes every write.</summary>
    public static async Task<(ServerProcess Server, int Port)> RedisAsync(string directory)
    {
        int port = FreePort();
        (ServerProcess redis, _) = await ServerProcess.StartAsync(
            directory,
            "redis-server",
            ["--port", Text($"{port}"), "--bind", "127.0.0.1", "--dir", directory, "--appendonly", "yes", "--appendfsync", "always", "--save", "", "--daemonize", "no"]);
        using CancellationTokenSource late = new(TimeSpan.FromSeconds(20));
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(50));
        while (await timer.WaitForNextTickAsync(late.Token))
        {
            try
            {
                using TcpClient client = new();
                await client.ConnectAsync(IPAddress.Loopback, port, late.Token);
                break;
            }
            catch (SocketException) when (!redis.HasEnded)
            {
                // Not yet.
            }
        }

        return (redis, port);
    }

    /// <summary>Tells one of ours of certificates, as a CA does: the feed's lines in one stream.</summary>
    public static async Task TellAsync(Contestant host, IReadOnlyCollection<string> serials)
    {
        using HttpClient client = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromMinutes(10) };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", host.AdminKey);
        StringBuilder lines = new();
        foreach (string serial in serials)
        {
            lines.Append(CultureInfo.InvariantCulture, $$"""{"id":"{{serial}}","serial":"{{serial}}","kind":"issued","at":"2026-01-02T03:04:05Z"}""").Append('\n');
        }

        using ByteArrayContent content = new(Encoding.ASCII.GetBytes(lines.ToString()));
        content.Headers.ContentType = new MediaTypeHeaderValue("application/x-ndjson");
        using HttpResponseMessage response = await client.PostAsync(new Uri(host.Admin!, "v1/issuers/bench/events"), content);
        string answer = await response.Content.ReadAsStringAsync();
        if (!response.IsSuccessStatusCode || !answer.Contains(Text($"\"applied\":{serials.Count},"), StringComparison.Ordinal))
        {
            throw new InvalidOperationException("The events were not taken: " + answer[Math.Max(0, answer.Length - 1000)..]);
        }
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
