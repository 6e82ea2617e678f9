namespace OcspCluster.Conformance;

/// <summary>How much load there is.</summary>
public sealed record HistoryLoad
{
    /// <summary>Everything by chance follows from it.</summary>
    public required int Seed { get; init; }

    /// <summary>Relying parties that ask at full rate.</summary>
    public int OcspClients { get; init; } = 6;

    /// <summary>CAs that tell events.</summary>
    public int FeedClients { get; init; } = 4;

    /// <summary>What must stay seen.</summary>
    public SeenStays SeenStays { get; init; } = SeenStays.Everywhere;

    /// <summary>How long each gateway may take to serve again when the load is over.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How many of the serials are asked about once more at each gateway when the load is over, the latest first.</summary>
    public int LastQuestions { get; init; } = 2000;
}

/// <summary>Loads a host with questions and events, lets faults strike, and judges what was recorded. For one task at a time.</summary>
public sealed class HistoryRun : IDisposable
{
    private readonly IHistoryHost _host;
    private readonly HistoryLoad _load;
    private readonly HistoryApi _api;
    private readonly GatewayTally[] _tallies;
    private readonly HistoryOcspClient[] _asking;
    private readonly HistoryFeedClient[] _feeding;
    private readonly List<StruckFault> _faults = [];
    private readonly LongestGap _acknowledgements = new();
    private readonly List<HistoryViolation> _noService = [];
    private TimeSpan _loaded;
    private int _serials;

    /// <summary>Of a host that answers already.</summary>
    public HistoryRun(IHistoryHost host, HistoryLoad load)
    {
        ArgumentNullException.ThrowIfNull(host);
        ArgumentNullException.ThrowIfNull(load);
        (_host, _load) = (host, load);
        Workload = new HistoryWorkload(load.Seed, TimeProvider.System.GetUtcNow());
        _api = new HistoryApi(host, Workload);
        _tallies = [.. host.Gateways.Select(gateway => new GatewayTally(gateway.Name))];
        _asking = [.. Enumerable.Range(0, load.OcspClients).Select(i => new HistoryOcspClient(host, i % host.Gateways.Count, History, Workload, _tallies, Workload.RandomOf($"asks {i}")))];
        _feeding = [.. Enumerable.Range(0, load.FeedClients).Select(i => new HistoryFeedClient(
            host, i % host.Gateways.Count, _api, History, Workload, _tallies, _acknowledgements, Workload.RandomOf($"feeds {i}"), () => Interlocked.Increment(ref _serials) - 1))];
    }

    /// <summary>What is recorded.</summary>
    public RevocationHistory History { get; } = new();

    /// <summary>The serials and events.</summary>
    public HistoryWorkload Workload { get; }

    /// <summary>The whole of it: load with the host's faults, and the report.</summary>
    public static async Task<HistoryReport> RunAsync(IHistoryHost host, HistoryLoad load, TimeSpan length)
    {
        ArgumentNullException.ThrowIfNull(host);
        using HistoryRun run = new(host, load);
        await run.LoadAsync(length, host.PlanFaults(run.Workload.RandomOf("faults"), length));
        return await run.FinishAsync();
    }

    /// <summary>Asks and feeds for some time, while the faults strike at theirs.</summary>
    public async Task LoadAsync(TimeSpan length, params IReadOnlyList<HistoryFault> faults)
    {
        using CancellationTokenSource stop = new(length);
        await LoadAsync(stop.Token, faults);
    }

    /// <summary>Asks and feeds until told to stop, while the faults strike at their times; one that has begun is waited for.</summary>
    public async Task LoadAsync(CancellationToken stop, params IReadOnlyList<HistoryFault> faults)
    {
        long began = History.Now;
        foreach (GatewayTally tally in _tallies)
        {
            tally.Gap.Begin(began);
        }

        _acknowledgements.Begin(began);

        await Task.WhenAll([
            .. _asking.Select(client => Task.Run(() => client.RunAsync(() => Volatile.Read(ref _serials), stop), CancellationToken.None)),
            .. _feeding.Select(client => Task.Run(() => client.RunAsync(stop), CancellationToken.None)),
            StrikeAsync(faults, began, stop),
        ]);
        CloseFault();
        foreach (LongestGap gap in _tallies.Select(tally => tally.Gap).Append(_acknowledgements))
        {
            gap.End();
        }

        _loaded += TimeSpan.FromTicks(History.Now - began);
    }

    /// <summary>The journal as one gateway gives it; null when it does not in time.</summary>
    public async Task<IReadOnlyList<JournalLine>?> ReadJournalAsync(int gateway = 0, long after = 0)
    {
        IReadOnlyList<JournalLine>? journal = null;
        _ = await WaitForAsync(async () => (journal = await _api.ReadJournalAsync(_host.Gateways[gateway], after)) is not null);
        return journal;
    }

