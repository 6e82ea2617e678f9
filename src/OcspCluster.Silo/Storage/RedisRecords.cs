using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using OcspCluster.Authority;
using OcspCluster.Protocol;

namespace OcspCluster.Silo.Storage;

// A status, the value of its serial number in the tree "s":
//   1 octet    bits 0-1 the state; then one bit each: revocationTime, reason, invalidityDate, notAfter, recordedAt present
//   5 octets   the journal position, big-endian: the append script reads these two
//   the fields that are present, in that order
//   4 octets   Seal over issuer, serial and what stands before
//
// An entry, the field "e" of the stream's entry {position}-0:
//   1 octet    version, 1
//   text id, octets serial, number kind, instant at, optionals, instant receivedAt, submitter, the status's state and fields
//   32 octets  the entry's digest (JournalHash)
//   4 octets   Seal over issuer, position and what stands before
//
// number: varint of the zigzag form. octets: varint length, then so many. text: UTF-8 octets. instant: number s·2 where it is
// whole seconds since 1970, else t·2 + 1 for 100 ns since 1970: five octets instead of nine for most.

/// <summary>How entries and statuses lie in their values: the one place that knows the order of the fields. Pure.</summary>
internal static class RedisRecords
{
    /// <summary>The length of what stands for an event id: the first half of its SHA-256.</summary>
    public const int EventKeyBytes = 16;

    /// <summary>The highest position that a status can name.</summary>
    public const long MaxPosition = (1L << 40) - 1;

    private const byte EntryVersion = 1;
    private const int StatusPrefixBytes = 6;
    private const int SealBytes = 4;

    [Flags]
    private enum Present
    {
        RevocationTime = 1 << 2,
        Reason = 1 << 3,
        InvalidityDate = 1 << 4,
        NotAfter = 1 << 5,
        RecordedAt = 1 << 6,
    }

    /// <summary>What a record's seal is over: all but the seal; nothing when it is too short to have one.</summary>
    public static ReadOnlySpan<byte> Sealed(ReadOnlySpan<byte> value) => value.Length > SealBytes ? value[..^SealBytes] : default;

    /// <summary>A record without its seal; nothing when the seal is another one.</summary>
    public static ReadOnlySpan<byte> Unseal(ReadOnlySpan<byte> value, uint seal) =>
        value.Length > SealBytes && BinaryPrimitives.ReadUInt32BigEndian(value[^SealBytes..]) == seal ? value[..^SealBytes] : default;

    /// <summary>What stands for an event id in the tree "e". Two ids of the same half digest, which nobody can make by chance, would be taken for one: the second is refused.</summary>
    public static byte[] EventKey(string eventId) => SHA256.HashData(Encoding.UTF8.GetBytes(eventId))[..EventKeyBytes];

    /// <summary>The value of a status.</summary>
    public static byte[] WriteStatus(IssuerId issuer, SerialNumber serial, CertificateStatus status)
    {
        RecordWriter writer = new(64);
        writer.Add((byte)((int)status.State | (int)PresentIn(status)));
        Span<byte> position = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(position, status.Position);
        writer.AddRaw(position[3..]);
        AddFields(ref writer, status);
        return writer.Finish(SealStatus(issuer, serial.Content, writer.Written));
    }

    /// <summary>Reads the value of a status; null when it is not what was written.</summary>
    public static CertificateStatus? ReadStatus(IssuerId issuer, SerialNumber serial, ReadOnlySpan<byte> value)
    {
        if (!IsStatus(issuer, serial.Content, value))
        {
            return null;
        }

        Span<byte> position = stackalloc byte[sizeof(long)];
        position.Clear();
        value[1..StatusPrefixBytes].CopyTo(position[3..]);
        RecordReader reader = new(value[StatusPrefixBytes..^SealBytes]);
        CertificateStatus status = ReadFields(ref reader, value[0], BinaryPrimitives.ReadInt64BigEndian(position));
        return reader.IsSound && reader.IsAtEnd ? status : null;
    }

    /// <summary>Whether the value of a status is what was written for that serial number, by its seal.</summary>
    public static bool IsStatus(IssuerId issuer, ReadOnlySpan<byte> serial, ReadOnlySpan<byte> value) =>
        value.Length >= StatusPrefixBytes + SealBytes && BinaryPrimitives.ReadUInt32BigEndian(value[^SealBytes..]) == SealStatus(issuer, serial, value[..^SealBytes]);

