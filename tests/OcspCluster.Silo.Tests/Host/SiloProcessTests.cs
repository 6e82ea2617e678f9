using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using OcspCluster.Silo.Tests.Storage;
using OcspCluster.Testing;

namespace OcspCluster.Silo.Tests.Host;

/// <summary>The program as an operator meets it: processes over a real Redis.</summary>
public sealed class SiloProcessTests : IDisposable
{
    private readonly ScratchDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task ThreeSilos_ARevocationAtOne_IsAnsweredByAllAndSurvivesTheLossOfOne()
    {
        await using SiloCluster cluster = await SiloCluster.StartAsync(3);
        foreach (SiloProcess silo in cluster.Silos)
        {
            Assert.Contains("good.pem: good", await cluster.AskAsync(silo, "good"), StringComparison.Ordinal);
            Assert.Contains("revoked.pem: revoked", await cluster.AskAsync(silo, "revoked"), StringComparison.Ordinal);
            Assert.Contains("unauthorized (6)", await cluster.AskAsync(silo, "unissued"), StringComparison.Ordinal);
        }

        using (HttpResponseMessage revoked = await cluster.SubmitAsync(cluster.Silos[0], "order-1", SerialOf(cluster, "good"), "revoked"))
        {
            Assert.Equal(HttpStatusCode.OK, revoked.StatusCode);
        }

        foreach (SiloProcess silo in cluster.Silos)
        {
            string answer = await cluster.AskAsync(silo, "good");
            Assert.Contains("Response verify OK", answer, StringComparison.Ordinal);
            Assert.Contains("good.pem: revoked", answer, StringComparison.Ordinal);
        }

        await cluster.Silos[0].KillAsync();
        using (HttpResponseMessage released = await cluster.SubmitAsync(cluster.Silos[1], "order-2", SerialOf(cluster, "held"), "released"))
        {
            // Known as yet, or to be sent again with the same id: never lost.
            Assert.True(released.StatusCode is HttpStatusCode.OK or HttpStatusCode.ServiceUnavailable, $"{released.StatusCode}");
        }

        await WaitUntilAsync(async () =>
        {
            using HttpResponseMessage again = await cluster.SubmitAsync(cluster.Silos[1], "order-2", SerialOf(cluster, "held"), "released");
            return again.StatusCode == HttpStatusCode.OK;
        });
        foreach (SiloProcess silo in cluster.Silos.Skip(1))
        {
            Assert.Contains("held.pem: good", await cluster.AskAsync(silo, "held"), StringComparison.Ordinal);
        }

        SiloProcess back = await cluster.RestartAsync(0);
        Assert.Contains("held.pem: good", await cluster.AskAsync(back, "held"), StringComparison.Ordinal);
        await WaitUntilAsync(async () => StatesIn(await cluster.DescribeAsync(back)).Count(state => state == "active") == 3);
    }

    [Fact]
    public async Task Terminate_EndsWithinItsBoundAndLeavesTheCluster()
    {
        await using SiloCluster cluster = await SiloCluster.StartAsync(2);
        long start = Stopwatch.GetTimestamp();
        cluster.Silos[1].Terminate();
        (int exitCode, _, string error) = await cluster.Silos[1].WaitForExitAsync();
        Assert.True(exitCode == 0, error);
        Assert.InRange(Stopwatch.GetElapsedTime(start), TimeSpan.Zero, TimeSpan.FromSeconds(30)); // 15 by itself, and a busy machine
        await WaitUntilAsync(async () => StatesIn(await cluster.DescribeAsync(cluster.Silos[0])).Count(state => state is "active" or "leaving") == 1);
        using HttpResponseMessage held = await cluster.SubmitAsync(cluster.Silos[0], "after", SerialOf(cluster, "good"), "held");
        Assert.Equal(HttpStatusCode.OK, held.StatusCode);
    }

