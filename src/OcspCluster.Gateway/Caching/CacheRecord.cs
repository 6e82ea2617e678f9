using System.Buffers.Binary;
using System.Runtime.InteropServices;
using OcspCluster.Authority;

namespace OcspCluster.Gateway;

/// <summary>
/// One answer as it lies in a page of the cache. All but four fields are written once, before any reader can find the record: whether it was asked for, whether it was used since
/// the clock came by, whether it is made due, and until when it is held.
/// </summary>
/// <remarks>
/// <code>
///  0 class           2 octets      8 length of the middle  4      24 producedAt   4
///  2 flags           1            12 refreshAt             4      28 nextUpdate   4
///  3 asked  4 used   2            16 held until            8      32 SHA-256     32
///  5 made due        1                                            64 status, then the octets between the class's head and tail
///  6 status's length 1
/// </code>
/// Times are seconds since 1970; held until is of the monotonic clock. Records begin at multiples of eight, so that the last can be written in one piece.
/// </remarks>
internal readonly struct CacheRecord(byte[] page, int offset, ResponseClass @class)
{
    /// <summary>The octets before the status.</summary>
    public const int HeaderBytes = 64;

    private const byte IsDefaultFlag = 1;
    private const byte IsKeptFlag = 2;
    private const byte IsRevokedFlag = 4;
    private const int SaysShift = 4;

    /// <summary>What it shares with others.</summary>
    public ResponseClass Class => @class;

    public static ushort ClassOf(byte[] page, int offset) => BinaryPrimitives.ReadUInt16LittleEndian(page.AsSpan(offset));

    public bool IsDefault => (Header[2] & IsDefaultFlag) != 0;

    public bool IsKept => (Header[2] & IsKeptFlag) != 0;

    public bool IsRevoked => (Header[2] & IsRevokedFlag) != 0;

    public AnswerKind Says => (AnswerKind)(Header[2] >> SaysShift);

    public bool WasAsked
    {
        get => Header[3] != 0;
        set => SetOnce(3, value);
    }

    public bool WasUsed
    {
        get => Header[4] != 0;
        set => SetOnce(4, value);
    }

    public bool IsMadeDue
    {
        get => Header[5] != 0;
        set => SetOnce(5, value);
    }

    public uint RefreshAt => BinaryPrimitives.ReadUInt32LittleEndian(Header[12..]);

    public uint ProducedAt => BinaryPrimitives.ReadUInt32LittleEndian(Header[24..]);

    public uint NextUpdate => BinaryPrimitives.ReadUInt32LittleEndian(Header[28..]);

    /// <summary>The SHA-256 of the whole answer.</summary>
    public ReadOnlySpan<byte> Digest => Header.Slice(32, 32);

    public ReadOnlySpan<byte> Status => page.AsSpan(offset + HeaderBytes, page[offset + 6]);

    /// <summary>The octets between the class's head and tail.</summary>
    public ReadOnlySpan<byte> Middle => page.AsSpan(offset + HeaderBytes + page[offset + 6], MiddleLength);

    /// <summary>The length of the whole answer.</summary>
    public int Length => @class.Head.Length + MiddleLength + @class.Tail.Length;

    /// <summary>The octets that it takes in a page.</summary>
    public int Size => SizeOf(page[offset + 6], MiddleLength);

    public long Position => StatusCode.ReadPosition(Status);

    /// <summary>Until when it may be given without the status being read, in timestamps of the monotonic clock.</summary>
    public long HeldUntil
    {
        get => Volatile.Read(ref Held);
        set => Volatile.Write(ref Held, value);
    }

    private int MiddleLength => BinaryPrimitives.ReadInt32LittleEndian(Header[8..]);

    private Span<byte> Header => page.AsSpan(offset, HeaderBytes);

    private ref long Held => ref MemoryMarshal.AsRef<long>(page.AsSpan(offset + 16, sizeof(long)));

    /// <summary>Whether it answers this CertID, for clients that prefer nothing or this credential.</summary>
    public bool Answers(ReadOnlySpan<byte> certId, SigningCredential? preferred) =>
        (preferred is null ? IsDefault : ReferenceEquals(@class.Credential, preferred)) && Middle[@class.CertIdOffset..].StartsWith(certId);

    /// <summary>The octets that a record with such a status and answer takes.</summary>
    public static int SizeOf(int statusLength, int middleLength) => (HeaderBytes + statusLength + middleLength + 7) & ~7;

    /// <summary>Writes a record; the reader does not know of it yet.</summary>
    public static void Write(Span<byte> record, ushort classNumber, ResponseClass @class, CachedResponse made, ReadOnlySpan<byte> status)
    {
        SignedResponse response = made.Response;
        ReadOnlySpan<byte> middle = MiddleOf(@class, response);
        BinaryPrimitives.WriteUInt16LittleEndian(record, classNumber);
        record[2] = (byte)((made.IsDefault ? IsDefaultFlag : 0) | (made.IsKept ? IsKeptFlag : 0) | (made.IsRevoked ? IsRevokedFlag : 0) | ((int)response.Says << SaysShift));
        record[3] = (byte)(made.WasAsked ? 1 : 0);
        record[4] = 0;
        record[5] = (byte)(made.IsMadeDue ? 1 : 0);
        record[6] = (byte)status.Length;
        record[7] = 0;
        BinaryPrimitives.WriteInt32LittleEndian(record[8..], middle.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(record[12..], Seconds(response.RefreshAt));
        BinaryPrimitives.WriteInt64LittleEndian(record[16..], made.HeldUntil);
        BinaryPrimitives.WriteUInt32LittleEndian(record[24..], Seconds(response.ProducedAt));
        BinaryPrimitives.WriteUInt32LittleEndian(record[28..], Seconds(response.NextUpdate));
        response.Digest.CopyTo(record[32..]);
        status.CopyTo(record[HeaderBytes..]);
        middle.CopyTo(record[(HeaderBytes + status.Length)..]);
    }

    public static ReadOnlySpan<byte> MiddleOf(ResponseClass @class, SignedResponse response) => response.Encoded.Span[@class.Head.Length..^@class.Tail.Length];

    /// <summary>Writes the whole answer.</summary>
    public void CopyTo(Span<byte> destination)
    {
        ReadOnlySpan<byte> head = @class.Head;
        head.CopyTo(destination);
        Middle.CopyTo(destination[head.Length..]);
        @class.Tail.CopyTo(destination[(head.Length + MiddleLength)..]);
    }

    // Whole seconds; a refresh is due a fraction of a second early rather than late.
    private static uint Seconds(DateTimeOffset time) => (uint)Math.Clamp(time.ToUnixTimeSeconds(), 0, uint.MaxValue);

    // Written when it changes, not on every hit: the line stays shared between cores.
    private void SetOnce(int field, bool value)
    {
        ref byte there = ref page[offset + field];
        byte wanted = (byte)(value ? 1 : 0);
        if (Volatile.Read(ref there) != wanted)
        {
            Volatile.Write(ref there, wanted);
        }
    }
}
