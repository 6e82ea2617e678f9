using OcspCluster.Authority;
using OcspCluster.Protocol;

namespace OcspCluster.Gateway;

/// <summary>What another node's cache has for a certificate.</summary>
/// <param name="Node">The node's name.</param>
/// <param name="Holds">Whether it has an answer; null when the node did not tell in time.</param>
/// <param name="Position">The journal position that its answer was made from; null when it has none.</param>
public sealed record CacheElsewhere(string Node, bool? Holds, long? Position);

/// <summary>Knows the caches of the other nodes of a cluster; a host that is alone has none. Thread-safe.</summary>
public interface ICachesElsewhere
{
    /// <summary>Asks every other node, each for a second at most.</summary>
    Task<IReadOnlyList<CacheElsewhere>> FindAsync(IssuerId issuer, SerialNumber serial, CancellationToken cancellationToken);
}
