using Microsoft.Extensions.DependencyInjection;
using OcspCluster.Authority;

namespace OcspCluster.Gateway;

/// <summary>Looks at this process: what it counted, and what may be wrong with it. Thread-safe, but for <see cref="Sample"/>, which has one caller.</summary>
internal sealed class NodeProbe
{
    private readonly NodeIdentity _identity;
    private readonly IssuerDirectory _directory;
    private readonly RequestTally _requests;
    private readonly FeedTally _feed;
    private readonly ResponseFactory _factory;
    private readonly IRefreshControl _refresh;
    private readonly ClockGuard _guard;
    private readonly Deliveries _deliveries;
    private readonly RevocationSources _sources;
    private readonly JournalCheckpoints _checkpoints;
    private readonly IClusterOverview _cluster;
    private readonly ICertificateAnswers? _answers;
    private readonly CredentialWatch? _watch;
    private readonly AdminCertificate? _adminCertificate;
    private readonly HostFindings? _hostFindings;
    private readonly TimeProvider _clock;
    private readonly Lock _lock = new();
    private readonly FigureWindow _window; // guarded by _lock
    private IReadOnlyList<Finding> _findings = []; // guarded by _lock
    private DateTimeOffset _wellSince; // guarded by _lock

    public NodeProbe(
        NodeIdentity identity, IssuerDirectory directory, RequestTally requests, FeedTally feed, ResponseFactory factory, IRefreshControl refresh, ClockGuard guard, Deliveries deliveries,
        RevocationSources sources, JournalCheckpoints checkpoints, IClusterOverview cluster, IServiceProvider services, TimeProvider clock)
    {
        _identity = identity;
        _directory = directory;
        _requests = requests;
        _feed = feed;
        _factory = factory;
        _refresh = refresh;
        _guard = guard;
        _deliveries = deliveries;
        _sources = sources;
        _checkpoints = checkpoints;
        _cluster = cluster;
        _answers = services.GetService<ICertificateAnswers>(); // none where the process keeps the statuses itself
        _watch = services.GetService<CredentialWatch>(); // the hosts', and embedded responders have none
        _adminCertificate = services.GetService<AdminCertificate>();
        _hostFindings = services.GetService<HostFindings>();
        _clock = clock;
        _window = new FigureWindow(clock, ReadTotals(_feed.LongestPublication));
        _wellSince = clock.GetUtcNow();
    }

    /// <summary>The store as it was last looked at; null before the first look.</summary>
    public StoreView? Store { get; private set; }

    /// <summary>What was wrong at the last look.</summary>
    public IReadOnlyList<Finding> Findings
    {
        get
        {
            lock (_lock)
            {
                return _findings;
            }
        }
    }

    /// <summary>Whether answers are signed by the clock now.</summary>
    public bool IsClockSound => _guard.State == ClockState.Sound;

    /// <summary>Whether the cache of an issuer may be believed now.</summary>
    public bool HasLease(IssuerId issuer) => _answers?.HasLease(issuer) != false;

    /// <summary>Whether there are keys of an issuer in this process and none of them signs now.</summary>
    public bool IsSignerDown(Issuer issuer)
    {
        SignerCondition[] signers = FindSigners(issuer, _clock.GetUtcNow());
        return signers.Length > 0 && signers.All(signer => signer.IsFailing);
    }

    /// <summary>Keeps the totals of this second.</summary>
    public void Sample()
    {
        lock (_lock)
        {
            _window.Add(ReadTotals(_feed.TakeLongestPublication()));
        }
    }

