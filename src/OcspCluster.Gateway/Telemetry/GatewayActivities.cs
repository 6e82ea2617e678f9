using System.Diagnostics;

namespace OcspCluster.Gateway;

/// <summary>Where traces of requests and submissions come from: the activity source <c>OcspCluster.Gateway</c>. Nothing is allocated while nobody listens.</summary>
internal static class GatewayActivities
{
    /// <summary>The source.</summary>
    public static ActivitySource Source { get; } = new("OcspCluster.Gateway");
}
