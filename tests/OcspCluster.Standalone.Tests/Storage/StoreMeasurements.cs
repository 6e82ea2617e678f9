using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using OcspCluster.Authority;
using OcspCluster.Protocol;
using OcspCluster.Standalone.Storage;

namespace OcspCluster.Standalone.Tests.Storage;

/// <summary>
/// What docs/PERFORMANCE.md says of the store. Run with
/// <c>dotnet run -c Release --project tests/OcspCluster.Standalone.Tests -- measure-store 1000000</c>.
/// </summary>
internal static class StoreMeasurements
{
    private static readonly IssuerId s_issuer = new("measured");

    public static async Task RunAsync(int certificates)
    {
        DirectoryInfo directory = Directory.CreateTempSubdirectory("ocsp-measure-");
        try
        {
            Console.WriteLine($"{SqliteRevocationStore.LibraryDescription}, {Environment.ProcessorCount} processors");
            SerialNumber[] serials = [.. Enumerable.Range(0, certificates).Select(_ => SerialNumber.FromContent([0x01, .. RandomNumberGenerator.GetBytes(15)]))];
            SqliteRevocationStore store = SqliteRevocationStore.Open(directory.FullName);
            await ImportAsync(store, serials, directory);
            await store.DisposeAsync();

            long start = Stopwatch.GetTimestamp();
            store = SqliteRevocationStore.Open(directory.FullName);
            await store.FindStatusAsync(s_issuer, serials[0], CancellationToken.None);
            Console.WriteLine($"open and first lookup: {Stopwatch.GetElapsedTime(start).TotalMilliseconds:N1} ms");

            await LookUpColdAsync(store, serials, directory);
            await LookUpAsync(store, serials);
            await CommitAsync(store, submitters: 1, seconds: 3);
            await CommitAsync(store, submitters: 64, seconds: 3);
            await store.DisposeAsync();
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private static async Task ImportAsync(SqliteRevocationStore store, SerialNumber[] serials, DirectoryInfo directory)
    {
        string index = Path.Combine(directory.FullName, "index.txt");
        await using (StreamWriter writer = new(index, append: false, Encoding.ASCII))
        {
            for (int i = 0; i < serials.Length; i++)
            {
                string status = i % 50 == 0 ? "R\t270101000000Z\t200520103005Z,superseded" : "V\t270101000000Z\t";
                await writer.WriteLineAsync($"{status}\t{serials[i]}\tunknown\t/C=CH/O=Example/CN=host-{i}.example.com");
            }
        }

        IssuerSequencer sequencer = new(s_issuer, store, new StoreProcess.NoGateway(), TimeProvider.System);
        foreach (string run in new[] { "import", "import again" })
        {
            TimeSpan processorTime = Environment.CpuUsage.TotalTime;
            long start = Stopwatch.GetTimestamp();
            await using FileStream stream = File.OpenRead(index);
            ImportProgress progress = await new IndexImport(sequencer, store, TimeProvider.System).RunAsync(stream, CancellationToken.None);
            double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            Console.WriteLine($"{run}: {progress}: {seconds:N1} s, {progress.Lines / seconds:N0} certificates/s, {progress.Applied / seconds:N0} events/s, {(Environment.CpuUsage.TotalTime - processorTime).TotalSeconds:N1} s of processor time, peak memory {Process.GetCurrentProcess().PeakWorkingSet64 >> 20} MB");
        }

        File.Delete(index);
        Console.WriteLine($"files: {directory.EnumerateFiles().Sum(file => file.Length) >> 20} MB");
    }

    private static async Task LookUpAsync(SqliteRevocationStore store, SerialNumber[] serials)
    {
        foreach ((string what, int distinct) in new[] { ("random over all", serials.Length), ("1,000 hot", 1000) })
        {
            int count = 300_000;
            Random random = new(1);
            long start = Stopwatch.GetTimestamp();
            for (int i = 0; i < count; i++)
            {
                _ = await store.FindStatusAsync(s_issuer, serials[random.Next(distinct)], CancellationToken.None);
            }

            Console.WriteLine($"lookups, {what}, 1 thread: {count / Stopwatch.GetElapsedTime(start).TotalSeconds:N0}/s");
        }

        long batchStart = Stopwatch.GetTimestamp();
        for (int i = 0; i + 1000 <= serials.Length && i < 300_000; i += 1000)
        {
            await store.FindStatusesAsync(s_issuer, serials[i..(i + 1000)], CancellationToken.None);
        }

        Console.WriteLine($"lookups, random over all, batches of 1,000: {Math.Min(serials.Length, 300_000) / Stopwatch.GetElapsedTime(batchStart).TotalSeconds:N0}/s");
    }

    // Cold for the system's page cache: dd with nocache and no block to copy makes the kernel forget the file.
    private static async Task LookUpColdAsync(SqliteRevocationStore store, SerialNumber[] serials, DirectoryInfo directory)
    {
        string file = Path.Combine(directory.FullName, SqliteRevocationStore.FileName);
        using (Process dd = Process.Start(new ProcessStartInfo("dd", [$"if={file}", "iflag=nocache", "count=0"]) { RedirectStandardError = true })!)
        {
            await dd.StandardError.ReadToEndAsync();
            await dd.WaitForExitAsync();
        }

        int count = Math.Min(5000, serials.Length);
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < count; i++)
        {
            _ = await store.FindStatusAsync(s_issuer, serials[i], CancellationToken.None);
        }

        Console.WriteLine($"lookups, {count:N0} cold, 1 thread: {count / Stopwatch.GetElapsedTime(start).TotalSeconds:N0}/s");
    }

    private static async Task CommitAsync(SqliteRevocationStore store, int submitters, int seconds)
    {
        IssuerSequencer sequencer = new(s_issuer, store, new StoreProcess.NoGateway(), TimeProvider.System);
        long start = Stopwatch.GetTimestamp();
        double[][] latencies = await Task.WhenAll(Enumerable.Range(0, submitters).Select(submitter => Task.Run(async () =>
        {
            List<double> mine = [];
            for (int i = 0; Stopwatch.GetElapsedTime(start).TotalSeconds < seconds; i++)
            {
                long began = Stopwatch.GetTimestamp();
                RevocationEvent revoked = new()
                {
                    Id = $"measure-{submitters}-{submitter}-{i}",
                    Serial = SerialNumber.FromContent([0x02, .. RandomNumberGenerator.GetBytes(15)]),
                    Kind = EventKind.Revoked,
                    At = DateTimeOffset.UnixEpoch,
                };
                await sequencer.SubmitAsync(revoked, CancellationToken.None);
                mine.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
            }

            return mine.ToArray();
        })));

        double[] all = [.. latencies.SelectMany(mine => mine).Order()];
        Console.WriteLine($"durable events, {submitters} submitters: {all.Length / Stopwatch.GetElapsedTime(start).TotalSeconds:N0}/s, p50 {all[all.Length / 2]:N2} ms, p99 {all[all.Length * 99 / 100]:N2} ms");
    }
}
