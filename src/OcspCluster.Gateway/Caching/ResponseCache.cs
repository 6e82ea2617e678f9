using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using OcspCluster.Authority;
using OcspCluster.Protocol;

namespace OcspCluster.Gateway;

// How an answer made from an old status is kept out of the cache (design.md P2)
//
// A writer of the cache reads a status, signs it and stores the answer. Between the reading and the storing a revocation may become durable and be published here.
// Each stripe of serials therefore has a version, which only Forget raises. A writer takes the version before it reads the status, and enters the stripe to store;
// if the version is another one there, it starts again. Signing happens inside the stripe, so nothing can be forgotten between the comparison and the storing,
// and of many who miss the same certificate one signs and the others find what it stored.
//
//     invariant: when Forget(serial) has returned, no answer made from a status that was read before it is in the cache, or will be.
//
// Reading takes no lock.

/// <summary>Signed answers by issuer, serial number and form of the CertID, within a bound of memory. Thread-safe.</summary>
public sealed class ResponseCache
{
    /// <summary>What an answer costs beside its bytes: objects, strings and its share of the tables; measured with a million entries.</summary>
    private const int OverheadBytes = 700;

    /// <summary>The forms of a CertID that are kept for one certificate: five hashes, two forms of parameters, a second name.</summary>
    private const int MaxForms = 16;

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
    public void Clear()
    {
        foreach (Stripe stripe in _stripes)
        {
            lock (stripe)
            {
                stripe.Version++;
            }
        }

        foreach (Key key in _entries.Keys)
        {
            lock (StripeOf(key))
            {
                Remove(key);
            }
        }
    }

    internal bool TryGet(IssuerId issuer, CertId certId, [NotNullWhen(true)] out CachedResponse? cached)
    {
        cached = null;
        if (_entries.TryGetValue(new Key(issuer, certId.SerialNumber), out Entry? entry))
        {
            cached = entry.Find(certId);
        }

        return cached is not null;
    }

    /// <summary>The version of a serial's stripe; to be taken before its status is read.</summary>
    internal long VersionOf(IssuerId issuer, SerialNumber serial) => Volatile.Read(ref StripeOf(new Key(issuer, serial)).Version);

    /// <summary>
    /// Stores the answer that <paramref name="make"/> signs, unless the serial's stripe has another version by now. <paramref name="make"/> is given what is stored already, and may return that.
    /// </summary>
    /// <returns>The stored answer; null when the version is another one: read the status again.</returns>
    internal CachedResponse? Store(IssuerId issuer, CertId certId, long version, Func<CachedResponse?, CachedResponse> make)
    {
        Key key = new(issuer, certId.SerialNumber);
        Stripe stripe = StripeOf(key);
        CachedResponse made;
        lock (stripe)
        {
            if (stripe.Version != version)
            {
                return null;
            }

            _entries.TryGetValue(key, out Entry? entry);
            CachedResponse? stored = entry?.Find(certId);
            made = make(stored);
            if (!ReferenceEquals(made, stored))
            {
                Put(key, entry, made, stored);
            }
        }

        MakeRoom();
        return made;
    }

    private void Put(Key key, Entry? entry, CachedResponse made, CachedResponse? stored)
    {
        if (entry is null)
        {
            entry = new Entry(key, made);
            _entries[key] = entry;
            _clock.Enqueue(entry);
            Interlocked.Add(ref _bytes, Cost(made));
        }
        else if (stored is not null || entry.Count < MaxForms)
        {
            entry.Put(made, stored);
            Interlocked.Add(ref _bytes, Cost(made) - (stored is null ? 0 : Cost(stored)));
        }
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

        public int Count => _forms.Length;

        public bool WasUsed { get => _wasUsed; set => _wasUsed = value; }

        public bool IsDead { get => _isDead; set => _isDead = value; }

        public CachedResponse? Find(CertId certId)
        {
            foreach (CachedResponse form in _forms)
            {
                if (form.CertId.Span.SequenceEqual(certId.Encoded.Span))
                {
                    if (!_wasUsed)
                    {
                        _wasUsed = true; // written once, not on every hit: the line stays shared between cores
                    }

                    return form;
                }
            }

            return null;
        }

        public void Put(CachedResponse made, CachedResponse? stored) => _forms = [.. _forms.Where(form => form != stored), made];
    }
}
