namespace OcspCluster.Gateway;

/// <summary>What a process is called in the overview.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Role"><c>standalone</c>, <c>silo</c> or <c>gateway</c>.</param>
public sealed record NodeIdentity(string Name, string Role);

/// <summary>The figures of one process, in a form that those of several can be added up. Immutable.</summary>
internal sealed record NodeFigures
{
    public required string Name { get; init; }

    public required string Role { get; init; }

    /// <summary>Answers a second by result and source, as <see cref="RequestTally.ReadAnswers"/> has them.</summary>
    public required double[] AnswersPerSecond { get; init; }

    /// <summary>The buckets of the last minute.</summary>
    public required long[] Latency { get; init; }

    public required double SignaturesPerSecond { get; init; }

    /// <summary>What refreshing may sign here.</summary>
    public required double BudgetPerSecond { get; init; }

    /// <summary>Signatures that wait for a key.</summary>
    public required int SigningQueue { get; init; }

    public required double EventsPerSecond { get; init; }

    /// <summary>The buckets of the last minute.</summary>
    public required long[] Acknowledgements { get; init; }

    /// <summary>The longest publication of the last minute in seconds; null when there was none.</summary>
    public double? StalenessBound { get; init; }

    /// <summary>How long the oldest submission has waited, in seconds.</summary>
    public required double FeedLag { get; init; }

    public required long Backlog { get; init; }

    public DateTimeOffset? FirstExpiry { get; init; }

    public required IReadOnlyList<Finding> Findings { get; init; }

    /// <summary>What the operating system counts as the process's memory.</summary>
    public long MemoryBytes { get; init; }

    /// <summary>When the last finding ended; when it was started where there was none.</summary>
    public required DateTimeOffset WellSince { get; init; }

    /// <summary>The receivers that are delivered to by this process, or by nobody.</summary>
    public required IReadOnlyList<DeliveryFigures> Deliveries { get; init; }
}

/// <summary>Where a receiver is in a journal.</summary>
internal sealed record DeliveryFigures(string Name, string Kind, string Issuer, long Position, long Behind, DateTimeOffset? FailingSince);

/// <summary>The other processes of a cluster. Thread-safe.</summary>
internal interface IOverviewPeers
{
    /// <summary>Their figures; null for one that did not answer in time. Never longer than a second or two.</summary>
    Task<IReadOnlyList<(string Name, NodeFigures? Figures)>> AskAsync(CancellationToken cancellationToken);
}
