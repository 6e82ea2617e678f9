namespace OcspCluster.Authority;

/// <summary>The bounds of a sequencer's turn.</summary>
public sealed class IssuerSequencerOptions
{
    /// <summary>How many events become durable in one step at most. Default 2,048; at least 1.</summary>
    /// <remarks>A flush is cheap beside so many events already. With more, what a turn needs becomes large objects to the collector, which then stops everybody for full collections while an import runs.</remarks>
    public int MaxEventsPerAppend { get; set; } = 2048;

    /// <summary>How far in the future an event may lie. Default 5 minutes.</summary>
    public TimeSpan FutureTolerance { get; set; } = StatusRules.DefaultFutureTolerance;
}
