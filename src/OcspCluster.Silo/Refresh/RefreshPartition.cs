using OcspCluster.Authority;
using OcspCluster.Gateway;
using OcspCluster.Protocol;
using OcspCluster.Silo.Certificates;
using OcspCluster.Silo.Storage;

namespace OcspCluster.Silo.Refresh;

// One of the parts of an issuer's serial numbers, kept fresh (docs/decisions/0023)
//
//     actors: given to a gateway ──→ RefreshSchedule ──due, within this part's share of the pace──→ the certificate's actor ──→ signed, kept, due again later
//     what is kept in Redis ───────→        ↑                                                            └ holds a newer one: nothing is signed
//     publications: ChangeStatus ──→        ┘
//
// All of it can be lost: what is kept in Redis tells it anew.

/// <summary>Keeps the answers of one part of an issuer's certificates fresh, by its share of the issuer's pace. For one turn at a time, as its actor gives it.</summary>
internal sealed partial class RefreshPartition
{
    private const int MostAtOnce = 8;
    private const int KeptPerLookup = 256;
    private static readonly TimeSpan s_postponement = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan s_firstRest = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_longestRest = TimeSpan.FromMinutes(1);

    private readonly Issuer _issuer;
    private readonly int _number;
    private readonly Func<SerialNumber, byte[], DateTimeOffset, Task<CertificateReply>> _ask;
    private readonly IRevocationStore _store;
    private readonly RedisResponseStore? _kept;
    private readonly TimeProvider _clock;
    private readonly ILogger _log;
    private readonly CertIdForms _forms = new();
    private readonly HashSet<(SerialNumber Serial, byte Form)> _asked = [];
    private readonly RefreshSchedule _schedule;
    private readonly RefreshPace _pace;
    private readonly TimeSpan _resolution;
    private readonly TimeSpan _period;
    private TimeSpan _rest = s_firstRest;
    private DateTimeOffset _restUntil = DateTimeOffset.MinValue;
    private bool _isLoading;
    private bool _isRunning;

    /// <summary>Begins with nothing.</summary>
    /// <param name="issuer">Whose answers.</param>
    /// <param name="number">Which part.</param>
    /// <param name="ask">Asks a certificate's actor for an answer that is not due in the background by an instant.</param>
    /// <param name="store">Has the statuses.</param>
    /// <param name="kept">Has the answers of before; null where nothing is kept.</param>
    /// <param name="clock">The clock of what is signed.</param>
    /// <param name="log">Hears of outages.</param>
    public RefreshPartition(
        Issuer issuer, int number, Func<SerialNumber, byte[], DateTimeOffset, Task<CertificateReply>> ask, IRevocationStore store, RedisResponseStore? kept, TimeProvider clock, ILogger log)
    {
        _issuer = issuer;
        _number = number;
        _ask = ask;
        _store = store;
        _kept = kept;
        _clock = clock;
        _log = log;
        IsLoaded = kept is null;
        DateTimeOffset epoch = DateTimeOffset.UnixEpoch;
        TimeSpan onDemand = RefreshRules.DueOnDemandAt(issuer.Policy, epoch, epoch + issuer.Policy.Validity - TimeSpan.FromSeconds(1)) - epoch;
        _period = onDemand * (1 - (RefreshRules.Spread / 2));
        _resolution = TimeSpan.FromSeconds(Math.Max(1, Math.Floor(onDemand.TotalSeconds / 2048)));
        _schedule = new RefreshSchedule(_resolution, 2 * RefreshScheduler.DefaultCapacity / SerialPartitions.Count);
        _pace = new RefreshPace(issuer.Policy.RefreshSignaturesPerSecond, clock) { Share = 1.0 / SerialPartitions.Count };
    }

    /// <summary>How many answers are kept fresh.</summary>
    public int Tracked => _schedule.Count;

    /// <summary>How many times an actor was asked for a newer answer and had or signed one.</summary>
    public long Refreshed { get; private set; }

    /// <summary>Whether what was kept has been read.</summary>
    public bool IsLoaded { get; private set; }

    /// <summary>A relying party's gateway was given an answer.</summary>
    public void Note(SerialNumber serial, ReadOnlySpan<byte> certId, AnswerTimes times)
    {
        if (_forms.NumberOf(certId) is byte form)
        {
            _schedule.Track(serial, form, times, idlePeriods: 0);
            _asked.Add((serial, form));
        }
    }

    /// <summary>Statuses changed, and no gateway gives older answers: these come first.</summary>
    public void Announce(IEnumerable<SerialNumber> serials)
    {
        foreach (SerialNumber serial in serials)
        {
            _schedule.ChangeStatus(serial);
        }
    }

    /// <summary>Learns what there is from the answers that are kept, once.</summary>
    public async Task LoadAsync()
    {
        if (IsLoaded || _isLoading)
        {
            return;
        }

        _isLoading = true;
        try
        {
            List<KeptResponse> some = [];
            await foreach (KeptResponse kept in _kept!.ReadAsync(_issuer.Id, _number, CancellationToken.None))
            {
                some.Add(kept);
                if (some.Count == KeptPerLookup)
                {
                    await TrackAsync(some);
                    some.Clear();
                }
            }

            await TrackAsync(some);
            IsLoaded = true;
        }
        catch (RevocationStoreException e)
        {
            LogKept(_issuer.Id, _number, e.Message); // with the next wake
        }
        finally
        {
            _isLoading = false;
        }
    }

