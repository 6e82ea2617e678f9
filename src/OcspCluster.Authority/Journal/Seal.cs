using System.Buffers.Binary;
using System.Numerics;

namespace OcspCluster.Authority;

/// <summary>
/// The CRC-32C that a store keeps with a record, over its key and every field. Neither SQLite's pages nor Redis's append-only
/// file have a checksum: without this, one flipped bit could turn <c>revoked</c> into <c>good</c>.
/// </summary>
public ref struct Seal
{
    private uint _crc;

    /// <summary>Nothing added yet.</summary>
    public Seal() => _crc = uint.MaxValue;

    /// <summary>The checksum of what was added.</summary>
    public readonly long Value => ~_crc;

    /// <summary>Adds a number.</summary>
    public void Add(long value) => _crc = BitOperations.Crc32C(_crc, (ulong)value);

    /// <summary>Adds a number or its absence, which differs from every number.</summary>
    public void Add(long? value)
    {
        _crc = BitOperations.Crc32C(_crc, (byte)(value is null ? 0 : 1));
        if (value is { } number)
        {
            Add(number);
        }
    }

    /// <summary>Adds octets and their number.</summary>
    public void Add(scoped ReadOnlySpan<byte> octets)
    {
        Add((long)octets.Length);
        for (; octets.Length >= sizeof(ulong); octets = octets[sizeof(ulong)..])
        {
            _crc = BitOperations.Crc32C(_crc, BinaryPrimitives.ReadUInt64LittleEndian(octets));
        }

        foreach (byte octet in octets)
        {
            _crc = BitOperations.Crc32C(_crc, octet);
        }
    }

    /// <summary>Adds octets or their absence, which differs from none.</summary>
    public void AddOptional(scoped ReadOnlySpan<byte> octets, bool isPresent)
    {
        _crc = BitOperations.Crc32C(_crc, (byte)(isPresent ? 1 : 0));
        if (isPresent)
        {
            Add(octets);
        }
    }
}
