using OcspCluster.Authority;
using OcspCluster.Protocol;

namespace OcspCluster.Silo.Coherence;

/// <summary>What a gateway is to forget: the entries of an issuer's journal from one position through another.</summary>
/// <param name="Issuer">Whose journal.</param>
/// <param name="From">The first position.</param>
/// <param name="Through">The last position.</param>
/// <param name="Serials">The certificates that the entries are about, in any order; null when the gateway is to find out by itself.</param>
internal sealed record Forgetting(IssuerId Issuer, long From, long Through, IReadOnlyList<SerialNumber>? Serials);

/// <summary>The other silos, as this one sees them, and what it says to them. Thread-safe.</summary>
internal interface ISiloPeers
{
    /// <summary>This silo's address with its generation, as text.</summary>
    string Self { get; }

    /// <summary>The other silos that are active members.</summary>
    IReadOnlyList<string> Active { get; }

    /// <summary>The other silos that are not declared dead, whatever else they are.</summary>
    IReadOnlyList<string> Living { get; }

    /// <summary>Has a silo forget.</summary>
    /// <returns>The position up to which it has forgotten everything now.</returns>
    Task<long> ForgetAsync(string silo, Forgetting forgetting);

    /// <summary>Asks a silo whether the store is away for it, too, and whether it promises to acknowledge nothing of an issuer for one lease that this silo has not answered for.</summary>
    Task<bool> PromiseAsync(string silo, IssuerId issuer);

    /// <summary>Tells a silo, without waiting, up to where an issuer's journal is published.</summary>
    void TellPublished(string silo, IssuerId issuer, long position);

    /// <summary>Has the issuer's writer publish what is in the journal and perhaps not everywhere yet.</summary>
    Task PublishPendingAsync(IssuerId issuer);
}
