using OcspCluster.Authority;

namespace OcspCluster.Silo.Coherence;

/// <summary>Keeps this silo's lease of one issuer alive: at the store, and where that is away, by the promises of all others (docs/decisions/0020). Thread-safe.</summary>
internal sealed partial class IssuerLease
{
    private readonly IssuerCoherence _coherence;
    private readonly LeaseObservations _observations;
    private readonly ILeaseTable _table;
    private readonly ISiloPeers _peers;
    private readonly OcspSiloOptions _options;
    private readonly TimeProvider _clock;
    private readonly ILogger _log;
    private readonly Lock _lock = new();
    private Task<bool>? _renewal; // guarded by _lock
    private long _number;
    private long _published;
    private long? _failedAt; // guarded by _lock; the end of the last attempt, when it failed
    private (long Position, long Since) _pending;
    private bool _isEnded; // guarded by _lock
    private bool _isToldAway;
    private bool? _isToldProlonged; // null while the store answers

    /// <summary>Holds nothing yet.</summary>
    public IssuerLease(
        IssuerCoherence coherence, LeaseObservations observations, ILeaseTable table, ISiloPeers peers, OcspSiloOptions options, TimeProvider clock, ILogger log)
    {
        _coherence = coherence;
        _observations = observations;
        _table = table;
        _peers = peers;
        _options = options;
        _clock = clock;
        _log = log;
    }

    /// <summary>How often a lease is renewed.</summary>
    public static TimeSpan IntervalOf(OcspSiloOptions options) => options.Lease / 3;

    /// <summary>How long the store may take for one renewal. Two attempts and an interval fit into a lease: another silo's, and ours.</summary>
    private TimeSpan Patience => _options.Lease / 5;

