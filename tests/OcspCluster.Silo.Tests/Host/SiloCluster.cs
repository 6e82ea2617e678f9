using System.Diagnostics;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using OcspCluster.Silo.Tests.Storage;
using OcspCluster.Testing;

namespace OcspCluster.Silo.Tests.Host;

/// <summary>A real redis-server of its own and some silo processes, in one working directory, as somebody pastes the README's commands. Ends all of them by their ids.</summary>
internal sealed class SiloCluster : IAsyncDisposable
{
    private readonly ScratchDirectory _directory = new();
    private readonly List<(SiloProcess Process, string[] Arguments)> _silos = [];
    private readonly HttpClient _client = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromSeconds(60) };

    private readonly string[] _common;

    private SiloCluster(RedisServer redis, string[] common)
    {
        Redis = redis;
        _common = common.Length > 0 ? common : ["--redis", redis.Configuration];
    }

    public RedisServer Redis { get; }

    /// <summary>Where the silos run; the demo's files are in <c>data/demo</c>.</summary>
    public string Directory => _directory.Path;

    public IReadOnlyList<SiloProcess> Silos => [.. _silos.Select(silo => silo.Process)];

    /// <summary>The operator's key, as the first silo wrote it.</summary>
    public string OperatorKey => File.ReadAllText(_directory.File("data/admin.key")).Trim();

    /// <summary>Starts them one after the other.</summary>
    /// <param name="silos">How many.</param>
    /// <param name="redis">Their Redis, which is ended with them; one of its own when null.</param>
    /// <param name="common">What all of them are told of how Redis is reached; its address when empty.</param>
    public static async Task<SiloCluster> StartAsync(int silos, RedisServer? redis = null, params string[] common)
    {
        SiloCluster cluster = new(redis ?? await RedisServer.StartAsync(), common);
        try
        {
            for (int i = 0; i < silos; i++)
            {
                await cluster.AddAsync();
            }

            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts one more.</summary>
    public async Task<SiloProcess> AddAsync(params string[] arguments)
    {
        string[] all = [.. NewArguments(), .. arguments];
        SiloProcess silo = await SiloProcess.StartAsync(Directory, all);
        _silos.Add((silo, all));
        return silo;
    }

    /// <summary>Starts one again that has ended, with the ports for silos that it had.</summary>
    public async Task<SiloProcess> RestartAsync(int silo)
    {
        await _silos[silo].Process.DisposeAsync();
        _silos[silo] = (await SiloProcess.StartAsync(Directory, _silos[silo].Arguments), _silos[silo].Arguments);
        return _silos[silo].Process;
    }

    /// <summary>The command line of a silo of this cluster with ports of its own, without URLs.</summary>
    public string[] NewArguments() => [.. _common, "--silo-port", Ports.Next(), "--gateway-port", Ports.Next()];

    /// <summary>The command line of a silo that runs.</summary>
    public IReadOnlyList<string> ArgumentsOf(int silo) => _silos[silo].Arguments;

    /// <summary>What OpenSSL says of one of the demo's certificates, asked at a silo.</summary>
    /// <param name="silo">Who is asked.</param>
    /// <param name="certificate">The file's name without <c>.pem</c>.</param>
    /// <param name="hasNonce">Whether a nonce is sent, as OpenSSL does by itself: then no answer from a cache will do.</param>
    public async Task<string> AskAsync(SiloProcess silo, string certificate, bool hasNonce = true)
    {
        ExternalTool? openssl = ExternalTool.Find("openssl");
        Assert.SkipWhen(openssl is null, "This machine has no openssl.");
        long began = Stopwatch.GetTimestamp();
        while (true)
        {
            ToolResult result = await openssl.RunAsync(
                ["ocsp", "-issuer", "data/demo/ca.pem", "-cert", $"data/demo/{certificate}.pem", "-url", silo.OcspUri.ToString(), "-CAfile", "data/demo/ca.pem", hasNonce ? "-nonce" : "-no_nonce"], Directory);

            // A silo whose lease lapsed, as it does on a machine that gave it no processor for two seconds, has itself asked again (RFC 6960 §2.3).
            if (!result.Error.Contains("trylater", StringComparison.Ordinal) && !result.Output.Contains("trylater", StringComparison.Ordinal))
            {
                return result.Output + result.Error;
            }

            Assert.True(Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(20), $"It says tryLater for 20 s: {silo.Output}");
        }
    }

    /// <summary>Submits an event of the demo at a silo.</summary>
    public async Task<HttpResponseMessage> SubmitAsync(SiloProcess silo, string id, string serial, string kind)
    {
        using HttpRequestMessage request = new(HttpMethod.Post, new Uri(silo.AdminUri, "v1/issuers/demo/events"))
        {
            Content = JsonContent.Create(new { id, serial, kind, at = TimeProvider.System.GetUtcNow() }),
        };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", OperatorKey);
        return await _client.SendAsync(request);
    }

    /// <summary>The cluster as a silo sees it.</summary>
    public Task<JsonElement> DescribeAsync(SiloProcess silo) => GetAsync(silo, "v1/cluster");

    /// <summary>What a silo's admin listener has under a path.</summary>
    public async Task<JsonElement> GetAsync(SiloProcess silo, string path)
    {
        using HttpRequestMessage request = new(HttpMethod.Get, new Uri(silo.AdminUri, path));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", OperatorKey);
        using HttpResponseMessage response = await _client.SendAsync(request);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
        return await response.Content.ReadFromJsonAsync<JsonElement>();
    }

    /// <summary>The readiness of a silo.</summary>
    public async Task<JsonElement> GetReadyAsync(SiloProcess silo)
    {
        using HttpResponseMessage response = await _client.GetAsync(new Uri(silo.AdminUri, "health/ready"));
        return await response.Content.ReadFromJsonAsync<JsonElement>();
    }

    public async ValueTask DisposeAsync()
    {
        foreach ((SiloProcess silo, _) in _silos)
        {
            await silo.DisposeAsync();
        }

        await Redis.DisposeAsync();
        _client.Dispose();
        _directory.Dispose();
    }
}