    [Fact]
    public async Task Kill_OfASilo_IsToldByTheOthersWithinSeconds_AndIsWellAgainWhenItIsBack()
    {
        await using SiloCluster cluster = await SiloCluster.StartAsync(2);
        await WaitUntilAsync(async () => (await cluster.GetAsync(cluster.Silos[0], "v1/overview")).GetProperty("nodes").GetInt32() == 2);

        // The one goes that takes the events.
        JsonElement[] nodes = [.. (await cluster.DescribeAsync(cluster.Silos[0])).GetProperty("nodes").EnumerateArray()]; // the first is the one that is asked
        int writer = Array.FindIndex(nodes, node => node.GetProperty("activations").TryGetProperty("ca", out JsonElement count) && count.GetInt32() > 0);
        string? lost = nodes[writer].GetProperty("name").GetString();
        string? left = nodes[1 - writer].GetProperty("name").GetString();
        SiloProcess watching = cluster.Silos[1 - writer];
        long start = Stopwatch.GetTimestamp();
        await cluster.Silos[writer].KillAsync();
        await WaitUntilAsync(async () => CodesIn(await cluster.GetAsync(watching, "v1/overview")).Contains("node.lost"));
        Assert.InRange(Stopwatch.GetElapsedTime(start), TimeSpan.Zero, TimeSpan.FromSeconds(20)); // a second or two by itself, and a busy machine
        JsonElement overview = await cluster.GetAsync(watching, "v1/overview");
        Assert.Equal(1, overview.GetProperty("nodes").GetInt32());
        Assert.NotEqual("ok", overview.GetProperty("state").GetString());

        // The other one takes them from now on, and says so.
        await WaitUntilAsync(async () =>
        {
            using HttpResponseMessage held = await cluster.SubmitAsync(watching, "after", SerialOf(cluster, "good"), "held");
            return held.StatusCode == HttpStatusCode.OK;
        });
        JsonElement[] happened = [.. (await cluster.DescribeAsync(watching)).GetProperty("happened").EnumerateArray()];
        Assert.Contains(happened, one => IsOf(one, lost, "lost"));
        Assert.Contains(happened, one => IsOf(one, left, "failedOver"));

        await cluster.RestartAsync(writer);
        await WaitUntilAsync(async () =>
        {
            JsonElement well = await cluster.GetAsync(watching, "v1/overview");
            return well.GetProperty("nodes").GetInt32() == 2 && !CodesIn(well).Contains("node.lost");
        });

        static bool IsOf(JsonElement happened, string? node, string what) => happened.GetProperty("node").GetString() == node && happened.GetProperty("what").GetString() == what;

        static IEnumerable<string?> CodesIn(JsonElement overview) => overview.GetProperty("findings").EnumerateArray().Select(finding => finding.GetProperty("code").GetString());
    }

    [Fact]
    public async Task Start_WithThePortsOfAnother_IsRefusedInOneSentence()
    {
        await using SiloCluster cluster = await SiloCluster.StartAsync(1);
        (int exitCode, string output, string error) = await SiloProcess.RunAsync(cluster.Directory, [.. cluster.ArgumentsOf(0), "--ocsp", "http://127.0.0.1:0", "--admin", "http://127.0.0.1:0"]);
        Assert.Equal(3, exitCode);
        Assert.Empty(output);
        Assert.StartsWith("Cluster:SiloPort = ", error, StringComparison.Ordinal);
        Assert.Contains("the port is in use by another program", error, StringComparison.Ordinal);
        Assert.Single(error.Trim().Split('\n'));
    }

    [Fact]
    public async Task Start_WithoutRedis_SaysSoAndEnds()
    {
        string nobody = $"127.0.0.1:{Ports.Next()}";
        (int exitCode, string output, string error) = await SiloProcess.RunAsync(_directory.Path, "--redis", nobody, "--silo-port", Ports.Next(), "--gateway-port", "0");
        Assert.Equal(3, exitCode);
        Assert.Empty(output);
        Assert.Contains($"Redis ({nobody}) ", error, StringComparison.Ordinal);
        Assert.Contains("Check that it runs", error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal); // no stack
    }

    [Fact]
    public async Task Start_OnARedisThatIsNotDurable_AcknowledgesNothingAndSaysWhatToDo()
    {
        await using RedisServer redis = await RedisServer.StartAsync("--appendonly", "no");
        string[] arguments = ["--redis", redis.Configuration, "--silo-port", Ports.Next(), "--gateway-port", "0"];
        (int exitCode, _, string error) = await SiloProcess.RunAsync(_directory.Path, [.. arguments, "--ocsp", "http://127.0.0.1:0", "--admin", "http://127.0.0.1:0"]);
        Assert.Equal(3, exitCode);
        Assert.Contains("appendonly no", error, StringComparison.Ordinal);
        Assert.Contains("Redis:AcceptLessDurability=true", error, StringComparison.Ordinal);

        await using SiloProcess accepting = await SiloProcess.StartAsync(_directory.Path, [.. arguments, "--set", "Redis:AcceptLessDurability=true"]);
        using HttpClient client = new();
        Assert.Contains("appendonly no", await client.GetStringAsync(new Uri(accepting.AdminUri, "health/ready")), StringComparison.Ordinal); // and says so for as long as it is so
    }

