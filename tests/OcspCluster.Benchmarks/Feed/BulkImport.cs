using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using OcspCluster.Benchmarks.Macro;

namespace OcspCluster.Benchmarks.Feed;

/// <summary>A CA that tells a host of issuances in one long stream, from a process of its own: what its collector does must not stop those whose reading is measured.</summary>
internal sealed class BulkImport : IAsyncDisposable
{
    public const string Verb = "bulk-import";

    private const int StreamLines = 400_000;
    private const string KeyVariable = "OCSPCLUSTER_BENCH_KEY";
    private const string Ready = "ready";

    private readonly Process _process;

    private BulkImport(Process process) => _process = process;

    /// <summary>Starts it, as far as the first line that it would send.</summary>
    public static async Task<BulkImport> StartAsync(Contestant host)
    {
        ProcessStartInfo start = new("dotnet", ["exec", typeof(BulkImport).Assembly.Location, Verb, new Uri(host.Admin!, "v1/issuers/bench/events").ToString()])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        start.Environment[KeyVariable] = host.AdminKey;
        BulkImport import = new(Process.Start(start) ?? throw new InvalidOperationException("The importing process did not start."));
        try
        {
            using CancellationTokenSource late = new(TimeSpan.FromMinutes(1));
            return await import._process.StandardOutput.ReadLineAsync(late.Token) == Ready ? import : throw new InvalidOperationException("The importing process ended before it was ready.");
        }
        catch
        {
            await import.DisposeAsync();
            throw;
        }
    }

    /// <summary>Has it send.</summary>
    public void Begin() => _process.StandardInput.WriteLine();

    /// <summary>Has it end with the line that it is at.</summary>
    /// <returns>Events acknowledged a second.</returns>
    public async Task<double> EndAsync()
    {
        _process.StandardInput.Close();
        using CancellationTokenSource late = new(TimeSpan.FromMinutes(5));
        string said = await _process.StandardOutput.ReadToEndAsync(late.Token);
        return double.TryParse(said, CultureInfo.InvariantCulture, out double perSecond) ? perSecond : throw new InvalidOperationException("The import did not end well: " + said);
    }

    public ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        _process.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>What the process does: waits for a line, sends until its input ends, and says how many a second were acknowledged.</summary>
    public static async Task<int> RunAsync(string events)
    {
        // The lines are made before: making them would cost the host's readers processor time.
        byte[] lines = Lines();
        using HttpClient client = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromMinutes(5) };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Environment.GetEnvironmentVariable(KeyVariable));
        Console.WriteLine(Ready);
        await Console.In.ReadLineAsync();
        using CancellationTokenSource ended = new();
        _ = Task.Run(async () =>
        {
            await Console.In.ReadToEndAsync();
            await ended.CancelAsync();
        });
        using HttpRequestMessage request = new(HttpMethod.Post, events) { Content = new EndingContent(lines, ended.Token) };
        long start = Stopwatch.GetTimestamp();
        using HttpResponseMessage response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, CancellationToken.None);
        string last = await LastLineAsync(await response.Content.ReadAsStreamAsync(CancellationToken.None));
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        const string Mark = "\"applied\":";
        if (!last.Contains("\"summary\"", StringComparison.Ordinal) || last.IndexOf(Mark, StringComparison.Ordinal) is not (> 0 and int at))
        {
            Console.WriteLine(last);
            return 1;
        }

        Console.WriteLine((double.Parse(last[(at + Mark.Length)..last.IndexOf(',', at)], CultureInfo.InvariantCulture) / seconds).ToString(CultureInfo.InvariantCulture));
        return 0;
    }

    // Without a string for each of the other lines.
    private static async Task<string> LastLineAsync(Stream stream)
    {
        byte[] buffer = new byte[64 * 1024];
        int kept = 0;
        while (await stream.ReadAsync(buffer.AsMemory(kept)) is > 0 and int read)
        {
            kept += read;
            int begin = buffer.AsSpan(0, kept - 1).LastIndexOf((byte)'\n') + 1;
            buffer.AsSpan(begin, kept - begin).CopyTo(buffer);
            kept -= begin;
        }

        return Encoding.UTF8.GetString(buffer, 0, kept);
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
