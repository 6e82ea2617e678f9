using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Sockets;
using OcspCluster.Protocol;

namespace OcspCluster.Cli;

/// <summary>How a server is loaded.</summary>
internal sealed record BenchPlan
{
    public required string Host { get; init; }

    public required int Port { get; init; }

    /// <summary>What is sent, whole HTTP requests, taken in turn.</summary>
    public required Func<long, ReadOnlyMemory<byte>> Request { get; init; }

    public required int Connections { get; init; }

    public required bool KeepsAlive { get; init; }

    public required TimeSpan Warmup { get; init; }

    public required TimeSpan Duration { get; init; }

    /// <summary>Requests per second in all, at fixed times whatever the server does; null: each connection asks again as soon as it has its answer.</summary>
    public double? Rate { get; init; }

    /// <summary>How long one answer may take.</summary>
    public required TimeSpan Timeout { get; init; }
}

/// <summary>What came of it.</summary>
internal sealed record BenchResult(LatencyHistogram Latencies, TimeSpan Elapsed, IReadOnlyDictionary<string, long> Outcomes, long Bytes, long Connections, long Late)
{
    /// <summary>Answered by OCSP with success, as it should be.</summary>
    public const string Answered = "answered";

    /// <summary>How many were not answered by an OCSP response, or with an error of the server's own.</summary>
    public long Failed => Outcomes.Where(outcome => outcome.Key is not (Answered or "unauthorized")).Sum(outcome => outcome.Value);

    public double PerSecond => Latencies.Count / Elapsed.TotalSeconds;
}

// Closed loop: so many clients, each of which waits for its answer. A server that stalls is asked less, so that its stall hardly shows.
// Open loop: requests are due at fixed times, as they are in the world. A request that was due while its connection still waited counts from when it was due (coordinated omission);
// one that is late because this program woke up late counts from when it was sent, and is told apart.

/// <summary>Loads a server and measures. One run.</summary>
internal sealed class BenchRun(BenchPlan plan, TimeProvider clock)
{
    private readonly ConcurrentDictionary<string, long> _outcomes = new();
    private readonly LatencyHistogram _latencies = new();
    private readonly Lock _merging = new();
    private long _sent;
    private long _bytes;
    private long _connections;
    private long _late;

    /// <summary>Runs; progress is told in parts of the whole.</summary>
    public async Task<BenchResult> RunAsync(Action<double?, string> tell, CancellationToken cancellationToken)
    {
        long start = clock.GetTimestamp();
        long measuredFrom = start + Ticks(plan.Warmup);
        long end = measuredFrom + Ticks(plan.Duration);
        using CancellationTokenSource done = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task[] loops = [.. Enumerable.Range(0, plan.Connections).Select(i => Task.Run(() => LoopAsync(i, start, measuredFrom, end, cancellationToken), cancellationToken))];
        Task progress = TellAsync(start, end, tell, done.Token);
        await Task.WhenAll(loops).ConfigureAwait(false);
        await done.CancelAsync().ConfigureAwait(false);
        await progress.ConfigureAwait(false);
        return new BenchResult(_latencies, clock.GetElapsedTime(measuredFrom, Math.Max(end, measuredFrom + 1)), _outcomes, _bytes, _connections, _late);
    }

    private async Task LoopAsync(int number, long start, long measuredFrom, long end, CancellationToken cancellationToken)
    {
        LatencyHistogram latencies = new();
        Dictionary<string, long> outcomes = [];
        using BenchConnection connection = new(plan.Host, plan.Port, plan.KeepsAlive);
        double interval = plan.Rate is double rate ? clock.TimestampFrequency * plan.Connections / rate : 0;
        long free = start;
        long bytes = 0;
        for (long i = 0; ; i++)
        {
            long due = plan.Rate is null ? clock.GetTimestamp() : start + (long)((i + ((double)number / plan.Connections)) * interval);
            if (due >= end)
            {
                break;
            }

            long from = await WaitAsync(due, free, cancellationToken).ConfigureAwait(false);
            (string outcome, int length) = await AskAsync(connection, cancellationToken).ConfigureAwait(false);
            free = clock.GetTimestamp();
            if (due >= measuredFrom)
            {
                latencies.Add((long)clock.GetElapsedTime(from, free).TotalMicroseconds);
                outcomes[outcome] = outcomes.GetValueOrDefault(outcome) + 1;
                bytes += length;
            }
        }

        lock (_merging)
        {
            _latencies.Add(latencies);
            _bytes += bytes;
            _connections += connection.Connections;
            foreach ((string outcome, long count) in outcomes)
            {
                _outcomes.AddOrUpdate(outcome, count, (_, before) => before + count);
            }
        }
    }

    /// <summary>Waits until a request is due.</summary>
    /// <returns>From when on its latency counts.</returns>
    private async ValueTask<long> WaitAsync(long due, long free, CancellationToken cancellationToken)
    {
        if (plan.Rate is null)
        {
            return due;
        }

        long now = clock.GetTimestamp();
        if (now < due)
        {
            await Task.Delay(clock.GetElapsedTime(now, due), clock, cancellationToken).ConfigureAwait(false);
            now = clock.GetTimestamp();
        }

        if (free > due)
        {
            Interlocked.Increment(ref _late);
            return due; // the server kept the connection: what waited, waited for it
        }

        return now;
    }

    private async Task<(string Outcome, int Bytes)> AskAsync(BenchConnection connection, CancellationToken cancellationToken)
    {
        using CancellationTokenSource late = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        late.CancelAfter(plan.Timeout);
        try
        {
            BenchReply reply = await connection.SendAsync(plan.Request(Interlocked.Increment(ref _sent) - 1), late.Token).ConfigureAwait(false);
            return (reply switch
            {
                { HttpStatus: not 200 } => string.Create(CultureInfo.InvariantCulture, $"HTTP {reply.HttpStatus}"),
                { OcspStatus: 0 } => BenchResult.Answered,
                { OcspStatus: > 0 } => NameOf((OcspResponseStatus)reply.OcspStatus),
                _ => "no OCSP response",
            }, reply.Bytes);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return ("timed out", 0);
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            return (e is SocketException socket ? $"not connected: {socket.SocketErrorCode}" : e.Message, 0);
        }
    }

    private async Task TellAsync(long start, long end, Action<double?, string> tell, CancellationToken done)
    {
        try
        {
            while (true)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(250), clock, done).ConfigureAwait(false);
                TimeSpan elapsed = clock.GetElapsedTime(start);
                tell(Math.Min(1, elapsed / clock.GetElapsedTime(start, end)), string.Create(CultureInfo.InvariantCulture, $"{Interlocked.Read(ref _sent) / elapsed.TotalSeconds:N0} requests/s"));
            }
        }
        catch (OperationCanceledException)
        {
            // It is over.
        }
    }

    private long Ticks(TimeSpan time) => (long)(time.TotalSeconds * clock.TimestampFrequency);

    private static string NameOf(OcspResponseStatus status) => Enum.IsDefined(status) ? char.ToLowerInvariant(status.ToString()[0]) + status.ToString()[1..] : "undefined status";
}
