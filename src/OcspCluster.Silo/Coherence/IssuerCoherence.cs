using OcspCluster.Authority;
using OcspCluster.Gateway;
using OcspCluster.Protocol;

namespace OcspCluster.Silo.Coherence;

// How a silo knows that what it remembers is still so (design.md P2, docs/decisions/0020)
// =======================================================================================
//
// State, for one issuer:
//   heard    every position that this silo has heard of; raised before its caches forget
//   known    everything up to here has been forgotten by the caches; raised after
//   lease    until when, by this silo's monotonic clock, all that was acknowledged is at or below known
//   promises to whom, and until when, this silo promised to acknowledge nothing that they have not answered for
//
// Invariants:
//   1. No entry of a cache for a serial is from before a position <= known that is about that serial.
//      Forget sees to it: heard is raised, the stripe's version goes up, the entry goes, known is raised. Who makes an entry takes the version first and `heard` after,
//      and whoever tells it the status must be good as of that `heard`: so an entry that was begun after the forgetting is not older than what was forgotten, and one that
//      was begun before does not get past the version.
//   2. At a time within the lease, every acknowledged position is <= known.
//      The lease of a renewal sent at s ends at s + 0.9 L. An event at n that was appended before the renewal reached the store is in the position that came with it, and known
//      was raised to that before the lease counted. One that was appended after it is acknowledged only when this silo has answered known >= n, or L after the table, which has our row,
//      was read: which is later than s + 0.9 L.
//   From both: an entry that is found while the lease runs is as new as anything that was acknowledged.
//
// Order of looking: who wants to believe an entry of a cache looks at the lease after its request was read. Who wants to believe a status by its version looks at lease and known first,
// and at the version after: the other way round the version may be from before a forgetting and known from after it.
//
// A position that cannot be reached step by step (a call was lost, the silo has just started, it was paused) is caught up with from the store, and where that fails or takes too long, everything
// is forgotten: that is always right, and costs signatures. Before the first lease nothing is believed, and it begins with everything forgotten.
//
// A crash forgets it all, promises too: the first L of a silo's life its publisher acknowledges nothing.

/// <summary>What one silo knows of one issuer's journal, and until when it may believe its caches. Thread-safe.</summary>
internal sealed partial class IssuerCoherence : IDisposable
{
    /// <summary>More entries than these are not read one by one: forgetting everything is quicker.</summary>
    internal const int MaxCatchUp = 50_000;

    private const long Never = -1;

    private readonly IRevocationStore _store;
    private readonly ResponseCache _cache;
    private readonly PublishedJournal _journal;
    private readonly TimeProvider _clock;
    private readonly ILogger _log;
    private readonly long _leaseTicks;
    private readonly TimeSpan _catchUpDeadline;
    private readonly long _bornAt;
    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _catchingUp = new(1);
    private readonly Dictionary<string, long> _promises = []; // guarded by _lock
    private long _heard;
    private long _known = Never;
    private long _leaseEnd = long.MinValue;
    private volatile bool _isHandedBack;

    /// <summary>Knows nothing yet.</summary>
    public IssuerCoherence(IssuerId issuer, IRevocationStore store, ResponseCache cache, PublishedJournal journal, OcspSiloOptions options, TimeProvider clock, ILogger log)
    {
        Issuer = issuer;
        _store = store;
        _cache = cache;
        _journal = journal;
        _clock = clock;
        _log = log;
        _leaseTicks = (long)(options.Lease.TotalSeconds * clock.TimestampFrequency);
        _catchUpDeadline = options.Lease / 4;
        _bornAt = clock.GetTimestamp();
    }

    /// <summary>Whose journal.</summary>
    public IssuerId Issuer { get; }

    /// <summary>Which serial numbers are recorded.</summary>
    public IssuedSerials Issued { get; private set; } = new();

    /// <summary>The last position that this silo has heard of: an answer that is made from now on must be good as of it.</summary>
    public long Heard => Volatile.Read(ref _heard);

    /// <summary>Everything up to here has been forgotten; −1 before the first lease.</summary>
    public long Known => Volatile.Read(ref _known);

