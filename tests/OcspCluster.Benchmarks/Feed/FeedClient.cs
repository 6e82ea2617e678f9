using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using OcspCluster.Benchmarks.Macro;

namespace OcspCluster.Benchmarks.Feed;

/// <summary>CAs that tell a host of revocations, one by one or in batches. Serial numbers are in no order.</summary>
internal sealed class FeedClient : IDisposable
{
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

    private static string Revoked()
    {
        string serial = "04" + RandomNumberGenerator.GetHexString(30);
        return $$"""{"id":"{{serial}}","serial":"{{serial}}","kind":"revoked","at":"2026-01-02T03:04:05Z","reason":"superseded"}""";
    }
}

/// <summary>Events of one kind of client in one round. Latencies in microseconds, of a batch where there are batches.</summary>
internal sealed record FeedSample(string Host, int Round, int Clients, int Batch, double PerSecond, double P50, double P99);

/// <summary>Answers of a server beside nothing and beside a bulk import into a host, in one round. Latencies in microseconds from arrival.</summary>
internal sealed record ReadSample(string Host, string Server, int Round, bool IsImporting, double ImportedPerSecond, double Answered, double P50, double P99, double P999, long Wrong);

/// <summary>What the store gives to anybody.</summary>
internal sealed record RawSample(string Store, int Round, double PerSecond);
