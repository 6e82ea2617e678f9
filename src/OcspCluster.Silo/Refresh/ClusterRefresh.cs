using System.Collections.Frozen;
using OcspCluster.Authority;
using OcspCluster.Gateway;
using OcspCluster.Silo.Certificates;
using OcspCluster.Silo.Coherence;
using OcspCluster.Silo.Storage;

namespace OcspCluster.Silo.Refresh;

/// <summary>Keeps the answers of all issuers fresh, together with the other silos: this one does its parts, tells how all are doing, and has all of them sign everything anew. Thread-safe.</summary>
internal sealed partial class ClusterRefresh : BackgroundService, IRefreshControl
{
    private static readonly TimeSpan s_ownership = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_poll = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan s_idle = TimeSpan.FromSeconds(1); // what is tracked comes up a resolution before it is due, and that is a second at least

    private static readonly Task s_never = new TaskCompletionSource().Task;

    private readonly RefreshPeers _peers;
    private readonly RefreshFeed _feed;
    private readonly ResponseCache _cache;
    private readonly ResignRuns _runs;
    private readonly RedisResignRuns _kept;
    private readonly IssuerDirectory _directory;
    private readonly CoherenceDirectory _coherence;
    private readonly IGrainFactory _grains;
    private readonly TimeSpan _deadline;
    private readonly TimeProvider _clock;
    private readonly TimeProvider _leaseClock;
    private readonly ILogger<ClusterRefresh> _log;
    private readonly FrozenDictionary<IssuerId, IssuerRefresh> _issuers; // empty where nothing is signed

    public ClusterRefresh(
        IssuerDirectory directory, RefreshPeers peers, RefreshFeed feed, ResponseCache cache, ResignRuns runs, RedisConnection connection, IRevocationStore store, PublishedJournal journal,
        CoherenceDirectory coherence, IGrainFactory grains, OcspSiloOptions options, TimeProvider clock, [FromKeyedServices(OcspSiloExtensions.LeaseClock)] TimeProvider leaseClock,
        ILogger<ClusterRefresh> log, IResponseStore? kept = null)
    {
        _directory = directory;
        _peers = peers;
        _feed = feed;
        _cache = cache;
        _runs = runs;
        _kept = new RedisResignRuns(connection);
        _coherence = coherence;
        _grains = grains;
        _deadline = options.CallDeadline;
        _clock = clock;
        _leaseClock = leaseClock;
        _log = log;
        PartSources sources = new(store, journal, kept as RedisResponseStore);
        _issuers = options.Role == SiloRole.Sign
            ? directory.Issuers.ToFrozenDictionary(issuer => issuer.Id, issuer => new IssuerRefresh(issuer, part => _peers.Owners.OwnerOf(issuer.Id, part) == _peers.Self, AskAsync, sources, runs, clock, log))
            : FrozenDictionary<IssuerId, IssuerRefresh>.Empty;
    }

    /// <summary>Gateways were given answers of this silo's parts.</summary>
    public void Note(IssuerId issuer, IReadOnlyList<NotedAnswer> answers)
    {
        if (_issuers.TryGetValue(issuer, out IssuerRefresh? refresh))
        {
            foreach (NotedAnswer answer in answers)
            {
                refresh.Note(answer);
            }
        }
    }

    /// <summary>Statuses of this silo's parts changed.</summary>
    public void Announce(IssuerId issuer, IReadOnlyList<Protocol.SerialNumber> serials) => _issuers.GetValueOrDefault(issuer)?.Announce(serials);

    /// <summary>How this silo's parts are doing; null where it signs nothing.</summary>
    public SiloRefreshReport? Describe(IssuerId issuer) => _issuers.GetValueOrDefault(issuer)?.Describe();

    /// <summary>Has all of this silo's parts signed anew.</summary>
    public SiloRefreshReport? Resign(IssuerId issuer, ResignRun run)
    {
        _runs.Take(issuer, run);
        _issuers.GetValueOrDefault(issuer)?.Wake();
        return Describe(issuer);
    }

    /// <inheritdoc/>
    public async Task<RefreshReport> DescribeAsync(Issuer issuer, CancellationToken cancellationToken)
    {
        (SiloRefreshReport[] told, bool isWhole) = await AskAllAsync(service => service.DescribeAsync(issuer.Id), cancellationToken).ConfigureAwait(false);
        SiloRefreshReport? last = told.MaxBy(one => one.Run?.StartedAt);
        int perSecond = last?.Run is { } run && told.Any(one => one.ToResign > 0) ? run.SignaturesPerSecond : issuer.Policy.RefreshSignaturesPerSecond;
        return new RefreshReport(
            perSecond, told.Sum(one => one.Tracked), told.Sum(one => one.Backlog), told.Sum(one => one.Untracked), told.Min(one => one.FirstEnd) - _clock.GetUtcNow(), told.Any(one => one.IsResting),
            issuer.Policy.Presign != Presign.All || (isWhole && told.All(one => one.IsComplete)), told.Sum(one => one.Signatures));
    }

