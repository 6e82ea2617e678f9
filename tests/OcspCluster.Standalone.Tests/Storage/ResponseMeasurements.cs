using System.Diagnostics;
using OcspCluster.Authority;
using OcspCluster.Conformance;
using OcspCluster.Protocol;
using OcspCluster.Standalone.Storage;
using OcspCluster.Testing;
using static OcspCluster.Conformance.RecordedHistory;

namespace OcspCluster.Standalone.Tests.Storage;

/// <summary>
/// Whether keeping answers slows the journal: single appends per second without and with a writer of answers beside. Run with
/// <c>dotnet run -c Release --project tests/OcspCluster.Standalone.Tests -- measure-kept</c>.
/// </summary>
internal static class ResponseMeasurements
{
    private const int Rounds = 4;
    private const int RoundSeconds = 4;

    public static async Task RunAsync()
    {
        using ScratchDirectory directory = new();
        await using SqliteRevocationStore store = SqliteRevocationStore.Open(directory.Path);
        await using SqliteResponseStore responses = new(directory.Path, TimeProvider.System);
        long position = 0;
        for (int round = 0; round < Rounds; round++)
        {
            foreach (bool isBeside in new[] { false, true })
            {
                long saved = 0;
                using CancellationTokenSource end = new();
                Task writing = isBeside ? Task.Run(() => WriteAsync(responses, count => saved += count, end.Token), CancellationToken.None) : Task.CompletedTask;
                List<double> milliseconds = [];
                long start = Stopwatch.GetTimestamp();
                while (Stopwatch.GetElapsedTime(start).TotalSeconds < RoundSeconds)
                {
                    long began = Stopwatch.GetTimestamp();
                    await store.AppendAsync(Ca, position, Issuances(position, (int)position + 1, 1));
                    position++;
                    milliseconds.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
                }

                await end.CancelAsync();
                await writing;
                milliseconds.Sort();
                Console.WriteLine($"{(isBeside ? "answers saved beside" : "alone              ")}: {milliseconds.Count / (double)RoundSeconds:N0} appends/s, p50 {milliseconds[milliseconds.Count / 2]:N2} ms, p99 {milliseconds[milliseconds.Count * 99 / 100]:N2} ms, worst {milliseconds[^1]:N1} ms; {saved / RoundSeconds:N0} answers/s");
            }
        }
    }

    // At the pace of a refresh of 5,000 a second.
    private static async Task WriteAsync(SqliteResponseStore store, Action<int> saved, CancellationToken cancellationToken)
    {
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(100));
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        for (int number = 1; !cancellationToken.IsCancellationRequested; number += 500)
        {
            KeptResponse[] batch = [.. Enumerable.Range(number, 500).Select(i => new KeptResponse
            {
                Serial = Serial(i * 7919),
                CertId = CertId.Create(Issuers.Alpha.Certificate, Serial(i * 7919)).Encoded,
                Credential = default,
                IsDefault = true,
                Position = i,
                ProducedAt = now,
                ThisUpdate = now,
                NextUpdate = now.AddDays(4),
                Encoded = new byte[700],
            })];
            await store.SaveAsync(Ca, batch, CancellationToken.None);
            saved(batch.Length);
            try
            {
                await timer.WaitForNextTickAsync(cancellationToken);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }
}
