namespace OcspCluster.Gateway;

/// <summary>How far a re-signing of everything has come. Immutable.</summary>
/// <param name="Total">How many answers are signed anew; certificates that need none any more count as done.</param>
/// <param name="Done">How many are.</param>
/// <param name="StartedAt">When it began.</param>
/// <param name="Remaining">How long the rest will take at the rate so far; null before anything is done, zero at the end.</param>
public sealed record ResignProgress(int Total, int Done, DateTimeOffset StartedAt, TimeSpan? Remaining)
{
    /// <summary>Whether every answer is signed anew.</summary>
    public bool IsComplete => Done >= Total;
}
