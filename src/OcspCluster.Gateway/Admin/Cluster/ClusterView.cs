namespace OcspCluster.Gateway;

/// <summary>The processes that answer together, as one of them sees them; of a host that is alone, that one.</summary>
/// <param name="Cluster">The cluster's name; null when the host is alone.</param>
/// <param name="Store">Where the journals lie.</param>
/// <param name="Nodes">The processes, this one first.</param>
/// <param name="Happened">What became of them while this process has run, the latest first; the last 200.</param>
public sealed record ClusterView(string? Cluster, StoreView Store, IReadOnlyList<NodeView> Nodes, IReadOnlyList<NodeEventView> Happened);

/// <summary>Something that happened to a process.</summary>
/// <param name="At">When this process saw it.</param>
/// <param name="Node">To whom.</param>
/// <param name="What"><c>joined</c>, <c>lost</c>, <c>left</c> or <c>failedOver</c>.</param>
/// <param name="Detail">More of it, in words.</param>
public sealed record NodeEventView(DateTimeOffset At, string Node, string What, string Detail);

/// <summary>The store, as it was last seen from here.</summary>
/// <param name="Kind">What it is: <c>sqlite</c> or <c>redis</c>.</param>
/// <param name="IsReachable">Whether it answers now.</param>
/// <param name="IsDurable">Whether what is acknowledged survives a loss of power.</param>
/// <param name="TakesEvents">Whether events are acknowledged: it is durable, or the operator accepts less.</param>
/// <param name="Description">Where it is and what it promises, in words.</param>
public sealed record StoreView(string Kind, bool IsReachable, bool IsDurable, bool TakesEvents, string Description);

/// <summary>One process.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="Address">Where the others reach it; null when it is alone.</param>
/// <param name="IsSelf">Whether it is the one that tells this.</param>
/// <param name="Role"><c>signer</c> or <c>gateway</c>; null when it does not answer.</param>
/// <param name="State">Its state of membership: <c>joining</c>, <c>active</c>, <c>leaving</c> or <c>dead</c>.</param>
/// <param name="Version">The program's version; null when it does not answer.</param>
/// <param name="StartedAt">When the process was started; null when it does not answer.</param>
/// <param name="Leases">Until when it may believe its caches, per issuer; empty when it does not answer, and where there are no leases.</param>
/// <param name="Activations">How many actors it hosts, by kind.</param>
public sealed record NodeView(
    string Name,
    string? Address,
    bool IsSelf,
    string? Role,
    string State,
    string? Version,
    DateTimeOffset? StartedAt,
    IReadOnlyList<LeaseView> Leases,
    IReadOnlyDictionary<string, int> Activations)
{
    /// <summary>Answers a second over the last 10 seconds; null when it does not tell.</summary>
    public double? RequestsPerSecond { get; init; }

    /// <summary>What the operating system counts as the process's memory; null when it does not tell.</summary>
    public long? MemoryBytes { get; init; }
}

/// <summary>A lease of one issuer.</summary>
/// <param name="Issuer">Whose cached answers it is about.</param>
/// <param name="SecondsLeft">How long it still counts; 0 when there is none.</param>
public sealed record LeaseView(string Issuer, double SecondsLeft);

/// <summary>Knows the processes that answer together. Thread-safe.</summary>
public interface IClusterOverview
{
    /// <summary>What can be found out within a second or two; who does not answer is listed all the same.</summary>
    Task<ClusterView> DescribeAsync(CancellationToken cancellationToken);

    /// <summary>The store alone, which costs nobody else a question.</summary>
    Task<StoreView> DescribeStoreAsync(CancellationToken cancellationToken);
}
