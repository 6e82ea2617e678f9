using System.Collections.Concurrent;
using System.Security.Cryptography;
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
// Reading takes no lock: CacheStripe tells why that is safe.

/// <summary>Signed answers by issuer, serial number and form of the CertID, within a bound of memory. Thread-safe.</summary>
public sealed class ResponseCache
{
    /// <summary>The answers that are kept for one certificate, the oldest going first: six hashes, two forms of parameters, two names, two signers are 48.</summary>
    private const int MaxForms = 64;

    private readonly CacheStripe[] _stripes;
    private readonly ConcurrentDictionary<ResponseClass, ushort> _classNumbers = new();
    private readonly ResponseClass[] _classes = new ResponseClass[ushort.MaxValue];
    private readonly Lock _newClass = new();
    private readonly Lock _sweeping = new();
    private readonly ulong _secret = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong))) | 1;
    private readonly long _maxBytes;
    private volatile NumberedClass? _lastClass; // nearly every answer is of the class of the one before it
    private long _bytes;
    private int _hand;
    private int _classCount;

    /// <summary>Makes an empty cache.</summary>
    /// <param name="maxBytes">The memory that answers may take.</param>
    public ResponseCache(long maxBytes)
    {
        _maxBytes = maxBytes;
        _stripes = [.. Enumerable.Range(0, 1024).Select(_ => new CacheStripe(this))];
    }

    /// <summary>How many certificates have an answer here.</summary>
    public int Count => _stripes.Sum(stripe => stripe.Certificates);

    /// <summary>The memory that the answers take, with the tables they are found by and what is free in their pages.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>Drops every answer for a certificate, and keeps out those that are being made from a status read before now.</summary>
    public void Forget(IssuerId issuer, SerialNumber serial)
    {
        ulong hash = HashOf(issuer, serial.Content);
        CacheStripe stripe = StripeOf(hash);
        lock (stripe)
        {
            stripe.Version++;
            stripe.Remove(hash, issuer, serial.Content);
        }
    }

    /// <summary>Drops everything.</summary>
    public void Clear() => Clear(issuer: null);

    /// <summary>Drops every answer of an issuer, and keeps out those that are being made from a status read before now.</summary>
    public void Clear(IssuerId issuer) => Clear((IssuerId?)issuer);

    /// <summary>The answer for a form of a CertID, as it lies in the cache: signed by the credential that the client prefers, or the one for those who prefer nothing. Allocates nothing.</summary>
    /// <param name="hash">What <see cref="HashOf(IssuerId, ReadOnlySpan{byte})"/> gives for the certificate.</param>
    /// <param name="certId">The DER of the CertID.</param>
    /// <param name="found">The answer. It stays as it is while one reads it, whatever happens to the cache.</param>
    internal bool TryFind(ulong hash, ReadOnlySpan<byte> certId, out CacheRecord found) => StripeOf(hash).TryFind(hash, certId, preferred: null, out found);

    /// <summary>The answer for a form of a CertID: signed by the credential that the client prefers, or the one for those who prefer nothing; null when there is none.</summary>
    internal CachedResponse? Find(IssuerId issuer, CertId certId, SigningCredential? preferred = null)
    {
        ulong hash = HashOf(issuer, certId.SerialNumber.Content);
        if (!StripeOf(hash).TryFind(hash, certId.Encoded.Span, preferred, out CacheRecord record))
        {
            return null;
        }

        record.WasUsed = true;
        record.WasAsked = true;
        return CachedResponse.Of(this, record, certId.Encoded.Span);
    }

    /// <summary>Every answer for a certificate, for an operator to look at.</summary>
    internal IReadOnlyList<CachedResponse> Find(IssuerId issuer, SerialNumber serial)
    {
        ulong hash = HashOf(issuer, serial.Content);
        return [.. StripeOf(hash).FindAll(hash, issuer, serial.Content).Select(ToResponse)];
    }

    /// <summary>The answer at hand for clients that prefer nothing; it does not count as asked for.</summary>
    internal CachedResponse? Peek(IssuerId issuer, SerialNumber serial, ReadOnlySpan<byte> certId) =>
        HashOf(issuer, serial.Content) is var hash && StripeOf(hash).TryFind(hash, certId, preferred: null, out CacheRecord record) ? CachedResponse.Of(this, record, certId) : null;

    /// <summary>All answers of an issuer, as far as they are there while one looks.</summary>
    internal IEnumerable<(SerialNumber Serial, CachedResponse Response)> All(IssuerId issuer) =>
        _stripes.SelectMany(stripe => stripe.All()).Where(record => record.Class.Issuer == issuer).Select(ToResponse).Select(found => (CertId.Decode(found.CertId).SerialNumber, found));

    /// <summary>The version of a serial's stripe; to be taken before its status is read.</summary>
    internal long VersionOf(IssuerId issuer, SerialNumber serial) => Volatile.Read(ref StripeOf(HashOf(issuer, serial.Content)).Version);

    /// <summary>Stores an answer, unless the serial's stripe has another version by now, or an answer of a later position.</summary>
    /// <returns>What is stored; null when it is not: read the status again.</returns>
    internal CachedResponse? Store(IssuerId issuer, SerialNumber serial, long version, CachedResponse made)
    {
        ulong hash = HashOf(issuer, serial.Content);
        CacheStripe stripe = StripeOf(hash);
        CachedResponse stored;
        lock (stripe)
        {
            List<CacheRecord> forms = stripe.FindAll(hash, issuer, serial.Content);
            if (stripe.Version != version || forms.Exists(form => form.Position > made.Position))
            {
                return null;
            }

            stored = Put(stripe, hash, issuer, serial, forms, made);
            Stored?.Invoke(issuer, stored);
        }

        MakeRoom();
        return stored;
    }

    /// <summary>Lets an answer be given until a monotonic time without the status being read, unless the serial's stripe has another version by now.</summary>
    /// <returns>Whether it has not: else read the status again.</returns>
    internal bool Hold(IssuerId issuer, SerialNumber serial, long version, CachedResponse cached, long until)
    {
        ulong hash = HashOf(issuer, serial.Content);
        CacheStripe stripe = StripeOf(hash);
        lock (stripe)
        {
            if (stripe.Version != version)
            {
                return false;
            }

            cached.HeldUntil = until;
            Update(stripe, hash, cached, static (record, answer) => record.HeldUntil = answer.HeldUntil);
            return true;
        }
    }

    /// <summary>Told of every answer that is stored, within its stripe's lock: it must be quick and not call back.</summary>
    internal Action<IssuerId, CachedResponse>? Stored { get; set; }

    /// <summary>Changes an answer where it lies, if it still does.</summary>
    internal void Update(IssuerId issuer, CachedResponse cached, Action<CacheRecord, CachedResponse> change)
    {
        ulong hash = HashOf(issuer, PlainRequest.SerialOf(cached.CertId.Span));
        CacheStripe stripe = StripeOf(hash);
        lock (stripe)
        {
            Update(stripe, hash, cached, change);
        }
    }

    /// <summary>A hash of a certificate that nobody outside can foresee: it says where in the cache to look.</summary>
    internal ulong HashOf(IssuerId issuer, ReadOnlySpan<byte> serial) => HashOf(SaltOf(issuer), serial);

    /// <summary>The issuer's part of <see cref="HashOf(IssuerId, ReadOnlySpan{byte})"/>.</summary>
    internal ulong SaltOf(IssuerId issuer) => (_secret * 0x9E37_79B9_7F4A_7C15) ^ (uint)issuer.GetHashCode();

    /// <inheritdoc cref="HashOf(IssuerId, ReadOnlySpan{byte})"/>
    internal ulong HashOf(ulong salt, ReadOnlySpan<byte> serial)
    {
        ulong hash = salt ^ (ulong)serial.Length;
        for (; serial.Length >= sizeof(ulong); serial = serial[sizeof(ulong)..])
        {
            hash = Fold(hash ^ BitConverter.ToUInt64(serial), _secret);
        }

        ulong rest = 0;
        foreach (byte octet in serial)
        {
            rest = (rest << 8) | octet;
        }

        return Fold(Fold(hash ^ rest, _secret), 0xE703_7ED1_A0B4_28DB);

        static ulong Fold(ulong a, ulong b)
        {
            ulong high = Math.BigMul(a ^ 0xA076_1D64_78BD_642F, b, out ulong low);
            return high ^ low;
        }
    }

    /// <summary>A class by its number.</summary>
    internal ResponseClass ClassAt(ushort number) => _classes[number];

    /// <summary>Adds to the memory that is in use.</summary>
    internal void Charge(long bytes) => Interlocked.Add(ref _bytes, bytes);

    private void Clear(IssuerId? issuer)
    {
        foreach (CacheStripe stripe in _stripes)
        {
            lock (stripe)
            {
                stripe.Version++;
                stripe.Clear(issuer);
            }
        }
    }

    private CachedResponse Put(CacheStripe stripe, ulong hash, IssuerId issuer, SerialNumber serial, List<CacheRecord> forms, CachedResponse made)
    {
        made = forms.Exists(form => form.IsDefault && IsReplaced(form, made)) ? made.AsDefault() : made;
        int kept = forms.Count(form => !IsReplaced(form, made) && form.Position >= made.Position);
        uint oldest = kept < MaxForms ? 0 : forms.Where(form => !IsReplaced(form, made)).Min(form => form.ProducedAt);
        int left = stripe.Remove(hash, issuer, serial.Content, form => IsReplaced(form, made) || form.Position < made.Position || (kept >= MaxForms && form.ProducedAt == oldest));
        if (NumberOf(issuer, made) is (ushort number, ResponseClass @class))
        {
            stripe.Add(hash, number, @class, made, isFirst: left == 0);
        }

        return made.At(this, issuer);
    }

    // One of the two is enough: the same CertID, signed by the same credential or both for those who prefer nothing.
    private static bool IsReplaced(CacheRecord form, CachedResponse newer) =>
        form.Answers(newer.CertId.Span, newer.Credential) || (newer.IsDefault && form.Answers(newer.CertId.Span, preferred: null));

    // Some tens of classes belong to each credential. Were there ever more than can be numbered, what is new is not kept; it is signed for each request, and right.
    private (ushort Number, ResponseClass Class)? NumberOf(IssuerId issuer, CachedResponse made)
    {
        if (_lastClass is { } last && last.Class.Fits(issuer, made))
        {
            return (last.Number, last.Class);
        }

        if (ResponseClass.Of(issuer, made) is not { } wanted)
        {
            return null;
        }

        (ushort Number, ResponseClass Class)? numbered = NumberOf(wanted);
        _lastClass = numbered is var (number, @class) ? new NumberedClass(number, @class) : _lastClass;
        return numbered;
    }

    private (ushort Number, ResponseClass Class)? NumberOf(ResponseClass wanted)
    {

        if (_classNumbers.TryGetValue(wanted, out ushort known))
        {
            return (known, _classes[known]);
        }

        lock (_newClass)
        {
            if (_classNumbers.TryGetValue(wanted, out known))
            {
                return (known, _classes[known]);
            }

            if (_classCount == _classes.Length)
            {
                return null;
            }

            ushort number = (ushort)_classCount++;
            _classes[number] = wanted;
            _classNumbers[wanted] = number;
            return (number, wanted);
        }
    }

    private static void Update(CacheStripe stripe, ulong hash, CachedResponse cached, Action<CacheRecord, CachedResponse> change)
    {
        if (stripe.TryFind(hash, cached.CertId.Span, cached.IsDefault ? null : cached.Credential, out CacheRecord record) && record.Digest.SequenceEqual(cached.Response.Digest))
        {
            change(record, cached);
        }
    }

    // CLOCK: a hand goes round the stripes; what was used since it last came by stays, of the rest up to an eighth of the stripe leaves. One thread turns it, the others need not wait.
    private void MakeRoom()
    {
        if (Volatile.Read(ref _bytes) <= _maxBytes || !_sweeping.TryEnter())
        {
            return;
        }

        try
        {
            for (int visited = 0; Volatile.Read(ref _bytes) > _maxBytes && visited < 32 * _stripes.Length; visited++)
            {
                CacheStripe stripe = _stripes[_hand++ & (_stripes.Length - 1)];
                lock (stripe)
                {
                    if (stripe.Bytes > 0)
                    {
                        stripe.Sweep();
                    }
                }
            }
        }
        finally
        {
            _sweeping.Exit();
        }
    }

    private CachedResponse ToResponse(CacheRecord record)
    {
        ReadOnlySpan<byte> certId = record.Middle[record.Class.CertIdOffset..];
        return CachedResponse.Of(this, record, certId[..PlainRequest.LengthOf(certId)]);
    }

    private CacheStripe StripeOf(ulong hash) => _stripes[hash >> 54];

    private sealed record NumberedClass(ushort Number, ResponseClass Class);
}