    /// <summary>Hears the outcome of everything that was sent.</summary>
    /// <returns>Whether every client has.</returns>
    public async Task<bool> SettleAsync()
    {
        bool isSettled = true;
        for (int gateway = 0; gateway < _tallies.Length; gateway++)
        {
            foreach (HistoryFeedClient client in _feeding)
            {
                int one = gateway;
                isSettled &= await WaitForAsync(() => client.SettleAsync(one), HistoryViolationKind.NoService, $"{_tallies[gateway].Name} did not take events within {_load.Patience} after the load.");
            }
        }

        return isSettled;
    }

    /// <summary>When the load is over: every outcome is heard, every gateway asked once more about the serials, every journal read, and all of it judged.</summary>
    public async Task<HistoryReport> FinishAsync()
    {
        await SettleAsync();
        List<IReadOnlyList<JournalLine>> journals = [];
        for (int gateway = 0; gateway < _tallies.Length; gateway++)
        {
            await AskOnceMoreAsync(gateway);
            if (await ReadJournalAsync(gateway) is { } journal)
            {
                journals.Add(journal);
            }
            else
            {
                _noService.Add(new HistoryViolation(HistoryViolationKind.NoService, History.Now, $"{_tallies[gateway].Name} did not give its journal within {_load.Patience} after the load."));
            }
        }

        IReadOnlyList<HistoryViolation> violations = journals.Count == 0 ? [] : new HistoryChecker(History, Workload) { SeenStays = _load.SeenStays }.Check([.. journals]);
        return new HistoryReport
        {
            Seed = _load.Seed,
            Load = _loaded,
            Gateways = _tallies,
            Faults = _faults,
            Events = History.Events.Count(),
            Acknowledged = History.Events.Count(told => told.Acknowledgements.Count > 0),
            Serials = _serials,
            Verified = _asking.Sum(client => client.Verified),
            JournalEntries = journals.Count == 0 ? 0 : journals[0].Count,
            Violations = [.. violations, .. _noService],
        };
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _api.Dispose();
        foreach (HistoryOcspClient client in _asking)
        {
            client.Dispose();
        }
    }

    private async Task AskOnceMoreAsync(int gateway)
    {
        for (int serial = _serials - 1; serial >= Math.Max(0, _serials - _load.LastQuestions); serial--)
        {
            int asked = serial;
            if (!await WaitForAsync(
                async () => await _asking[0].AskAsync(gateway, asked, form: asked % 2, byGet: asked % 3 == 0) == QuestionOutcome.Answered,
                HistoryViolationKind.NoService,
                $"{_tallies[gateway].Name} did not answer about serial #{serial} within {_load.Patience} after the load."))
            {
                return;
            }
        }
    }

    private async Task StrikeAsync(IReadOnlyList<HistoryFault> faults, long began, CancellationToken stop)
    {
        foreach (HistoryFault fault in faults.OrderBy(fault => fault.At))
        {
            await HistoryPause.UntilAsync(fault.At - TimeSpan.FromTicks(History.Now - began), stop);
            if (stop.IsCancellationRequested)
            {
                return;
            }

            CloseFault();
            long at = History.Now;
            foreach (LongestGap gap in _tallies.Select(tally => tally.Gap).Append(_acknowledgements))
            {
                gap.Mark(at);
            }

            long questions = _tallies.Sum(tally => tally.Questions);
            long answered = _tallies.Sum(tally => tally[QuestionOutcome.Answered]);
            await fault.StrikeAsync(stop);
            _faults.Add(new StruckFault(
                fault.Name, at, History.Now, _tallies.Sum(tally => tally.Questions) - questions, _tallies.Sum(tally => tally[QuestionOutcome.Answered]) - answered, [], 0));
        }
    }

    // What a fault does to the service may show when the fault itself is over: it counts until the next one.
    private void CloseFault()
    {
        if (_faults is [.., { Gaps.Count: 0 } last])
        {
            _faults[^1] = last with { Gaps = [.. _tallies.Select(tally => tally.Gap.SinceMark(History.Now))], AcknowledgementGap = _acknowledgements.SinceMark(History.Now) };
        }
    }

    private async Task<bool> WaitForAsync(Func<Task<bool>> isDone, HistoryViolationKind kind = HistoryViolationKind.NoService, string? otherwise = null)
    {
        using CancellationTokenSource late = new(_load.Patience);
        while (!await isDone())
        {
            if (late.IsCancellationRequested)
            {
                if (otherwise is not null)
                {
                    _noService.Add(new HistoryViolation(kind, History.Now, otherwise));
                }

                return false;
            }

            await HistoryPause.AfterFailureAsync(late.Token);
        }

        return true;
    }
}
