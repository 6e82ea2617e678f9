using OcspCluster.Authority;

namespace OcspCluster.Gateway;

// A part of the cache: a table of slots, and pages of records
//
//     slot   = 32 bits of the hash | page number and offset + 2        0: empty, never used; 1: its record was removed
//     record = one signed answer (CacheRecord), written before its slot and never moved or written over
//
// Readers take the table once, look along the slots from where the hash says, and read the record. They take no lock, and cannot read a torn or a wrong answer: a page is memory of
// the collector, which lives as long as a reader has it, and a place in a page is never used twice. Slots only go from empty to a record, and from a record to removed.
// Writers hold the stripe's lock. What was removed takes up room until it is an eighth of the stripe; then what is left is copied into new pages and a new table, and the old ones
// are left to the collector and to readers that have them. A reader with the old table may miss what was added since, which costs a look under the lock or a signature; and it may
// find what was removed since, as any reader may that looked a moment earlier: who begins after Forget has returned takes the new table or sees the removed slot.

/// <summary>The answers of one stripe of serial numbers, and the version that keeps old ones out. Reading takes no lock; all else is done by who holds the lock of the object.</summary>
internal sealed class CacheStripe(ResponseCache cache)
{
    private const uint Removed = 1;
    private const int OffsetBits = 13; // of eighths: pages have 64 KB at most, a single longer record begins at 0
    private const int MaxPageBytes = 8 << OffsetBits;
    private const int ArrayBytes = 24; // what an array costs beside its elements

    private static readonly Table s_empty = new([], []);

    private Table _table = s_empty;
    private int _filled; // slots that are not empty
    private int _pages;
    private int _tail; // octets in use of the last page
    private int _live;
    private long _liveBytes;
    private long _removedBytes;

    /// <summary>Raised by whatever makes answers that are under way too old.</summary>
    public long Version;

    /// <summary>The memory that it takes.</summary>
    public long Bytes { get; private set; }

    /// <summary>How many certificates have an answer here.</summary>
    public int Certificates { get; private set; }

    /// <summary>The record for a form of a CertID. Takes no lock.</summary>
    public bool TryFind(ulong hash, ReadOnlySpan<byte> certId, SigningCredential? preferred, out CacheRecord found)
    {
        Table table = Volatile.Read(ref _table);
        for (Probe probe = new(table, hash); probe.MoveNext();)
        {
            CacheRecord record = table.At(probe.Slot, cache);
            if (record.Answers(certId, preferred))
            {
                found = record;
                return true;
            }
        }

        found = default;
        return false;
    }

    /// <summary>The records of a certificate in all forms. Takes no lock.</summary>
    public List<CacheRecord> FindAll(ulong hash, IssuerId issuer, ReadOnlySpan<byte> serial)
    {
        List<CacheRecord> found = [];
        Table table = Volatile.Read(ref _table);
        for (Probe probe = new(table, hash); probe.MoveNext();)
        {
            CacheRecord record = table.At(probe.Slot, cache);
            if (IsOf(record, issuer, serial))
            {
                found.Add(record);
            }
        }

        return found;
    }

    /// <summary>All records, as far as they are there while one looks. Takes no lock.</summary>
    public IEnumerable<CacheRecord> All()
    {
        Table table = Volatile.Read(ref _table);
        for (int i = 0; i < table.Slots.Length; i++)
        {
            ulong slot = Volatile.Read(ref table.Slots[i]);
            if ((uint)slot > Removed)
            {
                yield return table.At(slot, cache);
            }
        }
    }

    /// <summary>Adds an answer.</summary>
    /// <param name="hash">The certificate's hash.</param>
    /// <param name="classNumber">The number of its class.</param>
    /// <param name="class">Its class.</param>
    /// <param name="made">The answer.</param>
    /// <param name="isFirst">Whether the certificate has no other here.</param>
    public void Add(ulong hash, ushort classNumber, ResponseClass @class, CachedResponse made, bool isFirst)
    {
        Span<byte> status = stackalloc byte[StatusCode.MaxBytes];
        status = status[..StatusCode.Write(made.Status, status)];
        int size = CacheRecord.SizeOf(status.Length, CacheRecord.MiddleOf(@class, made.Response).Length);
        EnsureSlot();
        byte[] page = EnsureRoom(size);
        CacheRecord.Write(page.AsSpan(_tail, size), classNumber, @class, made, status);
        Insert(_table, Slot(hash, Location(_pages - 1, _tail)));
        _filled++;
        _tail += size;
        _live++;
        _liveBytes += size;
        Certificates += isFirst ? 1 : 0;
    }

