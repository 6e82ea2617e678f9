using OcspCluster.Authority;
using OcspCluster.Conformance;
using OcspCluster.Silo.Storage;

namespace OcspCluster.Silo.Tests.Storage;

public sealed class RedisDeliveryCursorStoreContract(SharedRedis redis) : DeliveryCursorStoreContract, IClassFixture<SharedRedis>
{
    private readonly RedisOptions _options = redis.NewStore();
    private RedisConnection? _connection;

    protected override async ValueTask<IDeliveryCursorStore> OpenAsync() => new RedisDeliveryCursorStore(_connection = await RedisConnection.OpenAsync(_options));

    protected override ValueTask CloseAsync(IDeliveryCursorStore store) => _connection?.DisposeAsync() ?? ValueTask.CompletedTask;

    protected override ValueTask CleanAsync() => ValueTask.CompletedTask; // the server goes with the class
}
