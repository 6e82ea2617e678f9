using OcspCluster.Authority;
using OcspCluster.Conformance;
using OcspCluster.Silo.Storage;

namespace OcspCluster.Silo.Tests.Storage;

public sealed class RedisRevocationStoreContract(SharedRedis redis) : RevocationStoreContract, IClassFixture<SharedRedis>
{
    private readonly RedisOptions _options = redis.NewStore();

    protected override async ValueTask<IRevocationStore> OpenAsync() => await RedisRevocationStore.OpenAsync(_options, TimeProvider.System, CancellationToken.None);
}
