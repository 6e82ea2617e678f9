using System.Diagnostics.Metrics;
using OcspCluster.Authority;
using OcspCluster.Gateway;
using OcspCluster.Protocol;
using OcspCluster.Silo.Certificates;

namespace OcspCluster.Silo.Refresh;

// A silo's parts of an issuer's certificates, kept fresh (docs/decisions/0023)
//
//     actors: given to a gateway ──→ RefreshSchedule ──due, within this silo's share of the pace──→ the certificate's actor ──→ signed, kept, due again later
//     what is kept in Redis ───────→        ↑                                                            └ holds a newer one: nothing is signed
//     the journal, with Presign.All →        ↑
//     publications: ChangeStatus ──→        ┘
//
// All of it can be lost: what is kept in Redis, and the journal, tell it anew (IssuerRefresh.Parts.cs). Two silos that take themselves for the owner of a part cost calls, and no signature.

/// <summary>Keeps the answers fresh that this silo owns of one issuer. Thread-safe.</summary>
internal sealed partial class IssuerRefresh : IDisposable
{
    private const int MostAtOnce = 16;
    private const int FailuresToRest = 5;
    private static readonly TimeSpan s_postponement = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan s_firstRest = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_longestRest = TimeSpan.FromMinutes(1);

    private readonly Func<int, bool> _owns;
    private readonly Func<CertificateKey, CertificateQuestion, Task<CertificateReply>> _ask;
    private readonly ResignRuns _runs;
    private readonly TimeProvider _clock;
    private readonly ILogger _log;
    private readonly CertIdForms _forms = new();
    private readonly RefreshSchedule _schedule;
    private readonly RefreshPace _pace; // guarded by _turn
    private readonly TimeSpan _resolution;
    private readonly TimeSpan _period;
    private readonly byte[] _presignForms;
    private readonly Lock _turn = new(); // of the workers: the pace, what is taken next, and the rest
    private readonly Meter _meter;
    private readonly Counter<long> _counter;
    private volatile TaskCompletionSource _woken = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ResignRun? _marked; // the re-signing that every tracked answer was marked for
    private int _resigned;
    private long _restUntil;
    private TimeSpan _rest = s_firstRest;
    private int _failures;
    private long _signatures;

    /// <summary>Begins with no part.</summary>
    /// <param name="issuer">Whose answers.</param>
    /// <param name="owns">Whether a part is this silo's by now: it may be so before <see cref="OwnAsync"/> has taken it.</param>
    /// <param name="ask">Asks a certificate's actor.</param>
    /// <param name="sources">Where the answers and certificates of a part are found.</param>
    /// <param name="runs">The re-signing that is to be done.</param>
    /// <param name="clock">The clock of what is signed.</param>
    /// <param name="log">Hears of outages.</param>
    public IssuerRefresh(
        Issuer issuer, Func<int, bool> owns, Func<CertificateKey, CertificateQuestion, Task<CertificateReply>> ask, PartSources sources, ResignRuns runs, TimeProvider clock, ILogger log)
    {
        Issuer = issuer;
        _owns = owns;
        _ask = ask;
        _sources = sources;
        _runs = runs;
        _clock = clock;
        _log = log;
        DateTimeOffset epoch = DateTimeOffset.UnixEpoch;
        TimeSpan onDemand = RefreshRules.DueOnDemandAt(issuer.Policy, epoch, epoch + issuer.Policy.Validity - TimeSpan.FromSeconds(1)) - epoch;
        _period = onDemand * (1 - (RefreshRules.Spread / 2));
        _resolution = TimeSpan.FromSeconds(Math.Max(1, Math.Floor(onDemand.TotalSeconds / 2048)));
        _schedule = new RefreshSchedule(_resolution, RefreshScheduler.DefaultCapacity);
        _pace = new RefreshPace(issuer.Policy.RefreshSignaturesPerSecond, clock) { Share = 0 };
        _presignForms = [.. issuer.Policy.PresignHashes.Select(hash => _forms.NumberOf(CertId.Create(issuer.Certificates[0], SerialNumber.FromInteger(1), hash).Encoded.Span)!.Value)];

        // The same instruments as RefreshScheduler has: this silo's part of each.
        _meter = new Meter("OcspCluster.Refresh", version: null, [new("issuer", issuer.Id.ToString())], scope: this);
        _counter = _meter.CreateCounter<long>("ocsp.refresh.signatures", "{signature}", "Answers signed before a client found them due");
        _meter.CreateObservableGauge("ocsp.refresh.tracked", () => _schedule.Count, "{answer}", "Answers that are kept fresh");
        _meter.CreateObservableGauge("ocsp.refresh.backlog", () => _schedule.Backlog, "{answer}", "Answers that are due and not yet signed");
        _meter.CreateObservableGauge("ocsp.refresh.untracked", () => _schedule.Refused, "{answer}", "Answers that found no place in the schedule and are signed on demand");
        _meter.CreateObservableGauge<double>("ocsp.refresh.time_to_first_expiry", ObserveTimeToFirstExpiry, "s", "Until the first of the last answers ends; negative when it has");
    }

