using OcspCluster.Conformance;
using OcspCluster.Testing;

namespace OcspCluster.Standalone.Tests.Admin;

public sealed class EventFeedTests(SharedHosts shared) : EventFeedContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => AdminHost.StartAsync(setup, clock);
}

public sealed class ReadSideTests(SharedHosts shared) : ReadSideContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => AdminHost.StartAsync(setup, clock);
}

public sealed class AccessTests(SharedHosts shared) : AccessContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => AdminHost.StartAsync(setup, clock);
}
