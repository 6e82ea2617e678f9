using System.Collections.Concurrent;
using OcspCluster.Authority;
using OcspCluster.Protocol;

namespace OcspCluster.Gateway;

// How an answer made from an old status is kept out of the cache (design.md P2)
//
// A writer of the cache reads a status, signs an answer and stores it. Between the reading and the storing a revocation may become durable and be published here.
// Each stripe of serials therefore has a version, which only Forget raises. A writer takes the version before it reads the status, and stores only while it is still
// in force; else it starts again. The comparison and the storing are one step inside the stripe; signing is not, for it may take as long as an HSM likes.
// The same for letting an answer be given for longer without reading the status (Hold).
//
//     invariant: when Forget(serial) has returned, no answer made from a status that was read before it is in the cache, or will be.
//
// Between an event's becoming durable and Forget, who misses reads the new status, and who hits gets the old answer. Nothing is promised before the acknowledgement,
// but a client that was told `revoked` must not hear `good` from us afterwards. So the position that a status was made at decides as well: an answer made at an older
// position than one that is stored is not stored, and storing one drops those of older positions, in whatever form of the CertID.
//
// Reading takes no lock.

/// <summary>Signed answers by issuer, serial number and form of the CertID, within a bound of memory. Thread-safe.</summary>
public sealed class ResponseCache
{
    /// <summary>What an answer costs beside its bytes: objects, strings and its share of the tables; measured with a million entries.</summary>
    private const int OverheadBytes = 700;

    /// <summary>The answers that are kept for one certificate, the oldest going first: six hashes, two forms of parameters, two names, two signers are 48.</summary>
    private const int MaxForms = 64;

    private readonly ConcurrentDictionary<Key, Entry> _entries = new();
    private readonly ConcurrentQueue<Entry> _clock = new();
    private readonly Stripe[] _stripes = [.. Enumerable.Range(0, 1024).Select(_ => new Stripe())];
    private readonly long _maxBytes;
    private long _bytes;
    private long _dead;

    /// <summary>Makes an empty cache.</summary>
    /// <param name="maxBytes">The memory that answers may take.</param>
    public ResponseCache(long maxBytes) => _maxBytes = maxBytes;

    /// <summary>How many certificates have an answer here.</summary>
    public int Count => _entries.Count;

    /// <summary>Entries in the queue of the clock, forgotten ones that have not come up yet among them.</summary>
    internal int QueueLength => _clock.Count;

    /// <summary>The memory that the answers take, estimated.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>Drops every answer for a certificate, and keeps out those that are being made from a status read before now.</summary>
    public void Forget(IssuerId issuer, SerialNumber serial)
    {
        Key key = new(issuer, serial);
        Stripe stripe = StripeOf(key);
        lock (stripe)
        {
            stripe.Version++;
            Remove(key);
        }
    }

    /// <summary>Drops everything.</summary>
    public void Clear() => Clear(static _ => true);

    /// <summary>Drops every answer of an issuer, and keeps out those that are being made from a status read before now.</summary>
    public void Clear(IssuerId issuer) => Clear(key => key.Issuer == issuer);

    /// <summary>The answer for a form of a CertID: signed by the credential that the client prefers, or the one for those who prefer nothing; null when there is none.</summary>
    internal CachedResponse? Find(IssuerId issuer, CertId certId, SigningCredential? preferred = null) =>
        _entries.TryGetValue(new Key(issuer, certId.SerialNumber), out Entry? entry) ? entry.Find(certId, preferred) : null;

    /// <summary>Every answer for a certificate, for an operator to look at.</summary>
    internal IReadOnlyList<CachedResponse> Find(IssuerId issuer, SerialNumber serial) =>
        _entries.TryGetValue(new Key(issuer, serial), out Entry? entry) ? entry.Forms : [];

    /// <summary>The version of a serial's stripe; to be taken before its status is read.</summary>
    internal long VersionOf(IssuerId issuer, SerialNumber serial) => Volatile.Read(ref StripeOf(new Key(issuer, serial)).Version);

    /// <summary>Stores an answer, unless the serial's stripe has another version by now, or an answer of a later position.</summary>
    /// <returns>What is stored; null when it is not: read the status again.</returns>
    internal CachedResponse? Store(IssuerId issuer, SerialNumber serial, long version, CachedResponse made)
    {
        Key key = new(issuer, serial);
        Stripe stripe = StripeOf(key);
        CachedResponse stored;
        lock (stripe)
        {
            if (stripe.Version != version || (_entries.TryGetValue(key, out Entry? entry) && entry.IsLaterThan(made)))
            {
                return null;
            }

            stored = Put(key, made);
            Stored?.Invoke(issuer, stored);
        }

        MakeRoom();
        return stored;
    }

    /// <summary>Lets an answer be given until a monotonic time without the status being read, unless the serial's stripe has another version by now.</summary>
    /// <returns>Whether it has not: else read the status again.</returns>
    internal bool Hold(IssuerId issuer, SerialNumber serial, long version, CachedResponse cached, long until)
    {
        Stripe stripe = StripeOf(new Key(issuer, serial));
        lock (stripe)
        {
            if (stripe.Version != version)
            {
                return false;
            }

            cached.HoldUntil(until);
            return true;
        }
    }