    /// <summary>Whose answers.</summary>
    public Issuer Issuer { get; }

    /// <summary>Whether there is something to do before long.</summary>
    public bool IsBusy => _schedule.Backlog > 0 || !ReferenceEquals(_runs.Find(Issuer.Id), Volatile.Read(ref _marked));

    /// <summary>Completes when something came up that should not wait. Take it before looking.</summary>
    public Task Woken => _woken.Task;

    private bool IsResting => _clock.GetTimestamp() < Volatile.Read(ref _restUntil);

    /// <summary>How the parts of this silo are doing.</summary>
    public SiloRefreshReport Describe()
    {
        ResignRun? run = _runs.Find(Issuer.Id);
        int tracked = _schedule.Count;
        int toResign = run is null ? 0 : ReferenceEquals(run, Volatile.Read(ref _marked)) ? Math.Min(tracked, _schedule.ToResign) : tracked;
        return new SiloRefreshReport(
            OwnedParts, PaceOf(run, toResign), tracked, _schedule.Backlog, _schedule.Refused, _schedule.FirstEnd, IsResting, _isComplete, Interlocked.Read(ref _signatures), run, toResign, Volatile.Read(ref _resigned));
    }

    /// <summary>A gateway was given an answer, or has one.</summary>
    public void Note(NotedAnswer answer)
    {
        bool isToResign = _runs.IsMeant(Issuer.Id, answer.ProducedAt, _clock.GetUtcNow());
        if ((Issuer.Policy.Presign == Presign.OnDemand && !isToResign) || !_owns(SerialPartitions.Of(answer.Serial)) || _forms.NumberOf(answer.CertId) is not byte form)
        {
            return;
        }

        if (!isToResign || !_schedule.IsTracked(answer.Serial, form))
        {
            _schedule.Track(answer.Serial, form, new AnswerTimes(answer.DueAt, answer.LatestAt, answer.NextUpdate), idlePeriods: 0);
        }

        if (isToResign)
        {
            _schedule.Resign(answer.Serial, form);
        }
    }

    /// <summary>Statuses changed, and no gateway gives older answers: these come first.</summary>
    public void Announce(IEnumerable<SerialNumber> serials)
    {
        foreach (SerialNumber serial in serials)
        {
            _schedule.ChangeStatus(serial);
        }

        Wake();
    }

