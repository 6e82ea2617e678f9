using System.Diagnostics;
using System.Globalization;
using OcspCluster.Authority;
using OcspCluster.Benchmarks.Macro;
using OcspCluster.Benchmarks.Overload;
using OcspCluster.Standalone.Storage;
using OcspCluster.Testing;

namespace OcspCluster.Benchmarks.Scale;

/// <summary>
/// <c>./bench.sh scale</c>: what grows with the number of certificates. The host over ten thousand, one and ten million of them: start, memory, how quickly it finds a status, says that there is none, signs what is
/// asked for first, and gives what is cached. The same of a silo as far as Redis takes it in minutes; and the cache by itself.
/// </summary>
internal static class ScaleCommand
{
    private const int Least = 10_000;
    private const int SiloMost = 1_000_000;
    private const int SiloChunk = 100_000;
    private const int Rows = 100_000;

    private static readonly IssuerId s_issuer = new("bench");

    public static async Task<int> RunAsync(string[] arguments)
    {
        MacroOptions? options = MacroOptions.Parse(["--certificates", "10000000", "--minutes", "15", .. arguments], _ => []);
        if (options is null)
        {
            await Console.Error.WriteLineAsync("scale [--json FILE] [--certificates N] [--seconds N] [--minutes N] [--silo FOLDER] [--only redis-server]");
            return 2;
        }

        long start = Stopwatch.GetTimestamp();
        ScaleReport report = new(options, Measurement.Machine());
        Measurement.Say($"the cache by itself");
        report.Cached.AddRange(await CachedAnswers.MeasureAsync(SizesUpTo(Math.Min(options.Certificates, 1_000_000))));
        using ScratchDirectory directory = new();
        Workload work = new(directory.Path, Math.Min(Least, options.Certificates));
        foreach (int size in SizesUpTo(options.Certificates))
        {
            if (Stopwatch.GetElapsedTime(start) > options.Limit * 0.7)
            {
                report.Notes.Add($"{size:N0} were not measured: the time was over.");
                break;
            }

            report.Known.Add(await StandaloneAsync(options, work, size, options.Limit - Stopwatch.GetElapsedTime(start)));
        }

        try
        {
            await SiloAsync(options, directory, report, start);
        }
        catch (Exception e) when (e is InvalidOperationException or OperationCanceledException or HttpRequestException)
        {
            report.Notes.Add("The silo was not measured to the end: " + Measurement.Short(e.Message));
        }

        return await report.PublishAsync(start);
    }

    private static IEnumerable<int> SizesUpTo(int most) => ((int[])[Least, 1_000_000, 10_000_000]).Where(size => size < most).Append(most);

    private static async Task<KnownFigures> StandaloneAsync(MacroOptions options, Workload work, int size, TimeSpan left)
    {
        string data = Path.Combine(work.Directory, "data");
        if (!Directory.Exists(data))
        {
            await (await Contestant.StandaloneAsync(work)).DisposeAsync(); // which imports the workload
        }

        Measurement.Say($"standalone, {size:N0} known: filling the store");
        double fill = double.NaN, lookup = double.NaN;
        int known = work.Count;
        await using (SqliteRevocationStore store = SqliteRevocationStore.Open(data))
        {
            long began = Stopwatch.GetTimestamp();
            int before = (int)await store.GetPositionAsync(s_issuer, CancellationToken.None);
            known = await KnownCertificates.FillAsync(store, s_issuer, size, left * 0.6);
            fill = known > before ? (known - before) / Stopwatch.GetElapsedTime(began).TotalSeconds : double.NaN;
            lookup = known > work.Count ? await KnownCertificates.LookUpAsync(store, s_issuer, work.Count, known, options.Duration) : double.NaN;
        }

        bool isPinned = Environment.ProcessorCount > 1 && ExternalTool.Find("taskset") is not null;
        long starting = Stopwatch.GetTimestamp();
        Contestant host = await Contestant.StandaloneAsync(work, processor: isPinned ? 0 : null);
        await using ServerProcess server = host.Server;
        double started = Stopwatch.GetElapsedTime(starting).TotalSeconds;
        RequestRows never = work.WriteUnissued(Rows);
        await AskAsync(never, isRight: null); // what it reads behind its start is read then, and what it compiles late compiled
        double unissued = (await AskAsync(never, isRight: null)).Answered;
        double megabytes = server.ResidentBytes / 1e6;
        await Warming.AskAllAsync(host.Url, work, work.Count, (_, _) => { });
        int from = work.Count, to = known;
        double first = to > from
            ? (await AskAsync(work.WriteAbout("first.rows", Rows, (i, serial) => KnownCertificates.WriteSerial(from + 1 + (int)((uint)(i * 2_654_435_761) % (uint)(to - from)), serial)), isRight: null)).Successful
            : double.NaN;
        StreamResult hits = await AskAsync(work.Post, (body, row) => work.IsAnswer(body.Span, row));
        return new KnownFigures(
            host.Name, known, fill, StoreBytes(data) / known, started, megabytes, server.ResidentBytes / 1e6, lookup, unissued, first, hits.Successful, hits.P99, hits.Wrong);

        async Task<StreamResult> AskAsync(RequestRows rows, Func<ReadOnlyMemory<byte>, int, bool>? isRight) =>
            (await OpenLoop.RunAsync(host.Url, options.Duration, isPinned ? 1 : null, new ArrivalStream(rows, double.PositiveInfinity, 64, keeps: true, seed: 1) { IsRight = isRight }))[0];
    }

