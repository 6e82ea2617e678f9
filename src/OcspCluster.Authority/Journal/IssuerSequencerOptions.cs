namespace OcspCluster.Authority;

/// <summary>The bounds of a sequencer's turn.</summary>
public sealed class IssuerSequencerOptions
{
    /// <summary>How many events become durable in one step at most. Default 4,096; at least 1.</summary>
    public int MaxEventsPerAppend { get; set; } = 4096;

    /// <summary>How far in the future an event may lie. Default 5 minutes.</summary>
    public TimeSpan FutureTolerance { get; set; } = StatusRules.DefaultFutureTolerance;
}
