using OcspCluster.Authority;
using OcspCluster.Gateway;

namespace OcspCluster.Hosting;

/// <summary>Tells supervisors and load balancers how the host is: alive while it can say so, ready while it can answer relying parties.</summary>
internal sealed class HostHealth(IHostEngine engine, TimeProvider clock)
{
    private volatile bool _isListening;

    /// <summary>Whether the OCSP listener takes requests.</summary>
    public bool IsListening { get => _isListening; set => _isListening = value; }

    /// <summary>GET /health/live and /health/ready.</summary>
    /// <param name="endpoints">The admin listener's.</param>
    /// <param name="watch">Knows of credentials that end soon, and of files that cannot be used.</param>
    /// <param name="guard">Knows whether the clock can be signed by.</param>
    /// <param name="deliveries">Knows which webhooks and purges are behind.</param>
    /// <param name="sources">Know which of them are stale.</param>
    /// <param name="certificate">That of this listener, which may not be what its files have; null without TLS.</param>
    public void Map(IEndpointRouteBuilder endpoints, CredentialWatch watch, ClockGuard guard, Deliveries deliveries, RevocationSources sources, AdminCertificate? certificate = null)
    {
        endpoints.MapGet("/health/live", () => Results.Json(new { status = "live" }));
        endpoints.MapGet("/health/ready", async (CancellationToken cancellationToken) =>
        {
            IReadOnlyList<string> notReady = await FindNotReadyAsync(cancellationToken).ConfigureAwait(false);
            string[] warnings =
                [.. watch.Warnings, .. certificate?.Errors ?? [], .. guard.Problem is string clockProblem ? [clockProblem] : Array.Empty<string>(), .. deliveries.Warnings, .. sources.Warnings, .. engine.FindWarnings()];
            return notReady.Count == 0
                ? Results.Json(new { status = "ready", notReady, warnings })
                : Results.Json(new { status = "not ready", notReady, warnings }, statusCode: StatusCodes.Status503ServiceUnavailable);
        });
    }

    /// <summary>What keeps the host from answering, in words; empty when it is ready.</summary>
    public async Task<IReadOnlyList<string>> FindNotReadyAsync(CancellationToken cancellationToken)
    {
        List<string> notReady = [];
        if (!IsListening)
        {
            notReady.Add("the OCSP listener takes no requests: the host is starting or ending");
        }

        DateTimeOffset now = clock.GetUtcNow();
        foreach (Issuer issuer in engine.Issuers)
        {
            if (!issuer.Credentials.Any(credential => credential.NotBefore <= now && now <= credential.NotAfter))
            {
                notReady.Add($"issuer '{issuer.Id}': no responder certificate is valid at {now:u}");
            }
        }

        return [.. notReady, .. await engine.FindNotReadyAsync(cancellationToken).ConfigureAwait(false)];
    }
}
