using OcspCluster.Authority;
using OcspCluster.Silo.Storage;
using StackExchange.Redis;

namespace OcspCluster.Silo.Tests.Storage;

public sealed class RedisConnectionTests
{
    [Fact]
    public void Keys_OfAnIssuer_ShareOneHashTag()
    {
        RedisKeys keys = new();
        IssuerId issuer = new("issuing-ca-1");

        Assert.Equal("{ocsp:issuing-ca-1}:head", keys.Head(issuer).ToString());
        Assert.Equal("{ocsp:issuing-ca-1}:leases", keys.Leases(issuer).ToString());
        Assert.Equal("{test:issuing-ca-1}:head", new RedisKeys("test").Head(issuer).ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("{ocsp}")]
    [InlineData("ocsp:two")]
    [InlineData("Ocsp")]
    public void Prefix_ThatWouldBreakTheHashTag_IsRefused(string prefix) => Assert.Throws<ArgumentException>(() => new RedisKeys(prefix));

    [Fact]
    public void Configuration_WithoutTimeouts_IsBounded()
    {
        ConfigurationOptions options = RedisConnection.Read("redis.example:6380,ssl=true,user=ocsp,password=secret,serviceName=primary,asyncTimeout=90000,abortConnect=true");

        Assert.False(options.AbortOnConnectFail);
        Assert.Equal((2000, 30_000, 3000), (options.ConnectTimeout, options.AsyncTimeout, options.SyncTimeout));
        Assert.Equal((true, "ocsp", "secret", "primary"), (options.Ssl, options.User, options.Password, options.ServiceName));
    }

    [Theory]
    [InlineData("127.0.0.1:6379,password=secret,nosuchoption=1")]
    [InlineData("127.0.0.1:6379,password=secret,ssl=perhaps")]
    [InlineData("password=secret")]
    public void Configuration_ThatCannotBeRead_IsRefusedWithoutThePassword(string configuration) =>
        Assert.DoesNotContain("secret", Assert.Throws<ArgumentException>(() => RedisConnection.Read(configuration)).ToString());

    [Fact]
    public async Task Run_WhileRedisIsPaused_EndsInTimeAndWorksAgainAfterwards()
    {
        await using RedisServer redis = await RedisServer.StartAsync();
        await using RedisConnection connection = await RedisConnection.OpenAsync(redis.Configuration + ",asyncTimeout=300");
        Assert.Equal(1, await IncrementAsync(connection));

        redis.Pause();
        RevocationStoreException failure = await Assert.ThrowsAsync<RevocationStoreException>(() => IncrementAsync(connection));
        redis.Resume();

        Assert.Contains("did not answer within 0.3 s", failure.Message);
        Assert.Equal(3, await IncrementAsync(connection)); // the one that timed out was carried out all the same
    }

    [Fact]
    public async Task Run_AfterRedisWasKilledAndStartedAgain_WorksWithoutHelp()
    {
        await using RedisServer redis = await RedisServer.StartAsync();
        await using RedisConnection connection = await RedisConnection.OpenAsync(redis.Configuration);
        Assert.Equal(1, await IncrementAsync(connection));

        redis.Kill();
        await Assert.ThrowsAsync<RevocationStoreException>(() => IncrementAsync(connection));
        await redis.RestartAsync();

        Assert.True(await EventuallyAsync(connection) >= 2);
    }

    [Fact]
    public async Task Open_WithoutRedis_FailsEachOperationAndNamesTheEndpoint()
    {
        await using RedisConnection connection = await RedisConnection.OpenAsync("127.0.0.1:1,connectTimeout=100,asyncTimeout=300");

        RevocationStoreException failure = await Assert.ThrowsAsync<RevocationStoreException>(() => IncrementAsync(connection));

        Assert.Contains("127.0.0.1:1", failure.Message);
    }

    private static Task<long> IncrementAsync(RedisConnection connection) =>
        connection.RunAsync(database => database.StringIncrementAsync("n", flags: CommandFlags.DemandMaster), "The number could not be counted", CancellationToken.None);

    private static async Task<long> EventuallyAsync(RedisConnection connection)
    {
        for (int attempt = 0; ; attempt++)
        {
            try
            {
                return await IncrementAsync(connection);
            }
            catch (RevocationStoreException) when (attempt < 20)
            {
            }
        }
    }
}
