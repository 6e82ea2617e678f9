using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using OcspCluster.Protocol;

namespace OcspCluster.Client;

/// <summary>A CRL whose signature and times were found in order.</summary>
internal sealed record LoadedCrl(CertificateList List, Uri Uri, bool FromStore);

/// <summary>Fetches CRLs, verifies signature and times, and keeps them. Thread-safe.</summary>
internal sealed class CrlTransport(OcspClientOptions options, HttpTransport http)
{
    private const string Accept = "application/pkix-crl, */*;q=0.1";

    private readonly TimeProvider _clock = options.Verification.Clock;

    /// <summary>The CRL at an address; null when there is no usable one, and the run says why.</summary>
    public async Task<LoadedCrl?> LoadAsync(Uri uri, bool isGiven, X509Certificate2 issuer, bool isDelta, CheckRun run)
    {
        long start = run.Start();
        string key = Convert.ToHexString(SHA256.HashData([.. "crl "u8, .. Encoding.UTF8.GetBytes(uri.AbsoluteUri)]));
        StoredResponse? stored = options.Store is null ? null : await options.Store.FindAsync(key, run.Token).ConfigureAwait(false);
        CertificateList? known = stored is not null && Judge(stored.Body, issuer, isDelta) is { Broken: null } judged ? judged.List : null;
        if (known is not null && _clock.GetUtcNow() < stored!.FreshUntil)
        {
            return Tell(known, uri, fromStore: true, run, start);
        }

        HttpReply reply = await http.SendAsync(Question(uri, isGiven) with { ETag = known is null ? null : stored!.ETag }, run.Token).ConfigureAwait(false);
        if (reply.Status == 304 && known is not null)
        {
            await KeepAsync(key, known, reply with { ETag = reply.ETag ?? stored!.ETag }, run).ConfigureAwait(false);
            return Tell(known, uri, fromStore: true, run, start);
        }

        if (reply.Failure != RevocationFailure.None || reply.Status != 200)
        {
            RevocationFailure failure = reply.Failure == RevocationFailure.None ? RevocationFailure.Unreachable : reply.Failure;
            Fail(run, uri, failure, reply.Failure == RevocationFailure.None ? $"HTTP {reply.Status}." : reply.Message, reply, start);
            return known is null ? null : Tell(known, uri, fromStore: true, run, start); // nobody answers, but what is known still holds
        }

        (CertificateList? list, (RevocationFailure Failure, string Message)? broken) = Judge(CertificateList.FromFile(reply.Body), issuer, isDelta);
        if (broken is null && known is not null && IsOlder(list!, known))
        {
            broken = (RevocationFailure.AnswerRefused, $"The CRL is older than one that is known: number {list!.CrlNumber} of {list.ThisUpdate:u} after {known.CrlNumber} of {known.ThisUpdate:u}.");
        }

        if (broken is not null)
        {
            Fail(run, uri, broken.Value.Failure, broken.Value.Message, reply, start);
            return known is null ? null : Tell(known, uri, fromStore: true, run, start);
        }

        await KeepAsync(key, list!, reply, run).ConfigureAwait(false);
        return Tell(list!, uri, fromStore: false, run, start);
    }

    // RFC 5280 §5.2.3: numbers only rise within a scope; whoever serves an older one hides what was revoked since.
    private static bool IsOlder(CertificateList list, CertificateList known) => list.CrlNumber < known.CrlNumber || list.ThisUpdate < known.ThisUpdate;

