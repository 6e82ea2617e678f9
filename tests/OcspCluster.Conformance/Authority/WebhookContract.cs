using System.Net;
using System.Text;
using System.Text.Json;
using OcspCluster.Testing;

namespace OcspCluster.Conformance;

/// <summary>Webhooks: every published event, signed, in order, at least once, whatever the receiver does.</summary>
public abstract class WebhookContract(SharedHosts shared) : DeliveryContract(shared), IDisposable
{
    private const int Seeded = 8; // Alpha's events of a seeded host

    private readonly ScratchDirectory _directory = new();
    private readonly string _secret = NewSecret();

    /// <inheritdoc/>
    public void Dispose()
    {
        _directory.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Events_AreDeliveredSignedInOrderAndAsTheFeedHasThem()
    {
        await using RecordingReceiver receiver = await RecordingReceiver.StartAsync();
        IAuthorityHost host = await HostAsync(receiver);
        await RevokeAsync(host);
        List<JsonElement> delivered = await ReadEventsAsync(receiver, null, Seeded + 1);

        ApiAnswer feed = await SendAsync(host, HttpMethod.Get, "/v1/events", host.CreateKey("read:alpha"));
        Assert.Equal(feed.Lines.Select(line => line.GetRawText()), delivered.Select(one => one.GetRawText()));
        JsonElement state = await UntilAsync(host, "siem", one => one.GetProperty("lagEntries").GetInt64() == 0);
        Assert.Equal((Seeded + 1, Seeded + 1), (state.GetProperty("cursor").GetInt32(), state.GetProperty("position").GetInt32()));
        Assert.Equal(("webhook", "delivering", "alpha"), (Text(state, "kind"), Text(state, "state"), Text(state, "issuer")));
        Assert.Equal(0, state.GetProperty("lagSeconds").GetDouble());
        Assert.Empty(await WarningsAsync(host));
    }

    [Fact]
    public async Task Receiver_ThatFailsManyTimes_GetsTheSameMessageUntilItTakesIt()
    {
        await using RecordingReceiver receiver = await RecordingReceiver.StartAsync();
        IAuthorityHost host = await HostAsync(receiver, ("Webhooks:siem:MaxBackoff", "00:00:04"), ("Webhooks:siem:WarnAfter", "00:00:10"));
        await ReadEventsAsync(receiver, null, Seeded);
        receiver.Status = 500;
        await RevokeAsync(host);

        ReceivedRequest first = await receiver.ReadAsync(host.Clock);
        for (int i = 0; i < 12; i++)
        {
            await RevokeAsync(host); // the journal goes on, the message does not change
            ReceivedRequest again = await receiver.ReadAsync(host.Clock);
            Assert.Equal((first.Headers["webhook-id"], Encoding.UTF8.GetString(first.Body)), (again.Headers["webhook-id"], Encoding.UTF8.GetString(again.Body)));
            Verified(again, host.Clock, _secret);
        }

        JsonElement state = await UntilAsync(host, "siem", one => one.GetProperty("failures").GetInt32() >= 13);
        Assert.Equal(("retrying", "answered 500"), (Text(state, "state"), Text(state, "lastFailure")));
        Assert.True(state.GetProperty("lagSeconds").GetDouble() > 0);
        Assert.Contains(await WarningsAsync(host), warning => warning.Contains("webhook 'siem', issuer 'alpha'", StringComparison.Ordinal) && warning.Contains("answered 500", StringComparison.Ordinal));

        receiver.Status = 200;
        List<JsonElement> rest = await ReadEventsAsync(receiver, host.Clock, 13, first.Headers["webhook-id"]);
        Assert.Equal(Enumerable.Range(Seeded + 1, 13).Select(position => (long)position), rest.Select(PositionOf));
        await UntilAsync(host, "siem", one => Text(one, "state") == "delivering" && one.GetProperty("lagEntries").GetInt64() == 0);
    }

    [Fact]
    public async Task Receiver_ThatIsAwayAcrossARestart_MissesNothing()
    {
        await using RecordingReceiver receiver = await RecordingReceiver.StartAsync();
        IAuthorityHost host = await HostAsync(receiver);
        await ReadEventsAsync(receiver, null, Seeded);
        await receiver.StopAsync();
        for (int i = 0; i < 5; i++)
        {
            await RevokeAsync(host);
        }

        await UntilAsync(host, "siem", one => one.GetProperty("failures").GetInt32() > 0);
        await host.RestartAsync();
        await RevokeAsync(host);
        await receiver.StartAgainAsync();

        Assert.Equal(Enumerable.Range(Seeded + 1, 6).Select(position => (long)position), (await ReadEventsAsync(receiver, host.Clock, 6)).Select(PositionOf));
    }

    [Theory]
    [InlineData(302, "redirects are not followed")]
    [InlineData(400, "answered 400")]
    [InlineData(404, "answered 404")]
    [InlineData(429, "answered 429")]
    public async Task Status_ThatIsNoSuccess_IsAFailureAndTriedAgain(int status, string reason)
    {
        await using RecordingReceiver elsewhere = await RecordingReceiver.StartAsync();
        await using RecordingReceiver receiver = await RecordingReceiver.StartAsync();
        receiver.Answer = (_, _) => Task.FromResult(new ReceiverAnswer(status, ("Location", elsewhere.Uri.ToString())));
        IAuthorityHost host = await HostAsync(receiver);

        string id = (await receiver.ReadAsync(host.Clock)).Headers["webhook-id"];
        Assert.Equal(id, (await receiver.ReadAsync(host.Clock)).Headers["webhook-id"]);
        Assert.Contains(reason, Text(await UntilAsync(host, "siem", one => one.GetProperty("failures").GetInt32() > 0), "lastFailure"), StringComparison.Ordinal);
        Assert.False(elsewhere.HasMore);
    }

    [Fact]
    public async Task RetryAfter_IsWaitedFor()
    {
        await using RecordingReceiver receiver = await RecordingReceiver.StartAsync();
        receiver.Answer = (_, _) => Task.FromResult(new ReceiverAnswer(503, ("Retry-After", "1800")));
        IAuthorityHost host = await HostAsync(receiver);
        await receiver.ReadAsync(host.Clock);
        JsonElement state = await UntilAsync(host, "siem", one => one.GetProperty("failures").GetInt32() == 1);
        Assert.InRange(state.GetProperty("nextAttemptAt").GetDateTimeOffset() - state.GetProperty("lastFailureAt").GetDateTimeOffset(), TimeSpan.FromSeconds(1800), TimeSpan.FromSeconds(1800));
    }

    [Fact]
    public async Task Backoff_GrowsToItsBound()
    {
        await using RecordingReceiver receiver = await RecordingReceiver.StartAsync();
        receiver.Status = 500;
        IAuthorityHost host = await HostAsync(receiver, ("Webhooks:siem:MaxBackoff", "00:00:10"));
        for (int failures = 1; failures <= 7; failures++)
        {
            await receiver.ReadAsync(host.Clock);
            JsonElement state = await UntilAsync(host, "siem", one => one.GetProperty("failures").GetInt32() == failures && one.GetProperty("nextAttemptAt").ValueKind == JsonValueKind.String);
            double expected = Math.Min(10, Math.Pow(2, failures - 1));
            Assert.InRange((state.GetProperty("nextAttemptAt").GetDateTimeOffset() - state.GetProperty("lastFailureAt").GetDateTimeOffset()).TotalSeconds, expected / 2, expected);
        }
    }

    [Fact]
    public async Task Gone_PausesUntilAnOperatorResumes()
    {
        await using RecordingReceiver receiver = await RecordingReceiver.StartAsync();
        receiver.Status = 410;
        IAuthorityHost host = await HostAsync(receiver);
        string id = (await receiver.ReadAsync()).Headers["webhook-id"];
        JsonElement state = await UntilAsync(host, "siem", one => Text(one, "state") == "paused");
        Assert.Contains("410", Text(state, "pausedBecause"), StringComparison.Ordinal);
        Assert.Contains(await WarningsAsync(host), warning => warning.Contains("paused", StringComparison.Ordinal));
        await RevokeAsync(host);
        await host.RestartAsync();
        host.Clock.Advance(TimeSpan.FromHours(1));
        Assert.Equal("paused", Text(await UntilAsync(host, "siem", one => one.GetProperty("cursor").GetInt64() == 0 && one.GetProperty("pausedBecause").ValueKind == JsonValueKind.String), "state"));
        Assert.False(receiver.HasMore);

        receiver.Status = 204;
        (await SendAsync(host, HttpMethod.Post, "/v1/webhooks/siem/issuers/alpha/resume", host.CreateKey("read", "feed"))).MustBeProblem(HttpStatusCode.Forbidden);
        (await SendAsync(host, HttpMethod.Post, "/v1/webhooks/siem/issuers/beta/resume", host.CreateKey("operator"))).MustBeProblem(HttpStatusCode.NotFound);
        (await SendAsync(host, HttpMethod.Post, "/v1/webhooks/siem/issuers/alpha/resume?after=1000", host.CreateKey("operator"))).MustBeProblem(HttpStatusCode.BadRequest);
        Assert.Equal(HttpStatusCode.NoContent, (await SendAsync(host, HttpMethod.Post, "/v1/webhooks/siem/issuers/alpha/resume", host.CreateKey("operator"))).Status);
        ReceivedRequest resumed = await receiver.ReadAsync(host.Clock);
        Assert.Equal(id, resumed.Headers["webhook-id"]); // what it would not have is what it gets
    }

    [Fact]
    public async Task Resume_BehindAPosition_DeliversAgainFromThere()
    {
        await using RecordingReceiver receiver = await RecordingReceiver.StartAsync();
        IAuthorityHost host = await HostAsync(receiver);
        await ReadEventsAsync(receiver, null, Seeded);
        await UntilAsync(host, "siem", one => one.GetProperty("cursor").GetInt32() == Seeded);
        Assert.Equal(HttpStatusCode.NoContent, (await SendAsync(host, HttpMethod.Post, "/v1/webhooks/siem/issuers/alpha/resume?after=5", host.CreateKey("operator"))).Status);
        Assert.Equal([6, 7, 8], (await ReadEventsAsync(receiver, host.Clock, Seeded - 5)).Select(PositionOf));
    }

    [Fact]
    public async Task Receiver_ThatIsSlow_HoldsUpNeitherTheOthersNorTheAcknowledgement()
    {
        await using RecordingReceiver slow = await RecordingReceiver.StartAsync();
        await using RecordingReceiver receiver = await RecordingReceiver.StartAsync();
        slow.Answer = async (_, aborted) =>
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, aborted);
            return new ReceiverAnswer(200);
        };
        IAuthorityHost host = await HostAsync(
            receiver, ("Webhooks:slow:Url", slow.Uri.ToString()), ("Webhooks:slow:Issuers", "alpha"), ("Webhooks:slow:SecretFile", _directory.File("secret")), ("Webhooks:slow:Timeout", "00:00:05"));
        await slow.ReadAsync(); // and waits for ever
        await ReadEventsAsync(receiver, null, Seeded);
        for (int i = 1; i <= 20; i++)
        {
            await RevokeAsync(host);
            Assert.Equal([Seeded + i], (await ReadEventsAsync(receiver, null, 1)).Select(PositionOf));
        }

