using System.Security.Cryptography.X509Certificates;
using OcspCluster.Protocol;

namespace OcspCluster.Client;

/// <summary>
/// Finds out whether certificates are revoked: finds the issuer, asks responders, verifies what they answer, falls back to CRLs, and judges. One instance serves
/// a program; it is thread-safe. Whether the issuer itself is to be trusted is for the caller to know (<see cref="X509Chain"/>).
/// </summary>
/// <remarks>
/// Nothing that a certificate, a responder or a server sends is a reason to throw: it is a <see cref="RevocationVerdict"/>. What is spent on one certificate is
/// bounded by <see cref="NetworkLimits"/>, and no private address is connected to unless <see cref="OcspClientOptions.PrivateAddresses"/> says so.
/// </remarks>
public sealed class OcspClient : IDisposable
{
    private readonly OcspClientOptions _options;
    private readonly HttpTransport _http;
    private readonly OcspTransport _transport;
    private readonly IssuerFinder _issuers;
    private readonly OcspSource _ocsp;
    private readonly StapleSource _staples;
    private readonly CrlSource _crls;

    /// <summary>A client.</summary>
    /// <param name="options">How it asks and judges; the defaults where null.</param>
    public OcspClient(OcspClientOptions? options = null)
    {
        _options = options ?? new OcspClientOptions();
        _http = new HttpTransport(_options);
        _transport = new OcspTransport(_options, _http);
        _issuers = new IssuerFinder(_options, _http);
        _crls = new CrlSource(_options, new CrlTransport(_options, _http));
        ResponseJudge judge = new(_options, IsRevokedAsync);
        _ocsp = new OcspSource(_options, _transport, judge);
        _staples = new StapleSource(_options, judge);
    }

