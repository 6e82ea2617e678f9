using System.Globalization;
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

    /// <summary>The identity of a partition's actor: <c>{issuer}/{number}</c>.</summary>
    public static string KeyOf(IssuerId issuer, int partition) => string.Create(CultureInfo.InvariantCulture, $"{issuer}/{partition}");

    /// <summary>Reads such an identity.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public static (IssuerId Issuer, int Partition) Parse(string key)
    {
        int slash = key.IndexOf('/', StringComparison.Ordinal);
        return slash > 0 && int.TryParse(key.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int partition) && partition < Count
            ? (new IssuerId(key[..slash]), partition)
            : throw new FormatException($"'{key}' is not the key of a partition.");
    }
}