    /// <summary>The figures now.</summary>
    public async Task<NodeFigures> ReadAsync(CancellationToken cancellationToken)
    {
        StoreView store = Store = await _cluster.DescribeStoreAsync(cancellationToken).ConfigureAwait(false);
        IssuerCondition[] issuers = [.. _directory.Issuers.Select(LookAt)];
        lock (_lock)
        {
            Totals now = ReadTotals(_feed.LongestPublication);
            Totals recent = _window.Before(now, FigureWindow.RateSpan);
            Totals minute = _window.Before(now, FigureWindow.PercentileSpan);
            long[] answers = FigureWindow.Difference(minute.Answers, now.Answers);
            NodeCondition condition = new(
                _clock.GetUtcNow(), store, _guard.Problem, issuers, [.. _deliveries.Lanes.Select(LookAt).OfType<DeliveryCondition>()], _sources.Warnings, _feed.Lag, answers.Sum(), CountFailed(answers),
                _adminCertificate?.Errors ?? []);
            Note([.. FindingRules.Find(condition), .. _hostFindings?.Find() ?? []], condition.Now);
            return new NodeFigures
            {
                Name = _identity.Name,
                Role = _identity.Role,
                AnswersPerSecond = [.. FigureWindow.Difference(recent.Answers, now.Answers).Select(count => _window.RateOf(count, recent, now))],
                Latency = FigureWindow.Difference(minute.Latency, now.Latency),
                SignaturesPerSecond = _window.RateOf(now.Signatures - recent.Signatures, recent, now),
                SigningQueue = _directory.Issuers.SelectMany(issuer => issuer.Credentials).Distinct().Sum(credential => _factory.StateOf(credential).Waiting),
                EventsPerSecond = _window.RateOf(now.Events - recent.Events, recent, now),
                Acknowledgements = FigureWindow.Difference(minute.Acknowledgements, now.Acknowledgements),
                StalenessBound = _window.LongestPublication(now)?.TotalSeconds,
                FeedLag = _feed.Lag.TotalSeconds,
                BudgetPerSecond = issuers.Sum(issuer => (double)issuer.SignaturesPerSecond),
                Backlog = issuers.Sum(issuer => (long)issuer.Backlog),
                FirstExpiry = condition.Now + issuers.Min(issuer => issuer.TimeToFirstExpiry),
                MemoryBytes = Environment.WorkingSet,
                Findings = _findings,
                WellSince = _wellSince,
                Deliveries = [.. _deliveries.Lanes.Where(lane => lane.Report.HeldBy is null).Select(lane => new DeliveryFigures(
                    lane.Receiver.Options.Name, lane.Receiver.Kind, lane.Issuer.ToString(), lane.Report.Position, lane.LagEntries, lane.Report.FailingSince))],
            };
        }
    }

    /// <summary>Of all answers by result and source, those that were tryLater or internalError.</summary>
    private static long CountFailed(long[] answers)
    {
        int sources = answers.Length / RequestTally.ResultCount;
        long failed = 0;
        for (int result = 0; result < RequestTally.ResultCount; result++)
        {
            if (RequestTally.AnswerOf(result) is "tryLater" or "internalError")
            {
                failed += answers.AsSpan(result * sources, sources).ToArray().Sum();
            }
        }

        return failed;
    }

    private Totals ReadTotals(TimeSpan? longestPublication) => new(
        _clock.GetTimestamp(), _requests.ReadAnswers(), _requests.Latency.Read(), _factory.Signatures, _feed.Applied, _feed.Acknowledgements.Read(), longestPublication);

    // A finding is as old as the first that was like it without a break.
    private void Note(IReadOnlyList<Finding> found, DateTimeOffset now)
    {
        if (found.Count == 0 && _findings.Count > 0)
        {
            _wellSince = now;
        }

        _findings = [.. found.Select(finding => finding with { Since = _findings.FirstOrDefault(before => before.IsSameAs(finding))?.Since ?? now })];
    }

    private IssuerCondition LookAt(Issuer issuer)
    {
        RefreshReport? refresh = _refresh.DescribeOwn(issuer);
        DateTimeOffset now = _clock.GetUtcNow();
        CheckpointProblem? checkpoint = _checkpoints.FindProblem(issuer.Id);
        return new IssuerCondition(
            issuer.Id,
            issuer.Policy,
            refresh?.Backlog ?? 0,
            refresh?.SignaturesPerSecond ?? 0,
            refresh?.TimeToFirstExpiry,
            refresh?.IsResting == true,
            FindSigners(issuer, now),
            CredentialRules.CoveredUntil(issuer.Credentials, now, issuer.Policy.Validity),
            issuer.Credentials.Max(credential => (DateTimeOffset?)credential.NotAfter),
            HasLease(issuer.Id),
            checkpoint is { IsFork: true } ? checkpoint.Reason : null,
            checkpoint is { IsFork: false } ? checkpoint.Reason : null,
            _watch?.Find(issuer.Id)?.Errors ?? []);
    }

    private SignerCondition[] FindSigners(Issuer issuer, DateTimeOffset now) =>
        [.. issuer.Credentials.Where(credential => credential.Signer.HasKey && credential.NotBefore <= now && now <= credential.NotAfter)
            .Select(credential => new SignerCondition(credential.Certificate.Subject, _factory.StateOf(credential).IsFailing, _factory.LastFailureOf(credential)?.Reason))];

    private static DeliveryCondition? LookAt(DeliveryLane lane) =>
        lane.Report.HeldBy is null && (lane.Report.PausedBecause is not null || lane.Lag > lane.Receiver.Options.WarnAfter)
            ? new DeliveryCondition(lane.Receiver.Options.Name, lane.Receiver.Kind, lane.Issuer, lane.LagEntries, lane.Lag, lane.Report.PausedBecause, lane.Report.LastFailure)
            : null;
}

/// <summary>What the host finds wrong, beside what the gateway knows.</summary>
/// <param name="Find">Finds it.</param>
internal sealed record HostFindings(Func<IReadOnlyList<Finding>> Find);
