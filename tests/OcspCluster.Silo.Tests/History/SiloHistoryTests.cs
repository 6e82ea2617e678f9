using OcspCluster.Conformance;

namespace OcspCluster.Silo.Tests.History;

/// <summary>P1 and P2 of a cluster of three silo processes over one Redis, while silos are killed, paused and cut off and Redis is paused and killed.</summary>
[Collection(LoadTests.Name)]
public sealed class SiloHistoryTests(ITestOutputHelper output) : HistoryContract(output)
{
    // Until an event is acknowledged some gateways have heard of it and others have not.
    protected override SeenStays SeenStays => SeenStays.AtEachGateway;

    // Each kind of fault once, however long each of them lasts.
    protected override TimeSpan UsualLength => TimeSpan.FromSeconds(32);

    // A silo process that starts on a busy machine.
    protected override TimeSpan Patience => TimeSpan.FromMinutes(3);

    protected override Task<IHistoryHost> StartAsync(ResponderSetup setup) => SiloHistoryHost.StartAsync(setup, SiloHistoryHost.Silos, SiloNetwork.IsPossible);

    protected override Task<IHistoryHost> StartDeafAsync(ResponderSetup setup) => DeafSiloHistoryHost.StartAsync(setup);
}
