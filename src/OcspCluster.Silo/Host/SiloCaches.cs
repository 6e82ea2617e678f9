using OcspCluster.Authority;
using OcspCluster.Gateway;
using OcspCluster.Protocol;

namespace OcspCluster.Silo.Host;

/// <summary>The caches of the other active silos, each asked through its service. Thread-safe.</summary>
internal sealed partial class SiloCaches(ILocalSiloDetails local, IClusterMembershipService membership, SiloInfoClient silos, ILogger<SiloCaches> log) : ICachesElsewhere
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(1);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<CacheElsewhere>> FindAsync(IssuerId issuer, SerialNumber serial, CancellationToken cancellationToken) => await Task.WhenAll(
        membership.CurrentSnapshot.Members.Values
            .Where(member => member.Status == SiloStatus.Active && !member.SiloAddress.Equals(local.SiloAddress))
            .OrderBy(member => member.Name, StringComparer.Ordinal)
            .Select(member => AskAsync(member, issuer, serial, cancellationToken))).ConfigureAwait(false);

    private async Task<CacheElsewhere> AskAsync(ClusterMember member, IssuerId issuer, SerialNumber serial, CancellationToken cancellationToken)
    {
        try
        {
            long[] positions = await silos.FindCachedAsync(member.SiloAddress, issuer, serial).WaitAsync(s_patience, cancellationToken).ConfigureAwait(false);
            return new CacheElsewhere(member.Name, positions.Length > 0, positions.Length > 0 ? positions.Max() : null);
        }
#pragma warning disable CA1031 // Why a silo does not answer makes no difference here: it is shown without what it would have told.
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
#pragma warning restore CA1031
        {
            LogNoAnswer(member.SiloAddress, e.Message);
            return new CacheElsewhere(member.Name, Holds: null, Position: null);
        }
    }

    [LoggerMessage(202, LogLevel.Debug, "The silo {Silo} does not tell of its cache: {Reason}")]
    private partial void LogNoAnswer(SiloAddress silo, string reason);
}
