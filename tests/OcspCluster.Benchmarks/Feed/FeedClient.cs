using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using OcspCluster.Benchmarks.Macro;

namespace OcspCluster.Benchmarks.Feed;

/// <summary>CAs that tell a host of certificates: revocations one by one or in batches, and issuances in one long stream. Serial numbers are in no order.</summary>
internal sealed class FeedClient : IDisposable
{
    private const int StreamLines = 400_000;

    private readonly HttpClient _client = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromMinutes(5) };
    private readonly Uri _events;

    public FeedClient(Contestant host)
    {
        _client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", host.AdminKey);
        _events = new Uri(host.Admin!, "v1/issuers/bench/events");
    }

    public void Dispose() => _client.Dispose();

    /// <summary>So many clients send for so long, each the next when the one before was acknowledged.</summary>
    public async Task<FeedSample> SendAsync(string host, int round, int clients, int batch, TimeSpan duration)
    {
        long start = Stopwatch.GetTimestamp();
        double[][] latencies = await Task.WhenAll(Enumerable.Range(0, clients).Select(_ => Task.Run(async () =>
        {
            List<double> mine = [];
            while (Stopwatch.GetElapsedTime(start) < duration)
            {
                string body = batch == 1 ? Revoked() : $"[{string.Join(',', Enumerable.Range(0, batch).Select(_ => Revoked()))}]";
                using StringContent content = new(body, Encoding.UTF8, "application/json");
                long began = Stopwatch.GetTimestamp();
                using HttpResponseMessage response = await _client.PostAsync(_events, content);
                string answer = await response.Content.ReadAsStringAsync();
                mine.Add(Stopwatch.GetElapsedTime(began).TotalMicroseconds);
                if (response.StatusCode != HttpStatusCode.OK || answer.Contains("refused", StringComparison.Ordinal))
                {
                    throw new InvalidOperationException("An event was not taken: " + answer);
                }
            }

            return mine.ToArray();
        })));
        double[] sorted = [.. latencies.SelectMany(mine => mine).Order()];
        return new FeedSample(host, round, clients, batch, sorted.Length * batch / Stopwatch.GetElapsedTime(start).TotalSeconds, sorted[sorted.Length / 2], sorted[sorted.Length * 99 / 100]);
    }

    /// <summary>Imports issuances in one stream, until it is told to end.</summary>
    /// <returns>Events acknowledged a second.</returns>
    public async Task<double> ImportAsync(CancellationToken ended)
    {
        // The lines are made before: making them would cost the host's readers processor time.
        byte[] lines = Lines();
        using HttpRequestMessage request = new(HttpMethod.Post, _events) { Content = new EndingContent(lines, ended) };
        long start = Stopwatch.GetTimestamp();
        using HttpResponseMessage response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, CancellationToken.None);
        using StreamReader reader = new(await response.Content.ReadAsStreamAsync(CancellationToken.None));
        string last = "";
        while (await reader.ReadLineAsync(CancellationToken.None) is string line)
        {
            last = line;
        }

        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        const string Mark = "\"applied\":";
        return last.Contains("\"summary\"", StringComparison.Ordinal) && last.IndexOf(Mark, StringComparison.Ordinal) is > 0 and int at
            ? double.Parse(last[(at + Mark.Length)..last.IndexOf(',', at)], CultureInfo.InvariantCulture) / seconds
            : throw new InvalidOperationException("The import did not end well: " + last);
    }

    private static string Revoked()
    {
        string serial = "04" + RandomNumberGenerator.GetHexString(30);
        return $$"""{"id":"{{serial}}","serial":"{{serial}}","kind":"revoked","at":"2026-01-02T03:04:05Z","reason":"superseded"}""";
    }

    private static byte[] Lines()
    {
        StringBuilder lines = new();
        for (int i = 0; i < StreamLines; i++)
        {
            string serial = "05" + RandomNumberGenerator.GetHexString(30);
            lines.Append(CultureInfo.InvariantCulture, $$"""{"id":"{{serial}}","serial":"{{serial}}","kind":"issued","at":"2026-01-02T03:04:05Z"}""").Append('\n');
        }

        return Encoding.ASCII.GetBytes(lines.ToString());
    }

    /// <summary>The lines, as far as they were sent when the time was over; never half a line.</summary>
    private sealed class EndingContent : HttpContent
    {
        private const int Piece = 64 * 1024;

        private readonly byte[] _lines;
        private readonly CancellationToken _ended;

        public EndingContent(byte[] lines, CancellationToken ended)
        {
            _lines = lines;
            _ended = ended;
            Headers.ContentType = new MediaTypeHeaderValue("application/x-ndjson");
        }

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            for (int start = 0; start < _lines.Length && !_ended.IsCancellationRequested;)
            {
                int end = Math.Min(start + Piece, _lines.Length);
                end = start + _lines.AsSpan(start, end - start).LastIndexOf((byte)'\n') + 1;
                await stream.WriteAsync(_lines.AsMemory(start, end - start), CancellationToken.None);
                start = end;
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}

/// <summary>Events of one kind of client in one round. Latencies in microseconds, of a batch where there are batches.</summary>
internal sealed record FeedSample(string Host, int Round, int Clients, int Batch, double PerSecond, double P50, double P99);

/// <summary>Cached answers beside nothing and beside a bulk import, in one round. Latencies in microseconds from arrival.</summary>
internal sealed record ReadSample(string Host, int Round, bool IsImporting, double ImportedPerSecond, double Answered, double P50, double P99, double P999, long Wrong);

/// <summary>What the store gives to anybody.</summary>
internal sealed record RawSample(string Store, int Round, double PerSecond);
