namespace OcspCluster.Gateway;

/// <summary>The figures of all processes, added up. Immutable.</summary>
internal sealed record FigureSum
{
    private FigureSum(IReadOnlyList<NodeFigures> nodes, IReadOnlyList<Finding> findings)
    {
        BudgetPerSecond = nodes.Sum(node => node.BudgetPerSecond);
        Findings = findings;
        Nodes = nodes.Count;
        WellSince = nodes.Max(node => node.WellSince);
        AnswersPerSecond = Add(nodes, node => node.AnswersPerSecond);
        Latency = Add(nodes, node => node.Latency);
        SignaturesPerSecond = nodes.Sum(node => node.SignaturesPerSecond);
        SigningQueue = nodes.Sum(node => node.SigningQueue);
        EventsPerSecond = nodes.Sum(node => node.EventsPerSecond);
        Acknowledgements = Add(nodes, node => node.Acknowledgements);
        StalenessBound = nodes.Max(node => node.StalenessBound);
        FeedLag = nodes.Max(node => node.FeedLag);
        Backlog = nodes.Sum(node => node.Backlog);
        FirstExpiry = nodes.Min(node => node.FirstExpiry);
        Deliveries = [.. nodes.SelectMany(node => node.Deliveries)
            .GroupBy(delivery => (delivery.Name, delivery.Kind, delivery.Issuer))
            .Select(same => same.MaxBy(delivery => delivery.Position)!) // who delivers knows best
            .OrderBy(delivery => delivery.Kind, StringComparer.Ordinal).ThenBy(delivery => delivery.Name, StringComparer.Ordinal).ThenBy(delivery => delivery.Issuer, StringComparer.Ordinal)];
    }

    public double BudgetPerSecond { get; }

    public IReadOnlyList<Finding> Findings { get; }

    public int Nodes { get; }

    public DateTimeOffset WellSince { get; }

    public double[] AnswersPerSecond { get; }

    public long[] Latency { get; }

    public double SignaturesPerSecond { get; }

    public int SigningQueue { get; }

    public double EventsPerSecond { get; }

    public long[] Acknowledgements { get; }

    public double? StalenessBound { get; }

    public double FeedLag { get; }

    public long Backlog { get; }

    public DateTimeOffset? FirstExpiry { get; }

    public IReadOnlyList<DeliveryFigures> Deliveries { get; }

    /// <summary>Adds up.</summary>
    /// <param name="own">Of the process that adds.</param>
    /// <param name="others">Of the others; null of one that did not answer.</param>
    /// <param name="now">When.</param>
    public static FigureSum Of(NodeFigures own, IReadOnlyList<(string Name, NodeFigures? Figures)> others, DateTimeOffset now)
    {
        NodeFigures[] nodes = [own, .. others.Select(other => other.Figures).OfType<NodeFigures>()];
        IEnumerable<Finding> findings = others.Count == 0 ? own.Findings : nodes
            .SelectMany(node => node.Findings.Select(finding => finding.IsShared ? finding : finding with { Node = node.Name }))
            .OrderBy(finding => finding.Since)
            .DistinctBy(finding => (finding.Code, finding.Issuer, finding.Subject, finding.Node)); // of what all tell, who told it first
        IEnumerable<Finding> silent = others.Where(other => other.Figures is null).Select(other => new Finding(
            "node.silent", FindingSeverity.Warning, $"'{other.Name}' is a member of the cluster and does not answer; its figures are missing.",
            "See whether its process runs and can be reached; it is out of the membership soon if it is gone.", Subject: other.Name)
        { Since = now, Node = own.Name });
        return new FigureSum(nodes, [.. findings.Concat(silent).OrderByDescending(finding => finding.Severity).ThenBy(finding => finding.Since)]);
    }

    /// <summary>The answers a second that say this; null: all.</summary>
    public double RateOf(string? answer)
    {
        int sources = AnswersPerSecond.Length / RequestTally.ResultCount;
        return AnswersPerSecond.Where((_, i) => answer is null || RequestTally.AnswerOf(i / sources) == answer).Sum();
    }

    /// <summary>The answers a second from a source.</summary>
    public double RateOf(AnswerSource source)
    {
        int sources = AnswersPerSecond.Length / RequestTally.ResultCount;
        return AnswersPerSecond.Where((_, i) => i % sources == (int)source).Sum();
    }

    /// <summary>A point of the past.</summary>
    public OverviewPoint ToPoint() => new(
        RateOf(answer: null), RateOf("good"), RateOf("revoked"), FixedHistogram.Percentile(Latency, 0.5), FixedHistogram.Percentile(Latency, 0.99), SignaturesPerSecond, Backlog, EventsPerSecond);

    private static T[] Add<T>(IReadOnlyList<NodeFigures> nodes, Func<NodeFigures, T[]> find)
        where T : struct, System.Numerics.INumber<T>
    {
        T[] sum = [.. find(nodes[0])];
        foreach (T[] other in nodes.Skip(1).Select(find))
        {
            for (int i = 0; i < Math.Min(sum.Length, other.Length); i++)
            {
                sum[i] += other[i];
            }
        }

        return sum;
    }
}