    /// <summary>Removes the records of a certificate that are meant; all of them when nothing is said.</summary>
    /// <returns>How many of that certificate's are left.</returns>
    public int Remove(ulong hash, IssuerId issuer, ReadOnlySpan<byte> serial, Func<CacheRecord, bool>? isMeant = null)
    {
        int removed = 0, left = 0;
        Table table = _table;
        for (Probe probe = new(table, hash); probe.MoveNext();)
        {
            CacheRecord record = table.At(probe.Slot, cache);
            if (!IsOf(record, issuer, serial))
            {
                continue;
            }

            if (isMeant is null || isMeant(record))
            {
                RemoveAt(table, probe.Index, record);
                removed++;
            }
            else
            {
                left++;
            }
        }

        Certificates -= removed > 0 && left == 0 ? 1 : 0;
        Tidy();
        return left;
    }

    /// <summary>Removes every record of an issuer; of all issuers when it is null.</summary>
    public void Clear(IssuerId? issuer)
    {
        if (issuer is null)
        {
            Reset();
            return;
        }

        Sweep(record => record.Class.Issuer == issuer.Value);
        Tidy();
    }

    /// <summary>Makes room: what was not used since the last time goes, until it is an eighth of the stripe.</summary>
    public void Sweep()
    {
        long enough = (_liveBytes / 8) + 1;
        Sweep(record =>
        {
            if (record.WasUsed || enough <= 0)
            {
                record.WasUsed = record.WasUsed && enough <= 0;
                return false;
            }

            enough -= record.Size;
            return true;
        });
        if (_live == 0)
        {
            Reset();
        }
        else if (_removedBytes > 0)
        {
            Rebuild();
        }
    }

    private void Sweep(Func<CacheRecord, bool> isMeant)
    {
        Table table = _table;
        for (int i = 0; i < table.Slots.Length; i++)
        {
            ulong slot = table.Slots[i];
            if ((uint)slot > Removed && table.At(slot, cache) is var record && isMeant(record))
            {
                RemoveAt(table, i, record);
                Certificates -= FindAll(HashOf(record), record.Class.Issuer, SerialOf(record)).Count == 0 ? 1 : 0;
            }
        }
    }

    private void RemoveAt(Table table, int index, CacheRecord record)
    {
        Volatile.Write(ref table.Slots[index], (table.Slots[index] & 0xFFFF_FFFF_0000_0000) | Removed);
        _live--;
        _liveBytes -= record.Size;
        _removedBytes += record.Size;
    }

    private void Tidy()
    {
        if (_live == 0)
        {
            Reset();
        }
        else if (_removedBytes > Math.Max(_liveBytes / 8, 1024))
        {
            Rebuild();
        }
    }

    private void Reset()
    {
        (_filled, _pages, _tail, _live, _liveBytes, _removedBytes, Certificates) = (0, 0, 0, 0, 0, 0, 0);
        Publish(s_empty);
    }

    private void EnsureSlot()
    {
        Table table = _table;
        if ((_filled + 1) * 8 > table.Slots.Length * 7)
        {
            // A quarter more than there are, not twice as many: a million certificates would pay for the air in it.
            Table grown = new(new ulong[Math.Max(4, (_live + 1) * 5 / 4)], table.Pages);
            foreach (ulong slot in table.Slots)
            {
                if ((uint)slot > Removed)
                {
                    Insert(grown, slot); // by what the slot says: no record is looked at, which would be out of the processor's reach
                }
            }

            _filled = _live;
            Publish(grown);
        }
    }

    private byte[] EnsureRoom(int size)
    {
        byte[][] pages = _table.Pages;
        if (_pages > 0 && pages[_pages - 1] is { Length: var length } && length - _tail >= size)
        {
            return pages[_pages - 1];
        }

        // Small at first; a thirty-second of the stripe later, so that little of it is air.
        byte[] page = GC.AllocateUninitializedArray<byte>((int)Math.Max(size, Math.Min(MaxPageBytes, (_liveBytes / 32) & ~7)), pinned: true);
        if (_pages == pages.Length)
        {
            // With slots of its own: readers of the old table must not meet slots of pages that it lacks.
            byte[][] more = new byte[Math.Max(1, _pages + 1 + (_pages / 4))][];
            pages.CopyTo(more, 0);
            Publish(new Table([.. _table.Slots], more));
            pages = more;
        }

        pages[_pages++] = page;
        _tail = 0;
        Bytes += page.Length + ArrayBytes;
        cache.Charge(page.Length + ArrayBytes);
        return page;
    }

