namespace OcspCluster.Authority;

/// <summary>What keeping an issuer's answers fresh takes: signatures, memory, and the time to sign everything anew. Immutable.</summary>
public sealed record RefreshPlan
{
    /// <summary>What an answer takes in the cache beside its octets (124 with tables and air, measured at a million), and in the schedule.</summary>
    public const int OverheadBytes = 124 + 56;

    private RefreshPlan()
    {
    }

    /// <summary>How many certificates have an answer that is kept fresh, at most.</summary>
    public required long Certificates { get; init; }

    /// <summary>For which certificates.</summary>
    public required Presign Presign { get; init; }

    /// <summary>From one answer to the next, on average.</summary>
    public required TimeSpan Period { get; init; }

    /// <summary>The signatures per second that the signer makes, measured.</summary>
    public required double MeasuredPerSecond { get; init; }

    /// <summary>The signatures per second that refreshing may use: the budget, or what the signer makes if that is less.</summary>
    public required double AvailablePerSecond { get; init; }

    /// <summary>The signatures per second that refreshing needs on average.</summary>
    public required double NeededPerSecond { get; init; }

    /// <summary>The signatures per second that it needs at most, when all answers were signed in one moment and come due in one window.</summary>
    public required double PeakPerSecond { get; init; }

    /// <summary>The memory that the answers take.</summary>
    public required long StorageBytes { get; init; }

    /// <summary>The time to sign everything anew within the budget.</summary>
    public required TimeSpan FullResign { get; init; }

    /// <summary>The time to sign everything anew with all that the signer makes, as in an emergency.</summary>
    public required TimeSpan EmergencyResign { get; init; }

    /// <summary>Available signatures for each one that is needed; infinite when none is.</summary>
    public double Headroom => NeededPerSecond > 0 ? AvailablePerSecond / NeededPerSecond : double.PositiveInfinity;

    /// <summary>Whether the budget and the signer keep up: a fifth more than the average is there, for outages to be caught up with.</summary>
    public bool IsSufficient => Headroom >= 1.2;

    /// <summary>Computes a plan.</summary>
    /// <param name="certificates">How many certificates; with <see cref="Presign.Asked"/>, how many are asked for within <see cref="IssuerPolicy.AskedWithin"/>.</param>
    /// <param name="policy">Validity, RefreshAt, budget and what is presigned.</param>
    /// <param name="measuredPerSecond">Signatures per second of the signer, as many at once as the scheduler makes them.</param>
    /// <param name="responseBytes">The length of an answer.</param>
    /// <param name="commonBytes">How much of it all answers have in common, which the cache keeps once: the responder's certificate.</param>
    public static RefreshPlan Compute(long certificates, IssuerPolicy policy, double measuredPerSecond, int responseBytes, int commonBytes)
    {
        ArgumentNullException.ThrowIfNull(policy);
        ArgumentOutOfRangeException.ThrowIfNegative(certificates);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(measuredPerSecond);
        ArgumentOutOfRangeException.ThrowIfNegative(commonBytes);
        ArgumentOutOfRangeException.ThrowIfLessThan(responseBytes, commonBytes);
        DateTimeOffset thisUpdate = DateTimeOffset.UnixEpoch;
        TimeSpan onDemand = RefreshRules.DueOnDemandAt(policy, thisUpdate, thisUpdate + policy.Validity - TimeSpan.FromSeconds(1)) - thisUpdate;

        // On demand, a certificate that is always asked for is signed when its answer is due; in the background on average in the middle of the window.
        TimeSpan period = policy.Presign == Presign.OnDemand ? onDemand : onDemand * (1 - (RefreshRules.Spread / 2));
        long answers = policy.Presign == Presign.All ? certificates * policy.PresignHashes.Count : certificates;
        double available = policy.Presign == Presign.OnDemand ? measuredPerSecond : Math.Min(policy.RefreshSignaturesPerSecond, measuredPerSecond);
        return new RefreshPlan
        {
            Certificates = certificates,
            Presign = policy.Presign,
            Period = period,
            MeasuredPerSecond = measuredPerSecond,
            AvailablePerSecond = available,
            NeededPerSecond = answers / period.TotalSeconds,
            PeakPerSecond = answers / (onDemand * RefreshRules.Spread).TotalSeconds,
            StorageBytes = answers * (responseBytes - commonBytes + OverheadBytes),
            FullResign = TimeSpan.FromSeconds(answers / available),
            EmergencyResign = TimeSpan.FromSeconds(answers / measuredPerSecond),
        };
    }
}