    /// <summary>How it asks and judges.</summary>
    public OcspClientOptions Options => _options;

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    /// <summary>Judges a certificate whose issuer is known.</summary>
    /// <param name="certificate">The certificate.</param>
    /// <param name="issuer">The certificate of the CA that issued it.</param>
    /// <param name="staple">The OCSP response that the server stapled; empty when there is none.</param>
    /// <param name="cancellationToken">Ends the check with an exception.</param>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public Task<RevocationVerdict> CheckAsync(X509Certificate2 certificate, X509Certificate2 issuer, ReadOnlyMemory<byte> staple = default, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        ArgumentNullException.ThrowIfNull(issuer);
        return RunAsync(certificate, run => CheckAsync(certificate, issuer, staple, run), cancellationToken);
    }

    /// <summary>
    /// Judges a certificate whose issuer is looked for: among the candidates, then among <see cref="OcspClientOptions.KnownIssuers"/>, then where the certificate says
    /// (AIA caIssuers).
    /// </summary>
    /// <param name="certificate">The certificate.</param>
    /// <param name="candidates">Certificates at hand, such as the others of the handshake. They are not thereby trusted.</param>
    /// <param name="staple">The OCSP response that the server stapled; empty when there is none.</param>
    /// <param name="cancellationToken">Ends the check with an exception.</param>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public Task<RevocationVerdict> CheckAsync(
        X509Certificate2 certificate, IEnumerable<X509Certificate2>? candidates = null, ReadOnlyMemory<byte> staple = default, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        return RunAsync(certificate, async run =>
        {
            (X509Certificate2? issuer, string message) = await _issuers.FindAsync(certificate, candidates ?? [], run.Token).ConfigureAwait(false);
            return issuer is null
                ? CouldNotTell(certificate, RevocationFailure.IssuerNotFound, message)
                : await CheckAsync(certificate, issuer, staple, run).ConfigureAwait(false);
        }, cancellationToken);
    }

    /// <summary>
    /// Judges the certificate of a TLS server by what its handshake showed: the issuer is looked for among the certificates that it sent, its stapled response counts, and
    /// when the certificate demands one (must-staple, RFC 7633 §4.3.3) and none came, there is no status.
    /// </summary>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public Task<RevocationVerdict> CheckAsync(ServerCertificates server, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(server);
        return server.LacksStaple
            ? Task.FromResult(CouldNotTell(server.Certificate, RevocationFailure.StapleMissing, "The certificate demands a stapled OCSP response (RFC 7633), and the server sent none."))
            : CheckAsync(server.Certificate, server.Others, server.StapledResponse, cancellationToken);
    }

    /// <summary>Judges a chain: each certificate by the one after it, from the leaf on, until one is revoked. A self-signed last one is not asked about.</summary>
    /// <param name="chain">The leaf first. A last certificate that is not self-signed has its issuer looked for.</param>
    /// <param name="staple">The OCSP response that the server stapled for the leaf; empty when there is none.</param>
    /// <param name="cancellationToken">Ends the check with an exception.</param>
    /// <exception cref="ArgumentException">There is no certificate but a self-signed one.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public async Task<ChainVerdict> CheckChainAsync(IReadOnlyList<X509Certificate2> chain, ReadOnlyMemory<byte> staple = default, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(chain);
        List<RevocationVerdict> verdicts = [];
        for (int i = 0; i < chain.Count && verdicts is not [.., { Status: RevocationStatus.Revoked }]; i++)
        {
            ReadOnlyMemory<byte> own = i == 0 ? staple : default;
            if (i + 1 < chain.Count)
            {
                verdicts.Add(await CheckAsync(chain[i], chain[i + 1], own, cancellationToken).ConfigureAwait(false));
            }
            else if (!_issuers.IsSelfSigned(chain[i]))
            {
                verdicts.Add(await CheckAsync(chain[i], [], own, cancellationToken).ConfigureAwait(false));
            }
        }

        return verdicts.Count > 0 ? new ChainVerdict(verdicts) : throw new ArgumentException("A self-signed certificate alone has no issuer who could revoke it.", nameof(chain));
    }

    /// <summary>Judges the certificates of a TLS server: its own as <see cref="CheckAsync(ServerCertificates, CancellationToken)"/> does, and those above it.</summary>
    /// <param name="server">What the handshake showed.</param>
    /// <param name="scope">Whether those above it are judged at all.</param>
    /// <param name="cancellationToken">Ends the check with an exception.</param>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public async Task<ChainVerdict> CheckChainAsync(ServerCertificates server, RevocationScope scope = RevocationScope.Chain, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(server);
        List<RevocationVerdict> verdicts = [await CheckAsync(server, cancellationToken).ConfigureAwait(false)];
        while (scope == RevocationScope.Chain && verdicts[^1] is { Issuer: X509Certificate2 issuer, Status: not RevocationStatus.Revoked } && verdicts.Count < _options.Limits.MaxChainLength
            && !_issuers.IsSelfSigned(issuer) && !verdicts.Any(verdict => verdict.Certificate.Equals(issuer)))
        {
            verdicts.Add(await CheckAsync(issuer, server.Others, default, cancellationToken).ConfigureAwait(false));
        }

        return new ChainVerdict(verdicts);
    }

    /// <summary>Finds the chain of a certificate upwards, as far as it can be found: the certificate first, a self-signed one last. Each is signed by the next; none is thereby trusted.</summary>
    /// <param name="certificate">The certificate.</param>
    /// <param name="candidates">Certificates at hand, such as the others of the handshake.</param>
    /// <param name="cancellationToken">Ends the search with an exception.</param>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public async Task<IReadOnlyList<X509Certificate2>> FindChainAsync(X509Certificate2 certificate, IEnumerable<X509Certificate2>? candidates = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        using CancellationTokenSource late = new(_options.Limits.TotalTimeout, _options.Verification.Clock);
        using CancellationTokenSource both = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        List<X509Certificate2> chain = [certificate];
        try
        {
            await _issuers.ExtendAsync(chain, [.. candidates ?? []], both.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // What was found within the total time is what could be found.
        }

        return chain;
    }

    /// <summary>Sends any request to a responder and gives back what came, unjudged: for tools. The answer is neither looked up nor kept in the store.</summary>
    /// <param name="request">The request.</param>
    /// <param name="responder">The responder; it counts as given by the program.</param>
    /// <param name="method">GET or POST.</param>
    /// <param name="cancellationToken">Ends it with an exception.</param>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public Task<OcspExchange> SendAsync(OcspRequest request, Uri responder, OcspMethod method = OcspMethod.Automatic, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(responder);
        return _transport.SendAsync(request, responder, isGiven: true, method, etag: null, cancellationToken);
    }

    private async Task<RevocationVerdict> RunAsync(X509Certificate2 certificate, Func<CheckRun, Task<RevocationVerdict>> check, CancellationToken cancellationToken)
    {
        TimeProvider clock = _options.Verification.Clock;
        using CancellationTokenSource late = new(_options.Limits.TotalTimeout, clock);
        using CancellationTokenSource both = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        CheckRun run = new(clock, both.Token);
        try
        {
            RevocationVerdict verdict = await check(run).ConfigureAwait(false);
            return verdict with { Attempts = [.. run.Attempts] };
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            string message = $"The status could not be told within {_options.Limits.TotalTimeout.TotalSeconds:0.###} s.";
            return CouldNotTell(certificate, RevocationFailure.TimedOut, message) with { Attempts = [.. run.Attempts] };
        }
    }

    private async Task<RevocationVerdict> CheckAsync(X509Certificate2 certificate, X509Certificate2 issuer, ReadOnlyMemory<byte> staple, CheckRun run)
    {
        if (FindObstacle(certificate, issuer) is RevocationVerdict obstacle)
        {
            return obstacle;
        }

        Subject subject = new(certificate, issuer, CertificateAddresses.Read(certificate));
        Finding? unknown = null;
        foreach (RevocationSource source in _options.Sources)
        {
            (Finding? finding, bool endsHere) = await AskAsync(source, subject, staple, run).ConfigureAwait(false);
            if (finding is { Status: not RevocationStatus.Unknown })
            {
                return VerdictOf(subject, finding);
            }

            unknown ??= finding; // not good, but another source may know more (RFC 6960 §2.2)
            if (endsHere)
            {
                break;
            }
        }

        return unknown is not null ? VerdictOf(subject, unknown) : CouldNotTell(subject, run);
    }

    private async Task<(Finding? Finding, bool EndsHere)> AskAsync(RevocationSource source, Subject subject, ReadOnlyMemory<byte> staple, CheckRun run)
    {
        switch (source)
        {
            case RevocationSource.Stapled when staple.IsEmpty:
                return (null, false);
            case RevocationSource.Stapled:
                (Finding? finding, bool isBad) = await _staples.JudgeAsync(subject, staple, run).ConfigureAwait(false);
                return (finding, isBad && !_options.ContinueAfterBadStaple);
            case RevocationSource.Ocsp:
                return (await _ocsp.AskAsync(subject, run).ConfigureAwait(false), false);
            default:
                return (await _crls.FindAsync(subject, run).ConfigureAwait(false), false);
        }
    }

    private async Task<ResponderRevocation> IsRevokedAsync(X509Certificate2 responder, X509Certificate2 issuer, CheckRun run)
    {
        Finding? finding = await _crls.FindAsync(new Subject(responder, issuer, CertificateAddresses.Read(responder)), run).ConfigureAwait(false);
        return finding?.Status switch
        {
            RevocationStatus.Good => ResponderRevocation.NotRevoked,
            RevocationStatus.Revoked => ResponderRevocation.Revoked,
            _ => ResponderRevocation.Unknown,
        };
    }

    // RFC 9919 §4.2: the certificate's own signature first; nobody is asked about one that is not the issuer's, or is over.
    private RevocationVerdict? FindObstacle(X509Certificate2 certificate, X509Certificate2 issuer)
    {
        if (!_issuers.IsIssuedBy(certificate, issuer))
        {
            return CouldNotTell(certificate, RevocationFailure.NotIssuedByIssuer, $"'{issuer.Subject}' did not sign the certificate of '{certificate.Subject}', or by an algorithm that proves nothing.") with
            {
                Issuer = issuer,
            };
        }

        DateTimeOffset now = _options.Verification.Clock.GetUtcNow();
        TimeSpan tolerance = _options.Verification.Tolerance;
        DateTimeOffset notBefore = certificate.NotBefore.ToUniversalTime();
        DateTimeOffset notAfter = certificate.NotAfter.ToUniversalTime();
        return _options.AskAboutExpired || (notBefore - now <= tolerance && now - notAfter <= tolerance)
            ? null
            : CouldNotTell(certificate, RevocationFailure.CertificateNotValid, $"The certificate is valid from {notBefore:u} to {notAfter:u}; now it is {now:u}.") with { Issuer = issuer };
    }

    private static RevocationVerdict VerdictOf(Subject subject, Finding finding) => new()
    {
        Certificate = subject.Certificate,
        Issuer = subject.Issuer,
        Status = finding.Status,
        RevocationTime = finding.RevocationTime,
        RevocationReason = finding.Reason,
        Evidence = finding.Evidence,
        Message = finding.Message,
    };

    private static RevocationVerdict CouldNotTell(Subject subject, CheckRun run)
    {
        RevocationAttempt? telling = run.Attempts.MaxBy(attempt => attempt.Failure);
        return CouldNotTell(subject.Certificate, telling?.Failure ?? RevocationFailure.NoSource, telling?.ToString() ?? "There is nobody to ask.") with { Issuer = subject.Issuer };
    }

    private static RevocationVerdict CouldNotTell(X509Certificate2 certificate, RevocationFailure failure, string message) => new()
    {
        Certificate = certificate,
        Status = RevocationStatus.CouldNotTell,
        Failure = failure,
        Message = message,
    };
}
