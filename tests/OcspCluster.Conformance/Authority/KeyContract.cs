using System.Net;
using System.Text.Json;

namespace OcspCluster.Conformance;

/// <summary>The API keys through the API, and the plan that measures an issuer's key.</summary>
public abstract class KeyContract(SharedHosts shared) : AuthorityContract(shared)
{
    [Fact]
    public async Task Key_MadeThroughTheApi_IsTakenUntilItIsRevoked()
    {
        IAuthorityHost host = await AuthorityAsync();
        string operatorKey = host.CreateKey("operator");
        ApiAnswer made = await SendAsync(host, HttpMethod.Post, "/v1/keys", operatorKey, """{"name":"issuing CA","scopes":["read:alpha"],"days":30}""");
        Assert.True(made.Status == HttpStatusCode.Created, made.Body);
        string bearer = made.Json.GetProperty("bearer").GetString()!;
        string id = made.Json.GetProperty("key").GetProperty("id").GetString()!;
        Assert.Equal("no-store", made.Headers["Cache-Control"]);

        Assert.Equal(HttpStatusCode.OK, (await SendAsync(host, HttpMethod.Get, "/v1/issuers/alpha", bearer)).Status);
        (await SendAsync(host, HttpMethod.Get, "/v1/issuers/beta", bearer)).MustBeProblem(HttpStatusCode.Forbidden);
        ApiAnswer list = await SendAsync(host, HttpMethod.Get, "/v1/keys", operatorKey);
        JsonElement listed = list.Json.GetProperty("keys").EnumerateArray().Single(key => key.GetProperty("id").GetString() == id);
        Assert.Equal(("valid", "issuing CA", "read:alpha"), (listed.GetProperty("state").GetString(), listed.GetProperty("name").GetString(), listed.GetProperty("scopes")[0].GetString()));
        Assert.Equal(host.Clock.GetUtcNow().AddDays(30), listed.GetProperty("expiresAt").GetDateTimeOffset());
        Assert.DoesNotContain(bearer[(bearer.IndexOf('.', StringComparison.Ordinal) + 1)..], list.Body, StringComparison.Ordinal);
        Assert.DoesNotContain("hash", list.Body, StringComparison.OrdinalIgnoreCase);

        Assert.Equal(HttpStatusCode.NoContent, (await SendAsync(host, HttpMethod.Delete, "/v1/keys/" + id, operatorKey)).Status);
        (await SendAsync(host, HttpMethod.Get, "/v1/issuers/alpha", bearer)).MustBeProblem(HttpStatusCode.Unauthorized);
        (await SendAsync(host, HttpMethod.Delete, "/v1/keys/0123456789abcdef", operatorKey)).MustBeProblem(HttpStatusCode.NotFound);
    }

    [Theory]
    [InlineData("""{"name":"","scopes":["read"]}""")]
    [InlineData("""{"name":"x","scopes":[]}""")]
    [InlineData("""{"name":"x"}""")]
    [InlineData("""{"name":"x","scopes":["everything"]}""")]
    [InlineData("""{"name":"x","scopes":["read"],"days":0}""")]
    [InlineData("""{"name":"x","scopes":["read"],"dayz":1}""")]
    [InlineData("nothing")]
    public async Task Key_ThatCannotBe_IsNotMade(string body)
    {
        IAuthorityHost host = await AuthorityAsync();
        string key = host.CreateKey("operator");
        int before = await CountAsync();
        (await SendAsync(host, HttpMethod.Post, "/v1/keys", key, body)).MustBeProblem(HttpStatusCode.BadRequest);
        Assert.Equal(before, await CountAsync());

        async Task<int> CountAsync() => (await SendAsync(host, HttpMethod.Get, "/v1/keys", key)).Json.GetProperty("keys").GetArrayLength();
    }

    [Theory]
    [InlineData("read")]
    [InlineData("feed")]
    [InlineData("operator:alpha")]
    public async Task Keys_AreForWhoMayDoEverything(string scope)
    {
        IAuthorityHost host = await AuthorityAsync();
        string key = host.CreateKey(scope);
        (await SendAsync(host, HttpMethod.Get, "/v1/keys", key)).MustBeProblem(HttpStatusCode.Forbidden);
        (await SendAsync(host, HttpMethod.Post, "/v1/keys", key, """{"name":"x","scopes":["operator"]}""")).MustBeProblem(HttpStatusCode.Forbidden);
        (await SendAsync(host, HttpMethod.Delete, "/v1/keys/0123456789abcdef", key)).MustBeProblem(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task Plan_MeasuresTheKeyWhereItIs()
    {
        IAuthorityHost host = await AuthorityAsync();
        (await SendAsync(host, HttpMethod.Post, "/v1/issuers/alpha/plan", host.CreateKey("read"))).MustBeProblem(HttpStatusCode.Forbidden);
        (await SendAsync(host, HttpMethod.Post, "/v1/issuers/alpha/plan?certificates=-1", host.CreateKey("operator"))).MustBeProblem(HttpStatusCode.BadRequest);

        ApiAnswer plan = await SendAsync(host, HttpMethod.Post, "/v1/issuers/alpha/plan?certificates=1000", host.CreateKey("operator:alpha"));

        Assert.True(plan.Status == HttpStatusCode.OK, plan.Body);
        Assert.True(plan.Json.GetProperty("measuredPerSecond").GetDouble() > 1, plan.Body);
        Assert.True(plan.Json.GetProperty("isSufficient").GetBoolean(), plan.Body);
        Assert.Equal(1000, plan.Json.GetProperty("certificates").GetInt64());
    }
}
