using System.Net;
using System.Text.Json;
using OcspCluster.Testing;

namespace OcspCluster.Conformance;

/// <summary>The read side: issuers, certificates, and all that is known of one.</summary>
public abstract class ReadSideContract(SharedHosts shared) : AuthorityContract(shared)
{
    [Fact]
    public async Task Issuers_AreListedWithinTheScopes()
    {
        IAuthorityHost host = await AuthorityAsync();
        Assert.Equal(["alpha", "alpha-rekeyed", "beta", "delta", "gamma"], await IdsAsync(host.CreateKey("read")));
        Assert.Equal(["beta", "gamma"], await IdsAsync(host.CreateKey("read:gamma", "operator:beta", "feed:alpha")));

        async Task<IEnumerable<string?>> IdsAsync(string key) =>
            (await SendAsync(host, HttpMethod.Get, "/v1/issuers", key)).Json.GetProperty("issuers").EnumerateArray().Select(issuer => issuer.GetProperty("id").GetString());
    }

    [Fact]
    public async Task Issuer_HasCountsPositionPolicyAndCredentials()
    {
        IAuthorityHost host = await OwnAuthorityAsync();

        JsonElement issuer = (await GetAsync(host, "/alpha")).Json;

        Assert.Equal("alpha", issuer.GetProperty("id").GetString());
        Assert.Equal((4, 1, 1), (Count("good"), Count("revoked"), Count("held")));
        Assert.Equal(8, issuer.GetProperty("position").GetInt32());
        Assert.Equal(Issuers.Alpha.Certificate.ExportCertificatePem(), issuer.GetProperty("certificates")[0].GetProperty("pem").GetString());
        JsonElement credential = issuer.GetProperty("credentials")[0];
        Assert.Equal(Issuers.Alpha.Responder.Certificate.Subject, credential.GetProperty("subject").GetString());
        Assert.Equal(TestPki.NotAfter, credential.GetProperty("notAfter").GetDateTimeOffset());
        Assert.True(credential.GetProperty("isValidNow").GetBoolean());
        Assert.True(credential.GetProperty("isDelegated").GetBoolean());
        Assert.Equal("Known", issuer.GetProperty("policy").GetProperty("inventory").GetString());
        Assert.Equal("4.00:00:00", issuer.GetProperty("policy").GetProperty("validity").GetString());

        int Count(string state) => issuer.GetProperty("counts").GetProperty(state).GetInt32();
    }

    [Theory]
    [InlineData("", 6)]
    [InlineData("good", 4)]
    [InlineData("revoked", 1)]
    [InlineData("held", 1)]
    public async Task Certificates_PageByPage_AreAllOfThem(string status, int count)
    {
        IAuthorityHost host = await SharedReadOnlyAsync();
        foreach (int limit in new[] { 1, 2, 7, 1000 })
        {
            List<string> serials = [];
            string? after = "";
            while (after is not null)
            {
                JsonElement page = (await GetAsync(host, $"/alpha/certificates?status={status}&after={after}&limit={limit}")).Json;
                JsonElement[] certificates = [.. page.GetProperty("certificates").EnumerateArray()];
                Assert.InRange(certificates.Length, 1, limit);
                Assert.All(certificates, certificate => Assert.True(status.Length == 0 || certificate.GetProperty("status").GetString() == status));
                serials.AddRange(certificates.Select(certificate => certificate.GetProperty("serial").GetString()!));
                after = page.GetProperty("next").GetString();
            }

            Assert.Equal(count, serials.Distinct().Count());
            Assert.Equal(count, serials.Count);
        }
    }

    [Fact]
    public async Task Certificate_InEveryNotation_IsFound()
    {
        IAuthorityHost host = await AuthorityAsync();
        await PostAsync(host, Json("notation", "00:FF:0a", "revoked", "\"reason\":\"superseded\""));
        foreach (string notation in new[] { "FF0A", "ff0a", "00ff0a", "0xFF0A", "ff:0a", "FF%3A0A", "decimal:65290", "%20ff0a" })
        {
            ApiAnswer answer = await GetAsync(host, "/alpha/certificates/" + notation);
            Assert.True(answer.Status == HttpStatusCode.OK, $"{notation}: {answer.Status}");
            Assert.Equal(("FF0A", "65290"), (answer.Json.GetProperty("serial").GetString(), answer.Json.GetProperty("serialDecimal").GetString()));
            JsonElement status = answer.Json.GetProperty("status");
            Assert.Equal(("revoked", "superseded"), (status.GetProperty("status").GetString(), status.GetProperty("reason").GetString()));
        }
    }

