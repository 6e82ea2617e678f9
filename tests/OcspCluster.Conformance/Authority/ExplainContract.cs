using System.Net;
using System.Text.Json;
using OcspCluster.Testing;

namespace OcspCluster.Conformance;

/// <summary>What is explained of an answer is what is answered, and explaining changes nothing.</summary>
public abstract class ExplainContract(SharedHosts shared) : AuthorityContract(shared)
{
    /// <summary>Whether the host is one of several.</summary>
    protected virtual bool HasOtherNodes => false;

    [Fact]
    public async Task Explain_InACluster_TellsOfTheLeaseAndTheOtherCaches()
    {
        IAuthorityHost host = await AuthorityAsync();
        string serial = NewSerial();
        await PostAsync(host, Json("elsewhere" + serial, serial, "issued"));

        JsonElement explained = await ExplainAsync(host, serial, "");

        if (!HasOtherNodes)
        {
            Assert.Equal((JsonValueKind.Null, JsonValueKind.Null), (explained.GetProperty("lease").ValueKind, explained.GetProperty("others").ValueKind));
            return;
        }

        Assert.True(explained.GetProperty("lease").GetProperty("isHeld").GetBoolean());
        Assert.NotEmpty(explained.GetProperty("others").EnumerateArray());
        Assert.All(explained.GetProperty("others").EnumerateArray(), other => Assert.False(other.GetProperty("holds").GetBoolean()));
    }

