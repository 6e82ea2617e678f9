namespace OcspCluster.Gateway;

/// <summary>How a receiver stands in an issuer's journal, as this host knows. Immutable.</summary>
internal sealed record DeliveryReport
{
    /// <summary>Everything up to here is delivered, or not for this receiver.</summary>
    public long Position { get; init; }

    /// <summary>When the oldest event that is not delivered was received; null when none is known.</summary>
    public DateTimeOffset? OldestReceivedAt { get; init; }

    /// <summary>When a message was last delivered.</summary>
    public DateTimeOffset? LastSuccessAt { get; init; }

    /// <summary>When an attempt last failed.</summary>
    public DateTimeOffset? LastFailureAt { get; init; }

    /// <summary>Why it failed.</summary>
    public string? LastFailure { get; init; }

    /// <summary>When the first of the attempts that failed since the last success did; null when none has.</summary>
    public DateTimeOffset? FailingSince { get; init; }

    /// <summary>Attempts that failed since the last success.</summary>
    public int Failures { get; init; }

    /// <summary>When the next attempt is; null when none is planned.</summary>
    public DateTimeOffset? NextAttemptAt { get; init; }

    /// <summary>Why nothing is delivered until an operator says so; null when it is.</summary>
    public string? PausedBecause { get; init; }

    /// <summary>The other host that delivers; null when it is this one, or none.</summary>
    public string? HeldBy { get; init; }
}