    /// <summary>The value of an entry.</summary>
    public static byte[] WriteEntry(IssuerId issuer, JournalEntry entry, in Digest hash)
    {
        RevocationEvent @event = entry.Event;
        RecordWriter writer = new(256);
        writer.Add(EntryVersion);
        writer.AddText(@event.Id);
        writer.AddOctets(@event.Serial.Content);
        writer.AddNumber((int)@event.Kind);
        writer.AddInstant(@event.At);
        writer.Add((byte)((@event.Reason is null ? 0 : 1) | (@event.InvalidityDate is null ? 0 : 2) | (@event.NotAfter is null ? 0 : 4)
            | (entry.Submitter.Credential is null ? 0 : 8) | (entry.Submitter.RemoteAddress is null ? 0 : 16)));
        writer.AddOptional((int?)@event.Reason);
        writer.AddOptional(@event.InvalidityDate);
        writer.AddOptional(@event.NotAfter);
        writer.AddInstant(entry.ReceivedAt);
        writer.AddOptional(entry.Submitter.Credential);
        writer.AddOptional(entry.Submitter.RemoteAddress);
        writer.Add((byte)((int)entry.Status.State | (int)PresentIn(entry.Status)));
        AddFields(ref writer, entry.Status);
        Span<byte> digest = stackalloc byte[Digest.SizeInBytes];
        hash.CopyTo(digest);
        writer.AddRaw(digest);
        return writer.Finish(SealEntry(issuer, entry.Position, writer.Written));
    }

    /// <summary>Reads the value of an entry; null when it is not what was written.</summary>
    public static ChainedEntry? ReadEntry(IssuerId issuer, long position, ReadOnlySpan<byte> value)
    {
        if (value.Length < 1 + Digest.SizeInBytes + SealBytes || value[0] != EntryVersion
            || BinaryPrimitives.ReadUInt32BigEndian(value[^SealBytes..]) != SealEntry(issuer, position, value[..^SealBytes]))
        {
            return null;
        }

        value = value[..^SealBytes];
        RecordReader reader = new(value[1..^Digest.SizeInBytes]);
        string id = reader.ReadText();
        ReadOnlySpan<byte> serial = reader.ReadOctets();
        EventKind kind = (EventKind)reader.ReadNumber();
        DateTimeOffset at = reader.ReadInstant();
        int flags = reader.ReadByte();
        RevocationEvent @event = new()
        {
            Id = id,
            Serial = SerialNumber.IsMinimal(serial) ? SerialNumber.FromContent(serial) : default,
            Kind = kind,
            At = at,
            Reason = (flags & 1) != 0 ? (RevocationReason)reader.ReadNumber() : null,
            InvalidityDate = (flags & 2) != 0 ? reader.ReadInstant() : null,
            NotAfter = (flags & 4) != 0 ? reader.ReadInstant() : null,
        };
        DateTimeOffset receivedAt = reader.ReadInstant();
        string? credential = (flags & 8) != 0 ? reader.ReadText() : null;
        string? remoteAddress = (flags & 16) != 0 ? reader.ReadText() : null;
        int state = reader.ReadByte();
        CertificateStatus status = ReadFields(ref reader, state, position);
        return reader.IsSound && reader.IsAtEnd && !@event.Serial.IsEmpty && ReadSubmitter(credential, remoteAddress) is { } submitter
            ? new ChainedEntry(new JournalEntry(position, @event, receivedAt, status) { Submitter = submitter }, new Digest(value[^Digest.SizeInBytes..]))
            : null;
    }

