using System.Globalization;
using System.Net;
using System.Net.Sockets;
using OcspCluster.Testing;

namespace OcspCluster.Benchmarks.Macro;

/// <summary>One of those that are measured side by side: a server that runs, and what it can be asked.</summary>
/// <param name="Name">For the table.</param>
/// <param name="Server">Its process.</param>
/// <param name="Url">Where it listens.</param>
/// <param name="TakesPost">Whether it answers POST.</param>
/// <param name="KeepsConnections">Whether a connection outlives a request.</param>
/// <param name="Certificates">How many of the workload's certificates it knows, from the first on.</param>
/// <param name="IsConstant">Whether it says the same to everybody.</param>
internal sealed partial record Contestant(string Name, ServerProcess Server, Uri Url, bool TakesPost, bool KeepsConnections, int Certificates, bool IsConstant)
{
    public const string StandaloneName = "standalone";
    public const string BareName = "bare Kestrel";
    public const string NginxName = "nginx, files";

    /// <summary>Where its operator's endpoints are, when it is ours.</summary>
    public Uri? Admin { get; init; }

    /// <summary>The operator's key for them.</summary>
    public string AdminKey { get; init; } = "";

    /// <summary>The server that it asks in turn, when it is an edge in front of one; its processor time is told by itself.</summary>
    public Contestant? Behind { get; init; }

    /// <summary>What else runs for it and is ended with it; its processor time is not counted.</summary>
    public IReadOnlyList<ServerProcess> Others { get; init; } = [];

    /// <summary>Whether it answers GET.</summary>
    public bool TakesGet { get; init; } = true;

