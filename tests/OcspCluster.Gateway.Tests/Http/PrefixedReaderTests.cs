using System.Buffers;
using System.IO.Pipelines;

namespace OcspCluster.Gateway.Tests;

public sealed class PrefixedReaderTests
{
    private readonly Pipe _pipe = new();

    [Fact]
    public async Task Read_PrefixFirst_WithoutWaitingForThePipe()
    {
        PrefixedReader reader = new("abc"u8.ToArray(), _pipe.Reader);
        ReadResult read = await reader.ReadAsync(TestContext.Current.CancellationToken);
        Assert.Equal("abc"u8, read.Buffer.ToArray());
        Assert.False(read.IsCompleted);
        Assert.True(reader.TryRead(out read));
        reader.AdvanceTo(read.Buffer.End);
        Assert.False(reader.TryRead(out _));
    }

    // What was looked at and not taken does not come back alone: the reader would go round for ever.
    [Fact]
    public async Task Read_PrefixThatIsNotEnough_WaitsForMore()
    {
        PrefixedReader reader = new("abc"u8.ToArray(), _pipe.Reader);
        ReadResult read = await reader.ReadAsync(TestContext.Current.CancellationToken);
        reader.AdvanceTo(read.Buffer.GetPosition(1), read.Buffer.End);
        ValueTask<ReadResult> pending = reader.ReadAsync(TestContext.Current.CancellationToken);
        Assert.False(pending.IsCompleted);
        await _pipe.Writer.WriteAsync("de"u8.ToArray(), TestContext.Current.CancellationToken);
        read = await pending;
        Assert.Equal("bcde"u8, read.Buffer.ToArray());
    }

    [Fact]
    public async Task Read_PipeThatHasEnded_EndsBehindThePrefix()
    {
        PrefixedReader reader = new("abc"u8.ToArray(), _pipe.Reader);
        await _pipe.Writer.CompleteAsync();
        ReadResult read = await reader.ReadAsync(TestContext.Current.CancellationToken);
        reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        read = await reader.ReadAsync(TestContext.Current.CancellationToken);
        Assert.True(read.IsCompleted);
        Assert.Equal("abc"u8, read.Buffer.ToArray());
        reader.AdvanceTo(read.Buffer.End);
        read = await reader.ReadAsync(TestContext.Current.CancellationToken);
        Assert.True(read is { IsCompleted: true, Buffer.IsEmpty: true });
    }

    [Fact]
    public async Task Read_Cancelled_ShowsWhatIsThere()
    {
        PrefixedReader reader = new("abc"u8.ToArray(), _pipe.Reader);
        ReadResult read = await reader.ReadAsync(TestContext.Current.CancellationToken);
        reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        ValueTask<ReadResult> pending = reader.ReadAsync(TestContext.Current.CancellationToken);
        reader.CancelPendingRead();
        read = await pending;
        Assert.True(read.IsCanceled);
        Assert.Equal("abc"u8, read.Buffer.ToArray());
    }

    // However it is cut, and however much of it is taken and looked at: nothing is lost, nothing comes twice.
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Read_AnyPartsAndSteps_GivesAllInOrder(int seed)
    {
        Random random = new(seed);
        for (int round = 0; round < 200; round++)
        {
            byte[] all = new byte[random.Next(1, 200)];
            random.NextBytes(all);
            int prefix = random.Next(1, all.Length + 1);
            Pipe pipe = new(new PipeOptions(minimumSegmentSize: 16, useSynchronizationContext: false));
            PrefixedReader reader = new(all.AsMemory(0, prefix), pipe.Reader);
            int written = prefix;
            List<byte> taken = [];
            while (taken.Count < all.Length)
            {
                if (written < all.Length && random.Next(2) == 0)
                {
                    int part = random.Next(1, all.Length - written + 1);
                    await pipe.Writer.WriteAsync(all.AsMemory(written, part), TestContext.Current.CancellationToken);
                    written += part;
                }

                if (written == all.Length)
                {
                    await pipe.Writer.CompleteAsync(); // else what was looked at to its end would not be shown again
                }

                if (!reader.TryRead(out ReadResult read))
                {
                    continue;
                }

                byte[] seen = read.Buffer.ToArray();
                Assert.Equal(all[taken.Count..(taken.Count + seen.Length)], seen);
                int take = random.Next(seen.Length + 1);
                taken.AddRange(seen[..take]);
                reader.AdvanceTo(read.Buffer.GetPosition(take), read.Buffer.GetPosition(random.Next(take, seen.Length + 1)));
            }

            Assert.Equal(all, taken);
        }
    }
}
