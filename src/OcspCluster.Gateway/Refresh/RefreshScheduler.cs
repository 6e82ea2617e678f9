using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using OcspCluster.Authority;
using OcspCluster.Protocol;

namespace OcspCluster.Gateway;

// What keeps answers fresh
//
//     ResponseCache.Stored ─────────────→ RefreshSchedule (serial + form → due) ──TryTake──→ OcspResponder.RefreshAsync ──→ ResponseCache
//     certificates, with Presign.All ───→         ↑                                │ several at a time, within the pace
//     publications: ChangeStatus ───────→         └──── signed: due again later ───┘ failed: given back; the scheduler rests
//
// As many answers are signed at a time as the signer makes at once (cores, or an HSM's sessions), within the pace: the signer's queue is in order of arrival, so a request
// that needs a signature waits for no more than one of ours. What is due stays in the cache and is given on until the newer one is there; a signer that is away costs nothing but time, and what came due meanwhile is signed in the order of RefreshPriority when it is back.

/// <summary>Signs the answers of one issuer before clients find them due, at a steady pace. Thread-safe.</summary>
public sealed partial class RefreshScheduler : IDisposable
{
    /// <summary>How often it looks for what is due.</summary>
    public static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(100);

    /// <summary>Answers of an issuer that are tracked at most: half a gigabyte.</summary>
    internal const int DefaultCapacity = 10_000_000;

    private const int FailuresToRest = 5;
    private static readonly TimeSpan s_firstRest = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_longestRest = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan s_postponement = TimeSpan.FromMinutes(1);

    private readonly ResponseCache _cache;
    private readonly OcspResponder _responder;
    private readonly TimeProvider _clock;
    private readonly ILogger _log;
    private readonly IRevocationStore? _store;
    private readonly CertIdForms _forms = new();
    private readonly RefreshSchedule _schedule;
    private readonly RefreshPace _pace;
    private readonly TimeSpan _period;
    private readonly byte[] _presignForms;
    private readonly Lock _turn = new(); // of the workers: the pace, what is taken next, and the rest
    private readonly Meter _meter;
    private readonly Counter<long> _signatures;
    private readonly Lock _resignLock = new();
    private (int Total, DateTimeOffset StartedAt, long Timestamp)? _resign;
    private long _restUntil;
    private TimeSpan _rest = s_firstRest;
    private int _failures;
    private long _signed;

    /// <summary>Makes a scheduler; <see cref="RefreshSchedulers"/> runs it.</summary>
    /// <param name="issuer">Whose answers.</param>
    /// <param name="cache">Where they are.</param>
    /// <param name="responder">Signs them.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="log">Hears of outages.</param>
    /// <param name="store">Tells all certificates; needed for <see cref="Presign.All"/>.</param>
    /// <param name="capacity">The most answers that are tracked.</param>
    /// <param name="kept">Has the answers of before the start.</param>
    /// <exception cref="ArgumentException">Everything is to be presigned, and there is no store.</exception>
    public RefreshScheduler(
        Issuer issuer, ResponseCache cache, OcspResponder responder, TimeProvider clock, ILogger log, IRevocationStore? store = null, int capacity = DefaultCapacity,
        KeptResponses? kept = null)
    {
        ArgumentNullException.ThrowIfNull(issuer);
        ArgumentNullException.ThrowIfNull(cache);
        if (issuer.Policy.Presign == Presign.All && store is null)
        {
            throw new ArgumentException($"Issuer '{issuer.Id}' has Presign All, but its certificates are not in a store that could tell them: take Asked.", nameof(store));
        }

        Issuer = issuer;
        _cache = cache;
        _responder = responder;
        _clock = clock;
        _log = log;
        _store = store;
        _kept = kept;
        _isKeptRead = issuer.Policy.Presign != Presign.All || kept is null;
        _areCertificatesRead = issuer.Policy.Presign != Presign.All;
        DateTimeOffset epoch = DateTimeOffset.UnixEpoch;
        TimeSpan onDemand = RefreshRules.DueOnDemandAt(issuer.Policy, epoch, epoch + issuer.Policy.Validity - TimeSpan.FromSeconds(1)) - epoch;
        _period = onDemand * (1 - (RefreshRules.Spread / 2));
        _schedule = new RefreshSchedule(onDemand / 2048, capacity);
        _pace = new RefreshPace(issuer.Policy.RefreshSignaturesPerSecond, clock);
        _presignForms = [.. issuer.Policy.PresignHashes.Select(hash => _forms.NumberOf(CertId.Create(issuer.Certificates[0], SerialNumber.FromInteger(1), hash).Encoded.Span)!.Value)];

        KeyValuePair<string, object?>[] tags = [new("issuer", issuer.Id.ToString())];
        _meter = new Meter("OcspCluster.Refresh", version: null, tags);
        _signatures = _meter.CreateCounter<long>("ocsp.refresh.signatures", "{signature}", "Answers signed before a client found them due");
        _meter.CreateObservableGauge("ocsp.refresh.tracked", () => Tracked, "{answer}", "Answers that are kept fresh");
        _meter.CreateObservableGauge("ocsp.refresh.backlog", () => Backlog, "{answer}", "Answers that are due and not yet signed");
        _meter.CreateObservableGauge("ocsp.refresh.untracked", () => Untracked, "{answer}", "Answers that found no place in the schedule and are signed on demand");
        _meter.CreateObservableGauge<double>("ocsp.refresh.time_to_first_expiry", ObserveTimeToFirstExpiry, "s", "Until the first of the last answers ends; negative when it has");
        cache.Stored += OnStored;
    }