    [Theory]
    [InlineData("issued", "good")]
    [InlineData("revoked", "revoked")]
    [InlineData("held", "revoked")]
    public async Task Explain_OfAnswerInTheCache_HasItsBytesEventAndSigner(string kind, string said)
    {
        IAuthorityHost host = await AuthorityAsync();
        string serial = NewSerial();
        await PostAsync(host, Json("explain" + serial, serial, kind));
        byte[] served = (await host.PostAsync(RawOcspRequest.For(AlphaId(Octets(serial), OcspOids.Sha256)).Encode())).Body;

        JsonElement explained = await ExplainAsync(host, serial, "?hash=sha256");

        Assert.Equal((serial.TrimStart('0'), "alpha", "sha256"), (Text(explained, "serial"), Text(explained, "issuer"), Text(explained, "hash")));
        Assert.Equal((said, "cache"), (Text(explained, "answer"), Text(explained, "source")));
        Assert.Equal(served, explained.GetProperty("cached").GetProperty("bytes").GetBytesFromBase64());
        RawSingleResponse single = RawOcspResponse.Parse(served).Singles[0];
        Assert.Equal(single.NextUpdateTime, explained.GetProperty("cached").GetProperty("nextUpdate").GetDateTimeOffset());
        JsonElement @event = explained.GetProperty("event");
        Assert.Equal(("explain" + serial, kind), (Text(@event, "id"), Text(@event, "kind")));
        Assert.Equal(@event.GetProperty("position").GetInt64(), explained.GetProperty("cached").GetProperty("position").GetInt64());
        Assert.Equal("127.0.0.1", Text(@event, "remoteAddress"));
        Assert.Equal(Issuers.Alpha.Responder.Certificate.Subject, Text(explained.GetProperty("signer"), "subject"));
        Assert.False(string.IsNullOrEmpty(Text(explained, "node")));
        Assert.Contains(explained.GetProperty("because").EnumerateArray(), because => because.GetString()!.Contains($"(position {@event.GetProperty("position")})", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("revoked", "", "revoked", "There is no answer at hand")]
    [InlineData("issued", "?nonce=true", "good", "The request has a nonce")]
    public async Task Explain_BeforeAnybodyAsked_SignsNothing(string kind, string query, string said, string because)
    {
        IAuthorityHost host = await AuthorityAsync();
        string serial = NewSerial();
        await PostAsync(host, Json("unasked" + serial, serial, kind));

        foreach (int _ in new[] { 1, 2 })
        {
            JsonElement explained = await ExplainAsync(host, serial, query);
            Assert.Equal(said, Text(explained, "answer"));
            Assert.True(Text(explained, "source") is "signed" or "actor", explained.ToString());
            Assert.Equal(JsonValueKind.Null, explained.GetProperty("cached").ValueKind);
            Assert.Contains(explained.GetProperty("because").EnumerateArray(), one => one.GetString()!.Contains(because, StringComparison.Ordinal));
        }

        Assert.Empty((await GetAsync(host, "/alpha/certificates/" + serial)).Json.GetProperty("responses").EnumerateArray());
    }

    [Fact]
    public async Task Explain_WhatWasNeverIssued_IsRefusedByPolicy()
    {
        JsonElement explained = await ExplainAsync(await AuthorityAsync(), NewSerial(), "");

        Assert.Equal(("unauthorized", "refused"), (Text(explained, "answer"), Text(explained, "source")));
        Assert.Equal((JsonValueKind.Null, JsonValueKind.Null), (explained.GetProperty("event").ValueKind, explained.GetProperty("signer").ValueKind));
        Assert.Contains(explained.GetProperty("because").EnumerateArray(), one => one.GetString()!.Contains("Inventory", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("Unknown", "unknown")]
    [InlineData("Revoked", "revoked")]
    public async Task Explain_WhatWasNeverIssued_IsAsThePolicySays(string policy, string said)
    {
        IAuthorityHost host = (IAuthorityHost)await OwnAsync(Issuers.AlphaWith(("Unissued", policy)));
        Assert.Equal(said, Text(await ExplainAsync(host, NewSerial(), ""), "answer"));
    }

    [Fact]
    public async Task Explain_AfterItsEndAndRetention_IsUnauthorized()
    {
        IAuthorityHost host = await OwnAuthorityAsync();
        string serial = NewSerial();
        await PostAsync(host, Json("ends" + serial, serial, "issued", "\"notAfter\":\"2026-06-14T12:00:00Z\""));
        JsonElement within = await ExplainAsync(host, serial, "");
        host.Clock.Advance(TimeSpan.FromDays(8));
        JsonElement after = await ExplainAsync(host, serial, "");

        Assert.Equal("good", Text(within, "answer"));
        Assert.Contains(within.GetProperty("because").EnumerateArray(), one => one.GetString()!.Contains("archive cutoff", StringComparison.Ordinal));
        Assert.Equal(("unauthorized", "refused"), (Text(after, "answer"), Text(after, "source")));
    }

    [Fact]
    public async Task Explain_WhereANonceIsRequired_RefusesARequestWithoutOne()
    {
        IAuthorityHost host = (IAuthorityHost)await OwnAsync(Issuers.AlphaWith(("Nonce", "Require")));
        string serial = Convert.ToHexString(Known.Good);

        Assert.Equal("unauthorized", Text(await ExplainAsync(host, serial, ""), "answer"));
        Assert.Equal("good", Text(await ExplainAsync(host, serial, "?nonce=true"), "answer"));
    }

    [Theory]
    [InlineData("/nobody/certificates/01/explain", 404)]
    [InlineData("/alpha/certificates/xyz/explain", 400)]
    [InlineData("/alpha/certificates/01/explain?hash=md5", 400)]
    [InlineData("/alpha/certificates/01/explain?nonce=perhaps", 400)]
    public async Task Explain_WhatCannotBeAsked_IsAProblem(string path, int status) =>
        (await GetAsync(await AuthorityAsync(), path)).MustBeProblem((HttpStatusCode)status);

    [Fact]
    public async Task Explain_ForWhoMayNotRead_IsRefused()
    {
        IAuthorityHost host = await AuthorityAsync();
        (await SendAsync(host, HttpMethod.Get, "/v1/issuers/alpha/certificates/01/explain", host.CreateKey("feed"))).MustBeProblem(HttpStatusCode.Forbidden);
    }

    private static async Task<JsonElement> ExplainAsync(IAuthorityHost host, string serial, string query)
    {
        ApiAnswer answer = await GetAsync(host, $"/alpha/certificates/{serial}/explain{query}");
        Assert.True(answer.Status == HttpStatusCode.OK, answer.Body);
        return answer.Json;
    }

    private static string? Text(JsonElement parent, string name) => parent.GetProperty(name).GetString();
}