    /// <summary>Renews once.</summary>
    public async Task RunOnceAsync()
    {
        if (!await TryRenewAsync().ConfigureAwait(false) && _options.WithoutStore == WithoutStore.AnswerWhileAllAgree)
        {
            await AskOthersAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Another silo asks whether the store is away for this one, too, and for its promise.</summary>
    public async Task<bool> PromiseAsync(string asker)
    {
        if (!await IsStoreAwayAsync().ConfigureAwait(false))
        {
            return false;
        }

        _coherence.Promise(asker);
        return true;
    }

    /// <summary>The journal is published up to here: the next renewal tells the table.</summary>
    public void NotePublished(long position)
    {
        long known = Interlocked.Read(ref _published);
        while (known < position && Interlocked.CompareExchange(ref _published, position, known) is long found && found != known)
        {
            known = found;
        }
    }

    /// <summary>Stops answering from the caches, and removes the silo's row, so that no publication waits for it.</summary>
    public async Task HandBackAsync()
    {
        _coherence.HandBack();
        Task<bool>? underWay;
        lock (_lock)
        {
            _isEnded = true;
            underWay = _renewal;
        }

        await (underWay ?? Task.CompletedTask).ConfigureAwait(false); // it would write the row again
        using CancellationTokenSource patience = new(Patience, _clock);
        try
        {
            await _table.RemoveAsync(_coherence.Issuer, _peers.Self, Interlocked.Read(ref _published), patience.Token).WaitAsync(Patience, _clock).ConfigureAwait(false);
        }
        catch (Exception e) when (e is RevocationStoreException or TimeoutException or OperationCanceledException)
        {
            LogNotHandedBack(_coherence.Issuer, e.Message); // it runs out by itself
        }
    }

    /// <summary>Renews at the store, or joins the renewal that is under way.</summary>
    private Task<bool> TryRenewAsync()
    {
        lock (_lock)
        {
            return _isEnded ? Task.FromResult(false) : _renewal is { IsCompleted: false } underWay ? underWay : _renewal = RenewAsync();
        }
    }

    private async Task<bool> RenewAsync()
    {
        await Task.Yield(); // out of the lock
        IssuerId issuer = _coherence.Issuer;
        long sentAt = _clock.GetTimestamp();
        long knownAtSending = _coherence.Known;
        LeaseRow mine = new(_peers.Self, Interlocked.Increment(ref _number));
        using CancellationTokenSource patience = new(Patience, _clock);
        LeaseRenewal renewal;
        try
        {
            renewal = await _table.RenewAsync(issuer, mine, _observations.FindEnded(sentAt), Interlocked.Read(ref _published), patience.Token).WaitAsync(Patience, _clock).ConfigureAwait(false);
        }
        catch (Exception e) when (e is RevocationStoreException or TimeoutException or OperationCanceledException)
        {
            lock (_lock)
            {
                _failedAt = _clock.GetTimestamp();
            }

            if (!_isToldAway)
            {
                _isToldAway = true;
                LogAway(issuer, e.Message);
            }

            return false;
        }

        lock (_lock)
        {
            _failedAt = null;
        }

        if (_isToldAway)
        {
            _isToldAway = false;
            _isToldProlonged = null;
            LogBack(issuer);
        }

        _observations.Note(renewal.Rows, _clock.GetTimestamp());
        await _coherence.TakeRenewalAsync(sentAt, knownAtSending, renewal).ConfigureAwait(false);
        NotePublished(renewal.Published);
        FinishWhatOthersLeft(renewal);
        return true;
    }

    // A writer that died between append and publication leaves entries that nobody acknowledges and that the feed out does not show. Whoever notices has the issuer's writer look.
    private void FinishWhatOthersLeft(LeaseRenewal renewal)
    {
        long now = _clock.GetTimestamp();
        if (renewal.Published >= renewal.Head || renewal.Published != _pending.Position)
        {
            _pending = (renewal.Published, now);
        }
        else if (_clock.GetElapsedTime(_pending.Since, now) > _options.Lease * 2)
        {
            _pending.Since = now;
            LogFinishing(_coherence.Issuer, renewal.Published, renewal.Head);
            _ = FinishAsync();
        }
    }

    private async Task FinishAsync()
    {
        try
        {
            await _peers.PublishPendingAsync(_coherence.Issuer).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // Whatever it was, it is tried again as long as there is something to finish.
        catch (Exception e)
#pragma warning restore CA1031
        {
            LogNotFinished(_coherence.Issuer, e.Message);
        }
    }

    private async Task<bool> IsStoreAwayAsync()
    {
        lock (_lock)
        {
            if (_failedAt is long failedAt && _clock.GetElapsedTime(failedAt) < IntervalOf(_options))
            {
                return true;
            }

            if (_isEnded)
            {
                return false; // it does not know
            }
        }

        return !await TryRenewAsync().ConfigureAwait(false);
    }

    private async Task AskOthersAsync()
    {
        TimeSpan left = _coherence.LeaseLeft;
        if (left <= TimeSpan.Zero)
        {
            Tell(isProlonged: false, "it had ended before the others could be asked");
            return;
        }

        long askedAt = _clock.GetTimestamp();
        IReadOnlyList<string> asked = _peers.Living;
        bool[] promised = await Task.WhenAll(asked.Select(silo => AskAsync(silo, left))).ConfigureAwait(false);
        string[] silent = [.. asked.Where((_, i) => !promised[i]), .. _peers.Living.Except(asked)];
        if (silent.Length > 0)
        {
            Tell(isProlonged: false, $"{string.Join(", ", silent)} did not promise");
        }
        else if (_coherence.TryProlong(askedAt))
        {
            Tell(isProlonged: true, $"{asked.Count} others promised");
        }
        else
        {
            Tell(isProlonged: false, "it ended while the others were asked");
        }
    }

    // Once for each change: the round comes around several times a second.
    private void Tell(bool isProlonged, string reason)
    {
        if (_isToldProlonged == isProlonged)
        {
            return;
        }

        _isToldProlonged = isProlonged;
        if (isProlonged)
        {
            LogProlonged(_coherence.Issuer, reason);
        }
        else
        {
            LogRunsOut(_coherence.Issuer, reason);
        }
    }

    private async Task<bool> AskAsync(string silo, TimeSpan left)
    {
        try
        {
            return await _peers.PromiseAsync(silo, _coherence.Issuer).WaitAsync(left, _clock).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // A silo that cannot be asked has not promised, for whatever reason.
        catch (Exception e)
#pragma warning restore CA1031
        {
            LogNotAsked(silo, e.Message);
            return false;
        }
    }

    [LoggerMessage(110, LogLevel.Error, "The lease of issuer {Issuer} cannot be renewed: {Reason}")]
    private partial void LogAway(IssuerId issuer, string reason);

    [LoggerMessage(111, LogLevel.Information, "The lease of issuer {Issuer} is renewed again")]
    private partial void LogBack(IssuerId issuer);

    [LoggerMessage(112, LogLevel.Warning, "The lease of issuer {Issuer} could not be handed back, and runs out by itself: {Reason}")]
    private partial void LogNotHandedBack(IssuerId issuer, string reason);

    [LoggerMessage(113, LogLevel.Warning, "The journal of issuer {Issuer} is published to position {Published} and ends at {Head}: what another writer left is published now")]
    private partial void LogFinishing(IssuerId issuer, long published, long head);

    [LoggerMessage(114, LogLevel.Warning, "What another writer left of issuer {Issuer} could not be published: {Reason}")]
    private partial void LogNotFinished(IssuerId issuer, string reason);

    [LoggerMessage(116, LogLevel.Warning, "The store is away, and the lease of issuer {Issuer} goes on without it: {Reason}")]
    private partial void LogProlonged(IssuerId issuer, string reason);

    [LoggerMessage(117, LogLevel.Warning, "The store is away, and the lease of issuer {Issuer} runs out, so that no 'good' is given from the cache: {Reason}")]
    private partial void LogRunsOut(IssuerId issuer, string reason);

    [LoggerMessage(115, LogLevel.Warning, "The silo {Silo} did not promise: {Reason}")]
    private partial void LogNotAsked(string silo, string reason);
}
