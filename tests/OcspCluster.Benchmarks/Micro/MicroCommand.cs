using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using OcspCluster.Authority;
using OcspCluster.Gateway;
using OcspCluster.Protocol;
using OcspCluster.Testing;

namespace OcspCluster.Benchmarks.Micro;

/// <summary>
/// <c>./bench.sh micro</c>: single steps in nanoseconds of processor time and octets allocated, the best of some rounds; signing beside <c>openssl speed</c>; memory of the cache per answer.
/// </summary>
internal static class MicroCommand
{
    private static readonly IssuerId s_issuer = new("bench");

    public static async Task<int> RunAsync(string[] arguments)
    {
        bool isFull = arguments is ["--full"];
        TestPki pki = TestPki.CreateRoot("Benchmark CA", TestKey.P256());
        await SignAsync(pki, "P-256", TestKey.P256(), "ecdsap256", isFull ? 5 : 3);
        await SignAsync(pki, "RSA-2048", TestKey.Rsa(), "rsa2048", isFull ? 5 : 3);

        TestCertificate responder = pki.IssueResponder("Benchmark responder", TestKey.P256());
        using X509Certificate2 withKey = X509Certificate2.CreateFromPem(responder.Certificate.ExportCertificatePem(), responder.Key.ToPem());
        SigningCredential credential = new(withKey);
        Issuer issuer = new(s_issuer, [pki.Certificate], [credential]);
        using SigningCredential withoutKey = new(withKey, new ConstantSigner(credential.Signer));
        Issuer constant = new(s_issuer, [pki.Certificate], [withoutKey], IssuerPolicy.Default with { VerifySample = 0 });
        using (ResponseFactory factory = new(TimeProvider.System))
        {
            AnsweredCertId[] answered = [new(CertId.Create(pki.Certificate, SerialNumber.FromContent(Serial(0))), GoodAnswer(constant))];
            NamedIssuer named = new(constant, pki.Certificate);
            Report("sign a response and read it back, no signature", Measure(() => factory.CreateAsync(named, answered, nonce: null, preferred: null, CancellationToken.None).AsTask().GetAwaiter().GetResult()));
        }

        Decode(pki, await SignOneAsync(issuer));
        foreach (int count in isFull ? (int[])[10_000, 1_000_000, 10_000_000] : [10_000, 1_000_000])
        {
            await LookUpAsync(pki, issuer, count);
        }

        return 0;
    }

    private static void Decode(TestPki pki, SignedResponse answer)
    {
        byte[] request = Ask(pki, [0x01, .. RandomNumberGenerator.GetBytes(15)]);
        PlainRequest plain = new(new IssuerDirectory([]), new ResponseCache(1 << 20));
        Report("decode a request, objects (OcspRequest)", Measure(() => OcspRequest.TryDecode(request, out _, out _)));
        Report("decode a request, no objects (PlainRequest)", Measure(() => plain.TryRead(request, out _, out _, out _)));
        Report("decode a response", Measure(() => OcspResponse.TryDecode(answer.Encoded, out _, out _)));
        RevocationEvent revoked = new() { Id = "1", Serial = SerialNumber.FromInteger(1), Kind = EventKind.Revoked, At = DateTimeOffset.UnixEpoch };
        Report("status rule", Measure(() => StatusRules.Apply(CertificateStatus.Good, revoked, DateTimeOffset.UnixEpoch, TimeSpan.FromMinutes(1))));
    }

