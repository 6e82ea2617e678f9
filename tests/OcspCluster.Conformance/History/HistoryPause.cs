namespace OcspCluster.Conformance;

/// <summary>How long a client of a run waits before it tries again what failed: real clients do, and one that spins would take the time of those that work.</summary>
public static class HistoryPause
{
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(20);

    /// <summary>Returns after a short time, or when it is told to stop; never throws.</summary>
    public static Task AfterFailureAsync(CancellationToken stop) => UntilAsync(s_pause, stop);

    /// <summary>Returns after this time, or when it is told to stop; never throws.</summary>
    public static async Task UntilAsync(TimeSpan time, CancellationToken stop) =>
        await Task.Delay(time > TimeSpan.Zero ? time : TimeSpan.Zero, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
}