    private void Rebuild()
    {
        Table old = _table;
        Table table = new(new ulong[Math.Max(4, (_live + 1) * 5 / 4)], new byte[Math.Max(1, (int)(_liveBytes / (MaxPageBytes / 2)) + _live / 64 + 2)][]);
        (int pages, int tail, long left) = (0, 0, _liveBytes);
        for (int i = 0; i < old.Slots.Length; i++)
        {
            ulong slot = old.Slots[i];
            if ((uint)slot <= Removed)
            {
                continue;
            }

            CacheRecord record = old.At(slot, cache);
            int size = record.Size;
            if (pages == 0 || table.Pages[pages - 1].Length - tail < size)
            {
                if (pages == table.Pages.Length)
                {
                    byte[][] more = new byte[pages * 2][];
                    table.Pages.CopyTo(more, 0);
                    table = new Table(table.Slots, more);
                }

                table.Pages[pages++] = GC.AllocateUninitializedArray<byte>((int)Math.Max(size, Math.Min(MaxPageBytes, left)), pinned: true);
                tail = 0;
            }

            old.Octets(slot, size).CopyTo(table.Pages[pages - 1].AsSpan(tail));
            Insert(table, Slot(HashOf(record), Location(pages - 1, tail)));
            tail += size;
            left -= size;
        }

        (_filled, _pages, _tail, _removedBytes) = (_live, pages, tail, 0);
        Publish(table);
    }

    private void Publish(Table table)
    {
        long bytes = ReferenceEquals(table, s_empty)
            ? 0
            : (table.Slots.Length * sizeof(ulong)) + (table.Pages.Length * IntPtr.Size) + (2 * ArrayBytes) + table.Pages.Where(page => page is not null).Sum(page => (long)page.Length + ArrayBytes);
        cache.Charge(bytes - Bytes);
        Bytes = bytes;
        Volatile.Write(ref _table, table);
    }

    private static void Insert(Table table, ulong slot)
    {
        ulong[] slots = table.Slots;
        int i = First((uint)(slot >> 32), slots.Length);
        while (slots[i] != 0)
        {
            i = i + 1 == slots.Length ? 0 : i + 1;
        }

        Volatile.Write(ref slots[i], slot);
    }

    private ulong HashOf(CacheRecord record) => cache.HashOf(record.Class.Issuer, SerialOf(record));

    private static bool IsOf(CacheRecord record, IssuerId issuer, ReadOnlySpan<byte> serial) => record.Class.Issuer == issuer && SerialOf(record).SequenceEqual(serial);

    private static ReadOnlySpan<byte> SerialOf(CacheRecord record) => PlainRequest.SerialOf(record.Middle[record.Class.CertIdOffset..]);

    // Where a slot belongs follows from its tag, so that a table grows without its records. Of the tag's 32 bits those are left to tell apart what lies side by side that do not say
    // where: 22 with a thousand slots. The stripe is said by others (ResponseCache.StripeOf).
    private static int First(uint tag, int slots) => (int)(((ulong)tag * (ulong)slots) >> 32);

    private static uint Tag(ulong hash) => (uint)(hash >> 22);

    private static ulong Slot(ulong hash, uint location) => ((ulong)Tag(hash) << 32) | location;

    private static uint Location(int page, int offset) => (((uint)page << OffsetBits) | ((uint)offset >> 3)) + 2;

    /// <summary>Slots and pages that belong together.</summary>
    private sealed class Table(ulong[] slots, byte[][] pages)
    {
        public readonly ulong[] Slots = slots;
        public readonly byte[][] Pages = pages;

        public CacheRecord At(ulong slot, ResponseCache cache)
        {
            uint location = (uint)slot - 2;
            byte[] page = Pages[location >> OffsetBits];
            int offset = (int)(location & ((1 << OffsetBits) - 1)) << 3;
            return new CacheRecord(page, offset, cache.ClassAt(CacheRecord.ClassOf(page, offset)));
        }

        public ReadOnlySpan<byte> Octets(ulong slot, int size)
        {
            uint location = (uint)slot - 2;
            return Pages[location >> OffsetBits].AsSpan((int)(location & ((1 << OffsetBits) - 1)) << 3, size);
        }
    }

    /// <summary>Walks along the slots that a hash may have.</summary>
    private ref struct Probe
    {
        private readonly ulong[] _slots;
        private readonly uint _tag;
        private int _left;

        public Probe(Table table, ulong hash)
        {
            _slots = table.Slots;
            _tag = Tag(hash);
            _left = _slots.Length;
            Index = First(_tag, _slots.Length) - 1;
        }

        public int Index { get; private set; }

        public ulong Slot { get; private set; }

        public bool MoveNext()
        {
            while (_left-- > 0)
            {
                Index = Index + 1 == _slots.Length ? 0 : Index + 1;
                ulong slot = Volatile.Read(ref _slots[Index]);
                if (slot == 0)
                {
                    return false;
                }

                if ((uint)(slot >> 32) == _tag && (uint)slot > Removed)
                {
                    Slot = slot;
                    return true;
                }
            }

            return false;
        }
    }
}
