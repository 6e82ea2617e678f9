using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using OcspCluster.Standalone.Storage;
using OcspCluster.Standalone.Tests.Host;
using OcspCluster.Testing;

namespace OcspCluster.Standalone.Tests.Admin;

/// <summary>
/// What docs/PERFORMANCE.md says of the event feed: the real program in a process of its own, its clients in this one, on the same machine. Run with
/// <c>dotnet run -c Release --project tests/OcspCluster.Standalone.Tests -- measure-feed 1000000</c>.
/// </summary>
internal static class FeedMeasurements
{
    private const int Seconds = 5;

    public static async Task RunAsync(int streamed)
    {
        using ScratchDirectory directory = new();
        Console.WriteLine($"{SqliteRevocationStore.LibraryDescription}, {Environment.ProcessorCount} processors");
        MeasureCommits(directory.File("commits.db"));
        await using HostProcess host = await HostProcess.StartAsync(directory.Path, "--data", "d", "--set", "Admin:RequestsPerSecond=1000000");
        using HttpClient client = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromMinutes(20) };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", (await File.ReadAllTextAsync(directory.File("d/admin.key"))).Trim());
        Uri events = new(host.AdminUri, "v1/issuers/demo/events");

        await MeasureAsync("warming up", client, events, clients: 16, batch: 1);
        await MeasureAsync("one event each", client, events, clients: 1, batch: 1);
        await MeasureAsync("one event each", client, events, clients: 16, batch: 1);
        await MeasureAsync("one event each", client, events, clients: 64, batch: 1);
        await MeasureAsync("batches of 1,000", client, events, clients: 1, batch: 1000);
        await MeasureAsync("batches of 1,000", client, events, clients: 4, batch: 1000);
        Console.WriteLine($"memory of the server before the stream, peak: {PeakMegabytes(host.ProcessId)} MB");
        await StreamAsync(client, events, streamed, host.ProcessId);
        await ListAsync(client, new Uri(host.AdminUri, "v1/issuers/demo/"));
    }

    // What the disk gives: one row per commit, as the store commits.
    private static void MeasureCommits(string file)
    {
        using SqliteDatabase database = SqliteDatabase.Open(file, readOnly: false);
        database.Execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE t (id INTEGER PRIMARY KEY, payload BLOB)");
        SqliteStatement insert = database.Prepare("INSERT INTO t (payload) VALUES (?)");
        byte[] payload = new byte[150];
        long start = Stopwatch.GetTimestamp();
        int commits = 0;
        while (Stopwatch.GetElapsedTime(start).TotalSeconds < Seconds)
        {
            insert.Bind(1, payload).Run();
            commits++;
        }

        Console.WriteLine($"raw SQLite, one row per commit, one connection: {commits / Stopwatch.GetElapsedTime(start).TotalSeconds:N0} commits/s");
    }

    private static async Task MeasureAsync(string what, HttpClient client, Uri events, int clients, int batch)
    {
        long start = Stopwatch.GetTimestamp();
        double[][] latencies = await Task.WhenAll(Enumerable.Range(0, clients).Select(_ => Task.Run(async () =>
        {
            List<double> mine = [];
            while (Stopwatch.GetElapsedTime(start).TotalSeconds < Seconds)
            {
                string body = batch == 1 ? Event() : $"[{string.Join(',', Enumerable.Range(0, batch).Select(_ => Event()))}]";
                using StringContent content = new(body, Encoding.UTF8, "application/json");
                long began = Stopwatch.GetTimestamp();
                using HttpResponseMessage response = await client.PostAsync(events, content);
                string answer = await response.Content.ReadAsStringAsync();
                mine.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
                if (response.StatusCode != HttpStatusCode.OK || answer.Contains("refused", StringComparison.Ordinal))
                {
                    throw new InvalidOperationException(answer);
                }
            }

            return mine.ToArray();
        })));
        double[] all = [.. latencies.SelectMany(mine => mine).Order()];
        Console.WriteLine($"{what}, {clients} clients: {all.Length * batch / Stopwatch.GetElapsedTime(start).TotalSeconds:N0} events/s acknowledged, p50 {all[all.Length / 2]:N1} ms, p99 {all[all.Length * 99 / 100]:N1} ms");
    }

    private static async Task StreamAsync(HttpClient client, Uri events, int count, int processId)
    {
        foreach (string run in new[] { "stream", "the same stream again" })
        {
            long start = Stopwatch.GetTimestamp();
            using HttpRequestMessage request = new(HttpMethod.Post, events) { Content = new LinesContent(count) };
            using HttpResponseMessage response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            using StreamReader reader = new(await response.Content.ReadAsStreamAsync());
            string last = "";
            long bytes = 0;
            while (await reader.ReadLineAsync() is string line)
            {
                last = line;
                bytes += line.Length + 1;
            }

            double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            Console.WriteLine($"{run} of {count:N0} events: {seconds:N1} s, {count / seconds:N0} events/s, answer {bytes >> 20} MB, memory of the server, peak {PeakMegabytes(processId)} MB; {last}");
        }
    }

    private static async Task ListAsync(HttpClient client, Uri issuer)
    {
        string counts = await client.GetStringAsync(issuer.AbsoluteUri.TrimEnd('/'));
        Console.WriteLine(JsonDocument.Parse(counts).RootElement.GetProperty("counts").GetRawText());
        foreach (string query in new[] { "", "status=good&after=0280", "status=revoked&after=0280", "status=held" })
        {
            Uri uri = new(issuer, "certificates?limit=1000&" + query);
            await client.GetStringAsync(uri);
            long start = Stopwatch.GetTimestamp();
            for (int i = 0; i < 10; i++)
            {
                await client.GetStringAsync(uri);
            }

            Console.WriteLine($"a page of 1,000 certificates, {query}: {Stopwatch.GetElapsedTime(start).TotalMilliseconds / 10:N1} ms");
        }
    }

    private static string Event()
    {
        string serial = "01" + RandomNumberGenerator.GetHexString(30);
        return $$"""{"id":"{{serial}}","serial":"{{serial}}","kind":"revoked","at":"2026-01-02T03:04:05Z","reason":"superseded"}""";
    }

    private static long PeakMegabytes(int processId) => long.Parse(
        File.ReadLines($"/proc/{processId}/status").First(line => line.StartsWith("VmHWM:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2],
        CultureInfo.InvariantCulture) >> 10;

    /// <summary>Nine issuances and a revocation in every ten lines, the serial numbers in no order.</summary>
    private sealed class LinesContent : HttpContent
    {
        private readonly int _count;

        public LinesContent(int count)
        {
            _count = count;
            Headers.ContentType = new MediaTypeHeaderValue("application/x-ndjson");
        }

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            StringBuilder lines = new();
            for (int i = 0; i < _count; i++)
            {
                string serial = "02" + Convert.ToHexString(SHA256.HashData(BitConverter.GetBytes(i % 10 == 9 ? i - 1 : i)).AsSpan(0, 15));
                string kind = i % 10 == 9 ? "revoked" : "issued";
                lines.Append(CultureInfo.InvariantCulture, $$"""{"id":"stream-{{i}}","serial":"{{serial}}","kind":"{{kind}}","at":"2026-01-02T03:04:05Z"}""").Append('\n');
                if (lines.Length > 60_000 || i == _count - 1)
                {
                    await stream.WriteAsync(Encoding.ASCII.GetBytes(lines.ToString()));
                    lines.Clear();
                }
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
