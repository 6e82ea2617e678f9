using System.Net;
using System.Text.Json;

namespace OcspCluster.Conformance;

/// <summary>What a host tells of the processes that answer together, be it one.</summary>
public abstract class ClusterContract(SharedHosts shared) : AuthorityContract(shared)
{
    [Fact]
    public async Task Cluster_ForAReader_HasThisNodeFirstAndAStoreThatKeepsWhatItTakes()
    {
        IAuthorityHost host = await AuthorityAsync();
        ApiAnswer answer = await SendAsync(host, HttpMethod.Get, "/v1/cluster", host.CreateKey("read"));

        Assert.True(answer.Status == HttpStatusCode.OK, answer.Body);
        JsonElement store = answer.Json.GetProperty("store");
        Assert.True(store.GetProperty("isReachable").GetBoolean());
        Assert.True(store.GetProperty("isDurable").GetBoolean());
        Assert.True(store.GetProperty("takesEvents").GetBoolean());
        JsonElement[] nodes = [.. answer.Json.GetProperty("nodes").EnumerateArray()];
        Assert.True(nodes[0].GetProperty("isSelf").GetBoolean());
        Assert.DoesNotContain(nodes.Skip(1), node => node.GetProperty("isSelf").GetBoolean());
        Assert.Equal("active", nodes[0].GetProperty("state").GetString());
        Assert.True(nodes[0].GetProperty("role").GetString() is "signer" or "gateway");
        Assert.False(string.IsNullOrEmpty(nodes[0].GetProperty("version").GetString()));
        Assert.True(nodes[0].GetProperty("startedAt").GetDateTimeOffset() <= TimeProvider.System.GetUtcNow());
        Assert.True(nodes[0].GetProperty("memoryBytes").GetInt64() > 1_000_000);
        Assert.True(nodes[0].GetProperty("requestsPerSecond").GetDouble() >= 0);
    }

    [Fact]
    public async Task Cluster_TellsThatThisNodeJoined()
    {
        IAuthorityHost host = await AuthorityAsync();
        JsonElement cluster = (await SendAsync(host, HttpMethod.Get, "/v1/cluster", host.CreateKey("read"))).Json;
        string? self = cluster.GetProperty("nodes")[0].GetProperty("name").GetString();
        JsonElement joined = Assert.Single(cluster.GetProperty("happened").EnumerateArray(), happened => happened.GetProperty("node").GetString() == self);
        Assert.Equal("joined", joined.GetProperty("what").GetString());
        Assert.False(string.IsNullOrEmpty(joined.GetProperty("detail").GetString()));
        Assert.True(joined.GetProperty("at").GetDateTimeOffset() <= TimeProvider.System.GetUtcNow());
    }

    [Fact]
    public async Task Cluster_HasASigner()
    {
        IAuthorityHost host = await AuthorityAsync();
        ApiAnswer answer = await SendAsync(host, HttpMethod.Get, "/v1/cluster", host.CreateKey("read:alpha"));
        Assert.Contains(answer.Json.GetProperty("nodes").EnumerateArray(), node => node.GetProperty("role").GetString() == "signer");
    }

    [Theory]
    [InlineData("feed", HttpStatusCode.Forbidden)]
    [InlineData(null, HttpStatusCode.Unauthorized)]
    public async Task Cluster_ForWhoMayNotRead_IsRefused(string? scope, HttpStatusCode status)
    {
        IAuthorityHost host = await AuthorityAsync();
        (await SendAsync(host, HttpMethod.Get, "/v1/cluster", scope is null ? null : host.CreateKey(scope))).MustBeProblem(status);
    }
}
