using OcspCluster.Gateway;

namespace OcspCluster.Silo.Host;

/// <summary>Asks the other silos for their figures. Thread-safe.</summary>
internal sealed partial class OverviewPeers(ILocalSiloDetails local, IClusterMembershipService membership, SiloInfoClient infos, ILogger<OverviewPeers> log) : IOverviewPeers
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(1);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<(string Name, NodeFigures? Figures)>> AskAsync(CancellationToken cancellationToken) =>
        await Task.WhenAll(membership.CurrentSnapshot.Members.Values
            .Where(member => member.Status == SiloStatus.Active && !member.SiloAddress.Equals(local.SiloAddress))
            .Select(member => AskAsync(member, cancellationToken))).ConfigureAwait(false);

    private async Task<(string Name, NodeFigures? Figures)> AskAsync(ClusterMember member, CancellationToken cancellationToken)
    {
        try
        {
            return (member.Name, await infos.ReadFiguresAsync(member.SiloAddress).WaitAsync(s_patience, cancellationToken).ConfigureAwait(false));
        }
#pragma warning disable CA1031 // Why a silo does not answer makes no difference here: it is a finding.
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
#pragma warning restore CA1031
        {
            LogNoAnswer(member.SiloAddress, e.Message);
            return (member.Name, null);
        }
    }

    [LoggerMessage(205, LogLevel.Debug, "The silo {Silo} does not tell its figures: {Reason}")]
    private partial void LogNoAnswer(SiloAddress silo, string reason);
}
