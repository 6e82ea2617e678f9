namespace OcspCluster.Cli;

/// <summary>A clock that stands at the time for which an answer is judged (<c>--at</c>); timers run as ever.</summary>
internal sealed class FixedClock(DateTimeOffset now) : TimeProvider
{
    public override DateTimeOffset GetUtcNow() => now;
}