    private static Submitter? ReadSubmitter(string? credential, string? remoteAddress)
    {
        if (credential is null && remoteAddress == Submitter.Local.RemoteAddress)
        {
            return Submitter.Local;
        }

        try
        {
            return new Submitter(credential, remoteAddress);
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    private static Present PresentIn(CertificateStatus status) =>
        (status.RevocationTime is null ? 0 : Present.RevocationTime) | (status.Reason is null ? 0 : Present.Reason)
        | (status.InvalidityDate is null ? 0 : Present.InvalidityDate) | (status.NotAfter is null ? 0 : Present.NotAfter)
        | (status.RecordedAt is null ? 0 : Present.RecordedAt);

    private static void AddFields(ref RecordWriter writer, CertificateStatus status)
    {
        writer.AddOptional(status.RevocationTime);
        writer.AddOptional((int?)status.Reason);
        writer.AddOptional(status.InvalidityDate);
        writer.AddOptional(status.NotAfter);
        writer.AddOptional(status.RecordedAt);
    }

    private static CertificateStatus ReadFields(ref RecordReader reader, int flags, long position)
    {
        Present present = (Present)flags;
        return new CertificateStatus
        {
            State = (CertificateState)(flags & 3),
            RevocationTime = present.HasFlag(Present.RevocationTime) ? reader.ReadInstant() : null,
            Reason = present.HasFlag(Present.Reason) ? (RevocationReason)reader.ReadNumber() : null,
            InvalidityDate = present.HasFlag(Present.InvalidityDate) ? reader.ReadInstant() : null,
            NotAfter = present.HasFlag(Present.NotAfter) ? reader.ReadInstant() : null,
            RecordedAt = present.HasFlag(Present.RecordedAt) ? reader.ReadInstant() : null,
            Position = position,
        };
    }

    private static uint SealStatus(IssuerId issuer, ReadOnlySpan<byte> serial, ReadOnlySpan<byte> value)
    {
        Seal seal = new();
        AddIssuer(ref seal, issuer);
        seal.Add(serial);
        seal.Add(value);
        return (uint)seal.Value;
    }

    private static uint SealEntry(IssuerId issuer, long position, ReadOnlySpan<byte> value)
    {
        Seal seal = new();
        AddIssuer(ref seal, issuer);
        seal.Add(position);
        seal.Add(value);
        return (uint)seal.Value;
    }

    private static void AddIssuer(ref Seal seal, IssuerId issuer)
    {
        string name = issuer.ToString(); // at most 64 ASCII characters
        Span<byte> octets = stackalloc byte[64];
        seal.Add(octets[..Encoding.ASCII.GetBytes(name, octets)]);
    }
}

/// <summary>Writes a record's fields one after the other.</summary>
internal ref struct RecordWriter(int capacity)
{
    private byte[] _buffer = new byte[capacity];
    private int _length;

    public readonly ReadOnlySpan<byte> Written => _buffer.AsSpan(0, _length);

    public void Add(byte value) => Reserve(1)[0] = value;

    public void AddRaw(scoped ReadOnlySpan<byte> octets) => octets.CopyTo(Reserve(octets.Length));

    public void AddNumber(long value)
    {
        ulong rest = (ulong)((value << 1) ^ (value >> 63));
        for (; rest >= 0x80; rest >>= 7)
        {
            Add((byte)(rest | 0x80));
        }

        Add((byte)rest);
    }

    public void AddInstant(DateTimeOffset instant)
    {
        long ticks = instant.UtcTicks - DateTime.UnixEpoch.Ticks;
        (long seconds, long fraction) = Math.DivRem(ticks, TimeSpan.TicksPerSecond);
        AddNumber(fraction == 0 ? seconds << 1 : (ticks << 1) | 1);
    }

    public void AddOctets(scoped ReadOnlySpan<byte> octets)
    {
        AddNumber(octets.Length);
        AddRaw(octets);
    }

    public void AddText(string text)
    {
        AddNumber(Encoding.UTF8.GetByteCount(text));
        Encoding.UTF8.GetBytes(text, Reserve(Encoding.UTF8.GetByteCount(text)));
    }

    public void AddOptional(int? value)
    {
        if (value is { } number)
        {
            AddNumber(number);
        }
    }

    public void AddOptional(DateTimeOffset? instant)
    {
        if (instant is { } value)
        {
            AddInstant(value);
        }
    }

    public void AddOptional(string? text)
    {
        if (text is not null)
        {
            AddText(text);
        }
    }

    /// <summary>The record, with its seal at the end.</summary>
    public byte[] Finish(uint seal)
    {
        BinaryPrimitives.WriteUInt32BigEndian(Reserve(sizeof(uint)), seal);
        return _buffer.AsSpan(0, _length).ToArray();
    }

    private Span<byte> Reserve(int count)
    {
        if (_buffer.Length - _length < count)
        {
            Array.Resize(ref _buffer, Math.Max(2 * _buffer.Length, _length + count));
        }

        _length += count;
        return _buffer.AsSpan(_length - count, count);
    }
}

/// <summary>Reads a record's fields one after the other. What cannot be read makes it unsound, and everything after is nothing.</summary>
internal ref struct RecordReader(ReadOnlySpan<byte> record)
{
    private static readonly UTF8Encoding s_strictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private ReadOnlySpan<byte> _rest = record;
    private bool _isUnsound;

    public readonly bool IsSound => !_isUnsound;

    public readonly bool IsAtEnd => _rest.IsEmpty;

    public int ReadByte() => Take(1) is [var value] ? value : 0;

    public long ReadNumber()
    {
        ulong value = 0;
        for (int shift = 0; shift < 64; shift += 7)
        {
            int octet = ReadByte();
            value |= (ulong)(octet & 0x7F) << shift;
            if (octet < 0x80)
            {
                return (long)(value >> 1) ^ -(long)(value & 1);
            }
        }

        _isUnsound = true;
        return 0;
    }

    public DateTimeOffset ReadInstant()
    {
        long number = ReadNumber();
        Int128 ticks = ((number & 1) == 0 ? (Int128)(number >> 1) * TimeSpan.TicksPerSecond : number >> 1) + DateTime.UnixEpoch.Ticks;
        if (ticks < 0 || ticks > DateTime.MaxValue.Ticks)
        {
            _isUnsound = true;
            return default;
        }

        return new DateTimeOffset((long)ticks, TimeSpan.Zero);
    }

    public ReadOnlySpan<byte> ReadOctets()
    {
        long length = ReadNumber();
        return Take(length is >= 0 and <= int.MaxValue ? (int)length : int.MaxValue);
    }

    public ReadOnlySpan<byte> ReadRaw(int count) => Take(count);

    public string ReadText()
    {
        try
        {
            return s_strictUtf8.GetString(ReadOctets());
        }
        catch (DecoderFallbackException)
        {
            _isUnsound = true;
            return "";
        }
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > _rest.Length)
        {
            _isUnsound = true;
            _rest = default;
            return default;
        }

        ReadOnlySpan<byte> taken = _rest[..count];
        _rest = _rest[count..];
        return taken;
    }
}
