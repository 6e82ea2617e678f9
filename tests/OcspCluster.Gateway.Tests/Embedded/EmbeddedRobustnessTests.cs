using OcspCluster.Conformance;
using OcspCluster.Testing;

namespace OcspCluster.Gateway.Tests;

// The contracts of input that is not well meant, and of foreign relying parties, kept by the framework in a program that is not ours.

public sealed class EmbeddedConnectionsTests(SharedHosts shared) : ConnectionsContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => EmbeddedResponderHost.StartAsync(setup, clock);
}

public sealed class EmbeddedDerTests(SharedHosts shared) : DerContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => EmbeddedResponderHost.StartAsync(setup, clock);
}

public sealed class EmbeddedHostileInputTests(SharedHosts shared) : HostileInputContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => EmbeddedResponderHost.StartAsync(setup, clock);
}

public sealed class EmbeddedManyCertificatesTests(SharedHosts shared) : ManyCertificatesContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => EmbeddedResponderHost.StartAsync(setup, clock);
}

public sealed class EmbeddedClientQuirksTests(SharedHosts shared) : ClientQuirksContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => EmbeddedResponderHost.StartAsync(setup, clock);
}

public sealed class EmbeddedInteropTests(SharedHosts shared) : InteropContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => EmbeddedResponderHost.StartAsync(setup, clock);
}
