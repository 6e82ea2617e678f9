using System.Globalization;
using System.Net;
using System.Net.Sockets;
using OcspCluster.Benchmarks.Macro;
using OcspCluster.Testing;

namespace OcspCluster.Benchmarks.Edge;

/// <summary>The edges of <c>deploy/edge/</c> in front of a responder of this machine: the same files but for addresses, and the directories that nginx writes to.</summary>
internal static class EdgeServer
{
    /// <summary>The files, the programs that take them, and what tables call them.</summary>
    public static IReadOnlyList<(string File, string Program, string Name)> All { get; } =
        [("haproxy.cfg", "haproxy", "HAProxy"), ("nginx.conf", "nginx", "nginx, proxy"), ("nginx-cache.conf", "nginx", "nginx, proxy_cache")];

    /// <summary>The directory of the files; null when this program runs away from its repository.</summary>
    public static string? Configurations
    {
        get
        {
            DirectoryInfo? above = new(AppContext.BaseDirectory);
            while (above is not null && !File.Exists(Path.Combine(above.FullName, "OcspCluster.sln")))
            {
                above = above.Parent;
            }

            return above is null ? null : Path.Combine(above.FullName, "deploy", "edge");
        }
    }

    /// <summary>Starts one of them; it listens when this returns.</summary>
    /// <param name="file">One of <see cref="All"/>.</param>
    /// <param name="directory">Where it may write.</param>
    /// <param name="responder">Whom it asks.</param>
    /// <param name="admin">Where its health is asked for.</param>
    public static async Task<(ServerProcess Server, Uri Url)> StartAsync(string file, string directory, Uri responder, Uri admin)
    {
        int port = Contestant.FreePort();
        bool isNginx = file.StartsWith("nginx", StringComparison.Ordinal);
        string own = Directory.CreateDirectory(Path.Combine(directory, "edge-" + file)).FullName;
        string text = await File.ReadAllTextAsync(Path.Combine(Configurations ?? throw new InvalidOperationException("There is no repository above this program."), file));
        text = isNginx ? ForNginx(text, own, port, responder) : ForHaproxy(text, port, responder, admin);
        string configuration = Path.Combine(own, file);
        await File.WriteAllTextAsync(configuration, text);
        (ServerProcess server, _) = await ServerProcess.StartAsync(
            own,
            isNginx ? "nginx" : "haproxy",
            isNginx ? ["-p", own, "-e", Path.Combine(own, "error.log"), "-c", configuration] : ["-db", "-f", configuration]);
        Uri url = new(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}/"));
        try
        {
            await WaitAsync(server, url);
            return (server, url);
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    private static string ForNginx(string text, string directory, int port, Uri responder)
    {
        text = Replace(text, "127.0.0.1:8080 ", responder.Authority + " ");
        text = Replace(text, "listen 80 ", string.Create(CultureInfo.InvariantCulture, $"listen 127.0.0.1:{port} "));
        text = text.Replace("/var/cache/nginx/", directory + "/", StringComparison.Ordinal);
        string temporary = string.Concat(((string[])["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]).Select(name => $"    {name}_temp_path {directory}/{name};\n"));
        text = Replace(text, "http {\n", "http {\n" + temporary);
        return $"daemon off;\npid {directory}/nginx.pid;\n{(Environment.IsPrivilegedProcess ? "user root;\n" : "")}{text}";
    }

    private static string ForHaproxy(string text, int port, Uri responder, Uri admin)
    {
        text = Replace(text, "bind :80 ", string.Create(CultureInfo.InvariantCulture, $"bind 127.0.0.1:{port} "));
        text = Replace(text, "check port 8081 ", string.Create(CultureInfo.InvariantCulture, $"check port {admin.Port} "));
        return Replace(text, "server responder1 127.0.0.1:8080", "server responder1 " + responder.Authority);
    }

    private static string Replace(string text, string old, string by) =>
        text.Contains(old, StringComparison.Ordinal) ? text.Replace(old, by, StringComparison.Ordinal) : throw new InvalidOperationException($"The configuration has no '{old}'.");

    // It listens, and its responder has passed the first look at its health.
    private static async Task WaitAsync(ServerProcess server, Uri url)
    {
        using CancellationTokenSource late = new(TimeSpan.FromSeconds(30));
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(50));
        byte[] nonsense = RawHttp.Post(url, [0x30, 0x00], "Content-Type: application/ocsp-request", "Connection: close");
        while (await timer.WaitForNextTickAsync(late.Token))
        {
            try
            {
                if ((await RawHttp.SendAsync(url, nonsense)).StatusCode == (int)HttpStatusCode.OK)
                {
                    return;
                }
            }
            catch (Exception e) when (e is SocketException or IOException)
            {
                if (server.HasEnded)
                {
                    throw new InvalidOperationException("The edge ended: " + server.Errors);
                }
            }
        }
    }
}
