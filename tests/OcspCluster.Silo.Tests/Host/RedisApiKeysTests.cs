using OcspCluster.Gateway;
using OcspCluster.Silo.Host;
using OcspCluster.Silo.Storage;
using OcspCluster.Silo.Tests.Storage;
using OcspCluster.Testing;

namespace OcspCluster.Silo.Tests.Host;

/// <summary>The API keys of a cluster, and what becomes of them without Redis.</summary>
public sealed class RedisApiKeysTests
{
    private static readonly ApiScope[] s_scopes = [new(ApiAction.Read, null)];

    [Fact]
    public async Task Keys_MadeAndRevokedElsewhere_CountFromTheNextRequestOn()
    {
        await using RedisServer redis = await RedisServer.StartAsync();
        await using RedisConnection one = await RedisConnection.OpenAsync(redis.Configuration);
        await using RedisConnection other = await RedisConnection.OpenAsync(redis.Configuration);
        ApiKeyStore here = new(new RedisApiKeys(one), TimeProvider.System);
        ApiKeyStore there = new(new RedisApiKeys(other), TimeProvider.System);
        Assert.Null(await here.AuthenticateAsync("0000000000000000.x"));

        (string bearer, ApiKey key) = there.Create("the CA", s_scopes);
        Assert.NotNull(await here.AuthenticateAsync(bearer));
        Assert.True(there.Revoke(key.Id));
        Assert.Null(await here.AuthenticateAsync(bearer));
    }

    [Fact]
    public async Task Keys_MadeBySeveralAtOnce_AreAllThere()
    {
        await using RedisServer redis = await RedisServer.StartAsync();
        await using RedisConnection connection = await RedisConnection.OpenAsync(redis.Configuration);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(process => Task.Run(() =>
        {
            ApiKeyStore store = new(new RedisApiKeys(connection), TimeProvider.System);
            for (int i = 0; i < 10; i++)
            {
                store.Create($"{process}-{i}", s_scopes);
            }
        })));

        Assert.Equal(40, new ApiKeyStore(new RedisApiKeys(connection), TimeProvider.System).List().Count);
    }

    [Fact]
    public async Task WithoutRedis_KeysCountForAMinute_AndThenNobodyIsLetIn()
    {
        TestClock clock = new();
        await using RedisServer redis = await RedisServer.StartAsync();
        await using RedisConnection connection = await RedisConnection.OpenAsync(redis.Configuration + ",asyncTimeout=500");
        ApiKeyStore store = new(new RedisApiKeys(connection, clock), clock);
        (string bearer, _) = store.Create("the CA", s_scopes);
        Assert.NotNull(await store.AuthenticateAsync(bearer));

        redis.Kill();
        clock.Advance(RedisApiKeys.Grace - TimeSpan.FromTicks(1));
        Assert.NotNull(await store.AuthenticateAsync(bearer));
        Assert.Null(await store.AuthenticateAsync(bearer + "x"));
        clock.Advance(TimeSpan.FromTicks(1));
        await Assert.ThrowsAsync<ApiKeyStoreException>(async () => await store.AuthenticateAsync(bearer));
    }
}
