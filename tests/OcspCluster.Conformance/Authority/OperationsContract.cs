using System.Net;
using System.Text.Json;
using OcspCluster.Testing;

namespace OcspCluster.Conformance;

/// <summary>What operators look at and do: refresh, re-signing, credentials, the clock.</summary>
public abstract class OperationsContract(SharedHosts shared) : AuthorityContract(shared)
{
    private static readonly (HttpMethod Method, string Path, string Scope)[] s_endpoints =
    [
        (HttpMethod.Get, "/v1/issuers/alpha/refresh", "read"), (HttpMethod.Get, "/v1/issuers/alpha/credentials", "read"), (HttpMethod.Get, "/v1/issuers/alpha/resign", "read"),
        (HttpMethod.Get, "/v1/clock", "read"), (HttpMethod.Post, "/v1/issuers/alpha/resign", "operator"), (HttpMethod.Post, "/v1/clock/accept", "operator"),
    ];

    [Fact]
    public async Task Endpoints_NeedTheirScopes()
    {
        IAuthorityHost host = await AuthorityAsync();
        string feed = host.CreateKey("feed");
        string read = host.CreateKey("read");
        string ofAlpha = host.CreateKey("operator:alpha");
        foreach ((HttpMethod method, string path, string scope) in s_endpoints)
        {
            (await SendAsync(host, method, path, null)).MustBeProblem(HttpStatusCode.Unauthorized);
            (await SendAsync(host, method, path, feed)).MustBeProblem(HttpStatusCode.Forbidden);
            ApiAnswer byReader = await SendAsync(host, method, path, read);
            Assert.Equal(scope == "read" ? HttpStatusCode.OK : HttpStatusCode.Forbidden, byReader.Status);
        }

        Assert.Equal(HttpStatusCode.Accepted, (await SendAsync(host, HttpMethod.Post, "/v1/issuers/alpha/resign", ofAlpha)).Status);
        (await SendAsync(host, HttpMethod.Post, "/v1/issuers/beta/resign", ofAlpha)).MustBeProblem(HttpStatusCode.Forbidden);
        (await SendAsync(host, HttpMethod.Post, "/v1/clock/accept", ofAlpha)).MustBeProblem(HttpStatusCode.Forbidden); // it is every issuer's clock
    }

    [Fact]
    public async Task Resign_WithABodyThatIsWrong_IsAProblem_AndNothingIsSigned()
    {
        IAuthorityHost host = await OwnAuthorityAsync();
        string key = host.CreateKey("operator");
        foreach (string body in new[] { "{\"signaturesPerSecond\":0}", "{\"signaturesPerSecond\":1000001}", "{\"signaturesPerSecond\":\"many\"}", "{\"perSecond\":5}", "{", "[]" })
        {
            (await SendAsync(host, HttpMethod.Post, "/v1/issuers/alpha/resign", key, body)).MustBeProblem(HttpStatusCode.BadRequest);
        }

        Assert.Equal("none", (await SendAsync(host, HttpMethod.Get, "/v1/issuers/alpha/resign", key)).Json.GetProperty("state").GetString());
    }

    [Fact]
    public async Task Resign_EverythingAnew_WithItsProgressUntilTheEnd()
    {
        IAuthorityHost host = await OwnAuthorityAsync();
        string key = host.CreateKey("operator");
        byte[][] serials = [.. Enumerable.Range(0, 20).Select(_ => TestPki.RandomSerial())];
        await host.SubmitAsync("alpha", [.. serials.Select(serial => Events.Issued(serial))]);
        Dictionary<byte[], DateTimeOffset> before = [];
        foreach (byte[] serial in serials)
        {
            before[serial] = (await host.AskOneAsync(AlphaId(serial))).ThisUpdateTime;
        }

        host.Clock.Advance(TimeSpan.FromMinutes(5));
        ApiAnswer begun = await SendAsync(host, HttpMethod.Post, "/v1/issuers/alpha/resign", key, "{\"signaturesPerSecond\":10}");
        Assert.Equal(HttpStatusCode.Accepted, begun.Status);
        Assert.Equal(("running", 20), (begun.Json.GetProperty("state").GetString(), begun.Json.GetProperty("total").GetInt32()));
        Assert.Equal(10, (await GetAsync(host, "/alpha/refresh")).Json.GetProperty("signaturesPerSecond").GetInt32());

        bool sawAnEta = false;
        await AdvanceUntilAsync(host, async () =>
        {
            JsonElement json = (await GetAsync(host, "/alpha/resign")).Json;
            sawAnEta |= json.GetProperty("done").GetInt32() is > 0 and < 20 && json.GetProperty("expectedAt").GetDateTimeOffset() > host.Clock.GetUtcNow();
            return json.GetProperty("state").GetString() == "complete";
        });
        Assert.True(sawAnEta);
        foreach (byte[] serial in serials)
        {
            Assert.True((await host.AskOneAsync(AlphaId(serial))).ThisUpdateTime >= before[serial].AddMinutes(5));
        }
    }

