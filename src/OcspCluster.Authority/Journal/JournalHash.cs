using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace OcspCluster.Authority;

// The octets that are hashed, version 1. Whoever changes anything here makes a version 2, and still verifies version 1.
//
//   version      01
//   previous     32 octets: the digest of the entry before, zeros for position 1
//   issuer       text           the issuer's id
//   position     int64
//   event        text id, octets serial (the content octets of its DER INTEGER), int32 kind (0 issued, 1 revoked, 2 held,
//                3 released), instant at, optional int32 reason (CRLReason), optional instant invalidityDate,
//                optional instant notAfter
//   received     instant
//   submitter    optional text credential, optional text remote address
//   status       int32 state (0 good, 1 revoked, 2 held), optional instant revocationTime, optional int32 reason,
//                optional instant invalidityDate, optional instant notAfter, optional instant recordedAt
//
//   int32, int64: big-endian two's complement. instant: int64, 100 ns since 0001-01-01T00:00:00Z. text: UTF-8 octets.
//   octets: int32 length, then so many. optional: 00, or 01 and the value.
//
// Every field has its place and its length, so no two entries have the same octets.

/// <summary>The hash chain of a journal: each entry's digest covers the entry and the digest of the one before it.</summary>
public static class JournalHash
{
    private const byte Version = 1;

    // All that has a fixed length, every optional present.
    private const int FixedLength = 1 + Digest.SizeInBytes + (5 * 4) + 8 + 4 + 8 + 5 + 9 + 9 + 8 + 2 + 4 + 9 + 5 + 9 + 9 + 9;

    /// <summary>The digest of an entry.</summary>
    /// <param name="issuer">Whose journal.</param>
    /// <param name="entry">The entry. Of its status everything counts but <see cref="CertificateStatus.HoldsFor"/>, which is not recorded.</param>
    /// <param name="previous">The digest of the entry before it; default for the first.</param>
    public static Digest Compute(IssuerId issuer, JournalEntry entry, in Digest previous)
    {
        ArgumentNullException.ThrowIfNull(entry);
        RevocationEvent @event = entry.Event;
        string issuerName = issuer.ToString();
        int maxLength = FixedLength + @event.Serial.Content.Length + MaxOctets(issuerName) + MaxOctets(@event.Id)
            + MaxOctets(entry.Submitter.Credential) + MaxOctets(entry.Submitter.RemoteAddress);
        byte[]? rented = maxLength > 2048 ? ArrayPool<byte>.Shared.Rent(maxLength) : null;
        Span<byte> buffer = rented ?? stackalloc byte[2048];

        Encoder encoder = new(buffer);
        encoder.Add(Version);
        encoder.Add(previous);
        encoder.Add(issuerName);
        encoder.Add(entry.Position);
        encoder.Add(@event.Id);
        encoder.Add(@event.Serial.Content);
        encoder.Add((int)@event.Kind);
        encoder.Add(@event.At.UtcTicks);
        encoder.AddOptional((int?)@event.Reason);
        encoder.AddOptional(@event.InvalidityDate);
        encoder.AddOptional(@event.NotAfter);
        encoder.Add(entry.ReceivedAt.UtcTicks);
        encoder.AddOptional(entry.Submitter.Credential);
        encoder.AddOptional(entry.Submitter.RemoteAddress);
        encoder.Add((int)entry.Status.State);
        encoder.AddOptional(entry.Status.RevocationTime);
        encoder.AddOptional((int?)entry.Status.Reason);
        encoder.AddOptional(entry.Status.InvalidityDate);
        encoder.AddOptional(entry.Status.NotAfter);
        encoder.AddOptional(entry.Status.RecordedAt);
        Digest digest = Digest.Of(encoder.Encoded);

        if (rented is not null)
        {
            ArrayPool<byte>.Shared.Return(rented);
        }

        return digest;
    }

    private static int MaxOctets(string? text) => text is null ? 0 : Encoding.UTF8.GetMaxByteCount(text.Length);

    private ref struct Encoder(Span<byte> buffer)
    {
        private readonly Span<byte> _buffer = buffer;
        private int _length;

        public readonly ReadOnlySpan<byte> Encoded => _buffer[.._length];

        public void Add(byte value) => _buffer[_length++] = value;

        public void Add(int value)
        {
            BinaryPrimitives.WriteInt32BigEndian(_buffer[_length..], value);
            _length += sizeof(int);
        }

        public void Add(long value)
        {
            BinaryPrimitives.WriteInt64BigEndian(_buffer[_length..], value);
            _length += sizeof(long);
        }

        public void Add(in Digest digest)
        {
            digest.CopyTo(_buffer[_length..]);
            _length += Digest.SizeInBytes;
        }

        public void Add(ReadOnlySpan<byte> octets)
        {
            Add(octets.Length);
            octets.CopyTo(_buffer[_length..]);
            _length += octets.Length;
        }

        public void Add(string text)
        {
            int octets = Encoding.UTF8.GetBytes(text, _buffer[(_length + sizeof(int))..]);
            Add(octets);
            _length += octets;
        }

        public void AddOptional(string? text)
        {
            Add((byte)(text is null ? 0 : 1));
            if (text is not null)
            {
                Add(text);
            }
        }

        public void AddOptional(int? value)
        {
            Add((byte)(value is null ? 0 : 1));
            if (value is { } number)
            {
                Add(number);
            }
        }

        public void AddOptional(DateTimeOffset? instant)
        {
            Add((byte)(instant is null ? 0 : 1));
            if (instant is { } value)
            {
                Add(value.UtcTicks);
            }
        }
    }
}
