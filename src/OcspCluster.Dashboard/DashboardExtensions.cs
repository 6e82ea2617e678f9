using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace OcspCluster.Dashboard;

/// <summary>Serves the operators' page.</summary>
public static class DashboardExtensions
{
    // Nothing but what this listener serves: no other host, nothing inline, no markup made from text.
    private const string ContentSecurityPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        + "require-trusted-types-for 'script'; trusted-types 'none'";

    private const string AlwaysAsk = "no-cache";
    private const string ForEver = "public, max-age=31536000, immutable"; // the path changes with the content

    private static readonly Dictionary<string, string> s_mediaTypes = new() { [".js"] = "text/javascript; charset=utf-8", [".css"] = "text/css; charset=utf-8", [".svg"] = "image/svg+xml" };

    /// <summary>Maps the page at <c>/</c>, and what it is made of below <c>/assets</c>. All of it is public: whoever calls the admin API behind it needs a key.</summary>
    public static IEndpointRouteBuilder MapDashboard(this IEndpointRouteBuilder endpoints)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        RouteGroupBuilder group = endpoints.MapGroup("").ExcludeFromDescription().AddEndpointFilter(async (context, next) =>
        {
            IHeaderDictionary headers = context.HttpContext.Response.Headers;
            headers.ContentSecurityPolicy = ContentSecurityPolicy;
            headers.XContentTypeOptions = "nosniff";
            headers["Referrer-Policy"] = "no-referrer";
            headers["Cross-Origin-Opener-Policy"] = "same-origin";
            headers["Cross-Origin-Resource-Policy"] = "same-origin";
            return await next(context).ConfigureAwait(false);
        });

        StringBuilder page = new(Encoding.UTF8.GetString(DashboardAsset.ReadEmbedded("index.html")));
        string[] names = [.. DashboardAsset.Names.Where(name => s_mediaTypes.ContainsKey(Path.GetExtension(name)))];
        string version = DashboardAsset.VersionOf(names.Select(DashboardAsset.ReadEmbedded)); // one for all: scripts name each other by relative paths
        foreach (string name in names)
        {
            DashboardAsset asset = new(s_mediaTypes[Path.GetExtension(name)], DashboardAsset.ReadEmbedded(name));
            string path = $"/assets/{version}/{name}";
            page.Replace($"/assets/{name}", path);
            group.MapMethods(path, [HttpMethods.Get, HttpMethods.Head], (HttpContext context) => asset.Answer(context, ForEver));
        }

        DashboardAsset licences = new("text/plain; charset=utf-8", DashboardAsset.ReadEmbedded("LICENSES.txt"));
        group.MapMethods("/assets/LICENSES.txt", [HttpMethods.Get, HttpMethods.Head], (HttpContext context) => licences.Answer(context, AlwaysAsk));
        DashboardAsset index = new("text/html; charset=utf-8", Encoding.UTF8.GetBytes(page.ToString()));
        group.MapMethods("/", [HttpMethods.Get, HttpMethods.Head], (HttpContext context) => index.Answer(context, AlwaysAsk));
        return endpoints;
    }
}
