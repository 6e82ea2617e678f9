using OcspCluster.Gateway;
using OcspCluster.Silo.Storage;

namespace OcspCluster.Silo.Host;

/// <summary>The cluster as this silo sees it: who is a member, by its own view of the membership, and what each member tells of itself. Thread-safe.</summary>
internal sealed partial class SiloOverview(
    SiloHostOptions options,
    RedisRevocationStore store,
    RedisConnection connection,
    SiloSelf self,
    ILocalSiloDetails local,
    IClusterMembershipService membership,
    SiloInfoClient infos,
    ClusterChronicle chronicle,
    ILogger<SiloOverview> log) : IClusterOverview
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(1);

    /// <summary>The store as it was last seen.</summary>
    public StoreView Store => new("redis", connection.IsConnected, store.Durability.IsDurable, store.Durability.IsAccepted, connection.IsConnected
        ? store.Durability.Description
        : $"Redis ({connection.Description}) cannot be reached.");

    /// <inheritdoc/>
    public async Task<ClusterView> DescribeAsync(CancellationToken cancellationToken)
    {
        ClusterMember[] all = [.. membership.CurrentSnapshot.Members.Values];
        ClusterMember[] members = [.. all
            .Where(member => member.Status != SiloStatus.Dead || !all.Any(other => IsSuccessor(other, member))) // one that was started again is no loss
            .OrderByDescending(member => member.SiloAddress.Equals(local.SiloAddress)).ThenBy(member => member.Name, StringComparer.Ordinal).ThenBy(member => member.SiloAddress)];
        SiloInfo?[] told = await Task.WhenAll(members.Select(member => AskAsync(member, cancellationToken))).ConfigureAwait(false);
        IEnumerable<NodeEventView> failovers = members.SelectMany((member, i) => (told[i]?.TookOver ?? []).Select(
            one => new NodeEventView(one.At, member.Name, "failedOver", $"It takes the events of issuer '{one.Issuer}' since the silo that did was gone.")));
        return new ClusterView(
            options.ClusterId,
            Store,
            [.. members.Select((member, i) => ToNode(member, told[i]))],
            [.. chronicle.Happened.Concat(failovers).OrderByDescending(happened => happened.At).Take(ClusterChronicle.Length)]);
    }

    /// <inheritdoc/>
    public Task<StoreView> DescribeStoreAsync(CancellationToken cancellationToken) => Task.FromResult(Store);

    private NodeView ToNode(ClusterMember member, SiloInfo? told) => new(
        member.Name,
        $"{member.SiloAddress.Endpoint}",
        member.SiloAddress.Equals(local.SiloAddress),
        told?.Role,
        member.Status switch
        {
            SiloStatus.Active => "active",
            SiloStatus.Created or SiloStatus.Joining => "joining",
            SiloStatus.ShuttingDown or SiloStatus.Stopping => "leaving",
            _ => "dead",
        },
        told?.Version,
        told?.StartedAt,
        [.. (told?.Leases ?? []).OrderBy(lease => lease.Key, StringComparer.Ordinal).Select(lease => new LeaseView(lease.Key, lease.Value))],
        told?.Activations ?? []);

    private async Task<SiloInfo?> AskAsync(ClusterMember member, CancellationToken cancellationToken)
    {
        if (!IsActive(member))
        {
            return null;
        }

        try
        {
            return member.SiloAddress.Equals(local.SiloAddress) ? self.Describe() : await infos.DescribeAsync(member.SiloAddress).WaitAsync(s_patience, cancellationToken).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // Why a silo does not answer makes no difference here: it is shown without what it would have told.
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
#pragma warning restore CA1031
        {
            LogNoAnswer(member.SiloAddress, e.Message);
            return null;
        }
    }

    private static bool IsSuccessor(ClusterMember other, ClusterMember member) =>
        other.SiloAddress.Endpoint.Equals(member.SiloAddress.Endpoint) && other.SiloAddress.Generation > member.SiloAddress.Generation;

    private static bool IsActive(ClusterMember member) => member.Status == SiloStatus.Active;

    [LoggerMessage(200, LogLevel.Debug, "The silo {Silo} does not tell of itself: {Reason}")]
    private partial void LogNoAnswer(SiloAddress silo, string reason);
}
