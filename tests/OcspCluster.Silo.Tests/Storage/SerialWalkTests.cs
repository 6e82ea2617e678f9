using OcspCluster.Authority;
using OcspCluster.Protocol;
using OcspCluster.Silo.Coherence;
using OcspCluster.Silo.Storage;
using StackExchange.Redis;
using static OcspCluster.Conformance.RecordedHistory;

namespace OcspCluster.Silo.Tests.Storage;

/// <summary>Allocations are counted over the whole process here, so nothing may run beside.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class SerialWalkCollection : ICollectionFixture<SharedRedis>
{
    public const string Name = "serial walk";
}

/// <summary>What a silo learns of the certificates that there are when it starts.</summary>
[Collection(SerialWalkCollection.Name)]
public sealed class SerialWalkTests(SharedRedis redis) : IAsyncLifetime
{
    private const int Count = 6000;

    private readonly RedisOptions _options = redis.NewStore();
    private RedisConnection _connection = null!;
    private RedisRevocationStore _store = null!;

    public async ValueTask InitializeAsync()
    {
        _connection = await RedisConnection.OpenAsync(_options.Configuration, new RedisKeys(_options.KeyPrefix));
        _store = await RedisRevocationStore.OpenAsync(_options, TimeProvider.System, CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        await _connection.DisposeAsync();
    }

    [Theory]
    [InlineData("rising")]
    [InlineData("random")]
    [InlineData("long")]
    public async Task Run_WhateverTheSerials_MeetsEachOnce(string which)
    {
        SerialNumber[] serials = which switch
        {
            "rising" => [.. Enumerable.Range(0x100000, Count).Select(Serial)],
            "random" => [.. Enumerable.Range(0x100000, Count).OrderBy(number => number * 2_654_435_761 % 1_000_003).Select(Serial)],
            _ => [.. Enumerable.Range(1, 300).Select(number => SerialNumber.FromContent([0x01, .. new byte[1000 + number], (byte)number]))],
        };
        await AppendAsync(0, serials);
        List<SerialNumber> met = [];

        SerialWalk walk = await _store.BeginWalkAsync(Ca, CancellationToken.None);
        bool isWhole = await walk.RunAsync(serial => met.Add(SerialNumber.FromContent(serial)), CancellationToken.None);

        Assert.True(isWhole);
        Assert.Equal((serials.Length, serials.Length), (walk.Position, walk.Certificates));
        Assert.Equal(serials.Order(), met.Order());
    }

    [Fact]
    public async Task Run_OfNoCertificates_IsWhole()
    {
        SerialWalk walk = await _store.BeginWalkAsync(new IssuerId("nobody"), CancellationToken.None);

        Assert.True(await walk.RunAsync(_ => Assert.Fail("There are none."), CancellationToken.None));
        Assert.Equal((0, 0), (walk.Position, walk.Certificates));
    }

    // Between two steps every leaf is split, those that were read and those that were not.
    [Fact]
    public async Task Run_ThatIsStoppedAndGoesOnAfterMoreWereRecorded_MeetsAllFromBefore()
    {
        await AppendAsync(0, [.. Enumerable.Range(1, Count).Select(number => Serial(0x100000 + (2 * number)))]);
        List<SerialNumber> met = [];
        SerialWalk walk = await _store.BeginWalkAsync(Ca, CancellationToken.None);
        using CancellationTokenSource stop = new();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => walk.RunAsync(
            serial =>
            {
                met.Add(SerialNumber.FromContent(serial));
                stop.Cancel();
            },
            stop.Token));
        int metBefore = met.Count;
        await AppendAsync(Count, [.. Enumerable.Range(1, Count).Select(number => Serial(0x100001 + (2 * number)))]);
        bool isWhole = await walk.RunAsync(serial => met.Add(SerialNumber.FromContent(serial)), CancellationToken.None);

        Assert.True(isWhole);
        Assert.InRange(metBefore, 1, Count - 1);
        Assert.Equal(Count, walk.Position);
        Assert.Empty(Enumerable.Range(1, Count).Select(number => Serial(0x100000 + (2 * number))).Except(met));
        Assert.Equal(met.Count, met.Distinct().Count());
    }

