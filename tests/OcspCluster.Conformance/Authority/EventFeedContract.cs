using System.Net;
using System.Text;
using System.Text.Json;
using OcspCluster.Testing;

namespace OcspCluster.Conformance;

/// <summary>The event feed: what it takes, what it answers, and that an acknowledged event is seen.</summary>
public abstract class EventFeedContract(SharedHosts shared) : AuthorityContract(shared)
{
    private static readonly DateTimeOffset s_end = new(2030, 1, 2, 3, 4, 5, TimeSpan.Zero);

    public static TheoryData<string, string> Forms => new()
    {
        { "application/json", "EVENT" },
        { "application/json; charset=utf-8", "[EVENT]" },
        { "application/json", """{"events":[EVENT]}""" },
        { "application/x-ndjson", "EVENT\n" },
        { "application/x-ndjson", "\uFEFF\r\n\nEVENT" },
        { "application/cloudevents+json", """{"specversion":"1.0","id":"ID","source":"/ca","type":"org.example.certificate.changed","data":DATA}""" },
        { "application/cloudevents+json", """{"specversion":"1.0","id":"ID","source":"/ca","type":"org.example.revoked","time":"2026-06-14T09:08:07Z","subject":"SERIAL","datacontenttype":"application/json","traceparent":"00-x"}""" },
        { "application/cloudevents-batch+json", """[{"specversion":"1.0","id":"ID","source":"/ca","type":"revoked","data":DATA}]""" },
    };

    /// <summary>Body, index and field of what is wrong; null where it is the body as a whole.</summary>
    public static TheoryData<string, int?, string?> Malformed => new()
    {
        { "", null, null },
        { "{", null, null },
        { "[]", null, "events" },
        { """{"events":[]}""", null, "events" },
        { """{"events":{}}""", null, "events" },
        { """{"events":[GOOD],"dryRun":true}""", null, "dryRun" },
        { "[GOOD,]", null, null },
        { "[GOOD] x", null, null },
        { "7", 0, null },
        { "[GOOD,null]", 1, null },
        { """{"serial":"01","kind":"revoked","at":"2026-06-14T09:08:07Z"}""", 0, "id" },
        { """[GOOD,{"id":"x","serial":"01","kind":"revoked"}]""", 1, "at" },
        { """{"id":"x","serial":"01","at":"2026-06-14T09:08:07Z"}""", 0, "kind" },
        { """{"id":"x","kind":"revoked","at":"2026-06-14T09:08:07Z"}""", 0, "serial" },
        { """{"id":"x","kind":"issued","at":"2026-06-14T09:08:07Z"}""", 0, "serial" },
        { """{"id":"x","id":"x","serial":"01","kind":"revoked","at":"2026-06-14T09:08:07Z"}""", null, null },
        { """{"id":"","serial":"01","kind":"revoked","at":"2026-06-14T09:08:07Z"}""", 0, "id" },
        { """{"id":7,"serial":"01","kind":"revoked","at":"2026-06-14T09:08:07Z"}""", 0, "id" },
        { """{"id":"\ud800","serial":"01","kind":"revoked","at":"2026-06-14T09:08:07Z"}""", 0, null },
        { """{"id":"x","serial":"0G","kind":"revoked","at":"2026-06-14T09:08:07Z"}""", 0, "serial" },
        { """{"id":"x","serial":"","kind":"revoked","at":"2026-06-14T09:08:07Z"}""", 0, "serial" },
        { """{"id":"x","serial":1,"kind":"revoked","at":"2026-06-14T09:08:07Z"}""", 0, "serial" },
        { """{"id":"x","serial":"01","kind":"Revoked","at":"2026-06-14T09:08:07Z"}""", 0, "kind" },
        { """{"id":"x","serial":"01","kind":"revoked","at":"2026-06-14T09:08:07"}""", 0, "at" },
        { """{"id":"x","serial":"01","kind":"revoked","at":"2026-06-14"}""", 0, "at" },
        { """{"id":"x","serial":"01","kind":"revoked","at":"2026-06-31T09:08:07Z"}""", 0, "at" },
        { """{"id":"x","serial":"01","kind":"revoked","at":1781428087}""", 0, "at" },
        { """{"id":"x","serial":"01","kind":"revoked","at":"2026-06-14T09:08:07Z","reason":7}""", 0, "reason" },
        { """{"id":"x","serial":"01","kind":"revoked","at":"2026-06-14T09:08:07Z","reason":"stolen"}""", 0, "reason" },
        { """{"id":"x","serial":"01","kind":"revoked","at":"2026-06-14T09:08:07Z","invalidityDate":"yesterday"}""", 0, "invalidityDate" },
        { """{"id":"x","serial":"01","kind":"issued","at":"2026-06-14T09:08:07Z","notAfter":""}""", 0, "notAfter" },
        { """{"id":"x","serial":"01","kind":"issued","at":"2026-06-14T09:08:07Z","certificate":"AQID"}""", 0, "certificate" },
        { """{"id":"x","serial":"01","kind":"issued","at":"2026-06-14T09:08:07Z","certificate":"!"}""", 0, "certificate" },
        { """{"id":"x","serial":"01","kind":"revoked","at":"2026-06-14T09:08:07Z","color":"red"}""", 0, "color" },
    };

