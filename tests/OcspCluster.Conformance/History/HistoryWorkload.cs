using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;

namespace OcspCluster.Conformance;

/// <summary>The serials of a run and what may happen to each next: all of it from the seed. Immutable.</summary>
public sealed class HistoryWorkload(int seed, DateTimeOffset now)
{
    private static readonly int?[] s_reasons = [null, 1, 3, 4, 5];

    // Long enough ago that no event lies in the future, however many a certificate has.
    private readonly DateTimeOffset _base = DateTimeOffset.FromUnixTimeSeconds(now.ToUnixTimeSeconds()) - TimeSpan.FromDays(60);

    /// <summary>What everything here follows from.</summary>
    public int Seed => seed;

    /// <summary>The content octets of a serial number; negative numbers are of certificates that are never issued.</summary>
    public byte[] SerialOf(int number)
    {
        Span<byte> input = stackalloc byte[8];
        BinaryPrimitives.WriteInt32BigEndian(input, seed);
        BinaryPrimitives.WriteInt32BigEndian(input[4..], number);
        byte[] serial = SHA256.HashData(input)[..16];
        serial[0] = (byte)((serial[0] & 0x3F) | 0x40);
        return serial;
    }

    /// <summary>The next legal event of a certificate.</summary>
    /// <param name="number">Which certificate.</param>
    /// <param name="events">How many it has had.</param>
    /// <param name="status">What it is now.</param>
    /// <param name="random">Chooses.</param>
    public HistoryEvent Next(int number, int events, ShownStatus status, Random random)
    {
        ArgumentNullException.ThrowIfNull(random);
        HistoryEventKind kind = status.State switch
        {
            ShownState.NotIssued => HistoryEventKind.Issued,
            ShownState.Good => random.Next(4) == 0 ? HistoryEventKind.Revoked : HistoryEventKind.Held,
            _ => random.Next(4) == 0 ? HistoryEventKind.Revoked : HistoryEventKind.Released,
        };

        // Every event of a certificate has a time of its own, so that an answer tells which of them it shows.
        return new HistoryEvent(
            string.Create(CultureInfo.InvariantCulture, $"h{seed}-{number}-{events}"),
            number,
            kind,
            _base.AddMinutes((number % 1440) + events),
            kind == HistoryEventKind.Revoked ? s_reasons[random.Next(s_reasons.Length)] : null);
    }

    /// <summary>The random choices of one client, the same in every run of this seed.</summary>
    public Random RandomOf(string client) => new(BinaryPrimitives.ReadInt32BigEndian(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{seed} {client}")))));
}