    // As many answers as told lie in the cache, and are asked for in no order.
    private static async Task LookUpAsync(TestPki pki, Issuer issuer, int count)
    {
        TimeProvider clock = TimeProvider.System;
        OcspGatewayOptions options = new() { CacheBytes = 16L << 30 };
        ResponseCache cache = new(options.CacheBytes);
        OcspResponder responder = new(new IssuerDirectory([issuer]), new NoSource(), new ResponseFactory(clock), cache, options, clock, NullLogger<OcspResponder>.Instance);
        PlainAnswers answers = new(responder, new OcspHttpHandler(responder, Options.Create(options), clock), options, clock);
        SignedResponse signed = await SignOneAsync(issuer);
        byte[] serial = Serial(0);
        int at = signed.Encoded.Span.IndexOf(serial);
        long heap = GC.GetTotalMemory(forceFullCollection: true);
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < count; i++)
        {
            // The same bytes but for the serial number: the cache does not look at signatures.
            byte[] encoded = signed.Encoded.ToArray();
            Serial(i).CopyTo(encoded, at);
            CertId certId = CertId.Create(issuer.Certificates[0], SerialNumber.FromContent(Serial(i)));
            SignedResponse response = new(encoded, signed.ProducedAt, signed.ThisUpdate, signed.NextUpdate, signed.RefreshAt, signed.MaxAge, signed.Says);
            CertificateStatus status = CertificateStatus.Good with { Position = i + 1, RecordedAt = signed.ProducedAt.AddTicks(i), NotAfter = signed.NextUpdate.AddDays(80) };
            CachedResponse made = new(certId.Encoded, response, status, issuer.Credentials[0], isDefault: true) { HeldUntil = long.MaxValue };
            _ = cache.Store(issuer.Id, certId.SerialNumber, cache.VersionOf(issuer.Id, certId.SerialNumber), made);
        }

