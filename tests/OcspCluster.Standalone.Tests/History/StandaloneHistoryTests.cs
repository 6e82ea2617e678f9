using OcspCluster.Authority;
using OcspCluster.Conformance;
using OcspCluster.Gateway;

namespace OcspCluster.Standalone.Tests.History;

[Collection(LoadTests.Name)]
public sealed class StandaloneHistoryTests(ITestOutputHelper output) : HistoryContract(output)
{
    protected override Task<IHistoryHost> StartAsync(ResponderSetup setup) => StandaloneHistoryHost.StartAsync(setup, static cache => new CachePublisher(cache));

    protected override Task<IHistoryHost> StartDeafAsync(ResponderSetup setup) => StandaloneHistoryHost.StartAsync(setup, static _ => new DeafPublisher());

    private sealed class DeafPublisher : IResponsePublisher
    {
        public ValueTask PublishAsync(IssuerId issuer, IReadOnlyList<JournalEntry> entries) => ValueTask.CompletedTask;
    }
}
