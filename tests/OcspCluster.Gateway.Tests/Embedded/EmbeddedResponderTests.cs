using OcspCluster.Conformance;
using OcspCluster.Testing;

namespace OcspCluster.Gateway.Tests;

// The responder's contracts, kept by the framework in a program that is not ours.

public sealed class EmbeddedAnswerTests(SharedHosts shared) : AnswerContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => EmbeddedResponderHost.StartAsync(setup, clock);
}

public sealed class EmbeddedCachingTests(SharedHosts shared) : CachingContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => EmbeddedResponderHost.StartAsync(setup, clock);
}

public sealed class EmbeddedCertIdTests(SharedHosts shared) : CertIdContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => EmbeddedResponderHost.StartAsync(setup, clock);
}

public sealed class EmbeddedExtensionTests(SharedHosts shared) : ExtensionContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => EmbeddedResponderHost.StartAsync(setup, clock);
}

public sealed class EmbeddedFreshnessTests(SharedHosts shared) : FreshnessContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => EmbeddedResponderHost.StartAsync(setup, clock);
}

public sealed class EmbeddedGetTests(SharedHosts shared) : GetContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => EmbeddedResponderHost.StartAsync(setup, clock);
}

public sealed class EmbeddedHttpTests(SharedHosts shared) : HttpContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => EmbeddedResponderHost.StartAsync(setup, clock);
}

public sealed class EmbeddedNonceTests(SharedHosts shared) : NonceContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => EmbeddedResponderHost.StartAsync(setup, clock);
}

public sealed class EmbeddedRequestTests(SharedHosts shared) : RequestContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => EmbeddedResponderHost.StartAsync(setup, clock);
}

public sealed class EmbeddedSignerTests(SharedHosts shared) : SignerContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => EmbeddedResponderHost.StartAsync(setup, clock);
}

public sealed class EmbeddedStatusTests(SharedHosts shared) : StatusContract(shared)
{
    protected override Task<IResponderHost> StartAsync(ResponderSetup setup, TestClock clock) => EmbeddedResponderHost.StartAsync(setup, clock);
}
