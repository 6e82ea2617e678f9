using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace OcspCluster.Gateway;

/// <summary>Puts the overview into the admin API.</summary>
internal static class OverviewExtensions
{
    /// <summary>Adds what the overview needs.</summary>
    public static void AddOverview(this IServiceCollection services)
    {
        services.TryAddSingleton(new NodeIdentity(Environment.MachineName, "standalone"));
        services.TryAddSingleton<FeedTally>();
        services.TryAddSingleton<NodeProbe>();
        services.TryAddSingleton<Overview>();
        services.AddHostedService(provider => provider.GetRequiredService<Overview>());
        services.TryAddSingleton<OverviewEndpoints>();
        services.TryAddSingleton<NodeMeter>();
        services.TryAddSingleton<MetricsCollector>();
    }

    /// <summary>Maps <c>/v1/overview</c> and what is below it.</summary>
    public static void MapOverview(this IEndpointRouteBuilder endpoints)
    {
        OverviewEndpoints overview = endpoints.ServiceProvider.GetRequiredService<OverviewEndpoints>();
        RouteGroupBuilder group = endpoints.MapGroup("/v1/overview").AddEndpointFilter(endpoints.ServiceProvider.GetRequiredService<AdminAccess>());
        group.MapGet("/", (Delegate)overview.GetAsync)
            .For(ApiAction.Read, "How it stands now: what is wrong, requests, signatures, refresh, the feed, the issuers", "Of all processes that answer together. Rates are over the last 10 seconds, latencies over the last 60.")
            .Produces<OverviewView>();
        group.MapGet("/history", overview.GetHistory)
            .For(ApiAction.Read, "The last hours, a point every 10 seconds", "window is 1 to 21600 seconds, 3600 where absent. As this process has seen it; null is a gap.")
            .Produces<HistoryOfOverviewView>().ProducesProblem(400);
        group.MapGet("/stream", (Delegate)overview.GetStreamAsync)
            .For(ApiAction.Read, "The overview as server-sent events, one a second", "Each is of the type overview, with the data of GET /v1/overview. The stream ends when the credential is no longer valid.")
            .Produces<OverviewView>(200, FollowEndpoints.Stream).ProducesProblem(503);
        MapMetrics(endpoints);
    }

    private static void MapMetrics(IEndpointRouteBuilder endpoints)
    {
        IServiceProvider services = endpoints.ServiceProvider;
        _ = services.GetRequiredService<NodeMeter>(); // its instruments are there from now on
        MetricsCollector metrics = services.GetRequiredService<MetricsCollector>();
        RouteGroupBuilder group = endpoints.MapGroup("/metrics");
        if (services.GetRequiredService<IOptions<AdminApiOptions>>().Value.MetricsNeedKey)
        {
            group.AddEndpointFilter(services.GetRequiredService<AdminAccess>());
        }

        group.MapGet("/", () => Results.Text(PrometheusText.Write(metrics.Collect()), PrometheusText.ContentType))
            .For(ApiAction.Read, "All metrics in the text format of Prometheus", "For all issuers; no key where Admin:MetricsNeedKey is false. docs/METRICS.md has them all.", ofAllIssuers: true)
            .Produces<string>(200, "text/plain");
    }
}
