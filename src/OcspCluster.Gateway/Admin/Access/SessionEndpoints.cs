using System.ComponentModel;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace OcspCluster.Gateway;

/// <summary>What somebody logs in with.</summary>
internal sealed record SessionBody([property: Description("A key as id.secret.")] string Key);

/// <summary>Who calls.</summary>
internal sealed record SessionView(
    [property: Description("The credential, as the journal names it; null when there is none that is valid.")] string? Who,
    [property: Description("What it may do.")] IReadOnlyList<string> Scopes,
    [property: Description("When the session ends; null without one.")] DateTimeOffset? EndsAt)
{
    public static SessionView Of(ApiCaller? caller) => new(caller?.Credential, [.. caller?.Scopes.Select(scope => scope.ToString()) ?? []], caller?.SessionEndsAt);
}

/// <summary>Begins and ends the sessions of browsers, and says whose they are.</summary>
internal sealed partial class SessionEndpoints(AdminAccess access, ApiKeyStore keys, AdminSessions sessions, ILogger<SessionEndpoints> log)
{
    private const int MaxBodyBytes = 4096;

    /// <summary><c>GET /session</c>. Nobody is an answer, too: a page asks for it before anybody has logged in.</summary>
    public async Task<IResult> GetAsync(HttpContext context)
    {
        context.Response.Headers.CacheControl = "no-store";
        try
        {
            return Results.Json(SessionView.Of(await access.FindCallerAsync(context).ConfigureAwait(false)));
        }
        catch (ApiKeyStoreException e)
        {
            return access.KeysFailed(e);
        }
    }

    /// <summary><c>POST /session</c>.</summary>
    public async Task<IResult> PostAsync(HttpContext context)
    {
        context.Response.Headers.CacheControl = "no-store";
        if (RefuseForeign(context) is { } refused)
        {
            return refused;
        }

        if (await ReadKeyAsync(context).ConfigureAwait(false) is not { } bearer)
        {
            return AdminProblems.Create(StatusCodes.Status400BadRequest, "The request cannot be read", """The body is JSON: {"key":"id.secret"}.""");
        }

        try
        {
            if (await keys.AuthenticateAsync(bearer, context.RequestAborted).ConfigureAwait(false) is not { } key)
            {
                return access.CountFailure(context)
                    ?? AdminProblems.Create(StatusCodes.Status401Unauthorized, "Not a valid key", "The key is unknown here, was revoked, or has expired. A key is id.secret, as 'keys create' printed it.");
            }

            if (SessionCookie.Read(context) is { } former)
            {
                sessions.End(former);
            }

            (string token, AdminSession session) = sessions.Begin(key.Id);
            SessionCookie.Write(context, token, sessions.Lifetime);
            LogBegan(key.Id, key.Name);
            return Results.Json(SessionView.Of(ApiCaller.Of(key, context.Connection.RemoteIpAddress) with { SessionEndsAt = session.EndsAt }));
        }
        catch (ApiKeyStoreException e)
        {
            return access.KeysFailed(e);
        }
    }

    /// <summary><c>DELETE /session</c>.</summary>
    public IResult Delete(HttpContext context)
    {
        if (RefuseForeign(context) is { } refused)
        {
            return refused;
        }

        if (SessionCookie.Read(context) is { } token)
        {
            sessions.End(token);
        }

        SessionCookie.Clear(context);
        return Results.NoContent();
    }

    private static IResult? RefuseForeign(HttpContext context) => SessionCookie.IsFromElsewhere(context.Request) || !context.Request.Headers.ContainsKey(SessionCookie.CsrfHeader)
        ? AdminProblems.Create(StatusCodes.Status403Forbidden, "Not from here", $"Sessions begin and end by requests of the dashboard itself, which have the header {SessionCookie.CsrfHeader}.")
        : null;

    private static async ValueTask<string?> ReadKeyAsync(HttpContext context)
    {
        if (context.Request.ContentLength is not <= MaxBodyBytes || !context.Request.HasJsonContentType())
        {
            return null;
        }

        try
        {
            return (await context.Request.ReadFromJsonAsync<SessionBody>(context.RequestAborted).ConfigureAwait(false))?.Key?.Trim();
        }
        catch (JsonException)
        {
            return null;
        }
    }

    [LoggerMessage(25, LogLevel.Information, "Key {Key} ({Name}) logged in to the dashboard")]
    private partial void LogBegan(string key, string name);
}
