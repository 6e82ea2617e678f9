using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace OcspCluster.Authority;

/// <summary>A SHA-256 digest: of a journal entry (<see cref="JournalHash"/>) or of a tree's node (<see cref="MerkleHash"/>). The default value is 32 zero octets.</summary>
public readonly record struct Digest
{
    /// <summary>32 octets.</summary>
    public const int SizeInBytes = SHA256.HashSizeInBytes;

    // Kept as they lie in memory, whatever the machine's octet order: they are only compared and copied.
    private readonly ulong _first;
    private readonly ulong _second;
    private readonly ulong _third;
    private readonly ulong _fourth;

    /// <summary>Takes 32 octets.</summary>
    /// <exception cref="ArgumentException">They are not 32.</exception>
    public Digest(ReadOnlySpan<byte> octets)
    {
        if (octets.Length != SizeInBytes)
        {
            throw new ArgumentException($"A SHA-256 digest has {SizeInBytes} octets, not {octets.Length}.", nameof(octets));
        }

        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(octets);
        (_first, _second, _third, _fourth) = (words[0], words[1], words[2], words[3]);
    }

    /// <summary>The digest of octets.</summary>
    public static Digest Of(ReadOnlySpan<byte> octets)
    {
        Span<byte> digest = stackalloc byte[SizeInBytes];
        SHA256.HashData(octets, digest);
        return new Digest(digest);
    }

    /// <summary>Reads 64 hexadecimal digits.</summary>
    public static bool TryParse(string? text, out Digest digest)
    {
        Span<byte> octets = stackalloc byte[SizeInBytes];
        bool isDigest = text?.Length == 2 * SizeInBytes
            && Convert.FromHexString(text, octets, out _, out int written) == System.Buffers.OperationStatus.Done
            && written == SizeInBytes;
        digest = isDigest ? new Digest(octets) : default;
        return isDigest;
    }

    /// <summary>Writes the 32 octets.</summary>
    public void CopyTo(Span<byte> destination)
    {
        Span<ulong> words = MemoryMarshal.Cast<byte, ulong>(destination[..SizeInBytes]);
        (words[0], words[1], words[2], words[3]) = (_first, _second, _third, _fourth);
    }

    /// <summary>The 32 octets.</summary>
    public byte[] ToArray()
    {
        byte[] octets = new byte[SizeInBytes];
        CopyTo(octets);
        return octets;
    }

    /// <summary>64 lower-case hexadecimal digits.</summary>
    public override string ToString() => Convert.ToHexStringLower(ToArray());
}
