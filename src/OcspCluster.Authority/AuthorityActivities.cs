using System.Diagnostics;

namespace OcspCluster.Authority;

/// <summary>Where traces of signing and of the journal come from: the activity source <c>OcspCluster.Authority</c>. Nothing is allocated while nobody listens.</summary>
internal static class AuthorityActivities
{
    /// <summary>The source.</summary>
    public static ActivitySource Source { get; } = new("OcspCluster.Authority");

    /// <summary>Says in the trace that it failed.</summary>
    public static void Fail(this Activity? activity, string reason) => activity?.SetStatus(ActivityStatusCode.Error, reason);
}
