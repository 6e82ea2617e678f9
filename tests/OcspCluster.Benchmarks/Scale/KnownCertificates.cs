using System.Buffers.Binary;
using System.Diagnostics;
using OcspCluster.Authority;
using OcspCluster.Benchmarks.Macro;
using OcspCluster.Protocol;
using OcspCluster.Standalone.Storage;

namespace OcspCluster.Benchmarks.Scale;

/// <summary>
/// Certificates written straight into a stopped host's store, with journal, chain and tree as the host writes them, their serial numbers in order: the quickest way to ten million.
/// What is measured afterwards does not depend on the order; how quickly random serial numbers come in does.
/// </summary>
internal static class KnownCertificates
{
    private const int Batch = 16_384;
    private const int InFlight = 3;

    /// <summary>Writes the serial number of one.</summary>
    public static void WriteSerial(int number, Span<byte> serial)
    {
        serial.Clear();
        serial[0] = 0x03;
        BinaryPrimitives.WriteInt64BigEndian(serial[^sizeof(long)..], number);
    }

    /// <summary>Fills a store until it knows so many, or the time is over.</summary>
    /// <param name="store">The store.</param>
    /// <param name="issuer">Whose they are.</param>
    /// <param name="total">How many it shall know.</param>
    /// <param name="limit">How long it may take.</param>
    /// <returns>How many it knows.</returns>
    public static async Task<int> FillAsync(SqliteRevocationStore store, IssuerId issuer, int total, TimeSpan limit)
    {
        long start = Stopwatch.GetTimestamp(), told = start;
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        int position = (int)await store.GetPositionAsync(issuer, CancellationToken.None), from = position;
        Queue<Task<AppendResult>> inFlight = new();
        while (position < total && Stopwatch.GetElapsedTime(start) < limit)
        {
            JournalEntry[] entries = new JournalEntry[Math.Min(Batch, total - position)];
            int first = position;
            Parallel.For(0, entries.Length, i => entries[i] = Entry(first + i + 1, now));
            inFlight.Enqueue(store.AppendAsync(issuer, position, entries).AsTask());
            position += entries.Length;
            if (inFlight.Count >= InFlight)
            {
                await inFlight.Dequeue();
            }

            if (Stopwatch.GetElapsedTime(told) > TimeSpan.FromSeconds(15))
            {
                told = Stopwatch.GetTimestamp();
                Measurement.Say($"  {position:N0} known, {(position - from) / Stopwatch.GetElapsedTime(start).TotalSeconds:N0}/s");
            }
        }

        await Task.WhenAll(inFlight);
        return (int)await store.GetPositionAsync(issuer, CancellationToken.None);
    }

    /// <summary>Microseconds that the store takes to find one's status, of those with numbers from one to another.</summary>
    public static async Task<double> LookUpAsync(SqliteRevocationStore store, IssuerId issuer, int from, int to, TimeSpan duration)
    {
        Random random = new(1);
        byte[] serial = new byte[Workload.SerialBytes];
        int count = 0;
        for (long start = Stopwatch.GetTimestamp(); ; count++)
        {
            if (count % 64 == 0 && Stopwatch.GetElapsedTime(start) is var elapsed && elapsed > duration)
            {
                return elapsed.TotalMicroseconds / count;
            }

            WriteSerial(random.Next(from, to) + 1, serial);
            if (await store.FindStatusAsync(issuer, SerialNumber.FromContent(serial), CancellationToken.None) is null)
            {
                throw new InvalidOperationException("The store does not know what it was told: " + Convert.ToHexString(serial));
            }
        }
    }

    private static JournalEntry Entry(int position, DateTimeOffset now)
    {
        byte[] octets = new byte[Workload.SerialBytes];
        WriteSerial(position, octets);
        SerialNumber serial = SerialNumber.FromContent(octets);
        return new JournalEntry(
            position,
            new RevocationEvent { Id = serial.ToString(), Serial = serial, Kind = EventKind.Issued, At = now, NotAfter = now.AddDays(300) },
            now,
            CertificateStatus.Good with { NotAfter = now.AddDays(300), RecordedAt = now, Position = position });
    }
}
