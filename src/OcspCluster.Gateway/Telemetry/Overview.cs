using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OcspCluster.Authority;

namespace OcspCluster.Gateway;

/// <summary>What the figures of all processes come to, at a moment. Immutable.</summary>
/// <param name="At">When.</param>
/// <param name="Sum">All of them together.</param>
/// <param name="Issuers">What there is of each issuer.</param>
/// <param name="Nodes">Those that told theirs, this process first.</param>
internal sealed record OverviewReading(DateTimeOffset At, FigureSum Sum, IReadOnlyList<OverviewIssuerView> Issuers, IReadOnlyList<NodeFigures> Nodes);

/// <summary>
/// The one page that tells operators how it stands: samples this process's figures every second, adds up those of all processes when somebody asks, and keeps a point of the past every ten. Thread-safe.
/// </summary>
internal sealed partial class Overview : BackgroundService
{
    /// <summary>How often figures are sampled, and readings are sent to those who watch.</summary>
    public static readonly TimeSpan Tick = TimeSpan.FromSeconds(1);

    private readonly NodeProbe _probe;
    private readonly NodeIdentity _identity;
    private readonly IOverviewPeers? _peers;
    private readonly IssuerDirectory _directory;
    private readonly IRevocationStore _store;
    private readonly TimeProvider _clock;
    private readonly ILogger<Overview> _log;
    private readonly Dictionary<IssuerId, DateTimeOffset> _lastEvents = []; // guarded by itself, with the position that it is of
    private readonly Dictionary<IssuerId, long> _lastPositions = [];
    private readonly Lock _lock = new();
    private Task<OverviewReading>? _reading; // the one under way or the last; guarded by _lock
    private long _readingBegan;
    private volatile IReadOnlyList<OverviewIssuerView> _lastIssuers = [];

    public Overview(
        NodeProbe probe, NodeIdentity identity, IssuerDirectory directory, IRevocationStore store, IServiceProvider services, TimeProvider clock, ILogger<Overview> log)
    {
        _probe = probe;
        _identity = identity;
        _peers = services.GetService<IOverviewPeers>(); // none where the process is alone
        _directory = directory;
        _store = store;
        _clock = clock;
        _log = log;
        History = new OverviewHistory(clock);
    }

    /// <summary>The last hours.</summary>
    public OverviewHistory History { get; }

    /// <summary>This process.</summary>
    public NodeIdentity Identity => _identity;

    /// <summary>The issuers at the last reading.</summary>
    public IReadOnlyList<OverviewIssuerView> LastIssuers => _lastIssuers;

    /// <summary>This process's figures alone, for the others.</summary>
    public Task<NodeFigures> ReadOwnAsync(CancellationToken cancellationToken) => _probe.ReadAsync(cancellationToken);

    /// <summary>A reading that is no older than this; whoever asks while one is taken shares it.</summary>
    public Task<OverviewReading> ReadAsync(TimeSpan maxAge, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_reading is null || (_reading.IsCompleted && (!_reading.IsCompletedSuccessfully || _clock.GetElapsedTime(_readingBegan) >= maxAge)))
            {
                _readingBegan = _clock.GetTimestamp();
                _reading = Task.Run(() => ReadAllAsync(CancellationToken.None), CancellationToken.None); // not with the token of the one who came first
            }

            return _reading.WaitAsync(cancellationToken);
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using PeriodicTimer timer = new(Tick, _clock);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
            {
                _probe.Sample();
                if (History.IsDue)
                {
                    await AddPointAsync(stoppingToken).ConfigureAwait(false);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The program ends.
        }
    }

    private async Task AddPointAsync(CancellationToken stoppingToken)
    {
        try
        {
            History.Add((await ReadAsync(Tick, stoppingToken).ConfigureAwait(false)).Sum.ToPoint());
        }
#pragma warning disable CA1031 // A point that cannot be taken is a gap; the next one is taken all the same.
        catch (Exception e) when (!stoppingToken.IsCancellationRequested)
#pragma warning restore CA1031
        {
            LogGap(e.Message, e);
        }
    }

    private async Task<OverviewReading> ReadAllAsync(CancellationToken cancellationToken)
    {
        Task<IReadOnlyList<(string Name, NodeFigures? Figures)>>? asked = _peers?.AskAsync(cancellationToken);
        NodeFigures own = await _probe.ReadAsync(cancellationToken).ConfigureAwait(false);
        OverviewIssuerView[] issuers = await Task.WhenAll(_directory.Issuers.OrderBy(issuer => issuer.Id.ToString(), StringComparer.Ordinal).Select(issuer => DescribeAsync(issuer, cancellationToken))).ConfigureAwait(false);
        _lastIssuers = issuers;
        DateTimeOffset now = _clock.GetUtcNow();
        IReadOnlyList<(string Name, NodeFigures? Figures)> others = asked is null ? [] : await asked.ConfigureAwait(false);
        return new OverviewReading(now, FigureSum.Of(own, others, now), issuers, [own, .. others.Select(other => other.Figures).OfType<NodeFigures>()]);
    }

    private async Task<OverviewIssuerView> DescribeAsync(Issuer issuer, CancellationToken cancellationToken)
    {
        StatusCountsView? counts = null;
        DateTimeOffset? lastEvent = null;
        long position = 0;
        try
        {
            position = await _store.GetPositionAsync(issuer.Id, cancellationToken).ConfigureAwait(false);
            StatusCounts count = await _store.CountAsync(issuer.Id, cancellationToken).ConfigureAwait(false);
            counts = new StatusCountsView(count.Good, count.Revoked, count.Held);
            lastEvent = await FindLastEventAsync(issuer.Id, position, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is RevocationStoreException or ObjectDisposedException)
        {
            LogStoreAway(issuer.Id, e.Message); // it is a finding, too
        }

        return new OverviewIssuerView(
            issuer.Id.ToString(), issuer.Certificates[0].Subject, counts, issuer.Credentials.Max(credential => (DateTimeOffset?)credential.NotAfter), lastEvent, position, PolicyView.Of(issuer.Policy));
    }

    // The journal is read for it where it has grown only.
    private async Task<DateTimeOffset?> FindLastEventAsync(IssuerId issuer, long position, CancellationToken cancellationToken)
    {
        lock (_lastEvents)
        {
            if (position == 0 || _lastPositions.GetValueOrDefault(issuer) == position)
            {
                return _lastEvents.TryGetValue(issuer, out DateTimeOffset known) ? known : null;
            }
        }

        await foreach (JournalEntry entry in _store.ReadJournalAsync(issuer, position - 1, cancellationToken).ConfigureAwait(false))
        {
            lock (_lastEvents)
            {
                _lastPositions[issuer] = position;
                _lastEvents[issuer] = entry.ReceivedAt;
            }

            return entry.ReceivedAt;
        }

        return null;
    }

    [LoggerMessage(70, LogLevel.Warning, "The overview has a gap: {Reason}")]
    private partial void LogGap(string reason, Exception exception);

    [LoggerMessage(71, LogLevel.Debug, "The overview lacks the counts of issuer {Issuer}: {Reason}")]
    private partial void LogStoreAway(IssuerId issuer, string reason);
}
