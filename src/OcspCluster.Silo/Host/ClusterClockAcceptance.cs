using OcspCluster.Authority;
using OcspCluster.Gateway;

namespace OcspCluster.Silo.Host;

/// <summary>
/// Takes the clock for right at this silo, and at every other that tells the same time: a gateway that is asked has no key, and it is the others who sign. One whose clock differs by more than
/// <see cref="Tolerance"/> goes on doubting it: nobody looked at that one.
/// </summary>
internal sealed partial class ClusterClockAcceptance(
    ClockGuard guard, ILocalSiloDetails local, IClusterMembershipService membership, SiloInfoClient silos, TimeProvider clock, ILogger<ClusterClockAcceptance> log) : ClockAcceptance(guard)
{
    /// <summary>How far the clocks of two silos may differ that are taken for right together.</summary>
    public static readonly TimeSpan Tolerance = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(1);

    /// <inheritdoc/>
    public override async Task AcceptAsync(CancellationToken cancellationToken)
    {
        await base.AcceptAsync(cancellationToken).ConfigureAwait(false);
        DateTimeOffset now = clock.GetUtcNow();
        await Task.WhenAll(membership.CurrentSnapshot.Members.Values
            .Where(member => member.Status == SiloStatus.Active && !member.SiloAddress.Equals(local.SiloAddress))
            .Select(member => TellAsync(member.SiloAddress, now, cancellationToken))).ConfigureAwait(false);
    }

    private async Task TellAsync(SiloAddress silo, DateTimeOffset now, CancellationToken cancellationToken)
    {
        try
        {
            if (!await silos.AcceptClockAsync(silo, now).WaitAsync(s_patience, cancellationToken).ConfigureAwait(false))
            {
                LogOtherTime(silo, Tolerance);
            }
        }
#pragma warning disable CA1031 // Why a silo does not answer makes no difference: an operator can say the same to it.
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
#pragma warning restore CA1031
        {
            LogNotTold(silo, e.Message);
        }
    }

    [LoggerMessage(210, LogLevel.Warning, "The clock of the silo {Silo} differs by more than {Tolerance} from the one that was accepted here: look at it, and accept it there")]
    private partial void LogOtherTime(SiloAddress silo, TimeSpan tolerance);

    [LoggerMessage(211, LogLevel.Warning, "The silo {Silo} was not told that the clock is accepted; accept it there: {Reason}")]
    private partial void LogNotTold(SiloAddress silo, string reason);
}
