using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using OcspCluster.Client;
using OcspCluster.Protocol;

namespace OcspCluster.Cli;

/// <summary>Asks where relying parties ask, as they do: by GET and POST, with base64 that proxies spoil, and looks at what caches are told.</summary>
internal sealed class ReachCheckup(Uri url, TimeSpan timeout, TimeProvider clock)
{
    private static readonly TimeSpan s_slow = TimeSpan.FromSeconds(1);

    private readonly List<Finding> _findings = [];

    // Who does not answer at all has nothing else to be blamed for.
    private bool IsOut => _findings.Exists(finding => finding.Severity == Severity.Critical);

    private string Area => $"reachability of {url}";

    /// <summary>What is found.</summary>
    public async Task<IReadOnlyList<Finding>> RunAsync(IReadOnlyList<AskedIssuer> issuers, CancellationToken cancellationToken)
    {
        NetworkLimits limits = new() { RequestTimeout = timeout, TotalTimeout = timeout * 4, MaxAttempts = 1 };
        using OcspClient client = new(OcspClientOptions.Default with { Store = null, PrivateAddresses = PrivateAddressRule.AllowGiven, Limits = limits });
        foreach (AskedIssuer issuer in issuers)
        {
            await AskForKnownAsync(client, issuer, cancellationToken).ConfigureAwait(false);
            if (!IsOut)
            {
                await AskAwkwardlyAsync(client, issuer, cancellationToken).ConfigureAwait(false);
            }
        }

        if (issuers.Count > 0 && !IsOut)
        {
            await LookAtHeadersAsync(issuers[0], cancellationToken).ConfigureAwait(false);
        }

        return _findings;
    }

    private async Task AskForKnownAsync(OcspClient client, AskedIssuer issuer, CancellationToken cancellationToken)
    {
        if (issuer.Serials.Count == 0)
        {
            _findings.Add(Finding.Warning(Area, $"Issuer '{issuer.Id}' has no certificate to ask about.", "Issue one, and look again."));
        }

        foreach (string serial in issuer.Serials)
        {
            if (IsOut)
            {
                return; // it would be the same once more
            }

            CertId certId = CertId.Create(issuer.Certificate, SerialNumber.ParseHex(serial));
            foreach (OcspMethod method in new[] { OcspMethod.Get, OcspMethod.Post })
            {
                string how = $"{method.ToString().ToUpperInvariant()} for {serial} of issuer '{issuer.Id}'";
                OcspExchange exchange = await client.SendAsync(new OcspRequestBuilder().Add(certId).Build(), url, method, cancellationToken).ConfigureAwait(false);
                if (exchange.Response is not OcspResponse response)
                {
                    _findings.Add(Finding.Critical(Area, $"{how}: {exchange.Message}", "Look at firewall, DNS and the proxy in front: plain HTTP, port 80 as a rule, GET and POST."));
                    continue;
                }

                OcspVerificationResult result = OcspVerifier.Verify(response, certId, issuer.Certificate, OcspVerificationOptions.Default with { Clock = clock });
                _findings.Add(result.Status is null
                    ? Finding.Critical(Area, $"{how}: {result.Message}", "'ocspctl explain SERIAL' tells what the responder would answer; if that is right, something between changes it.")
                    : exchange.Elapsed > s_slow
                        ? Finding.Warning(Area, string.Create(CultureInfo.InvariantCulture, $"{how} took {exchange.Elapsed.TotalSeconds:0.0} s."), "Clients give up after a few seconds: look at the way to the responder, and at its load.")
                        : Finding.Ok(Area, string.Create(CultureInfo.InvariantCulture, $"{how}: {result.Status switch { CertStatus.GoodStatus => "good", CertStatus.RevokedStatus => "revoked", _ => "unknown" }}, {exchange.Elapsed.TotalMilliseconds:0} ms.")));
            }
        }
    }

    // About one GET in four has a slash in its base64, and one in 200 two in a row: a proxy that tidies paths breaks just those.
    private async Task AskAwkwardlyAsync(OcspClient client, AskedIssuer issuer, CancellationToken cancellationToken)
    {
        OcspRequest request;
        do
        {
            request = new OcspRequestBuilder().Add(CertId.Create(issuer.Certificate, SerialNumber.FromContent([0x31, .. RandomNumberGenerator.GetBytes(15)]))).Build();
        }
        while (Convert.ToBase64String(request.Encoded.Span) is var base64 && !(base64.Contains("//", StringComparison.Ordinal) && base64.Contains('+')));

        OcspExchange exchange = await client.SendAsync(request, url, OcspMethod.Get, cancellationToken).ConfigureAwait(false);
        if (exchange.Response is null || exchange.Response.Status == OcspResponseStatus.MalformedRequest)
        {
            _findings.Add(Finding.Critical(
                Area,
                $"GET with '//' and '+' in its base64 is answered with {(exchange.Response is null ? exchange.Message : "malformedRequest")}, though the request is right.",
                "A proxy in front changes the path: have it pass it as it is (nginx: proxy_pass without a URI, merge_slashes off)."));
        }
        else
        {
            _findings.Add(Finding.Ok(Area, "GET with '//' and '+' in its base64 comes through."));
        }
    }

    private async Task LookAtHeadersAsync(AskedIssuer issuer, CancellationToken cancellationToken)
    {
        if (issuer.Serials.Count == 0 || url.Query.Length > 0)
        {
            return;
        }

        using HttpClient http = new(new SocketsHttpHandler { AllowAutoRedirect = false }) { Timeout = timeout };
        byte[] request = new OcspRequestBuilder().Add(CertId.Create(issuer.Certificate, SerialNumber.ParseHex(issuer.Serials[0]))).Build().Encoded.ToArray();
        Uri target = new(url.AbsoluteUri.TrimEnd('/') + "/" + Uri.EscapeDataString(Convert.ToBase64String(request)), new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
        try
        {
            using HttpResponseMessage response = await http.GetAsync(target, cancellationToken).ConfigureAwait(false);
            if (response.Content.Headers.ContentType?.MediaType != "application/ocsp-response")
            {
                _findings.Add(Finding.Warning(Area, $"The Content-Type is '{response.Content.Headers.ContentType}'.", "Have the proxy in front pass the responder's, application/ocsp-response."));
            }

            CacheControlHeaderValue? caching = response.Headers.CacheControl;
            _findings.Add(caching?.MaxAge is TimeSpan maxAge
                ? Finding.Ok(Area, $"Caches may keep an answer for {TimeText.Length(maxAge)}.")
                : Finding.Warning(Area, "No max-age tells caches how long an answer to GET may be kept.", "Have the proxy in front pass Cache-Control; without it each keeps it as long as it likes."));
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException && !cancellationToken.IsCancellationRequested)
        {
            _findings.Add(Finding.Warning(Area, $"GET failed now, and did not before: {e.Message}", "Look again; if it goes on, look at the proxy in front."));
        }
    }
}