    /// <summary>Has it look at once.</summary>
    public void Wake() => Interlocked.Exchange(ref _woken, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();

    /// <summary>Has what is due signed, as far as the pace lets it now. For one caller at a time.</summary>
    public async Task RunOnceAsync(CancellationToken cancellationToken)
    {
        ResignRun? run = _runs.Find(Issuer.Id);
        if (run is not null && !ReferenceEquals(run, _marked) && _clock.GetUtcNow() >= run.Before)
        {
            Volatile.Write(ref _resigned, 0);
            int toResign = _schedule.ResignAll();
            Volatile.Write(ref _marked, run);
            LogResigns(Issuer.Id, toResign, run.StartedAt);
        }

        lock (_turn)
        {
            _pace.PerSecond = PaceOf(run, _schedule.ToResign);
            _pace.Share = (double)OwnedParts / SerialPartitions.Count;
        }

        if (TakeNext() is DueAnswer first)
        {
            int helpers = Math.Min(MostAtOnce - 1, _schedule.Backlog);
            await Task.WhenAll([WorkAsync(first, cancellationToken), .. Enumerable.Range(0, helpers).Select(_ => WorkAsync(TakeNext(), cancellationToken))]).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();

    private int PaceOf(ResignRun? run, int toResign) => run is not null && toResign > 0 ? run.SignaturesPerSecond : Issuer.Policy.RefreshSignaturesPerSecond;

    private async Task WorkAsync(DueAnswer? taken, CancellationToken cancellationToken)
    {
        for (; taken is DueAnswer due && !cancellationToken.IsCancellationRequested; taken = TakeNext())
        {
            await RefreshAsync(due).ConfigureAwait(false);
        }
    }

    private DueAnswer? TakeNext()
    {
        lock (_turn)
        {
            if (IsResting || _pace.Share == 0 || !_pace.TryTake())
            {
                return null;
            }

            while (_schedule.TryTake(_clock.GetUtcNow(), wasAsked: null, out DueAnswer due))
            {
                if (due.Priority == RefreshPriority.NewlyRevoked || due.IsToResign || Issuer.Policy.Presign == Presign.All || due.IdlePeriods * _period <= Issuer.Policy.AskedWithin)
                {
                    return due;
                }

                _schedule.Untrack(due.Serial, due.Form); // nobody asked for long: the next request has it signed
            }

            _pace.Return();
            return null;
        }
    }

    private async Task RefreshAsync(DueAnswer due)
    {
        DateTimeOffset dueBy = _clock.GetUtcNow() + _resolution; // it may come up so early
        DateTimeOffset? newerThan = due.IsToResign ? Volatile.Read(ref _marked)?.Before - TimeSpan.FromSeconds(1) : null;
        CertificateReply reply;
        try
        {
            reply = await _ask(new CertificateKey(Issuer.Id, due.Serial), new CertificateQuestion(_forms.Encode(due.Form, due.Serial), Preferred: null, newerThan, MinPosition: 0, dueBy)).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // A silo that was lost, a store that is away: whatever it is, this one comes up again later.
        catch (Exception e)
#pragma warning restore CA1031
        {
            LogFailed(Issuer.Id, due.Serial, e.Message);
            Conclude(() =>
            {
                _schedule.Postpone(due, _clock.GetUtcNow() + s_postponement);
                if (++_failures >= FailuresToRest)
                {
                    Rest(e.Message);
                }
            });
            return;
        }

        if (!_owns(SerialPartitions.Of(due.Serial)))
        {
            return; // it was lost meanwhile
        }

        if (reply.Response is { } response && AnswerTimes.Of(Issuer.Policy, due.Serial, response) is var times && times.DueAt > dueBy && !(response.ProducedAt <= newerThan))
        {
            Interlocked.Increment(ref _signatures);
            _counter.Add(1);
            if (Issuer.Policy.Presign == Presign.OnDemand)
            {
                Interlocked.Increment(ref _resigned);
                _schedule.Untrack(due.Serial, due.Form); // it was here for a re-signing only
            }
            else
            {
                _schedule.Track(due.Serial, due.Form, times, due.IdlePeriods + 1);
            }

            Conclude(Succeed);
        }
        else if (reply.Response is null && reply.Failure == SigningFailure.None)
        {
            _schedule.Untrack(due.Serial, due.Form); // there is nothing to be said of it any more
        }
        else
        {
            _schedule.GiveBack(due); // nobody could sign: it would be the same with the next one
            Conclude(() => Rest(reply.Reason));
        }
    }

    private void Conclude(Action action)
    {
        lock (_turn)
        {
            action();
        }
    }

    private void Succeed()
    {
        if (_rest != s_firstRest)
        {
            LogGoesOn(Issuer.Id, _schedule.Backlog);
        }

        _failures = 0;
        _rest = s_firstRest;
    }

    private void Rest(string reason)
    {
        if (IsResting)
        {
            return; // several failed at once
        }

        if (_rest == s_firstRest)
        {
            LogRests(Issuer.Id, _schedule.Backlog, reason);
        }

        Volatile.Write(ref _restUntil, _clock.GetTimestamp() + (long)(_rest.TotalSeconds * _clock.TimestampFrequency));
        _rest = _rest * 2 < s_longestRest ? _rest * 2 : s_longestRest;
    }

    private Measurement<double>[] ObserveTimeToFirstExpiry() => _schedule.FirstEnd is { } end ? [new Measurement<double>((end - _clock.GetUtcNow()).TotalSeconds)] : [];

    [LoggerMessage(141, LogLevel.Debug, "The answer for certificate {Serial} of issuer {Issuer} could not be refreshed and is tried again: {Reason}")]
    private partial void LogFailed(IssuerId issuer, SerialNumber serial, string reason);

    [LoggerMessage(142, LogLevel.Warning, "Answers of issuer {Issuer} cannot be kept fresh for now, {Backlog} are due; those that are signed are given on: {Reason}")]
    private partial void LogRests(IssuerId issuer, int backlog, string reason);

    [LoggerMessage(143, LogLevel.Information, "Answers of issuer {Issuer} are signed again: {Backlog} are due.")]
    private partial void LogGoesOn(IssuerId issuer, int backlog);

    [LoggerMessage(144, LogLevel.Information, "Issuer {Issuer}: {Total} answers of this silo's parts are signed anew, as was asked at {StartedAt:u}.")]
    private partial void LogResigns(IssuerId issuer, int total, DateTimeOffset startedAt);
}
