namespace OcspCluster.Gateway;

/// <summary>What came of an attempt.</summary>
internal enum DeliveryOutcome
{
    /// <summary>The receiver has it.</summary>
    Delivered,

    /// <summary>To be tried again.</summary>
    Failed,

    /// <summary>To be tried again with less (413).</summary>
    TooLarge,

    /// <summary>The receiver wants no more (410): an operator has to look.</summary>
    Gone,
}

/// <summary>What came of an attempt, for operators' eyes: a reason never has a secret or what the receiver wrote.</summary>
internal readonly record struct DeliveryResult(DeliveryOutcome Outcome, string Reason = "", TimeSpan RetryAfter = default)
{
    public static DeliveryResult Delivered { get; } = new(DeliveryOutcome.Delivered);

    public static DeliveryResult Failed(string reason) => new(DeliveryOutcome.Failed, reason);
}
