using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using OcspCluster.Authority;
using OcspCluster.Hosting.Audit;
using OcspCluster.Protocol;
using OcspCluster.Standalone.Audit;
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
            await AuditAsync(directory.FullName);
            MeasureHash();
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
            ImportProgress progress = await new IndexImport(new LocalRevocationAuthority([sequencer]), sequencer.Issuer, store, TimeProvider.System).RunAsync(stream, CancellationToken.None);
            double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            Console.WriteLine($"{run}: {progress}: {seconds:N1} s, {progress.Lines / seconds:N0} certificates/s, {progress.Applied / seconds:N0} events/s, {(Environment.CpuUsage.TotalTime - processorTime).TotalSeconds:N1} s of processor time, peak memory {Process.GetCurrentProcess().PeakWorkingSet64 >> 20} MB");
        }

        File.Delete(index);
        Console.WriteLine($"files: {directory.EnumerateFiles().Sum(file => file.Length) >> 20} MB");
    }

    private static async Task AuditAsync(string directory)
    {
        long entries = 0;
        await MeasureAsync("sign a checkpoint", async () => await StoreAudit.SignAsync(directory, s_issuer, TimeProvider.System, CancellationToken.None));
        await MeasureAsync("audit", async () =>
        {
            StoreAuditReport report = await StoreAudit.VerifyAsync(directory, publicKeyFile: null, progress: null, CancellationToken.None);
            entries = report.Issuers[0].Entries;
            return $"{report.IsAccepted}, {entries:N0} entries, {report.Issuers[0].Certificates:N0} certificates";
        });
        await MeasureAsync("a proof of inclusion, of 1,000", async () =>
        {
            await using SqliteAuditStore store = SqliteAuditStore.Open(directory);
            JournalTree tree = new(store, s_issuer);
            for (long i = 0; i < 1000; i++)
            {
                await tree.ProveInclusionAsync(i * entries / 1000, entries, CancellationToken.None);
            }

            return "";
        });
        string export = Path.Combine(directory, "export.ndjson");
        await MeasureAsync("export", async () =>
        {
            await using FileStream file = File.Create(export);
            await StoreAudit.ExportAsync(directory, s_issuer, file, TimeProvider.System, CancellationToken.None);
            return $"{file.Length >> 20} MB";
        });
        await MeasureAsync("check of the export", async () =>
        {
            using ECDsa key = JournalKeyFile.LoadPublic(Path.Combine(directory, JournalKeyFile.PublicFileName));
            await using FileStream file = File.OpenRead(export);
            return (await new JournalExportVerifier(new CheckpointVerifier(key)).VerifyAsync(file, CancellationToken.None))!.IsAccepted;
        });
        File.Delete(export);
        await MeasureAsync("rebuild", async () => (await new StoreRebuild(directory, TimeProvider.System).RunAsync(CancellationToken.None)).Reports[0].IsAccepted);

        async Task MeasureAsync<T>(string what, Func<Task<T>> run)
        {
            TimeSpan processorTime = Environment.CpuUsage.TotalTime;
            long start = Stopwatch.GetTimestamp();
            T result = await run();
            double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            Console.WriteLine($"{what}: {seconds:N2} s, {(Environment.CpuUsage.TotalTime - processorTime).TotalSeconds:N2} s of processor time{(entries > 0 ? $", {entries / seconds:N0} entries/s" : "")}, memory {Process.GetCurrentProcess().WorkingSet64 >> 20} MB: {result?.ToString()?.ReplaceLineEndings(" ")}");
        }
    }

    private static void MeasureHash()
    {
        JournalEntry entry = new(
            1,
            new RevocationEvent { Id = "measure-64-12-12345", Serial = SerialNumber.FromContent([0x01, .. new byte[15]]), Kind = EventKind.Issued, At = DateTimeOffset.UnixEpoch, NotAfter = DateTimeOffset.UnixEpoch },
            DateTimeOffset.UnixEpoch,
            CertificateStatus.Good with { NotAfter = DateTimeOffset.UnixEpoch, RecordedAt = DateTimeOffset.UnixEpoch });
        foreach (int count in new[] { 100_000, 1_000_000 })
        {
            long start = Stopwatch.GetTimestamp();
            Digest hash = default;
            for (int i = 0; i < count; i++)
            {
                hash = JournalHash.Compute(s_issuer, entry, hash);
            }

            double chain = Stopwatch.GetElapsedTime(start).TotalMicroseconds / count;
            start = Stopwatch.GetTimestamp();
            for (int i = 0; i < count; i++)
            {
                hash = MerkleHash.Node(MerkleHash.Leaf(hash), hash);
            }

            Console.WriteLine($"digest of an entry: {chain:N2} µs; a leaf's and a node's hash: {Stopwatch.GetElapsedTime(start).TotalMicroseconds / count:N2} µs");
        }
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
