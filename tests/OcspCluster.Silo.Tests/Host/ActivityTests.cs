using System.Collections.Concurrent;
using System.Diagnostics;
using OcspCluster.Conformance;
using OcspCluster.Testing;

namespace OcspCluster.Silo.Tests.Host;

/// <summary>A trace goes on through the calls between actors and silos.</summary>
public sealed class ActivityTests
{
    private const string OfGrainCalls = "Microsoft.Orleans.Application"; // as docs/OPERATIONS.md names it

    [Fact]
    public async Task Revocation_WithinATrace_IsCarriedToTheActorOfItsCa()
    {
        ConcurrentQueue<Activity> seen = [];
        using ActivitySource source = new("a test of traces");
        using ActivityListener listener = new()
        {
            ShouldListenTo = one => one.Name == OfGrainCalls || one.Name == source.Name,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = seen.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        await using IResponderHost host = await SiloResponderHost.StartSignersAsync(Issuers.All, new TestClock());

        ActivityTraceId trace;
        using (Activity root = source.StartActivity("revoke")!)
        {
            trace = root.TraceId;
            await host.SubmitAsync("alpha", [Conformance.Events.Issued(TestPki.RandomSerial())]);
        }

        Activity[] calls = [.. seen.Where(activity => activity.TraceId == trace && activity.Source.Name == OfGrainCalls && activity.OperationName.Contains("ICaGrain", StringComparison.Ordinal))];
        Assert.Contains(calls, call => call.Kind == ActivityKind.Client);
        Assert.Contains(calls, call => call.Kind == ActivityKind.Server && calls.Any(caller => caller.SpanId == call.ParentSpanId));
    }
}
