using OcspCluster.Authority;
using OcspCluster.Testing;

namespace OcspCluster.Conformance;

/// <summary>A running responder, as the contracts see it: its addresses, its clock, its event feed, and a restart.</summary>
public interface IResponderHost : IAsyncDisposable
{
    /// <summary>The root of the OCSP listener, for example <c>http://127.0.0.1:43211/</c>. May change with a restart.</summary>
    Uri OcspUri { get; }

    /// <summary>The root of the admin listener.</summary>
    Uri AdminUri { get; }

    /// <summary>The clock that the host was started with.</summary>
    TestClock Clock { get; }

    /// <summary>Submits events of one issuer and returns when they are acknowledged.</summary>
    Task SubmitAsync(string issuer, IReadOnlyList<RevocationEvent> events);

    /// <summary>Stops the host and starts it again on the same data.</summary>
    Task RestartAsync();

    /// <summary>Until it answers as it does when nothing is amiss: right after a start a part of a cluster may still be on its way.</summary>
    Task SettleAsync() => Task.CompletedTask;
}
