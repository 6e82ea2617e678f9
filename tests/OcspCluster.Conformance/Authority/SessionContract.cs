using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace OcspCluster.Conformance;

/// <summary>Sessions of browsers on the admin listener: what begins one, what it lets do, what ends it, and what another site cannot have a browser do.</summary>
public abstract class SessionContract(SharedHosts shared) : AuthorityContract(shared)
{
    private static readonly HttpClient s_client = new(new SocketsHttpHandler { UseProxy = false, UseCookies = false }) { Timeout = TimeSpan.FromMinutes(2) };

    [Fact]
    public async Task Login_WithAKey_SetsACookieThatNoScriptAndNoOtherSiteHas()
    {
        IAuthorityHost host = await AuthorityAsync();
        using HttpResponseMessage answer = await LoginAsync(host, host.CreateKey("read", "feed:alpha"));
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        string cookie = Assert.Single(answer.Headers.GetValues("Set-Cookie"));
        string[] attributes = [.. cookie.Split(';', StringSplitOptions.TrimEntries)];
        Assert.Contains("httponly", attributes, StringComparer.OrdinalIgnoreCase);
        Assert.Contains("samesite=strict", attributes, StringComparer.OrdinalIgnoreCase);
        Assert.Contains("path=/", attributes, StringComparer.OrdinalIgnoreCase);
        Assert.Contains("max-age=28800", attributes, StringComparer.OrdinalIgnoreCase);
        Assert.DoesNotContain("secure", attributes, StringComparer.OrdinalIgnoreCase); // without TLS a browser would not send it back
        JsonElement who = await answer.Content.ReadFromJsonAsync<JsonElement>();
        Assert.StartsWith("key ", who.GetProperty("who").GetString(), StringComparison.Ordinal);
        Assert.Equal(["read:*", "feed:alpha"], who.GetProperty("scopes").EnumerateArray().Select(scope => scope.GetString()));
        Assert.Equal(host.Clock.GetUtcNow().AddHours(8), who.GetProperty("endsAt").GetDateTimeOffset());
    }

