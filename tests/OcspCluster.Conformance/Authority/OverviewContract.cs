using System.Net;
using System.Text.Json;
using static OcspCluster.Conformance.Questions;

namespace OcspCluster.Conformance;

/// <summary>What operators see at a glance: what is wrong, and what is answered, signed and recorded.</summary>
public abstract class OverviewContract(SharedHosts shared) : AuthorityContract(shared)
{
    [Fact]
    public async Task Overview_OfAHostThatIsWell_SaysSoAndNamesItself()
    {
        IAuthorityHost host = await AuthorityAsync();
        JsonElement overview = await ReadAsync(host, ReadKey(host));

        // On a machine that is too busy a lease of two seconds may be late; then it is right to say so.
        JsonElement[] findings = [.. overview.GetProperty("findings").EnumerateArray().Where(finding => finding.GetProperty("code").GetString() != "lease.lost")];
        Assert.True(findings.Length == 0, overview.GetProperty("findings").ToString());
        Assert.Equal(overview.GetProperty("findings").GetArrayLength() == 0 ? "ok" : "warning", overview.GetProperty("state").GetString());
        Assert.False(string.IsNullOrEmpty(overview.GetProperty("node").GetString()));
        Assert.True(overview.GetProperty("role").GetString() is "standalone" or "silo");
        Assert.False(string.IsNullOrEmpty(overview.GetProperty("version").GetString()));
        Assert.Equal(host.Clock.GetUtcNow(), overview.GetProperty("at").GetDateTimeOffset());
        Assert.True(overview.GetProperty("since").GetDateTimeOffset() <= host.Clock.GetUtcNow());
        Assert.True(overview.GetProperty("nodes").GetInt32() >= 1);
        Assert.True(overview.GetProperty("signing").GetProperty("budgetPerSecond").GetDouble() > 0);
        Assert.Equal(0, overview.GetProperty("signing").GetProperty("queue").GetInt32());
        Assert.Equal(0, overview.GetProperty("refresh").GetProperty("backlog").GetInt64());
    }

    [Fact]
    public async Task Overview_AfterRequests_CountsEachByWhatItWasToldAndFromWhere()
    {
        IAuthorityHost host = await OwnAuthorityAsync();
        for (int i = 0; i < 3; i++)
        {
            (await host.AskAsync(AskAlpha(Known.Good))).MustBe(Successful);
        }

        (await host.AskAsync(AskAlpha(Known.Revoked))).MustBe(Successful);
        (await host.AskAsync(AskAlpha(Known.Held))).MustBe(Successful);
        (await host.AskAsync(AskAlpha(Known.Unissued))).MustBe(Unauthorized);
        (await host.PostAsync([0x30, 0x00])).Ocsp().MustBe(MalformedRequest);
        (await host.AskAsync(AskAlpha(Known.Good, Known.Revoked))).MustBe(Successful);

        JsonElement requests = (await ReadAsync(host, ReadKey(host))).GetProperty("requests");

        // The clock stands still: all of it counts as of one second.
        Assert.Equal(8, requests.GetProperty("perSecond").GetDouble());
        Assert.Equal(
            "good 3, revoked 2, unknown 0, unauthorized 1, tryLater 0, malformedRequest 1, internalError 0, sigRequired 0, several 1",
            string.Join(", ", requests.GetProperty("byOutcome").EnumerateObject().Select(outcome => $"{outcome.Name} {outcome.Value}")));
        JsonElement sources = requests.GetProperty("bySource");
        Assert.Equal(2, sources.GetProperty("refused").GetDouble());
        Assert.Equal(2, sources.GetProperty("cache").GetDouble());
        Assert.Equal(4, sources.GetProperty("signed").GetDouble() + sources.GetProperty("kept").GetDouble());
        Assert.True(requests.GetProperty("latency").GetProperty("p99").GetDouble() >= requests.GetProperty("latency").GetProperty("p50").GetDouble());
    }

