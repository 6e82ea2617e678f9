using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OcspCluster.Authority;

namespace OcspCluster.Gateway;

/// <summary>What operators look at and do while the responder runs: refresh, re-signing, credentials, the clock.</summary>
internal sealed partial class OperationsEndpoints(
    IssuerDirectory directory, IRefreshControl refresh, ResponseFactory factory, ClockGuard guard, ClockAcceptance acceptance, TimeProvider clock, IServiceProvider services, ILogger<OperationsEndpoints> log)
{
    private const int MaxSignaturesPerSecond = 1_000_000;
    private const int MaxBodyBytes = 4096;

    private static readonly JsonSerializerOptions s_strict = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, // a misspelt pace would be the default one
        AllowDuplicateProperties = false,
    };

    // The watch is the host's, and embedded responders have none.
    private readonly CredentialWatch? _watch = services.GetService<CredentialWatch>();

    /// <summary><c>GET …/refresh</c></summary>
    public async Task<IResult> GetRefreshAsync(string issuer, CancellationToken cancellationToken) =>
        Find(issuer) is { } found ? Results.Json(RefreshView.Of(found.Policy, await refresh.DescribeAsync(found, cancellationToken).ConfigureAwait(false))) : AdminProblems.NoSuchIssuer(issuer);

    /// <summary><c>GET …/resign</c></summary>
    public async Task<IResult> GetResignAsync(string issuer, CancellationToken cancellationToken) =>
        Find(issuer) is { } found
            ? Results.Json(ResignView.Of(await refresh.FindResigningAsync(found, cancellationToken).ConfigureAwait(false), clock.GetUtcNow()))
            : AdminProblems.NoSuchIssuer(issuer);

    /// <summary><c>POST …/resign</c></summary>
    public async Task<IResult> PostResignAsync(HttpContext context, string issuer)
    {
        if (Find(issuer) is not { } found)
        {
            return AdminProblems.NoSuchIssuer(issuer);
        }

        ResignBody body;
        try
        {
            body = await ReadAsync(context).ConfigureAwait(false);
        }
        catch (JsonException e)
        {
            return AdminProblems.Create(StatusCodes.Status400BadRequest, "The body cannot be read", $"It is no JSON as {{\"signaturesPerSecond\":1000}}: {e.Message}", ("field", e.Path));
        }

        if (body.SignaturesPerSecond is < 1 or > MaxSignaturesPerSecond)
        {
            return AdminProblems.BadParameter("signaturesPerSecond", $"is not a number from 1 to {MaxSignaturesPerSecond}");
        }

        ResignProgress begun = await refresh.ResignAllAsync(found, body.SignaturesPerSecond, CancellationToken.None).ConfigureAwait(false); // begun is begun, whether or not he waits
        LogResign(AdminAccess.CallerOf(context).Credential, found.Id);
        return Results.Json(ResignView.Of(begun, clock.GetUtcNow()), statusCode: StatusCodes.Status202Accepted);
    }

    /// <summary><c>GET …/credentials</c></summary>
    public IResult GetCredentials(string issuer)
    {
        if (Find(issuer) is not { } found)
        {
            return AdminProblems.NoSuchIssuer(issuer);
        }

        DateTimeOffset now = clock.GetUtcNow();
        CredentialReload? reload = _watch?.Find(found.Id);
        return Results.Json(new CredentialsView(
            [.. found.Credentials.Select(credential => CredentialStateView.Of(found, credential, CredentialRoles.Find(found, credential, factory, now), factory))],
            reload?.Errors ?? [],
            reload?.Warnings ?? [.. CredentialRules.FindWarnings(found, now)],
            reload?.Replacements ?? 0));
    }

    /// <summary><c>GET /v1/clock</c></summary>
    public IResult GetClock() => Results.Json(ClockView.Of(guard, clock.GetUtcNow()));

    /// <summary><c>POST /v1/clock/accept</c></summary>
    public async Task<IResult> PostClockAcceptAsync(HttpContext context, CancellationToken cancellationToken)
    {
        ClockState before = guard.State;
        await acceptance.AcceptAsync(cancellationToken).ConfigureAwait(false);
        LogAccepted(AdminAccess.CallerOf(context).Credential, clock.GetUtcNow(), before);
        return Results.Json(ClockView.Of(guard, clock.GetUtcNow()));
    }

    private Issuer? Find(string issuer) => directory.Issuers.FirstOrDefault(one => one.Id.ToString() == issuer);

    // An absent body is an empty one: POST with nothing takes the pace of the policy.
    private static async Task<ResignBody> ReadAsync(HttpContext context)
    {
        using MemoryStream body = new();
        byte[] buffer = new byte[1024];
        while (await context.Request.Body.ReadAsync(buffer, context.RequestAborted).ConfigureAwait(false) is > 0 and var read)
        {
            body.Write(buffer, 0, read);
            if (body.Length > MaxBodyBytes)
            {
                throw new JsonException($"It has more than {MaxBodyBytes} octets.");
            }
        }

        return body.Length == 0 ? new ResignBody(null) : JsonSerializer.Deserialize<ResignBody>(body.GetBuffer().AsSpan(0, (int)body.Length), s_strict) ?? new ResignBody(null);
    }

    [LoggerMessage(87, LogLevel.Warning, "{Credential} has all answers of issuer {Issuer} signed anew.")]
    private partial void LogResign(string credential, IssuerId issuer);

    [LoggerMessage(88, LogLevel.Warning, "{Credential} takes the clock for right: {Now:u}. It was {State}.")]
    private partial void LogAccepted(string credential, DateTimeOffset now, ClockState state);
}