    [Fact]
    public async Task Configuration_ThatCannotWork_IsToldAllAtOnce()
    {
        (int exitCode, _, string error) = await SiloProcess.RunAsync(
            _directory.Path,
            "--redis", "127.0.0.1:6379,nonsense=1", "--role", "boss", "--silo-port", "99999", "--set", "Cluster:Lease=1.00:00:00", "--set", "Cluster:Colour=red", "--set", "Redis:PasswordFile=none", "--set", "Redis:Replicas=99");
        Assert.Equal(2, exitCode);
        foreach (string key in new[] { "Redis:Configuration", "Cluster:Role = boss", "Cluster:SiloPort = 99999", "Cluster:Lease", "Cluster:Colour", "Redis:PasswordFile = none", "Redis:Replicas = 99" })
        {
            Assert.Contains(key, error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task GatewayRole_OpensNoPrivateKeyAndAnswersAll()
    {
        await using SiloCluster cluster = await SiloCluster.StartAsync(1);
        string data = _directory.File("gateway");
        SiloProcess gateway = await cluster.AddAsync("--role", "gateway", "--data", data);
        Assert.Contains("good.pem: good", await cluster.AskAsync(gateway, "good"), StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFiles(data, "*.key", SearchOption.AllDirectories));
        JsonElement self = (await cluster.DescribeAsync(gateway)).GetProperty("nodes")[0];
        Assert.Equal("gateway", self.GetProperty("role").GetString());
        Assert.Empty(self.GetProperty("activations").EnumerateObject());
    }

    [Fact]
    public async Task Redis_WhenItIsLost_LeavesTheSiloReadyWithAWarningAndNeedsNobodyToComeBack()
    {
        await using SiloCluster cluster = await SiloCluster.StartAsync(1);
        Assert.Equal("ready", (await cluster.GetReadyAsync(cluster.Silos[0])).GetProperty("status").GetString());
        Assert.Contains("revoked.pem: revoked", await cluster.AskAsync(cluster.Silos[0], "revoked", hasNonce: false), StringComparison.Ordinal); // it is in the cache now
        cluster.Redis.Kill();
        await WaitUntilAsync(async () => (await cluster.GetReadyAsync(cluster.Silos[0])).GetProperty("warnings").EnumerateArray().Any(warning => warning.GetString()!.Contains("cannot be reached", StringComparison.Ordinal)));
        Assert.Equal("ready", (await cluster.GetReadyAsync(cluster.Silos[0])).GetProperty("status").GetString());
        Assert.Contains("revoked.pem: revoked", await cluster.AskAsync(cluster.Silos[0], "revoked", hasNonce: false), StringComparison.Ordinal);

        await cluster.Redis.RestartAsync();
        await WaitUntilAsync(async () =>
        {
            using HttpResponseMessage held = await cluster.SubmitAsync(cluster.Silos[0], "back", SerialOf(cluster, "good"), "held");
            return held.StatusCode == HttpStatusCode.OK;
        });
        Assert.Contains("good.pem: revoked", await cluster.AskAsync(cluster.Silos[0], "good"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task OrleansDashboard_IsOffByDefaultAndForOperatorsOnly()
    {
        await using SiloCluster cluster = await SiloCluster.StartAsync(1);
        SiloProcess shown = await cluster.AddAsync("--set", "Admin:OrleansDashboard=true");
        Assert.Equal(HttpStatusCode.NotFound, await AskAsync(cluster.Silos[0], cluster.OperatorKey));
        Assert.Equal(HttpStatusCode.Unauthorized, await AskAsync(shown, null));
        Assert.Equal(HttpStatusCode.Unauthorized, await AskAsync(shown, "0000000000000000.x"));
        Assert.Equal(HttpStatusCode.OK, await AskAsync(shown, cluster.OperatorKey));

        static async Task<HttpStatusCode> AskAsync(SiloProcess silo, string? key)
        {
            using HttpClient client = new();
            using HttpRequestMessage request = new(HttpMethod.Get, new Uri(silo.AdminUri, "orleans/"));
            if (key is not null)
            {
                request.Headers.Authorization = new("Basic", Convert.ToBase64String(System.Text.Encoding.ASCII.GetBytes("operator:" + key)));
            }

            using HttpResponseMessage response = await client.SendAsync(request);
            return response.StatusCode;
        }
    }

    internal static string SerialOf(SiloCluster cluster, string certificate)
    {
        using X509Certificate2 read = X509CertificateLoader.LoadCertificateFromFile(Path.Combine(cluster.Directory, "data", "demo", certificate + ".pem"));
        return read.SerialNumber;
    }

    private static IEnumerable<string> StatesIn(JsonElement cluster) => cluster.GetProperty("nodes").EnumerateArray().Select(node => node.GetProperty("state").GetString()!);

    private static async Task WaitUntilAsync(Func<Task<bool>> condition)
    {
        long start = Stopwatch.GetTimestamp();
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(200));
        while (true)
        {
            try
            {
                if (await condition())
                {
                    return;
                }
            }
            catch (Exception e) when (e is HttpRequestException or SocketException or IOException)
            {
                // Not yet.
            }

            Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(60), "What was waited for did not come within a minute.");
            await timer.WaitForNextTickAsync();
        }
    }
}
