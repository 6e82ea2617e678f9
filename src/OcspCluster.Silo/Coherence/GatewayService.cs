using OcspCluster.Authority;
using OcspCluster.Protocol;
using Orleans.Concurrency;
using Orleans.Services;

namespace OcspCluster.Silo.Coherence;

/// <summary>What silos say to each other's gateways. There is one in each silo, addressed by the silo.</summary>
internal interface IGatewayService : IGrainService
{
    /// <summary>Forget what the entries from one position through another are about; without serial numbers, find out which by yourself.</summary>
    /// <returns>Up to where everything is forgotten now; −1 when the issuer is not served there.</returns>
    ValueTask<long> ForgetAsync(IssuerId issuer, long from, long through, IReadOnlyList<SerialNumber>? serials);

    /// <summary>Is the store away for you, too, and do you promise to acknowledge nothing of the issuer for one lease that the asker has not answered for?</summary>
    ValueTask<bool> PromiseAsync(string asker, IssuerId issuer);

    /// <summary>The journal of an issuer is published up to here.</summary>
    [OneWay]
    Task PublishedAsync(IssuerId issuer, long position);
}

/// <inheritdoc cref="IGatewayService"/>
internal sealed class GatewayService(GrainId id, Orleans.Runtime.Silo silo, ILoggerFactory loggerFactory, CoherenceDirectory directory)
    : GrainService(id, silo, loggerFactory), IGatewayService
{
    /// <inheritdoc/>
    public ValueTask<long> ForgetAsync(IssuerId issuer, long from, long through, IReadOnlyList<SerialNumber>? serials) =>
        directory.Find(issuer)?.Coherence.ForgetAsync(new Forgetting(issuer, from, through, serials)) ?? ValueTask.FromResult(-1L);

    /// <inheritdoc/>
    public async ValueTask<bool> PromiseAsync(string asker, IssuerId issuer) => directory.Find(issuer) is { } found && await found.Lease.PromiseAsync(asker);

    /// <inheritdoc/>
    public Task PublishedAsync(IssuerId issuer, long position)
    {
        directory.Find(issuer)?.TakePublished(position);
        return Task.CompletedTask;
    }
}
