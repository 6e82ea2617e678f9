using Microsoft.AspNetCore.Http;

namespace OcspCluster.Gateway;

/// <summary><c>GET /v1/cluster</c>: who is a member, and what each has to do.</summary>
internal sealed class ClusterEndpoint(IClusterOverview cluster, Overview overview)
{
    public async Task<IResult> GetAsync(CancellationToken cancellationToken)
    {
        Task<OverviewReading> reading = overview.ReadAsync(Overview.Tick, cancellationToken);
        ClusterView view = await cluster.DescribeAsync(cancellationToken).ConfigureAwait(false);
        ILookup<string, NodeFigures> told = (await reading.ConfigureAwait(false)).Nodes.ToLookup(node => node.Name, StringComparer.Ordinal);
        return Results.Json(view with { Nodes = [.. view.Nodes.Select(node => Add(node, told[node.Name].FirstOrDefault()))] });
    }

    // What a process told a moment ago is not shown of one that is gone.
    private static NodeView Add(NodeView node, NodeFigures? figures) =>
        figures is null || node.Role is null ? node : node with { RequestsPerSecond = figures.AnswersPerSecond.Sum(), MemoryBytes = figures.MemoryBytes };
}