    /// <summary>Whose answers.</summary>
    public Issuer Issuer { get; }

    /// <summary>How many answers are kept fresh.</summary>
    public int Tracked => _schedule.Count;

    /// <summary>How many are due and not yet signed.</summary>
    public int Backlog => _schedule.Backlog;

    /// <summary>How many found no place and are signed on demand.</summary>
    public long Untracked => _schedule.Refused;

    /// <summary>How many were signed here.</summary>
    public long Signatures => Interlocked.Read(ref _signed);

    /// <summary>The pace now: that of the policy, or of a re-signing.</summary>
    public int SignaturesPerSecond => _pace.PerSecond;

    /// <summary>Whether it knows all certificates that it has to presign.</summary>
    public bool IsComplete => Volatile.Read(ref _areCertificatesRead);

    /// <summary>Whether it rests because nobody could sign.</summary>
    public bool IsResting => _clock.GetTimestamp() < Volatile.Read(ref _restUntil);

    /// <summary>Until the first of the last answers ends; negative when it has, null when there is none.</summary>
    public TimeSpan? TimeToFirstExpiry => _schedule.FirstEnd - _clock.GetUtcNow();

    /// <summary>How far the last <see cref="ResignAll"/> has come; null when there was none.</summary>
    public ResignProgress? Resigning
    {
        get
        {
            lock (_resignLock)
            {
                if (_resign is not var (total, startedAt, timestamp))
                {
                    return null;
                }

                int left = Math.Min(_schedule.ToResign, total);
                int done = total - left;
                TimeSpan? remaining = left == 0 ? TimeSpan.Zero : done == 0 ? null : _clock.GetElapsedTime(timestamp) / done * left;
                return new ResignProgress(total, done, startedAt, remaining);
            }
        }
    }

    /// <summary>
    /// Has every answer signed anew, as after the compromise of a responder's key: what clients ask for at their next request, the rest at the pace. Answers that are there
    /// are given on until then, where no newer one can be signed.
    /// </summary>
    /// <param name="signaturesPerSecond">Another pace from now on; null for that of the policy.</param>
    public ResignProgress ResignAll(int? signaturesPerSecond = null)
    {
        _pace.PerSecond = signaturesPerSecond ?? Issuer.Policy.RefreshSignaturesPerSecond;
        _kept?.MakeDue(Issuer.Id);
        foreach ((SerialNumber serial, CachedResponse cached) in _cache.All(Issuer.Id))
        {
            cached.IsMadeDue = true;
            if (cached.IsDefault && _forms.NumberOf(cached.CertId.Span) is byte form && !_schedule.IsTracked(serial, form))
            {
                _schedule.Track(serial, form, AnswerTimes.Of(Issuer.Policy, serial, cached.Response));
            }
        }

        lock (_resignLock)
        {
            _resign = (_schedule.ResignAll(), _clock.GetUtcNow(), _clock.GetTimestamp());
        }

        ResignProgress progress = Resigning!;
        LogResignAll(Issuer.Id, progress.Total, _pace.PerSecond);
        return progress;
    }

    /// <summary>Hears of journal entries once no gateway gives older answers: what was revoked, held or released is signed before everything else.</summary>
    public void Announce(IReadOnlyList<JournalEntry> entries)
    {
        ArgumentNullException.ThrowIfNull(entries);
        bool all = Issuer.Policy.Presign == Presign.All;
        foreach (JournalEntry entry in entries)
        {
            SerialNumber serial = entry.Event.Serial;
            if (all)
            {
                TrackMissing(serial, _clock.GetUtcNow());
            }

            if (entry.Event.Kind != EventKind.Issued)
            {
                _schedule.ChangeStatus(serial);
            }
        }
    }

