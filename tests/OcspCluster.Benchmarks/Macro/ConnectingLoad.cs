using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace OcspCluster.Benchmarks.Macro;

/// <summary>
/// One connection for each request, for servers whose way of closing wrk does not get along with (openssl ocsp). The client costs more than wrk does, so requests/s say little; the
/// server's processor time per request is the same whoever asks.
/// </summary>
internal static class ConnectingLoad
{
    private const int Clients = 4;

    public static async Task<Sample> RunAsync(Contestant contestant, Scenario scenario, Workload work, int round, TimeSpan duration)
    {
        double before = contestant.Server.ProcessorSeconds;
        long start = Stopwatch.GetTimestamp();
        (List<double> Latencies, long Errors)[] all = await Task.WhenAll(Enumerable.Range(0, Clients).Select(client => Task.Run(() => AskAsync(contestant, scenario, work, new Random((round * 100) + client), start, duration))));
        double[] sorted = [.. all.SelectMany(one => one.Latencies).Order()];
        double At(double part) => sorted.Length == 0 ? 0 : sorted[(int)((sorted.Length - 1) * part)];
        return new Sample(
            contestant.Name, scenario.Name, round, sorted.Length, Stopwatch.GetElapsedTime(start).TotalSeconds, contestant.Server.ProcessorSeconds - before, At(0.5), At(0.99), At(0.999),
            BadStatus: 0, all.Sum(one => one.Errors), BadBodies: 0)
        {
            IsOurs = contestant.IsOurs,
        };
    }

    private static async Task<(List<double> Latencies, long Errors)> AskAsync(Contestant contestant, Scenario scenario, Workload work, Random random, long start, TimeSpan duration)
    {
        List<double> latencies = [];
        long errors = 0;
        byte[] buffer = new byte[8192];
        while (Stopwatch.GetElapsedTime(start) < duration && errors < 20)
        {
            int i = random.Next(Math.Min(scenario.Certificates, contestant.Certificates));
            long began = Stopwatch.GetTimestamp();
            using CancellationTokenSource late = new(TimeSpan.FromSeconds(2));
            try
            {
                using Socket socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                await socket.ConnectAsync(IPAddress.Loopback, contestant.Url.Port, late.Token);
                await socket.SendAsync(Ask(scenario, work, i), late.Token);
                int length = 0;
                while (await socket.ReceiveAsync(buffer.AsMemory(length), late.Token) is > 0 and int read)
                {
                    length += read;
                }

                bool isAnswer = buffer.AsSpan(0, length).IndexOf("\r\n\r\n"u8) is > 0 and int head && work.IsAnswer(buffer.AsSpan((head + 4)..length), i);
                errors += isAnswer ? 0 : 1;
                latencies.Add(Stopwatch.GetElapsedTime(began).TotalMicroseconds);
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException)
            {
                errors++;
            }
        }

        return (latencies, errors);
    }

    private static byte[] Ask(Scenario scenario, Workload work, int i)
    {
        byte[] request = work.Request(i);
        return scenario.IsPost
            ? [.. Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"POST / HTTP/1.1\r\nHost: ocsp.example\r\nConnection: close\r\nContent-Type: application/ocsp-request\r\nContent-Length: {request.Length}\r\n\r\n")), .. request]
            : Encoding.ASCII.GetBytes($"GET {work.Target(i)} HTTP/1.1\r\nHost: ocsp.example\r\nConnection: close\r\n\r\n");
    }
}