    [Theory]
    [MemberData(nameof(Forms))]
    public async Task Event_InEveryForm_IsAppliedAndAnsweredAtOnce(string contentType, string form)
    {
        IAuthorityHost host = await AuthorityAsync();
        string serial = NewSerial();
        string data = $$"""{"serial":"{{serial}}","kind":"revoked","at":"2026-06-14T09:08:07Z"}""";
        string body = form.Replace("EVENT", Json("form-" + serial, serial, "revoked")).Replace("ID", "form-" + serial).Replace("DATA", data).Replace("SERIAL", serial);

        ApiAnswer answer = await PostAsync(host, body, contentType);

        JsonElement outcome = contentType.Contains("ndjson") ? answer.Lines[0] : answer.Json.GetProperty("outcomes")[0];
        Assert.Equal(("applied", "form-" + serial), (outcome.GetProperty("outcome").GetString(), outcome.GetProperty("id").GetString()));
        Assert.True(outcome.GetProperty("position").GetInt64() > 0);
        RawSingleResponse single = await host.AskOneAsync(AlphaId(Octets(serial)));
        Assert.Equal((RawCertStatus.Revoked, "20260614090807Z"), (single.Status, single.RevocationTime));
    }

    [Fact]
    public async Task Batch_OfManyOutcomes_HasOneEachInOrder()
    {
        IAuthorityHost host = await AuthorityAsync();
        string serial = NewSerial();
        string other = NewSerial();
        string body = $"[{string.Join(",", [
            Json("a" + serial, serial, "issued"),
            Json("a" + serial, serial, "issued"),
            Json("a" + serial, other, "issued"),
            Json("b" + serial, serial, "released"),
            Json("c" + serial, serial, "held", "\"reason\":null"),
            Json("d" + serial, serial, "revoked", "\"reason\":\"keyCompromise\",\"invalidityDate\":\"2026-06-01T00:00:00+02:00\""),
            Json("e" + serial, serial, "revoked", "\"reason\":4"),
            Json("f" + serial, other, "revoked", "\"reason\":\"removeFromCRL\""),
            Json("g" + serial, other, "revoked").Replace("2026-", "2027-"),
        ])}]";

        ApiAnswer answer = await PostAsync(host, body);

        Assert.Equal(
            ["applied", "duplicate", "refused: idReused", "refused: notHeld", "applied", "applied", "refused: alreadyRevoked", "refused: reasonNotAllowed", "refused: fromTheFuture"],
            answer.Outcomes);
        JsonElement[] outcomes = [.. answer.Json.GetProperty("outcomes").EnumerateArray()];
        Assert.Equal(Enumerable.Range(0, 9), outcomes.Select(outcome => outcome.GetProperty("index").GetInt32()));
        long first = outcomes[0].GetProperty("position").GetInt64();
        Assert.Equal([first, first, first, first, first + 1, first + 2, first + 2, 0, 0], outcomes.Select(outcome => outcome.GetProperty("position").GetInt64()));
        Assert.Equal(first + 2, answer.Json.GetProperty("position").GetInt64());
        Assert.All(outcomes.Where(outcome => outcome.TryGetProperty("reason", out _)), outcome => Assert.NotEmpty(outcome.GetProperty("detail").GetString()!));
    }

    [Fact]
    public async Task SameId_AfterARestart_HasTheFirstOutcome()
    {
        IAuthorityHost host = await OwnAuthorityAsync();
        string first = (await PostAsync(host, Json("once", "77", "revoked"))).Json.GetProperty("outcomes")[0].GetProperty("position").GetRawText();

        await host.RestartAsync();
        ApiAnswer again = await PostAsync(host, Json("once", "77", "revoked").Replace("2026-06-14", "2026-06-15"));

        Assert.Equal(["duplicate"], again.Outcomes);
        Assert.Equal(first, again.Json.GetProperty("position").GetRawText());
        Assert.Equal("20260614090807Z", (await host.AskOneAsync(AlphaId([0x77]))).RevocationTime);
    }

    [Theory]
    [MemberData(nameof(Malformed))]
    public async Task Batch_WithAFault_NamesItAndAppliesNothing(string body, int? index, string? field)
    {
        IAuthorityHost host = await AuthorityAsync();
        string serial = NewSerial();

        JsonElement problem = (await PostAsync(host, body.Replace("GOOD", Json("good-" + serial, serial, "revoked")))).MustBeProblem(HttpStatusCode.BadRequest);

        Assert.Equal(index, problem.GetProperty("index").Deserialize<int?>());
        Assert.Equal(field, problem.GetProperty("field").GetString());
        Assert.NotEmpty(problem.GetProperty("errors").EnumerateArray());
        Assert.Equal(HttpStatusCode.NotFound, (await GetAsync(host, "/alpha/certificates/" + serial)).Status);
    }

    [Fact]
    public async Task CloudEvent_WithAFault_NamesTheAttribute()
    {
        IAuthorityHost host = await AuthorityAsync();
        const string Sound = """{"specversion":"1.0","id":"ce","source":"/ca","type":"x.held","subject":"01","time":"2026-06-14T09:08:07Z","data":{"kind":"held"}}""";
        (string From, string To, string Field)[] faults =
        [
            ("\"1.0\"", "\"0.3\"", "specversion"), ("\"source\"", "\"sauce\"", "source"), ("\"ce\"", "1", "id"), ("\"01\"", "\"x\"", "subject"), ("14T09:08:07Z", "14", "time"),
            ("{\"kind\":\"held\"}", "[]", "data"), ("{\"kind\":\"held\"}", "{}", ""), ("\"kind\":", "\"id\":", "data.id"), ("\"data\"", "\"data_base64\"", "data_base64"), ("\"held\"}", "1}", "data.kind"),
        ];
        foreach ((string from, string to, string field) in faults)
        {
            string body = Sound.Replace(from, to);
            if (field.Length == 0)
            {
                body = body.Replace("x.held", "x.created");
            }

            JsonElement problem = (await PostAsync(host, body, "application/cloudevents+json")).MustBeProblem(HttpStatusCode.BadRequest);
            Assert.Equal(field.Length == 0 ? "type" : field, problem.GetProperty("field").GetString());
        }

        (await PostAsync(host, Sound, "application/cloudevents-batch+json")).MustBeProblem(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task Batch_OfTooManyEvents_Is413AndAppliesNothing()
    {
        IAuthorityHost host = await AuthorityAsync();
        string serial = NewSerial();
        string[] events = [.. Enumerable.Range(0, 10_001).Select(i => Json($"many-{serial}-{i}", serial, "revoked"))];

        (await PostAsync(host, $"[{string.Join(",", events)}]")).MustBeProblem(HttpStatusCode.RequestEntityTooLarge);

        Assert.Equal(HttpStatusCode.NotFound, (await GetAsync(host, "/alpha/certificates/" + serial)).Status);
        Assert.Equal(10_000, (await PostAsync(host, $"[{string.Join(",", events[1..])}]")).Outcomes.Count());
    }

    [Fact]
    public async Task Batch_ThatIsTooLong_Is413()
    {
        IAuthorityHost host = await OwnAuthorityAsync(("Admin:MaxBatchBytes", "2048"));
        (await PostAsync(host, "[" + new string(' ', 4000) + "]")).MustBeProblem(HttpStatusCode.RequestEntityTooLarge);
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/xml")]
    [InlineData("application/json; charset=utf-16")]
    public async Task ContentType_ThatIsNotTaken_Is415(string contentType)
    {
        ApiAnswer answer = await PostAsync(await AuthorityAsync(), Json("x", "01", "revoked"), contentType);
        answer.MustBeProblem(HttpStatusCode.UnsupportedMediaType);
        Assert.Contains("application/cloudevents-batch+json", answer.Headers["Accept-Post"]);
    }

    [Fact]
    public async Task Certificate_OfTheIssuer_SaysSerialAndEnd()
    {
        IAuthorityHost host = await AuthorityAsync();
        foreach (bool isPem in new[] { true, false })
        {
            byte[] serial = TestPki.RandomSerial();
            System.Security.Cryptography.X509Certificates.X509Certificate2 leaf = Issuers.AlphaCa.IssueLeaf(serial, notAfter: s_end).Certificate;
            string text = isPem ? leaf.ExportCertificatePem() : Convert.ToBase64String(leaf.RawData);

            string hex = Convert.ToHexString(serial);
            ApiAnswer answer = await PostAsync(host, $$"""{"id":"cert-{{hex}}","kind":"issued","at":"2026-06-14T09:08:07Z","certificate":{{JsonSerializer.Serialize(text)}}}""");

            Assert.Equal(["applied"], answer.Outcomes);
            Assert.Equal(s_end, (await GetAsync(host, "/alpha/certificates/" + hex)).Json.GetProperty("status").GetProperty("notAfter").GetDateTimeOffset());
        }
    }

    [Fact]
    public async Task Certificate_ThatDoesNotBelong_IsRefusedByName()
    {
        IAuthorityHost host = await AuthorityAsync();
        string serial = "0" + NewSerial()[1..];
        (TestPki Ca, string More, string Outcome)[] cases =
        [
            (Issuers.Stranger, "", "refused: wrongIssuer"),
            (Issuers.AlphaRekeyedCa, "", "refused: wrongIssuer"), // Alpha's name, another key
            (Issuers.AlphaCa, ",\"serial\":\"4D\"", "refused: certificateDiffers"),
            (Issuers.AlphaCa, ",\"notAfter\":\"2031-01-01T00:00:00Z\"", "refused: certificateDiffers"),
            (Issuers.AlphaCa, $",\"serial\":\"{serial}\",\"notAfter\":\"2030-01-02T04:04:05+01:00\"", "applied"),
        ];
        foreach ((TestPki ca, string more, string outcome) in cases)
        {
            string certificate = Convert.ToBase64String(ca.IssueLeaf(Octets(serial), notAfter: s_end).Certificate.RawData);
            ApiAnswer answer = await PostAsync(host, $$"""{"id":"of-{{serial}}","kind":"issued","at":"2026-06-14T09:08:07Z","certificate":"{{certificate}}"{{more}}}""");
            Assert.Equal([outcome], answer.Outcomes);
        }
    }

    [Fact]
    public async Task Stream_WithBadLines_TellsOfEachAndGoesOn()
    {
        IAuthorityHost host = await AuthorityAsync();
        string serial = NewSerial();
        string body = string.Join('\n', Json("s1" + serial, serial, "issued"), "{", "", Json("s2" + serial, serial, "lost"), new string('x', 70_000), Json("s3" + serial, serial, "released"), Json("s4" + serial, serial, "held"));

        ApiAnswer answer = await PostAsync(host, body, "application/x-ndjson");

        Assert.Equal("application/x-ndjson", answer.MediaType);
        Assert.Equal(["applied", "malformed", "malformed", "malformed", "refused: notHeld", "applied"], answer.Lines[..^1].Select(ApiAnswer.Describe));
        Assert.Equal([1, 2, 4, 5, 6, 7], answer.Lines[..^1].Select(line => line.GetProperty("line").GetInt32()));
        Assert.Equal("kind", answer.Lines[2].GetProperty("field").GetString());
        JsonElement summary = answer.Lines[^1].GetProperty("summary");
        Assert.Equal((6, 2, 0, 1, 3), (Number("events"), Number("applied"), Number("duplicate"), Number("refused"), Number("malformed")));
        Assert.Equal(answer.Lines[5].GetProperty("position").GetInt64(), summary.GetProperty("position").GetInt64());

        int Number(string name) => summary.GetProperty(name).GetInt32();
    }

    [Fact]
    public async Task Stream_WhoseSenderReadsLate_IsTakenWhole()
    {
        IAuthorityHost host = await OwnAuthorityAsync();
        StringBuilder body = new();
        for (int i = 0; i < 60_000; i++)
        {
            body.Append(Json("bulk-" + i, (0x10000000 + i).ToString("X", System.Globalization.CultureInfo.InvariantCulture), "issued")).Append('\n');
        }

        // The client of .NET sends all of it before it reads: 5 MB of answer have to wait somewhere.
        ApiAnswer answer = await PostAsync(host, body.ToString(), "application/x-ndjson");

        Assert.Equal(60_001, answer.Lines.Length);
        Assert.Equal(Enumerable.Range(1, 60_000), answer.Lines[..^1].Select(line => line.GetProperty("line").GetInt32()));
        Assert.Equal(60_000, answer.Lines[^1].GetProperty("summary").GetProperty("applied").GetInt32());
        Assert.Equal(60_000 + 4, (await GetAsync(host, "/alpha")).Json.GetProperty("counts").GetProperty("good").GetInt64());
    }

    [Fact]
    public async Task Stream_OneLineAtATime_IsAnsweredLineByLine()
    {
        IAuthorityHost host = await AuthorityAsync();
        string key = host.CreateKey("feed:alpha");
        using CancellationTokenSource late = new(TimeSpan.FromSeconds(60));
        using System.Net.Sockets.TcpClient client = new();
        await client.ConnectAsync(host.AdminUri.Host, host.AdminUri.Port, late.Token);
        System.Net.Sockets.NetworkStream stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(
            $"POST /v1/issuers/alpha/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n"), late.Token);
        StringBuilder received = new();
        byte[] buffer = new byte[4096];
        for (int i = 0; i < 5; i++)
        {
            string serial = NewSerial();
            string line = Json("live-" + serial, serial, "revoked") + "\n";
            await stream.WriteAsync(Encoding.ASCII.GetBytes($"{line.Length:X}\r\n{line}\r\n"), late.Token);
            while (!received.ToString().Contains($"live-{serial}\",\"outcome\":\"applied\"", StringComparison.Ordinal))
            {
                int count = await stream.ReadAsync(buffer, late.Token);
                Assert.NotEqual(0, count);
                received.Append(Encoding.ASCII.GetString(buffer, 0, count));
            }

            Assert.Equal(RawCertStatus.Revoked, (await host.AskOneAsync(AlphaId(Octets(serial)))).Status);
        }
    }

    [Fact]
    public async Task P2_AfterTheAcknowledgement_NoAnswerIsOlder()
    {
        IAuthorityHost host = await AuthorityAsync();
        string key = host.CreateKey("feed");
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            for (int i = 0; i < 15; i++)
            {
                string serial = NewSerial();
                Assert.Equal(["applied"], (await SendAsync(host, HttpMethod.Post, "/v1/issuers/alpha/events", key, Json("i" + serial, serial, "issued"))).Outcomes);
                using CancellationTokenSource done = new();
                Task asking = Task.Run(async () =>
                {
                    while (!done.IsCancellationRequested)
                    {
                        await host.AskOneAsync(AlphaId(Octets(serial))); // keeps the cache warm, and races with the revocation
                    }
                });
                Assert.Equal(RawCertStatus.Good, (await host.AskOneAsync(AlphaId(Octets(serial)))).Status);

                Assert.Equal(["applied"], (await SendAsync(host, HttpMethod.Post, "/v1/issuers/alpha/events", key, Json("r" + serial, serial, "revoked"))).Outcomes);

                RawSingleResponse next = await host.AskOneAsync(AlphaId(Octets(serial)));
                await done.CancelAsync();
                await asking;
                Assert.Equal(RawCertStatus.Revoked, next.Status);
                Assert.Equal(RawCertStatus.Revoked, (await host.AskOneAsync(AlphaId(Octets(serial)))).Status);
            }
        })));
    }
}
