using System.Diagnostics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using OcspCluster.Silo.Tests.Host;
using OcspCluster.Testing;

namespace OcspCluster.Silo.Tests.Deploy;

/// <summary>What stands in the root and in <c>deploy/</c> for operators with Docker, as far as it can be judged without: parsed, and run as processes.</summary>
public sealed class BalancerTests
{
    private const int Serials = 4000;

    [Fact]
    public async Task NginxConfiguration_IsAcceptedByNginx()
    {
        Assert.SkipWhen(Nginx.Program is null, "This machine has no nginx.");
        using ScratchDirectory directory = new();
        string file = Nginx.Configure(directory.Path, Ports.Next(), [new Uri("http://127.0.0.1:1"), new Uri("http://127.0.0.1:2"), new Uri("http://127.0.0.1:3")]);
        ToolResult result = await ExternalTool.Find(Nginx.Program)!.RunAsync(["-t", "-p", directory.Path, "-e", directory.File("error.log"), "-c", file], directory.Path);
        Assert.True(result.ExitCode == 0, result.Error);
    }

    [Fact]
    public async Task ComposeFile_HasWhatTheDesignAsksFor()
    {
        ExternalTool? python = ExternalTool.Find("python3");
        Assert.SkipWhen(python is null || (await python.RunAsync(["-c", "import yaml"], Repository.Root)).ExitCode != 0, "This machine has no PyYAML.");
        const string Check = """
            import yaml
            services = yaml.safe_load(open('docker-compose.yml'))['services']
            redis = ' '.join(services['redis']['command'])
            assert '--appendonly yes' in redis and '--appendfsync always' in redis and '--maxmemory-policy noeviction' in redis, redis
            for name in ('silo1', 'silo2', 'silo3'):
                silo = services[name]
                assert silo['environment']['OCSPCLUSTER_Cluster__AdvertisedAddress'] == name, silo
                assert silo['build']['dockerfile'] == 'deploy/Dockerfile' and '--redis' in silo['command'], silo
                assert silo['depends_on']['redis']['condition'] == 'service_healthy', silo
            assert './deploy/nginx.conf:/etc/nginx/nginx.conf:ro' in services['balancer']['volumes'], services['balancer']
            """;
        ToolResult result = await python.RunAsync(["-c", Check], Repository.Root);
        Assert.True(result.ExitCode == 0, result.Error);
    }

    /// <summary>Redis, three silos and nginx with the configuration that the compose file mounts, all on this machine. Raw base64 targets: every fourth has a slash, some have two.</summary>
    [Fact]
    public async Task ThroughTheBalancer_ThousandsOfRawTargets_AreAnsweredAsTheyWereAsked()
    {
        Assert.SkipWhen(Nginx.Program is null, "This machine has no nginx.");
        await using SiloCluster cluster = await SiloCluster.StartAsync(3);
        await using Nginx nginx = await Nginx.StartAsync([.. cluster.Silos.Select(silo => silo.OcspUri)]);
        using X509Certificate2 ca = X509CertificateLoader.LoadCertificateFromFile(Path.Combine(cluster.Directory, "data", "demo", "ca.pem"));
        using X509Certificate2 good = X509CertificateLoader.LoadCertificateFromFile(Path.Combine(cluster.Directory, "data", "demo", "good.pem"));
        RawOcspResponse answer = RawOcspResponse.Parse((await GetAsync(good.SerialNumberBytes.ToArray())).Body);
        Assert.Equal(RawCertStatus.Good, Assert.Single(answer.Singles).Status);

        // Serial numbers that nobody issued: well read, they are unauthorized; with a slash lost, malformedRequest.
        int slashes = 0;
        for (int i = 0; i < Serials; i++)
        {
            byte[] serial = RandomNumberGenerator.GetBytes(16);
            serial[0] = (byte)((serial[0] & 0x3F) | 0x40);
            string target = GetTarget.Raw(Request(serial));
            slashes += target.Contains("//", StringComparison.Ordinal) ? 1 : 0;
            Assert.Equal(6, RawOcspResponse.Parse((await GetAsync(serial)).Body).Status);
        }

        Assert.InRange(slashes, 1, Serials);

        async Task<RawHttpResponse> GetAsync(byte[] serial)
        {
            RawHttpResponse response = await RawHttp.SendAsync(nginx.Uri, RawHttp.Request(nginx.Uri, "GET", "/" + GetTarget.Raw(Request(serial)), "Connection: close"));
            Assert.Equal(200, response.StatusCode);
            return response;
        }

        byte[] Request(byte[] serial) => RawOcspRequest.For(RawCertId.For(ca, serial)).Encode();
    }

