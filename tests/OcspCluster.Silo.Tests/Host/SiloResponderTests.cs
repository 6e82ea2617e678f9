using OcspCluster.Conformance;
using OcspCluster.Testing;

namespace OcspCluster.Silo.Tests.Host;

// Every contract of a responder and of an authority, over two silos that sign.

public sealed class SiloAnswerTests(SharedHosts shared) : AnswerContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => SiloResponderHost.StartSignersAsync(setup, clock);
}

public sealed class SiloCachingTests(SharedHosts shared) : CachingContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => SiloResponderHost.StartSignersAsync(setup, clock);
}

public sealed class SiloCertIdTests(SharedHosts shared) : CertIdContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => SiloResponderHost.StartSignersAsync(setup, clock);
}

public sealed class SiloClientQuirksTests(SharedHosts shared) : ClientQuirksContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => SiloResponderHost.StartSignersAsync(setup, clock);
}

public sealed class SiloConnectionsTests(SharedHosts shared) : ConnectionsContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => SiloResponderHost.StartSignersAsync(setup, clock);
}

public sealed class SiloDerTests(SharedHosts shared) : DerContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => SiloResponderHost.StartSignersAsync(setup, clock);
}

public sealed class SiloExtensionTests(SharedHosts shared) : ExtensionContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => SiloResponderHost.StartSignersAsync(setup, clock);
}

public sealed class SiloFreshnessTests(SharedHosts shared) : FreshnessContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => SiloResponderHost.StartSignersAsync(setup, clock);
}

public sealed class SiloGetTests(SharedHosts shared) : GetContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => SiloResponderHost.StartSignersAsync(setup, clock);
}

public sealed class SiloHostileInputTests(SharedHosts shared) : HostileInputContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => SiloResponderHost.StartSignersAsync(setup, clock);
}

public sealed class SiloHttpTests(SharedHosts shared) : HttpContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => SiloResponderHost.StartSignersAsync(setup, clock);
}

public sealed class SiloInteropTests(SharedHosts shared) : InteropContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => SiloResponderHost.StartSignersAsync(setup, clock);
}

public sealed class SiloKeptResponsesTests(SharedHosts shared) : KeptResponsesContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => SiloResponderHost.StartSignersAsync(setup, clock);
}

public sealed class SiloManyCertificatesTests(SharedHosts shared) : ManyCertificatesContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => SiloResponderHost.StartSignersAsync(setup, clock);
}

public sealed class SiloNonceTests(SharedHosts shared) : NonceContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => SiloResponderHost.StartSignersAsync(setup, clock);
}

public sealed class SiloRequestTests(SharedHosts shared) : RequestContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => SiloResponderHost.StartSignersAsync(setup, clock);
}

public sealed class SiloSignerTests(SharedHosts shared) : SignerContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => SiloResponderHost.StartSignersAsync(setup, clock);
}

public sealed class SiloStatusTests(SharedHosts shared) : StatusContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => SiloResponderHost.StartSignersAsync(setup, clock);
}

public sealed class SiloEventFeedTests(SharedHosts shared) : EventFeedContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => SiloResponderHost.StartSignersAsync(setup, clock);
}

public sealed class SiloReadSideTests(SharedHosts shared) : ReadSideContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => SiloResponderHost.StartSignersAsync(setup, clock);
}

public sealed class SiloExplainTests(SharedHosts shared) : ExplainContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => SiloResponderHost.StartSignersAsync(setup, clock);

    protected override bool HasOtherNodes => true;
}

public sealed class SiloSessionTests(SharedHosts shared) : SessionContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => SiloResponderHost.StartSignersAsync(setup, clock);
}

public sealed class SiloKeyTests(SharedHosts shared) : KeyContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => SiloResponderHost.StartSignersAsync(setup, clock);
}

public sealed class SiloAccessTests(SharedHosts shared) : AccessContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => SiloResponderHost.StartSignersAsync(setup, clock);
}

public sealed class SiloFollowTests(SharedHosts shared) : FollowContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => SiloResponderHost.StartSignersAsync(setup, clock);
}

public sealed class SiloClusterTests(SharedHosts shared) : ClusterContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => SiloResponderHost.StartSignersAsync(setup, clock);
}

public sealed class SiloOverviewTests(SharedHosts shared) : OverviewContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => SiloResponderHost.StartSignersAsync(setup, clock);
}

public sealed class SiloMetricsTests(SharedHosts shared) : MetricsContract(shared)
{
    protected override bool IsCluster => true;

    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => SiloResponderHost.StartSignersAsync(setup, clock);
}

public sealed class SiloOperationsTests(SharedHosts shared) : OperationsContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => SiloResponderHost.StartSignersAsync(setup, clock);
}

// The receivers are configured at the silo that is asked: how deliveries fare is told by the silo that makes them.
public sealed class SiloWebhookTests(SharedHosts shared) : WebhookContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => SiloResponderHost.StartSignersAsync(setup, clock);
}

public sealed class SiloPurgeTests(SharedHosts shared) : PurgeContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => SiloResponderHost.StartSignersAsync(setup, clock);
}
