using System.Net;
using System.Net.Sockets;
using System.Text;

namespace OcspCluster.Benchmarks.Macro;

/// <summary>
/// Asks a responder for every certificate once, by POST, in bursts over a few connections: a million answers within a minute. Afterwards all of them are in its cache.
/// </summary>
internal static class Warming
{
    private const int Burst = 64;
    private const int Connections = 8;

    /// <param name="url">Whom.</param>
    /// <param name="work">About what.</param>
    /// <param name="count">How many certificates, from the first on.</param>
    /// <param name="take">What is done with each answer; called by several threads.</param>
    /// <param name="said">Told how many there are, about every ten seconds.</param>
    public static async Task AskAllAsync(Uri url, Workload work, int count, Action<int, ReadOnlyMemory<byte>> take, Action<int>? said = null)
    {
        int next = 0, done = 0;
        using CancellationTokenSource late = new(TimeSpan.FromMinutes(10));
        using CancellationTokenSource ended = CancellationTokenSource.CreateLinkedTokenSource(late.Token);
        Task telling = said is null ? Task.CompletedTask : TellAsync();
        await Task.WhenAll(Enumerable.Range(0, Connections).Select(_ => Task.Run(AskAsync)));
        await ended.CancelAsync();
        await telling;

        async Task AskAsync()
        {
            using Socket socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(IPAddress.Loopback, url.Port, late.Token);
            byte[] buffer = new byte[Burst * 4096];
            byte[] head = Encoding.ASCII.GetBytes($"POST / HTTP/1.1\r\nHost: ocsp.example\r\nContent-Type: application/ocsp-request\r\nContent-Length: {work.RequestBytes}\r\n\r\n");
            byte[] requests = new byte[Burst * (head.Length + work.RequestBytes)];
            for (int first = Interlocked.Add(ref next, Burst) - Burst; first < count; first = Interlocked.Add(ref next, Burst) - Burst)
            {
                int burst = Math.Min(Burst, count - first);
                for (int i = 0; i < burst; i++)
                {
                    Span<byte> request = requests.AsSpan(i * (head.Length + work.RequestBytes));
                    head.CopyTo(request);
                    work.CopyRequest(first + i, request.Slice(head.Length, work.RequestBytes));
                }

                await socket.SendAsync(requests.AsMemory(0, burst * (head.Length + work.RequestBytes)), late.Token);
                await TakeAsync(socket, buffer, first, burst);
                Interlocked.Add(ref done, burst);
            }
        }

        async Task TakeAsync(Socket socket, byte[] buffer, int first, int burst)
        {
            int start = 0, end = 0;
            for (int i = 0; i < burst; i++)
            {
                HttpAnswer answer;
                while (!HttpAnswer.TryRead(buffer.AsSpan(start, end - start), out answer))
                {
                    int read = await socket.ReceiveAsync(buffer.AsMemory(end), late.Token);
                    end += read > 0 ? read : throw new InvalidOperationException("The responder closed the connection.");
                }

                ReadOnlyMemory<byte> body = buffer.AsMemory(start + answer.Body, answer.Length - answer.Body);
                if (answer.Status != 200 || !work.IsAnswer(body.Span, first + i))
                {
                    throw new InvalidOperationException($"The responder did not answer for certificate {first + i}: {answer.Status} {Convert.ToHexString(body.Span)}");
                }

                take(first + i, body);
                start += answer.Length;
            }
        }

        async Task TellAsync()
        {
            using PeriodicTimer timer = new(TimeSpan.FromSeconds(10));
            try
            {
                while (await timer.WaitForNextTickAsync(ended.Token))
                {
                    said(Volatile.Read(ref done));
                }
            }
            catch (OperationCanceledException)
            {
                // All are there.
            }
        }
    }
}
