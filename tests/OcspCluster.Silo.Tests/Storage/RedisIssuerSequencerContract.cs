using OcspCluster.Authority;
using OcspCluster.Conformance;
using OcspCluster.Silo.Storage;

namespace OcspCluster.Silo.Tests.Storage;

public sealed class RedisIssuerSequencerContract(SharedRedis redis) : IssuerSequencerContract, IClassFixture<SharedRedis>
{
    private readonly RedisOptions _options = redis.NewStore();

    protected override async ValueTask<IRevocationStore> OpenAsync() => await RedisRevocationStore.OpenAsync(_options, TimeProvider.System, CancellationToken.None);
}
