using OcspCluster.Authority;
using OcspCluster.Conformance;
using OcspCluster.Silo.Storage;
using OcspCluster.Testing;
using static OcspCluster.Conformance.RecordedHistory;

namespace OcspCluster.Silo.Tests.Storage;

/// <summary>On what Redis events are acknowledged.</summary>
public sealed class RedisDurabilityTests
{
    private readonly TestClock _clock = new();

    [Theory]
    [InlineData("yes", "always", "noeviction", false, true, true)]
    [InlineData("yes", "everysec", "noeviction", false, false, false)]
    [InlineData("yes", "everysec", "noeviction", true, false, true)]
    [InlineData("no", "always", "noeviction", false, false, false)]
    [InlineData("no", "always", "noeviction", true, false, true)]
    [InlineData(null, null, null, false, false, false)]
    [InlineData(null, null, null, true, false, true)]
    [InlineData("no", null, null, false, false, false)]
    [InlineData("yes", null, "noeviction", false, false, false)]
    [InlineData("yes", "always", "allkeys-lru", false, false, false)]
    [InlineData("yes", "always", "volatile-ttl", true, false, false)]
    [InlineData("yes", "always", null, false, true, true)]
    public void Settings_AreJudged(string? appendOnly, string? appendFsync, string? evictionPolicy, bool acceptLess, bool isDurable, bool isAccepted)
    {
        RedisDurability durability = RedisDurability.Judge("Redis at x", appendOnly, appendFsync, evictionPolicy, acceptLess);

        Assert.Equal((isDurable, isAccepted), (durability.IsDurable, durability.IsAccepted));
        Assert.Equal(!isAccepted, durability.Description.Contains("events are refused until then", StringComparison.Ordinal));
        Assert.Equal(isAccepted && !isDurable, durability.Description.Contains("because Redis:AcceptLessDurability is true", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Append_OnAnEphemeralRedis_IsRefusedAndReadsGoOn()
    {
        await using RedisServer redis = await RedisServer.StartAsync("--appendfsync", "everysec");
        await using RedisRevocationStore store = await OpenAsync(redis, acceptLess: false);

        RevocationStoreException refusal = await Assert.ThrowsAsync<RevocationStoreException>(async () => await store.AppendAsync(Ca, 0, Issuances(0, 1, 1)));

        Assert.Contains("appendfsync everysec", refusal.Message);
        Assert.False(store.Durability.IsAccepted);
        Assert.Equal(0, await store.GetPositionAsync(Ca, CancellationToken.None));
        Assert.Null(await store.FindStatusAsync(Ca, Serial(1), CancellationToken.None));
    }

    [Fact]
    public async Task Append_WhereLessIsAccepted_PassesAndTheStatusPageCanSaySo()
    {
        await using RedisServer redis = await RedisServer.StartAsync("--appendonly", "no");
        await using RedisRevocationStore accepting = await OpenAsync(redis, acceptLess: true);
        await using RedisRevocationStore strict = await OpenAsync(redis, acceptLess: false);

        Assert.True((await accepting.AppendAsync(Ca, 0, Issuances(0, 1, 1))).Appended);

        Assert.Equal((false, true), (accepting.Durability.IsDurable, accepting.Durability.IsAccepted));
        Assert.Contains("appendonly no", accepting.Durability.Description);
        await Assert.ThrowsAsync<RevocationStoreException>(async () => await strict.AppendAsync(Ca, 1, Issuances(1, 2, 1))); // the other's gate does not open this one's
    }

    [Fact]
    public async Task Append_AfterTheSettingsWereChanged_IsRefusedWithinTenSecondsAndPassesAgain()
    {
        await using RedisServer redis = await RedisServer.StartAsync();
        await using RedisRevocationStore store = await OpenAsync(redis, acceptLess: false);
        Assert.True((await store.AppendAsync(Ca, 0, Issuances(0, 1, 1))).Appended);

        Assert.Equal("+OK", await redis.AskAsync("CONFIG", "SET", "appendfsync", "no"));
        _clock.Advance(DurabilityGate.LookAgainAfter);
        await Assert.ThrowsAsync<RevocationStoreException>(async () => await store.AppendAsync(Ca, 1, Issuances(1, 2, 1)));

        Assert.Equal("+OK", await redis.AskAsync("CONFIG", "SET", "appendfsync", "always"));
        Assert.True((await store.AppendAsync(Ca, 1, Issuances(1, 2, 1))).Appended);
        Assert.True(store.Durability.IsDurable);
    }

    [Fact]
    public async Task Append_OnAServerThatWasNotLookedAt_IsHeldUpUntilItWas()
    {
        await using RedisServer redis = await RedisServer.StartAsync();
        await using RedisRevocationStore store = await OpenAsync(redis, acceptLess: false);
        Assert.True((await store.AppendAsync(Ca, 0, Issuances(0, 1, 1))).Appended);

        // As a server that was started again or promoted is: other settings, no scripts. No time passes for the gate.
        Assert.Equal("+OK", await redis.AskAsync("CONFIG", "SET", "appendfsync", "everysec"));
        Assert.Equal("+OK", await redis.AskAsync("SCRIPT", "FLUSH"));
        RevocationStoreException refusal = await Assert.ThrowsAsync<RevocationStoreException>(async () => await store.AppendAsync(Ca, 1, Issuances(1, 2, 1)));
        Assert.Contains("appendfsync everysec", refusal.Message);
        Assert.Equal(1, await store.GetPositionAsync(Ca, CancellationToken.None));

        Assert.Equal("+OK", await redis.AskAsync("CONFIG", "SET", "appendfsync", "always"));
        Assert.Equal("+OK", await redis.AskAsync("SCRIPT", "FLUSH"));
        Assert.True((await store.AppendAsync(Ca, 1, Issuances(1, 2, 1))).Appended);
    }

    [Fact]
    public async Task Append_OnARedisThatEvicts_IsRefusedWhateverIsAccepted()
    {
        await using RedisServer redis = await RedisServer.StartAsync("--maxmemory-policy", "allkeys-lru");
        await using RedisRevocationStore store = await OpenAsync(redis, acceptLess: true);

        RevocationStoreException refusal = await Assert.ThrowsAsync<RevocationStoreException>(async () => await store.AppendAsync(Ca, 0, Issuances(0, 1, 1)));

        Assert.Contains("maxmemory-policy allkeys-lru", refusal.Message);
    }

    [Fact]
    public async Task Append_WhereSettingsAreHidden_IsRefusedWithAMessageOfItsOwn()
    {
        await using RedisServer redis = await RedisServer.StartAsync("--rename-command", "CONFIG", "");
        await using RedisRevocationStore strict = await OpenAsync(redis, acceptLess: false);
        await using RedisRevocationStore accepting = await OpenAsync(redis, acceptLess: true);

        RevocationStoreException refusal = await Assert.ThrowsAsync<RevocationStoreException>(async () => await strict.AppendAsync(Ca, 0, Issuances(0, 1, 1)));

        Assert.Contains("CONFIG GET is not allowed", refusal.Message);
        Assert.True((await accepting.AppendAsync(Ca, 0, Issuances(0, 1, 1))).Appended);
    }

    [Fact]
    public async Task Append_InAFullMemory_WritesNothingOfIt()
    {
        await using RedisServer redis = await RedisServer.StartAsync();
        await using RedisRevocationStore store = await OpenAsync(redis, acceptLess: false);
        await store.AppendAsync(Ca, 0, Issuances(0, 1, 100));
        Assert.Equal("+OK", await redis.AskAsync("CONFIG", "SET", "maxmemory", "1mb"));

        RevocationStoreException refusal = await Assert.ThrowsAsync<RevocationStoreException>(async () => await store.AppendAsync(Ca, 100, Issuances(100, 200, 1000)));

        Assert.Contains("maxmemory", refusal.Message);
        await store.AssertAgreesWithJournalAsync(Ca);
        Assert.Equal("+OK", await redis.AskAsync("CONFIG", "SET", "maxmemory", "0"));
        Assert.True((await store.AppendAsync(Ca, 100, Issuances(100, 200, 1000))).Appended);
    }

    [Fact]
    public async Task Append_WithoutTheReplicasAskedFor_HasAnUnknownOutcomeAndIsThere()
    {
        await using RedisServer redis = await RedisServer.StartAsync();
        await using RedisRevocationStore store = await RedisRevocationStore.OpenAsync(
            new RedisOptions { Configuration = redis.Configuration + ",asyncTimeout=500", Replicas = 1 }, _clock, CancellationToken.None);

        RevocationStoreException unknown = await Assert.ThrowsAsync<RevocationStoreException>(async () => await store.AppendAsync(Ca, 0, Issuances(0, 1, 1)));

        Assert.Contains("0 answered in time", unknown.Message);
        Assert.Equal(1, await store.GetPositionAsync(Ca, CancellationToken.None));
    }

    [Fact]
    public async Task Append_WithTheReplicasAskedFor_IsAtEachOfThem()
    {
        await using RedisServer redis = await RedisServer.StartAsync();
        await using RedisServer replica = await RedisServer.StartAsync("--replicaof", "127.0.0.1", redis.Port.ToString(System.Globalization.CultureInfo.InvariantCulture), "--repl-diskless-sync-delay", "0");
        Assert.Equal("+OK", await redis.AskAsync("CONFIG", "SET", "repl-diskless-sync-delay", "0"));
        await using RedisRevocationStore store = await RedisRevocationStore.OpenAsync(
            new RedisOptions { Configuration = redis.Configuration + ",asyncTimeout=15000", Replicas = 1 }, TimeProvider.System, CancellationToken.None);

        Assert.True((await store.AppendAsync(Ca, 0, Issuances(0, 1, 10))).Appended);

        Assert.Equal("$2", await replica.AskAsync("HGET", "{ocsp:issuing-ca-1}:head", "position")); // the length of "10"
    }

    private async Task<RedisRevocationStore> OpenAsync(RedisServer redis, bool acceptLess) => await RedisRevocationStore.OpenAsync(
        new RedisOptions { Configuration = redis.Configuration, AcceptLessDurability = acceptLess }, new GateClock(_clock), CancellationToken.None);

    /// <summary>The test's clock for what is measured, and real timers: a deadline that never comes would hang a test that fails.</summary>
    private sealed class GateClock(TestClock clock) : TimeProvider
    {
        public override long TimestampFrequency => clock.TimestampFrequency;

        public override DateTimeOffset GetUtcNow() => clock.GetUtcNow();

        public override long GetTimestamp() => clock.GetTimestamp();
    }
}