    /// <summary>Whether what is in the caches may be believed now.</summary>
    public bool HasLease => _clock.GetTimestamp() < Volatile.Read(ref _leaseEnd) && !_isHandedBack;

    /// <summary>How long the lease runs on; zero when there is none.</summary>
    public TimeSpan LeaseLeft
    {
        get
        {
            long now = _clock.GetTimestamp();
            return _isHandedBack ? TimeSpan.Zero : _clock.GetElapsedTime(now, Math.Max(now, Volatile.Read(ref _leaseEnd)));
        }
    }

    /// <summary>From when on this silo may acknowledge events: what it promised before it was started again has run out then.</summary>
    public long MayAcknowledgeFrom => _bornAt + _leaseTicks;

    /// <summary>Whether a serial number was certainly never issued, as of all that was acknowledged. False when that cannot be told.</summary>
    public bool IsNeverIssued(SerialNumber serial)
    {
        if (!HasLease)
        {
            return false;
        }

        IssuedSerials issued = Issued;
        return issued.Position >= Known && !issued.MayContain(serial);
    }

    /// <summary>The version of a serial's stripe: what was read under another one is not to be believed.</summary>
    public long VersionOf(SerialNumber serial) => _cache.VersionOf(Issuer, serial);

    /// <summary>Forgets what a publisher says is no longer so.</summary>
    /// <returns>Up to where everything is forgotten now.</returns>
    public async ValueTask<long> ForgetAsync(Forgetting forgetting)
    {
        if (!TryForget(forgetting))
        {
            await CatchUpAsync(forgetting.Through).ConfigureAwait(false);
        }

        lock (_lock)
        {
            return _known == Never ? _heard : _known;
        }
    }

    /// <summary>Takes the position that came with a renewal, and its lease.</summary>
    /// <param name="sentAt">The monotonic time before the renewal was sent.</param>
    /// <param name="knownAtSending">What <see cref="Known"/> was then.</param>
    /// <param name="renewal">What it found.</param>
    public async ValueTask TakeRenewalAsync(long sentAt, long knownAtSending, LeaseRenewal renewal)
    {
        if (knownAtSending > renewal.Head)
        {
            // The store lost entries that it had acknowledged to be durable, or is another one. What is in the caches may be of entries that there are no more.
            LogShorter(Issuer, renewal.Head, knownAtSending);
            ForgetAll(renewal.Head, isAnotherJournal: true);
        }
        else if (Known == Never)
        {
            ForgetAll(renewal.Head);
        }
        else if (Known < renewal.Head)
        {
            await CatchUpAsync(renewal.Head).ConfigureAwait(false);
        }

        Raise(ref _leaseEnd, sentAt + (_leaseTicks / 10 * 9));
        _journal.Advance(Issuer, renewal.Published);
    }

    /// <summary>Lets the lease go on without the store, when all others have promised what <see cref="Promise"/> promises. One that has ended stays so.</summary>
    /// <param name="askedAt">The monotonic time before the first of them was asked.</param>
    /// <returns>Whether it goes on.</returns>
    public bool TryProlong(long askedAt)
    {
        // Every promise was given before this: at a time within the lease, so that there was nothing acknowledged that we had not answered for.
        if (!HasLease)
        {
            return false;
        }

        Raise(ref _leaseEnd, askedAt + (_leaseTicks / 10 * 9));
        return true;
    }

    /// <summary>Promises a silo that for one lease from now this one acknowledges nothing that the asker has not answered for. Only while the store is away.</summary>
    public void Promise(string asker)
    {
        lock (_lock)
        {
            _promises[asker] = _clock.GetTimestamp() + _leaseTicks;
        }
    }

    /// <summary>To whom something is promised now, and until when.</summary>
    public IReadOnlyList<(string Asker, long Until)> FindPromises()
    {
        long now = _clock.GetTimestamp();
        lock (_lock)
        {
            foreach (string asker in _promises.Where(promise => promise.Value <= now).Select(promise => promise.Key).ToArray())
            {
                _promises.Remove(asker);
            }

            return [.. _promises.Select(promise => (promise.Key, promise.Value))];
        }
    }

    /// <summary>The silo ends: from now on nothing is believed.</summary>
    public void HandBack() => _isHandedBack = true;

