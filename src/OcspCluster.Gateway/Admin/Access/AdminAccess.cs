using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OcspCluster.Authority;

namespace OcspCluster.Gateway;

/// <summary>The action that an endpoint is for.</summary>
/// <param name="Action">What the caller does.</param>
/// <param name="OfAllIssuers">Whether the scope has to be one of all issuers, for what it does concerns them all.</param>
internal sealed record RequiredAction(ApiAction Action, bool OfAllIssuers = false);

/// <summary>Lets callers to the admin API in: by key, session or client certificate, within their scopes, at their pace. Also turns what goes wrong behind it into problem details.</summary>
internal sealed partial class AdminAccess : IEndpointFilter, IDisposable
{
    private const string Scheme = "Bearer ";
    private const int MaxAddresses = 10_000;

    private readonly ApiKeyStore _keys;
    private readonly AdminSessions _sessions;
    private readonly ClientCertificateTrust _trust;
    private readonly ApiScope[] _clientScopes;
    private readonly (ClientCertificateGrant Grant, ApiScope[] Scopes)[] _grants;
    private readonly FailedAttempts _failures;
    private readonly PartitionedRateLimiter<string> _limiter;
    private readonly ILogger<AdminAccess> _log;

    public AdminAccess(ApiKeyStore keys, AdminSessions sessions, IOptions<AdminApiOptions> options, TimeProvider clock, ILogger<AdminAccess> log)
    {
        AdminApiOptions admin = options.Value;
        _keys = keys;
        _sessions = sessions;
        _log = log;
        _trust = new ClientCertificateTrust(admin.ClientCa, clock);
        _clientScopes = Parse(admin.EffectiveClientScopes);
        _grants = [.. admin.Clients.Select(grant => (grant, Parse(grant.Scopes)))];
        _failures = new FailedAttempts(admin.FailuresPerMinute, MaxAddresses, clock);
        _limiter = PartitionedRateLimiter.Create<string, string>(credential => RateLimitPartition.GetTokenBucketLimiter(credential, _ => new TokenBucketRateLimiterOptions
        {
            TokenLimit = admin.RequestsPerSecond,
            TokensPerPeriod = Math.Max(1, admin.RequestsPerSecond / 10),
            ReplenishmentPeriod = TimeSpan.FromSeconds(Math.Max(0.1, 1.0 / admin.RequestsPerSecond)),
            QueueLimit = 0,
        }));
    }

    /// <summary>The caller whom the filter let in.</summary>
    public static ApiCaller CallerOf(HttpContext context) => (ApiCaller)context.Items[typeof(ApiCaller)]!;

    /// <summary>Whether the filter would know the caller again: what goes on for long asks now and then.</summary>
    public async ValueTask<bool> IsStillLetInAsync(HttpContext context)
    {
        try
        {
            return await FindCallerAsync(context).ConfigureAwait(false) is not null;
        }
        catch (ApiKeyStoreException e)
        {
            LogKeysFailed(e.Message, e);
            return false;
        }
    }

