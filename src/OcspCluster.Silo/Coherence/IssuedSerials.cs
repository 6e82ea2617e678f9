using System.Buffers.Binary;
using System.Security.Cryptography;
using OcspCluster.Authority;
using OcspCluster.Protocol;
using OcspCluster.Silo.Storage;

namespace OcspCluster.Silo.Coherence;

/// <summary>
/// Which serial numbers of an issuer are recorded, as 64-bit hashes: who is not in here was never issued, as of <see cref="Position"/>; who is, probably was.
/// Open addressing in 1,024 tables that grow by a quarter each, 10 to 12 octets for a certificate. Reading takes no lock. Thread-safe.
/// </summary>
internal sealed class IssuedSerials
{
    private const int TableBits = 10;
    private const int SmallestTable = 8;
    private const double MostFull = 0.85;

    private readonly Table[] _tables = [.. Enumerable.Range(0, 1 << TableBits).Select(_ => new Table())];
    private readonly ulong _seed = BinaryPrimitives.ReadUInt64LittleEndian(RandomNumberGenerator.GetBytes(sizeof(ulong))); // who can choose serial numbers cannot choose our slots
    private readonly Lock _positionLock = new();
    private long _position;
    private SerialWalk? _walk; // of the first reading, as far as it went
    private bool _isWalkOver;

    /// <summary>Up to which position of the journal every recorded serial number is in here.</summary>
    public long Position => Volatile.Read(ref _position);

    /// <summary>How many are in here.</summary>
    public long Count => _tables.Sum(table => (long)table.Count);

    /// <summary>The memory that the slots take.</summary>
    public long Bytes => _tables.Sum(table => (long)table.Capacity * sizeof(ulong));

    /// <summary>Whether a serial number may be recorded; false: it is not, as of <see cref="Position"/>.</summary>
    public bool MayContain(SerialNumber serial)
    {
        ulong hash = Hash(serial.Content);
        return TableOf(hash).Contains(hash);
    }

    /// <summary>Takes in the serial numbers of the journal's entries from one position through another.</summary>
    public void Add(long from, long through, IEnumerable<SerialNumber> serials)
    {
        foreach (SerialNumber serial in serials)
        {
            Add(serial.Content);
        }

        lock (_positionLock)
        {
            if (from <= _position + 1 && through > _position)
            {
                Volatile.Write(ref _position, through);
            }
        }
    }

    /// <summary>Reads what is missing: from the journal, or the first time from the index of the certificates, where the store has one. For one caller at a time.</summary>
    public async Task ReadAsync(IRevocationStore store, IssuerId issuer, CancellationToken cancellationToken)
    {
        if (store is RedisRevocationStore redis && !_isWalkOver)
        {
            _walk ??= await redis.BeginWalkAsync(issuer, cancellationToken).ConfigureAwait(false);
            Reserve(_walk.Certificates);
            if (await _walk.RunAsync(Add, cancellationToken).ConfigureAwait(false))
            {
                Add(1, _walk.Position, []);
            }

            (_walk, _isWalkOver) = (null, true);
        }

        await foreach (JournalEntry entry in store.ReadJournalAsync(issuer, Position, cancellationToken).ConfigureAwait(false))
        {
            Add(entry.Position, entry.Position, [entry.Event.Serial]);
        }
    }

    // Growing to a million leaves four times as much to the collector as is kept, and beyond nine million it leaves large objects, which are never moved together.
    private void Reserve(long count)
    {
        double each = (double)count / _tables.Length;
        int slots = (int)((each + (3 * Math.Sqrt(each))) / MostFull) + 1; // enough for 999 tables of 1,000; the others grow
        foreach (Table table in _tables)
        {
            table.Reserve(slots);
        }
    }

    private void Add(ReadOnlySpan<byte> serial)
    {
        ulong hash = Hash(serial);
        TableOf(hash).Add(hash);
    }

    // Zero is an empty slot, so no hash is zero.
    private ulong Hash(ReadOnlySpan<byte> serial)
    {
        ulong hash = (SerialHash.Compute(serial) ^ _seed) * 0x9E37_79B9_7F4A_7C15;
        hash ^= hash >> 32;
        return hash == 0 ? 1 : hash;
    }

    private Table TableOf(ulong hash) => _tables[hash >> (64 - TableBits)];

    private sealed class Table
    {
        private ulong[] _slots = []; // replaced as a whole when it grows; slots only ever fill

        public int Count { get; private set; }

        public int Capacity => Volatile.Read(ref _slots).Length;

        public bool Contains(ulong hash)
        {
            ulong[] slots = Volatile.Read(ref _slots);
            return slots.Length > 0 && Volatile.Read(ref slots[SlotOf(slots, hash)]) == hash;
        }

        public void Add(ulong hash)
        {
            lock (this)
            {
                if (Count + 1 > _slots.Length * MostFull)
                {
                    Move(new ulong[Math.Max(SmallestTable, _slots.Length + (_slots.Length / 4))]);
                }

                int slot = SlotOf(_slots, hash);
                if (_slots[slot] == 0)
                {
                    Volatile.Write(ref _slots[slot], hash);
                    Count++;
                }
            }
        }

        public void Reserve(int slots)
        {
            lock (this)
            {
                if (slots > _slots.Length)
                {
                    // Pinned arrays stay where they are: the others are moved twice while they are young, and the collector keeps the room of both copies for what is allocated next.
                    Move(GC.AllocateArray<ulong>(slots, pinned: true));
                }
            }
        }

        private void Move(ulong[] larger)
        {
            foreach (ulong hash in _slots)
            {
                if (hash != 0)
                {
                    larger[SlotOf(larger, hash)] = hash;
                }
            }

            Volatile.Write(ref _slots, larger);
        }

        // Where the hash is, or the empty slot where it belongs: there always is one.
        private static int SlotOf(ulong[] slots, ulong hash)
        {
            int slot = (int)(((hash & 0xFFFF_FFFF) * (ulong)slots.Length) >> 32);
            while (Volatile.Read(ref slots[slot]) is ulong found && found != hash && found != 0)
            {
                slot = slot + 1 == slots.Length ? 0 : slot + 1;
            }

            return slot;
        }
    }
}
