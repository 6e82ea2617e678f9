using OcspCluster.Authority;
using OcspCluster.Conformance;
using OcspCluster.Silo.Storage;

namespace OcspCluster.Silo.Tests.Storage;

public sealed class RedisDeliveryCursorStoreContract(SharedRedis redis) : DeliveryCursorStoreContract, IClassFixture<SharedRedis>
{
    private readonly RedisOptions _options = redis.NewStore();
    private RedisRevocationStore _store = null!;

    protected override async ValueTask<IDeliveryCursorStore> OpenAsync()
    {
        _store = await RedisRevocationStore.OpenAsync(_options, TimeProvider.System, CancellationToken.None);
        return _store.OpenDeliveryCursors();
    }

    protected override ValueTask CloseAsync(IDeliveryCursorStore store) => _store.DisposeAsync();

    protected override ValueTask CleanAsync() => ValueTask.CompletedTask; // the prefix is this test's own
}

public sealed class RedisDeliveryCursorStoreTests
{
    private static readonly IssuerId s_ca = new("issuing-ca-1");

    [Fact]
    public async Task Move_InARedisThatIsNotDurable_IsRefused_AndWrittenOnceItIs()
    {
        Assert.SkipWhen(RedisServer.WhyNot is not null, RedisServer.WhyNot ?? "");
        await using RedisServer server = await RedisServer.StartAsync("--appendfsync", "everysec");
        await using RedisRevocationStore store = await RedisRevocationStore.OpenAsync(new RedisOptions { Configuration = server.Configuration }, TimeProvider.System, CancellationToken.None);
        RedisDeliveryCursorStore cursors = store.OpenDeliveryCursors();
        RevocationStoreException refused = await Assert.ThrowsAsync<RevocationStoreException>(async () => await cursors.TryMoveCursorAsync("siem", s_ca, null, DeliveryCursor.At(1)));
        Assert.Contains("appendfsync", refused.Message, StringComparison.Ordinal);
        Assert.Null(await cursors.FindCursorAsync("siem", s_ca, CancellationToken.None));

        Assert.Equal("+OK", await server.AskAsync("CONFIG", "SET", "appendfsync", "always"));
        Assert.Equal("+OK", await server.AskAsync("SCRIPT", "FLUSH")); // as after a restart: no script until it was looked at
        Assert.True(await cursors.TryMoveCursorAsync("siem", s_ca, null, DeliveryCursor.At(1)));
    }

    [Fact]
    public async Task Cursor_ThatIsDamaged_IsAFailureAndNoCursor()
    {
        Assert.SkipWhen(RedisServer.WhyNot is not null, RedisServer.WhyNot ?? "");
        await using RedisServer server = await RedisServer.StartAsync();
        RedisOptions options = new() { Configuration = server.Configuration };
        await using RedisRevocationStore store = await RedisRevocationStore.OpenAsync(options, TimeProvider.System, CancellationToken.None);
        await using RedisConnection redis = await RedisConnection.OpenAsync(options);
        RedisDeliveryCursorStore cursors = store.OpenDeliveryCursors();
        Assert.True(await cursors.TryMoveCursorAsync("siem", s_ca, null, DeliveryCursor.At(1)));
        byte[] value = (await redis.Database.HashGetAsync(redis.Keys.Of(s_ca, "cursors"), "siem"))!;
        for (int i = 0; i < value.Length; i++)
        {
            byte[] damaged = [.. value];
            damaged[i] ^= 0x10;
            await redis.Database.HashSetAsync(redis.Keys.Of(s_ca, "cursors"), "siem", damaged);
            await Assert.ThrowsAsync<RevocationStoreException>(async () => await cursors.FindCursorAsync("siem", s_ca, CancellationToken.None));
        }

        // Another receiver's is not one's own.
        await redis.Database.HashSetAsync(redis.Keys.Of(s_ca, "cursors"), "other", value);
        await Assert.ThrowsAsync<RevocationStoreException>(async () => await cursors.FindCursorAsync("other", s_ca, CancellationToken.None));
    }
}
