using System.Net;
using System.Text.Json;

namespace OcspCluster.Conformance;

/// <summary>The event feed out: pages and streams of what was published.</summary>
public abstract class FollowContract(SharedHosts shared) : AuthorityContract(shared)
{
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(10_000)]
    public async Task Journal_PageByPage_IsEveryEventOnceInOrder(int limit)
    {
        IAuthorityHost host = await AuthorityAsync();
        string serial = NewSerial();
        await PostAsync(host, Json("i" + serial, serial, "issued", "\"notAfter\":\"2030-01-01T00:00:00Z\""));
        await PostAsync(host, Json("r" + serial, serial, "revoked", "\"reason\":\"keyCompromise\""));

        List<JsonElement> all = [];
        JsonElement[] page;
        do
        {
            ApiAnswer answer = await GetAsync(host, $"/alpha/journal?after={all.Count}&limit={limit}");
            Assert.Equal((HttpStatusCode.OK, "application/x-ndjson"), (answer.Status, answer.MediaType));
            page = answer.Lines;
            Assert.InRange(page.Length, 0, limit);
            all.AddRange(page);
        }
        while (page.Length > 0);

        Assert.Equal(Enumerable.Range(1, all.Count), all.Select(one => one.GetProperty("position").GetInt32()));
        Assert.Equal(all.Count, (await GetAsync(host, "/alpha")).Json.GetProperty("position").GetInt32());
        JsonElement issued = all[^2];
        Assert.Equal(("i" + serial, serial.TrimStart('0'), "issued", "alpha"), (Text(issued, "id"), Text(issued, "serial").TrimStart('0'), Text(issued, "kind"), Text(issued, "issuer")));
        Assert.Equal(DateTimeOffset.Parse("2026-06-14T09:08:07Z", null), issued.GetProperty("at").GetDateTimeOffset());
        Assert.Equal(2030, issued.GetProperty("notAfter").GetDateTimeOffset().Year);
        Assert.Equal(host.Clock.GetUtcNow(), issued.GetProperty("receivedAt").GetDateTimeOffset());
        JsonElement revoked = all[^1];
        Assert.Equal(("revoked", "keyCompromise", "revoked"), (Text(revoked, "kind"), Text(revoked, "reason"), Text(revoked.GetProperty("status"), "status")));
        Assert.Equal($"{all.Count}", Text(revoked, "cursor"));
    }

    [Fact]
    public async Task Events_OfAllIssuersPageByPage_AreEveryEventOnce()
    {
        IAuthorityHost host = await OwnAuthorityAsync();
        foreach (int limit in new[] { 1, 2, 3, 7, 1000 })
        {
            List<string> seen = [];
            string cursor = "";
            while (await EventsAsync(host, host.CreateKey("read"), $"?after={cursor}&limit={limit}") is { Lines: { Length: > 0 } page } answer)
            {
                Assert.True(answer.Status == HttpStatusCode.OK, answer.Body);
                Assert.InRange(page.Length, 1, limit);
                seen.AddRange(page.Select(one => $"{Text(one, "issuer")}:{one.GetProperty("position").GetInt64()}"));
                cursor = Text(page[^1], "cursor");
            }

            JsonElement[] issuers = [.. (await GetAsync(host, "")).Json.GetProperty("issuers").EnumerateArray()];
            int expected = 0;
            foreach (JsonElement issuer in issuers)
            {
                int position = (await GetAsync(host, "/" + Text(issuer, "id"))).Json.GetProperty("position").GetInt32();
                Assert.Equal(Enumerable.Range(1, position).Select(one => $"{Text(issuer, "id")}:{one}"), seen.Where(one => one.StartsWith(Text(issuer, "id") + ":", StringComparison.Ordinal)));
                expected += position;
            }

            Assert.Equal(expected, seen.Count);
        }
    }

    [Fact]
    public async Task Events_OfALongJournal_LeaveTheOtherIssuersTheirShare()
    {
        IAuthorityHost host = await OwnAuthorityAsync();
        string feed = host.CreateKey("feed");
        await SendAsync(host, HttpMethod.Post, "/v1/issuers/alpha/events", feed, $"[{string.Join(',', Enumerable.Range(0, 2000).Select(i => Json($"bulk-{i}", $"B0{i:X6}", "issued")))}]");
        await SendAsync(host, HttpMethod.Post, "/v1/issuers/beta/events", feed, Json("urgent", NewSerial(), "revoked", "\"reason\":1"));

        ApiAnswer page = await EventsAsync(host, host.CreateKey("read:alpha", "read:beta"), "?limit=100");

        Assert.Equal(100, page.Lines.Length);
        Assert.Contains(page.Lines, one => Text(one, "id") == "urgent");
    }

    [Fact]
    public async Task Events_OutsideTheScopes_AreNotTold()
    {
        IAuthorityHost host = await AuthorityAsync();
        ApiAnswer page = await EventsAsync(host, host.CreateKey("read:beta", "feed:alpha"), "");
        Assert.NotEmpty(page.Lines);
        Assert.All(page.Lines, one => Assert.Equal("beta", Text(one, "issuer")));

        // A position of an issuer that he may not read tells him nothing, not even whether it is past the end.
        Assert.Equal(page.Body, (await EventsAsync(host, host.CreateKey("read:beta"), "?after=alpha:99999999")).Body);
        (await EventsAsync(host, host.CreateKey("feed"), "")).MustBeProblem(HttpStatusCode.Forbidden);
        (await SendAsync(host, HttpMethod.Get, "/v1/events", null)).MustBeProblem(HttpStatusCode.Unauthorized);
        (await SendAsync(host, HttpMethod.Get, "/v1/issuers/alpha/journal", host.CreateKey("read:beta"))).MustBeProblem(HttpStatusCode.Forbidden);
    }

    [Theory]
    [InlineData("/v1/events?after=alpha", "after")]
    [InlineData("/v1/events?after=alpha:", "after")]
    [InlineData("/v1/events?after=alpha:-1", "after")]
    [InlineData("/v1/events?after=alpha:1,", "after")]
    [InlineData("/v1/events?after=alpha:1,alpha:2", "after")]
    [InlineData("/v1/events?after=ALPHA:1", "after")]
    [InlineData("/v1/events?after=7", "after")]
    [InlineData("/v1/events?limit=0", "limit")]
    [InlineData("/v1/events?limit=10001", "limit")]
    [InlineData("/v1/issuers/alpha/journal?after=alpha:1", "after")]
    [InlineData("/v1/issuers/alpha/journal?after=99999999999999999999", "after")]
    public async Task Parameter_ThatIsWrong_IsNamed(string path, string field)
    {
        IAuthorityHost host = await AuthorityAsync();
        Assert.Equal(field, (await SendAsync(host, HttpMethod.Get, path, host.CreateKey("read"))).MustBeProblem(HttpStatusCode.BadRequest).GetProperty("field").GetString());
    }

    [Theory]
    [InlineData("/v1/events?after=alpha:9223372036854775807")]
    [InlineData("/v1/issuers/alpha/journal?after=1000000")]
    public async Task Cursor_BeyondTheJournal_IsAConflict(string path)
    {
        IAuthorityHost host = await AuthorityAsync();
        (await SendAsync(host, HttpMethod.Get, path, host.CreateKey("read"))).MustBeProblem(HttpStatusCode.Conflict);
    }

    [Fact]
    public async Task Stream_HasWhatWasAndThenEachEventAsItIsAcknowledged()
    {
        IAuthorityHost host = await OwnAuthorityAsync();
        int known = (await GetAsync(host, "/alpha")).Json.GetProperty("position").GetInt32();
        using SubscribedStream stream = await SubscribedStream.OpenAsync(host, "/v1/issuers/alpha/journal", host.CreateKey("read"));
        Assert.Equal("text/event-stream", stream.MediaType);
        for (int i = 1; i <= known; i++)
        {
            Assert.Equal($"{i}", (await stream.ReadAsync()).Id);
        }

        for (int i = 1; i <= 20; i++)
        {
            string serial = NewSerial();
            Assert.Equal(["applied"], (await PostAsync(host, Json("live-" + serial, serial, "revoked", "\"reason\":4"))).Outcomes);
            SentEvent live = await stream.ReadAsync();
            Assert.Equal(($"{known + i}", "live-" + serial), (live.Id, Text(live.Data, "id")));
        }
    }

    [Fact]
    public async Task Stream_ResumedAfterARestart_GoesOnWhereItWas()
    {
        IAuthorityHost host = await OwnAuthorityAsync();
        string key = host.CreateKey("operator");
        SentEvent last;
        using (SubscribedStream stream = await SubscribedStream.OpenAsync(host, "/v1/events", key))
        {
            _ = await stream.ReadAsync();
            last = await stream.ReadAsync();
        }

        await host.RestartAsync();
        string rest = (await EventsAsync(host, key, "?after=" + last.Id)).Body;
        int remaining = rest.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length;
        using SubscribedStream resumed = await SubscribedStream.OpenAsync(host, "/v1/events?after=", key, last.Id);
        HashSet<string> seen = [];
        for (int i = 0; i < remaining; i++)
        {
            SentEvent next = await resumed.ReadAsync();
            Assert.True(seen.Add($"{Text(next.Data, "issuer")}:{next.Data.GetProperty("position").GetInt64()}"));
        }

        await SendAsync(host, HttpMethod.Post, "/v1/issuers/beta/events", key, Json("after-restart", NewSerial(), "revoked", "\"reason\":1"));
        Assert.Equal("after-restart", Text((await resumed.ReadAsync()).Data, "id"));
    }

    [Fact]
    public async Task Stream_OfAHostThatStops_Ends()
    {
        IAuthorityHost host = await OwnAuthorityAsync();
        using SubscribedStream stream = await SubscribedStream.OpenAsync(host, "/v1/issuers/alpha/journal?after=8", host.CreateKey("read"));
        await host.RestartAsync();
        Assert.Null(await stream.ReadLineAsync());
    }

    [Fact]
    public async Task Stream_WithNothingToTell_HasAHeartbeatAndEndsWithItsKey()
    {
        IAuthorityHost host = await OwnAuthorityAsync();
        string key = host.CreateKey("read");
        using SubscribedStream stream = await SubscribedStream.OpenAsync(host, "/v1/issuers/alpha/journal?after=8", key);
        for (int i = 0; i < 3; i++)
        {
            host.Clock.Advance(TimeSpan.FromSeconds(15));
            Assert.Equal(": ", await stream.ReadLineAsync());
            Assert.Equal("", await stream.ReadLineAsync());
        }

        host.RevokeKey(key);
        host.Clock.Advance(TimeSpan.FromSeconds(15));
        Assert.Null(await stream.ReadLineAsync());
    }

    [Fact]
    public async Task Stream_WhoseReaderIsSlow_HoldsUpNobodyAndLosesNothing()
    {
        const int Events = 30_000; // some 10 MB: more than the sockets hold
        IAuthorityHost host = await OwnAuthorityAsync();
        using SubscribedStream slow = await SubscribedStream.OpenAsync(host, "/v1/issuers/alpha/journal?after=8", host.CreateKey("read"));
        string lines = string.Concat(Enumerable.Range(0, Events).Select(i => Json($"slow-{i}", $"B0{i:X6}", "issued") + "\n"));

        ApiAnswer answer = await PostAsync(host, lines, "application/x-ndjson"); // while he reads nothing

        Assert.Equal(Events, answer.Lines[^1].GetProperty("summary").GetProperty("applied").GetInt32());
        for (int i = 0; i < Events; i++)
        {
            Assert.Equal($"{9 + i}", (await slow.ReadAsync()).Id);
        }
    }

    [Theory]
    [InlineData("application/json", null)]
    [InlineData("text/html,*/*;q=0.8", "application/x-ndjson")]
    [InlineData("application/x-ndjson;q=0.5,text/event-stream;q=0.1", "application/x-ndjson")]
    public async Task Accept_ChoosesTheForm(string accept, string? mediaType)
    {
        IAuthorityHost host = await AuthorityAsync();
        using HttpRequestMessage request = new(HttpMethod.Get, new Uri(host.AdminUri, "/v1/events"));
        request.Headers.Add("Authorization", "Bearer " + host.CreateKey("read"));
        request.Headers.Add("Accept", accept);
        using HttpClient client = new(new SocketsHttpHandler { UseProxy = false });
        using HttpResponseMessage response = await client.SendAsync(request);
        Assert.Equal(mediaType is null ? HttpStatusCode.NotAcceptable : HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(mediaType ?? "application/problem+json", response.Content.Headers.ContentType?.MediaType);
    }

    private static Task<ApiAnswer> EventsAsync(IAuthorityHost host, string key, string query) => SendAsync(host, HttpMethod.Get, "/v1/events" + query, key);

    private static string Text(JsonElement json, string name) => json.GetProperty(name).GetString()!;
}
