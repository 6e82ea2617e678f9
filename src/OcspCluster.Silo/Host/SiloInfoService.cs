using System.Text.Json;
using OcspCluster.Authority;
using OcspCluster.Gateway;
using OcspCluster.Protocol;
using Orleans.Runtime.Services;
using Orleans.Services;

namespace OcspCluster.Silo.Host;

/// <summary>What a silo tells of itself.</summary>
/// <param name="Role">signer or gateway.</param>
/// <param name="Version">The program's version.</param>
/// <param name="StartedAt">When its process was started.</param>
/// <param name="Leases">Its leases: issuer, and the seconds left.</param>
/// <param name="TookOver">When it began to take an issuer's events because the silo that did was gone.</param>
/// <param name="Activations">How many actors it hosts, by kind; empty where it hosts none.</param>
[GenerateSerializer, Alias("ocsp-silo-info")]
internal sealed record SiloInfo(
    [property: Id(0)] string Role, [property: Id(1)] string Version, [property: Id(2)] DateTimeOffset StartedAt, [property: Id(3)] Dictionary<string, double> Leases,
    [property: Id(4)] TakeOver[] TookOver, [property: Id(5)] Dictionary<string, int> Activations);

/// <summary>A silo began to take the events of an issuer whose silo was gone.</summary>
/// <param name="At">When.</param>
/// <param name="Issuer">Whose events.</param>
[GenerateSerializer, Alias("ocsp-take-over")]
internal sealed record TakeOver([property: Id(0)] DateTimeOffset At, [property: Id(1)] string Issuer);

/// <summary>Asks a silo about itself.</summary>
[Alias("ocsp-silo-info-service")]
internal interface ISiloInfoService : IGrainService
{
    /// <summary>What it tells.</summary>
    [Alias("describe")]
    Task<SiloInfo> DescribeAsync();

    /// <summary>Its figures for the overview, as JSON: silos of two versions understand each other.</summary>
    [Alias("read-figures")]
    Task<byte[]> ReadFiguresAsync();

    /// <summary>An operator took the clock of another silo for right when it showed this time: does this one show the same, and is it taken for right, too?</summary>
    [Alias("accept-clock")]
    Task<bool> AcceptClockAsync(DateTimeOffset now);

    /// <summary>The positions that the answers in its cache were made from, for one certificate; empty when it has none.</summary>
    [Alias("find-cached")]
    Task<long[]> FindCachedAsync(IssuerId issuer, SerialNumber serial);
}

/// <summary>Tells of this silo. One in every silo, of whatever role.</summary>
internal sealed class SiloInfoService(GrainId id, Orleans.Runtime.Silo silo, ILoggerFactory loggers, SiloSelf self, ClockGuard guard, ResponseCache cache, Overview overview, TimeProvider clock)
    : GrainService(id, silo, loggers), ISiloInfoService
{
    /// <inheritdoc/>
    public Task<SiloInfo> DescribeAsync() => Task.FromResult(self.Describe());

    /// <inheritdoc/>
    public async Task<byte[]> ReadFiguresAsync() => JsonSerializer.SerializeToUtf8Bytes(await overview.ReadOwnAsync(CancellationToken.None));

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

    /// <inheritdoc/>
    public Task<long[]> FindCachedAsync(IssuerId issuer, SerialNumber serial) => Task.FromResult<long[]>([.. cache.Find(issuer, serial).Select(cached => cached.Position)]);
}

/// <summary>Reaches the service of any silo.</summary>
internal sealed class SiloInfoClient(IServiceProvider services) : GrainServiceClient<ISiloInfoService>(services)
{
    /// <summary>What a silo tells of itself.</summary>
    public Task<SiloInfo> DescribeAsync(SiloAddress silo) => GetGrainService(silo).DescribeAsync();

    /// <summary>A silo's figures for the overview.</summary>
    public async Task<NodeFigures?> ReadFiguresAsync(SiloAddress silo) => JsonSerializer.Deserialize<NodeFigures>(await GetGrainService(silo).ReadFiguresAsync().ConfigureAwait(false));

    /// <summary>Has a silo take its clock for right where it shows the same time.</summary>
    /// <returns>False when it does not.</returns>
    public Task<bool> AcceptClockAsync(SiloAddress silo, DateTimeOffset now) => GetGrainService(silo).AcceptClockAsync(now);

    /// <summary>The positions that the answers in a silo's cache were made from, for one certificate.</summary>
    public Task<long[]> FindCachedAsync(SiloAddress silo, IssuerId issuer, SerialNumber serial) => GetGrainService(silo).FindCachedAsync(issuer, serial);
}

/// <summary>This silo.</summary>
/// <param name="role">signer or gateway.</param>
/// <param name="findLeases">Its leases: issuer, and the seconds left.</param>
/// <param name="countActivations">How many actors it hosts, by kind.</param>
/// <param name="chronicle">Knows what it took over.</param>
internal sealed class SiloSelf(string role, Func<Dictionary<string, double>> findLeases, Func<Dictionary<string, int>> countActivations, ClusterChronicle chronicle)
{
    /// <summary>signer or gateway.</summary>
    public string Role => role;

    /// <summary>What it tells of itself.</summary>
    public SiloInfo Describe() => new(role, LonelyNode.Version, LonelyNode.StartedAt, findLeases(), [.. chronicle.TookOver], countActivations());
}
