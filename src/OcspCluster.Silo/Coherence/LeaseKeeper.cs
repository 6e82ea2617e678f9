using OcspCluster.Authority;

namespace OcspCluster.Silo.Coherence;

/// <summary>Renews the leases of all issuers while the silo runs, keeps the sets of issued serial numbers complete, and hands the leases back when it ends.</summary>
/// <remarks>A hosted service that is registered after Orleans: it begins when the silo is a member, and ends before it leaves. The OCSP listener is to be started after it, and stopped before.</remarks>
internal sealed partial class LeaseKeeper(
    CoherenceDirectory directory, IRevocationStore store, OcspSiloOptions options, [FromKeyedServices(OcspSiloExtensions.LeaseClock)] TimeProvider clock, ILogger<LeaseKeeper> log) : BackgroundService
{
    /// <summary>Tries to have every lease before the silo begins to answer. When the store is away it goes on without.</summary>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await Task.WhenAll(directory.All.Select(RenewAsync)).ConfigureAwait(false);
        await base.StartAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Hands the leases back. Where there is no time for that, they run out by themselves.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken).ConfigureAwait(false);
        Task handedBack = Task.WhenAll(directory.All.Select(issuer => issuer.Lease.HandBackAsync()));
        await handedBack.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            // Each issuer by itself: one whose part of the store is away must not hold up the others.
            await Task.WhenAll(directory.All.SelectMany(issuer => new[] { KeepAsync(issuer, stoppingToken), FollowAsync(issuer, stoppingToken) })).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The silo ends.
        }
    }

    private async Task KeepAsync(SiloIssuer issuer, CancellationToken stoppingToken)
    {
        using PeriodicTimer timer = new(IssuerLease.IntervalOf(options), clock);
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
        {
            await RenewAsync(issuer).ConfigureAwait(false);
        }
    }

    private async Task RenewAsync(SiloIssuer issuer)
    {
        try
        {
            await issuer.Lease.RunOnceAsync().ConfigureAwait(false);
        }
#pragma warning disable CA1031 // A fault in one round must not end the leases for as long as the process lives.
        catch (Exception e)
#pragma warning restore CA1031
        {
            LogFault(issuer.Coherence.Issuer, e.Message, e);
        }
    }

    private async Task FollowAsync(SiloIssuer issuer, CancellationToken stoppingToken)
    {
        using PeriodicTimer timer = new(IssuerLease.IntervalOf(options), clock);
        do
        {
            IssuerCoherence coherence = issuer.Coherence;
            if (coherence.Known <= coherence.Issued.Position)
            {
                continue;
            }

            try
            {
                await coherence.Issued.ReadAsync(store, coherence.Issuer, stoppingToken).ConfigureAwait(false);
            }
            catch (RevocationStoreException e)
            {
                LogNotRead(coherence.Issuer, e.Message); // the store is asked meanwhile
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false));
    }

    [LoggerMessage(130, LogLevel.Error, "Renewing the lease of issuer {Issuer} met a fault: {Reason}")]
    private partial void LogFault(IssuerId issuer, string reason, Exception exception);

    [LoggerMessage(131, LogLevel.Warning, "The set of issued serial numbers of issuer {Issuer} could not be completed: {Reason}")]
    private partial void LogNotRead(IssuerId issuer, string reason);
}
