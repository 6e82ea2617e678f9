using OcspCluster.Conformance;
using OcspCluster.Standalone.Tests.Host;
using OcspCluster.Testing;

namespace OcspCluster.Standalone.Tests.Admin;

public sealed class EventFeedTests(SharedHosts shared) : EventFeedContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => StandaloneResponderHost.StartAsync(setup, clock);
}

public sealed class ReadSideTests(SharedHosts shared) : ReadSideContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => StandaloneResponderHost.StartAsync(setup, clock);
}

public sealed class AccessTests(SharedHosts shared) : AccessContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => StandaloneResponderHost.StartAsync(setup, clock);
}

public sealed class SessionTests(SharedHosts shared) : SessionContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => StandaloneResponderHost.StartAsync(setup, clock);
}

public sealed class OperationsTests(SharedHosts shared) : OperationsContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => StandaloneResponderHost.StartAsync(setup, clock);
}

public sealed class FollowTests(SharedHosts shared) : FollowContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => StandaloneResponderHost.StartAsync(setup, clock);
}

public sealed class BulkTests(SharedHosts shared) : BulkContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => StandaloneResponderHost.StartAsync(setup, clock);
}

public sealed class WebhookTests(SharedHosts shared) : WebhookContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => StandaloneResponderHost.StartAsync(setup, clock);
}

public sealed class PurgeTests(SharedHosts shared) : PurgeContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => StandaloneResponderHost.StartAsync(setup, clock);
}

public sealed class ClusterTests(SharedHosts shared) : ClusterContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => StandaloneResponderHost.StartAsync(setup, clock);
}

public sealed class ExplainTests(SharedHosts shared) : ExplainContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => StandaloneResponderHost.StartAsync(setup, clock);
}

public sealed class OverviewTests(SharedHosts shared) : OverviewContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => StandaloneResponderHost.StartAsync(setup, clock);
}

public sealed class KeyTests(SharedHosts shared) : KeyContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => StandaloneResponderHost.StartAsync(setup, clock);
}

public sealed class MetricsTests(SharedHosts shared) : MetricsContract(shared)
{
    protected override bool IsCluster => false;

    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => StandaloneResponderHost.StartAsync(setup, clock);
}