    /// <inheritdoc/>
    public void Dispose() => _catchingUp.Dispose();

    // False: there is a gap before it, or nobody said what to forget. What was said is forgotten in any case: at or below known it may be of a journal that lost its tail and grew again.
    private bool TryForget(Forgetting forgetting)
    {
        lock (_lock)
        {
            if (_known == Never)
            {
                // Nothing is believed yet. The first lease begins with everything forgotten, after this position was heard of.
                Raise(ref _heard, forgetting.Through);
                return true;
            }

            bool isNext = forgetting.Through <= _known || (forgetting.From <= _known + 1 && forgetting.Serials is not null);
            if (isNext)
            {
                Raise(ref _heard, forgetting.Through);
            }

            if (forgetting.Serials is not null)
            {
                Issued.Add(forgetting.From, forgetting.Through, forgetting.Serials);
                foreach (SerialNumber serial in forgetting.Serials)
                {
                    _cache.Forget(Issuer, serial);
                }
            }

            if (isNext)
            {
                Raise(ref _known, forgetting.Through);
            }

            return isNext;
        }
    }

    private async ValueTask CatchUpAsync(long through)
    {
        await _catchingUp.WaitAsync().ConfigureAwait(false);
        try
        {
            if (Known >= through)
            {
                return;
            }

            long from = Known + 1;
            if (await ReadAsync(from, through).ConfigureAwait(false) is not { } missing || !TryForget(missing))
            {
                LogForgotAll(Issuer, from, through);
                ForgetAll(through);
            }
        }
        finally
        {
            _catchingUp.Release();
        }
    }

    // Null: too many, too slow, or not to be had.
    private async Task<Forgetting?> ReadAsync(long from, long through)
    {
        if (through - from >= MaxCatchUp)
        {
            return null;
        }

        using CancellationTokenSource deadline = new(_catchUpDeadline, _clock);
        try
        {
            return await ReadAsync(from, through, deadline.Token).WaitAsync(_catchUpDeadline, _clock).ConfigureAwait(false);
        }
        catch (Exception e) when (e is RevocationStoreException or OperationCanceledException or TimeoutException)
        {
            LogNotCaughtUp(Issuer, e.Message);
            return null;
        }
    }

    private async Task<Forgetting?> ReadAsync(long from, long through, CancellationToken cancellationToken)
    {
        List<SerialNumber> serials = [];
        await foreach (JournalEntry entry in _store.ReadJournalAsync(Issuer, from - 1, cancellationToken).ConfigureAwait(false))
        {
            serials.Add(entry.Event.Serial);
            if (entry.Position == through)
            {
                return new Forgetting(Issuer, from, through, serials);
            }
        }

        return null;
    }

    private void ForgetAll(long through, bool isAnotherJournal = false)
    {
        lock (_lock)
        {
            if (isAnotherJournal)
            {
                Issued = new IssuedSerials();
                Volatile.Write(ref _heard, through);
                Volatile.Write(ref _known, Never);
            }

            Raise(ref _heard, through);
            _cache.Clear(Issuer);
            Raise(ref _known, _heard);
        }
    }

    private static void Raise(ref long value, long to)
    {
        long current = Volatile.Read(ref value);
        while (current < to && Interlocked.CompareExchange(ref value, to, current) is long found && found != current)
        {
            current = found;
        }
    }

    [LoggerMessage(100, LogLevel.Critical, "The journal of issuer {Issuer} ends at position {Head}, and {Known} was published before: the store has lost entries, or is another one. Everything cached is forgotten. Compare the store with its backup and run the audit")]
    private partial void LogShorter(IssuerId issuer, long head, long known);

    [LoggerMessage(101, LogLevel.Warning, "Positions {From} to {Through} of issuer {Issuer} could not be caught up with one by one: all cached answers of this issuer are forgotten")]
    private partial void LogForgotAll(IssuerId issuer, long from, long through);

    [LoggerMessage(102, LogLevel.Warning, "The journal of issuer {Issuer} could not be read to catch up: {Reason}")]
    private partial void LogNotCaughtUp(IssuerId issuer, string reason);
}
