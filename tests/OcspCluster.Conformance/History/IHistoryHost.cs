using System.Security.Cryptography.X509Certificates;

namespace OcspCluster.Conformance;

/// <summary>One gateway as the history sees it: two addresses, which may change when it is started again.</summary>
public interface IHistoryGateway
{
    /// <summary>For the report.</summary>
    string Name { get; }

    /// <summary>Where it answers OCSP.</summary>
    Uri OcspUri { get; }

    /// <summary>Where it takes events.</summary>
    Uri AdminUri { get; }
}

/// <summary>What a history is recorded of: gateways that answer for one issuer and take its events.</summary>
public interface IHistoryHost : IAsyncDisposable
{
    /// <summary>All of them.</summary>
    IReadOnlyList<IHistoryGateway> Gateways { get; }

    /// <summary>The issuer's id in the admin API.</summary>
    string Issuer { get; }

    /// <summary>The issuer's certificate.</summary>
    X509Certificate2 IssuerCertificate { get; }

    /// <summary>Whose signature the answers have.</summary>
    X509Certificate2 ResponderCertificate { get; }

    /// <summary>A key that may feed and read.</summary>
    string AdminKey { get; }

    /// <summary>What goes wrong during a run, and when; from the seed. Empty: nothing.</summary>
    /// <param name="random">Decides.</param>
    /// <param name="length">How long the load lasts.</param>
    IReadOnlyList<HistoryFault> PlanFaults(Random random, TimeSpan length);

    /// <summary>Kinds of faults that were planned and of which none took place, by what was seen of it and not by what was tried.</summary>
    IReadOnlyList<string> FindMissedFaults() => [];
}

/// <summary>Something that goes wrong at a time of the run, and is over when the task ends.</summary>
/// <param name="Name">For the report.</param>
/// <param name="At">When it begins, since the load began. Faults follow each other; one that is late begins when the one before it is over.</param>
/// <param name="StrikeAsync">Does it.</param>
public sealed record HistoryFault(string Name, TimeSpan At, Func<CancellationToken, Task> StrikeAsync);
