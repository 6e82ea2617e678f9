using OcspCluster.Authority;

namespace OcspCluster.Gateway;

/// <summary>Takes the clock for right because an operator said so: this process's; a cluster's host tells the others, too.</summary>
public class ClockAcceptance(ClockGuard guard)
{
    /// <summary>Takes it for right as it is now.</summary>
    public virtual Task AcceptAsync(CancellationToken cancellationToken)
    {
        guard.Accept();
        return Task.CompletedTask;
    }
}