        double store = Stopwatch.GetElapsedTime(start).TotalSeconds;
        double used = (double)(GC.GetTotalMemory(forceFullCollection: true) - heap) / count;
        using Process self = Process.GetCurrentProcess();
        (double Pause, double Processor) collection = (double.MaxValue, double.MaxValue);
        for (int i = 0; i < 5; i++)
        {
            self.Refresh();
            TimeSpan before = self.TotalProcessorTime;
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: true);
            self.Refresh();
            collection = (Math.Min(collection.Pause, GC.GetGCMemoryInfo(GCKind.FullBlocking).PauseDurations[0].TotalMilliseconds), Math.Min(collection.Processor, (self.TotalProcessorTime - before).TotalMilliseconds));
        }

        byte[][] requests = [.. Enumerable.Range(0, 4096).Select(i => Ask(pki, Serial((int)((uint)(i * 2_654_435_761) % count))))];
        byte[][] gets = [.. requests.Select(request => Encoding.ASCII.GetBytes($"GET /{Testing.GetTarget.Escaped(request)} HTTP/1.1\r\nHost: ocsp.example\r\n\r\n"))];
        DateTimeOffset now = clock.GetUtcNow();
        int next = 0;
        Print($"{count:N0} cached answers of {signed.Encoded.Length} octets: {cache.Bytes / count:N0} octets each by the cache's own count, {used:N0} by the collector's; stored in {store / count * 1e6:N1} µs each; a full blocking collection stops all for {collection.Pause:N1} ms, {collection.Processor:N0} ms of processor time (the best of five)");
        Report("  decode, look up", Measure(() => responder.TryFindHit(requests[next++ & 4095], now, out _)));
        NullWriter output = new();
        Report("  the whole hit, GET", Measure(() =>
        {
            output.Clear();
            _ = RequestHead.Read(gets[next++ & 4095], out RequestHead head);
            return answers.TryAnswer(in head, output, closes: false, out byte[]? missed) && missed is null;
        }));
        GC.KeepAlive(cache);
    }

    private static async Task SignAsync(TestPki pki, string name, TestKey key, string algorithm, int rounds)
    {
        TestCertificate responder = pki.IssueResponder("Benchmark responder", key);
        using X509Certificate2 withKey = X509Certificate2.CreateFromPem(responder.Certificate.ExportCertificatePem(), responder.Key.ToPem());
        SigningCredential credential = new(withKey);
        List<(double OpenSsl, double Both, double Raw, double Signed, double Verified, double All)> all = [];
        for (int round = 0; round < rounds; round++)
        {
            (double openSsl, double both) = await OpenSslAsync(algorithm);
            double raw = PerSecond(() => credential.Signer.Sign(pki.Certificate.RawData.AsSpan(0, 200)));
            double signed = await RespondAsync(pki, credential, verifies: false, threads: 1);
            double verified = await RespondAsync(pki, credential, verifies: true, threads: 1);
            double many = await RespondAsync(pki, credential, verifies: false, threads: Environment.ProcessorCount);
            all.Add((openSsl, both, raw, signed, verified, many));
        }

        double reference = Median(all.Select(one => one.OpenSsl));
        Print($"{name}, per core-second: openssl speed {reference:N0}; signatures {Ratio(one => one.Raw)}; responses signed and read back {Ratio(one => one.Signed)}; and verified {Ratio(one => one.Verified)}, {Median(all.Select(one => one.Verified / one.Both)):N2} of its sign and verify ({Median(all.Select(one => one.Both)):N0}); on {Environment.ProcessorCount} threads {Ratio(one => one.All)}");
        Print($"  a million responses: {1e6 / Median(all.Select(one => one.Signed)):N0} core-seconds, verified {1e6 / Median(all.Select(one => one.Verified)):N0}");

        string Ratio(Func<(double OpenSsl, double Both, double Raw, double Signed, double Verified, double All), double> part) =>
            string.Create(CultureInfo.InvariantCulture, $"{Median(all.Select(part)):N0} ({Median(all.Select(one => part(one) / one.OpenSsl)):N2})");
    }

    // Its own figure is per second of processor time in user mode, as ours are.
    private static async Task<(double Sign, double SignAndVerify)> OpenSslAsync(string algorithm)
    {
        if (ExternalTool.Find("openssl") is not { } openssl)
        {
            return (double.NaN, double.NaN);
        }

        ToolResult result = await openssl.RunAsync(["speed", "-mr", "-seconds", "1", algorithm]);
        string? line = result.Output.Split('\n').FirstOrDefault(line => line.StartsWith("+F2:", StringComparison.Ordinal) || line.StartsWith("+F4:", StringComparison.Ordinal));
        string[] fields = line?.Split(':') ?? [];
        return fields.Length > 4 ? (PerSecond(fields[3]), 1 / ((1 / PerSecond(fields[3])) + (1 / PerSecond(fields[4])))) : (double.NaN, double.NaN);

        // seconds for one, or how many in a second
        static double PerSecond(string figure) => double.Parse(figure, CultureInfo.InvariantCulture) is var number && number < 1 ? 1 / number : number;
    }

    private static async Task<double> RespondAsync(TestPki pki, SigningCredential credential, bool verifies, int threads)
    {
        Issuer issuer = new(s_issuer, [pki.Certificate], [credential], IssuerPolicy.Default with { VerifySample = verifies ? 1 : 0 });
        using ResponseFactory factory = new(TimeProvider.System);
        NamedIssuer named = new(issuer, pki.Certificate);
        AnsweredCertId[] answers = [.. Enumerable.Range(0, 64).Select(i => new AnsweredCertId(CertId.Create(pki.Certificate, SerialNumber.FromContent(Serial(i))), GoodAnswer(issuer)))];
        long warm = Stopwatch.GetTimestamp();
        for (int i = 0; i < 3000 || Stopwatch.GetElapsedTime(warm) < TimeSpan.FromSeconds(0.6); i++)
        {
            await factory.CreateAsync(named, [answers[i & 63]], nonce: null, preferred: null, CancellationToken.None); // until the code is of the last tier
        }

        using Process self = Process.GetCurrentProcess();
        TimeSpan before = self.UserProcessorTime; // what openssl speed counts
        long start = Stopwatch.GetTimestamp();
        int[] counts = await Task.WhenAll(Enumerable.Range(0, threads).Select(_ => Task.Run(async () =>
        {
            int count = 0;
            while ((count & 15) != 0 || Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(1))
            {
                await factory.CreateAsync(named, [answers[count++ & 63]], nonce: null, preferred: null, CancellationToken.None);
            }

            return count;
        })));
        self.Refresh();
        return counts.Sum() / (self.UserProcessorTime - before).TotalSeconds;
    }

    private static CertificateAnswer GoodAnswer(Issuer issuer) =>
        AnswerRules.Decide(issuer.Policy, CertificateStatus.Good, TimeProvider.System.GetUtcNow()) ?? throw new InvalidOperationException("Good is always answered.");

    private static async Task<SignedResponse> SignOneAsync(Issuer issuer)
    {
        using ResponseFactory factory = new(TimeProvider.System);
        AnsweredCertId answered = new(CertId.Create(issuer.Certificates[0], SerialNumber.FromContent(Serial(0))), GoodAnswer(issuer));
        SigningResult result = await factory.CreateAsync(new NamedIssuer(issuer, issuer.Certificates[0]), [answered], nonce: null, preferred: null, CancellationToken.None);
        return result.Response ?? throw new InvalidOperationException(result.Reason);
    }

    private static byte[] Serial(int i) => [0x01, .. BitConverter.GetBytes((ulong)i * 0x9E37_79B9_7F4A_7C15), 0x5A, 0x5A, 0x5A, .. BitConverter.GetBytes(i)];

    private static byte[] Ask(TestPki pki, byte[] serial) => RawOcspRequest.For(RawCertId.For(pki.Certificate, serial)).Encode();

    // Processor time of the whole process, so that the collector's is in it; the best of five.
    private static (double Nanoseconds, double Octets) Measure<T>(Func<T> step)
    {
        int count = 1000;
        double best = double.MaxValue, octets = 0;
        using Process self = Process.GetCurrentProcess();
        for (long warm = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(warm) < TimeSpan.FromSeconds(0.5);)
        {
            _ = step(); // until the code is of the last tier
        }

        for (int round = 0; round < 6; round++)
        {
            long allocated = GC.GetAllocatedBytesForCurrentThread();
            TimeSpan before = self.TotalProcessorTime;
            for (int i = 0; i < count; i++)
            {
                _ = step();
            }

            self.Refresh();
            double seconds = (self.TotalProcessorTime - before).TotalSeconds;
            octets = (double)(GC.GetAllocatedBytesForCurrentThread() - allocated) / count;
            best = round == 0 ? best : Math.Min(best, seconds / count);
            count = round == 0 ? (int)Math.Clamp(0.2 / Math.Max(seconds / count, 1e-8), 1000, 2_000_000) : count;
        }

        return (best * 1e9, octets);
    }

    private static double PerSecond<T>(Func<T> step) => 1e9 / Measure(step).Nanoseconds;

    private static void Report(string what, (double Nanoseconds, double Octets) figures) => Print($"{what,-46} {figures.Nanoseconds,10:N0} ns {figures.Octets,8:N0} octets");

    private static void Print(FormattableString text) => Console.WriteLine(text.ToString(CultureInfo.InvariantCulture));

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }

    /// <summary>Nobody is asked: everything is in the cache.</summary>
    private sealed class NoSource : ICertificateStatusSource
    {
        public ValueTask<CertificateStatus?> FindAsync(IssuerId issuer, SerialNumber serial, CancellationToken cancellationToken) => throw new NotSupportedException();
    }

    /// <summary>Signs nothing: what is left is what is ours.</summary>
    private sealed class ConstantSigner(OcspSigner like) : OcspSigner
    {
        private readonly byte[] _signature = like.Sign("anything"u8);

        public override AlgorithmIdentifier Algorithm => like.Algorithm;

        public override byte[] Sign(ReadOnlySpan<byte> data) => _signature;
    }

    private sealed class NullWriter : System.IO.Pipelines.PipeWriter
    {
        private readonly byte[] _memory = new byte[8192];
        private int _length;

        public void Clear() => _length = 0;

        public override void Advance(int bytes) => _length += bytes;

        public override Span<byte> GetSpan(int sizeHint = 0) => _memory.AsSpan(_length);

        public override Memory<byte> GetMemory(int sizeHint = 0) => _memory.AsMemory(_length);

        public override ValueTask<System.IO.Pipelines.FlushResult> FlushAsync(CancellationToken cancellationToken = default) => default;

        public override void CancelPendingFlush() => throw new NotSupportedException();

        public override void Complete(Exception? exception = null)
        {
        }
    }
}