        host.Clock.Advance(TimeSpan.FromSeconds(5));
        Assert.Contains("no answer within 00:00:05", Text(await UntilAsync(host, "slow", one => one.GetProperty("failures").GetInt32() > 0), "lastFailure"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Kinds_ThatAreNotWanted_AreLeftOutAndPassed()
    {
        await using RecordingReceiver receiver = await RecordingReceiver.StartAsync();
        IAuthorityHost host = await HostAsync(receiver, ("Webhooks:siem:Kinds", "revoked;held"));
        List<JsonElement> delivered = await ReadEventsAsync(receiver, null, 2);
        Assert.Equal(["revoked", "held"], delivered.Select(one => Text(one, "kind")));
        await UntilAsync(host, "siem", one => one.GetProperty("lagEntries").GetInt64() == 0);
    }

    [Fact]
    public async Task FirstStart_WhereverAReceiverBegins_GivesItAllThatIsAcknowledgedAfterwards()
    {
        await using RecordingReceiver early = await RecordingReceiver.StartAsync();
        await using RecordingReceiver late = await RecordingReceiver.StartAsync();
        string secret = WriteSecret(_directory, "secret", _secret);
        IAuthorityHost host = await OwnAuthorityAsync(
            ("Webhooks:early:Url", early.Uri.ToString()), ("Webhooks:early:SecretFile", secret), ("Webhooks:early:Issuers", "alpha"), ("Webhooks:early:From", "Beginning"), ("Webhooks:early:BatchSize", "1000"),
            ("Webhooks:late:Url", late.Uri.ToString()), ("Webhooks:late:SecretFile", secret), ("Webhooks:late:Issuers", "alpha"));
        await RevokeAsync(host); // what was seeded was submitted to the host that had started, and this is the last
        Assert.Equal(Enumerable.Range(1, Seeded + 1).Select(position => (long)position), (await ReadEventsAsync(early, null, Seeded + 1)).Select(PositionOf));
        Assert.Equal(Enumerable.Range(1, Seeded + 1).Select(position => (long)position), (await ReadEventsAsync(late, null, Seeded + 1)).Select(PositionOf));
    }

    [Fact]
    public async Task Batches_HaveAsManyEventsAsTheyMay_AndAllOfThem()
    {
        await using RecordingReceiver receiver = await RecordingReceiver.StartAsync();
        IAuthorityHost host = await HostAsync(receiver, ("Webhooks:siem:BatchSize", "7"));
        await ReadEventsAsync(receiver, null, Seeded);
        await PostAsync(host, $"[{string.Join(',', Enumerable.Range(0, 500).Select(i => Json($"bulk-{i}", $"B0{i:X6}", "issued")))}]");
        List<long> positions = [];
        while (positions.Count < 500)
        {
            JsonElement[] events = Verified(await receiver.ReadAsync(), null, _secret);
            Assert.InRange(events.Length, 1, 7);
            positions.AddRange(events.Select(PositionOf));
        }

        Assert.Equal(Enumerable.Range(Seeded + 1, 500).Select(position => (long)position), positions);
    }

    [Fact]
    public async Task Message_ThatIsTooLarge_IsSplit()
    {
        await using RecordingReceiver receiver = await RecordingReceiver.StartAsync();
        receiver.Answer = (request, _) => Task.FromResult(new ReceiverAnswer(Verified(request, null, _secret).Length > 2 ? 413 : 200));
        IAuthorityHost host = await HostAsync(receiver);
        List<long> taken = [];
        while (taken.Count < Seeded)
        {
            JsonElement[] events = Verified(await receiver.ReadAsync(host.Clock), null, _secret);
            taken.AddRange(events.Length > 2 ? [] : events.Select(PositionOf));
        }

        Assert.Equal(Enumerable.Range(1, Seeded).Select(position => (long)position), taken);
    }

    [Fact]
    public async Task Secrets_ThatAreRotated_BothSignUntilTheOldOneIsTakenAway()
    {
        await using RecordingReceiver receiver = await RecordingReceiver.StartAsync();
        string next = NewSecret();
        WriteSecret(_directory, "next", next);
        IAuthorityHost host = await HostAsync(receiver, ("Webhooks:siem:SecretFiles", _directory.File("next")));
        Verified(await receiver.ReadAsync(), host.Clock, next, _secret);
        await UntilAsync(host, "siem", one => one.GetProperty("cursor").GetInt32() > 0);

        string third = NewSecret();
        WriteSecret(_directory, "next", third); // replaced while the host runs
        string serial = await RevokeAsync(host);
        JsonElement[] events;
        ReceivedRequest request;
        do
        {
            request = await receiver.ReadAsync(host.Clock);
            events = [.. JsonDocument.Parse(request.Body).RootElement.GetProperty("data").GetProperty("events").EnumerateArray()];
        }
        while (Text(events[^1], "id") != "revoke-" + serial);

        Verified(request, host.Clock, third, _secret);
        File.Delete(_directory.File("next"));
        await RevokeAsync(host);
        Assert.Contains("cannot be read", Text(await UntilAsync(host, "siem", one => one.GetProperty("failures").GetInt32() > 0), "lastFailure"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Signature_IsVerifiedByPython()
    {
        ExternalTool? python = ExternalTool.Find("python3");
        Assert.SkipWhen(python is null, "This machine has no python3.");
        await using RecordingReceiver receiver = await RecordingReceiver.StartAsync();
        await HostAsync(receiver);
        ReceivedRequest request = await receiver.ReadAsync();
        File.WriteAllBytes(_directory.File("body"), request.Body);
        const string Program = """
            import base64, hashlib, hmac, sys
            secret, ident, timestamp, body = sys.argv[1:]
            key = base64.b64decode(open(secret).read().strip().removeprefix('whsec_'))
            signed = ident.encode() + b'.' + timestamp.encode() + b'.' + open(body, 'rb').read()
            print('v1,' + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode())
            """;
        ToolResult result = await python.RunAsync(["-c", Program, _directory.File("secret"), request.Headers["webhook-id"], request.Headers["webhook-timestamp"], _directory.File("body")]);
        Assert.Equal(request.Headers["webhook-signature"], result.Output.Trim());
    }

    [Fact]
    public async Task CloudEvents_AreABatch()
    {
        await using RecordingReceiver receiver = await RecordingReceiver.StartAsync();
        IAuthorityHost host = await HostAsync(receiver, ("Webhooks:siem:Format", "CloudEvents"), ("Webhooks:siem:Kinds", "revoked"));
        ReceivedRequest request = await receiver.ReadAsync();
        Assert.Equal("application/cloudevents-batch+json", request.Headers["Content-Type"]);
        JsonElement one = JsonDocument.Parse(request.Body).RootElement[0];
        Assert.Equal(
            ("1.0", "/v1/issuers/alpha", "ocspcluster.certificate.revoked", Text(one.GetProperty("data"), "serial"), Text(one.GetProperty("data"), "id")),
            (Text(one, "specversion"), Text(one, "source"), Text(one, "type"), Text(one, "subject"), Text(one, "id")));
        Assert.Equal(one.GetProperty("data").GetProperty("at").GetDateTimeOffset(), one.GetProperty("time").GetDateTimeOffset());
    }

    [Fact]
    public async Task Tls_WithACertificateOfNobody_IsRefused_AndOfATrustedRootTaken()
    {
        TestPki root = TestPki.CreateRoot("Webhook CA", TestKey.P256());
        TestCertificate leaf = root.IssueLeaf(TestPki.RandomSerial(), "localhost");
        using System.Security.Cryptography.X509Certificates.X509Certificate2 server =
            System.Security.Cryptography.X509Certificates.X509CertificateLoader.LoadPkcs12FromFile(leaf.WritePfx(_directory.Path, "server", "x"), "x");
        await using RecordingReceiver receiver = await RecordingReceiver.StartAsync(server);
        string url = $"https://localhost:{receiver.Uri.Port}/hook?token=hush";
        string secret = WriteSecret(_directory, "secret", _secret);
        IAuthorityHost host = await OwnAuthorityAsync(
            ("Webhooks:strict:Url", url), ("Webhooks:strict:SecretFile", secret), ("Webhooks:strict:Issuers", "alpha"),
            ("Webhooks:siem:Url", url), ("Webhooks:siem:SecretFile", secret), ("Webhooks:siem:Issuers", "alpha"), ("Webhooks:siem:TrustedRoots", root.Ca.WriteCertificate(_directory.Path, "root")));

        Assert.Equal("/hook?token=hush", (await receiver.ReadAsync()).Target);
        JsonElement strict = await UntilAsync(host, "strict", one => one.GetProperty("failures").GetInt32() > 0);
        Assert.Contains("certificate", Text(strict, "lastFailure"), StringComparison.Ordinal);
        string all = (await SendAsync(host, HttpMethod.Get, "/v1/webhooks", host.CreateKey("operator"))).Body;
        Assert.DoesNotContain("hush", all, StringComparison.Ordinal);
        Assert.DoesNotContain(_secret["whsec_".Length..], all, StringComparison.Ordinal);
    }

    [Fact]
    public async Task List_IsOfTheCallersIssuersAlone()
    {
        await using RecordingReceiver receiver = await RecordingReceiver.StartAsync();
        string secret = WriteSecret(_directory, "secret", _secret);
        IAuthorityHost host = await OwnAuthorityAsync(("Webhooks:siem:Url", receiver.Uri.ToString()), ("Webhooks:siem:SecretFile", secret));
        ApiAnswer mine = await SendAsync(host, HttpMethod.Get, "/v1/webhooks", host.CreateKey("read:beta"));
        Assert.Equal(["beta"], mine.Json.GetProperty("webhooks").EnumerateArray().Select(one => Text(one, "issuer")));
        Assert.Equal(5, (await SendAsync(host, HttpMethod.Get, "/v1/webhooks", host.CreateKey("operator"))).Json.GetProperty("webhooks").GetArrayLength());
        (await SendAsync(host, HttpMethod.Get, "/v1/webhooks", host.CreateKey("feed"))).MustBeProblem(HttpStatusCode.Forbidden);
        (await SendAsync(host, HttpMethod.Get, "/v1/webhooks", null)).MustBeProblem(HttpStatusCode.Unauthorized);
        JsonElement paths = (await SendAsync(host, HttpMethod.Get, "/openapi/v1.json", null)).Json.GetProperty("paths");
        Assert.True(paths.TryGetProperty("/v1/webhooks", out _));
        Assert.True(paths.TryGetProperty("/v1/webhooks/{name}/issuers/{issuer}/resume", out _));
    }

    private static string Text(JsonElement json, string name) => json.GetProperty(name).GetString()!;

    private Task<IAuthorityHost> HostAsync(RecordingReceiver receiver, params (string Key, string Value)[] more) => OwnAuthorityAsync([
        ("Webhooks:siem:Url", receiver.Uri.ToString()), ("Webhooks:siem:SecretFile", WriteSecret(_directory, "secret", _secret)), ("Webhooks:siem:Issuers", "alpha"), .. more]);

    // The events of messages that verify, in the order received; one message that was tried before may come once more.
    private async Task<List<JsonElement>> ReadEventsAsync(RecordingReceiver receiver, TestClock? clock, int count, string? retried = null)
    {
        List<JsonElement> events = [];
        bool isRetriedTaken = false;
        while (events.Count < count)
        {
            ReceivedRequest request = await receiver.ReadAsync(clock);
            if (request.Headers["webhook-id"] == retried && isRetriedTaken)
            {
                continue;
            }

            isRetriedTaken |= request.Headers["webhook-id"] == retried;
            events.AddRange(Verified(request, null, _secret));
        }

        Assert.Equal(count, events.Count);
        return events;
    }
}