    [Fact]
    public async Task Session_LetsDoWhatItsKeyMay_AndNothingElse()
    {
        IAuthorityHost host = await AuthorityAsync();
        string cookie = await CookieAsync(host, host.CreateKey("read:alpha"));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(host, HttpMethod.Get, "/v1/issuers/alpha", cookie));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(host, HttpMethod.Get, "/v1/issuers/beta", cookie));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(host, HttpMethod.Post, "/v1/issuers/alpha/events", cookie, Json("session-1", NewSerial(), "issued")));
    }

    [Fact]
    public async Task Event_InASession_IsRecordedUnderTheKeysName()
    {
        IAuthorityHost host = await AuthorityAsync();
        string key = host.CreateKey("operator");
        string cookie = await CookieAsync(host, key);
        string serial = NewSerial();
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(host, HttpMethod.Post, "/v1/issuers/alpha/events", cookie, Json("session-of-" + serial, serial, "issued")));
        JsonElement history = (await GetAsync(host, $"/alpha/certificates/{serial}")).Json.GetProperty("history");
        Assert.Equal($"key {key[..16]} (test)", history[0].GetProperty("credential").GetString());
    }

    [Theory]
    [InlineData(null, "same-origin")] // no header of the page's
    [InlineData("1", "same-site")] // another port of this host: SameSite lets it through
    [InlineData("1", "cross-site")]
    public async Task Change_ThatThePageDidNotCause_IsRefused(string? csrf, string site)
    {
        IAuthorityHost host = await AuthorityAsync();
        string key = host.CreateKey("operator");
        string cookie = await CookieAsync(host, key);
        string serial = NewSerial();
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(host, HttpMethod.Post, "/v1/issuers/alpha/events", cookie, Json("csrf-" + serial, serial, "issued"), csrf, site));
        Assert.Equal(HttpStatusCode.NotFound, (await GetAsync(host, $"/alpha/certificates/{serial}")).Status);
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(host, HttpMethod.Delete, "/session", cookie, null, csrf, site));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(host, HttpMethod.Get, "/v1/issuers", cookie)); // nobody else ended the session
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(host, HttpMethod.Post, "/session", null, $$"""{"key":"{{key}}"}""", csrf, site)); // nor begins one
    }

    [Fact]
    public async Task Read_CausedByAnotherSite_IsRefused()
    {
        IAuthorityHost host = await AuthorityAsync();
        string cookie = await CookieAsync(host, host.CreateKey("read"));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(host, HttpMethod.Get, "/v1/issuers", cookie, site: "same-site"));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(host, HttpMethod.Get, "/v1/issuers", cookie, site: "none"));
    }

    [Fact]
    public async Task Session_EndsAfterItsLifetime()
    {
        IAuthorityHost host = await OwnAuthorityAsync(("Admin:SessionLifetime", "01:00:00"));
        string cookie = await CookieAsync(host, host.CreateKey("read"));
        host.Clock.Advance(TimeSpan.FromMinutes(59));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(host, HttpMethod.Get, "/v1/issuers", cookie));

        host.Clock.Advance(TimeSpan.FromMinutes(1));

        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(host, HttpMethod.Get, "/v1/issuers", cookie));
        Assert.Equal(JsonValueKind.Null, (await WhoAsync(host, cookie)).GetProperty("who").ValueKind);
    }

    [Fact]
    public async Task Session_EndsWithItsKey()
    {
        IAuthorityHost host = await AuthorityAsync();
        string key = host.CreateKey("read");
        string cookie = await CookieAsync(host, key);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(host, HttpMethod.Get, "/v1/issuers", cookie));

        host.RevokeKey(key);

        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(host, HttpMethod.Get, "/v1/issuers", cookie));
    }

    [Fact]
    public async Task Logout_EndsTheSession_WhoeverKeptTheCookie()
    {
        IAuthorityHost host = await AuthorityAsync();
        string cookie = await CookieAsync(host, host.CreateKey("read"));
        Assert.Equal(HttpStatusCode.NoContent, await StatusAsync(host, HttpMethod.Delete, "/session", cookie));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(host, HttpMethod.Get, "/v1/issuers", cookie));
    }

    [Fact]
    public async Task Login_Again_EndsTheFormerSession()
    {
        IAuthorityHost host = await AuthorityAsync();
        string key = host.CreateKey("read");
        string former = await CookieAsync(host, key);
        using HttpResponseMessage answer = await LoginAsync(host, key, former);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(host, HttpMethod.Get, "/v1/issuers", former));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(host, HttpMethod.Get, "/v1/issuers", CookieOf(answer)));
    }

    [Fact]
    public async Task Login_WithWrongKeys_Is401_AndBeyondTheirRate429()
    {
        IAuthorityHost host = await OwnAuthorityAsync(("Admin:FailuresPerMinute", "2"));
        string key = host.CreateKey("read");
        foreach (HttpStatusCode expected in new[] { HttpStatusCode.Unauthorized, HttpStatusCode.Unauthorized, HttpStatusCode.TooManyRequests })
        {
            using HttpResponseMessage answer = await LoginAsync(host, key + "x");
            Assert.Equal(expected, answer.StatusCode);
            Assert.False(answer.Headers.Contains("Set-Cookie"));
        }

        using HttpResponseMessage right = await LoginAsync(host, key);
        Assert.Equal(HttpStatusCode.OK, right.StatusCode);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("""{"key":null}""")]
    [InlineData("""{"key":7}""")]
    public async Task Login_ThatCannotBeRead_Is400(string body)
    {
        IAuthorityHost host = await AuthorityAsync();
        Assert.Equal(HttpStatusCode.BadRequest, await StatusAsync(host, HttpMethod.Post, "/session", null, body));
    }

    [Fact]
    public async Task Nobody_IsToldSo()
    {
        IAuthorityHost host = await AuthorityAsync();
        JsonElement nobody = await WhoAsync(host, null);
        Assert.Equal(JsonValueKind.Null, nobody.GetProperty("who").ValueKind);
        Assert.Equal(0, nobody.GetProperty("scopes").GetArrayLength());
    }

    [Fact]
    public async Task WrongKey_InTheHeader_IsNotMendedByASession()
    {
        IAuthorityHost host = await AuthorityAsync();
        string cookie = await CookieAsync(host, host.CreateKey("read"));
        using HttpRequestMessage request = Request(host, HttpMethod.Get, "/v1/issuers", cookie);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", "0000000000000000.x");
        using HttpResponseMessage answer = await s_client.SendAsync(request);
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
    }

    private static async Task<HttpResponseMessage> LoginAsync(IAuthorityHost host, string key, string? cookie = null)
    {
        using HttpRequestMessage request = Request(host, HttpMethod.Post, "/session", cookie, JsonSerializer.Serialize(new { key }));
        return await s_client.SendAsync(request);
    }

    private static async Task<string> CookieAsync(IAuthorityHost host, string key)
    {
        using HttpResponseMessage answer = await LoginAsync(host, key);
        return CookieOf(answer);
    }

    private static string CookieOf(HttpResponseMessage answer) => answer.Headers.GetValues("Set-Cookie").Single().Split(';')[0];

    private static async Task<JsonElement> WhoAsync(IAuthorityHost host, string? cookie)
    {
        using HttpRequestMessage request = Request(host, HttpMethod.Get, "/session", cookie);
        using HttpResponseMessage answer = await s_client.SendAsync(request);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return await answer.Content.ReadFromJsonAsync<JsonElement>();
    }

    private static async Task<HttpStatusCode> StatusAsync(
        IAuthorityHost host, HttpMethod method, string path, string? cookie, string? body = null, string? csrf = "1", string site = "same-origin")
    {
        using HttpRequestMessage request = Request(host, method, path, cookie, body, csrf, site);
        using HttpResponseMessage answer = await s_client.SendAsync(request);
        return answer.StatusCode;
    }

    private static HttpRequestMessage Request(
        IAuthorityHost host, HttpMethod method, string path, string? cookie, string? body = null, string? csrf = "1", string site = "same-origin")
    {
        HttpRequestMessage request = new(method, new Uri(host.AdminUri, path));
        request.Headers.Add("Sec-Fetch-Site", site);
        if (csrf is not null)
        {
            request.Headers.Add("X-OCSP-CSRF", csrf);
        }

        if (cookie is not null)
        {
            request.Headers.Add("Cookie", cookie);
        }

        request.Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json");
        return request;
    }
}
