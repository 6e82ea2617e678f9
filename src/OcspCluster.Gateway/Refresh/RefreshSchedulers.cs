using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OcspCluster.Authority;

namespace OcspCluster.Gateway;

/// <summary>Runs a <see cref="RefreshScheduler"/> for each issuer while the program runs. Thread-safe.</summary>
public sealed partial class RefreshSchedulers : BackgroundService, IRefreshControl
{
    private readonly Dictionary<IssuerId, RefreshScheduler> _schedulers;
    private readonly TimeProvider _clock;
    private readonly ILogger<RefreshSchedulers> _log;

    /// <summary>Makes the schedulers.</summary>
    /// <param name="directory">The issuers.</param>
    /// <param name="cache">Where the answers are.</param>
    /// <param name="responder">Signs them.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="log">Hears of outages.</param>
    /// <param name="store">Tells all certificates; needed for <see cref="Presign.All"/>.</param>
    /// <param name="kept">Has the answers of before the start.</param>
    public RefreshSchedulers(IssuerDirectory directory, ResponseCache cache, OcspResponder responder, TimeProvider clock, ILogger<RefreshSchedulers> log, IRevocationStore? store = null,
        KeptResponses? kept = null)
    {
        ArgumentNullException.ThrowIfNull(directory);
        _clock = clock;
        _log = log;
        _schedulers = directory.Issuers.ToDictionary(issuer => issuer.Id, issuer => new RefreshScheduler(issuer, cache, responder, clock, log, store, kept: kept));
    }

    /// <summary>None: in a cluster it is the silos together that refresh.</summary>
    internal RefreshSchedulers(TimeProvider clock, ILogger<RefreshSchedulers> log)
    {
        _clock = clock;
        _log = log;
        _schedulers = [];
    }

    /// <summary>One for each issuer.</summary>
    public IReadOnlyCollection<RefreshScheduler> All => _schedulers.Values;

    /// <summary>That of an issuer; null when there is none such.</summary>
    public RefreshScheduler? Find(IssuerId issuer) => _schedulers.GetValueOrDefault(issuer);

    Task<RefreshReport> IRefreshControl.DescribeAsync(Issuer issuer, CancellationToken cancellationToken) => Task.FromResult(Describe(_schedulers[issuer.Id]));

    RefreshReport? IRefreshControl.DescribeOwn(Issuer issuer) => Find(issuer.Id) is { } scheduler ? Describe(scheduler) : null;

    Task<ResignProgress?> IRefreshControl.FindResigningAsync(Issuer issuer, CancellationToken cancellationToken) => Task.FromResult(_schedulers[issuer.Id].Resigning);

    Task<ResignProgress> IRefreshControl.ResignAllAsync(Issuer issuer, int? signaturesPerSecond, CancellationToken cancellationToken) =>
        Task.FromResult(_schedulers[issuer.Id].ResignAll(signaturesPerSecond));

    /// <inheritdoc/>
    public override void Dispose()
    {
        base.Dispose();
        foreach (RefreshScheduler scheduler in _schedulers.Values)
        {
            scheduler.Dispose();
        }
    }

    /// <inheritdoc/>
    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(_schedulers.Values.Select(scheduler => RunAsync(scheduler, stoppingToken)));

    private static RefreshReport Describe(RefreshScheduler scheduler) => new(
        scheduler.SignaturesPerSecond, scheduler.Tracked, scheduler.Backlog, scheduler.Untracked, scheduler.TimeToFirstExpiry, scheduler.IsResting, scheduler.IsComplete, scheduler.Signatures);

    private async Task RunAsync(RefreshScheduler scheduler, CancellationToken stoppingToken)
    {
        try
        {
            while (true)
            {
                await Task.Delay(RefreshScheduler.Tick, _clock, stoppingToken).ConfigureAwait(false);
                await RunOnceAsync(scheduler, stoppingToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The program ends.
        }
    }

    private async Task RunOnceAsync(RefreshScheduler scheduler, CancellationToken stoppingToken)
    {
        try
        {
            await scheduler.RunOnceAsync(stoppingToken).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // A fault in one round must not end the refreshing for as long as the process lives.
        catch (Exception e) when (!stoppingToken.IsCancellationRequested)
#pragma warning restore CA1031
        {
            LogFault(scheduler.Issuer.Id, e.Message, e);
        }
    }

    [LoggerMessage(30, LogLevel.Error, "Refreshing the answers of issuer {Issuer} met a fault: {Reason}")]
    private partial void LogFault(IssuerId issuer, string reason, Exception exception);
}