    [Fact]
    public async Task Certificate_History_IsNewestFirst()
    {
        IAuthorityHost host = await AuthorityAsync();
        string serial = NewSerial();
        await PostAsync(host, $"[{Json("h1" + serial, serial, "issued", "\"notAfter\":\"2030-01-01T00:00:00Z\"")},{Json("h2" + serial, serial, "held")},{Json("h3" + serial, serial, "revoked", "\"reason\":1,\"invalidityDate\":\"2026-06-01T00:00:00Z\"")}]");

        JsonElement[] history = [.. (await GetAsync(host, "/alpha/certificates/" + serial)).Json.GetProperty("history").EnumerateArray()];

        Assert.Equal(["h3" + serial, "h2" + serial, "h1" + serial], history.Select(entry => entry.GetProperty("id").GetString()));
        Assert.Equal(["revoked", "held", "issued"], history.Select(entry => entry.GetProperty("kind").GetString()));
        Assert.Equal("keyCompromise", history[0].GetProperty("reason").GetString());
        Assert.All(history, entry => Assert.False(string.IsNullOrEmpty(entry.GetProperty("credential").GetString()), "Who told it is recorded."));
        Assert.All(history, entry => Assert.Equal("127.0.0.1", entry.GetProperty("remoteAddress").GetString()));
        Assert.Equal(new DateTimeOffset(2026, 6, 1, 0, 0, 0, TimeSpan.Zero), history[0].GetProperty("invalidityDate").GetDateTimeOffset());
        Assert.Equal(host.Clock.GetUtcNow(), history[0].GetProperty("receivedAt").GetDateTimeOffset());
        Assert.Equal(history[2].GetProperty("position").GetInt64() + 2, history[0].GetProperty("position").GetInt64());
    }

    [Fact]
    public async Task Certificate_Responses_AreTheBytesThatAreServed()
    {
        IAuthorityHost host = await AuthorityAsync();
        string serial = NewSerial();
        await PostAsync(host, Json("cached" + serial, serial, "issued"));
        Assert.Empty((await GetAsync(host, "/alpha/certificates/" + serial)).Json.GetProperty("responses").EnumerateArray());
        Dictionary<string, byte[]> served = [];
        foreach ((string name, string oid) in new[] { ("SHA-1", OcspOids.Sha1), ("SHA-256", OcspOids.Sha256) })
        {
            served[name] = (await host.PostAsync(RawOcspRequest.For(AlphaId(Octets(serial), oid)).Encode())).Body;
        }

        JsonElement[] responses = [.. (await GetAsync(host, "/alpha/certificates/" + serial)).Json.GetProperty("responses").EnumerateArray()];

        Assert.Equal(served.Keys.Order(), responses.Select(response => response.GetProperty("hash").GetString()!).Order());
        foreach (JsonElement response in responses)
        {
            byte[] bytes = response.GetProperty("response").GetBytesFromBase64();
            Assert.Equal(served[response.GetProperty("hash").GetString()!], bytes);
            RawSingleResponse single = RawOcspResponse.Parse(bytes).Singles[0];
            Assert.Equal(single.NextUpdateTime, response.GetProperty("nextUpdate").GetDateTimeOffset());
            Assert.Equal($"\"{Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(bytes))}\"", response.GetProperty("eTag").GetString());
        }

        await PostAsync(host, Json("gone" + serial, serial, "revoked"));
        Assert.Empty((await GetAsync(host, "/alpha/certificates/" + serial)).Json.GetProperty("responses").EnumerateArray());
    }

    [Theory]
    [InlineData("/nobody", 404)]
    [InlineData("/nobody/certificates", 404)]
    [InlineData("/nobody/certificates/01", 404)]
    [InlineData("/alpha/certificates/0123456789", 404)]
    [InlineData("/alpha/certificates/xyz", 400)]
    [InlineData("/alpha/certificates/decimal:FF", 400)]
    [InlineData("/alpha/certificates?status=bad", 400)]
    [InlineData("/alpha/certificates?status=Good", 400)]
    [InlineData("/alpha/certificates?after=xyz", 400)]
    [InlineData("/alpha/certificates?limit=0", 400)]
    [InlineData("/alpha/certificates?limit=1001", 400)]
    [InlineData("/alpha/certificates?limit=ten", 400)]
    public async Task Question_WithoutAnAnswer_IsAProblem(string path, int status) =>
        (await GetAsync(await AuthorityAsync(), path)).MustBeProblem((HttpStatusCode)status);

    [Fact]
    public async Task OpenApi_NamesEveryEndpoint()
    {
        ApiAnswer answer = await SendAsync(await AuthorityAsync(), HttpMethod.Get, "/openapi/v1.json", null);

        Assert.Equal(
            [
                "/v1/issuers", "/v1/issuers/{issuer}", "/v1/issuers/{issuer}/bulk", "/v1/issuers/{issuer}/certificates", "/v1/issuers/{issuer}/certificates/{serial}",
                "/v1/issuers/{issuer}/certificates/{serial}/explain",
                "/v1/issuers/{issuer}/checkpoint", "/v1/issuers/{issuer}/credentials", "/v1/issuers/{issuer}/events", "/v1/issuers/{issuer}/imports",
                "/v1/issuers/{issuer}/journal", "/v1/issuers/{issuer}/plan",
                "/v1/issuers/{issuer}/proofs/consistency", "/v1/issuers/{issuer}/proofs/inclusion", "/v1/issuers/{issuer}/refresh", "/v1/issuers/{issuer}/resign",
            ],
            answer.Json.GetProperty("paths").EnumerateObject().Select(path => path.Name).Where(path => path.StartsWith("/v1/issuers", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
        JsonElement post = answer.Json.GetProperty("paths").GetProperty("/v1/issuers/{issuer}/events").GetProperty("post");
        Assert.Equal(4, post.GetProperty("requestBody").GetProperty("content").EnumerateObject().Count());
        Assert.True(post.GetProperty("responses").TryGetProperty("413", out _));
        Assert.Equal("bearer", answer.Json.GetProperty("components").GetProperty("securitySchemes").GetProperty("key").GetProperty("scheme").GetString());
    }

    private async Task<IAuthorityHost> SharedReadOnlyAsync() => (IAuthorityHost)await SharedAsync("read-only", Issuers.All);
}