    /// <inheritdoc/>
    public RefreshReport? DescribeOwn(Issuer issuer) => Describe(issuer.Id) is { } own
        ? new RefreshReport(
            (int)Math.Ceiling((double)own.SignaturesPerSecond * own.Parts / SerialPartitions.Count), own.Tracked, own.Backlog, own.Untracked, own.FirstEnd - _clock.GetUtcNow(), own.IsResting, own.IsComplete, own.Signatures)
        : null;

    /// <inheritdoc/>
    public async Task<ResignProgress?> FindResigningAsync(Issuer issuer, CancellationToken cancellationToken)
    {
        (SiloRefreshReport[] told, bool isWhole) = await AskAllAsync(service => service.DescribeAsync(issuer.Id), cancellationToken).ConfigureAwait(false);
        ResignRun? run = told.MaxBy(one => one.Run?.StartedAt)?.Run ?? _runs.Find(issuer.Id);
        return run is null ? null : ToProgress(run, told, isWhole);
    }

    /// <inheritdoc/>
    public async Task<ResignProgress> ResignAllAsync(Issuer issuer, int? signaturesPerSecond, CancellationToken cancellationToken)
    {
        // In Redis first: a silo that is not reached now, or joins later, finds it there.
        DateTimeOffset now = DateTimeOffset.FromUnixTimeMilliseconds(_clock.GetUtcNow().ToUnixTimeMilliseconds());
        DateTimeOffset? last = (await _kept.ReadAsync(issuer.Id, cancellationToken).ConfigureAwait(false))?.StartedAt;
        ResignRun run = new(now > last || last is null ? now : last.Value.AddMilliseconds(1), signaturesPerSecond ?? issuer.Policy.RefreshSignaturesPerSecond);
        await _kept.WriteAsync(issuer.Id, run).ConfigureAwait(false);
        _runs.Take(issuer.Id, run);
        (SiloRefreshReport[] told, bool isWhole) = await AskAllAsync(service => service.ResignAsync(issuer.Id, run), cancellationToken).ConfigureAwait(false);
        ResignProgress progress = ToProgress(run, told, isWhole);
        LogResignAll(issuer.Id, progress.Total, run.SignaturesPerSecond);
        return progress;
    }

    /// <inheritdoc/>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (Issuer issuer in _directory.Issuers)
        {
            await PollAsync(issuer.Id, cancellationToken).ConfigureAwait(false); // before an actor of this silo gives what was to be signed anew
        }

        await base.StartAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        base.Dispose();
        foreach (IssuerRefresh refresh in _issuers.Values)
        {
            refresh.Dispose();
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        await Task.WhenAll([
            .. _directory.Issuers.Select(issuer => RepeatAsync(issuer.Id, () => PollAsync(issuer.Id, stoppingToken), () => Task.Delay(s_poll, _leaseClock, stoppingToken), stoppingToken)),
            .. _issuers.Values.Select(one => RepeatAsync(
                one.Issuer.Id, () => one.OwnAsync(_peers.Owners.PartsOf(one.Issuer.Id, _peers.Self), stoppingToken), () => Task.Delay(s_ownership, _leaseClock, stoppingToken), stoppingToken)),
            .. _directory.Issuers.Select(issuer => WorkAsync(issuer, _issuers.GetValueOrDefault(issuer.Id), stoppingToken)),
        ]).ConfigureAwait(false);
    }