    /// <summary>Signs what is due, as far as the pace lets it now. For one caller at a time.</summary>
    public async Task RunOnceAsync(CancellationToken cancellationToken)
    {
        await ReadKeptAsync(cancellationToken).ConfigureAwait(false);
        await ReadCertificatesAsync(cancellationToken).ConfigureAwait(false);
        if (TakeLot() is { Answers.Count: > 0 } first)
        {
            // Others help while there is more to do than one can.
            int helpers = Math.Min(Concurrency - 1, _schedule.Backlog);
            Task[] helping = [.. Enumerable.Range(0, Math.Max(0, helpers)).Select(_ => Task.Run(() => WorkAsync(TakeLot(), cancellationToken), CancellationToken.None))];
            try
            {
                await WorkAsync(first, cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                await Task.WhenAll(helping).ConfigureAwait(false);
            }
        }

        EndResigning();
    }

    /// <summary>Stops listening to the cache.</summary>
    public void Dispose()
    {
        _cache.Stored -= OnStored;
        _meter.Dispose();
    }

    private void Conclude(DueAnswer due, RefreshResult result)
    {
        switch (result.Outcome)
        {
            case RefreshOutcome.Signed:
                Interlocked.Increment(ref _signed);
                _signatures.Add(1);
                Succeed();
                if (Issuer.Policy.Presign == Presign.OnDemand)
                {
                    _schedule.Untrack(due.Serial, due.Form); // it was here for a re-signing only
                }
                else
                {
                    _schedule.Track(due.Serial, due.Form, AnswerTimes.Of(Issuer.Policy, due.Serial, result.Response!), due.IdlePeriods);
                }

                break;
            case RefreshOutcome.NotNeeded:
                _pace.Return();
                _schedule.Untrack(due.Serial, due.Form);
                break;
            case RefreshOutcome.SignerUnavailable:
                _schedule.GiveBack(due);
                Rest();
                break;
            default:
                _schedule.Postpone(due, _clock.GetUtcNow() + s_postponement);
                if (++_failures >= FailuresToRest)
                {
                    Rest();
                }

                break;
        }
    }

    // The next that is due and that somebody may still want.
    private bool TryTakeNeeded(out DueAnswer due)
    {
        DateTimeOffset now = _clock.GetUtcNow();
        while (_schedule.TryTake(now, WasAsked, out due))
        {
            if (due.Priority == RefreshPriority.NewlyRevoked || due.IsToResign || Issuer.Policy.Presign == Presign.All)
            {
                return true;
            }

            CachedResponse? cached = Peek(due.Serial, due.Form);
            int idle = cached?.WasAsked == true ? 0 : due.IdlePeriods + 1;
            if (cached is not null && idle <= byte.MaxValue && idle * _period <= Issuer.Policy.AskedWithin)
            {
                due = due with { IdlePeriods = idle };
                return true;
            }

            _schedule.Untrack(due.Serial, due.Form); // nobody asked for long, or there was no room for it: the next request has it signed
        }

        return false;
    }

    private bool WasAsked(SerialNumber serial, byte form) => Peek(serial, form)?.WasAsked == true;

    private CachedResponse? Peek(SerialNumber serial, byte form) => _cache.Peek(Issuer.Id, serial, _forms.Encode(form, serial));

    // What was signed here is tracked when it is concluded. What a client prefers another credential for is signed on demand. Serial numbers that the CA never told of are anybody's to choose (Inventory.Unknown): they are not kept fresh.
    private void OnStored(IssuerId issuer, CachedResponse stored)
    {
        if (issuer == Issuer.Id && Issuer.Policy.Presign != Presign.OnDemand && stored is { IsDefault: true, Status: not null, WasAsked: true } && _forms.NumberOf(stored.CertId.Span) is byte form)
        {
            SerialNumber serial = SerialNumber.FromContent(PlainRequest.SerialOf(stored.CertId.Span));
            _schedule.Track(serial, form, AnswerTimes.Of(Issuer.Policy, serial, stored.Response), idlePeriods: 0);
        }
    }

    private void Succeed()
    {
        if (_rest != s_firstRest)
        {
            LogGoesOn(Issuer.Id, Backlog);
        }

        _failures = 0;
        _rest = s_firstRest;
    }

    private void Rest()
    {
        if (IsResting)
        {
            return; // several failed at once
        }

        if (_rest == s_firstRest)
        {
            LogRests(Issuer.Id, Backlog, TimeToFirstExpiry ?? TimeSpan.Zero);
        }

        Volatile.Write(ref _restUntil, _clock.GetTimestamp() + (long)(_rest.TotalSeconds * _clock.TimestampFrequency));
        _rest = _rest * 2 < s_longestRest ? _rest * 2 : s_longestRest;
    }

    private void EndResigning()
    {
        if (_pace.PerSecond != Issuer.Policy.RefreshSignaturesPerSecond && Resigning is { IsComplete: true })
        {
            _pace.PerSecond = Issuer.Policy.RefreshSignaturesPerSecond;
        }
    }

    private Measurement<double>[] ObserveTimeToFirstExpiry() => TimeToFirstExpiry is TimeSpan time ? [new Measurement<double>(time.TotalSeconds)] : [];

    [LoggerMessage(20, LogLevel.Error, "Answers of issuer {Issuer} cannot be kept fresh for now: {Backlog} are due, the first ends in {TimeToFirstExpiry}. Those that are signed are given on.")]
    private partial void LogRests(IssuerId issuer, int backlog, TimeSpan timeToFirstExpiry);

    [LoggerMessage(21, LogLevel.Information, "Answers of issuer {Issuer} are signed again: {Backlog} are due.")]
    private partial void LogGoesOn(IssuerId issuer, int backlog);

    [LoggerMessage(22, LogLevel.Warning, "Issuer {Issuer}: all {Total} answers are signed anew, {PerSecond} per second.")]
    private partial void LogResignAll(IssuerId issuer, int total, int perSecond);
}
