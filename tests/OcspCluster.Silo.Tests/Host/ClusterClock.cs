using System.Diagnostics;
using OcspCluster.Testing;

namespace OcspCluster.Silo.Tests.Host;

/// <summary>
/// The test's clock for everything that is ours, with real timers for Orleans: it takes the same <see cref="TimeProvider"/> from the services, and its wheels of milliseconds would make a test that
/// moves the clock by a month turn them two billion times. Who asks is seen from the stack: timers are made seldom.
/// </summary>
internal sealed class ClusterClock(TestClock clock) : TimeProvider
{
    public override long TimestampFrequency => clock.TimestampFrequency;

    public override DateTimeOffset GetUtcNow() => clock.GetUtcNow();

    public override long GetTimestamp() => clock.GetTimestamp();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        (IsForOrleans() ? System : clock).CreateTimer(callback, state, dueTime, period);

    // The nearest caller that is not of the runtime: our actors run below Orleans, and their timers are ours.
    private static bool IsForOrleans()
    {
        foreach (StackFrame frame in new StackTrace(1, fNeedFileInfo: false).GetFrames())
        {
            string? assembly = frame.GetMethod()?.Module.Assembly.GetName().Name;
            if (assembly is null || assembly.StartsWith("System.", StringComparison.Ordinal) || frame.GetMethod()!.DeclaringType == typeof(ClusterClock))
            {
                continue;
            }

            return assembly.StartsWith("Orleans.", StringComparison.Ordinal);
        }

        return false;
    }
}
