using System.Buffers.Binary;
using OcspCluster.Authority;
using OcspCluster.Protocol;

namespace OcspCluster.Silo.Storage;

// The leaves are read in their order, some whole ones in a step, and every step is of one moment. What is recorded meanwhile may split leaves, which moves keys to a new leaf behind: behind a leaf
// that was read they were read with it, and the others are still ahead. No key ever goes. So everything that was recorded before the head was read is met, whatever is recorded meanwhile.

/// <summary>
/// Goes through the serial numbers of all certificates of an issuer: a fifth of the octets of its journal, and a thirtieth of the garbage. A step that failed is made again by the next
/// <see cref="RunAsync"/>. For one caller at a time.
/// </summary>
internal sealed class SerialWalk(RedisStoreReader reader, IssuerId issuer, RedisHead head)
{
    private ReadOnlyMemory<byte> _from; // the low bound of the first leaf that was not read
    private long _met;
    private bool _isAtEnd;

    /// <summary>Every certificate that was recorded up to this position of the journal is met.</summary>
    public long Position => head.Position;

    /// <summary>How many those are.</summary>
    public long Certificates => head.Counts.Good + head.Counts.Revoked + head.Counts.Held;

    /// <summary>Goes on to the end.</summary>
    /// <param name="meet">Is given the octets of each serial number.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>Whether all were met; false: a record is damaged, or some are missing, and only the journal can tell.</returns>
    /// <exception cref="RevocationStoreException">Redis could not be asked. What was met stays so.</exception>
    public async Task<bool> RunAsync(Action<ReadOnlySpan<byte>> meet, CancellationToken cancellationToken)
    {
        Task<RedisSerials>? reading = _isAtEnd ? null : reader.ReadSerialsAsync(issuer, _from, cancellationToken);
        while (reading is not null)
        {
            RedisSerials page = await reading.ConfigureAwait(false);
            reading = page.Next is null ? null : reader.ReadSerialsAsync(issuer, page.Next, cancellationToken); // Redis looks while we take
            if (!TryMeet(page.Octets, meet))
            {
                reading?.Ignore();
                return false;
            }

            _from = page.Next;
            _isAtEnd = page.Next is null;
        }

        return _met >= Certificates;
    }

    private bool TryMeet(ReadOnlySpan<byte> octets, Action<ReadOnlySpan<byte>> meet)
    {
        while (!octets.IsEmpty)
        {
            if (!TryTake(ref octets, out ReadOnlySpan<byte> serial) || !TryTake(ref octets, out ReadOnlySpan<byte> status)
                || !SerialNumber.IsMinimal(serial) || !RedisRecords.IsStatus(issuer, serial, status))
            {
                return false;
            }

            meet(serial);
            _met++;
        }

        return true;
    }

    // The str of MessagePack: 101xxxxx with the length in it, or D9, DA, DB and a length of one, two or four octets.
    private static bool TryTake(ref ReadOnlySpan<byte> octets, out ReadOnlySpan<byte> taken)
    {
        (uint length, int prefix) = octets switch
        {
            [var first and >= 0xA0 and < 0xC0, ..] => (first & 0x1Fu, 1),
            [0xD9, var one, ..] => (one, 2),
            [0xDA, _, _, ..] => (BinaryPrimitives.ReadUInt16BigEndian(octets[1..]), 3),
            [0xDB, _, _, _, _, ..] => (BinaryPrimitives.ReadUInt32BigEndian(octets[1..]), 5),
            _ => (uint.MaxValue, 0),
        };
        if (length > octets.Length - prefix)
        {
            taken = default;
            return false;
        }

        taken = octets.Slice(prefix, (int)length);
        octets = octets[(prefix + (int)length)..];
        return true;
    }
}