    /// <summary>Whether a wrong answer is our mistake.</summary>
    public bool IsOurs { get; init; }

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        foreach (ServerProcess other in Others)
        {
            await other.DisposeAsync();
        }
    }

    /// <summary>The standalone host, with the workload imported. It signs when it is asked and does nothing by itself meanwhile.</summary>
    /// <param name="work">The workload.</param>
    /// <param name="settings">Further configuration.</param>
    /// <param name="processor">The processor that it is pinned to; null for all.</param>
    public static async Task<Contestant> StandaloneAsync(Workload work, string[]? settings = null, int? processor = null)
    {
        string host = Path.Combine(AppContext.BaseDirectory, "OcspCluster.Standalone.dll");
        string[] configuration = ["--data", Path.Combine(work.Directory, "data"), .. IssuerOf(work), .. (settings ?? []).SelectMany(setting => new[] { "--set", setting })];
        if (!Directory.Exists(Path.Combine(work.Directory, "data")))
        {
            ToolResult import = await Tool("dotnet").RunAsync(["exec", host, "import", "index", "--issuer", "bench", "--index", work.IndexFile, .. configuration], work.Directory, TimeSpan.FromMinutes(5));
            if (import.ExitCode != 0)
            {
                throw new InvalidOperationException("The import failed: " + import);
            }
        }

        int admin = FreePort();
        (string program, string[] before) = Pinned("dotnet", processor);
        (ServerProcess server, string url) = await ServerProcess.StartAsync(
            work.Directory, program, [.. before, "exec", host, "--ocsp", "http://127.0.0.1:0", "--admin", Text($"http://127.0.0.1:{admin}"), .. configuration], "listening: ocsp ", "ready");
        string key = (await File.ReadAllTextAsync(Path.Combine(work.Directory, "data", "admin.key"))).Trim();
        return new Contestant(StandaloneName, server, new Uri(url), TakesPost: true, KeepsConnections: true, work.Count, IsConstant: false) { IsOurs = true, Admin = Local(admin), AdminKey = key };
    }

    /// <summary>How a program is started on one processor only.</summary>
    public static (string Program, string[] Arguments) Pinned(string program, int? processor) =>
        processor is int one ? ("taskset", ["-c", one.ToString(CultureInfo.InvariantCulture), program]) : (program, []);

    private static string[] IssuerOf(Workload work) =>
    [
        "--set", $"Issuers:bench:Certificate={work.CaFile}",
        "--set", $"Issuers:bench:Responder:Certificate={work.ResponderFile}",
        "--set", $"Issuers:bench:Responder:Key={work.ResponderKeyFile}",
        "--set", "Issuers:bench:Presign=OnDemand",
        "--set", "Ocsp:CacheBytes=4000000000",
    ];

    /// <summary>The bare Kestrel program.</summary>
    public static async Task<Contestant> BareAsync(Workload work, byte[] answer)
    {
        string file = Path.Combine(work.Directory, "answer.der");
        await File.WriteAllBytesAsync(file, answer);
        (ServerProcess server, string url) = await ServerProcess.StartAsync(
            work.Directory, "dotnet", ["exec", typeof(BareServer).Assembly.Location, BareServer.Verb, file], "listening: ");
        return new Contestant(BareName, server, new Uri(url), TakesPost: true, KeepsConnections: true, work.Count, IsConstant: true);
    }

    /// <summary>nginx with answers as files, under the very paths of the requests: those of the first certificates, as many as were written.</summary>
    public static async Task<Contestant> NginxAsync(Workload work, string root, int files)
    {
        // As many files stay open as the system lets one process have; nginx's workers share nothing of that.
        int open = Math.Min(files, await OpenFileLimitAsync() - 4500);
        int port = FreePort();
        string configuration = Path.Combine(work.Directory, "nginx.conf");
        await File.WriteAllTextAsync(configuration, $$"""
            daemon off;
            {{(Environment.IsPrivilegedProcess ? "user root;" : "")}}
            worker_processes {{Environment.ProcessorCount}};
            worker_rlimit_nofile {{await OpenFileLimitAsync()}};
            pid {{work.Directory}}/nginx.pid;
            error_log {{work.Directory}}/nginx.log warn;
            events { worker_connections 4096; }
            http {
                access_log off;
                server_tokens off;
                sendfile on;
                tcp_nopush on;
                keepalive_requests 1000000000;
                {{(open > 0 ? string.Create(CultureInfo.InvariantCulture, $"open_file_cache max={open} inactive=10m;") : "")}}
                open_file_cache_valid 10m;
                default_type application/ocsp-response;
                expires 1h;
                client_body_temp_path {{work.Directory}}/n1; proxy_temp_path {{work.Directory}}/n2; fastcgi_temp_path {{work.Directory}}/n3; uwsgi_temp_path {{work.Directory}}/n4; scgi_temp_path {{work.Directory}}/n5;
                server { listen 127.0.0.1:{{port}} backlog=4096 reuseport; merge_slashes off; root {{root}}; }
            }

            """);
        return await StartedAsync(new(NginxName, null!, Local(port), TakesPost: false, KeepsConnections: true, files, IsConstant: false), work, "nginx", ["-c", configuration, "-p", work.Directory]);
    }

    /// <summary>OpenSSL's responder, which signs every answer.</summary>
    public static async Task<Contestant> OpenSslAsync(Workload work)
    {
        int port = FreePort();
        string index = Path.Combine(work.Directory, "openssl-index.txt");
        int certificates = Math.Min(work.Count, 10_000); // it reads them into memory at the start, which takes its time
        await File.WriteAllLinesAsync(index, File.ReadLines(work.IndexFile).Take(certificates));
        await File.WriteAllTextAsync(index + ".attr", "unique_subject = no\n");
        return await StartedAsync(
            new("openssl ocsp", null!, Local(port), TakesPost: true, KeepsConnections: false, certificates, IsConstant: false),
            work,
            "openssl",
            ["ocsp", "-index", index, "-port", port.ToString(CultureInfo.InvariantCulture), "-rsigner", work.ResponderFile, "-rkey", work.ResponderKeyFile, "-CA", work.CaFile, "-ndays", "4",
                "-multi", Environment.ProcessorCount.ToString(CultureInfo.InvariantCulture)]);
    }

    /// <summary>cfssl ocspserve with the answers in a file. Debian's, of 2016, answers escaped GET targets with redirections and errors: it is asked by POST only.</summary>
    public static async Task<Contestant> CfsslAsync(Workload work, IReadOnlyList<byte[]> answers)
    {
        int port = FreePort();
        string file = Path.Combine(work.Directory, "cfssl.responses");
        await File.WriteAllLinesAsync(file, answers.Select(answer => Convert.ToBase64String(answer)));
        return await StartedAsync(
            new("cfssl ocspserve", null!, Local(port), TakesPost: true, KeepsConnections: true, answers.Count, IsConstant: false) { TakesGet = false },
            work,
            "cfssl",
            ["ocspserve", "-address", "127.0.0.1", "-port", port.ToString(CultureInfo.InvariantCulture), "-responses", file, "-loglevel", "5"]);
    }

    private static async Task<Contestant> StartedAsync(Contestant contestant, Workload work, string program, IEnumerable<string> arguments)
    {
        (ServerProcess server, _) = await ServerProcess.StartAsync(work.Directory, program, arguments);
        using CancellationTokenSource late = new(TimeSpan.FromSeconds(30));
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(200));
        using HttpClient client = new(new SocketsHttpHandler { UseProxy = false });
        while (await timer.WaitForNextTickAsync(late.Token))
        {
            if (server.HasEnded)
            {
                throw new InvalidOperationException($"{program} ended: {server.Errors}");
            }

            try
            {
                // With a whole request: openssl ocsp does not get over a connection that says nothing.
                using HttpRequestMessage probe = WrkLoad.Ask(contestant, isPost: contestant.TakesPost, work, 0);
                probe.Headers.ConnectionClose = true;
                using HttpResponseMessage answer = await client.SendAsync(probe, late.Token);
                break;
            }
            catch (HttpRequestException)
            {
                // Not yet.
            }
        }

        return contestant with { Server = server };
    }

    private static async Task<int> OpenFileLimitAsync()
    {
        // proc(5): "Max open files            1024                 20000                files", the second is the hard limit.
        string line = (await File.ReadAllLinesAsync("/proc/self/limits")).First(line => line.StartsWith("Max open files", StringComparison.Ordinal));
        return int.TryParse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[4], CultureInfo.InvariantCulture, out int limit) ? Math.Min(limit, 4_000_000) : 4_000_000;
    }

    private static ExternalTool Tool(string name) => ExternalTool.Find(name) ?? throw new InvalidOperationException($"This machine has no {name}.");

    private static Uri Local(int port) => new($"http://127.0.0.1:{port}/");

    /// <summary>For programs that cannot take a free port by themselves. Somebody else may be quicker; then they end, and say so.</summary>
    public static int FreePort()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
