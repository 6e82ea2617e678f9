using OcspCluster.Authority;
using OcspCluster.Conformance;
using OcspCluster.Silo.Storage;

namespace OcspCluster.Silo.Tests.Storage;

public sealed class RedisAuditStoreContract(SharedRedis redis) : AuditStoreContract, IClassFixture<SharedRedis>
{
    private readonly RedisOptions _options = redis.NewStore();
    private RedisConnection? _connection;

    protected override async ValueTask<IRevocationStore> OpenAsync() => await RedisRevocationStore.OpenAsync(_options, TimeProvider.System, CancellationToken.None);

    protected override async ValueTask<IAuditStore> OpenAuditAsync()
    {
        _connection ??= await RedisConnection.OpenAsync(_options.Configuration, new RedisKeys(_options.KeyPrefix));
        return await RedisAuditStore.OpenAsync(_connection, CancellationToken.None);
    }

    protected override ValueTask CleanAsync() => _connection?.DisposeAsync() ?? ValueTask.CompletedTask;
}
