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

    /// <summary>A silo over a Redis of its own, durable as it asks for it, with the first of the workload's certificates.</summary>
    /// <param name="work">The workload.</param>
    /// <param name="program">The silo's assembly.</param>
    /// <param name="certificates">How many it is told of; null for as many as take seconds.</param>
    public static async Task<Contestant> SiloAsync(Workload work, string program, int? certificates = null)
    {
        int known = Math.Min(work.Count, certificates ?? SiloCertificates);
        string data = Directory.CreateDirectory(Path.Combine(work.Directory, "silo")).FullName;
        (ServerProcess redis, int redisPort) = await RedisAsync(data);
        List<ServerProcess> started = [redis];
        try
        {
            int admin = FreePort();
            (ServerProcess server, string url) = await ServerProcess.StartAsync(
                work.Directory,
                "dotnet",
                [
                    "exec", program, "--redis", Text($"127.0.0.1:{redisPort}"), "--silo-port", Text($"{FreePort()}"), "--gateway-port", "0", "--data", data,
                    "--ocsp", "http://127.0.0.1:0", "--admin", Text($"http://127.0.0.1:{admin}"), "--set", "Admin:RequestsPerSecond=1000000", .. IssuerOf(work),
                ],
                "listening: ocsp ",
                "ready");
            started.Add(server);
            await TellAsync(work, known, Local(admin), await File.ReadAllTextAsync(Path.Combine(data, "admin.key")));
            await Warming.AskAllAsync(new Uri(url), work, known, (_, _) => { });
            return new Contestant(SiloName, server, new Uri(url), TakesPost: true, KeepsConnections: true, known, IsConstant: false) { IsOurs = true, Admin = Local(admin), Others = [redis] };
        }
        catch
        {
            foreach (ServerProcess one in started)
            {
                await one.DisposeAsync();
            }

            throw;
        }
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

    // As a CA tells it: the feed's lines in one stream.
    private static async Task TellAsync(Workload work, int known, Uri admin, string key)
    {
        using HttpClient client = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromMinutes(5) };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key.Trim());
        StringBuilder lines = new();
        for (int i = 0; i < known; i++)
        {
            string serial = Convert.ToHexString(work.Serial(i));
            lines.Append(CultureInfo.InvariantCulture, $$"""{"id":"{{serial}}","serial":"{{serial}}","kind":"issued","at":"2026-01-02T03:04:05Z"}""").Append('\n');
        }

        using ByteArrayContent content = new(Encoding.ASCII.GetBytes(lines.ToString()));
        content.Headers.ContentType = new MediaTypeHeaderValue("application/x-ndjson");
        using HttpResponseMessage response = await client.PostAsync(new Uri(admin, "v1/issuers/bench/events"), content);
        string answer = await response.Content.ReadAsStringAsync();
        if (!response.IsSuccessStatusCode || !answer.Contains(Text($"\"applied\":{known},"), StringComparison.Ordinal))
        {
            throw new InvalidOperationException("The silo did not take the events: " + answer[Math.Max(0, answer.Length - 1000)..]);
        }
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
