using OcspCluster.Conformance;
using OcspCluster.Testing;

namespace OcspCluster.Silo.Tests.Host;

// Every contract once more, asked of a silo that has no private key.

public sealed class GatewaySiloAnswerTests(SharedHosts shared) : AnswerContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => SiloResponderHost.StartWithGatewayAsync(setup, clock);
}

public sealed class GatewaySiloCachingTests(SharedHosts shared) : CachingContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => SiloResponderHost.StartWithGatewayAsync(setup, clock);
}

public sealed class GatewaySiloCertIdTests(SharedHosts shared) : CertIdContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => SiloResponderHost.StartWithGatewayAsync(setup, clock);
}

public sealed class GatewaySiloClientQuirksTests(SharedHosts shared) : ClientQuirksContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => SiloResponderHost.StartWithGatewayAsync(setup, clock);
}

public sealed class GatewaySiloConnectionsTests(SharedHosts shared) : ConnectionsContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => SiloResponderHost.StartWithGatewayAsync(setup, clock);
}

public sealed class GatewaySiloDerTests(SharedHosts shared) : DerContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => SiloResponderHost.StartWithGatewayAsync(setup, clock);
}

public sealed class GatewaySiloExtensionTests(SharedHosts shared) : ExtensionContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => SiloResponderHost.StartWithGatewayAsync(setup, clock);
}

public sealed class GatewaySiloFreshnessTests(SharedHosts shared) : FreshnessContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => SiloResponderHost.StartWithGatewayAsync(setup, clock);
}

public sealed class GatewaySiloGetTests(SharedHosts shared) : GetContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => SiloResponderHost.StartWithGatewayAsync(setup, clock);
}

public sealed class GatewaySiloHostileInputTests(SharedHosts shared) : HostileInputContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => SiloResponderHost.StartWithGatewayAsync(setup, clock);
}

public sealed class GatewaySiloHttpTests(SharedHosts shared) : HttpContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => SiloResponderHost.StartWithGatewayAsync(setup, clock);
}

public sealed class GatewaySiloInteropTests(SharedHosts shared) : InteropContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => SiloResponderHost.StartWithGatewayAsync(setup, clock);
}

public sealed class GatewaySiloManyCertificatesTests(SharedHosts shared) : ManyCertificatesContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => SiloResponderHost.StartWithGatewayAsync(setup, clock);
}

public sealed class GatewaySiloNonceTests(SharedHosts shared) : NonceContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => SiloResponderHost.StartWithGatewayAsync(setup, clock);
}

public sealed class GatewaySiloRequestTests(SharedHosts shared) : RequestContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => SiloResponderHost.StartWithGatewayAsync(setup, clock);
}

public sealed class GatewaySiloSignerTests(SharedHosts shared) : SignerContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => SiloResponderHost.StartWithGatewayAsync(setup, clock);
}

public sealed class GatewaySiloStatusTests(SharedHosts shared) : StatusContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => SiloResponderHost.StartWithGatewayAsync(setup, clock);
}

public sealed class GatewaySiloEventFeedTests(SharedHosts shared) : EventFeedContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => SiloResponderHost.StartWithGatewayAsync(setup, clock);
}

public sealed class GatewaySiloReadSideTests(SharedHosts shared) : ReadSideContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => SiloResponderHost.StartWithGatewayAsync(setup, clock);
}

public sealed class GatewaySiloExplainTests(SharedHosts shared) : ExplainContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => SiloResponderHost.StartWithGatewayAsync(setup, clock);

    protected override bool HasOtherNodes => true;
}

public sealed class GatewaySiloAccessTests(SharedHosts shared) : AccessContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => SiloResponderHost.StartWithGatewayAsync(setup, clock);
}

public sealed class GatewaySiloFollowTests(SharedHosts shared) : FollowContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => SiloResponderHost.StartWithGatewayAsync(setup, clock);
}

public sealed class GatewaySiloClusterTests(SharedHosts shared) : ClusterContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => SiloResponderHost.StartWithGatewayAsync(setup, clock);
}

public sealed class GatewaySiloOperationsTests(SharedHosts shared) : OperationsContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => SiloResponderHost.StartWithGatewayAsync(setup, clock);
}

public sealed class GatewaySiloWebhookTests(SharedHosts shared) : WebhookContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => SiloResponderHost.StartWithGatewayAsync(setup, clock);
}

public sealed class GatewaySiloPurgeTests(SharedHosts shared) : PurgeContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => SiloResponderHost.StartWithGatewayAsync(setup, clock);
}