    /// <summary>Clients behind the balancer see no failed request when a silo is told to end, and none when one is killed.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ThroughTheBalancer_TheEndOfASilo_FailsNoRequest(bool isKilled)
    {
        Assert.SkipWhen(Nginx.Program is null, "This machine has no nginx.");
        await using SiloCluster cluster = await SiloCluster.StartAsync(3);
        await using Nginx nginx = await Nginx.StartAsync([.. cluster.Silos.Select(silo => silo.OcspUri)]);
        using X509Certificate2 ca = X509CertificateLoader.LoadCertificateFromFile(Path.Combine(cluster.Directory, "data", "demo", "ca.pem"));
        using X509Certificate2 good = X509CertificateLoader.LoadCertificateFromFile(Path.Combine(cluster.Directory, "data", "demo", "good.pem"));
        byte[] request = RawOcspRequest.For(RawCertId.For(ca, good.SerialNumberBytes.ToArray())).Encode();
        using CancellationTokenSource ended = new();
        Task<(int Asked, int Failed, TimeSpan Slowest)> clients = AskAsync(nginx.Uri, request, ended.Token);

        if (isKilled)
        {
            await cluster.Silos[2].KillAsync();
        }
        else
        {
            cluster.Silos[2].Terminate();
            Assert.Equal(0, (await cluster.Silos[2].WaitForExitAsync()).ExitCode);
        }

        long start = Stopwatch.GetTimestamp();
        using PeriodicTimer timer = new(TimeSpan.FromSeconds(4)); // the lease of who is gone, and its membership
        await timer.WaitForNextTickAsync();
        await ended.CancelAsync();
        (int asked, int failed, TimeSpan slowest) = await clients;
        TestContext.Current.TestOutputHelper?.WriteLine($"{(isKilled ? "kill -9" : "SIGTERM")}: {asked} asked, {failed} failed, slowest {slowest.TotalMilliseconds:F0} ms; {Stopwatch.GetElapsedTime(start)} after");
        Assert.True(asked > 100, $"only {asked} were asked");
        Assert.Equal(0, failed);
    }

    private static async Task<(int Asked, int Failed, TimeSpan Slowest)> AskAsync(Uri uri, byte[] request, CancellationToken ended)
    {
        using HttpClient client = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromSeconds(30) };
        (int asked, int failed, TimeSpan slowest) = (0, 0, TimeSpan.Zero);
        while (!ended.IsCancellationRequested)
        {
            long start = Stopwatch.GetTimestamp();
            bool isGood = false;
            try
            {
                using ByteArrayContent content = new(request);
                content.Headers.ContentType = new("application/ocsp-request");
                using HttpResponseMessage response = await client.PostAsync(uri, content, CancellationToken.None);
                isGood = response.IsSuccessStatusCode && RawOcspResponse.Parse(await response.Content.ReadAsByteArrayAsync(CancellationToken.None)).Singles is [{ Status: RawCertStatus.Good }];
            }
            catch (HttpRequestException)
            {
                // Counted.
            }

            asked++;
            failed += isGood ? 0 : 1;
            TimeSpan took = Stopwatch.GetElapsedTime(start);
            slowest = took > slowest ? took : slowest;
        }

        return (asked, failed, slowest);
    }
}