    private async Task RepeatAsync(IssuerId issuer, Func<Task> action, Func<Task> pause, CancellationToken stoppingToken)
    {
        try
        {
            while (!stoppingToken.IsCancellationRequested)
            {
                try
                {
                    await action().ConfigureAwait(false);
                }
#pragma warning disable CA1031 // A fault in one round must not end the refreshing for as long as the process lives.
                catch (Exception e) when (!stoppingToken.IsCancellationRequested)
#pragma warning restore CA1031
                {
                    LogFault(issuer, e.Message, e);
                }

                await pause().ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The silo ends.
        }
    }

    private async Task PollAsync(IssuerId issuer, CancellationToken cancellationToken)
    {
        try
        {
            if (await _kept.ReadAsync(issuer, cancellationToken).ConfigureAwait(false) is { } run)
            {
                _runs.Take(issuer, run);
            }
        }
        catch (RevocationStoreException e)
        {
            LogNotPolled(issuer, e.Message);
        }
    }

    // Ten times a second where there is something to do, and once where there is not: a clock that a test moves by days goes through every one of them.
    private Task WorkAsync(Issuer issuer, IssuerRefresh? refresh, CancellationToken stoppingToken)
    {
        ResignRun? swept = null;
        Task woken = Task.CompletedTask;
        return RepeatAsync(issuer.Id, Work, Pause, stoppingToken);

        async Task Work()
        {
            woken = refresh?.Woken ?? s_never;
            if (_runs.Find(issuer.Id) is { } run && !ReferenceEquals(run, swept) && _clock.GetUtcNow() >= run.Before)
            {
                swept = run;
                Sweep(issuer, run);
            }

            if (refresh is not null)
            {
                await refresh.RunOnceAsync(stoppingToken).ConfigureAwait(false);
            }
        }

        async Task Pause()
        {
            bool isBusy = refresh?.IsBusy == true || !ReferenceEquals(_runs.Find(issuer.Id), swept);
            await woken.WaitAsync(isBusy ? RefreshScheduler.Tick : s_idle, _clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    // What this gateway has of before is no longer given to a client without asking, and its owners hear of it.
    private void Sweep(Issuer issuer, ResignRun run)
    {
        List<NotedAnswer> found = [];
        foreach ((Protocol.SerialNumber serial, CachedResponse cached) in _cache.All(issuer.Id).Where(one => one.Response.Response.ProducedAt < run.Before))
        {
            cached.IsMadeDue = true;
            if (cached is { IsDefault: true, Status: not null })
            {
                found.Add(NotedAnswer.Of(serial, cached.CertId.ToArray(), issuer.Policy, cached.Response));
            }
        }

        _feed.Note(issuer.Id, found);
    }

    private async Task<CertificateReply> AskAsync(CertificateKey key, CertificateQuestion question)
    {
        Task<CertificateReply> asked = _grains.GetGrain<ICertificateGrain>(key.ToString()).AnswerAsync(question with { MinPosition = _coherence.Find(key.Issuer)!.Coherence.Heard });
        asked.Ignore(); // when it is given up
        return await asked.WaitAsync(_deadline * 4, _leaseClock).ConfigureAwait(false); // nobody waits for it
    }

    // What every silo tells, and whether each did and every part is among it.
    private async Task<(SiloRefreshReport[] Told, bool IsWhole)> AskAllAsync(Func<IRefreshService, Task<SiloRefreshReport?>> ask, CancellationToken cancellationToken)
    {
        (bool Answered, SiloRefreshReport? Report)[] replies = await Task.WhenAll(_peers.Active.Select(AskOneAsync)).ConfigureAwait(false);
        SiloRefreshReport[] told = [.. replies.Select(reply => reply.Report).OfType<SiloRefreshReport>()];
        return (told, replies.All(reply => reply.Answered) && told.Sum(one => one.Parts) == SerialPartitions.Count);

        async Task<(bool, SiloRefreshReport?)> AskOneAsync(string silo)
        {
            try
            {
                Task<SiloRefreshReport?> asked = ask(_peers.ServiceOf(silo));
                asked.Ignore(); // when it is given up
                return (true, await asked.WaitAsync(_deadline, _leaseClock, cancellationToken).ConfigureAwait(false));
            }
#pragma warning disable CA1031 // Why a silo does not answer makes no difference: the others are told of, and nothing is called complete.
            catch (Exception e) when (!cancellationToken.IsCancellationRequested)
#pragma warning restore CA1031
            {
                LogNoAnswer(silo, e.Message);
                return (false, null);
            }
        }
    }

    private ResignProgress ToProgress(ResignRun run, SiloRefreshReport[] told, bool isWhole)
    {
        int total = told.Sum(one => one.Tracked + one.Resigned);
        int left = told.Sum(one => one.Run?.StartedAt == run.StartedAt ? one.ToResign : one.Tracked);
        if (left == 0 && (!isWhole || told.Any(one => !one.IsComplete) || _clock.GetUtcNow() < run.Before))
        {
            (left, total) = (1, total + 1); // parts that are just moving, or gateways that are not asked yet: there may be more
        }

        int done = total - left;
        TimeSpan elapsed = _clock.GetUtcNow() - run.StartedAt;
        return new ResignProgress(total, done, run.StartedAt, left == 0 ? TimeSpan.Zero : done == 0 || elapsed <= TimeSpan.Zero ? null : elapsed / done * left);
    }

    [LoggerMessage(145, LogLevel.Error, "Refreshing the answers of issuer {Issuer} met a fault: {Reason}")]
    private partial void LogFault(IssuerId issuer, string reason, Exception exception);

    [LoggerMessage(146, LogLevel.Debug, "Whether the answers of issuer {Issuer} are to be signed anew could not be read: {Reason}")]
    private partial void LogNotPolled(IssuerId issuer, string reason);

    [LoggerMessage(147, LogLevel.Debug, "The silo {Silo} does not tell how fresh its answers are: {Reason}")]
    private partial void LogNoAnswer(string silo, string reason);

    [LoggerMessage(148, LogLevel.Warning, "Issuer {Issuer}: all {Total} answers are signed anew by all silos together, {PerSecond} per second.")]
    private partial void LogResignAll(IssuerId issuer, int total, int perSecond);
}
