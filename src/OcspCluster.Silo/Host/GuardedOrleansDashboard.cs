using System.Text;
using OcspCluster.Gateway;
using Orleans.Dashboard;

namespace OcspCluster.Silo.Host;

/// <summary>Orleans' own dashboard on the admin listener, for operators only.</summary>
internal static class GuardedOrleansDashboard
{
    /// <summary>Where it is.</summary>
    public const string Path = "/orleans";

    private const string Basic = "Basic ";

    /// <summary>Maps it behind the operator's key: as a bearer token, or as the password that a browser asks for, whatever the user's name.</summary>
    public static void MapGuardedOrleansDashboard(this WebApplication app)
    {
        ApiKeyStore keys = app.Services.GetRequiredService<ApiKeyStore>();
        app.Use(async (context, next) =>
        {
            if (!context.Request.Path.StartsWithSegments(Path, StringComparison.OrdinalIgnoreCase))
            {
                await next(context).ConfigureAwait(false);
                return;
            }

            switch (await IsOperatorAsync(keys, context).ConfigureAwait(false))
            {
                case true:
                    await next(context).ConfigureAwait(false);
                    break;
                case false:
                    context.Response.StatusCode = StatusCodes.Status403Forbidden;
                    break;
                default:
                    context.Response.StatusCode = StatusCodes.Status401Unauthorized;
                    context.Response.Headers.WWWAuthenticate = "Basic realm=\"ocspcluster, password: an operator's key\", charset=\"UTF-8\"";
                    break;
            }
        });
        app.MapOrleansDashboard(Path);
    }

    // Null: nobody we know. An operator of one issuer is none of the cluster.
    private static async ValueTask<bool?> IsOperatorAsync(ApiKeyStore keys, HttpContext context)
    {
        try
        {
            return await keys.AuthenticateAsync(FindKey(context.Request.Headers.Authorization), context.RequestAborted).ConfigureAwait(false) is { } key
                ? key.Scopes.Any(text => ApiScope.TryParse(text, out ApiScope scope) && scope is { Action: ApiAction.Operator, Issuer: null })
                : null;
        }
        catch (ApiKeyStoreException)
        {
            return null;
        }
    }

    private static string? FindKey(string? authorization)
    {
        if (authorization is null || !authorization.StartsWith(Basic, StringComparison.OrdinalIgnoreCase))
        {
            return authorization is not null && authorization.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) ? authorization["Bearer ".Length..].Trim() : null;
        }

        Span<byte> octets = stackalloc byte[512];
        if (authorization.Length > 600 || !Convert.TryFromBase64String(authorization[Basic.Length..].Trim(), octets, out int length))
        {
            return null;
        }

        string pair = Encoding.UTF8.GetString(octets[..length]);
        return pair[(pair.IndexOf(':', StringComparison.Ordinal) + 1)..];
    }
}
