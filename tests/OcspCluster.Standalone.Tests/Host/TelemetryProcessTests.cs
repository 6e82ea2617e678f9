using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using OcspCluster.Testing;

namespace OcspCluster.Standalone.Tests.Host;

/// <summary>What the program tells of itself: as JSON in its log, by OTLP, and nowhere who asked.</summary>
public sealed class TelemetryProcessTests : IDisposable
{
    private static readonly IPAddress s_relyingParty = IPAddress.Parse("127.0.0.37"); // Linux lets anybody come from anywhere in 127/8

    private readonly ScratchDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Logs_AsJson_HaveAnEventIdEach_ClientErrorsAreSampled_AndNobodyIsNamed()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux lets a client come from any loopback address.");
        const int Malformed = 300;
        await using HostProcess host = await HostProcess.StartAsync(
            _directory.Path, "--set", "Telemetry:LogFormat=Json", "--set", "Logging:LogLevel:Default=Trace", "--set", "Logging:LogLevel:Microsoft=Trace");
        Stopwatch watch = Stopwatch.StartNew();
        using (RawHttpConnection client = await RawHttpConnection.ConnectAsync(host.OcspUri, from: s_relyingParty))
        {
            for (int i = 0; i < Malformed; i++)
            {
                await client.SendAsync(RawHttp.Post(host.OcspUri, [0x30, 0x00]));
                Assert.Equal(200, (await client.ReadResponseAsync()).StatusCode);
            }

            await client.SendAsync(RawHttp.Request(host.OcspUri, "GET", "/nothing/here")); // which is base64, and malformed, too
            await client.ReadResponseAsync();
            await client.SendAsync(RawHttp.Post(host.OcspUri, Question().Encode()));
            await client.ReadResponseAsync();
            await client.SendAsync("NO HTTP AT ALL\r\n\r\n");
        }

        double seconds = watch.Elapsed.TotalSeconds;
        string metrics = await ScrapeAsync(host);
        host.Terminate();
        string log = (await host.WaitForExitAsync()).Error;

        Assert.DoesNotContain(s_relyingParty.ToString(), log, StringComparison.Ordinal);
        Assert.DoesNotContain(s_relyingParty.ToString(), metrics, StringComparison.Ordinal);
        Assert.Contains($"ocsp_requests_total{{answer=\"malformedRequest\",outcome=\"malformed\",source=\"refused\"}} {Malformed + 1}\n", metrics, StringComparison.Ordinal);
        JsonElement[] lines = [.. log.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)];
        Assert.All(lines, line => Assert.All(["Timestamp", "EventId", "LogLevel", "Category", "Message"], name => Assert.True(line.TryGetProperty(name, out _), line.ToString())));
        Assert.Contains(lines, line => line.GetProperty("EventId").GetInt32() == 91 && line.GetProperty("State").GetProperty("Issuers").GetString() == "demo");
        JsonElement[] refused = [.. lines.Where(line => line.GetProperty("EventId").GetInt32() == 72)];
        Assert.InRange(refused.Length, 1, Math.Min(Malformed - 1, 10 * (seconds + 2)));
        Assert.All(refused, line => Assert.Equal("Debug", line.GetProperty("LogLevel").GetString()));
    }

    [Fact]
    public async Task Otlp_WithAnEndpoint_IsSentMetricsTracesAndLogs()
    {
        await using RecordingReceiver collector = await RecordingReceiver.StartAsync();
        collector.Status = 200;
        File.WriteAllText(_directory.File("headers"), "authorization=Bearer of-the-collector\n");
        await using HostProcess host = await HostProcess.StartAsync(
            _directory.Path, "--set", $"Telemetry:Otlp:Endpoint={collector.Uri}", "--set", "Telemetry:Otlp:HeadersFile=headers", "--set", "Telemetry:TraceRatio=1");
        await RawHttp.SendAsync(host.OcspUri, RawHttp.Post(host.OcspUri, Question().Encode()));
        host.Terminate(); // what is left is sent at the end
        (int exitCode, _, string log) = await host.WaitForExitAsync();
        Assert.True(exitCode == 0, log);

        Dictionary<string, string> sent = [];
        while (collector.HasMore)
        {
            ReceivedRequest request = await collector.ReadAsync();
            Assert.Equal("application/x-protobuf", request.Headers["Content-Type"]);
            Assert.Equal("Bearer of-the-collector", request.Headers["authorization"]);
            sent[request.Target] = sent.GetValueOrDefault(request.Target) + Encoding.Latin1.GetString(request.Body);
        }

        Assert.Equal(["/v1/logs", "/v1/metrics", "/v1/traces"], sent.Keys.Order(StringComparer.Ordinal));
        Assert.All(["ocsp.requests", "ocsp.request.duration", "ocsp.refresh.backlog", "OcspCluster.Standalone"], name => Assert.Contains(name, sent["/v1/metrics"], StringComparison.Ordinal));
        Assert.All(
            ["ocsp.request", "ocsp.answer", "ocsp.sign", "feed.submit", "journal.turn", "journal.append", "journal.publish"],
            name => Assert.Contains(name, sent["/v1/traces"], StringComparison.Ordinal));
        Assert.Contains("Answering for", sent["/v1/logs"], StringComparison.Ordinal);
    }

    private RawOcspRequest Question()
    {
        using X509Certificate2 issuer = X509CertificateLoader.LoadCertificateFromFile(_directory.File("data/demo/ca.pem"));
        using X509Certificate2 good = X509CertificateLoader.LoadCertificateFromFile(_directory.File("data/demo/good.pem"));
        return RawOcspRequest.For(RawCertId.For(issuer, good.SerialNumberBytes.ToArray()));
    }

    private async Task<string> ScrapeAsync(HostProcess host)
    {
        using HttpClient client = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromSeconds(60) };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", File.ReadAllText(_directory.File("data/admin.key")).Trim());
        return await client.GetStringAsync(new Uri(host.AdminUri, "metrics"));
    }
}