    public void Dispose() => _limiter.Dispose();

    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        HttpContext http = context.HttpContext;
        try
        {
            return await RefuseAsync(http).ConfigureAwait(false) ?? await next(context).ConfigureAwait(false);
        }
        catch (Exception e) when (e is RevocationStoreException or ObjectDisposedException)
        {
            LogStoreFailed(e.Message, e);
            http.Response.Headers.RetryAfter = "1";
            bool isWrite = HttpMethods.IsPost(http.Request.Method);
            return AdminProblems.Create(
                StatusCodes.Status503ServiceUnavailable,
                isWrite ? AdminProblems.OutcomeUnknown : "The store cannot be read",
                isWrite ? $"{e.Message} Send the same events with the same ids again: what was recorded is then a duplicate." : e.Message);
        }
        catch (ApiKeyStoreException e)
        {
            return KeysFailed(e);
        }
        catch (BadHttpRequestException e)
        {
            return AdminProblems.Create(e.StatusCode, "The request cannot be read", e.Message);
        }
    }

    private async ValueTask<IResult?> RefuseAsync(HttpContext http)
    {
        if (await FindCallerAsync(http).ConfigureAwait(false) is not { } caller)
        {
            // Who presents nothing tries nothing: they are told how to.
            if ((!string.IsNullOrEmpty(http.Request.Headers.Authorization) || http.Connection.ClientCertificate is not null) && CountFailure(http) is { } tooMany)
            {
                return tooMany;
            }

            http.Response.Headers.WWWAuthenticate = "Bearer realm=\"ocspcluster\"";
            return AdminProblems.Create(
                StatusCodes.Status401Unauthorized, "Who are you?", "Send a valid key as 'Authorization: Bearer id.secret', or a client certificate of the configured CA.");
        }

        if (caller.IsAmbient && !IsMeant(http.Request, caller))
        {
            return AdminProblems.Create(
                StatusCodes.Status403Forbidden, "Not from here", $"A browser sent this with its credentials, and not from the dashboard of this listener: what changes something has the header {SessionCookie.CsrfHeader}.");
        }

        using RateLimitLease lease = _limiter.AttemptAcquire(caller.Credential);
        if (!lease.IsAcquired)
        {
            double seconds = lease.TryGetMetadata(MetadataName.RetryAfter, out TimeSpan retryAfter) ? Math.Ceiling(retryAfter.TotalSeconds) : 1;
            http.Response.Headers.RetryAfter = Math.Max(1, seconds).ToString(CultureInfo.InvariantCulture);
            return AdminProblems.Create(StatusCodes.Status429TooManyRequests, "Too many requests", "This credential sends more requests per second than it may: send events in batches or as a stream.");
        }

        (ApiAction action, bool ofAllIssuers) = http.GetEndpoint()!.Metadata.GetRequiredMetadata<RequiredAction>();
        bool may = ofAllIssuers ? caller.MayForAll(action) : http.Request.RouteValues["issuer"] is string issuer ? IssuerId.IsValid(issuer) && caller.May(action, new IssuerId(issuer)) : caller.May(action);
        if (!may)
        {
            return AdminProblems.Create(StatusCodes.Status403Forbidden, "Not within your scope", $"This credential has no scope for '{action.ToString().ToLowerInvariant()}' here.");
        }

        http.Items[typeof(ApiCaller)] = caller;
        return null;
    }

    // What a browser adds by itself, another site can have it add. A client certificate is also what programs have, which do not send Sec-Fetch-Site.
    private static bool IsMeant(HttpRequest request, ApiCaller caller) =>
        !SessionCookie.IsFromElsewhere(request) && (SessionCookie.IsSafe(request) || caller.SessionEndsAt is null || request.Headers.ContainsKey(SessionCookie.CsrfHeader));

    /// <summary>Who calls; null when there is no valid credential.</summary>
    /// <remarks>A key that is presented is looked at, whatever the connection has: who sends a wrong one is not let in by another way.</remarks>
    /// <exception cref="ApiKeyStoreException">The keys cannot be read.</exception>
    public async ValueTask<ApiCaller?> FindCallerAsync(HttpContext http)
    {
        string? authorization = http.Request.Headers.Authorization;
        if (!string.IsNullOrEmpty(authorization))
        {
            return authorization.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) && await _keys.AuthenticateAsync(authorization[Scheme.Length..].Trim(), http.RequestAborted).ConfigureAwait(false) is { } key
                ? ApiCaller.Of(key, http.Connection.RemoteIpAddress)
                : null;
        }

        // The key's scopes and end as they are now, not as they were when the session began.
        if (SessionCookie.Read(http) is { } token && _sessions.Find(token) is { } session && await _keys.FindAsync(session.KeyId, http.RequestAborted).ConfigureAwait(false) is { } sessionKey)
        {
            return ApiCaller.Of(sessionKey, http.Connection.RemoteIpAddress) with { IsAmbient = true, SessionEndsAt = session.EndsAt };
        }

        return http.Connection.ClientCertificate is X509Certificate2 certificate && _trust.IsTrusted(certificate)
            ? new ApiCaller($"certificate {certificate.SerialNumber} ({certificate.Subject})", ScopesOf(certificate), http.Connection.RemoteIpAddress) { IsAmbient = true }
            : null;
    }

    /// <summary>Counts an attempt with a wrong credential.</summary>
    /// <returns>What is said when there were too many from that address; else null.</returns>
    public IResult? CountFailure(HttpContext http)
    {
        if (_failures.Add(http.Connection.RemoteIpAddress) is not { } wait)
        {
            return null;
        }

        http.Response.Headers.RetryAfter = Math.Max(1, Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        return AdminProblems.Create(StatusCodes.Status429TooManyRequests, "Too many failures", "Too many attempts from this address had no valid credential. A valid one is taken at any time.");
    }

    /// <summary>What is said when nobody can be known.</summary>
    public IResult KeysFailed(ApiKeyStoreException exception)
    {
        LogKeysFailed(exception.Message, exception);
        return AdminProblems.Create(StatusCodes.Status503ServiceUnavailable, "The API keys cannot be read", "Nobody is let in until they can be read again; the log says why they cannot.");
    }

    // Of several grants that speak of a certificate it has them all.
    private ApiScope[] ScopesOf(X509Certificate2 certificate)
    {
        (ClientCertificateGrant Grant, ApiScope[] Scopes)[] grants = [.. _grants.Where(one => one.Grant.IsOf(certificate))];
        return grants.Length == 0 ? _clientScopes : [.. grants.SelectMany(one => one.Scopes)];
    }

    private static ApiScope[] Parse(IEnumerable<string> scopes) =>
        [.. scopes.Select(text => ApiScope.TryParse(text, out ApiScope scope) ? scope : throw new InvalidOperationException($"'{text}' is not {ApiScope.Rule}."))];

    [LoggerMessage(80, LogLevel.Error, "The store failed a request of the admin API: {Reason}")]
    private partial void LogStoreFailed(string reason, Exception exception);

    [LoggerMessage(81, LogLevel.Error, "Nobody is let in to the admin API: {Reason}")]
    private partial void LogKeysFailed(string reason, Exception exception);
}
