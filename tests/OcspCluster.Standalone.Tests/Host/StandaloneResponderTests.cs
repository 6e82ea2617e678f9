using OcspCluster.Conformance;
using OcspCluster.Testing;

namespace OcspCluster.Standalone.Tests.Host;

public sealed class StandaloneAnswerTests(SharedHosts shared) : AnswerContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => StandaloneResponderHost.StartAsync(setup, clock);
}

public sealed class StandaloneCachingTests(SharedHosts shared) : CachingContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => StandaloneResponderHost.StartAsync(setup, clock);
}

public sealed class StandaloneCertIdTests(SharedHosts shared) : CertIdContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => StandaloneResponderHost.StartAsync(setup, clock);
}

public sealed class StandaloneClientQuirksTests(SharedHosts shared) : ClientQuirksContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => StandaloneResponderHost.StartAsync(setup, clock);
}

public sealed class StandaloneConnectionsTests(SharedHosts shared) : ConnectionsContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => StandaloneResponderHost.StartAsync(setup, clock);
}

public sealed class StandaloneDerTests(SharedHosts shared) : DerContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => StandaloneResponderHost.StartAsync(setup, clock);
}

public sealed class StandaloneExtensionTests(SharedHosts shared) : ExtensionContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => StandaloneResponderHost.StartAsync(setup, clock);
}

public sealed class StandaloneFreshnessTests(SharedHosts shared) : FreshnessContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => StandaloneResponderHost.StartAsync(setup, clock);
}

public sealed class StandaloneGetTests(SharedHosts shared) : GetContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => StandaloneResponderHost.StartAsync(setup, clock);
}

public sealed class StandaloneHostileInputTests(SharedHosts shared) : HostileInputContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => StandaloneResponderHost.StartAsync(setup, clock);
}

public sealed class StandaloneHttpTests(SharedHosts shared) : HttpContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => StandaloneResponderHost.StartAsync(setup, clock);
}

public sealed class StandaloneInteropTests(SharedHosts shared) : InteropContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => StandaloneResponderHost.StartAsync(setup, clock);
}

public sealed class StandaloneManyCertificatesTests(SharedHosts shared) : ManyCertificatesContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => StandaloneResponderHost.StartAsync(setup, clock);
}

public sealed class StandaloneNonceTests(SharedHosts shared) : NonceContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => StandaloneResponderHost.StartAsync(setup, clock);
}

public sealed class StandaloneRequestTests(SharedHosts shared) : RequestContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => StandaloneResponderHost.StartAsync(setup, clock);
}

public sealed class StandaloneSignerTests(SharedHosts shared) : SignerContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => StandaloneResponderHost.StartAsync(setup, clock);
}

public sealed class StandaloneStatusTests(SharedHosts shared) : StatusContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => StandaloneResponderHost.StartAsync(setup, clock);
}

public sealed class StandaloneKeptResponsesTests(SharedHosts shared) : KeptResponsesContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => StandaloneResponderHost.StartAsync(setup, clock);
}