    [Fact]
    public async Task Overview_AfterEvents_HasThemTheirAcknowledgementAndTheIssuersCounts()
    {
        IAuthorityHost host = await OwnAuthorityAsync();
        JsonElement before = Alpha(await ReadAsync(host, ReadKey(host)));
        string serial = NewSerial();
        Assert.Equal(["applied", "applied"], (await PostAsync(host, $"[{Json("o-1", serial, "issued")},{Json("o-2", serial, "revoked")}]")).Outcomes);

        JsonElement overview = await ReadAsync(host, ReadKey(host));
        JsonElement after = Alpha(overview);

        JsonElement feed = overview.GetProperty("feed");
        Assert.True(feed.GetProperty("eventsPerSecond").GetDouble() >= 2);
        Assert.True(feed.GetProperty("acknowledgement").GetProperty("p99").GetDouble() >= 0);
        Assert.True(feed.GetProperty("stalenessBound").GetDouble() >= 0);
        Assert.Equal(0, feed.GetProperty("lag").GetDouble());
        Assert.Empty(feed.GetProperty("deliveries").EnumerateArray());
        Assert.Equal(before.GetProperty("position").GetInt64() + 2, after.GetProperty("position").GetInt64());
        Assert.Equal(CountOf(before, "revoked") + 1, CountOf(after, "revoked"));
        Assert.Equal(CountOf(before, "good"), CountOf(after, "good"));
        Assert.Equal(host.Clock.GetUtcNow(), after.GetProperty("lastEvent").GetDateTimeOffset());
        Assert.Equal("Known", after.GetProperty("policy").GetProperty("inventory").GetString());
        Assert.True(after.GetProperty("responderCertificateNotAfter").GetDateTimeOffset() > host.Clock.GetUtcNow());
    }

    [Fact]
    public async Task Overview_WhileTheClockIsWrong_IsCriticalSinceThenAndSaysWhatToDo()
    {
        IAuthorityHost host = await OwnAuthorityAsync();
        await ReadAsync(host, ReadKey(host)); // takes note of the clock
        host.Clock.SetUtcNow(host.Clock.GetUtcNow().AddHours(-1));
        DateTimeOffset seen = host.Clock.GetUtcNow();

        JsonElement first = await ReadAsync(host, ReadKey(host));
        host.Clock.SetUtcNow(host.Clock.GetUtcNow().AddMinutes(1));
        JsonElement second = await ReadAsync(host, ReadKey(host));

        foreach (JsonElement overview in new[] { first, second })
        {
            JsonElement[] findings = [.. overview.GetProperty("findings").EnumerateArray().Where(one => one.GetProperty("code").GetString() == "clock.doubtful")];
            Assert.NotEmpty(findings); // of each process its own
            Assert.Equal("critical", overview.GetProperty("state").GetString());
            Assert.Equal(seen, overview.GetProperty("since").GetDateTimeOffset());
            Assert.All(findings, finding =>
            {
                Assert.Equal("critical", finding.GetProperty("severity").GetString());
                Assert.Equal(seen, finding.GetProperty("since").GetDateTimeOffset());
                Assert.Contains("clock", finding.GetProperty("cure").GetString(), StringComparison.Ordinal);
            });
        }
    }

    [Fact]
    public async Task Overview_ForAReaderOfOneIssuer_HasThatOneOnly()
    {
        IAuthorityHost host = await AuthorityAsync();
        JsonElement overview = await ReadAsync(host, host.CreateKey("read:alpha"));
        Assert.Equal("alpha", Assert.Single(overview.GetProperty("issuers").EnumerateArray()).GetProperty("id").GetString());
    }

    [Theory]
    [InlineData("/v1/overview", "feed", HttpStatusCode.Forbidden)]
    [InlineData("/v1/overview", null, HttpStatusCode.Unauthorized)]
    [InlineData("/v1/overview/history", "feed", HttpStatusCode.Forbidden)]
    [InlineData("/v1/overview/stream", null, HttpStatusCode.Unauthorized)]
    public async Task Overview_ForWhoMayNotRead_IsRefused(string path, string? scope, HttpStatusCode status)
    {
        IAuthorityHost host = await AuthorityAsync();
        (await SendAsync(host, HttpMethod.Get, path, scope is null ? null : host.CreateKey(scope))).MustBeProblem(status);
    }

