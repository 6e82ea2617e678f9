using OcspCluster.Authority;
using OcspCluster.Gateway;
using Orleans.Runtime.Services;
using Orleans.Services;

namespace OcspCluster.Silo.Host;

/// <summary>What a silo tells of itself.</summary>
/// <param name="Role">signer or gateway.</param>
/// <param name="Version">The program's version.</param>
/// <param name="StartedAt">When its process was started.</param>
/// <param name="Leases">Its leases: issuer, and the seconds left.</param>
/// <param name="Activations">How many actors it hosts, by kind; empty where it hosts none.</param>
[GenerateSerializer, Alias("ocsp-silo-info")]
internal sealed record SiloInfo(
    [property: Id(0)] string Role, [property: Id(1)] string Version, [property: Id(2)] DateTimeOffset StartedAt, [property: Id(3)] Dictionary<string, double> Leases,
    [property: Id(4)] Dictionary<string, int> Activations);

/// <summary>Asks a silo about itself.</summary>
[Alias("ocsp-silo-info-service")]
internal interface ISiloInfoService : IGrainService
{
    /// <summary>What it tells.</summary>
    [Alias("describe")]
    Task<SiloInfo> DescribeAsync();

    /// <summary>An operator took the clock of another silo for right when it showed this time: does this one show the same, and is it taken for right, too?</summary>
    [Alias("accept-clock")]
    Task<bool> AcceptClockAsync(DateTimeOffset now);
}

/// <summary>Tells of this silo. One in every silo, of whatever role.</summary>
internal sealed class SiloInfoService(GrainId id, Orleans.Runtime.Silo silo, ILoggerFactory loggers, SiloSelf self, ClockGuard guard, TimeProvider clock)
    : GrainService(id, silo, loggers), ISiloInfoService
{
    /// <inheritdoc/>
    public Task<SiloInfo> DescribeAsync() => Task.FromResult(self.Describe());

    /// <inheritdoc/>
    public Task<bool> AcceptClockAsync(DateTimeOffset now)
    {
        bool isSame = (clock.GetUtcNow() - now).Duration() <= ClusterClockAcceptance.Tolerance;
        if (isSame)
        {
            guard.Accept();
        }

        return Task.FromResult(isSame);
    }
}

/// <summary>Reaches the service of any silo.</summary>
internal sealed class SiloInfoClient(IServiceProvider services) : GrainServiceClient<ISiloInfoService>(services)
{
    /// <summary>What a silo tells of itself.</summary>
    public Task<SiloInfo> DescribeAsync(SiloAddress silo) => GetGrainService(silo).DescribeAsync();

    /// <summary>Has a silo take its clock for right where it shows the same time.</summary>
    /// <returns>False when it does not.</returns>
    public Task<bool> AcceptClockAsync(SiloAddress silo, DateTimeOffset now) => GetGrainService(silo).AcceptClockAsync(now);
}

/// <summary>This silo.</summary>
/// <param name="role">signer or gateway.</param>
/// <param name="findLeases">Its leases: issuer, and the seconds left.</param>
/// <param name="countActivations">How many actors it hosts, by kind.</param>
internal sealed class SiloSelf(string role, Func<Dictionary<string, double>> findLeases, Func<Dictionary<string, int>> countActivations)
{
    /// <summary>signer or gateway.</summary>
    public string Role => role;

    /// <summary>What it tells of itself.</summary>
    public SiloInfo Describe() => new(role, LonelyNode.Version, LonelyNode.StartedAt, findLeases(), countActivations());
}
