using System.Numerics;

namespace OcspCluster.Gateway;

/// <summary>A row of counters for each processor, so that processors do not fight for cache lines. Thread-safe.</summary>
internal sealed class Stripes
{
    private const int CacheLine = 128 / sizeof(long); // two lines: processors fetch neighbours, too

    private readonly long[] _counters;
    private readonly int _mask;
    private readonly int _width;
    private readonly int _stride;

    /// <summary>Makes them, all at zero.</summary>
    /// <param name="width">Counters in a row.</param>
    public Stripes(int width)
    {
        int rows = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Min(Environment.ProcessorCount, 64));
        _mask = rows - 1;
        _width = width;
        _stride = (width + CacheLine - 1) / CacheLine * CacheLine;
        _counters = new long[(rows * _stride) + CacheLine];
    }

    /// <summary>The row of the processor that this thread runs on. It may move meanwhile: write with <see cref="Interlocked"/>.</summary>
    public Span<long> Mine => _counters.AsSpan(CacheLine + ((Thread.GetCurrentProcessorId() & _mask) * _stride), _width);

    /// <summary>One counter over all rows.</summary>
    public long Sum(int index)
    {
        long sum = 0;
        for (int row = CacheLine; row < _counters.Length; row += _stride)
        {
            sum += Volatile.Read(ref _counters[row + index]);
        }

        return sum;
    }

    /// <summary>Adds the first counters over all rows to these.</summary>
    public void AddTo(Span<long> sums)
    {
        for (int i = 0; i < sums.Length; i++)
        {
            sums[i] += Sum(i);
        }
    }
}
