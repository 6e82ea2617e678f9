namespace OcspCluster.Authority;

/// <summary>
/// A hash of a serial number that is the same in every process and evenly spread also where serial numbers are counted up: FNV-1a, then the finalizer of MurmurHash3,
/// without which the last octets would hardly reach the upper bits. Who can choose serial numbers can choose hashes.
/// </summary>
internal static class SerialHash
{
    public static ulong Compute(ReadOnlySpan<byte> serial)
    {
        ulong hash = 14_695_981_039_346_656_037;
        foreach (byte octet in serial)
        {
            hash = (hash ^ octet) * 1_099_511_628_211;
        }

        hash = (hash ^ (hash >> 33)) * 0xFF51_AFD7_ED55_8CCD;
        hash = (hash ^ (hash >> 33)) * 0xC4CE_B9FE_1A85_EC53;
        return hash ^ (hash >> 33);
    }

    /// <summary>The hash as a number from 0 to below 1.</summary>
    public static double Fraction(ReadOnlySpan<byte> serial) => (Compute(serial) >> 11) * (1.0 / (1UL << 53));
}
