using System.Diagnostics;

namespace OcspCluster.Gateway;

/// <summary>Where traces of requests and submissions come from: the activity source <c>OcspCluster.Gateway</c>. Nothing is allocated while nobody listens.</summary>
internal static class GatewayActivities
{
    /// <summary>The source.</summary>
    public static ActivitySource Source { get; } = new("OcspCluster.Gateway");

    /// <summary>Begins the trace of a request; null while nobody listens. It is one of its own, whatever the client says of traces, and has no word of who the client is.</summary>
    /// <param name="startedAt">When the request was there; null: now.</param>
    public static Activity? StartRequest(DateTimeOffset? startedAt = null) => Source.HasListeners()
        ? Source.StartActivity("ocsp.request", ActivityKind.Server, parentContext: default, startTime: startedAt ?? default)
        : null;
}
