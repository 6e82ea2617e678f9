using System.Diagnostics;
using System.Reflection;

namespace OcspCluster.Gateway;

/// <summary>The overview of a host that is alone: it has no leases and no actors, and it signs.</summary>
/// <param name="name">What it is called.</param>
/// <param name="describeStore">Tells of its store.</param>
public sealed class LonelyNode(string name, Func<CancellationToken, Task<StoreView>> describeStore) : IClusterOverview
{
    /// <summary>This program's version.</summary>
    public static string Version { get; } = typeof(LonelyNode).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "";

    /// <summary>When this process was started.</summary>
    public static DateTimeOffset StartedAt { get; } = FindStart();

    /// <inheritdoc/>
    public async Task<ClusterView> DescribeAsync(CancellationToken cancellationToken) => new(
        Cluster: null,
        await describeStore(cancellationToken).ConfigureAwait(false),
        [new NodeView(name, Address: null, IsSelf: true, "signer", "active", Version, StartedAt, [], new Dictionary<string, int>())],
        [new NodeEventView(StartedAt, name, "joined", "It was started; there are no others.")]);

    /// <inheritdoc/>
    public Task<StoreView> DescribeStoreAsync(CancellationToken cancellationToken) => describeStore(cancellationToken);

    private static DateTimeOffset FindStart()
    {
        using Process self = Process.GetCurrentProcess();
        return self.StartTime.ToUniversalTime();
    }
}
