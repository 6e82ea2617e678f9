using System.Diagnostics;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging.Abstractions;
using OcspCluster.Authority;
using OcspCluster.Gateway;
using OcspCluster.Protocol;
using OcspCluster.Testing;

namespace OcspCluster.Benchmarks.Scale;

/// <summary>What the cache takes for an answer, and how long it takes to find one, by how many there are: answers of 400 octets, signed by the CA itself, so that there is no certificate to share.</summary>
internal static class CachedAnswers
{
    private const int AnswerBytes = 400;
    private const int Lookups = 400_000;

    public static async Task<IReadOnlyList<CachedFigures>> MeasureAsync(IEnumerable<int> counts)
    {
        (Issuer issuer, SignedResponse answer) = await SignAsync();
        return [.. counts.Select(count => Measure(issuer, answer, count))];
    }

    // The responder is named by its name, whose length makes up what is missing of 400 octets.
    private static async Task<(Issuer Issuer, SignedResponse Answer)> SignAsync()
    {
        for (int length = 40; ; length += Math.Max(1, (AnswerBytes - length) / 400))
        {
            TestPki pki = TestPki.CreateRoot(new string('x', length), TestKey.P256());
            X509Certificate2 withKey = X509Certificate2.CreateFromPem(pki.Certificate.ExportCertificatePem(), pki.Ca.Key.ToPem());
            Issuer issuer = new(new IssuerId("bench"), [pki.Certificate], [new SigningCredential(withKey)], IssuerPolicy.Default with { ResponderId = ResponderIdForm.ByName });
            using ResponseFactory factory = new(TimeProvider.System);
            CertificateAnswer good = AnswerRules.Decide(issuer.Policy, CertificateStatus.Good, TimeProvider.System.GetUtcNow()) ?? throw new InvalidOperationException("Good is always answered.");
            AnsweredCertId certificate = new(CertId.Create(pki.Certificate, SerialNumber.FromContent(Serial(0))), good);
            SigningResult result = await factory.CreateAsync(new NamedIssuer(issuer, pki.Certificate), [certificate], nonce: null, preferred: null, CancellationToken.None);
            SignedResponse answer = result.Response ?? throw new InvalidOperationException(result.Reason);
            if (answer.Encoded.Length >= AnswerBytes)
            {
                return (issuer, answer);
            }
        }
    }

    private static CachedFigures Measure(Issuer issuer, SignedResponse signed, int count)
    {
        TimeProvider clock = TimeProvider.System;
        OcspGatewayOptions options = new() { CacheBytes = 16L << 30 };
        ResponseCache cache = new(options.CacheBytes);
        OcspResponder responder = new(new IssuerDirectory([issuer]), new NoSource(), new ResponseFactory(clock), cache, options, clock, NullLogger<OcspResponder>.Instance);
        int at = signed.Encoded.Span.IndexOf(Serial(0));
        long heap = GC.GetTotalMemory(forceFullCollection: true);
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

        double used = (double)(GC.GetTotalMemory(forceFullCollection: true) - heap) / count;
        long start = Stopwatch.GetTimestamp();
        GC.Collect();
        double pause = Stopwatch.GetElapsedTime(start).TotalMilliseconds;

        // Requests that are not in the processor's caches either, up to a point: 65,536 spread over all.
        byte[][] requests = [.. Enumerable.Range(0, 65_536).Select(i => RawOcspRequest.For(RawCertId.For(issuer.Certificates[0], Serial((int)((uint)(i * 2_654_435_761) % count)))).Encode())];
        DateTimeOffset now = clock.GetUtcNow();
        double best = double.MaxValue;
        for (int round = 0; round < 5; round++)
        {
            start = Stopwatch.GetTimestamp();
            int found = 0;
            for (int i = 0; i < Lookups; i++)
            {
                found += responder.TryFindHit(requests[i & 65_535], now, out _) ? 1 : 0;
            }

            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalNanoseconds / Lookups);
            if (found != Lookups)
            {
                throw new InvalidOperationException($"{Lookups - found} of {Lookups} were not found in the cache.");
            }
        }

        GC.KeepAlive(cache);
        return new CachedFigures(count, signed.Encoded.Length, (double)cache.Bytes / count, used, best, pause);
    }

    private static byte[] Serial(int i) => [0x01, .. BitConverter.GetBytes((ulong)i * 0x9E37_79B9_7F4A_7C15), 0x5A, 0x5A, 0x5A, .. BitConverter.GetBytes(i)];

    /// <summary>Nobody is asked: everything is in the cache.</summary>
    private sealed class NoSource : ICertificateStatusSource
    {
        public ValueTask<CertificateStatus?> FindAsync(IssuerId issuer, SerialNumber serial, CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}

/// <summary>So many answers in the cache.</summary>
/// <param name="Count">How many.</param>
/// <param name="AnswerBytes">Octets of one.</param>
/// <param name="BytesEach">By the cache's own count, its tables included.</param>
/// <param name="HeapBytesEach">By the collector's.</param>
/// <param name="LookupNanoseconds">From the octets of a request to the answer found; the best of five.</param>
/// <param name="CollectionMilliseconds">A full collection with all of them there.</param>
internal sealed record CachedFigures(int Count, int AnswerBytes, double BytesEach, double HeapBytesEach, double LookupNanoseconds, double CollectionMilliseconds);
