using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using OcspCluster.Authority;
using OcspCluster.Protocol;

namespace OcspCluster.Silo.Refresh;

/// <summary>The parts into which an issuer's serial numbers fall, the same in every silo. Part of the layout in Redis.</summary>
internal static class SerialPartitions
{
    /// <summary>How many there are.</summary>
    public const int Count = 64;

    /// <summary>Which one a serial number belongs to. By the low bits: the high ones tell when an answer is due, and a part must not come due as a whole.</summary>
    public static int Of(SerialNumber serial) => (int)(SerialHash.Compute(serial.Content) % Count);
}

/// <summary>
/// Which of the silos that sign keeps which part fresh: the one that draws the highest number for it (rendezvous hashing). Every silo that sees the same members finds the same owners without
/// asking anybody, and a silo that joins or leaves moves no parts but its own. Immutable.
/// </summary>
/// <param name="signers">The silos that sign, by their addresses with generation.</param>
internal sealed class PartOwners(IReadOnlyList<string> signers)
{
    private readonly ConcurrentDictionary<IssuerId, string?[]> _owners = [];

    /// <summary>Who owns a part; null when nobody signs.</summary>
    public string? OwnerOf(IssuerId issuer, int part) => _owners.GetOrAdd(issuer, Draw)[part];

    /// <summary>The parts of a silo.</summary>
    public IReadOnlySet<int> PartsOf(IssuerId issuer, string silo) => Enumerable.Range(0, SerialPartitions.Count).Where(part => OwnerOf(issuer, part) == silo).ToHashSet();

    private string?[] Draw(IssuerId issuer) =>
        [.. Enumerable.Range(0, SerialPartitions.Count).Select(part => signers.Order(StringComparer.Ordinal).MaxBy(silo => NumberOf(issuer, part, silo)))];

    private static ulong NumberOf(IssuerId issuer, int part, string silo) =>
        SerialHash.Compute(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{silo} {issuer} {part}")));
}
