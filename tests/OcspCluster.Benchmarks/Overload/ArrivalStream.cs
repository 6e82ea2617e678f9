using System.Diagnostics;
using System.Text;
using OcspCluster.Benchmarks.Macro;

namespace OcspCluster.Benchmarks.Overload;

/// <summary>
/// Clients that come at a rate of their own, whether or not earlier ones were answered: gaps by chance (Poisson). Each takes a connection that is free, or opens one, and sends one POST;
/// who finds none within <see cref="Patience"/> goes away. Latencies count from the moment of arrival, so a wait for a connection is in them.
/// </summary>
/// <param name="rows">The bodies.</param>
/// <param name="perSecond">Arrivals a second; infinite: as many as connections are free, a closed loop.</param>
/// <param name="connections">At most so many are open.</param>
/// <param name="keeps">Whether a connection outlives a request.</param>
/// <param name="seed">For the choice of rows and gaps.</param>
internal sealed class ArrivalStream(RequestRows rows, double perSecond, int connections, bool keeps, int seed)
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private static readonly long s_patience = (long)(Patience.TotalSeconds * Stopwatch.Frequency);

    private readonly Random _random = new(seed);
    private readonly byte[] _rows = File.ReadAllBytes(rows.File);
    private readonly byte[] _head = Encoding.ASCII.GetBytes(
        $"POST / HTTP/1.1\r\nHost: ocsp.example\r\n{(keeps ? "" : "Connection: close\r\n")}Content-Type: application/ocsp-request\r\nContent-Length: {rows.Width}\r\n\r\n");

    private readonly Queue<long> _waiting = new();
    private readonly List<int> _latencies = [];
    private readonly List<int> _served = [];
    private double _next;
    private int _nextRow;

    public int Connections => connections;

    public bool Keeps => keeps;

    public int RequestBytes => _head.Length + rows.Width;

    /// <summary>How an answer is looked at, one in <see cref="SampleEvery"/>; null when any OCSP response will do.</summary>
    public Func<ReadOnlyMemory<byte>, int, bool>? IsRight { get; init; }

    public const int SampleEvery = 64;

    public long Arrived { get; private set; }

    /// <summary>How many went away unanswered: nobody had a connection for them in time.</summary>
    public long GaveUp { get; private set; }

    public long Successful { get; private set; }

    public long TryLater { get; private set; }

    public long Unauthorized { get; private set; }

    /// <summary>What was no OCSP response, or not the right one.</summary>
    public long Wrong { get; private set; }

    /// <summary>Connections that broke, or could not be made.</summary>
    public long Broken { get; private set; }

    /// <summary>When the next client comes.</summary>
    public long NextArrival => (long)_next;

    public void Begin(long now) => _next = now;

    /// <summary>Counts who has arrived until now, and sends away who has waited too long.</summary>
    public void Arrive(long now)
    {
        if (double.IsPositiveInfinity(perSecond))
        {
            return;
        }

        while (_next <= now)
        {
            _waiting.Enqueue((long)_next);
            Arrived++;
            _next += -Math.Log(1 - _random.NextDouble()) / perSecond * Stopwatch.Frequency;
        }

        while (_waiting.TryPeek(out long first) && now - first > s_patience)
        {
            _waiting.Dequeue();
            GaveUp++;
        }
    }

    /// <summary>Takes the next client, if there is one.</summary>
    public bool TryTake(long now, out long arrived)
    {
        if (double.IsPositiveInfinity(perSecond))
        {
            arrived = now;
            Arrived++;
            return true;
        }

        return _waiting.TryDequeue(out arrived);
    }

    /// <summary>Writes a request.</summary>
    /// <returns>The number of its row.</returns>
    public int Write(byte[] buffer)
    {
        // Known rows by chance; rows with nonces in their order, so that none comes twice soon.
        int row = IsRight is null ? _nextRow++ % rows.Count : _random.Next(rows.Count);
        _head.CopyTo(buffer, 0);
        _rows.AsSpan(row * rows.Width, rows.Width).CopyTo(buffer.AsSpan(_head.Length));
        return row;
    }

    public void Take(long arrived, long sent, long now, int status, ReadOnlyMemory<byte> body, int row)
    {
        _latencies.Add(Microseconds(now - arrived));
        _served.Add(Microseconds(now - sent));
        switch (body.Span)
        {
            case [0x30, 0x82, _, _, 0x0A, 0x01, 0x00, ..] when status == 200:
                Successful++;
                Wrong += IsRight is not null && Successful % SampleEvery == 0 && !IsRight(body, row) ? 1 : 0;
                break;
            case [0x30, 0x03, 0x0A, 0x01, 0x03] when status == 200:
                TryLater++;
                break;
            case [0x30, 0x03, 0x0A, 0x01, 0x06] when status == 200:
                Unauthorized++;
                break;
            default:
                Wrong++;
                break;
        }
    }

    public void Break() => Broken++;

    /// <summary>What became of it all.</summary>
    public StreamResult Result(double seconds)
    {
        _latencies.Sort();
        _served.Sort();
        return new StreamResult(
            Arrived / seconds, (Successful + TryLater + Unauthorized) / seconds, Successful / seconds, TryLater / seconds, GaveUp / seconds,
            At(_latencies, 0.5), At(_latencies, 0.99), At(_latencies, 0.999), At(_served, 0.5), At(_served, 0.99), Wrong, Broken);
    }

    private static double At(List<int> sorted, double part) => sorted.Count == 0 ? 0 : sorted[(int)((sorted.Count - 1) * part)];

    private static int Microseconds(long ticks) => (int)(ticks * 1_000_000.0 / Stopwatch.Frequency);
}

/// <summary>What became of a stream: counts a second, latencies in microseconds from arrival, and from sending (<c>Served…</c>).</summary>
internal sealed record StreamResult(
    double Offered, double Answered, double Successful, double TryLater, double GaveUp, double P50, double P99, double P999, double ServedP50, double ServedP99, long Wrong, long Broken);