    [Fact]
    public async Task Read_TheFirstTimeAndLater_KnowsAllAndNothingElse()
    {
        await AppendAsync(0, [.. Enumerable.Range(1, Count).Select(Serial)]);
        IssuedSerials issued = new();

        await issued.ReadAsync(_store, Ca, CancellationToken.None);
        Assert.Equal(Count, issued.Position);
        await AppendAsync(Count, [.. Enumerable.Range(Count + 1, 10).Select(Serial)]);
        await issued.ReadAsync(_store, Ca, CancellationToken.None);

        Assert.Equal((Count + 10, Count + 10), (issued.Position, issued.Count));
        Assert.All(Enumerable.Range(1, Count + 10), number => Assert.True(issued.MayContain(Serial(number))));
        Assert.All(Enumerable.Range(Count + 11, Count), number => Assert.False(issued.MayContain(Serial(number))));
    }

    [Theory]
    [InlineData("a damaged status")]
    [InlineData("another certificate's status")]
    [InlineData("a lost leaf")]
    [InlineData("a lost tree")]
    public async Task Read_OfADamagedIndex_IsOfTheJournal(string damage)
    {
        await AppendAsync(0, [.. Enumerable.Range(0x100000, Count).Select(Serial)]);
        string first = $"{_connection.Keys.Tag(Ca)}:s:";
        RedisValue one = Serial(0x100001).ContentMemory, two = Serial(0x100002).ContentMemory;
        switch (damage)
        {
            case "a damaged status":
                byte[] status = (byte[])(await _connection.Database.HashGetAsync(first, one))!;
                status[^1] ^= 1;
                await _connection.Database.HashSetAsync(first, one, status);
                break;
            case "another certificate's status":
                await _connection.Database.HashSetAsync(first, one, await _connection.Database.HashGetAsync(first, two));
                break;
            case "a lost leaf":
                await _connection.Database.KeyDeleteAsync(first);
                break;
            default:
                await _connection.Database.KeyDeleteAsync(_connection.Keys.Of(Ca, "s"));
                break;
        }

        IssuedSerials issued = new();

        Assert.False(await (await _store.BeginWalkAsync(Ca, CancellationToken.None)).RunAsync(_ => { }, CancellationToken.None));
        await issued.ReadAsync(_store, Ca, CancellationToken.None);

        Assert.Equal((Count, Count), (issued.Position, issued.Count));
        Assert.All(Enumerable.Range(0x100000, Count), number => Assert.True(issued.MayContain(Serial(number))));
    }

    // What is allocated while a silo starts stays with its process: the collector keeps the room. From the journal it was 1,300 octets for a certificate.
    [Fact]
    public async Task Read_OfManyCertificates_AllocatesLittleMoreThanItKeeps()
    {
        const int Many = 40_000;
        await AppendAsync(0, [.. Enumerable.Range(0x100000, Many).Select(number => SerialNumber.FromContent([0x03, .. BitConverter.GetBytes((ulong)number * 0x9E37_79B9_7F4A_7C15), .. BitConverter.GetBytes(number), 1, 2, 3]))]);
        double least = double.MaxValue;
        for (int round = 0; round < 3; round++)
        {
            IssuedSerials issued = new();
            long before = GC.GetTotalAllocatedBytes(precise: true);
            await issued.ReadAsync(_store, Ca, CancellationToken.None);
            least = Math.Min(least, (double)(GC.GetTotalAllocatedBytes(precise: true) - before) / Many);
            Assert.Equal(Many, issued.Count);
            Assert.InRange((double)issued.Bytes / Many, 9, 15);
        }

        Assert.InRange(least, 40, 130);
    }

    private async Task AppendAsync(long after, SerialNumber[] serials)
    {
        foreach (SerialNumber[] some in serials.Chunk(2000))
        {
            long from = after;
            Assert.True((await _store.AppendAsync(Ca, from, Entries(from, some.Select((serial, i) => Issued($"{from + i}", serial))))).Appended);
            after += some.Length;
        }
    }
}