    private (CertificateList? List, (RevocationFailure Failure, string Message)? Broken) Judge(ReadOnlyMemory<byte> encoded, X509Certificate2 issuer, bool isDelta)
    {
        if (!CertificateList.TryDecode(encoded, out CertificateList? list, out DecodeError error, new DecodeOptions { AcceptUnknownReasons = true }))
        {
            return (null, (RevocationFailure.AnswerRefused, $"{encoded.Length} octets that are not a usable CRL: {error}."));
        }

        if (list.IsDelta != isDelta)
        {
            return (list, (RevocationFailure.AnswerRefused, isDelta ? "A complete CRL stands where a delta should." : "A delta CRL stands where a complete one should."));
        }

        return list.CheckSignature(issuer, options.Verification.SignatureVerifier) switch
        {
            CrlSignatureCheck.Verified => (list, JudgeTimes(list)),
            CrlSignatureCheck.OtherIssuer => (list, (RevocationFailure.AnswerRefused, $"The CRL is of '{list.Issuer.Name}', not of '{issuer.Subject}'.")),
            CrlSignatureCheck.AlgorithmUnsupported => (list, (RevocationFailure.AnswerRefused, $"The CRL is signed with {list.SignatureAlgorithm}, which is not supported.")),
            CrlSignatureCheck.NoCrlSign => (list, (RevocationFailure.AnswerForged, $"The key usage of '{issuer.Subject}' lacks cRLSign.")),
            CrlSignatureCheck.AlgorithmTooWeak => (list, (RevocationFailure.AnswerForged, $"The CRL is signed with {list.SignatureAlgorithm} by a key or hash that is too weak.")),
            _ => (list, (RevocationFailure.AnswerForged, $"The key of '{issuer.Subject}' did not sign the CRL.")),
        };
    }

    private (RevocationFailure Failure, string Message)? JudgeTimes(CertificateList list)
    {
        DateTimeOffset now = _clock.GetUtcNow();
        TimeSpan tolerance = options.Verification.Tolerance;
        if (list.ThisUpdate - now > tolerance)
        {
            return (RevocationFailure.AnswerRefused, $"The CRL's thisUpdate is {list.ThisUpdate:u}; now it is {now:u}.");
        }

        if (list.NextUpdate is not DateTimeOffset nextUpdate)
        {
            return (RevocationFailure.AnswerRefused, "The CRL has no nextUpdate (RFC 5280 §5.1.2.5).");
        }

        return now - nextUpdate > tolerance ? (RevocationFailure.AnswerRefused, $"The CRL's nextUpdate was {nextUpdate:u}; now it is {now:u}.") : null;
    }

    private HttpQuestion Question(Uri uri, bool isGiven) => new()
    {
        Uri = uri,
        IsGiven = isGiven,
        Accept = Accept,
        MaxBytes = options.Limits.MaxCrlBytes,
        Timeout = options.Limits.CrlTimeout,
    };

    private async Task KeepAsync(string key, CertificateList list, HttpReply reply, CheckRun run)
    {
        if (options.Store is ResponseStore store && reply.IsStorable && list.NextUpdate is DateTimeOffset nextUpdate)
        {
            await store.SaveAsync(key, Freshness.Entry(list.Encoded, nextUpdate, reply, _clock.GetUtcNow()), run.Token).ConfigureAwait(false);
        }
    }

    private static LoadedCrl Tell(CertificateList list, Uri uri, bool fromStore, CheckRun run, long start)
    {
        string kind = list.IsDelta ? "delta CRL" : "CRL";
        run.Add(new RevocationAttempt
        {
            Source = RevocationSource.Crl,
            Uri = uri,
            Method = fromStore ? null : "GET",
            FromStore = fromStore,
            Message = $"A {kind} of {list.ThisUpdate:u} with {list.Count} entries.",
            Elapsed = run.Since(start),
        });
        return new LoadedCrl(list, uri, fromStore);
    }

    private static void Fail(CheckRun run, Uri uri, RevocationFailure failure, string message, HttpReply reply, long start) => run.Add(new RevocationAttempt
    {
        Source = RevocationSource.Crl,
        Uri = uri,
        Method = "GET",
        Failure = failure,
        Message = message,
        HttpStatus = reply.Status == 0 ? null : reply.Status,
        Elapsed = run.Since(start),
    });
}
