using OcspCluster.Authority;
using OcspCluster.Protocol;

namespace OcspCluster.Gateway;

/// <summary>
/// A status in some twenty octets: a mask of what is there, the journal position, then the times and the reason. It comes back as it was, but for <see cref="CertificateStatus.HoldsFor"/>,
/// which is kept as a time of the monotonic clock.
/// </summary>
internal static class StatusCode
{
    /// <summary>The most octets that it takes.</summary>
    public const int MaxBytes = 1 + (5 * 10) + 1;

    private const byte StateMask = 0x03;
    private const byte HasRevocationTime = 0x04;
    private const byte HasReason = 0x08;
    private const byte HasInvalidityDate = 0x10;
    private const byte HasNotAfter = 0x20;
    private const byte HasRecordedAt = 0x40;

    /// <summary>Writes a status.</summary>
    /// <returns>How many octets it took; 0 for none.</returns>
    public static int Write(CertificateStatus? status, Span<byte> destination)
    {
        if (status is null)
        {
            return 0;
        }

        destination[0] = (byte)((byte)status.State
            | (status.RevocationTime is null ? 0 : HasRevocationTime)
            | (status.Reason is null ? 0 : HasReason)
            | (status.InvalidityDate is null ? 0 : HasInvalidityDate)
            | (status.NotAfter is null ? 0 : HasNotAfter)
            | (status.RecordedAt is null ? 0 : HasRecordedAt));
        int length = 1;
        WriteNumber((ulong)status.Position, destination, ref length);
        WriteTime(status.RevocationTime, destination, ref length);
        WriteTime(status.InvalidityDate, destination, ref length);
        WriteTime(status.NotAfter, destination, ref length);
        WriteTime(status.RecordedAt, destination, ref length);
        if (status.Reason is RevocationReason reason)
        {
            destination[length++] = (byte)reason;
        }

        return length;
    }

    /// <summary>Reads what was written.</summary>
    public static CertificateStatus? Read(ReadOnlySpan<byte> source)
    {
        if (source.IsEmpty)
        {
            return null;
        }

        byte mask = source[0];
        int position = 1;
        return new CertificateStatus
        {
            State = (CertificateState)(mask & StateMask),
            Position = (long)ReadNumber(source, ref position),
            RevocationTime = ReadTime(mask & HasRevocationTime, source, ref position),
            InvalidityDate = ReadTime(mask & HasInvalidityDate, source, ref position),
            NotAfter = ReadTime(mask & HasNotAfter, source, ref position),
            RecordedAt = ReadTime(mask & HasRecordedAt, source, ref position),
            Reason = (mask & HasReason) != 0 ? (RevocationReason)source[position] : null,
        };
    }

    /// <summary>The journal position alone.</summary>
    public static long ReadPosition(ReadOnlySpan<byte> source)
    {
        int position = 1;
        return source.IsEmpty ? 0 : (long)ReadNumber(source, ref position);
    }

    // Whole seconds, as nearly all are, with a 0 below; else ticks with a 1.
    private static void WriteTime(DateTimeOffset? time, Span<byte> destination, ref int length)
    {
        if (time is DateTimeOffset there)
        {
            (long seconds, long fraction) = Math.DivRem(there.UtcTicks, TimeSpan.TicksPerSecond);
            WriteNumber(fraction == 0 ? (ulong)seconds << 1 : ((ulong)there.UtcTicks << 1) | 1, destination, ref length);
        }
    }

    private static DateTimeOffset? ReadTime(int isThere, ReadOnlySpan<byte> source, ref int position)
    {
        if (isThere == 0)
        {
            return null;
        }

        ulong number = ReadNumber(source, ref position);
        return new DateTimeOffset((long)(number >> 1) * ((number & 1) == 0 ? TimeSpan.TicksPerSecond : 1), TimeSpan.Zero);
    }

    private static void WriteNumber(ulong number, Span<byte> destination, ref int length)
    {
        for (; number >= 0x80; number >>= 7)
        {
            destination[length++] = (byte)(number | 0x80);
        }

        destination[length++] = (byte)number;
    }

    private static ulong ReadNumber(ReadOnlySpan<byte> source, ref int position)
    {
        ulong number = 0;
        for (int shift = 0; ; shift += 7)
        {
            byte octet = source[position++];
            number |= (ulong)(octet & 0x7F) << shift;
            if (octet < 0x80)
            {
                return number;
            }
        }
    }
}
