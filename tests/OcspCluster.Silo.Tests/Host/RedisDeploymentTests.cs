using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using OcspCluster.Silo.Tests.Storage;
using OcspCluster.Testing;

namespace OcspCluster.Silo.Tests.Host;

/// <summary>Silo processes over a Redis as operators have it: TLS with certificates on both sides and a user with few rights, Sentinel with a failover, a Redis Cluster. All of them real.</summary>
public sealed class RedisDeploymentTests : IDisposable
{
    // What docs/OPERATIONS.md says that a user needs.
    private static readonly string[] s_rights = ["~{ocsp*", "~ocsp*", "&*", "+@all", "-@dangerous", "+info", "+config|get", "+role"];

    private readonly ScratchDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Tls_WithCertificatesOnBothSidesAndAUserOfFewRights_Serves()
    {
        Assert.SkipWhen(RedisServer.WhyNot is not null, RedisServer.WhyNot ?? "");
        (string ca, string certificate, string key) = WriteCertificates();
        int tlsPort = RedisServer.FreePort();
        RedisServer redis = await RedisServer.StartAsync([
            "--tls-port", tlsPort.ToString(CultureInfo.InvariantCulture), "--tls-cert-file", certificate, "--tls-key-file", key, "--tls-ca-cert-file", ca, "--tls-auth-clients", "yes",
            "--user", "default", "off", "--user", "ocsp", "on", ">correct horse", .. s_rights]);
        await File.WriteAllTextAsync(_directory.File("password"), "correct horse\n", TestContext.Current.CancellationToken);
        await using SiloCluster cluster = await SiloCluster.StartAsync(
            2, redis, "--redis", $"127.0.0.1:{tlsPort},ssl=true,user=ocsp", "--set", "Redis:PasswordFile=" + _directory.File("password"),
            "--set", "Redis:Ca=" + ca, "--set", "Redis:Certificate=" + certificate, "--set", "Redis:Key=" + key);

        await MustServeAsync(cluster);

        // Who has no certificate, or does not trust this CA, is told so in a sentence and does not start.
        (int exitCode, _, string error) = await SiloProcess.RunAsync(cluster.Directory, cluster.NewArguments().Select(argument => argument.StartsWith("Redis:Ca=", StringComparison.Ordinal) ? "Redis:KeyPrefix=ocsp" : argument));
        Assert.NotEqual(0, exitCode);
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sentinel_PromotesTheReplica_AndNobodyHasToDoAnything()
    {
        Assert.SkipWhen(RedisServer.WhyNot is not null, RedisServer.WhyNot ?? "");
        RedisServer primary = await RedisServer.StartAsync();
        await using RedisServer replica = await RedisServer.StartAsync("--replicaof", "127.0.0.1", primary.Port.ToString(CultureInfo.InvariantCulture));
        using SentinelProcess sentinel = await SentinelProcess.StartAsync(_directory, "ocsp-redis", primary.Port);
        await using SiloCluster cluster = await SiloCluster.StartAsync(2, primary, "--redis", $"127.0.0.1:{sentinel.Port},serviceName=ocsp-redis");
        await MustServeAsync(cluster);

        // What was acknowledged is at the replica: it takes all in the order of the primary, and this behind it. (WAIT waits for what was written over its own connection.)
        Assert.Equal("+OK", await primary.AskAsync("SET", "behind", "1"));
        await UntilAsync(async () => await replica.AskAsync("GET", "behind") == "$1");
        await UntilAsync(async () => (await sentinel.ReadLogAsync()).Contains("+slave", StringComparison.Ordinal));

        primary.Kill();
        string held = SiloProcessTests.SerialOf(cluster, "held");
        await UntilAsync(async () =>
        {
            using HttpResponseMessage released = await cluster.SubmitAsync(cluster.Silos[1], "after the failover", held, "released");
            return released.StatusCode == HttpStatusCode.OK;
        });

        foreach (SiloProcess silo in cluster.Silos)
        {
            Assert.Contains("held.pem: good", await cluster.AskAsync(silo, "held"), StringComparison.Ordinal);
            Assert.Contains("good.pem: revoked", await cluster.AskAsync(silo, "good"), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Cluster_OfThreePrimaries_Serves()
    {
        Assert.SkipWhen(RedisServer.WhyNot is not null, RedisServer.WhyNot ?? "");
        int[] buses = [RedisServer.FreePort(), RedisServer.FreePort(), RedisServer.FreePort()];
        RedisServer first = await StartNodeAsync(buses[0]);
        await using RedisServer second = await StartNodeAsync(buses[1]);
        await using RedisServer third = await StartNodeAsync(buses[2]);
        RedisServer[] nodes = [first, second, third];
        for (int i = 0; i < nodes.Length; i++)
        {
            Assert.Equal("+OK", await nodes[i].AskAsync("CLUSTER", "ADDSLOTSRANGE", $"{i * 5461}", $"{(i == nodes.Length - 1 ? 16383 : ((i + 1) * 5461) - 1)}"));
            Assert.Equal("+OK", await nodes[i].AskAsync("CLUSTER", "SET-CONFIG-EPOCH", $"{i + 1}"));
            if (i > 0)
            {
                Assert.Equal("+OK", await first.AskAsync("CLUSTER", "MEET", "127.0.0.1", $"{nodes[i].Port}", $"{buses[i]}"));
            }
        }

        await UntilAsync(async () =>
        {
            string?[] answers = await Task.WhenAll(nodes.Select(node => node.AskAsync("GET", "probe")));
            return answers.All(answer => answer is not null && !answer.StartsWith("-CLUSTERDOWN", StringComparison.Ordinal));
        });
        await using SiloCluster cluster = await SiloCluster.StartAsync(2, first, "--redis", $"127.0.0.1:{second.Port},127.0.0.1:{third.Port}");
        await MustServeAsync(cluster);

        static Task<RedisServer> StartNodeAsync(int bus) => RedisServer.StartAsync("--cluster-enabled", "yes", "--cluster-port", $"{bus}", "--cluster-node-timeout", "2000");
    }

    // What was seeded was appended already: the first start records the demo's certificates.
    private static async Task MustServeAsync(SiloCluster cluster)
    {
        using (HttpResponseMessage revoked = await cluster.SubmitAsync(cluster.Silos[0], "order-1", SiloProcessTests.SerialOf(cluster, "good"), "revoked"))
        {
            Assert.Equal(HttpStatusCode.OK, revoked.StatusCode);
        }

        foreach (SiloProcess silo in cluster.Silos)
        {
            Assert.Contains("good.pem: revoked", await cluster.AskAsync(silo, "good"), StringComparison.Ordinal);
            Assert.Contains("good.pem: revoked", await cluster.AskAsync(silo, "good", hasNonce: false), StringComparison.Ordinal);
            Assert.Contains("unauthorized (6)", await cluster.AskAsync(silo, "unissued"), StringComparison.Ordinal);
        }
    }

    private static async Task UntilAsync(Func<Task<bool>> isSo)
    {
        long began = Stopwatch.GetTimestamp();
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(100));
        while (!await isSo())
        {
            Assert.True(Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(90), "It is not so after 90 seconds.");
            await timer.WaitForNextTickAsync();
        }
    }

    // One certificate for both sides, of a CA that no system knows.
    private (string Ca, string Certificate, string Key) WriteCertificates()
    {
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        using ECDsa caKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest caRequest = new("CN=Redis CA", caKey, HashAlgorithmName.SHA256);
        caRequest.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using X509Certificate2 ca = caRequest.CreateSelfSigned(now.AddDays(-1), now.AddDays(2));
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new("CN=redis", key, HashAlgorithmName.SHA256);
        SubjectAlternativeNameBuilder names = new();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 certificate = request.Create(ca, now.AddDays(-1), now.AddDays(1), [1, 2, 3, 4]);
        File.WriteAllText(_directory.File("redis-ca.pem"), ca.ExportCertificatePem());
        File.WriteAllText(_directory.File("redis.pem"), certificate.ExportCertificatePem());
        File.WriteAllText(_directory.File("redis.key"), key.ExportPkcs8PrivateKeyPem());
        return (_directory.File("redis-ca.pem"), _directory.File("redis.pem"), _directory.File("redis.key"));
    }

    /// <summary>A redis-server that is a Sentinel, ended by its id.</summary>
    private sealed class SentinelProcess : IDisposable
    {
        private readonly Process _process;
        private readonly string _log;

        private SentinelProcess(Process process, string log, int port)
        {
            _process = process;
            _log = log;
            Port = port;
        }

        public int Port { get; }

        public static async Task<SentinelProcess> StartAsync(ScratchDirectory directory, string service, int primary)
        {
            int port = RedisServer.FreePort();
            string log = directory.File("sentinel.log");
            string configuration = directory.File("sentinel.conf");
            await File.WriteAllLinesAsync(configuration, [
                $"port {port}", "bind 127.0.0.1", $"logfile {log}", $"dir {directory.Path}", $"sentinel monitor {service} 127.0.0.1 {primary} 1",
                $"sentinel down-after-milliseconds {service} 1000", $"sentinel failover-timeout {service} 5000"]);
            Process process = Process.Start(new ProcessStartInfo("redis-server", [configuration, "--sentinel"]) { RedirectStandardOutput = true })!;
            SentinelProcess sentinel = new(process, log, port);
            await UntilAsync(async () => (await sentinel.ReadLogAsync()).Contains("+monitor", StringComparison.Ordinal));
            return sentinel;
        }

        public async Task<string> ReadLogAsync() => File.Exists(_log) ? await File.ReadAllTextAsync(_log) : "";

        public void Dispose()
        {
            _process.Kill();
            _process.WaitForExit(TimeSpan.FromSeconds(10));
            _process.Dispose();
        }
    }
}
