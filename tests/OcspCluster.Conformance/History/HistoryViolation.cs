using System.Globalization;

namespace OcspCluster.Conformance;

/// <summary>What a history can break.</summary>
public enum HistoryViolationKind
{
    /// <summary>The question was sent after an event was acknowledged, and the answer shows what was before it (P2).</summary>
    OlderThanAcknowledged,

    /// <summary>An answer showed an event that was not acknowledged yet, and a later question was answered as if it had not happened.</summary>
    Unseen,

    /// <summary>An answer shows an event that was sent only after the answer was there.</summary>
    BeforeItWasTold,

    /// <summary>An answer shows an event that the journal does not have.</summary>
    ShownButNotInJournal,

    /// <summary>An answer shows what the certificate never was.</summary>
    NeverSo,

    /// <summary><c>good</c> for a certificate that was never issued (P4).</summary>
    GoodNeverIssued,

    /// <summary>An acknowledged event is not in the journal (P1).</summary>
    AcknowledgedAndLost,

    /// <summary>An event is in the journal twice.</summary>
    TwiceInJournal,

    /// <summary>The journal has an event of ours otherwise than it was sent, or with another status than it makes.</summary>
    ContentDiffers,

    /// <summary>An acknowledgement named another position than the journal's.</summary>
    PositionDiffers,

    /// <summary>The journal misses a position.</summary>
    Gap,

    /// <summary>Two readings of the journal have different contents at one position.</summary>
    TwoContents,

    /// <summary>An event stands in the journal before one that was acknowledged before it was sent.</summary>
    OrderReversed,

    /// <summary>A legal event was refused.</summary>
    Refused,

    /// <summary>An answer that no relying party would take: signature, CertID, times.</summary>
    InvalidAnswer,

    /// <summary>A gateway did not answer, or did not take events, when the load was over and nothing stood in its way.</summary>
    NoService,
}

/// <summary>A promise that was broken, when it was seen, and everything that shows it.</summary>
/// <param name="Kind">Which.</param>
/// <param name="At">When it was seen, in ticks of the history.</param>
/// <param name="Evidence">The whole story, in words.</param>
public sealed record HistoryViolation(HistoryViolationKind Kind, long At, string Evidence)
{
    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Kind} at {Seconds(At)}: {Evidence}");

    /// <summary>A moment as seconds since the history began.</summary>
    internal static string Seconds(long ticks) => ticks == long.MaxValue ? "never" : string.Create(CultureInfo.InvariantCulture, $"{ticks / (double)TimeSpan.TicksPerSecond:F6} s");
}