    /// <summary>Told of every answer that is stored, within its stripe's lock: it must be quick and not call back.</summary>
    internal Action<IssuerId, CachedResponse>? Stored { get; set; }

    /// <summary>The answer at hand for clients that prefer nothing; it does not count as asked for.</summary>
    internal CachedResponse? Peek(IssuerId issuer, SerialNumber serial, ReadOnlySpan<byte> certId)
    {
        if (_entries.TryGetValue(new Key(issuer, serial), out Entry? entry))
        {
            foreach (CachedResponse form in entry.Forms)
            {
                if (form.Answers(certId, preferred: null))
                {
                    return form;
                }
            }
        }

        return null;
    }

    /// <summary>All answers of an issuer, as far as they are there while one looks.</summary>
    internal IEnumerable<(SerialNumber Serial, CachedResponse Response)> All(IssuerId issuer) =>
        _entries.Where(pair => pair.Key.Issuer == issuer).SelectMany(pair => pair.Value.Forms.Select(form => (pair.Key.Serial, form)));

    private void Clear(Func<Key, bool> isMeant)
    {
        foreach (Stripe stripe in _stripes)
        {
            lock (stripe)
            {
                stripe.Version++;
            }
        }

        foreach (Key key in _entries.Select(pair => pair.Key).Where(isMeant))
        {
            lock (StripeOf(key))
            {
                Remove(key);
            }
        }
    }

    private CachedResponse Put(Key key, CachedResponse made)
    {
        if (!_entries.TryGetValue(key, out Entry? entry))
        {
            entry = new Entry(key, made);
            _entries[key] = entry;
            _clock.Enqueue(entry);
            Interlocked.Add(ref _bytes, Cost(made));
            return made;
        }

        long before = entry.Forms.Sum(Cost);
        made = entry.Put(made);
        Interlocked.Add(ref _bytes, entry.Forms.Sum(Cost) - before);
        return made;
    }

    private void Remove(Key key)
    {
        if (_entries.TryRemove(key, out Entry? entry))
        {
            Interlocked.Add(ref _bytes, -entry.Forms.Sum(Cost));
            entry.IsDead = true;
            Interlocked.Increment(ref _dead);
        }
    }

    // CLOCK: entries stand in a queue; one that was used since it last came up goes to its end again, another leaves. Forgotten ones are swept out as they come up,
    // and when they are the larger part.
    private void MakeRoom()
    {
        while ((Volatile.Read(ref _bytes) > _maxBytes || Volatile.Read(ref _dead) > _entries.Count + 1024) && _clock.TryDequeue(out Entry? entry))
        {
            if (entry.IsDead)
            {
                Interlocked.Decrement(ref _dead);
            }
            else if (entry.WasUsed || Volatile.Read(ref _bytes) <= _maxBytes)
            {
                entry.WasUsed = false;
                _clock.Enqueue(entry);
            }
            else
            {
                lock (StripeOf(entry.Key))
                {
                    if (!entry.IsDead)
                    {
                        Remove(entry.Key);
                    }
                }

                Interlocked.Decrement(ref _dead); // it is out of the queue already
            }
        }
    }

    private static long Cost(CachedResponse cached) => OverheadBytes + cached.Response.Encoded.Length + cached.CertId.Length;

    private Stripe StripeOf(Key key) => _stripes[key.GetHashCode() & (_stripes.Length - 1)];

    private readonly record struct Key(IssuerId Issuer, SerialNumber Serial);

    private sealed class Stripe
    {
        public long Version;
    }

    /// <summary>The answers for one certificate; changed only inside its stripe, read anywhere.</summary>
    private sealed class Entry(Key key, CachedResponse first)
    {
        private volatile CachedResponse[] _forms = [first];
        private volatile bool _wasUsed;
        private volatile bool _isDead;

        public Key Key { get; } = key;

        public IReadOnlyList<CachedResponse> Forms => _forms;

        public bool WasUsed { get => _wasUsed; set => _wasUsed = value; }

        public bool IsDead { get => _isDead; set => _isDead = value; }

        // All forms are of one position: Put sees to it.
        public bool IsLaterThan(CachedResponse made) => _forms[0].Position > made.Position;

        public CachedResponse? Find(CertId certId, SigningCredential? preferred)
        {
            foreach (CachedResponse form in _forms)
            {
                if (form.Answers(certId.Encoded.Span, preferred))
                {
                    if (!_wasUsed)
                    {
                        _wasUsed = true; // written once, not on every hit: the line stays shared between cores
                    }

                    form.WasAsked = true;
                    return form;
                }
            }

            return null;
        }

        public CachedResponse Put(CachedResponse made)
        {
            CachedResponse[] others = [.. _forms.Where(form => !form.IsReplacedBy(made) && form.Position >= made.Position)];
            made = _forms.Any(form => form.IsDefault && form.IsReplacedBy(made)) ? made.AsDefault() : made;
            _forms = [.. others.Length < MaxForms ? others : others[1..], made];
            return made;
        }
    }
}
