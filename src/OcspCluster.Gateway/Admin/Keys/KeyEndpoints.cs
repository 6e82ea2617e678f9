using System.ComponentModel;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace OcspCluster.Gateway;

/// <summary>The API keys, for who may do everything: listed, made and revoked while the host runs, on a cluster those of all its nodes.</summary>
internal sealed partial class KeyEndpoints(ApiKeyStore keys, TimeProvider clock, ILogger<KeyEndpoints> log)
{
    private const int MaxNameLength = 100;
    private const int MaxDays = 36_500;

    private static readonly JsonSerializerOptions s_strict = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, // a misspelt "days" would be a key for ever
        AllowDuplicateProperties = false,
    };

    /// <summary><c>GET /v1/keys</c></summary>
    public IResult Get() => Results.Json(new KeyListView([.. keys.List().Select(key => KeyView.Of(key, clock.GetUtcNow()))]));

    /// <summary><c>POST /v1/keys</c></summary>
    public async Task<IResult> PostAsync(HttpContext context)
    {
        KeyBody? body;
        try
        {
            body = await JsonSerializer.DeserializeAsync<KeyBody>(context.Request.Body, s_strict, context.RequestAborted).ConfigureAwait(false);
        }
        catch (JsonException e)
        {
            return AdminProblems.Create(StatusCodes.Status400BadRequest, "The body cannot be read", $"It is no JSON as {{\"name\":\"issuing CA\",\"scopes\":[\"feed:demo\"],\"days\":365}}: {e.Message}", ("field", e.Path));
        }

        if (body?.Name is not { Length: > 0 and <= MaxNameLength } name || name.Any(char.IsControl))
        {
            return AdminProblems.BadParameter("name", $"is not 1 to {MaxNameLength} characters");
        }

        List<ApiScope> scopes = [];
        foreach (string text in body.Scopes ?? [])
        {
            if (!ApiScope.TryParse(text, out ApiScope scope))
            {
                return AdminProblems.BadParameter("scopes", $"has '{text}', which is not {ApiScope.Rule}");
            }

            scopes.Add(scope);
        }

        if (scopes.Count == 0)
        {
            return AdminProblems.BadParameter("scopes", $"is empty: each is {ApiScope.Rule}");
        }

        if (body.Days is < 1 or > MaxDays)
        {
            return AdminProblems.BadParameter("days", $"is not a number from 1 to {MaxDays}");
        }

        (string bearer, ApiKey key) = keys.Create(name, scopes, body.Days is int days ? TimeSpan.FromDays(days) : null);
        LogMade(AdminAccess.CallerOf(context).Credential, key.Id, string.Join(' ', key.Scopes));
        context.Response.Headers.CacheControl = "no-store";
        return Results.Json(new NewKeyView(bearer, KeyView.Of(key, clock.GetUtcNow())), statusCode: StatusCodes.Status201Created);
    }

    /// <summary><c>DELETE /v1/keys/{id}</c></summary>
    public IResult Delete(HttpContext context, string id)
    {
        if (!keys.Revoke(id))
        {
            return AdminProblems.Create(StatusCodes.Status404NotFound, "No such key", $"There is no key '{id}'; GET /v1/keys lists them all.");
        }

        LogRevoked(AdminAccess.CallerOf(context).Credential, id);
        return Results.NoContent();
    }

    [LoggerMessage(89, LogLevel.Warning, "{Credential} made the API key {Id} with the scopes {Scopes}.")]
    private partial void LogMade(string credential, string id, string scopes);

    [LoggerMessage(63, LogLevel.Warning, "{Credential} revoked the API key {Id}.")]
    private partial void LogRevoked(string credential, string id);
}

/// <summary>A key to be made.</summary>
internal sealed record KeyBody(
    [property: Description("What the operator calls it, 1 to 100 characters.")] string? Name,
    [property: Description("read, feed or operator, and behind a colon an issuer's id or * for all of them.")] IReadOnlyList<string>? Scopes,
    [property: Description("How long it is taken, 1 to 36500; for ever where absent.")] int? Days);

/// <summary>All keys.</summary>
internal sealed record KeyListView(IReadOnlyList<KeyView> Keys);

/// <summary>A key that was made.</summary>
internal sealed record NewKeyView([property: Description("What goes behind 'Bearer'; it is told this once.")] string Bearer, KeyView Key);

/// <summary>A key without its secret.</summary>
internal sealed record KeyView(
    string Id,
    string Name,
    [property: Description("valid, expired or revoked.")] string State,
    IReadOnlyList<string> Scopes,
    DateTimeOffset CreatedAt,
    DateTimeOffset? ExpiresAt,
    DateTimeOffset? RevokedAt)
{
    public static KeyView Of(ApiKey key, DateTimeOffset now) =>
        new(key.Id, key.Name, key.RevokedAt is not null ? "revoked" : key.IsValidAt(now) ? "valid" : "expired", key.Scopes, key.CreatedAt, key.ExpiresAt, key.RevokedAt);
}
