using System.Buffers;

namespace OcspCluster.Gateway;

/// <summary>Answers one behind the other in memory that is used again. For one thread at a time.</summary>
internal sealed class AnswerBuffer(int capacity) : IBufferWriter<byte>
{
    private byte[] _octets = new byte[capacity];

    /// <summary>The octets written.</summary>
    public int Length { get; private set; }

    /// <summary>What was written.</summary>
    public Span<byte> Written => _octets.AsSpan(0, Length);

    /// <summary>Begins anew.</summary>
    public void Clear() => Length = 0;

    /// <summary>Writes what was written elsewhere.</summary>
    public void Append(ReadOnlySpan<byte> octets)
    {
        octets.CopyTo(GetSpan(octets.Length));
        Length += octets.Length;
    }

    /// <inheritdoc/>
    public void Advance(int count) => Length += count;

    /// <inheritdoc/>
    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        MakeRoom(sizeHint);
        return _octets.AsMemory(Length);
    }

    /// <inheritdoc/>
    public Span<byte> GetSpan(int sizeHint = 0)
    {
        MakeRoom(sizeHint);
        return _octets.AsSpan(Length);
    }

    private void MakeRoom(int sizeHint)
    {
        if (_octets.Length - Length < Math.Max(1, sizeHint))
        {
            Array.Resize(ref _octets, Math.Max(2 * _octets.Length, Length + sizeHint));
        }
    }
}