    /// <summary>Has what is due signed, as far as the pace lets it now.</summary>
    public async Task RunOnceAsync()
    {
        if (_isRunning || _clock.GetUtcNow() < _restUntil)
        {
            return;
        }

        _isRunning = true;
        try
        {
            while (true)
            {
                List<Task<bool>> signing = [];
                while (signing.Count < MostAtOnce && TakeNext() is { } due)
                {
                    signing.Add(RefreshAsync(due));
                }

                if (signing.Count == 0 || (await Task.WhenAll(signing)).Contains(false))
                {
                    return;
                }
            }
        }
        finally
        {
            _isRunning = false;
        }
    }

    private async Task TrackAsync(List<KeptResponse> some)
    {
        DateTimeOffset now = _clock.GetUtcNow();
        KeptResponse[] usable = [.. some.Where(kept => kept.IsDefault && kept.NextUpdate > now)];
        if (usable.Length == 0)
        {
            return;
        }

        IReadOnlyList<CertificateStatus?> statuses = await _store.FindStatusesAsync(_issuer.Id, [.. usable.Select(kept => kept.Serial)], CancellationToken.None);
        for (int i = 0; i < usable.Length; i++)
        {
            KeptResponse kept = usable[i];
            if (statuses[i] is not { } status || status.NotAfter < now || _forms.NumberOf(kept.CertId.Span) is not byte form || _schedule.IsTracked(kept.Serial, form))
            {
                continue;
            }

            _schedule.Track(kept.Serial, form, AnswerTimes.Of(_issuer.Policy, kept, status.NotAfter));
            if (status.Position != kept.Position)
            {
                _schedule.ChangeStatus(kept.Serial); // whoever had it to sign is gone
            }
        }
    }

    private DueAnswer? TakeNext()
    {
        if (!_pace.TryTake())
        {
            return null;
        }

        while (_schedule.TryTake(_clock.GetUtcNow(), (serial, form) => _asked.Contains((serial, form)), out DueAnswer due))
        {
            bool wasAsked = _asked.Remove((due.Serial, due.Form));
            int idle = wasAsked ? 0 : due.IdlePeriods + 1;
            if (due.Priority == RefreshPriority.NewlyRevoked || _issuer.Policy.Presign == Presign.All || (idle <= byte.MaxValue && idle * _period <= _issuer.Policy.AskedWithin))
            {
                return due with { IdlePeriods = Math.Min(idle, byte.MaxValue) };
            }

            _schedule.Untrack(due.Serial, due.Form); // nobody asked for long: the next request has it signed
        }

        _pace.Return();
        return null;
    }

    // False when it is of no use to go on now.
    private async Task<bool> RefreshAsync(DueAnswer due)
    {
        DateTimeOffset dueBy = _clock.GetUtcNow() + _resolution; // it may come up so early
        CertificateReply reply;
        try
        {
            reply = await _ask(due.Serial, _forms.Encode(due.Form, due.Serial), dueBy);
        }
#pragma warning disable CA1031 // A silo that was lost, a store that is away: whatever it is, this one comes up again later.
        catch (Exception e)
#pragma warning restore CA1031
        {
            LogFailed(_issuer.Id, due.Serial, e.Message);
            _schedule.Postpone(due, _clock.GetUtcNow() + s_postponement);
            return true;
        }

        if (reply.Response is { } response && AnswerTimes.Of(_issuer.Policy, due.Serial, response) is var times && times.DueAt > dueBy)
        {
            _schedule.Track(due.Serial, due.Form, times, due.IdlePeriods);
            Refreshed++;
            _rest = s_firstRest;
            return true;
        }

        if (reply.Response is null && reply.Failure == SigningFailure.None)
        {
            _schedule.Untrack(due.Serial, due.Form); // there is nothing to be said of it any more
            return true;
        }

        _schedule.GiveBack(due); // nobody could sign: it would be the same with the next one
        if (_clock.GetUtcNow() >= _restUntil)
        {
            LogRests(_issuer.Id, _number, reply.Reason);
            _restUntil = _clock.GetUtcNow() + _rest;
            _rest = _rest * 2 < s_longestRest ? _rest * 2 : s_longestRest;
        }

        return false;
    }

    [LoggerMessage(140, LogLevel.Warning, "The answers that were kept for issuer {Issuer}, part {Part}, cannot be read for now: {Reason}")]
    private partial void LogKept(IssuerId issuer, int part, string reason);

    [LoggerMessage(141, LogLevel.Debug, "The answer for certificate {Serial} of issuer {Issuer} could not be refreshed and is tried again: {Reason}")]
    private partial void LogFailed(IssuerId issuer, SerialNumber serial, string reason);

    [LoggerMessage(142, LogLevel.Warning, "Answers of issuer {Issuer}, part {Part}, cannot be kept fresh for now: {Reason}")]
    private partial void LogRests(IssuerId issuer, int part, string reason);
}