    [Fact]
    public async Task History_HasAPointForEachTenSeconds_AndNullsBeforeTheStart()
    {
        IAuthorityHost host = await OwnAuthorityAsync();
        (await host.AskAsync(AskAlpha(Known.Good))).MustBe(Successful);

        // The sampler runs by the host's clock, and on its own thread: it is given time until the point is there.
        JsonElement series = default;
        DateTimeOffset from = default;
        for (int i = 0; i < 100 && Last(series) is null; i++)
        {
            host.Clock.Advance(TimeSpan.FromSeconds(1));
            JsonElement history = (await SendAsync(host, HttpMethod.Get, "/v1/overview/history?window=600", ReadKey(host))).Json;
            Assert.Equal(10, history.GetProperty("interval").GetInt32());
            from = history.GetProperty("from").GetDateTimeOffset();
            series = history.GetProperty("series");
        }

        Assert.Equal(["requests", "good", "revoked", "other", "p50", "p99", "signatures", "backlog", "events"], series.EnumerateObject().Select(one => one.Name));
        Assert.All(series.EnumerateObject(), one => Assert.Equal(60, one.Value.GetArrayLength()));
        Assert.NotNull(Last(series));
        Assert.Equal(JsonValueKind.Null, series.GetProperty("requests")[0].ValueKind);
        Assert.InRange(host.Clock.GetUtcNow() - from, TimeSpan.FromSeconds(590), TimeSpan.FromSeconds(601));

        static double? Last(JsonElement series) =>
            series.ValueKind == JsonValueKind.Undefined || series.GetProperty("requests")[59].ValueKind == JsonValueKind.Null ? null : series.GetProperty("requests")[59].GetDouble();
    }

    [Theory]
    [InlineData("0")]
    [InlineData("21601")]
    [InlineData("an hour")]
    public async Task History_OfAWindowThatThereIsNot_IsRefused(string window)
    {
        IAuthorityHost host = await AuthorityAsync();
        JsonElement problem = (await SendAsync(host, HttpMethod.Get, $"/v1/overview/history?window={Uri.EscapeDataString(window)}", ReadKey(host))).MustBeProblem(HttpStatusCode.BadRequest);
        Assert.Equal("window", problem.GetProperty("field").GetString());
    }

    [Fact]
    public async Task Stream_TellsTheOverviewEverySecond_UntilTheKeyIsRevoked()
    {
        IAuthorityHost host = await OwnAuthorityAsync();
        string key = host.CreateKey("read");
        using SubscribedStream stream = await SubscribedStream.OpenAsync(host, "/v1/overview/stream", key);
        Assert.Equal("text/event-stream", stream.MediaType);
        JsonElement first = await NextAsync(stream);
        Assert.Equal(first.GetProperty("findings").GetArrayLength() == 0 ? "ok" : "warning", first.GetProperty("state").GetString());

        host.Clock.Advance(TimeSpan.FromSeconds(1));
        JsonElement second = await NextAsync(stream);
        Assert.Equal(first.GetProperty("at").GetDateTimeOffset().AddSeconds(1), second.GetProperty("at").GetDateTimeOffset());

        host.RevokeKey(key);
        host.Clock.Advance(TimeSpan.FromSeconds(5));
        int lines = 0;
        while (await stream.ReadLineAsync() is not null) // what was on the way, and then the end
        {
            Assert.True(++lines <= 5 * 3, "The stream goes on.");
        }
    }

    private static async Task<JsonElement> NextAsync(SubscribedStream stream)
    {
        Assert.Equal("event: overview", await stream.ReadLineAsync());
        string? data = await stream.ReadLineAsync();
        Assert.StartsWith("data: ", data, StringComparison.Ordinal);
        Assert.Equal("", await stream.ReadLineAsync());
        return JsonDocument.Parse(data![6..]).RootElement;
    }

    private static async Task<JsonElement> ReadAsync(IAuthorityHost host, string key)
    {
        ApiAnswer answer = await SendAsync(host, HttpMethod.Get, "/v1/overview", key);
        Assert.True(answer.Status == HttpStatusCode.OK, answer.Body);
        return answer.Json;
    }

    private static JsonElement Alpha(JsonElement overview) => overview.GetProperty("issuers").EnumerateArray().Single(issuer => issuer.GetProperty("id").GetString() == "alpha");

    private static long CountOf(JsonElement issuer, string state) => issuer.GetProperty("certificates").GetProperty(state).GetInt64();
}