    private static async Task SiloAsync(MacroOptions options, ScratchDirectory directory, ScaleReport report, long start)
    {
        if (!options.Wants("redis-server"))
        {
            return;
        }

        if (Contestant.FindSilo(options.SiloFolder) is not { } program || ExternalTool.Find("redis-server") is null)
        {
            report.Notes.Add("The silo was not measured: it was not built here (dotnet build -c Cluster src/OcspCluster.Silo; or --silo FOLDER), or there is no redis-server.");
            return;
        }

        Workload work = new(Directory.CreateDirectory(directory.File("silo")).FullName, 1);
        string data = Directory.CreateDirectory(Path.Combine(work.Directory, "data")).FullName;
        (ServerProcess redis, int port) = await Contestant.RedisAsync(data);
        await using ServerProcess server = redis;
        int known = 0, siloPort = Contestant.FreePort();
        foreach (int size in SizesUpTo(Math.Min(SiloMost, options.Certificates)))
        {
            Measurement.Say($"silo, {size:N0} known: telling it");
            Contestant told = await Contestant.SiloAsync(work, program, port, siloPort, data);
            long began = Stopwatch.GetTimestamp();
            int before = known;
            while (known < size && Stopwatch.GetElapsedTime(start) < options.Limit)
            {
                int next = Math.Min(SiloChunk, size - known);
                await Contestant.TellAsync(told, [.. Enumerable.Range(known, next).Select(Serial)]);
                known += next;
            }

            double fill = (known - before) / Stopwatch.GetElapsedTime(began).TotalSeconds;
            await told.DisposeAsync();
            began = Stopwatch.GetTimestamp();
            Contestant silo = await Contestant.SiloAsync(work, program, port, siloPort, data);
            double started = Stopwatch.GetElapsedTime(began).TotalSeconds;
            RequestRows never = work.WriteUnissued(Rows);
            StreamResult unissued = await AskAsync();

            // Until it has read the whole journal behind its start it asks Redis about each of them.
            double little = report.Known.FirstOrDefault(one => one.Host == silo.Name)?.UnissuedPerSecond ?? 0;
            while (unissued.Answered < little / 2 && Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(60))
            {
                unissued = await AskAsync();
            }

            report.Notes.Add(string.Create(CultureInfo.InvariantCulture, $"silo, {known:N0} known: {Stopwatch.GetElapsedTime(began).TotalSeconds:N0} s after its start it tells by itself what was never issued"));
            double megabytes = silo.Server.ResidentBytes / 1e6;
            report.Known.Add(new KnownFigures(
                silo.Name, known, fill, redis.ResidentBytes / (double)known, started, megabytes, silo.Server.ResidentBytes / 1e6, double.NaN, unissued.Answered, double.NaN, double.NaN, double.NaN, unissued.Wrong));
            await silo.DisposeAsync();

            async Task<StreamResult> AskAsync() =>
                (await OpenLoop.RunAsync(silo.Url, options.Duration, null, new ArrivalStream(never, double.PositiveInfinity, 64, keeps: true, seed: 1)))[0];
        }

        static string Serial(int number)
        {
            Span<byte> serial = stackalloc byte[Workload.SerialBytes];
            KnownCertificates.WriteSerial(number + 1, serial);
            return Convert.ToHexString(serial);
        }
    }

    private static double StoreBytes(string data) => new DirectoryInfo(data).EnumerateFiles(SqliteRevocationStore.FileName + "*").Sum(file => file.Length);
}