    [Fact]
    public async Task Refresh_OfWhatWasAskedFor_IsCounted()
    {
        IAuthorityHost host = await OwnAuthorityAsync();
        Assert.Equal(0, (await GetAsync(host, "/alpha/refresh")).Json.GetProperty("tracked").GetInt32());
        await host.AskOneAsync(AlphaId(Known.Good));
        JsonElement json = (await GetAsync(host, "/alpha/refresh")).Json;
        Assert.Equal((1, 0, false, true), (json.GetProperty("tracked").GetInt32(), json.GetProperty("backlog").GetInt32(), json.GetProperty("isResting").GetBoolean(), json.GetProperty("isComplete").GetBoolean()));
        Assert.Equal("Asked", json.GetProperty("presign").GetString());
        TimeSpan left = TimeSpan.Parse(json.GetProperty("timeToFirstExpiry").GetString()!, System.Globalization.CultureInfo.InvariantCulture);
        Assert.InRange(left, TimeSpan.FromDays(3.9), TimeSpan.FromDays(4));
        (await GetAsync(host, "/nobody/refresh")).MustBeProblem(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Credentials_EachWithItsPart()
    {
        IAuthorityHost host = (IAuthorityHost)await OwnAsync(ResponderSetup.Of(Issuers.Alpha with { OtherResponders = [Issuers.AlphaByRsa] }));
        await host.AskOneAsync(AlphaId(Known.Good));
        JsonElement json = (await GetAsync(host, "/alpha/credentials")).Json;
        JsonElement[] credentials = [.. json.GetProperty("credentials").EnumerateArray()];
        Assert.Equal(["inUse", "ready"], credentials.Select(credential => credential.GetProperty("role").GetString()));
        Assert.Equal(["1.2.840.10045.4.3.2", OcspOids.Sha256WithRsa], credentials.Select(credential => credential.GetProperty("signatureAlgorithm").GetString()));
        Assert.All(credentials, credential => Assert.Equal((0, 0, false, JsonValueKind.Null), (
            credential.GetProperty("running").GetInt32(), credential.GetProperty("waiting").GetInt32(), credential.GetProperty("isFailing").GetBoolean(), credential.GetProperty("lastError").ValueKind)));
        Assert.Empty(json.GetProperty("fileErrors").EnumerateArray());
        (await GetAsync(host, "/nobody/credentials")).MustBeProblem(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Clock_ThatJumpedBack_IsToldOf_AndSignedByWhenItIsAccepted()
    {
        IAuthorityHost host = await OwnAuthorityAsync(("Clock:Back", "00:05:00"));
        string key = host.CreateKey("operator");
        JsonElement sound = (await SendAsync(host, HttpMethod.Get, "/v1/clock", key)).Json;
        Assert.Equal(("sound", "00:05:00"), (sound.GetProperty("state").GetString(), sound.GetProperty("back").GetString()));

        host.Clock.SetUtcNow(host.Clock.GetUtcNow().AddMinutes(-4));
        Assert.Equal("sound", (await SendAsync(host, HttpMethod.Get, "/v1/clock", key)).Json.GetProperty("state").GetString());
        host.Clock.SetUtcNow(host.Clock.GetUtcNow().AddMinutes(-2));
        JsonElement back = (await SendAsync(host, HttpMethod.Get, "/v1/clock", key)).Json;
        Assert.Equal("jumpedBack", back.GetProperty("state").GetString());
        Assert.Contains("went back", back.GetProperty("problem").GetString(), StringComparison.Ordinal);
        (await host.AskAsync(AskAlpha(Known.Good))).MustBe(Questions.TryLater);

        ApiAnswer accepted = await SendAsync(host, HttpMethod.Post, "/v1/clock/accept", key);
        Assert.Equal((HttpStatusCode.OK, "sound"), (accepted.Status, accepted.Json.GetProperty("state").GetString()));
        (await host.AskAsync(AskAlpha(Known.Good))).MustBe(Questions.Successful);
    }

    [Theory]
    [InlineData("GET", "/v1/nothing", HttpStatusCode.NotFound)]
    [InlineData("GET", "/v1", HttpStatusCode.NotFound)]
    [InlineData("POST", "/v1/issuers/alpha/nothing/at/all", HttpStatusCode.NotFound)]
    [InlineData("DELETE", "/v1/issuers/alpha", HttpStatusCode.MethodNotAllowed)]
    [InlineData("PUT", "/v1/clock/accept", HttpStatusCode.MethodNotAllowed)]
    public async Task WrongPathOrMethod_IsAProblemToo(string method, string path, HttpStatusCode status)
    {
        IAuthorityHost host = await AuthorityAsync();
        (await SendAsync(host, new HttpMethod(method), path, host.CreateKey("operator"))).MustBeProblem(status);
    }

    // The host works by this clock in the background: it is moved on until what is waited for is there.
    private static async Task AdvanceUntilAsync(IAuthorityHost host, Func<Task<bool>> isSo)
    {
        using CancellationTokenSource late = new(TimeSpan.FromMinutes(1));
        while (!await isSo())
        {
            late.Token.ThrowIfCancellationRequested();
            host.Clock.Advance(TimeSpan.FromMilliseconds(100));
        }
    }
}
